package ecoflow.landing;

import java.util.OptionalDouble;

/**
 * What the page shows of a device's values; each is empty where the device does not say it.
 *
 * @param charge of the battery, 0 to 1
 * @param input power in watts
 * @param output power in watts
 * @param toFull seconds
 * @param toEmpty seconds
 */
record Reading(
    OptionalDouble charge,
    OptionalDouble input,
    OptionalDouble output,
    OptionalDouble toFull,
    OptionalDouble toEmpty) {

  private static final OptionalDouble NOTHING = OptionalDouble.empty();

  /** Of a device whose values may not be shown. */
  static final Reading NONE = new Reading(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING);
}
