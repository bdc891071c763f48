package ecoflow.account;

import static ecoflow.account.Establishment.seconds;

import ecoflow.config.Settings;
import ecoflow.device.Device;
import ecoflow.device.Devices;
import ecoflow.metrics.CalmLog;
import ecoflow.metrics.SelfMetrics;
import ecoflow.metrics.SelfMetrics.Scrape;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The bookkeeping of polls with developer keys: which list is cached, which device is due. */
public final class RestPolls {

  private static final Logger LOG = LoggerFactory.getLogger(RestPolls.class);
  private static final String STARTED = "pollStarted";
  private static final Duration LONGEST_QUARANTINE = Duration.ofHours(1);
  // EcoFlow's codes for devices that this key may not read.
  private static final Set<String> NOT_ALLOWED = Set.of("1006", "8512");

  private final Settings settings;
  private final Devices devices;
  private final Establishment establishment;
  private final SelfMetrics metrics;
  private final LongSupplier nanoClock;
  private final Cooldown cooldown;
  private final ApiHost host;
  private final Set<String> underWay = ConcurrentHashMap.newKeySet();
  private final CalmLog calmLog;
  private final Map<String, String> lastLines = new ConcurrentHashMap<>();
  private final Map<String, Quarantine> quarantines = new ConcurrentHashMap<>();
  private volatile boolean listed;
  private volatile boolean listUnderWay;
  private volatile long listedAt;
  private long nextPoll;

  /** A device that EcoFlow does not let this key read: asked again after growing pauses. */
  private record Quarantine(Duration pause, long until) {}

  public RestPolls(
      Settings settings,
      Devices devices,
      Establishment establishment,
      Cooldown cooldown,
      ApiHost host,
      SelfMetrics metrics,
      LongSupplier nanoClock) {
    this.settings = settings;
    this.devices = devices;
    this.establishment = establishment;
    this.cooldown = cooldown;
    this.host = host;
    this.metrics = metrics;
    this.nanoClock = nanoClock;
    this.calmLog = new CalmLog(LOG, nanoClock);
  }

  /** Whether to poll now: each COLLECTING_INTERVAL, before the first success each RETRY_TIMEOUT. */
  public synchronized boolean isPollDue() {
    long now = nanoClock.getAsLong();
    long interval = settings.timing().collectingInterval().toNanos();
    if (!establishment.isEstablished()) {
      // The attempt that succeeds is also the first poll.
      nextPoll = now + interval;
      return !listUnderWay && cooldown.isOver() && establishment.isAttemptDue();
    }
    if (now - nextPoll < 0 || !cooldown.isOver()) {
      return false;
    }
    // After a pause of the machine there is one poll, not all that were missed.
    nextPoll = now - nextPoll > interval ? now + interval : nextPoll + interval;
    return true;
  }

  /**
   * Whether the device list is younger than DEVICE_LIST_CACHE_TTL. While a new one is being fetched
   * the old one serves, so that a list call in a long pause stops no poll.
   */
  public synchronized boolean isListCached() {
    Duration life = settings.timing().deviceListCacheTtl();
    boolean fresh = listed && nanoClock.getAsLong() - listedAt < life.toNanos();
    if (!fresh && !listUnderWay) {
      listUnderWay = true;
      return false;
    }
    return true;
  }

  /** Takes the answer of the device list call. */
  public void acceptDeviceList(Exchange exchange) throws CloudException {
    Map<String, Device.Listing> list = Answers.deviceList(exchange.getMessage().getBody());
    List<String> added = devices.listed(list);
    listed = true;
    listedAt = nanoClock.getAsLong();
    listUnderWay = false;
    if (!establishment.isEstablished()) {
      LOG.info("Connected to EcoFlow's developer API: {} device(s) in the list", list.size());
    }
    establishment.succeeded();
    if (!added.isEmpty()) {
      LOG.info("New devices: {}", String.join(", ", added));
    }
    once("list", "");
  }

  /** The device list could not be had; the last one serves until it is too old. */
  public void deviceListFailed(Exchange exchange) {
    listUnderWay = false;
    String reason = reason(exchange);
    if (!establishment.isEstablished()) {
      establishment.failed("Cannot get the device list from EcoFlow: " + reason);
    } else {
      once(
          "list",
          "Cannot get the device list from EcoFlow: "
              + reason
              + "; the last list serves on, next attempt in "
              + seconds(settings.timing().collectingInterval())
              + " s");
    }
    // While the last list serves, it says how the devices are counted.
    if (!listed || isListTooOld()) {
      for (Device device : devices.all()) {
        if (!devices.isOnline(device)) {
          metrics.scraped(device.labels(), Scrape.ERROR, Duration.ZERO);
        }
      }
    }
  }

