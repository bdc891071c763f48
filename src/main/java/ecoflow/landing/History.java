package ecoflow.landing;

import java.util.Arrays;
import java.util.Locale;

/** One value of a device per minute of the last hour, and its chart. */
final class History {

  static final int MINUTES = 60;
  static final int WIDTH = 240;
  static final int HEIGHT = 40;

  /** Margin, so that a line at the edge is not clipped. */
  private static final double EDGE = 2;

  private final float[] values = new float[MINUTES];
  private long last = Long.MIN_VALUE;
  private boolean ofCharge;

  History() {
    Arrays.fill(values, Float.NaN);
  }

  /** Whether there is a value for this minute of the monotonic clock or a later one. */
  synchronized boolean has(long minute) {
    return minute <= last;
  }

  /** Whether the chart shows the charge, from 0 to 1, rather than a power. */
  synchronized boolean isOfCharge() {
    return ofCharge;
  }

  /** Adds a charge, which has precedence over power: earlier powers are discarded. */
  synchronized void addCharge(long minute, double charge) {
    if (!ofCharge) {
      ofCharge = true;
      last = Long.MIN_VALUE;
    }
    add(minute, charge);
  }

  /** Adds a power, which is ignored if the device has a charge. */
  synchronized void addPower(long minute, double watts) {
    if (!ofCharge) {
      add(minute, watts);
    }
  }

  /** Adds a value, unless the minute already has one. */
  private void add(long minute, double value) {
    if (minute <= last) {
      return;
    }
    clearAfterLast(minute - 1);
    values[index(minute)] = (float) value;
    last = minute;
  }

  /** Clears the minutes after the last value. */
  private void clearAfterLast(long until) {
    if (last == Long.MIN_VALUE || until - last >= MINUTES) {
      Arrays.fill(values, Float.NaN);
    } else {
      for (long minute = last + 1; minute <= until; minute++) {
        values[index(minute)] = Float.NaN;
      }
    }
  }

  private static int index(long minute) {
    return Math.floorMod(minute, MINUTES);
  }

  /**
   * The SVG path of the chart, from an hour ago on the left to now on the right; empty without
   * values.
   *
   * @param now the current minute
   * @param bridge maximum distance in minutes of values that are connected by a line
   */
  synchronized String path(long now, int bridge) {
    double scale = ofCharge ? 1 : Math.max(1, largest(now));
    StringBuilder path = new StringBuilder();
    long before = Long.MIN_VALUE;
    for (long minute = Math.max(now - MINUTES + 1, last - MINUTES + 1); minute <= last; minute++) {
      float value = values[index(minute)];
      if (Float.isNaN(value)) {
        continue;
      }
      boolean joined = before != Long.MIN_VALUE && minute - before <= bridge;
      double x = WIDTH - EDGE - (now - minute) * (WIDTH - 2 * EDGE) / (MINUTES - 1);
      double share = Math.min(1, Math.max(0, value / scale));
      double y = HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE);
      path.append(String.format(Locale.ROOT, joined ? "L%.1f %.1f" : "M%.1f %.1fh.1", x, y));
      before = minute;
    }
    return path.toString();
  }

  private double largest(long now) {
    double largest = 0;
    for (long minute = Math.max(now - MINUTES + 1, last - MINUTES + 1); minute <= last; minute++) {
      float value = values[index(minute)];
      largest = value > largest ? value : largest;
    }
    return largest;
  }
}
