package ecoflow.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** In which order passwords are checked, with checks that take as long as the test wants. */
class PasswordChecksTest {

  private static final String FLOOD = "192.0.2.1";
  private static final String SCRAPER = "192.0.2.2";

  private final CountDownLatch flooded = new CountDownLatch(1);
  private final List<String> done = new CopyOnWriteArrayList<>();
  private long now;
  private final PasswordChecks checks = new PasswordChecks(() -> now);

  @AfterEach
  void close() {
    checks.close();
  }

  private Runnable hanging() {
    return () -> {
      try {
        flooded.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    };
  }

  /** Fills all places that others than scrapers have. */
  private void flood() {
    while (checks.add(true, FLOOD, 0, hanging())) {
      // One more.
    }
    assertFalse(checks.add(false, "192.0.2.3", 0, hanging()));
  }

  @Test
  void aRightPasswordOfAnotherAddressIsCheckedAtOnce() {
    flood();
    CompletableFuture<Void> checked = new CompletableFuture<>();
    assertTrue(checks.add(true, SCRAPER, 0, () -> checked.complete(null)));
    checked.join();
    // Also a name that nobody has keeps its thread apart.
    assertEquals(1, flooded.getCount());
  }

  @Test
  void onOneAddressConnectionsWithoutFailuresComeFirst() {
    checks.failed(FLOOD);
    checks.add(true, FLOOD, 1, hanging());
    CompletableFuture<Void> last = new CompletableFuture<>();
    checks.add(true, FLOOD, 5, () -> last.complete(null));
    int waiting = 0;
    while (checks.add(true, FLOOD, 2, () -> done.add("guess"))) {
      waiting++;
    }
    assertTrue(waiting > 10);
    assertTrue(checks.add(true, FLOOD, 0, () -> done.add("fresh")));
    flooded.countDown();
    last.join();
    assertEquals("fresh", done.get(0));
    assertEquals(waiting + 1, done.size());
  }

  @Test
  void anAddressThatFailsOftenIsSlowForAMinute() {
    for (int i = 1; i < PasswordChecks.SLOW_FROM; i++) {
      checks.failed(FLOOD);
    }
    assertFalse(checks.isSlow(FLOOD));
    checks.failed(FLOOD);
    assertTrue(checks.isSlow(FLOOD));
    assertFalse(checks.isSlow(SCRAPER));
    now += Duration.ofSeconds(61).toNanos();
    assertFalse(checks.isSlow(FLOOD));
    checks.failed(FLOOD);
    assertFalse(checks.isSlow(FLOOD));
  }
}
