package ecoflow.web;

import ecoflow.web.WebConfig.Rate;
import java.util.function.LongSupplier;

/** A token bucket: each interval adds one token, and each request takes one. */
final class RateLimit {

  private final LongSupplier nanoClock;
  private final long interval;
  private final long capacity;
  private long updatedAt;

  /** The fill level in nanoseconds; a token is worth one interval. */
  private long tokens;

  RateLimit(Rate rate, LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.interval = Math.min(rate.interval().toNanos(), Long.MAX_VALUE / 4 / rate.burst());
    this.capacity = interval * rate.burst();
    this.tokens = capacity;
    this.updatedAt = nanoClock.getAsLong();
  }

  synchronized boolean tryAcquire() {
    long now = nanoClock.getAsLong();
    tokens = Math.min(capacity, tokens + Math.min(now - updatedAt, capacity));
    updatedAt = now;
    if (tokens < interval) {
      return false;
    }
    tokens -= interval;
    return true;
  }
}
