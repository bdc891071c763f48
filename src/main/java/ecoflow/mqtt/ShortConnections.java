package ecoflow.mqtt;

import java.time.Duration;

/**
 * Connections that the broker ended after a moment, in a row. One is an accident. More come from
 * credentials that were replaced, or from a second exporter with the same MQTT client id: each of
 * the two ends the other's connection, and must not do so every few seconds for ever.
 */
final class ShortConnections {

  private static final long SHORTEST_MOMENT = Duration.ofSeconds(30).toNanos();
  private static final long LONGEST_MOMENT = Duration.ofMinutes(10).toNanos();

  /** The pauses get as long as a tenth of it, also those of a second exporter. */
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
   * Whether a connection that began then is no short one any more: after half a minute, and in a
   * row of short ones after twice the pauses between them. Times are of nanoTime.
   */
  boolean isLong(long began, long now) {
    long moment = SHORTEST_MOMENT;
    if (inRow > 0) {
      moment = Math.max(moment, Math.min(LONGEST_MOMENT, (began - since) / PART_OF_TROUBLE));
    }
    return now - began >= moment;
  }

  /** The broker ended a connection that was short. */
  void ended(long began) {
    if (inRow == 0) {
      since = began;
    }
    inRow++;
  }

  /** How long they have been going on. */
  Duration lasting(long now) {
    return inRow == 0 ? Duration.ZERO : Duration.ofNanos(now - since);
  }

  /**
   * Whether a new login may help now: after the third, then each time after twice as many, for
   * EcoFlow locks out who logs in all the time.
   */
  boolean isTimeToLogIn() {
    if (inRow < nextLogin) {
      return false;
    }
    nextLogin *= 2;
    return true;
  }
}
