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
    return Stream.generate(() -> pause(HOST).toSeconds()).limit(logins).toList();
  }

  private Duration pause(String host) {
    return pace.pause(pace.reserve(host));
  }

  private void pass(Duration time) {
    nanos += time.toNanos();
  }

  @Test
  void loginsAfterABurstAreSpread() {
    assertEquals(List.of(0L, 0L, 0L, 0L, 0L, 2L, 4L, 6L), seconds(8));
    assertEquals(Duration.ZERO, pause("another host"));
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
  void returnedLoginsAreReservedAgain() {
    seconds(5);
    List<LoginPace.Reserved> waiting =
        Stream.generate(() -> pace.reserve(HOST)).limit(500).toList();
    assertEquals(Duration.ofSeconds(1_000), pace.pause(waiting.get(499)));
    pass(Duration.ofSeconds(4));
    // The first two have started.
    for (int i = 0; i < 500; i += 2) {
      pace.giveBack(waiting.get(i));
    }
    assertEquals(List.of(2L, 6L, 10L), seconds(3));
    for (int i = 1; i < 500; i += 2) {
      pace.giveBack(waiting.get(i));
    }
    assertEquals(List.of(4L, 8L, 12L, 14L), seconds(4));
  }

  @Test
  void returnedLoginsAreNotSaved() {
    seconds(5);
    pace.giveBack(pace.reserve(HOST));
    pass(Duration.ofSeconds(10));
    assertEquals(List.of(0L, 0L, 0L, 0L, 2L), seconds(5));
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
