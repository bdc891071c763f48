package ecoflow.mqtt;

import java.time.Duration;

/**
 * Tracks consecutive connections that the broker closed after a short time. A single short
 * connection is normal. Repeated ones are caused by replaced credentials, or by a second exporter
 * with the same MQTT client ID: the two exporters disconnect each other, and must not do so every
 * few seconds forever.
 */
final class ShortConnections {

  private static final long MIN_STABLE = Duration.ofSeconds(30).toNanos();
  private static final long MAX_STABLE = Duration.ofMinutes(10).toNanos();

  /** Twice the pause between connections, which is at most a tenth of the outage. */
  private static final int OUTAGE_DIVISOR = 5;

  private static final int FIRST_LOGIN_AFTER = 3;

  private int count;
  private int nextLoginAfter;
  private long since;

  ShortConnections() {
    reset();
  }

  void reset() {
    count = 0;
    nextLoginAfter = FIRST_LOGIN_AFTER;
  }

  /**
   * Whether a connection has lasted long enough to be stable: 30 s, or after short connections
   * twice the pause between them. Times are from nanoTime.
   */
  boolean isStable(long connectedAt, long now) {
    long threshold = MIN_STABLE;
    if (count > 0) {
      threshold = Math.max(threshold, Math.min(MAX_STABLE, (connectedAt - since) / OUTAGE_DIVISOR));
    }
    return now - connectedAt >= threshold;
  }

  /** Records that the broker closed a short connection. */
  void ended(long connectedAt) {
    if (count == 0) {
      since = connectedAt;
    }
    count++;
  }

  /** Time since the start of the first short connection. */
  Duration outage(long now) {
    return count == 0 ? Duration.ZERO : Duration.ofNanos(now - since);
  }

  /**
   * Whether to log in again: after three short connections, then each time after twice as many,
   * because EcoFlow locks out clients that log in too often. Returns true once for each number.
   */
  boolean needsLogin() {
    if (count < nextLoginAfter) {
      return false;
    }
    nextLoginAfter *= 2;
    return true;
  }
}
