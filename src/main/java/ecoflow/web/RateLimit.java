package ecoflow.web;

import ecoflow.web.WebConfig.Rate;
import java.util.function.LongSupplier;

/** A token bucket: each interval adds one token, and each request takes one. */
final class RateLimit {

  private final LongSupplier nanoClock;
  private final long interval;
  private final long full;
  private long last;

  /** The fill level in nanoseconds; a token is worth one interval. */
  private long tokens;

  RateLimit(Rate rate, LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.interval = Math.min(rate.interval().toNanos(), Long.MAX_VALUE / 4 / rate.burst());
    this.full = interval * rate.burst();
    this.tokens = full;
    this.last = nanoClock.getAsLong();
  }

  synchronized boolean take() {
    long now = nanoClock.getAsLong();
    tokens = Math.min(full, tokens + Math.min(now - last, full));
    last = now;
    if (tokens < interval) {
      return false;
    }
    tokens -= interval;
    return true;
  }
}
