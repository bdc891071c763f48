package ecoflow.landing;

import java.util.OptionalDouble;

/**
 * The values of a device on the landing page; a value that the device does not send is empty.
 *
 * @param charge the charge of the battery, from 0 to 1
 * @param input the input power in watts
 * @param output the output power in watts
 * @param toFull time until the battery is full, in seconds
 * @param toEmpty time until the battery is empty, in seconds
 */
record Reading(
    OptionalDouble charge,
    OptionalDouble input,
    OptionalDouble output,
    OptionalDouble toFull,
    OptionalDouble toEmpty) {

  private static final OptionalDouble ABSENT = OptionalDouble.empty();

  /** For a device whose values are not shown. */
  static final Reading NONE = new Reading(ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
}
