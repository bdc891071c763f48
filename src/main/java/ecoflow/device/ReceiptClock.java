package ecoflow.device;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Converts times of receipt from milliseconds since 1970 to the monotonic clock.
 *
 * <p>The measured difference of the two clocks varies by a millisecond because of rounding, and by
 * more if the thread is interrupted. A lower difference is therefore used only after the wall clock
 * was set back; otherwise, two messages of the same millisecond could change their order.
 */
final class ReceiptClock {

  private static final long CLOCK_SET = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier nanoClock;
  private final LongSupplier millisClock;
  private long difference;
  private boolean hasDifference;

  ReceiptClock(LongSupplier nanoClock, LongSupplier millisClock) {
    this.nanoClock = nanoClock;
    this.millisClock = millisClock;
  }

  /**
   * The time on the monotonic clock, not later than now.
   *
   * @param epochMillis not in the future
   */
  synchronized long nanos(long epochMillis) {
    long now = nanoClock.getAsLong();
    long current = now - TimeUnit.MILLISECONDS.toNanos(millisClock.getAsLong());
    if (!hasDifference || current - difference > 0 || difference - current > CLOCK_SET) {
      difference = current;
      hasDifference = true;
    }
    long received = difference + TimeUnit.MILLISECONDS.toNanos(epochMillis);
    return Math.min(received - now, 0) + now;
  }
}
