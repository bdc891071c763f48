package ecoflow.normal;

import java.util.HashMap;
import java.util.Map;

/**
 * Hides gauges of one device that such a device cannot have, such as a plug with 7 MW. A power
 * above that of the models is shown once a second message confirms it, because a model can be more
 * powerful than the table says; physically impossible values are never shown. Not thread-safe.
 */
final class Bounds {

  /** Above this multiple of the highest power of the models, a second message does not help. */
  private static final double NEVER = 10;

  /** Two powers agree if they differ by less than this factor. */
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

  /** The values of a series that need no confirmation, which most values are. */
  Range range(Series series) {
    return isPower(series)
        ? new Range(-mostWatts, mostWatts)
        : PHYSICS.getOrDefault(series.name().unit(), ANY);
  }

  /** The decision on a value beyond the bounds. */
  enum Verdict {
    SHOWN,
    HELD,

    /** Like {@link #HELD}, for a message that was judged before. */
    STILL_HELD
  }

  /**
   * Judges a value beyond the bounds.
   *
   * @param message the number of the message with the value
   * @param isRepeated whether that message only repeated the previous one
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

  /** The series has a valid value again. */
  void forget(Series series) {
    if (!doubts.isEmpty()) {
      doubts.remove(series.toString());
    }
  }
}
