package ecoflow.device;

import ecoflow.config.DeviceSettings;
import ecoflow.config.Settings;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;

/**
 * The devices that the exporter serves: the configured ones, or all of the account. This class
 * alone decides which devices are online and which values may be shown.
 */
public final class Devices {

  private static final Pattern SERIAL = Pattern.compile("[A-Za-z0-9_-]{1,64}");

  /** Allows for network delays at the end of a silence. */
  private static final Duration JITTER = Duration.ofMinutes(1);

  /** Limits the memory that a broker with public write access can use. */
  private static final int MAX_ADOPTED = 1_000;

  private final DeviceSettings settings;
  private final Settings.Mode mode;
  private final Catalogue catalogue;
  private final LongSupplier nanoClock;
  private final Consumer<String> warn;

  /** For models that send often. Stored, because it is needed for each message and series. */
  private final Duration maxAge;

  private final Map<String, Device> bySerial = new ConcurrentSkipListMap<>();
  private volatile int overLimit;
  private volatile int notNamed;
  private volatile Consumer<String> renamed = serial -> {};
  private volatile BiFunction<String, String, Duration> silenceOf =
      (serial, product) -> Duration.ZERO;

  /**
   * @param warn receives a line if the catalogue cannot be used, or devices of a list are left out
   */
  public Devices(Settings settings, Consumer<String> warn, LongSupplier nanoClock) {
    this.settings = settings.devices();
    this.mode = settings.mode();
    this.catalogue =
        Catalogue.load(this.settings.file().path(), this.settings.file().explicit(), warn);
    this.nanoClock = nanoClock;
    this.warn = warn;
    this.maxAge = maxAge(mode, this.settings);
    this.settings.serials().forEach(this::add);
  }

  /** EcoFlow's online flag, which can be 1, "1" or true. */
  public static boolean isOn(Object flag) {
    return flag instanceof Number number
        ? number.intValue() == 1
        : "1".equals(flag) || Boolean.parseBoolean(String.valueOf(flag));
  }

  /** The serial numbers, sorted. */
  public List<String> serials() {
    return List.copyOf(bySerial.keySet());
  }

  /** The serial numbers of EcoFlow devices, sorted. */
  public List<String> serialsOfCloud() {
    return ofCloud().stream().map(DeviceView::serial).toList();
  }

  public List<DeviceView> all() {
    return bySerial.values().stream().map(this::view).toList();
  }

  /** All EcoFlow devices. */
  public List<DeviceView> ofCloud() {
    return bySerial.values().stream().filter(Device::isOfCloud).map(this::view).toList();
  }

  public Optional<DeviceView> find(String serial) {
    return Optional.ofNullable(bySerial.get(serial)).map(this::view);
  }

  public boolean isWanted(String serial) {
    return bySerial.containsKey(serial);
  }

  private DeviceView view(Device device) {
    boolean online = isOnline(device);
    // With an account the list can lack a device that sends: its values take precedence.
    boolean isThere = online || (mode.usesAccount() && device.hasSentSinceListed());
    return new DeviceView(
        device.serial(),
        device.labels(),
        online,
        isShown(device),
        isThere ? "" : device.absence(),
        device.lastUpdateMillis());
  }

  /** Also works for devices that are not served. */
  public Labels labels(String serial) {
    Device device = bySerial.get(serial);
    return device == null ? new Labels(serial, serial, "Unknown", "unknown") : device.labels();
  }

  public boolean isOnline(String serial) {
    Device device = bySerial.get(serial);
    return device != null && isOnline(device);
  }

  /** Whether the device's values may be shown. */
  public boolean isShown(String serial) {
    Device device = bySerial.get(serial);
    return device != null && isShown(device);
  }

  /** Like {@link #dataArrived(String, boolean)}, for a value without a request. */
  public void dataArrived(String serial) {
    dataArrived(serial, false);
  }

  /**
   * At least one value arrived. This also ends an earlier "offline": data overrides the flag.
   *
   * @param polled whether it is the answer to a poll
   */
  public void dataArrived(String serial, boolean polled) {
    Device device = bySerial.get(serial);
    if (device != null) {
      long now = nanoClock.getAsLong();
      device.dataArrived(now, System.currentTimeMillis());
      if (!polled) {
        device.pushed(now);
      }
    }
  }

