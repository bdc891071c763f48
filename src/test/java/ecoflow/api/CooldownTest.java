package ecoflow.api;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.account.PerAccount;
import ecoflow.config.AccountSettings;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CooldownTest {

  private static final Duration FIRST = Duration.ofSeconds(30);

  private long nanos = Long.MAX_VALUE - 5;
  private final Cooldown cooldown = new Cooldown("", () -> FIRST, () -> nanos);

  private void pass(long seconds) {
    nanos += Duration.ofSeconds(seconds).toNanos();
  }

  /** Starts a pause, waits for its end, and returns its seconds. */
  private long pause() {
    cooldown.start("HTTP 429");
    long seconds = 0;
    while (!cooldown.isOver()) {
      pass(1);
      seconds++;
    }
    return seconds;
  }

  @Test
  void doublesUpToTenTimesFirstPause() {
    assertTrue(cooldown.isOver());
    for (long seconds : new long[] {30, 60, 120, 240, 300, 300}) {
      assertEquals(seconds, pause());
    }
    cooldown.reset();
    assertEquals(30, pause());
  }

  @Test
  void simultaneousFailuresCountOnce() {
    cooldown.start("HTTP 429");
    cooldown.start("HTTP 429");
    pass(30);
    assertTrue(cooldown.isOver());
    assertEquals(60, pause());
  }

  @Test
  void successOfEarlierCallDoesNotEndPause() {
    cooldown.start("HTTP 429");
    cooldown.reset();
    assertFalse(cooldown.isOver());
    pass(30);
    assertEquals(60, pause());
  }

  @Test
  void noAttemptIsAllowedDuringPause() {
    assertDoesNotThrow(() -> cooldown.check(false));
    cooldown.start("HTTP 429");
    assertThrows(Cooldown.NotOverException.class, () -> cooldown.check(false));
    assertThrows(Cooldown.NotOverException.class, () -> cooldown.check(true));
    pass(30);
    assertDoesNotThrow(() -> cooldown.check(false));
    assertDoesNotThrow(() -> cooldown.check(true));
  }

  @Test
  void onlyRetriesAreAllowedDuringRetryAfter() {
    cooldown.extendTo(Duration.ofSeconds(5));
    assertThrows(Cooldown.NotOverException.class, () -> cooldown.check(false));
    assertDoesNotThrow(() -> cooldown.check(true));
    pass(3);
    cooldown.extendTo(Duration.ofSeconds(1));
    assertFalse(cooldown.isOver(), "a shorter pause does not replace a longer one");
    pass(2);
    assertTrue(cooldown.isOver());
  }

  @Test
  void retryAfterExtendsPause() {
    cooldown.start("HTTP 429");
    cooldown.extendTo(Duration.ofSeconds(60));
    pass(30);
    assertFalse(cooldown.isOver());
    assertThrows(Cooldown.NotOverException.class, () -> cooldown.check(true));
    pass(30);
    assertTrue(cooldown.isOver());
    cooldown.extendTo(Duration.ofSeconds(1));
    assertDoesNotThrow(() -> cooldown.check(true));
  }

  @Test
  void otherAccountsAreNotPaused() throws ConfigException {
    Settings settings =
        Settings.from(
            Map.of(
                "ECOFLOW_ACCESS_KEY", "key",
                "ECOFLOW_SECRET_KEY", "secret",
                "ECOFLOW_DEVICE_SN", "all"));
    Accounts accounts =
        new Accounts(
            List.of(
                new AccountSettings("a", Map.of(), settings),
                new AccountSettings("b", Map.of(), settings)));
    Account paused = accounts.all().get(0);
    Account other = accounts.all().get(1);
    PerAccount<Cooldown> both = Cooldown.perAccount(() -> nanos);

    both.of(paused).start("HTTP 429");
    assertFalse(both.of(paused).isOver());
    assertTrue(both.of(other).isOver());
    assertDoesNotThrow(() -> both.of(other).check(false));

    both.of(other).extendTo(Duration.ofSeconds(60));
    pass(30);
    assertTrue(both.of(paused).isOver());
    assertFalse(both.of(other).isOver());
  }
}