  /**
   * The serial numbers to poll now: devices that are online, but for those whose last poll has not
   * ended. The other devices are counted as offline or not found.
   */
  public List<String> due() {
    if (listed) {
      devices.all().stream().filter(device -> !devices.isOnline(device)).forEach(this::countAbsent);
    }
    if (!cooldown.isOver()) {
      return List.of();
    }
    return devices.onlineSerials().stream()
        .filter(serial -> !isQuarantined(serial))
        .filter(underWay::add)
        .toList();
  }

  private boolean isQuarantined(String serial) {
    Quarantine quarantine = quarantines.get(serial);
    return quarantine != null && nanoClock.getAsLong() - quarantine.until() < 0;
  }

  private Duration quarantine(String serial) {
    Quarantine before = quarantines.get(serial);
    Duration pause =
        before == null
            ? settings.timing().retryTimeout().multipliedBy(2)
            : before.pause().multipliedBy(2);
    if (pause.compareTo(LONGEST_QUARANTINE) > 0) {
      pause = LONGEST_QUARANTINE;
    }
    quarantines.put(serial, new Quarantine(pause, nanoClock.getAsLong() + pause.toNanos()));
    return pause;
  }

  private void countAbsent(Device device) {
    if (!isListTooOld()) {
      boolean missing = device.isMissing();
      metrics.scraped(device.labels(), missing ? Scrape.NOT_FOUND : Scrape.OFFLINE, Duration.ZERO);
      once(
          device.serial(),
          missing
              ? "Device " + device.serial() + " is not in the device list of this access key"
              : "Device " + device.serial() + " is offline");
    }
  }

  private boolean isListTooOld() {
    return nanoClock.getAsLong() - listedAt
        > settings.timing().deviceListCacheTtl().plus(devices.maxAge()).toNanos();
  }

  public void begin(Exchange exchange) {
    exchange.setProperty(STARTED, nanoClock.getAsLong());
  }

  /** The values of a device arrived and are stored. */
  public void succeeded(Exchange exchange) {
    String serial = exchange.getProperty(HttpCalls.DEVICE, String.class);
    quarantines.remove(serial);
    ended(exchange, Scrape.SUCCESS);
    once(serial, "");
  }

  /** The values of a device could not be had; its gauges stay until they are too old. */
  public void failed(Exchange exchange) {
    String serial = exchange.getProperty(HttpCalls.DEVICE, String.class);
    Throwable failure = failure(exchange);
    if (failure instanceof Cooldown.NotOverException) {
      // The pause was announced when it began; nothing was asked, so there is nothing to count.
      underWay.remove(serial);
      return;
    }
    String what = "Cannot get the values of device " + serial + ": " + reason(exchange);
    if (failure instanceof CloudException cloud && NOT_ALLOWED.contains(cloud.code())) {
      Duration pause = quarantine(serial);
      LOG.warn("{}; next attempt in {} s", what, seconds(pause));
    } else {
      once(
          serial,
          what
              + "; its gauges stay until they are "
              + seconds(devices.maxAge())
              + " s old, next attempt in "
              + seconds(settings.timing().collectingInterval())
              + " s");
    }
    ended(exchange, Scrape.ERROR);
  }

  private void ended(Exchange exchange, Scrape result) {
    String serial = exchange.getProperty(HttpCalls.DEVICE, String.class);
    underWay.remove(serial);
    long started = exchange.getProperty(STARTED, nanoClock.getAsLong(), Long.class);
    Duration took = Duration.ofNanos(nanoClock.getAsLong() - started);
    devices.find(serial).ifPresent(device -> metrics.scraped(device.labels(), result, took));
  }

  /** Says what failed, and starts the common pause if the answer calls for it. */
  private String reason(Exchange exchange) {
    Throwable failure = failure(exchange);
    String path = exchange.getProperty(HttpCalls.PATH, String.class);
    String reason = Failures.describe(failure, path);
    if (establishment.isEstablished() && Cooldown.isCalledFor(failure)) {
      cooldown.start(reason);
    }
    return failure instanceof CloudException cloud && cloud.code().equals("8513")
        ? "code 8513 on " + path + ": " + host.advice()
        : reason;
  }

  private static Throwable failure(Exchange exchange) {
    return exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
  }

  /**
   * Logs a line when it differs from the last one about the same thing; empty means all is well.
   */
  private void once(String about, String line) {
    String before = lastLines.put(about, line);
    if (!line.isEmpty()) {
      if (line.equals(before)) {
        LOG.debug("{}", line);
      } else {
        // Failures that take turns are not one line each.
        calmLog.warn(about, line);
      }
    } else if (before != null && !before.isEmpty()) {
      LOG.info("{} again", about.equals("list") ? "Device list" : "Values of device " + about);
    }
  }
}
