package ecoflow.landing;

import java.util.Arrays;
import java.util.Locale;

/** One value of a device per minute of the last hour, and its chart. */
final class History {

  static final int MINUTES = 60;
  static final int WIDTH = 240;
  static final int HEIGHT = 40;

  /** Keeps lines at the edge from being clipped. */
  private static final double MARGIN = 2;

  private final float[] values = new float[MINUTES];
  private long lastMinute = Long.MIN_VALUE;
  private boolean isCharge;

  History() {
    Arrays.fill(values, Float.NaN);
  }

  /** Whether the history has a value for this minute of the monotonic clock, or for a later one. */
  synchronized boolean has(long minute) {
    return minute <= lastMinute;
  }

  /** Whether the values are charges, from 0 to 1, rather than powers. */
  synchronized boolean isCharge() {
    return isCharge;
  }

  /** Adds a charge, and discards earlier powers. */
  synchronized void addCharge(long minute, double charge) {
    if (!isCharge) {
      isCharge = true;
      lastMinute = Long.MIN_VALUE;
    }
    add(minute, charge);
  }

  /** Adds a power, unless the device has a charge. */
  synchronized void addPower(long minute, double watts) {
    if (!isCharge) {
      add(minute, watts);
    }
  }

  /** Adds a value, unless the minute already has one. */
  private void add(long minute, double value) {
    if (minute <= lastMinute) {
      return;
    }
    clearAfterLast(minute - 1);
    values[index(minute)] = (float) value;
    lastMinute = minute;
  }

  /** Clears the minutes after the last value. */
  private void clearAfterLast(long until) {
    if (lastMinute == Long.MIN_VALUE || until - lastMinute >= MINUTES) {
      Arrays.fill(values, Float.NaN);
    } else {
      for (long minute = lastMinute + 1; minute <= until; minute++) {
        values[index(minute)] = Float.NaN;
      }
    }
  }

  private static int index(long minute) {
    return Math.floorMod(minute, MINUTES);
  }

  /**
   * Returns the SVG path of the chart, from one hour ago to now; empty without values.
   *
   * @param now the current minute
   * @param maxGap maximum distance, in minutes, of two values that a line connects
   */
  synchronized String path(long now, int maxGap) {
    double scale = isCharge ? 1 : Math.max(1, max(now));
    StringBuilder path = new StringBuilder();
    long previous = Long.MIN_VALUE;
    for (long minute = Math.max(now - MINUTES + 1, lastMinute - MINUTES + 1);
        minute <= lastMinute;
        minute++) {
      float value = values[index(minute)];
      if (Float.isNaN(value)) {
        continue;
      }
      boolean isJoined = previous != Long.MIN_VALUE && minute - previous <= maxGap;
      double x = WIDTH - MARGIN - (now - minute) * (WIDTH - 2 * MARGIN) / (MINUTES - 1);
      double ratio = Math.min(1, Math.max(0, value / scale));
      double y = HEIGHT - MARGIN - ratio * (HEIGHT - 2 * MARGIN);
      path.append(String.format(Locale.ROOT, isJoined ? "L%.1f %.1f" : "M%.1f %.1fh.1", x, y));
      previous = minute;
    }
    return path.toString();
  }

  private double max(long now) {
    double max = 0;
    for (long minute = Math.max(now - MINUTES + 1, lastMinute - MINUTES + 1);
        minute <= lastMinute;
        minute++) {
      float value = values[index(minute)];
      max = value > max ? value : max;
    }
    return max;
  }
}
