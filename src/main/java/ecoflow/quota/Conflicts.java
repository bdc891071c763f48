package ecoflow.quota;

/** Receives conflicts: values that cannot be shown together with others. */
interface Conflicts {

  Conflicts IGNORED = (kind, serial, name) -> {};

  enum Kind {
    /** Two keys map to the same series; the latest value is shown. */
    SAME_NAME,
    /** The number of indexes of a name has changed; the latest shape is shown. */
    SHAPE,
    /** The name belongs to a metric of the exporter; the value was dropped. */
    OWN_METRIC,
    /** The device has too many series; the value was dropped. */
    LIMIT,
    /** The key has more than 1,000 characters; its values were dropped. */
    LONG_KEY
  }

  /**
   * Called once for each value, with the lock of the device.
   *
   * @param name the series name without the exporter's prefix; empty for a key that is too long,
   *     and for a value beyond the limit in a flood of values
   */
  void count(Kind kind, String serial, String name);
}
