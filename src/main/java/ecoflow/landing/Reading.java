package ecoflow.landing;

import java.util.OptionalDouble;

/**
 * The values of a device on the landing page; each is empty if the device does not send it.
 *
 * @param charge of the battery, 0 to 1
 * @param input power in watts
 * @param output power in watts
 * @param toFull time until the battery is full, in seconds
 * @param toEmpty time until the battery is empty, in seconds
 */
record Reading(
    OptionalDouble charge,
    OptionalDouble input,
    OptionalDouble output,
    OptionalDouble toFull,
    OptionalDouble toEmpty) {

  private static final OptionalDouble NOTHING = OptionalDouble.empty();

  /** The reading of a device whose values are not shown. */
  static final Reading NONE = new Reading(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING);
}
