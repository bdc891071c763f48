package ecoflow.landing;

import java.util.Locale;
import java.util.OptionalDouble;

/** Formats values for the landing page. */
final class Format {

  private static final String NO_VALUE = "\u2013";
  private static final long MINUTE = 60;
  private static final long HOUR = 3_600;
  private static final long DAY = 86_400;

  private Format() {}

  static String watts(OptionalDouble watts) {
    if (watts.isEmpty()) {
      return NO_VALUE;
    }
    double value = watts.getAsDouble();
    if (Math.abs(value) >= 10_000) {
      return String.format(Locale.ROOT, "%.1f kW", value / 1_000);
    }
    boolean isSmall = Math.abs(value) < 10 && Math.rint(value) != value;
    // Adding 0 converts -0 to 0.
    return String.format(
        Locale.ROOT, isSmall ? "%.1f W" : "%.0f W", isSmall ? value : Math.rint(value) + 0.0);
  }

  static String percent(double ratio) {
    return String.format(Locale.ROOT, "%.0f %%", Math.rint(100 * ratio) + 0.0);
  }

  /** Formats a number with separators: 2,000. */
  static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  static String devices(long number) {
    return count(number) + (number == 1 ? " device" : " devices");
  }

  /** The time until the battery is full or empty, depending on the power; may be empty. */
  static String remainingTime(Reading reading) {
    OptionalDouble toFull = reading.toFull();
    OptionalDouble toEmpty = reading.toEmpty();
    boolean isCharging = reading.input().orElse(0) > reading.output().orElse(0);
    if (toFull.isPresent() && (isCharging || toEmpty.isEmpty())) {
      return "full in " + duration((long) toFull.getAsDouble());
    }
    // Some devices also send the time to empty while they are charging.
    return toEmpty.isPresent() && !isCharging
        ? "empty in " + duration((long) toEmpty.getAsDouble())
        : "";
  }

  /** Formats a duration with at most two units. */
  static String duration(long seconds) {
    if (seconds >= DAY) {
      return seconds / DAY + " d " + seconds % DAY / HOUR + " h";
    }
    if (seconds >= HOUR) {
      return seconds / HOUR + " h " + seconds % HOUR / MINUTE + " min";
    }
    return seconds >= MINUTE ? seconds / MINUTE + " min" : Math.max(0, seconds) + " s";
  }

  /** Formats an age, which can be negative if the clock was set back. */
  static String ago(long millis) {
    long seconds = millis / 1_000;
    return seconds < 1 ? "just now" : duration(seconds) + " ago";
  }
}
