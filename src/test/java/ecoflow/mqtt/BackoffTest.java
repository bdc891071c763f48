package ecoflow.mqtt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BackoffTest {

  private static final Duration DEFAULT_LIMIT = Duration.ofSeconds(300);
  private static final double NO_JITTER = 0;
  private static final double MAX_JITTER = Math.nextDown(1.0);

  private static Backoff backoff(long limitSeconds, double random) {
    return new Backoff(() -> Duration.ofSeconds(limitSeconds), () -> random);
  }

  private static List<Double> pauses(Backoff backoff, long outageSeconds, int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> backoff.next(Duration.ofSeconds(outageSeconds)).toMillis() / 1e3)
        .toList();
  }

  /** An attempt and the pause after it, both in milliseconds. */
  private record Attempt(long at, long pause) {}

  /** All attempts of an outage; an attempt itself takes no time. */
  private static List<Attempt> outage(Duration length, DoubleSupplier random) {
    Backoff backoff = new Backoff(() -> DEFAULT_LIMIT, random);
    List<Attempt> attempts = new ArrayList<>();
    long now = 0;
    while (now < length.toMillis()) {
      long pause = backoff.next(Duration.ofMillis(now)).toMillis();
      attempts.add(new Attempt(now, pause));
      now += pause;
    }
    return attempts;
  }

  @Test
  void outageStartsWithShortPauses() {
    assertEquals(List.of(1., 2., 4., 4., 4.), pauses(backoff(300, NO_JITTER), 0, 5));
    assertEquals(
        List.of(0L, 1000L, 3000L, 7000L, 11_000L, 15_000L),
        outage(Duration.ofSeconds(19), () -> NO_JITTER).stream().map(Attempt::at).toList());
  }

  @ParameterizedTest
  @ValueSource(longs = {20, 40, 150, 3000})
  void laterPausesAreATenthOfOutage(long seconds) {
    Backoff backoff = backoff(300, NO_JITTER);
    pauses(backoff, 0, 2);
    double tenth = Math.max(4, seconds / 10.);
    assertEquals(List.of(tenth, tenth), pauses(backoff, seconds, 2));
  }

  @Test
  void limitIsReachedAfterTenTimesItsLength() {
    Backoff backoff = backoff(300, NO_JITTER);
    pauses(backoff, 0, 2);
    assertEquals(List.of(299.9), pauses(backoff, 2999, 1));
    assertEquals(List.of(300.), pauses(backoff, 3001, 1));
    assertEquals(List.of(300.), pauses(backoff, Duration.ofDays(365).toSeconds(), 1));
  }

  @ParameterizedTest
  @ValueSource(doubles = {NO_JITTER, 0.5})
  void reconnectsSoonAfterOutage(double random) {
    List<Attempt> attempts = outage(Duration.ofHours(2), () -> random);
    for (Attempt attempt : attempts) {
      long longest = Math.max(4000, attempt.at() / 10);
      assertTrue(attempt.pause() <= longest, attempt::toString);
    }
    // The wait for the next attempt, if the broker returns at any time up to 150 s after its
    // failure.
    long longestWait =
        attempts.stream()
            .filter(attempt -> attempt.at() <= 150_000)
            .mapToLong(Attempt::pause)
            .max()
            .orElseThrow();
    assertTrue(longestWait <= 15_000, () -> longestWait + " ms");
    assertTrue(attempts.size() > 30, "attempts: " + attempts.size());
  }

  @Test
  void lowLimitAppliesFromStart() {
    assertEquals(List.of(1., 2., 3., 3.), pauses(backoff(3, NO_JITTER), 3600, 4));
    assertEquals(List.of(1., 1., 1.), pauses(backoff(1, NO_JITTER), 0, 3));
  }

  @Test
  void jitterShortensPausesByUpToAFifth() {
    assertEquals(List.of(.8, 1.6, 8., 8.), pauses(backoff(300, MAX_JITTER), 100, 4));
    Backoff random = new Backoff(() -> DEFAULT_LIMIT, Math::random);
    pauses(random, 0, 2);
    for (double pause : pauses(random, 3600, 1000)) {
      assertTrue(pause >= 240 && pause <= 300, () -> "pause " + pause);
    }
  }

  @Test
  void startsAgainAfterSuccess() {
    Backoff backoff = backoff(300, NO_JITTER);
    pauses(backoff, 3600, 12);
    backoff.reset();
    assertEquals(List.of(1., 2., 300.), pauses(backoff, 3600, 3));
  }
}