  /**
   * A poll of the device has ended.
   *
   * @param hadValues false if the answer was empty, or EcoFlow does not answer for this device
   */
  public void polled(String serial, boolean hadValues) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.polled(hadValues);
    }
  }

  /** The cloud reports the device as online, which ends an earlier "offline". */
  public void reportedOnline(String serial) {
    Device device = bySerial.get(serial);
    if (device != null && mode == Settings.Mode.OPEN) {
      device.reportedOnline(nanoClock.getAsLong());
    }
  }

  /** Status reports from a lost connection may be outdated. */
  public void forgetReports() {
    bySerial.values().forEach(Device::forgetReports);
  }

  /** Changes may have been missed: all values of each device are needed again. */
  public void allEmptied() {
    bySerial.values().forEach(Device::emptied);
  }

  /** All values of the device arrived. */
  public void filled(String serial) {
    filledUntil(serial, nanoClock.getAsLong() + settings.fullInterval().toNanos());
  }

  /** The values of the device were discarded, or changes are missing. */
  public void emptied(String serial) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.emptied();
    }
  }

  /** All values of the device arrived; they are sufficient until this time. */
  public void filledUntil(String serial, long nanos) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.filledUntil(nanos);
    }
  }

  /** Whether changes are sufficient: all values arrived recently and were not discarded since. */
  public boolean isFull(String serial) {
    Device device = bySerial.get(serial);
    return device != null && device.isFull(nanoClock.getAsLong());
  }

  /** Whether the device sends its changes without requests. */
  public boolean isPushing(String serial) {
    Device device = bySerial.get(serial);
    return device != null && device.isPushing(nanoClock.getAsLong(), settings.timeout());
  }

  /** The cloud reports the device as offline. */
  public void reportedOffline(String serial) {
    Device device = bySerial.get(serial);
    if (device != null) {
      device.reportedOffline();
    }
  }

  /** Runs a task under the lock of the device; does nothing for a device that is not served. */
  public void exclusively(String serial, Runnable task) {
    Device device = bySerial.get(serial);
    if (device != null) {
      synchronized (device) {
        task.run();
      }
    }
  }

  /**
   * REST: a list not older than its maximum age reports the device as online. With an account, and
   * for devices that are not EcoFlow devices: values arrived recently. Open: the last status
   * message, then values that the device pushed, then the list; answers to polls are not evidence.
   * A list with "offline" ends a silence that is normal for the model.
   */
  private boolean isOnline(Device device) {
    long now = nanoClock.getAsLong();
    if (mode.usesAccount() || !device.isOfCloud()) {
      return hasFreshData(device, now);
    }
    Duration listAge = listAge();
    boolean listed = device.isListedOnline(now, listAge);
    if (mode == Settings.Mode.REST) {
      return listed;
    }
    return !device.isReportedOffline()
        && (listed
            || device.isPushing(now, maxAge)
            // The list may be outdated; after a while one of the other sources must confirm the
            // report.
            || device.isReportedOnline(now, listAge)
            || (!device.isListed(now, listAge) && device.isPushing(now, maxAge(device))));
  }

  private Duration listAge() {
    return maxAge.plus(settings.listLife());
  }

  private boolean isShown(Device device) {
    long now = nanoClock.getAsLong();
    return isOnline(device) && (hasFreshData(device, now) || keepsPushes(device, now));
  }

  private boolean hasFreshData(Device device, long now) {
    // The order avoids the lookup of the silence for devices that send often.
    return device.hasFreshData(now, maxAge) || device.hasFreshData(now, maxAge(device));
  }

  /**
   * Open: whether the device is online in the list, but only pushes provide values, however rarely.
   */
  private boolean keepsPushes(Device device, long now) {
    return device.isUnfillable()
        && device.isListedOnline(now, listAge())
        && device.isPushing(now, settings.seriesLife());
  }

  /** The age at which values of a model that sends often are hidden. */
  public Duration maxAge() {
    return maxAge;
  }

  /** The age at which values of this device are hidden. */
  public Duration maxAge(String serial) {
    Device device = bySerial.get(serial);
    return device == null ? maxAge : maxAge(device);
  }

  private Duration maxAge(Device device) {
    return longer(maxAge, bound(silence(device)));
  }

  /** The age at which a single series of this device is removed. */
  public Duration seriesLife(String serial) {
    Device device = bySerial.get(serial);
    Duration life = settings.seriesLife();
    return device == null ? life : longer(life, bound(silence(device)));
  }

  /** The longest normal silence of a device that has sent values; zero for polled devices. */
  private Duration silence(Device device) {
    boolean pushes = mode != Settings.Mode.REST || !device.isOfCloud();
    return pushes && device.hasSent() ? device.silence(silenceOf) : Duration.ZERO;
  }

  /** A device is silent if two messages in a row are missing. */
  private static Duration bound(Duration silence) {
    return silence.isZero() ? silence : silence.multipliedBy(2).plus(JITTER);
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  /**
   * The longest normal time without a message from any device: the shortest silence of the devices
   * that are not reported offline.
   */
  public Duration commonSilence() {
    return bySerial.values().stream()
        .filter(device -> device.isOfCloud() && !device.isReportedOffline())
        .map(device -> device.silence(silenceOf))
        .min(Comparator.naturalOrder())
        .orElse(Duration.ZERO);
  }

  /**
   * @param newSilenceOf returns the longest normal silence of a model by serial number and product;
   *     zero for models that send often
   */
  public void silences(BiFunction<String, String, Duration> newSilenceOf) {
    silenceOf = newSilenceOf;
  }

  /**
   * MQTT_TIMEOUT; in mode REST at least three polls; in mode Open the sum of both, because polls
   * start when pushes end.
   */
  private static Duration maxAge(Settings.Mode mode, DeviceSettings settings) {
    Duration timeout = settings.timeout();
    Duration polls = settings.collectingInterval().multipliedBy(3);
    return switch (mode) {
      case MQTT, DEVICE -> timeout;
      case REST -> longer(timeout, polls);
      case OPEN -> timeout.plus(polls);
    };
  }

  /**
   * Applies a complete device list: updates names, products and online flags, and marks devices
   * that are not in it as missing. If all devices are wanted, new ones are added up to
   * ECOFLOW_MAX_DEVICES.
   *
   * @return the serial numbers of new devices, sorted
   */
  public List<String> listed(Map<String, Listing> list) {
    List<String> added = settings.areAllWanted() ? addNew(list.keySet()) : List.of();
    long now = nanoClock.getAsLong();
    for (Device device : bySerial.values()) {
      if (!device.isOfCloud()) {
        continue;
      }
      Listing listing = list.getOrDefault(device.serial(), Listing.MISSING);
      Labels before = device.labels();
      Labels labels =
          isNamedBy(listing) ? labels(device.serial(), listing.name(), listing.product()) : before;
      device.listed(listing, listing.found() ? "" : absence(device.serial(), list), labels, now);
      if (!labels.equals(before)) {
        renamed.accept(device.serial());
      }
    }
    return added;
  }

  /**
   * Adds new devices in the order of their serial numbers: the same list always leaves out the same
   * devices, and devices that are already served stay.
   */
  private List<String> addNew(Set<String> serials) {
    List<String> unknown = new ArrayList<>();
    List<String> unnamed = new ArrayList<>();
    for (String serial : serials) {
      Device known = bySerial.get(serial);
      if (!SERIAL.matcher(serial).matches()) {
        unnamed.add(serial);
      } else if (known == null || !known.isOfCloud()) {
        unknown.add(serial);
      }
    }
    Collections.sort(unknown);
    long served = bySerial.values().stream().filter(Device::isOfCloud).count();
    int left = (int) Math.max(0, settings.maxDevices() - served);
    List<String> added = unknown.subList(0, Math.min(left, unknown.size()));
    added.forEach(this::add);
    leftOut(serials.size(), unknown.size() - added.size(), unnamed);
    return List.copyOf(added);
  }

  /**
   * Stores the numbers for the page; logs a line for the first device that is left out, not for
   * each list.
   */
  private void leftOut(int listed, int newOverLimit, List<String> unnamed) {
    if (newOverLimit > 0 && overLimit == 0) {
      warn.accept(
          "The device list has "
              + listed
              + " devices and "
              + DeviceSettings.MAX_DEVICES
              + " is "
              + settings.maxDevices()
              + ": "
              + newOverLimit
              + " devices are left out, those served before stay");
    }
    if (!unnamed.isEmpty() && notNamed == 0) {
      warn.accept(
          "The device list has "
              + unnamed.size()
              + " serial numbers that are not 1 to 64 letters, digits, - and _, such as \""
              + Lines.oneLine(unnamed.get(0))
              + "\": they are left out, the other devices are served");
    }
    overLimit = newOverLimit;
    notNamed = unnamed.size();
  }

  /** Number of devices in the newest list that are not served because of ECOFLOW_MAX_DEVICES. */
  public int overLimit() {
    return overLimit;
  }

  /** Number of entries in the newest list that are not served because of their serial number. */
  public int notNamed() {
    return notNamed;
  }

  /**
   * Whether labels follow the list. With an account a device sends values without the list: an
   * incomplete or late list must not change labels.
   */
  private boolean isNamedBy(Listing listing) {
    return !mode.usesAccount() || (settings.areAllWanted() && listing.found());
  }

  /** Text about a device that is not in the list. */
  private String absence(String serial, Map<String, Listing> list) {
    List<String> others =
        list.keySet().stream()
            .filter(other -> !isWanted(other))
            .limit(settings.maxDevices())
            .toList();
    return "not in the device list of this account; "
        + Lines.nearestSerial(serial, others)
            .map(other -> "did you mean " + other + name(other, list.get(other)) + "?")
            .orElse("the list has " + list.size() + (list.size() == 1 ? " device" : " devices"));
  }

  private static String name(String serial, Listing listing) {
    return listing.name() == null || listing.name().equals(serial)
        ? ""
        : " (\"" + Lines.oneLine(listing.name()) + "\")";
  }

  /**
   * @param renamed receives the serial number of each device whose labels have just changed
   */
  public void onRenamed(Consumer<String> renamed) {
    this.renamed = renamed;
  }

  private void add(String serial) {
    bySerial.put(serial, new Device(serial, true, labels(serial, null, null)));
  }

  /**
   * Serves a device that is not an EcoFlow device, if it is not served yet. It is online while
   * values arrive.
   *
   * @param name null for none
   * @param product null for none
   */
  public void adopt(String serial, String name, String product) {
    Device known = bySerial.get(serial == null ? "" : serial);
    if (known == null) {
      checkNew(serial);
      bySerial.putIfAbsent(serial, new Device(serial, false, labels(serial, name, product)));
      known = bySerial.get(serial);
    }
    if (!known.isOfCloud()) {
      known.labelled(labels(serial, name, product));
    }
  }

  private void checkNew(String serial) {
    if (serial == null || !SERIAL.matcher(serial).matches()) {
      throw new IllegalArgumentException(
          "header EcoflowDevice takes 1 to 64 letters, digits, - and _, not '" + serial + "'");
    }
    if (bySerial.values().stream().filter(device -> !device.isOfCloud()).count() >= MAX_ADOPTED) {
      throw new IllegalArgumentException(
          "device " + serial + " of another source would be one more than " + MAX_ADOPTED);
    }
  }

  /** The labels that a listed device has or would have if it were served. */
  public Labels labels(String serial, Listing listing) {
    return labels(serial, listing.name(), listing.product());
  }

  /** Whether the model is in the catalogue. */
  public boolean isModelKnown(String serial) {
    return catalogue.find(serial).isPresent();
  }

  private Labels labels(String serial, String apiName, String apiProduct) {
    // Serial numbers in settings are in upper case; devices of other sources can have any case.
    String key = serial.toUpperCase(Locale.ROOT);
    Labels.Overrides overrides =
        new Labels.Overrides(
            settings.names().get(key),
            settings.products().get(key),
            settings.generalKeys().get(key));
    return Labels.resolve(serial, overrides, apiName, apiProduct, catalogue);
  }
}
