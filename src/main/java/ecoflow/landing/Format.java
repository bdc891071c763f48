package ecoflow.landing;

import java.util.Locale;

/** Formats values for the landing page. */
final class Format {

  private static final String NO_VALUE = "\u2013";
  private static final long MINUTE = 60;
  private static final long HOUR = 3_600;
  private static final long DAY = 86_400;

  /** A smaller power is not a flow. */
  static final double MIN_WATTS = 0.5;

  private Format() {}

  /** Formats a power, such as 7.3 W, 853 W, 1.25 kW and 12.3 kW; a dash for NaN. */
  static String watts(double watts) {
    if (Double.isNaN(watts)) {
      return NO_VALUE;
    }
    double size = Math.abs(watts);
    if (size >= 9_995) {
      return String.format(Locale.ROOT, "%.1f kW", watts / 1_000);
    }
    if (size >= 999.5) {
      return String.format(Locale.ROOT, "%.2f kW", watts / 1_000);
    }
    boolean isSmall = size < 9.95 && Math.rint(watts) != watts;
    // Adding 0 converts -0 to 0.
    return String.format(
        Locale.ROOT, isSmall ? "%.1f W" : "%.0f W", isSmall ? watts : Math.rint(watts) + 0.0);
  }

  /** One of three texts for a power that flows in one direction, in the other one, or not. */
  static String direction(double watts, String positive, String negative, String zero) {
    if (watts >= MIN_WATTS) {
      return positive;
    }
    return watts <= -MIN_WATTS ? negative : zero;
  }

  /** Formats an energy, such as 40 Wh, 3.1 kWh and 250 kWh. */
  static String energy(double joules) {
    double wattHours = joules / 3_600;
    if (wattHours < 99.5) {
      return String.format(Locale.ROOT, "%.0f Wh", Math.rint(wattHours) + 0.0);
    }
    String pattern = wattHours < 99_950 ? "%.1f kWh" : "%,.0f kWh";
    return String.format(Locale.ROOT, pattern, wattHours / 1_000);
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
    boolean isCharging = orZero(reading.input()) > orZero(reading.output());
    boolean hasToEmpty = Reading.isKnown(reading.toEmpty());
    if (Reading.isKnown(reading.toFull()) && (isCharging || !hasToEmpty)) {
      return "full in " + duration((long) reading.toFull());
    }
    // Some devices also send the time to empty while they are charging.
    return hasToEmpty && !isCharging ? "empty in " + duration((long) reading.toEmpty()) : "";
  }

  private static double orZero(double value) {
    return Reading.isKnown(value) ? value : 0;
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
