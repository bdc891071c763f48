package ecoflow.mqtt;

import java.time.Duration;
import java.util.function.DoubleSupplier;

/**
 * The pauses between connection attempts: 1 s, 2 s, then a tenth of the duration of the outage,
 * from 4 s up to a limit. So a reconnect takes at most a tenth of the outage, however long it was.
 * Each pause is randomly shortened by up to a fifth, so that many exporters do not reconnect at
 * once.
 */
final class Backoff {

  private static final long[] FIRST_MILLIS = {1000, 2000};
  private static final long SHORTEST_MILLIS = 4000;
  private static final int PART_OF_OUTAGE = 10;
  private static final double JITTER = 0.2;

  private final Duration limit;
  private final DoubleSupplier random;
  private int first;

  /**
   * @param random returns values from 0 (inclusive) to 1 (exclusive)
   */
  Backoff(Duration limit, DoubleSupplier random) {
    this.limit = limit;
    this.random = random;
  }

  void reset() {
    first = 0;
  }

  /** The pause before the next attempt, for the given duration of the outage. */
  Duration next(Duration outage) {
    long step =
        first < FIRST_MILLIS.length
            ? FIRST_MILLIS[first++]
            : Math.max(SHORTEST_MILLIS, outage.toMillis() / PART_OF_OUTAGE);
    step = Math.min(step, limit.toMillis());
    return Duration.ofMillis(Math.round(step * (1 - JITTER * random.getAsDouble())));
  }
}
