package ecoflow.testkit;

import static org.awaitility.Awaitility.await;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.awaitility.core.ThrowingRunnable;

/** Waits that are long enough for a busy machine, and end as soon as the condition is true. */
public final class Eventually {

  private static final Duration TIMEOUT = Duration.ofSeconds(120);
  private static final Duration INTERVAL = Duration.ofMillis(20);

  private Eventually() {}

  /** Waits until the assertion passes; a connection that fails is tried again as well. */
  public static void eventually(ThrowingRunnable assertion) {
    await()
        .atMost(TIMEOUT)
        .pollInterval(INTERVAL)
        .ignoreExceptionsInstanceOf(UncheckedIOException.class)
        .untilAsserted(assertion);
  }

  /** Waits until the condition has been true for this time without interruption. */
  public static void eventuallyHoldsFor(Duration time, Callable<Boolean> condition) {
    await().atMost(TIMEOUT).pollInterval(INTERVAL).during(time).until(condition);
  }
}
