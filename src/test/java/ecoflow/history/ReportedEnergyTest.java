package ecoflow.history;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The values of today and yesterday, over several days. */
class ReportedEnergyTest {

  private static final ZoneId ZONE = ZoneId.of("Europe/Berlin");
  private static final Duration MAX_AGE = Duration.ofMinutes(31);

  private final LocalDate monday = LocalDate.of(2026, 8, 3);
  private Instant now = monday.atTime(23, 40).atZone(ZONE).toInstant();

  private final Clock clock =
      new Clock() {
        @Override
        public Instant instant() {
          return now;
        }

        @Override
        public ZoneId getZone() {
          return ZONE;
        }

        @Override
        public Clock withZone(ZoneId zone) {
          throw new UnsupportedOperationException();
        }
      };

  private final ReportedEnergy energy =
      new ReportedEnergy(MAX_AGE, clock, () -> now.toEpochMilli() * 1_000_000);

  private void pass(int minutes) {
    now = now.plus(Duration.ofMinutes(minutes));
  }

  private void answer(LocalDate day, String what, double joules) {
    energy.put(new HistoryRequest("SN", "code of " + what, day), Map.of(what, joules));
  }

  private Map<String, Double> shown() {
    Map<String, Double> shown = new TreeMap<>();
    energy.current((serial, what, day, joules) -> shown.put(day + " " + what, joules));
    return shown;
  }

  @Test
  void aDayThatEndsIsNotShownAsTheNextOne() {
    LocalDate tuesday = monday.plusDays(1);
    answer(monday, "solar", 50);
    answer(monday.minusDays(1), "solar", 80);
    assertEquals(Map.of("today solar", 50.0, "yesterday solar", 80.0), shown());

    // 00:01 on Tuesday: the value of Monday does not include its last minutes.
    pass(21);
    assertEquals(Map.of(), shown());

    answer(tuesday, "solar", 0);
    assertEquals(Map.of("today solar", 0.0), shown());
    answer(monday, "solar", 51);
    assertEquals(Map.of("today solar", 0.0, "yesterday solar", 51.0), shown());

    // Wednesday.
    pass(24 * 60);
    assertEquals(Map.of(), shown());
  }

  @Test
  void theDayIsThatOfTheTimeZone() {
    // 23:55 in Berlin is 21:55 UTC.
    pass(15);
    answer(monday, "solar", 50);
    assertEquals(Map.of("today solar", 50.0), shown());
    pass(10);
    assertEquals(Map.of(), shown());
  }

  @Test
  void aValueIsHiddenWhenItIsTooOld() {
    pass(30);
    LocalDate tuesday = monday.plusDays(1);
    answer(tuesday, "solar", 1);
    answer(monday, "solar", 50);
    pass(31);
    assertEquals(Map.of("today solar", 1.0, "yesterday solar", 50.0), shown());
    pass(1);
    assertEquals(Map.of(), shown());
    answer(tuesday, "solar", 2);
    assertEquals(Map.of("today solar", 2.0), shown());
  }

  @Test
  void aValueThatIsNoLongerReturnedHasNoSeries() {
    HistoryRequest request = new HistoryRequest("SN", "grid", monday);
    energy.put(request, Map.of("grid_import", 1.0, "grid_export", 2.0));
    energy.put(request, Map.of("grid_import", 3.0));
    assertEquals(Map.of("today grid_import", 3.0), shown());
    energy.put(request, Map.of());
    assertEquals(Map.of(), shown());
  }

  @Test
  void aRemovedDeviceHasNoSeries() {
    answer(monday, "solar", 50);
    energy.removeDevices("SN"::equals);
    assertEquals(Map.of(), shown());
  }
}
