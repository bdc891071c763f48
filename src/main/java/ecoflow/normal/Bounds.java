package ecoflow.normal;

import java.util.HashMap;
import java.util.Map;

/**
 * Hides gauges of one device with impossible values, such as a plug with 7 MW. A power above the
 * maximum of the model family is shown after a second message confirms it, because a model can be
 * more powerful than the table specifies; physically impossible values are never shown. Not
 * thread-safe.
 */
final class Bounds {

  /** Above this multiple of the maximum power, a second message does not confirm a value. */
  private static final double MAX_FACTOR = 10;

  /** A power confirms another one if they differ by less than this factor. */
  private static final double CONFIRMING_FACTOR = 2;

  /** A range of values in the unit of a metric. */
  record Range(double min, double max) {

    boolean contains(double value) {
      return value >= min && value <= max;
    }
  }

  private static final Range ANY = new Range(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);

  private static final Map<String, Range> PHYSICS =
      Map.of(
          "ratio", new Range(0, 1.5),
          "celsius", new Range(-60, 300),
          "volts", new Range(-1_500, 1_500),
          "hertz", new Range(0, 1_000));

  private record HeldValue(double value, long message, boolean isConfirmed) {}

  private final double maxWatts;
  private final Map<String, HeldValue> heldValues = new HashMap<>();

  /**
   * @param maxWatts the maximum power of the model family
   */
  Bounds(double maxWatts) {
    this.maxWatts = maxWatts;
  }

  /** The values of a series that need no confirmation. */
  Range range(Series series) {
    return isPower(series)
        ? new Range(-maxWatts, maxWatts)
        : PHYSICS.getOrDefault(series.name().unit(), ANY);
  }

  /** The decision on a value beyond the bounds. */
  enum Verdict {
    SHOWN,
    HELD,

    /** Like {@link #HELD}, for a message that has already been checked. */
    STILL_HELD
  }

  /**
   * Checks a value beyond the bounds.
   *
   * @param message the number of the message with the value
   * @param isRepeated whether the message repeats the previous one
   */
  Verdict check(Series series, double value, long message, boolean isRepeated) {
    HeldValue before = heldValues.get(series.toString());
    boolean isSame = before != null && (isRepeated || before.message() == message);
    boolean isConfirmed =
        before != null
            && isPower(series)
            && Math.abs(value) <= MAX_FACTOR * maxWatts
            && value / before.value() < CONFIRMING_FACTOR
            && before.value() / value < CONFIRMING_FACTOR
            && (before.isConfirmed() || !isSame);
    heldValues.put(series.toString(), new HeldValue(value, message, isConfirmed));
    return isConfirmed ? Verdict.SHOWN : isSame ? Verdict.STILL_HELD : Verdict.HELD;
  }

  static boolean isPower(Series series) {
    return series.name().unit().equals("watts");
  }

  /** The series has a value within the bounds again. */
  void forget(Series series) {
    if (!heldValues.isEmpty()) {
      heldValues.remove(series.toString());
    }
  }
}
