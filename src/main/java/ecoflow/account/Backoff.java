package ecoflow.account;

import java.time.Duration;
import java.util.function.DoubleSupplier;

/**
 * The pauses between connection attempts: 1 s, doubling to a limit, each up to a fifth shorter at
 * random so that many exporters do not come back at once. In the first minute of an outage the
 * pauses stay at 4 s, so that after a short one the data is back within 5 s.
 */
final class Backoff {

  private static final long FIRST_MILLIS = 1000;
  private static final long SHORT_OUTAGE_MILLIS = 60_000;
  private static final long SHORT_OUTAGE_PAUSE_MILLIS = 4000;
  private static final int MOST_DOUBLINGS = 30;
  private static final double JITTER = 0.2;

  private final Duration limit;
  private final DoubleSupplier random;
  private int doublings;

  /**
   * @param random values from 0 (inclusive) to 1
   */
  Backoff(Duration limit, DoubleSupplier random) {
    this.limit = limit;
    this.random = random;
  }

  void reset() {
    doublings = 0;
  }

  /** The pause before the next attempt, given how long the outage has lasted. */
  Duration next(Duration outage) {
    long step = Math.min(FIRST_MILLIS << Math.min(doublings, MOST_DOUBLINGS), limit.toMillis());
    if (outage.toMillis() < SHORT_OUTAGE_MILLIS) {
      step = Math.min(step, SHORT_OUTAGE_PAUSE_MILLIS);
    }
    if (step == FIRST_MILLIS << Math.min(doublings, MOST_DOUBLINGS)) {
      doublings++;
    }
    return Duration.ofMillis(Math.round(step * (1 - JITTER * random.getAsDouble())));
  }
}
