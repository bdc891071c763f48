package ecoflow.normal;

/**
 * Energy from a power that is told only when it changes: the last value holds until the next one. A
 * mean of two values would count half of 500 W for a night at 0 W that nobody spoke of.
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
   * @param maxWatts more is no power of such a device, and does not count
   */
  StepHold(double maxWatts) {
    this.maxWatts = maxWatts;
  }

  /**
   * Counts what the last power gave, and holds another one from now on.
   *
   * @param until the last power holds no longer than this
   * @param now not before the call before
   * @param newWatts NaN if nothing is known any more
   */
  void hold(long until, long now, double newWatts) {
    count(until, now);
    watts = Math.abs(newWatts) <= maxWatts ? Math.max(0, newWatts) : Double.NaN;
    hasBegun = hasBegun || !Double.isNaN(watts);
  }

  /** Counts what the last power gave up to now. */
  void count(long until, long now) {
    long end = Math.min(until - now, 0) + now;
    if (!Double.isNaN(watts) && end - since > 0) {
      joules += watts * (end - since) / NANOS;
    }
    since = now;
  }

  /** Joules since the first power; NaN before. */
  double joules() {
    return hasBegun ? joules : Double.NaN;
  }
}
