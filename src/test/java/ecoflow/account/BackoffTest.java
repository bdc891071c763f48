package ecoflow.account;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BackoffTest {

  private static final Duration LONG = Duration.ofHours(1);

  private static List<Double> pauses(Backoff backoff, Duration outage, int count) {
    return IntStream.range(0, count).mapToObj(i -> backoff.next(outage).toMillis() / 1e3).toList();
  }

  @Test
  void doublesUpToTheLimit() {
    Backoff backoff = new Backoff(Duration.ofSeconds(300), () -> 0);
    assertEquals(
        List.of(1., 2., 4., 8., 16., 32., 64., 128., 256., 300., 300.), pauses(backoff, LONG, 11));
  }

  @Test
  void staysAtTheLimitForEver() {
    Backoff backoff = new Backoff(Duration.ofDays(1), () -> 0);
    pauses(backoff, LONG, 1000);
    assertEquals(86_400, backoff.next(LONG).toSeconds());
  }

  @Test
  void aShortOutageHasShortPauses() {
    Backoff backoff = new Backoff(Duration.ofSeconds(300), () -> 0);
    assertEquals(List.of(1., 2., 4., 4., 4., 4.), pauses(backoff, Duration.ofSeconds(59), 6));
    assertEquals(List.of(8., 16., 32.), pauses(backoff, Duration.ofSeconds(60), 3));
  }

  @Test
  void aLowLimitHoldsFromTheStart() {
    Backoff backoff = new Backoff(Duration.ofSeconds(3), () -> 0);
    assertEquals(List.of(1., 2., 3., 3.), pauses(backoff, LONG, 4));
    Backoff lowest = new Backoff(Duration.ofSeconds(1), () -> 0);
    assertEquals(List.of(1., 1., 1.), pauses(lowest, Duration.ZERO, 3));
  }

  @Test
  void eachPauseIsUpToAFifthShorter() {
    Backoff shortest = new Backoff(Duration.ofSeconds(300), () -> Math.nextDown(1));
    assertEquals(List.of(.8, 1.6, 3.2, 6.4), pauses(shortest, LONG, 4));
    Backoff random = new Backoff(Duration.ofSeconds(300), Math::random);
    pauses(random, LONG, 20);
    for (double pause : pauses(random, LONG, 1000)) {
      assertTrue(pause >= 240 && pause <= 300, () -> "pause " + pause);
    }
  }

  @Test
  void startsAgainAfterASuccess() {
    Backoff backoff = new Backoff(Duration.ofSeconds(300), () -> 0);
    pauses(backoff, LONG, 12);
    backoff.reset();
    assertEquals(List.of(1., 2.), pauses(backoff, LONG, 2));
  }
}
