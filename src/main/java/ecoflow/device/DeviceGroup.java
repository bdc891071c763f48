package ecoflow.device;

import ecoflow.account.Account;
import ecoflow.config.DeviceSettings;
import ecoflow.config.Settings.Mode;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/** The devices of an account, or all devices of other sources, and the settings for them. */
final class DeviceGroup {

  private final Optional<Account> account;
  private final Mode mode;
  private final Map<String, Device> devices = new ConcurrentSkipListMap<>();
  private volatile DeviceSettings settings;
  private volatile Duration maxAge;
  private volatile int overLimit;
  private volatile int invalidSerials;
  private volatile boolean hasList;

  /**
   * @param account empty for devices of other sources
   */
  DeviceGroup(Optional<Account> account, Mode mode, DeviceSettings settings, Duration maxAge) {
    this.account = account;
    this.mode = mode;
    apply(settings, maxAge);
  }

  /**
   * Applies changed settings of the account.
   *
   * @param newMaxAge the age at which values of models that send often are hidden
   */
  void apply(DeviceSettings newSettings, Duration newMaxAge) {
    settings = newSettings;
    maxAge = newMaxAge;
  }

  /** Empty for devices of other sources. */
  Optional<Account> account() {
    return account;
  }

  boolean isEcoflow() {
    return account.isPresent();
  }

  Mode mode() {
    return mode;
  }

  DeviceSettings settings() {
    return settings;
  }

  /**
   * The age at which values of models that send often are hidden, precomputed because it is used
   * for each message and series.
   */
  Duration maxAge() {
    return maxAge;
  }

  /** The devices by serial number, sorted. */
  Map<String, Device> devices() {
    return devices;
  }

  /** Number of devices in the newest list that are not served because of ECOFLOW_MAX_DEVICES. */
  int overLimit() {
    return overLimit;
  }

  /** Number of entries in the newest list that are not served because of their serial number. */
  int invalidSerials() {
    return invalidSerials;
  }

  void setExcluded(int newOverLimit, int newInvalidSerials) {
    overLimit = newOverLimit;
    invalidSerials = newInvalidSerials;
  }

  /** Whether a device list with at least one device has been applied. */
  boolean hasList() {
    return hasList;
  }

  void setHasList() {
    hasList = true;
  }
}
