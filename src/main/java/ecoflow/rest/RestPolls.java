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
 * The state of polls with developer keys, bean {@code restPolls}: the age of the device list, and
 * the devices that are due. Methods named is... and due have no side effects.
 */
final class RestPolls {

  private static final Logger LOG = LoggerFactory.getLogger(RestPolls.class);
  private static final String PATH = "apiPath";
  private static final String DEVICE = "apiDevice";
  private static final String STARTED = "pollStarted";
  private static final Duration MAX_QUARANTINE = Duration.ofHours(1);
  // EcoFlow's codes for devices that the developer keys may not read.
  private static final Set<String> NOT_ALLOWED = Set.of("1006", "8512");

  private final Duration interval;
  private final Duration pushLead;
  private final Duration fullInterval;
  private final Duration listLife;
  private final Duration retryPause;
  private final boolean withPushes;
  private final Devices devices;
  private final Api api;
  private final Meters meters;
  private final LongSupplier nanoClock;
  private final Set<String> underWay = ConcurrentHashMap.newKeySet();
  private final Lines lines;
  private final Map<String, String> lastLines = new ConcurrentHashMap<>();
  private final Map<String, Quarantine> quarantines = new ConcurrentHashMap<>();
  private volatile boolean listed;
  private volatile boolean listUnderWay;
  private volatile boolean deviceNew;
  private volatile long connectedAt;
  private volatile boolean wasConnected;
  private volatile boolean wasReconnected;

  /** From this time a poll replaces all values that were pushed on the previous connection. */
  private volatile long leadsEnd;

  private volatile long listedAt;

  /**
   * A device whose polls fail, because the developer keys may not read it, or while it pushes, when
   * polls matter little: it is polled again after growing pauses.
   *
   * @param ofPushing applies only while the device pushes
   */
  private record Quarantine(Duration pause, long until, boolean ofPushing) {}

