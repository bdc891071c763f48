package ecoflow.device;

import ecoflow.config.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongSupplier;

/** The devices that the exporter serves: those of the configuration, or all of the account. */
public final class Devices {

  private final Settings settings;
  private final Catalogue catalogue;
  private final LongSupplier nanoClock;
  private final Map<String, Device> bySerial = new ConcurrentSkipListMap<>();

  public Devices(Settings settings, Catalogue catalogue, LongSupplier nanoClock) {
    this.settings = settings;
    this.catalogue = catalogue;
    this.nanoClock = nanoClock;
    settings.serials().forEach(this::add);
  }

  public List<Device> all() {
    return List.copyOf(bySerial.values());
  }

  public Optional<Device> find(String serial) {
    return Optional.ofNullable(bySerial.get(serial));
  }

  /** Whether the devices are taken from the cloud's list. */
  public boolean discovered() {
    return settings.serials().isEmpty();
  }

  /** The serial numbers of all devices that a fresh list, or fresh data, calls online. */
  public List<String> onlineSerials() {
    return all().stream().filter(this::isOnline).map(Device::serial).toList();
  }

  /**
   * REST: a list not older than two of its lives says so. With an account: values arrived within
   * MQTT_TIMEOUT.
   */
  public boolean isOnline(Device device) {
    long now = nanoClock.getAsLong();
    return settings.mode().usesAccount()
        ? device.hasFreshData(now, maxAge())
        : device.isListedOnline(now, maxAge().plus(settings.timing().deviceListCacheTtl()));
  }

  /** The age at which values are no longer shown: MQTT_TIMEOUT, with REST at least three polls. */
  public Duration maxAge() {
    Duration timeout = settings.timing().mqttTimeout();
    Duration polls = settings.timing().collectingInterval().multipliedBy(3);
    return settings.mode().usesAccount() || timeout.compareTo(polls) > 0 ? timeout : polls;
  }

  /** Whether the device's values may be shown. */
  public boolean isShown(Device device) {
    return isOnline(device) && device.hasFreshData(nanoClock.getAsLong(), maxAge());
  }

  /**
   * Takes a complete device list: names, products and online flags follow it, devices that it lacks
   * are missing; when all devices are wanted, new ones are added.
   *
   * @return the serial numbers of devices that are new
   */
  public List<String> listed(Map<String, Device.Listing> list) {
    List<String> added = new ArrayList<>();
    if (discovered()) {
      for (String serial : list.keySet()) {
        if (!bySerial.containsKey(serial)) {
          add(serial);
          added.add(serial);
        }
      }
    }
    long now = nanoClock.getAsLong();
    for (Device device : bySerial.values()) {
      Device.Listing listing = list.getOrDefault(device.serial(), Device.Listing.MISSING);
      device.listed(listing, labels(device.serial(), listing.name(), listing.product()), now);
    }
    return added;
  }

  private void add(String serial) {
    bySerial.put(serial, new Device(serial, labels(serial, null, null)));
  }

  private Labels labels(String serial, String apiName, String apiProduct) {
    Labels.Overrides overrides =
        new Labels.Overrides(
            settings.deviceNames().get(serial),
            settings.productNames().get(serial),
            settings.generalKeys().get(serial));
    return Labels.resolve(serial, overrides, apiName, apiProduct, catalogue);
  }
}
