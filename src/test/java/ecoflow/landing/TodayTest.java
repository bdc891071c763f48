package ecoflow.landing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import java.util.TimeZone;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The energy since local midnight. */
class TodayTest {

  private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");
  private static final long GAP = 180_000;

  private final TimeZone before = TimeZone.getDefault();
  private final Today today = new Today();

  @BeforeEach
  void setZone() {
    TimeZone.setDefault(TimeZone.getTimeZone(BERLIN));
  }

  @AfterEach
  void restoreZone() {
    TimeZone.setDefault(before);
  }

  private static long at(String local) {
    return LocalDateTime.parse(local).atZone(BERLIN).toInstant().toEpochMilli();
  }

  private void update(String local, double joules) {
    today.update(List.of(new Energy.Count(Energy.SUN, joules, false)), at(local), GAP);
  }

  private Optional<Today.Amount> at(String local, double joules) {
    return today.of(
        Energy.SUN, List.of(new Energy.Count(Energy.SUN, joules, false)), at(local), GAP);
  }

  private Optional<Today.Amount> offlineAt(String local) {
    return today.of(Energy.SUN, List.of(), at(local), GAP);
  }

  private static Optional<Today.Amount> amount(double joules, String since) {
    return Optional.of(new Today.Amount(joules, since.isEmpty() ? 0 : at(since)));
  }

  @Test
  void aProcessThatStartedAfterMidnightCountsSinceItsFirstValue() {
    assertEquals(Optional.empty(), offlineAt("2026-07-01T09:00"));
    update("2026-07-01T10:00", 1_000);
    update("2026-07-01T10:01", 1_500);
    assertEquals(amount(700, "2026-07-01T10:00"), at("2026-07-01T10:02", 1_700));
    assertEquals(amount(500, "2026-07-01T10:00"), offlineAt("2026-07-01T23:59"));
  }

  @Test
  void theEnergyStartsAgainAtLocalMidnight() {
    update("2026-07-01T23:58", 1_000);
    update("2026-07-01T23:59", 1_100);
    assertEquals(amount(50, ""), at("2026-07-02T00:00", 1_150));
    update("2026-07-02T00:00", 1_150);
    update("2026-07-02T15:00", 5_150);
    assertEquals(amount(4_050, ""), offlineAt("2026-07-02T20:00"));
    assertEquals(Optional.empty(), offlineAt("2026-07-03T00:00"), "nothing is known of this day");
  }

  @Test
  void theEnergyOfAGapOverMidnightIsNotOfToday() {
    update("2026-07-01T18:00", 1_000);
    update("2026-07-02T10:00", 9_000);
    assertEquals(amount(100, "2026-07-02T10:00"), at("2026-07-02T10:01", 9_100));
  }

  @Test
  void aGapWithinADayIsCounted() {
    update("2026-07-02T10:00", 9_000);
    update("2026-07-02T12:00", 9_800);
    assertEquals(amount(800, "2026-07-02T10:00"), offlineAt("2026-07-02T12:00"));
  }

  @Test
  void countersThatRestartContinueFromZero() {
    update("2026-07-02T10:00", 9_000);
    update("2026-07-02T10:01", 200);
    assertEquals(amount(200, "2026-07-02T10:00"), offlineAt("2026-07-02T10:01"));
    // A correction, not a restart.
    update("2026-07-02T10:02", 150);
    update("2026-07-02T10:03", 160);
    assertEquals(amount(210, "2026-07-02T10:00"), offlineAt("2026-07-02T10:03"));
  }

  /** The computed counter of a device ends when the device sends a counter of its own. */
  @Test
  void anotherCounterIsNotAnIncrease() {
    today.update(List.of(new Energy.Count(Energy.SUN, 300, true)), at("2026-07-02T10:00"), GAP);
    update("2026-07-02T10:01", 5_000_000);
    update("2026-07-02T10:02", 5_000_100);
    assertEquals(amount(100, "2026-07-02T10:00"), offlineAt("2026-07-02T10:02"));
  }

  @Test
  void timesHaveTheirDateIfTheyAreNotOfToday() {
    assertEquals("09:05", Clock.time(at("2026-07-02T09:05"), at("2026-07-02T23:59")));
    assertEquals("1 Jul 23:30", Clock.time(at("2026-07-01T23:30"), at("2026-07-02T00:10")));
  }
}
