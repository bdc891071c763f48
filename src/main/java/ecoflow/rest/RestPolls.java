package ecoflow.rest;

import ecoflow.api.Api;
import ecoflow.api.CloudException;
import ecoflow.config.Settings;
import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.device.Listing;
import ecoflow.meters.Meters;
import ecoflow.meters.Meters.Scrape;
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
  // EcoFlow's codes for devices that the developer keys are not allowed to read.
  private static final Set<String> FORBIDDEN_CODES = Set.of("1006", "8512");

  private final Duration interval;
  private final Duration pushLead;
  private final Duration fullInterval;
  private final Duration listTtl;
  private final Duration retryPause;
  private final boolean usesPushes;
  private final Devices devices;
  private final Api api;
  private final Meters meters;
  private final LongSupplier nanoClock;
  private final Set<String> inProgress = ConcurrentHashMap.newKeySet();
  private final Lines lines;
  private final Map<String, String> lastWarnings = new ConcurrentHashMap<>();
  private final Map<String, Quarantine> quarantines = new ConcurrentHashMap<>();
  private volatile boolean hasList;
  private volatile boolean isListInProgress;
  private volatile boolean hasNewDevice;
  private volatile long connectedAt;
  private volatile boolean hasConnected;
  private volatile boolean hasReconnected;

  /** The time from which a poll replaces values that were pushed on the previous connection. */
  private volatile long pushLeadEnd;

  private volatile long listedAt;

  /**
   * A growing pause of the polls of one device whose polls fail. It applies to a device that the
   * developer keys are not allowed to read, and to a device that pushes, which needs few polls.
   *
   * @param until a time of the clock, in nanoseconds
   * @param whilePushing whether it applies only while the device pushes
   */
  private record Quarantine(Duration pause, long until, boolean whilePushing) {}

  RestPolls(Settings settings, Devices devices, Api api, Meters meters, LongSupplier nanoClock) {
    this.interval = settings.devices().collectingInterval();
    this.pushLead = settings.devices().pushLead();
    this.fullInterval = settings.devices().fullInterval();
    this.listTtl = settings.devices().listLife();
    this.retryPause = settings.http().pause();
    this.usesPushes = settings.mode().usesMqtt();
    this.devices = devices;
    this.api = api;
    this.meters = meters;
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock);
  }

  /** Whether polls are allowed: after the first contact, and not during a pause. */
  public boolean isPollAllowed() {
    return api.isContactMade() && !api.isPaused();
  }

  /**
   * Whether the device list is younger than DEVICE_LIST_CACHE_TTL or is being renewed. During the
   * renewal the previous list is used, so that retries of the list call do not delay polls.
   */
  public boolean isListFresh() {
    return isListInProgress || (hasList && nanoClock.getAsLong() - listedAt < listTtl.toNanos());
  }

  /** Route step: records that the device list is being renewed. */
  public void startRenewal() {
    isListInProgress = true;
  }

  /**
   * Route step: applies the device list, an array of {sn, deviceName, online 0/1, productName}.
   *
   * @throws CloudException if the data is not an array
   */
  public void acceptDeviceList(Exchange exchange) throws CloudException {
    Map<String, Listing> list = deviceList(exchange.getMessage().getBody());
    List<String> added = devices.listed(list);
    hasNewDevice = !added.isEmpty();
    hasList = true;
    listedAt = nanoClock.getAsLong();
    isListInProgress = false;
    if (!api.isContactMade()) {
      LOG.info("Connected to EcoFlow's developer API: {} device(s) in the list", list.size());
    }
    api.contactMade();
    if (!added.isEmpty()) {
      LOG.info("New devices: {}", Lines.abbreviate(added));
    }
    warnOnce("list", "");
  }

  /** Whether the last list has added a device. */
  public boolean isDeviceNew() {
    return hasNewDevice;
  }

  /** Route step: discards status reports of the previous connection, which can be outdated. */
  public void connecting() {
    devices.forgetReports();
  }

  /**
   * Route step: handles a new connection for pushes. All devices are polled again, because pushes
   * can have been missed.
   */
  public void connected() {
    devices.allSnapshotsDiscarded();
    quarantines.values().removeIf(Quarantine::whilePushing);
    connectedAt = nanoClock.getAsLong();
    pushLeadEnd = connectedAt + pushLead.toNanos();
    hasReconnected = hasConnected;
    hasConnected = true;
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
    isListInProgress = false;
    String reason = api.failed(failure(exchange), exchange.getProperty(PATH, String.class));
    if (!api.isContactMade()) {
      api.contactFailed("Cannot get the device list from EcoFlow: " + reason);
    } else {
      warnOnce(
          "list",
          "Cannot get the device list from EcoFlow: "
              + reason
              + "; the previous list is used, next attempt in "
              + Lines.seconds(interval)
              + " s");
    }
    // While the previous list is used, countAbsent counts the devices.
    if (!hasList || isListTooOld()) {
      for (DeviceView device : devices.ecoflowDevices()) {
        if (!device.online()) {
          meters.scraped(device.labels(), Scrape.ERROR, Duration.ZERO);
        }
      }
    }
  }

  /** Route step: counts the devices that are not polled, as offline or not found. */
  public void countAbsent() {
    if (!hasList || isListTooOld()) {
      return;
    }
    for (DeviceView device : devices.ecoflowDevices()) {
      if (!device.online()) {
        meters.scraped(
            device.labels(), device.missing() ? Scrape.NOT_FOUND : Scrape.OFFLINE, Duration.ZERO);
        warnOnce(
            device.serial(),
            "Device "
                + device.serial()
                + " is "
                + (device.missing() ? device.absence() : "offline"));
      }
    }
  }

  private boolean isListTooOld() {
    return nanoClock.getAsLong() - listedAt > listTtl.plus(devices.maxAge()).toNanos();
  }

  /**
   * The serial numbers of devices to poll now: those that are online and have no poll in progress.
   * A device that pushes is polled once per connection, again when values that were pushed on the
   * previous connection no longer have precedence, and then every ECOFLOW_FULL_INTERVAL.
   */
  public List<String> due() {
    if (api.isPaused()) {
      return List.of();
    }
    return devices.ecoflowDevices().stream()
        .filter(DeviceView::online)
        .map(DeviceView::serial)
        // In this order, because a failed poll starts the quarantine before it ends.
        .filter(serial -> !inProgress.contains(serial) && !isQuarantined(serial))
        .filter(
            serial ->
                !(usesPushes && devices.isPushing(serial) && devices.hasValidSnapshot(serial)))
        .toList();
  }

  /**
   * Route step: records that the device in the body is being polled. Stops the route if another
   * thread has started a poll of the device in the meantime, or if that poll has failed.
   */
  public void startPoll(Exchange exchange) {
    String serial = exchange.getMessage().getBody(String.class);
    if (!inProgress.add(serial)) {
      exchange.setRouteStop(true);
    } else if (isQuarantined(serial)) {
      inProgress.remove(serial);
      exchange.setRouteStop(true);
    }
  }

  /** For routes: the current time of the clock, in nanoseconds. */
  public long nanos() {
    return nanoClock.getAsLong();
  }

  private boolean isQuarantined(String serial) {
    Quarantine quarantine = quarantines.get(serial);
    return quarantine != null
        && nanoClock.getAsLong() - quarantine.until() < 0
        && (!quarantine.whilePushing() || devices.isPushing(serial));
  }

  private Duration quarantine(String serial, boolean whilePushing) {
    Quarantine before = quarantines.get(serial);
    // Polls refresh values that pushes do not contain, before they expire.
    Duration limit = whilePushing ? fullInterval : MAX_QUARANTINE;
    Duration pause = Api.doubled(before == null ? retryPause : before.pause(), limit);
    quarantines.put(
        serial, new Quarantine(pause, nanoClock.getAsLong() + pause.toNanos(), whilePushing));
    return pause;
  }

  /** Route step: handles a poll whose values have been stored. */
  public void succeeded(Exchange exchange) {
    String serial = exchange.getProperty(DEVICE, String.class);
    quarantines.remove(serial);
    long started = exchange.getProperty(STARTED, nanoClock.getAsLong(), Long.class);
    if (hasConnected && started - connectedAt < 0) {
      // Changes between the response and the connection are in neither the response nor a push.
      devices.snapshotDiscarded(serial);
    } else if (hasReconnected && started - pushLeadEnd < 0) {
      // The poll did not replace values that were pushed just before the connection was lost.
      devices.snapshotValidUntil(serial, pushLeadEnd);
    }
    finish(exchange, serial, Scrape.SUCCESS);
    warnOnce(serial, "");
  }

  /** Route step: handles a failed poll. The gauges of the device remain until they are too old. */
  public void failed(Exchange exchange) {
    String serial = exchange.getProperty(DEVICE, String.class);
    Throwable failure = failure(exchange);
    if (api.isPause(failure)) {
      // No call was made, so there is nothing to count. The start of the pause has been logged.
      inProgress.remove(serial);
      return;
    }
    String reason = api.failed(failure, exchange.getProperty(PATH, String.class));
    String message = "Cannot get the values of device " + serial + ": " + reason;
    boolean isForbidden = isForbidden(failure);
    if (isForbidden) {
      devices.polled(serial, false);
    }
    if (isForbidden || (usesPushes && devices.isPushing(serial))) {
      api.recordFailure(message);
      LOG.warn(
          "{}; next attempt in {} s", message, Lines.seconds(quarantine(serial, !isForbidden)));
    } else {
      warnOnce(
          serial,
          message
              + "; its gauges remain until they are "
              + Lines.seconds(devices.maxAge(serial))
              + " s old, next attempt in "
              + Lines.seconds(interval)
              + " s");
    }
    finish(exchange, serial, Scrape.ERROR);
  }

  private static boolean isForbidden(Throwable failure) {
    return failure instanceof CloudException cloud && FORBIDDEN_CODES.contains(cloud.code());
  }

  private void finish(Exchange exchange, String serial, Scrape result) {
    inProgress.remove(serial);
    long now = nanoClock.getAsLong();
    Duration duration = Duration.ofNanos(now - exchange.getProperty(STARTED, now, Long.class));
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
  private void warnOnce(String subject, String line) {
    if (!line.isEmpty()) {
      api.recordFailure(line);
      lines.warnOnChange(lastWarnings, subject, line);
    } else if (lastWarnings.remove(subject) != null) {
      LOG.info(
          "{} received again",
          subject.equals("list") ? "Device list" : "Values of device " + subject);
    }
  }
}
