package ecoflow.normal;

import java.util.HashMap;
import java.util.Map;

/**
 * Keeps gauges of one device off the page that no such device can have: a plug with 7 MW. A power
 * above that of the models is shown once a second message agrees, since a model can be stronger
 * than the table says; what physics rules out never is. Not safe for use by several threads.
 */
final class Bounds {

  /** Above this multiple of the highest power of the models no second message helps. */
  private static final double NEVER = 10;

  /** Two powers agree that differ by less than this factor. */
  private static final double AGREES = 2;

  /** A range of values in the unit of a metric. */
  record Range(double least, double most) {

    boolean has(double value) {
      return value >= least && value <= most;
    }
  }

  private static final Range ANY = new Range(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);

  private static final Map<String, Range> PHYSICS =
      Map.of(
          "ratio", new Range(0, 1.5),
          "celsius", new Range(-60, 300),
          "volts", new Range(-1_500, 1_500),
          "hertz", new Range(0, 1_000));

  private record Doubt(double value, long message, boolean isConfirmed) {}

  private final double mostWatts;
  private final Map<String, Doubt> doubts = new HashMap<>();

  /**
   * @param mostWatts the highest power of the models
   */
  Bounds(double mostWatts) {
    this.mostWatts = mostWatts;
  }

  /** The values of a series that need no second look; most values do not. */
  Range range(Series series) {
    return isPower(series)
        ? new Range(-mostWatts, mostWatts)
        : PHYSICS.getOrDefault(series.name().unit(), ANY);
  }

  /** What becomes of a value beyond the bounds. */
  enum Verdict {
    SHOWN,
    HELD,

    /** As {@link #HELD}, for a value of a message that was asked about before. */
    STILL_HELD
  }

  /**
   * Judges a value beyond the bounds.
   *
   * @param message the number of the message that brought it
   * @param isRepeated whether that message only repeated the one before
   */
  Verdict judge(Series series, double value, long message, boolean isRepeated) {
    Doubt before = doubts.get(series.toString());
    boolean isSame = before != null && (isRepeated || before.message() == message);
    boolean agrees =
        before != null
            && isPower(series)
            && Math.abs(value) <= NEVER * mostWatts
            && value / before.value() < AGREES
            && before.value() / value < AGREES
            && (before.isConfirmed() || !isSame);
    doubts.put(series.toString(), new Doubt(value, message, agrees));
    return agrees ? Verdict.SHOWN : isSame ? Verdict.STILL_HELD : Verdict.HELD;
  }

  static boolean isPower(Series series) {
    return series.name().unit().equals("watts");
  }

  /** The series has a possible value again. */
  void forget(Series series) {
    if (!doubts.isEmpty()) {
      doubts.remove(series.toString());
    }
  }
}
