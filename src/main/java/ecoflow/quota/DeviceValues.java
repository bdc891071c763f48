package ecoflow.quota;

/**
 * The values of a device at one moment.
 *
 * @param keys raw quota keys with indexes; the same array for as long as the device has the same
 *     keys, which nobody may change
 * @param values of the keys, in their order
 */
public record DeviceValues(String serial, String[] keys, double[] values) {

  private static final String[] NO_KEYS = {};

  static DeviceValues none(String serial) {
    return new DeviceValues(serial, NO_KEYS, new double[0]);
  }
}
