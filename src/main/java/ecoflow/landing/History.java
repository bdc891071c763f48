package ecoflow.landing;

import java.util.Arrays;
import java.util.Locale;

/** One value of a device for each minute of the last hour, and its drawing. */
final class History {

  static final int MINUTES = 60;
  static final int WIDTH = 240;
  static final int HEIGHT = 40;

  /** Half a line, so that a flat one at the edge is not cut. */
  private static final double EDGE = 2;

  private final float[] values = new float[MINUTES];
  private long last = Long.MIN_VALUE;
  private boolean ofCharge;

  History() {
    Arrays.fill(values, Float.NaN);
  }

  /** Whether there is a value of this minute of the monotonic clock, or of a later one. */
  synchronized boolean has(long minute) {
    return minute <= last;
  }

  /** Whether the charge is drawn, from 0 to 1, and not a power. */
  synchronized boolean isOfCharge() {
    return ofCharge;
  }

  /** A device that has a charge is drawn by it: what was kept of its power goes. */
  synchronized void addCharge(long minute, double charge) {
    if (!ofCharge) {
      ofCharge = true;
      last = Long.MIN_VALUE;
    }
    add(minute, charge);
  }

  /** Of a device that had a charge before it is no value. */
  synchronized void addPower(long minute, double watts) {
    if (!ofCharge) {
      add(minute, watts);
    }
  }

  /** Of several values in a minute the first counts. */
  private void add(long minute, double value) {
    if (minute <= last) {
      return;
    }
    forget(minute - 1);
    values[place(minute)] = (float) value;
    last = minute;
  }

  /** Minutes without a value have none. */
  private void forget(long until) {
    if (last == Long.MIN_VALUE || until - last >= MINUTES) {
      Arrays.fill(values, Float.NaN);
    } else {
      for (long gone = last + 1; gone <= until; gone++) {
        values[place(gone)] = Float.NaN;
      }
    }
  }

  private static int place(long minute) {
    return Math.floorMod(minute, MINUTES);
  }

  /**
   * The path of an SVG, from an hour ago at the left until now at the right; empty if there is
   * nothing to draw.
   *
   * @param now the minute
   * @param bridge values so many minutes apart are joined
   */
  synchronized String path(long now, int bridge) {
    double scale = ofCharge ? 1 : Math.max(1, largest(now));
    StringBuilder path = new StringBuilder();
    long before = Long.MIN_VALUE;
    for (long minute = Math.max(now - MINUTES + 1, last - MINUTES + 1); minute <= last; minute++) {
      float value = values[place(minute)];
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
      float value = values[place(minute)];
      largest = value > largest ? value : largest;
    }
    return largest;
  }
}
