package ecoflow.web;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.web.WebConfig.Rate;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RateLimitTest {

  private long now = -5;

  private int taken(RateLimit limit, int requests) {
    int taken = 0;
    for (int i = 0; i < requests; i++) {
      taken += limit.tryAcquire() ? 1 : 0;
    }
    return taken;
  }

  @Test
  void allowsBurstAndThenOneRequestPerInterval() {
    RateLimit limit = new RateLimit(new Rate(Duration.ofSeconds(1), 3), () -> now);
    assertEquals(3, taken(limit, 10));
    now += Duration.ofMillis(999).toNanos();
    assertEquals(0, taken(limit, 10));
    now += Duration.ofMillis(1).toNanos();
    assertEquals(1, taken(limit, 10));
    now += Duration.ofMillis(2_500).toNanos();
    assertEquals(2, taken(limit, 10));
    now += Duration.ofDays(300).toNanos();
    assertEquals(3, taken(limit, 10), "at most the burst");
  }

  @Test
  void acceptsHugeNumbers() {
    RateLimit limit = new RateLimit(new Rate(Duration.ofDays(10_000), 999_999_999), () -> now);
    assertEquals(10, taken(limit, 10));
  }
}
