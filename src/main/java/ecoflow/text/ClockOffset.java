package ecoflow.text;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/**
 * The offset of the clock of this machine to that of a server.
 *
 * @param ahead negative if the clock of this machine is behind
 */
public record ClockOffset(Duration ahead) {

  /** EcoFlow does not document its tolerance. A minute is too long for a network delay. */
  private static final Duration TOLERANCE = Duration.ofMinutes(1);

  /**
   * Compares the clocks; empty without a valid date.
   *
   * @param date the header Date of a response; null if it is missing
   * @param now the time of this machine
   */
  public static Optional<ClockOffset> of(String date, Instant now) {
    return time(date).map(there -> new ClockOffset(Duration.between(there, now)));
  }

  /** Parses the header Date of a response; empty if it is null or not valid. */
  public static Optional<Instant> time(String date) {
    try {
      return Optional.ofNullable(date)
          .map(text -> DateTimeFormatter.RFC_1123_DATE_TIME.parse(text, Instant::from));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  /** Whether the offset is too small to be the cause of a rejected signature. */
  public boolean isTolerated() {
    return ahead.abs().compareTo(TOLERANCE) <= 0;
  }

  /** The offset in seconds, and its direction. */
  @Override
  public String toString() {
    long seconds = ahead.toSeconds();
    return Math.abs(seconds) + " s " + (seconds < 0 ? "behind" : "ahead");
  }
}
