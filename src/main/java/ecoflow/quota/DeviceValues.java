package ecoflow.quota;

/**
 * The values of a device at one time.
 *
 * @param keys raw quota keys with indexes; must not be modified; the same array as long as the
 *     device has the same keys
 * @param values the values of the keys, in the same order
 */
public record DeviceValues(String serial, String[] keys, double[] values) {

  private static final String[] NO_KEYS = {};

  static DeviceValues none(String serial) {
    return new DeviceValues(serial, NO_KEYS, new double[0]);
  }
}
