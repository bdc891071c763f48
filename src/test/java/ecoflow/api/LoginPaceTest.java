package ecoflow.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LoginPaceTest {

  private static final String HOST = "api-e.ecoflow.com";

  private long nanos = Long.MAX_VALUE - 5;
  private final LoginPace pace = new LoginPace(0.5, 5, () -> nanos);

  private List<Long> seconds(int logins) {
    return Stream.generate(() -> pace.reserve(HOST).toSeconds()).limit(logins).toList();
  }

  private void pass(Duration time) {
    nanos += time.toNanos();
  }

  @Test
  void loginsAfterABurstAreSpread() {
    assertEquals(List.of(0L, 0L, 0L, 0L, 0L, 2L, 4L, 6L), seconds(8));
    assertEquals(Duration.ZERO, pace.reserve("another host"));
  }

  @Test
  void unusedLoginsAreSavedUpToTheBurst() {
    seconds(8);
    pass(Duration.ofSeconds(16));
    assertEquals(List.of(0L, 0L, 0L, 0L, 0L, 2L), seconds(6));
    pass(Duration.ofHours(1));
    assertEquals(List.of(0L, 0L, 0L, 0L, 0L, 2L), seconds(6));
  }

  @Test
  void aRequestForFewerCallsHalvesTheRateForTenMinutes() {
    seconds(5);
    pace.halve(HOST);
    pass(Duration.ofSeconds(10));
    pace.halve(HOST);
    pass(Duration.ofMinutes(9));
    assertEquals(List.of(0L, 0L, 0L, 0L, 0L, 8L, 16L), seconds(7));
    pass(Duration.ofMinutes(1));
    assertEquals(List.of(0L, 0L, 0L, 0L, 0L, 4L, 8L), seconds(7));
    pass(Duration.ofMinutes(10));
    assertEquals(List.of(0L, 0L, 0L, 0L, 0L, 2L, 4L), seconds(7));
  }
}
