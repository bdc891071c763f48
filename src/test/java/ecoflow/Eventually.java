package ecoflow;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import org.awaitility.core.ThrowingRunnable;

/** Waits that are long enough for a busy machine, and end as soon as what they wait for is so. */
final class Eventually {

  private Eventually() {}

  static void eventually(ThrowingRunnable assertion) {
    await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(assertion);
  }

  /** Until the device has this one series with this value; NaN means that it has none. */
  static void eventuallyShows(
      RunningExporter exporter, String serial, String name, double value, String... labels) {
    eventually(() -> assertEquals(value, exporter.of(serial, name, labels), name));
  }
}
