package ecoflow.landing;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.TimeZone;
import java.util.concurrent.TimeUnit;

/** Days and times in the time zone of the process, which the variable TZ sets. */
final class Clock {

  private Clock() {}

  /** The number of the day. Does not use java.time, which would be loaded in each process. */
  static long day(long epochMillis) {
    return Math.floorDiv(
        epochMillis + TimeZone.getDefault().getOffset(epochMillis), TimeUnit.DAYS.toMillis(1));
  }

  /** Formats a time, with the date if it is not today. */
  static String time(long epochMillis, long now) {
    ZonedDateTime time = Instant.ofEpochMilli(epochMillis).atZone(ZoneId.systemDefault());
    String pattern = day(epochMillis) == day(now) ? "HH:mm" : "d MMM HH:mm";
    return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
  }
}
