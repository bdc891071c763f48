package ecoflow.passwords;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The order of password checks. The test controls the duration of each check. */
class PasswordChecksTest {

  private static final String FLOOD = "192.0.2.1";
  private static final String SCRAPER = "192.0.2.2";
  private static final Optional<String> USER = Optional.of("prometheus");

  private final CountDownLatch flooded = new CountDownLatch(1);
  private final List<String> done = new CopyOnWriteArrayList<>();
  private final AtomicLong now = new AtomicLong();
  private final List<Long> pauses = new CopyOnWriteArrayList<>();
  private final PasswordChecks checks = new PasswordChecks(now::get, pauses::add);

  @AfterEach
  void close() {
    checks.close();
  }

  private Runnable blockedCheck() {
    return () -> {
      try {
        flooded.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    };
  }

  /** Fills the queues of all clients without a recent login. */
  private void flood() {
    while (checks.submit(USER, FLOOD, 0, blockedCheck())) {
      // Add checks until the queue is full.
    }
    assertFalse(checks.submit(Optional.empty(), "192.0.2.3", 0, blockedCheck()));
  }

  @Test
  void passwordFromAnotherAddressIsCheckedImmediately() {
    flood();
    CompletableFuture<Void> checked = new CompletableFuture<>();
    assertTrue(checks.submit(USER, SCRAPER, 0, () -> checked.complete(null)));
    checked.join();
    // The other checks are still waiting.
    assertEquals(1, flooded.getCount());
  }

  @Test
  void connectionsWithoutFailuresComeFirst() {
    checks.failed(FLOOD);
    checks.submit(USER, FLOOD, 1, blockedCheck());
    CompletableFuture<Void> last = new CompletableFuture<>();
    checks.submit(USER, FLOOD, 5, () -> last.complete(null));
    int waiting = 0;
    while (checks.submit(USER, FLOOD, 2, () -> done.add("guess"))) {
      waiting++;
    }
    assertTrue(waiting > 10);
    assertTrue(checks.submit(USER, FLOOD, 0, () -> done.add("fresh")));
    flooded.countDown();
    last.join();
    assertEquals("fresh", done.get(0));
    assertEquals(waiting + 1, done.size());
  }

  @Test
  void addressWithManyFailuresIsDelayedForAMinute() {
    for (int i = 1; i < PasswordChecks.DELAY_THRESHOLD; i++) {
      checks.failed(FLOOD);
    }
    assertFalse(checks.needsDelay(FLOOD));
    checks.failed(FLOOD);
    assertTrue(checks.needsDelay(FLOOD));
    assertFalse(checks.needsDelay(SCRAPER));
    now.addAndGet(Duration.ofSeconds(61).toNanos());
    assertFalse(checks.needsDelay(FLOOD));
    checks.failed(FLOOD);
    assertFalse(checks.needsDelay(FLOOD));
  }

  private CompletableFuture<Void> check(Optional<String> user, String address) {
    CompletableFuture<Void> checked = new CompletableFuture<>();
    assertTrue(checks.submit(user, address, 0, () -> checked.complete(null)));
    return checked;
  }

  /** Occupies all threads and queues, except those of clients that have logged in. */
  private void floodFromManyAddresses() {
    for (int i = 0; checks.submit(USER, "198.51.100." + i, 0, blockedCheck()); i++) {
      assertTrue(i < 200);
    }
  }

  @Test
  void recentlyLoggedInClientDoesNotWaitForOthers() {
    checks.succeeded("prometheus", SCRAPER);
    // For example, a client with an old password.
    checks.failed(SCRAPER);
    floodFromManyAddresses();
    check(USER, SCRAPER).join();
    assertFalse(checks.submit(Optional.of("admin"), SCRAPER, 0, blockedCheck()), "of another user");
    now.addAndGet(PasswordChecks.TRUSTED_TIME.toNanos() + 1);
    assertFalse(checks.submit(USER, SCRAPER, 0, blockedCheck()));
    assertEquals(1, flooded.getCount());
  }

  @Test
  void knownUserWaitsBehindGuessesWhenItsQueueIsFull() {
    for (int i = 0; i < 2 + PasswordChecks.MAX_TRUSTED; i++) {
      assertTrue(checks.submit(USER, "198.51.100." + i, 0, blockedCheck()));
    }
    check(USER, SCRAPER).join();
    assertEquals(1, flooded.getCount());
  }

  @Test
  void onlyGuessesAreThrottled() {
    check(USER, SCRAPER).join();
    checks.succeeded("prometheus", SCRAPER);
    check(USER, SCRAPER).join();
    assertEquals(List.of(), pauses);
    check(Optional.empty(), SCRAPER).join();
    Duration interval = Duration.ofSeconds(1).dividedBy(PasswordChecks.MAX_GUESSES_PER_SECOND);
    eventually(() -> assertEquals(List.of(interval.toNanos()), pauses));
    checks.submit(
        Optional.empty(), SCRAPER, 0, () -> now.addAndGet(Duration.ofSeconds(3).toNanos()));
    eventually(() -> assertEquals(Duration.ofSeconds(3).toNanos(), pauses.get(1)));
  }

  @Test
  void ipv6AddressesOfOneNetworkCountTogether() {
    for (int i = 0; i < PasswordChecks.DELAY_THRESHOLD; i++) {
      checks.failed("2001:db8:0:1:0:0:0:" + i);
    }
    assertTrue(checks.needsDelay("2001:db8:0:1:ffff:0:0:1"));
    assertFalse(checks.needsDelay("2001:db8:0:2:0:0:0:1"));
  }
}
