package ecoflow.quota;

import java.util.concurrent.TimeUnit;

/** The order of the items of a history, such as energies per day, at one position of a message. */
final class History {

  private static final long CLOCK_SET_BACK = TimeUnit.DAYS.toNanos(1);

  /** The time of the newest item in seconds since 1970. */
  private long newest = Long.MIN_VALUE;

  /** Whether the last item was older than the newest one. */
  private boolean isBehind;

  /** The start of the period in which all items were older. */
  private long behindSince;

  /**
   * Whether an item is not older than the items before it. The newest time is also remembered while
   * the device is offline, so that an item of yesterday is not shown as a new one when the device
   * returns. If only older items arrive for a day, the clock of the device was set back, and their
   * order starts again.
   *
   * @param seconds the time of the item in seconds since 1970; 0 if it has none, then it is always
   *     in order
   * @param latest a later time is in order, but is not remembered: all items after it would be too
   *     old
   * @param now by the clock of the store
   * @param onlineSince when the device sent its first message after it was offline
   */
  boolean isInOrder(long seconds, long latest, long now, long onlineSince) {
    if (seconds == 0 || seconds > latest) {
      return true;
    }
    if (seconds < newest) {
      if (!isBehind || behindSince - onlineSince < 0) {
        isBehind = true;
        behindSince = now;
      }
      if (now - behindSince < CLOCK_SET_BACK) {
        return false;
      }
    }
    newest = seconds;
    isBehind = false;
    return true;
  }
}
