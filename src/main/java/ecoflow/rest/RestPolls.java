package ecoflow.rest;

import ecoflow.account.Account;
import ecoflow.account.PerAccount;
import ecoflow.api.Api;
import ecoflow.api.CloudException;
import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.device.Listing;
import ecoflow.meters.Meters;
import ecoflow.meters.Meters.Scrape;
import ecoflow.text.FailedStep;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The schedule of polls with developer keys, bean {@code restPolls}: the age of the device list,
 * and the devices that are due. Methods named is... and due have no side effects.
 */
final class RestPolls {

  private static final Logger LOG = LoggerFactory.getLogger(RestPolls.class);
  private static final String PATH = "apiPath";
  private static final String DEVICE = "apiDevice";
  private static final String STARTED = "pollStarted";
  private static final Duration MAX_QUARANTINE = Duration.ofHours(1);
  private static final Duration SLOW = Duration.ofSeconds(5);

  /** The time after which a call in progress is slow. */
  private static final Duration SLOW_SO_FAR = Duration.ofSeconds(1);

  private static final int MAX_FAST_CALLS = 16;

  private static final class State {

    private final Set<String> inProgress = ConcurrentHashMap.newKeySet();

    /** The start of each poll that is not waiting for a thread, by serial number. */
    private final Map<String, Long> started = new ConcurrentHashMap<>();

    /** The last warning by subject, which ends with a serial number or "list". */
    private final Map<String, String> lastWarnings = new ConcurrentHashMap<>();

    private final Map<String, Quarantine> quarantines = new ConcurrentHashMap<>();
    private volatile boolean wasLastCallSlow;
    private volatile boolean hasList;
    private volatile boolean isListInProgress;
    private volatile boolean wasLastListSlow;
    private volatile long renewalStartedAt;
    private volatile boolean hasNewDevice;
    private volatile long connectedAt;
    private volatile boolean hasConnected;
    private volatile boolean hasReconnected;

    /** The time from which a poll replaces values that were pushed on the previous connection. */
    private volatile long pushLeadEnd;

    private volatile long listedAt;
  }

  private final PerAccount<State> states = new PerAccount<>(account -> new State());
  private final Devices devices;
  private final Api api;
  private final Meters meters;
  private final LongSupplier nanoClock;
  private final Lines lines;

  /**
   * A growing pause of the polls of one device whose polls fail. It applies to a device that the
   * developer keys are not allowed to read, and to a device that pushes, which needs few polls.
   *
   * @param until a time of the clock, in nanoseconds
   * @param whilePushing whether it applies only while the device pushes
   */
  private record Quarantine(Duration pause, long until, boolean whilePushing) {}

