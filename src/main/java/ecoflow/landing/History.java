package ecoflow.landing;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The last hour of a device, one value per minute; its last values; and its energies of today. */
final class History {

  static final int MINUTES = 60;
  static final int WIDTH = 240;
  static final int HEIGHT = 40;

  /** Keeps lines at the edge from being clipped. */
  private static final double MARGIN = 2;

  /** The value of the chart: the first one that the device sends. */
  enum Kind {
    CHARGE("Charge"),
    OUTPUT("Output"),
    GRID("Grid"),
    HOME("Home"),
    SUN("Sun"),
    INPUT("Input");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }

    private double value(Reading reading) {
      return switch (this) {
        case CHARGE -> reading.charge();
        case OUTPUT -> reading.output();
        case GRID -> reading.grid();
        case HOME -> reading.home();
        case SUN -> reading.sun();
        case INPUT -> reading.input();
      };
    }
  }

  /**
   * The chart of the last hour.
   *
   * @param path the SVG path of the values, from one hour ago to now
   * @param low the value at the lower edge
   * @param high the value at the upper edge
   * @param zero the SVG y coordinate of the value 0
   */
  record Chart(
      Kind kind, String path, double min, double max, double low, double high, double zero) {}

  private final float[] values = new float[MINUTES];
  private long lastMinute = Long.MIN_VALUE;
  private Kind kind;
  private Reading last = Reading.NONE;
  private Today today;
  private boolean wasOnline;
  private long offlineSince;

  History() {
    Arrays.fill(values, Float.NaN);
  }

  /** Whether the history has a value for this minute of the monotonic clock, or for a later one. */
  synchronized boolean has(long minute) {
    return minute <= lastMinute;
  }

  /** Adds a value to the chart, unless the minute already has one, and replaces the last values. */
  synchronized void add(long minute, Reading reading) {
    last = reading;
    for (Kind next : Kind.values()) {
      double value = next.value(reading);
      if (Reading.isKnown(value)) {
        add(minute, next, value);
        return;
      }
    }
  }

  private void add(long minute, Kind next, double value) {
    if (kind == null || next.compareTo(kind) < 0) {
      kind = next;
      lastMinute = Long.MIN_VALUE;
    }
    // A value of another kind does not replace one that is temporarily missing.
    if (next != kind || minute <= lastMinute) {
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

  /** The last values of the device, which can be old. */
  synchronized Reading last() {
    return last;
  }

  /**
   * Updates the energies of today.
   *
   * @param now milliseconds since 1970
   * @param maxGapMillis maximum distance of two values before and after midnight
   */
  synchronized void count(List<Energy.Count> counts, long now, long maxGapMillis) {
    if (!counts.isEmpty()) {
      if (today == null) {
        today = new Today();
      }
      today.update(counts, now, maxGapMillis);
    }
  }

  /**
   * An energy of today; empty if it is unknown.
   *
   * @param counts the current counters; empty if the device is offline
   */
  synchronized Optional<Today.Amount> today(
      Energy energy, List<Energy.Count> counts, long now, long maxGapMillis) {
    return (today == null ? new Today() : today).of(energy, counts, now, maxGapMillis);
  }

  /** Records whether the device is online, to know when it went offline. */
  synchronized void setOnline(boolean isOnline, long now) {
    if (wasOnline && !isOnline) {
      offlineSince = now;
    }
    wasOnline = isOnline;
  }

  /** When the device went offline, in milliseconds since 1970; 0 if it was never seen online. */
  synchronized long offlineSince() {
    return offlineSince;
  }

  /**
   * Returns the chart; empty without values.
   *
   * @param now the current minute
   * @param maxGap maximum distance, in minutes, of two values that a line connects
   */
  synchronized Optional<Chart> chart(long now, int maxGap) {
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    long first = Math.max(now - MINUTES + 1, lastMinute - MINUTES + 1);
    for (long minute = first; minute <= lastMinute; minute++) {
      float value = values[index(minute)];
      if (!Float.isNaN(value)) {
        min = Math.min(min, value);
        max = Math.max(max, value);
      }
    }
    if (min > max) {
      return Optional.empty();
    }
    boolean isCharge = kind == Kind.CHARGE;
    double low = isCharge ? 0 : Math.min(0, min);
    double high = isCharge ? 1 : Math.max(low + 1, Math.max(0, max));
    StringBuilder path = new StringBuilder();
    long previous = Long.MIN_VALUE;
    for (long minute = first; minute <= lastMinute; minute++) {
      float value = values[index(minute)];
      if (Float.isNaN(value)) {
        continue;
      }
      boolean isJoined = previous != Long.MIN_VALUE && minute - previous <= maxGap;
      double x = WIDTH - MARGIN - (now - minute) * (WIDTH - 2 * MARGIN) / (MINUTES - 1);
      double y = y(value, low, high);
      path.append(String.format(Locale.ROOT, isJoined ? "L%.1f %.1f" : "M%.1f %.1fh.1", x, y));
      previous = minute;
    }
    return Optional.of(new Chart(kind, path.toString(), min, max, low, high, y(0, low, high)));
  }

  private static double y(double value, double low, double high) {
    double ratio = Math.min(1, Math.max(0, (value - low) / (high - low)));
    return HEIGHT - MARGIN - ratio * (HEIGHT - 2 * MARGIN);
  }
}
