package ecoflow.normal;

/**
 * A counter of the device, without what only looks like a reset: a zero between two values, a step
 * back because an older message came late.
 */
final class NativeCounter {

  /** Less than this part of the last value is a reset. */
  private static final double RESET = 0.1;

  private final boolean isLifetime;
  private final boolean ignoresZero;
  private double last = Double.NaN;

  /**
   * @param isLifetime whether it never starts anew by itself, as others do at midnight
   * @param ignoresZero whether the device sends zeros between values
   */
  NativeCounter(boolean isLifetime, boolean ignoresZero) {
    this.isLifetime = isLifetime;
    this.ignoresZero = ignoresZero;
  }

  /** Takes what the device sent; NaN for nothing. */
  void take(double value) {
    // A counter that has been zero since the start counts nothing, and one for life that says zero
    // has not been read: taken for a reset, the next value would be all of its life at once.
    boolean isZeroMeant = counts() && !ignoresZero && !isLifetime;
    boolean says = !Double.isNaN(value) && (value != 0 || isZeroMeant);
    boolean isStepBack = isLifetime && value < last && value >= RESET * last;
    if (says && !isStepBack) {
      last = value;
    }
  }

  /** Whether it has ever been more than zero. */
  boolean counts() {
    return !Double.isNaN(last);
  }

  double value() {
    return last;
  }
}
