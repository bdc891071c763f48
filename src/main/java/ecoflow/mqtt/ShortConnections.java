package ecoflow.mqtt;

import java.time.Duration;

/**
 * Tracks connections in a row that the broker ended quickly. A single one is normal. Repeated ones
 * are caused by replaced credentials, or by a second exporter with the same MQTT client ID: each of
 * the two ends the other's connection, and must not do so every few seconds forever.
 */
final class ShortConnections {

  private static final long SHORTEST_MOMENT = Duration.ofSeconds(30).toNanos();
  private static final long LONGEST_MOMENT = Duration.ofMinutes(10).toNanos();

  /** The pauses grow up to a tenth of the duration, also those of a second exporter. */
  private static final int PART_OF_TROUBLE = 5;

  private static final int FIRST_LOGIN = 3;

  private int inRow;
  private int nextLogin;
  private long since;

  ShortConnections() {
    reset();
  }

  void reset() {
    inRow = 0;
    nextLogin = FIRST_LOGIN;
  }

  /**
   * Whether a connection that began then no longer counts as short: after half a minute, and in a
   * row of short connections after twice the pause between them. Times are from nanoTime.
   */
  boolean isLong(long began, long now) {
    long moment = SHORTEST_MOMENT;
    if (inRow > 0) {
      moment = Math.max(moment, Math.min(LONGEST_MOMENT, (began - since) / PART_OF_TROUBLE));
    }
    return now - began >= moment;
  }

  /** The broker ended a short connection. */
  void ended(long began) {
    if (inRow == 0) {
      since = began;
    }
    inRow++;
  }

  /** Time since the start of the first of them. */
  Duration lasting(long now) {
    return inRow == 0 ? Duration.ZERO : Duration.ofNanos(now - since);
  }

  /**
   * Whether a new login may help now: after the third one, then each time after twice as many,
   * because EcoFlow locks out clients that log in too often.
   */
  boolean isTimeToLogIn() {
    if (inRow < nextLogin) {
      return false;
    }
    nextLogin *= 2;
    return true;
  }
}