  RestPolls(Devices devices, Api api, Meters meters, LongSupplier nanoClock) {
    this.devices = devices;
    this.api = api;
    this.meters = meters;
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock);
  }

  /**
   * Forgets the age of the device list and the quarantines, which result from other credentials.
   */
  void forget(Account account) {
    State state = states.of(account);
    state.hasList = false;
    state.quarantines.clear();
  }

  /** Whether polls are allowed: after the first contact, and not during a pause. */
  public boolean isPollAllowed(@Variable(Account.VARIABLE) Account account) {
    return api.isContactMade(account) && !api.isPaused(account);
  }

  /**
   * Whether the device list is younger than DEVICE_LIST_CACHE_TTL or is being renewed. During the
   * renewal the previous list is used, so that retries of the list call do not delay polls.
   */
  public boolean isListFresh(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    return state.isListInProgress
        || (state.hasList && nanoClock.getAsLong() - state.listedAt < listTtl(account).toNanos());
  }

  private static Duration listTtl(Account account) {
    return account.settings().devices().listLife();
  }

  /** Route step: records that the device list is being renewed. */
  public void startRenewal(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    state.renewalStartedAt = nanoClock.getAsLong();
    state.isListInProgress = true;
  }

  private void endRenewal(State state) {
    state.wasLastListSlow =
        state.isListInProgress && nanoClock.getAsLong() - state.renewalStartedAt > SLOW.toNanos();
    state.isListInProgress = false;
  }

  /**
   * Route step: applies the device list, an array of {sn, deviceName, online 0/1, productName}.
   *
   * @throws CloudException if the data is not an array
   */
  public void acceptDeviceList(Exchange exchange) throws CloudException {
    Map<String, Listing> list = deviceList(exchange.getMessage().getBody());
    Account account = Account.of(exchange);
    State state = states.of(account);
    List<String> added = devices.listed(account, list);
    state.hasNewDevice = !added.isEmpty();
    state.hasList = true;
    state.listedAt = nanoClock.getAsLong();
    endRenewal(state);
    if (!api.isContactMade(account)) {
      LOG.info(
          "{}Connected to EcoFlow's developer API: {} device(s) in the list",
          account.prefix(),
          list.size());
    }
    api.contactMade(account);
    if (!added.isEmpty()) {
      LOG.info("{}New devices: {}", account.prefix(), Lines.abbreviate(added));
    }
    warnOnce(account, "list", "");
  }

  /** Whether the last list has added a device. */
  public boolean isDeviceNew(@Variable(Account.VARIABLE) Account account) {
    return states.of(account).hasNewDevice;
  }

  /** Route step: discards status reports of the previous connection, which can be outdated. */
  public void connecting(@Variable(Account.VARIABLE) Account account) {
    devices.forgetReports(account);
  }

  /**
   * Route step: handles a new connection for pushes. All devices are polled again, because pushes
   * can have been missed.
   */
  public void connected(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    devices.allSnapshotsDiscarded(account);
    state.quarantines.values().removeIf(Quarantine::whilePushing);
    state.connectedAt = nanoClock.getAsLong();
    state.pushLeadEnd = state.connectedAt + account.settings().devices().pushLead().toNanos();
    state.hasReconnected = state.hasConnected;
    state.hasConnected = true;
  }

  static Map<String, Listing> deviceList(Object data) throws CloudException {
    if (!(data instanceof Collection<?> entries)) {
      throw new CloudException("0", "the device list is not an array");
    }
    Map<String, Listing> list = new LinkedHashMap<>();
    for (Object entry : entries) {
      if (entry instanceof Map<?, ?> device) {
        String serial = Listing.serial(device.get("sn"));
        if (!serial.isEmpty()) {
          list.put(serial, Listing.of(device));
        }
      }
    }
    return list;
  }

  /** Route step: handles a failed list call. The previous list is used until it is too old. */
  public void listFailed(Exchange exchange) {
    Account account = Account.of(exchange);
    State state = states.of(account);
    endRenewal(state);
    String reason =
        api.failed(account, failure(exchange), exchange.getProperty(PATH, String.class));
    if (!api.isContactMade(account)) {
      api.contactFailed(account, "Cannot get the device list from EcoFlow: " + reason);
    } else {
      String message = "Cannot get the device list from EcoFlow: " + reason;
      api.recordFailure(account, message);
      warnOnce(
          account,
          "list",
          message
              + "; the previous list is used, next attempt in "
              + Lines.seconds(interval(account))
              + " s");
    }
    // While the previous list is used, countAbsent counts the devices.
    if (!state.hasList || isListTooOld(account)) {
      for (DeviceView device : devices.all(account)) {
        if (!device.online()) {
          meters.scraped(device.labels(), Scrape.ERROR, Duration.ZERO);
        }
      }
    }
  }

  /** Route step: counts the devices that are not polled, as offline or not found. */
  public void countAbsent(@Variable(Account.VARIABLE) Account account) {
    if (!states.of(account).hasList || isListTooOld(account)) {
      return;
    }
    for (DeviceView device : devices.all(account)) {
      if (!device.online() && !devices.isPollable(device.serial())) {
        meters.scraped(
            device.labels(), device.missing() ? Scrape.NOT_FOUND : Scrape.OFFLINE, Duration.ZERO);
        warnOfDevice(account, device.serial(), device.missing() ? device.absence() : "offline");
      }
    }
  }

  /** Logs the state of a device, which is not a failure. */
  private void warnOfDevice(Account account, String serial, String state) {
    lines.warnOnChange(
        states.of(account).lastWarnings,
        account.prefix() + serial,
        account.prefix() + "Device " + serial + " is " + state);
  }

  private static Duration interval(Account account) {
    return account.settings().devices().collectingInterval();
  }

  private boolean isListTooOld(Account account) {
    return nanoClock.getAsLong() - states.of(account).listedAt
        > listTtl(account).plus(devices.maxAge(account)).toNanos();
  }

  /**
   * The serial numbers of devices to poll now: those that are online, or offline only according to
   * the answer to their last poll, and that have no poll in progress. A device that pushes is
   * polled once per connection, again when values that were pushed on the previous connection no
   * longer have precedence, and then every ECOFLOW_FULL_INTERVAL.
   */
  public List<String> due(@Variable(Account.VARIABLE) Account account) {
    if (api.isPaused(account)) {
      return List.of();
    }
    State state = states.of(account);
    return devices.all(account).stream()
        .map(DeviceView::serial)
        .filter(devices::isPollable)
        // In this order, because a failed poll starts the quarantine before it ends.
        .filter(serial -> !state.inProgress.contains(serial) && !isQuarantined(state, serial))
        .filter(serial -> !(isPushing(account, serial) && devices.hasValidSnapshot(serial)))
        .toList();
  }

  private boolean isPushing(Account account, String serial) {
    return account.mode().usesMqtt() && devices.isPushing(serial);
  }

  /**
   * Route step: records that the device in the body is being polled. Stops the route if another
   * thread has started a poll of the device in the meantime, or if that poll has failed.
   */
  public void startPoll(Exchange exchange) {
    String serial = exchange.getMessage().getBody(String.class);
    State state = states.of(Account.of(exchange));
    if (!state.inProgress.add(serial)) {
      exchange.setRouteStop(true);
    } else if (isQuarantined(state, serial)) {
      state.inProgress.remove(serial);
      exchange.setRouteStop(true);
    }
  }

  /**
   * Whether polls of the account use the threads for slow accounts, so that they do not delay those
   * of other accounts: its last call took long, a call in progress takes long, or it has many calls
   * in progress.
   */
  public boolean isSlow(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    return !account.name().isEmpty()
        && (state.wasLastCallSlow
            || state.inProgress.size() > MAX_FAST_CALLS
            || isCallSlow(state, nanoClock.getAsLong()));
  }

  private static boolean isCallSlow(State state, long now) {
    return state.started.values().stream().anyMatch(start -> now - start > SLOW_SO_FAR.toNanos());
  }

  /** Whether the last call for the device list took long. */
  public boolean isListSlow(@Variable(Account.VARIABLE) Account account) {
    return !account.name().isEmpty() && states.of(account).wasLastListSlow;
  }

  /** Route step: records the start of the poll of the device in the body. */
  public void callStarted(Exchange exchange) {
    long now = nanoClock.getAsLong();
    exchange.setProperty(STARTED, now);
    State state = states.of(Account.of(exchange));
    state.started.put(exchange.getMessage().getBody(String.class), now);
  }

  private boolean isQuarantined(State state, String serial) {
    Quarantine quarantine = state.quarantines.get(serial);
    return quarantine != null
        && nanoClock.getAsLong() - quarantine.until() < 0
        && (!quarantine.whilePushing() || devices.isPushing(serial));
  }

  private Duration quarantine(Account account, String serial, boolean whilePushing) {
    State state = states.of(account);
    Quarantine before = state.quarantines.get(serial);
    Duration last = before == null ? account.settings().http().pause() : before.pause();
    // Polls refresh values that pushes do not contain, before they expire.
    Duration limit = whilePushing ? account.settings().devices().fullInterval() : MAX_QUARANTINE;
    Duration pause = Api.doubled(last, limit);
    state.quarantines.put(
        serial, new Quarantine(pause, nanoClock.getAsLong() + pause.toNanos(), whilePushing));
    return pause;
  }

  /** Route step: EcoFlow has returned values, so an earlier answer "offline" is outdated. */
  public void answered(Exchange exchange) {
    devices.setOfflineInPoll(exchange.getProperty(DEVICE, String.class), false);
  }

  /** Route step: handles a poll whose values have been stored. */
  public void succeeded(Exchange exchange) {
    String serial = exchange.getProperty(DEVICE, String.class);
    Account account = Account.of(exchange);
    State state = states.of(account);
    state.quarantines.remove(serial);
    devices.setFailure(serial, "");
    long started = exchange.getProperty(STARTED, nanoClock.getAsLong(), Long.class);
    if (state.hasConnected && started - state.connectedAt < 0) {
      // Changes between the response and the connection are in neither the response nor a push.
      devices.snapshotDiscarded(serial);
    } else if (state.hasReconnected && started - state.pushLeadEnd < 0) {
      // The poll did not replace values that were pushed just before the connection was lost.
      devices.snapshotValidUntil(serial, state.pushLeadEnd);
    }
    finish(exchange, serial, Scrape.SUCCESS);
    warnOnce(account, serial, "");
  }

  /** Route step: handles a failed poll. The gauges of the device remain until they are too old. */
  public void failed(Exchange exchange) {
    String serial = exchange.getProperty(DEVICE, String.class);
    Throwable failure = failure(exchange);
    Account account = Account.of(exchange);
    if (api.isPause(failure)) {
      // No call was made, so there is nothing to count. The start of the pause has been logged.
      ended(states.of(account), serial);
      return;
    }
    if (isOffline(account, serial, failure)) {
      devices.setOfflineInPoll(serial, true);
      devices.setFailure(serial, "");
      states.of(account).quarantines.remove(serial);
      warnOfDevice(account, serial, "offline");
      finish(exchange, serial, Scrape.OFFLINE);
      return;
    }
    String reason = api.failed(account, failure, exchange.getProperty(PATH, String.class));
    boolean isOfUser = FailedStep.of(failure).isPresent();
    String message =
        (isOfUser ? "Lost the values of device " : "Cannot get the values of device ")
            + serial
            + ": "
            + reason;
    if (failure instanceof CloudException cloud && cloud.isAboutDevice()) {
      devices.setFailure(serial, Lines.describe(failure));
    } else {
      // Failures of a single device are on its card instead.
      api.recordFailure(account, message);
    }
    boolean isForbidden = !isOfUser && isForbidden(failure);
    if (isForbidden) {
      devices.polled(serial, false, nanoClock.getAsLong());
    }
    if (isForbidden || isPushing(account, serial)) {
      LOG.warn(
          "{}{}; next attempt in {} s",
          account.prefix(),
          message,
          Lines.seconds(quarantine(account, serial, !isForbidden)));
    } else {
      warnOnce(
          account,
          serial,
          message
              + "; its gauges remain until they are "
              + Lines.seconds(devices.maxAge(serial))
              + " s old, next attempt in "
              + Lines.seconds(interval(account))
              + " s");
    }
    finish(exchange, serial, Scrape.ERROR);
  }

  /** Whether EcoFlow answered that the device is offline, which its pushes do not contradict. */
  private boolean isOffline(Account account, String serial, Throwable failure) {
    return failure instanceof CloudException cloud
        && cloud.isDeviceOffline()
        && !isPushing(account, serial);
  }

  private static boolean isForbidden(Throwable failure) {
    return failure instanceof CloudException cloud && cloud.isDeviceForbidden();
  }

  private static void ended(State state, String serial) {
    state.started.remove(serial);
    state.inProgress.remove(serial);
  }

  private void finish(Exchange exchange, String serial, Scrape result) {
    ended(states.of(Account.of(exchange)), serial);
    long now = nanoClock.getAsLong();
    Duration duration = Duration.ofNanos(now - exchange.getProperty(STARTED, now, Long.class));
    states.of(Account.of(exchange)).wasLastCallSlow = duration.compareTo(SLOW) > 0;
    if (devices.isServed(serial)) {
      meters.scraped(devices.labels(serial), result, duration);
    }
  }

  private static Throwable failure(Exchange exchange) {
    return exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
  }

  /**
   * Logs a warning unless it repeats the last one with the same subject.
   *
   * @param line empty for a success
   */
  private void warnOnce(Account account, String subject, String line) {
    Map<String, String> lastWarnings = states.of(account).lastWarnings;
    // Accounts share the rate limit by subject.
    String key = account.prefix() + subject;
    if (!line.isEmpty()) {
      lines.warnOnChange(lastWarnings, key, account.prefix() + line);
    } else if (lastWarnings.remove(key) != null) {
      LOG.info(
          "{}{} received again",
          account.prefix(),
          subject.equals("list") ? "Device list" : "Values of device " + subject);
    }
  }
}
