package ecoflow.normal;

/**
 * Energy from a power that is sent only when it changes: the last value applies until the next one.
 * A mean of two values would count half of 500 W for a night at 0 W without messages.
 *
 * <p>Times are nanoseconds of one monotonic clock.
 */
final class StepHold {

  private static final double NANOS = 1e9;

  private final double maxWatts;
  private double joules;
  private double watts = Double.NaN;
  private long since;
  private boolean hasBegun;

  /**
   * @param maxWatts a higher power is an error and does not count
   */
  StepHold(double maxWatts) {
    this.maxWatts = maxWatts;
  }

  /**
   * Counts the energy of the last power, and sets the power from now on.
   *
   * @param until the last power does not apply longer than this
   * @param now not before the time of the previous call
   * @param newWatts NaN if the power is unknown
   */
  void hold(long until, long now, double newWatts) {
    count(until, now);
    watts = Math.abs(newWatts) <= maxWatts ? Math.max(0, newWatts) : Double.NaN;
    hasBegun = hasBegun || !Double.isNaN(watts);
  }

  /** Counts the energy of the last power up to now. */
  void count(long until, long now) {
    long end = Math.min(until - now, 0) + now;
    if (!Double.isNaN(watts) && end - since > 0) {
      joules += watts * (end - since) / NANOS;
    }
    since = now;
  }

  /** Joules since the first power; NaN before it. */
  double joules() {
    return hasBegun ? joules : Double.NaN;
  }
}