  RestPolls(Settings settings, Devices devices, Api api, Meters meters, LongSupplier nanoClock) {
    this.interval = settings.devices().collectingInterval();
    this.pushLead = settings.devices().pushLead();
    this.fullInterval = settings.devices().fullInterval();
    this.listLife = settings.devices().listLife();
    this.retryPause = settings.http().pause();
    this.withPushes = settings.mode().usesMqtt();
    this.devices = devices;
    this.api = api;
    this.meters = meters;
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock);
  }

  /** Whether polls are allowed now: after the first contact, and not during a pause. */
  public boolean isOpen() {
    return api.isContactMade() && !api.isPaused();
  }

  /**
   * Whether the device list is younger than DEVICE_LIST_CACHE_TTL, or a new one is being fetched.
   * In that case the old list is used, so that a list call in a long pause does not delay polls.
   */
  public boolean isListFresh() {
    return listUnderWay || (listed && nanoClock.getAsLong() - listedAt < listLife.toNanos());
  }

  /** Route step: marks a new list as being fetched. */
  public void claimRenewal() {
    listUnderWay = true;
  }

  /**
   * Route step: applies the device list, an array of {sn, deviceName, online 0/1, productName}.
   *
   * @throws CloudException if the data is not an array
   */
  public void acceptDeviceList(Exchange exchange) throws CloudException {
    Map<String, Listing> list = deviceList(exchange.getMessage().getBody());
    List<String> added = devices.listed(list);
    deviceNew = !added.isEmpty();
    listed = true;
    listedAt = nanoClock.getAsLong();
    listUnderWay = false;
    if (!api.isContactMade()) {
      LOG.info("Connected to EcoFlow's developer API: {} device(s) in the list", list.size());
    }
    api.contactMade();
    if (!added.isEmpty()) {
      LOG.info("New devices: {}", Lines.abbreviate(added));
    }
    once("list", "");
  }

  /** Whether the last list contained a new device. */
  public boolean isDeviceNew() {
    return deviceNew;
  }

  /** Route step: without a connection, status reports from the last one may be outdated. */
  public void connecting() {
    devices.forgetReports();
  }

  /**
   * Route step: a connection for pushes is open; polls all devices again, because pushes may have
   * been missed.
   */
  public void connected() {
    devices.allEmptied();
    quarantines.values().removeIf(Quarantine::ofPushing);
    connectedAt = nanoClock.getAsLong();
    leadsEnd = connectedAt + pushLead.toNanos();
    wasReconnected = wasConnected;
    wasConnected = true;
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

  /** Route step: the call for the list failed; the last list is used until it is too old. */
  public void listFailed(Exchange exchange) {
    listUnderWay = false;
    String reason = api.failed(failure(exchange), exchange.getProperty(PATH, String.class));
    if (!api.isContactMade()) {
      api.contactFailed("Cannot get the device list from EcoFlow: " + reason);
    } else {
      once(
          "list",
          "Cannot get the device list from EcoFlow: "
              + reason
              + "; the last list stays in use, next attempt in "
              + Lines.seconds(interval)
              + " s");
    }
    // While the last list is used, countAbsent counts the devices.
    if (!listed || isListTooOld()) {
      for (DeviceView device : devices.ofCloud()) {
        if (!device.online()) {
          meters.scraped(device.labels(), Scrape.ERROR, Duration.ZERO);
        }
      }
    }
  }

  /** Route step: counts the devices that are not polled, as offline or not found. */
  public void countAbsent() {
    if (!listed || isListTooOld()) {
      return;
    }
    for (DeviceView device : devices.ofCloud()) {
      if (!device.online()) {
        meters.scraped(
            device.labels(), device.missing() ? Scrape.NOT_FOUND : Scrape.OFFLINE, Duration.ZERO);
        once(
            device.serial(),
            "Device "
                + device.serial()
                + " is "
                + (device.missing() ? device.absence() : "offline"));
      }
    }
  }

  private boolean isListTooOld() {
    return nanoClock.getAsLong() - listedAt > listLife.plus(devices.maxAge()).toNanos();
  }

  /**
   * The serial numbers to poll now: devices that are online and have no poll in progress. A device
   * that pushes its changes is polled once per connection, once more when values that were pushed
   * on the previous connection no longer take precedence, and then each ECOFLOW_FULL_INTERVAL.
   */
  public List<String> due() {
    if (api.isPaused()) {
      return List.of();
    }
    return devices.ofCloud().stream()
        .filter(DeviceView::online)
        .map(DeviceView::serial)
        // The order matters: a poll that fails starts the quarantine before it ends.
        .filter(serial -> !underWay.contains(serial) && !isQuarantined(serial))
        .filter(serial -> !(withPushes && devices.isPushing(serial) && devices.isFull(serial)))
        .toList();
  }

  /**
   * Route step: marks the poll of the device in the body as in progress. Stops the route if another
   * thread has started a poll since the device was due, or if that poll has failed.
   */
  public void claim(Exchange exchange) {
    String serial = exchange.getMessage().getBody(String.class);
    if (!underWay.add(serial)) {
      exchange.setRouteStop(true);
    } else if (isQuarantined(serial)) {
      underWay.remove(serial);
      exchange.setRouteStop(true);
    }
  }

  /** For routes: the current time of the clock that measures polls. */
  public long nanos() {
    return nanoClock.getAsLong();
  }

  private boolean isQuarantined(String serial) {
    Quarantine quarantine = quarantines.get(serial);
    return quarantine != null
        && nanoClock.getAsLong() - quarantine.until() < 0
        && (!quarantine.ofPushing() || devices.isPushing(serial));
  }

  private Duration quarantine(String serial, boolean ofPushing) {
    Quarantine before = quarantines.get(serial);
    // Values that no push updates must not become too old.
    Duration most = ofPushing ? fullInterval : MAX_QUARANTINE;
    Duration pause = Api.doubled(before == null ? retryPause : before.pause(), most);
    quarantines.put(
        serial, new Quarantine(pause, nanoClock.getAsLong() + pause.toNanos(), ofPushing));
    return pause;
  }

  /** Route step: the values of the device are stored. */
  public void succeeded(Exchange exchange) {
    String serial = exchange.getProperty(DEVICE, String.class);
    quarantines.remove(serial);
    long started = exchange.getProperty(STARTED, nanoClock.getAsLong(), Long.class);
    if (wasConnected && started - connectedAt < 0) {
      // Changes between the answer and the connection are in neither the answer nor a push.
      devices.emptied(serial);
    } else if (wasReconnected && started - leadsEnd < 0) {
      // Changes without a connection did not replace the values that had been pushed just before.
      devices.filledUntil(serial, leadsEnd);
    }
    ended(exchange, serial, Scrape.SUCCESS);
    once(serial, "");
  }

  /** Route step: the poll failed; the device's gauges stay until they are too old. */
  public void failed(Exchange exchange) {
    String serial = exchange.getProperty(DEVICE, String.class);
    Throwable failure = failure(exchange);
    if (api.isPause(failure)) {
      // The start of the pause was logged, and without a call there is nothing to count.
      underWay.remove(serial);
      return;
    }
    String reason = api.failed(failure, exchange.getProperty(PATH, String.class));
    String what = "Cannot get the values of device " + serial + ": " + reason;
    boolean isForbidden = isNotAllowed(failure);
    if (isForbidden) {
      devices.polled(serial, false);
    }
    if (isForbidden || (withPushes && devices.isPushing(serial))) {
      api.recordFailure(what);
      LOG.warn("{}; next attempt in {} s", what, Lines.seconds(quarantine(serial, !isForbidden)));
    } else {
      once(
          serial,
          what
              + "; its gauges stay until they are "
              + Lines.seconds(devices.maxAge(serial))
              + " s old, next attempt in "
              + Lines.seconds(interval)
              + " s");
    }
    ended(exchange, serial, Scrape.ERROR);
  }

  private static boolean isNotAllowed(Throwable failure) {
    return failure instanceof CloudException cloud && NOT_ALLOWED.contains(cloud.code());
  }

  private void ended(Exchange exchange, String serial, Scrape result) {
    underWay.remove(serial);
    long now = nanoClock.getAsLong();
    Duration took = Duration.ofNanos(now - exchange.getProperty(STARTED, now, Long.class));
    if (devices.isWanted(serial)) {
      meters.scraped(devices.labels(serial), result, took);
    }
  }

  private static Throwable failure(Exchange exchange) {
    return exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
  }

  /**
   * Logs a line if it differs from the last one on the same subject; an empty line means success.
   */
  private void once(String about, String line) {
    String before = lastLines.put(about, line);
    if (!line.isEmpty()) {
      api.recordFailure(line);
      if (line.equals(before)) {
        LOG.debug("{}", line);
      } else {
        // Limits failures that alternate, which would log a line each.
        lines.warn(about, line);
      }
    } else if (before != null && !before.isEmpty()) {
      LOG.info("{} again", about.equals("list") ? "Device list" : "Values of device " + about);
    }
  }
}
