package ecoflow.normal;

/**
 * The energy of a power that is sent only when it changes: each value applies until the next one.
 * The mean of two values would count 250 W for a night without messages between 0 W and 500 W.
 *
 * <p>Times are nanoseconds of one monotonic clock.
 */
final class StepIntegral {

  private static final double NANOS = 1e9;

  private final double maxWatts;
  private double joules;
  private double watts = Double.NaN;
  private long since;
  private boolean hasPower;

  /**
   * @param maxWatts a higher power is treated as an error and not counted
   */
  StepIntegral(double maxWatts) {
    this.maxWatts = maxWatts;
  }

  /**
   * Counts the energy of the previous power, and sets the current power.
   *
   * @param until the time until which the previous power applies
   * @param now if it is before the time of a previous call, the energy up to that time remains
   *     counted with the previous power, because the counter must not decrease
   * @param newWatts NaN if the power is unknown
   */
  void update(long until, long now, double newWatts) {
    count(until, now);
    setPower(newWatts);
  }

  /** Sets the current power, without the energy of the previous power. */
  void restart(long now, double newWatts) {
    advance(now);
    setPower(newWatts);
  }

  private void setPower(double newWatts) {
    watts = Math.abs(newWatts) <= maxWatts ? Math.max(0, newWatts) : Double.NaN;
    hasPower = hasPower || !Double.isNaN(watts);
  }

  /** Counts the energy of the previous power up to now. */
  void count(long until, long now) {
    long end = Math.min(until - now, 0) + now;
    if (!Double.isNaN(watts) && end - since > 0) {
      joules += watts * (end - since) / NANOS;
    }
    advance(now);
  }

  private void advance(long now) {
    if (Double.isNaN(watts) || now - since > 0) {
      since = now;
    }
  }

  /** Joules since the first power; NaN before it. */
  double joules() {
    return hasPower ? joules : Double.NaN;
  }
}
