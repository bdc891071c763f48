package ecoflow.quota;

/**
 * The values of a device at one time.
 *
 * @param version changes whenever the device has other keys than before
 * @param keys raw quota keys with indexes; must not be modified
 * @param values the values of the keys, in the same order
 */
public record DeviceValues(String serial, long version, String[] keys, double[] values) {

  private static final String[] NO_KEYS = {};

  static DeviceValues none(String serial) {
    return new DeviceValues(serial, 0, NO_KEYS, new double[0]);
  }

  /** Whether both are of the same device and have the same keys. */
  boolean hasKeysOf(DeviceValues other) {
    return version == other.version && serial.equals(other.serial);
  }
}
