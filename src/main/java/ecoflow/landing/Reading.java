package ecoflow.landing;

/**
 * The values of a device on the landing page. Powers are in watts. A value that the device does not
 * send is NaN, because the last reading of each device is kept in memory.
 *
 * @param family the model family; empty for an unknown one
 * @param charge the charge of the battery, from 0 to 1
 * @param sun power of all solar inputs
 * @param grid power of the grid, positive for import
 * @param home power used by the home
 * @param battery power of the battery, positive while it charges
 * @param input power of all inputs
 * @param acInput power of the AC input
 * @param output power of all outputs
 * @param toFull time until the battery is full, in seconds
 * @param toEmpty time until the battery is empty, in seconds
 */
record Reading(
    String family,
    double charge,
    double sun,
    double grid,
    double home,
    double battery,
    double input,
    double acInput,
    double output,
    double toFull,
    double toEmpty) {

  private static final double ABSENT = Double.NaN;

  /** For a device without values. */
  static final Reading NONE =
      new Reading(
          "", ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);

  static boolean isKnown(double value) {
    return !Double.isNaN(value);
  }

  /** Whether the device sends the power of the grid and of the whole home. */
  boolean isSite() {
    return isKnown(grid) && isKnown(home);
  }
}
