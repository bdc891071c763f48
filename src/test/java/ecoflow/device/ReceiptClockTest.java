package ecoflow.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ReceiptClockTest {

  private static final long START = 1_800_000_000_000L;

  /** It overflows after the first second. */
  private long nanos = Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(1);

  private long millis = START;
  private final ReceiptClock clock = new ReceiptClock(() -> nanos, () -> millis);

  private static long ofMillis(long millis) {
    return TimeUnit.MILLISECONDS.toNanos(millis);
  }

  private void pass(long passed) {
    millis += passed;
    nanos += ofMillis(passed);
  }

  private long age(long received) {
    return nanos - clock.nanos(received);
  }

  @Test
  void agesAreThoseOfTheWallClock() {
    assertEquals(0, age(START));
    assertEquals(ofMillis(600_000), age(START - 600_000));
    pass(5_000);
    assertEquals(ofMillis(5_000), age(START));
    assertEquals(ofMillis(3_000), age(START + 2_000));
  }

  @Test
  void roundingDoesNotChangeTheOrder() {
    long before = clock.nanos(START);
    for (int i = 0; i < 1_000; i++) {
      // The wall clock shows whole milliseconds.
      nanos += 300_000;
      millis = START + (i + 1) * 300_000L / 1_000_000;
      long received = clock.nanos(millis);
      assertTrue(received - before >= 0, "message " + i);
      assertTrue(nanos - received >= 0, "not in the future");
      before = received;
    }
  }

  /** The thread can be interrupted between the readings of the two clocks. */
  @Test
  void anInterruptionDoesNotChangeTheOrder() {
    pass(10);
    long first = clock.nanos(START);
    millis += 500;
    assertEquals(first, clock.nanos(START));
    millis -= 500;
    assertEquals(first, clock.nanos(START));
  }

  @Test
  void aChangedWallClockIsUsed() {
    clock.nanos(START);
    millis += 3_600_000;
    assertEquals(ofMillis(3_600_000), age(START));
    millis -= 7_200_000;
    assertEquals(ofMillis(1_000), age(millis - 1_000));
  }
}
