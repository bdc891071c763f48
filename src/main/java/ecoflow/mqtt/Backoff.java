package ecoflow.mqtt;

import java.time.Duration;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/**
 * The pauses between connection attempts: 1 s, 2 s, then a tenth of the duration of the outage,
 * from 4 s up to a limit. The exporter therefore reconnects within a tenth of the duration of the
 * outage. Each pause is randomly shortened by up to a fifth, so that many exporters do not
 * reconnect at the same time.
 */
final class Backoff {

  private static final long[] FIRST_MILLIS = {1000, 2000};
  private static final long MIN_MILLIS = 4000;
  private static final int OUTAGE_DIVISOR = 10;
  private static final double JITTER = 0.2;

  private final Supplier<Duration> limit;
  private final DoubleSupplier random;
  private int attempts;

  /**
   * @param random returns values from 0 (inclusive) to 1 (exclusive)
   */
  Backoff(Supplier<Duration> limit, DoubleSupplier random) {
    this.limit = limit;
    this.random = random;
  }

  void reset() {
    attempts = 0;
  }

  /** The pause before the next attempt, for the given duration of the outage. */
  Duration next(Duration outage) {
    long step =
        attempts < FIRST_MILLIS.length
            ? FIRST_MILLIS[attempts++]
            : Math.max(MIN_MILLIS, outage.toMillis() / OUTAGE_DIVISOR);
    step = Math.min(step, limit.get().toMillis());
    return Duration.ofMillis(Math.round(step * (1 - JITTER * random.getAsDouble())));
  }
}
