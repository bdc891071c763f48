package ecoflow.normal;

import java.util.List;
import java.util.stream.Stream;

/**
 * A counter of the device, without the glitches that Prometheus would add up: a zero between two
 * values, one absurd value, a step back because an older message was late.
 *
 * <p>A step that is larger than possible is held until a second message agrees, a lower value until
 * a third one does. Times are nanoseconds of one monotonic clock.
 */
final class NativeCounter {

  /** A day or session counter below this part of its last value has started again. */
  private static final double RESTART = 0.1;

  private static final int MESSAGES_FOR_STEP = 2;
  private static final int MESSAGES_FOR_FALL = 3;
  private static final int MAX_DOUBTS = 4;
  private static final double NANOS = 1e9;
  private static final double SECONDS_OF_LIFE = 30 * 365.25 * 24 * 3600;

  /** Devices send 0xffffffff for "unknown"; no unit of theirs is larger than 1 Wh. */
  private static final double UNKNOWN_WATT_HOURS = 4294967295.0;

  /**
   * The kind of a counter.
   *
   * @param isLifetime false for one that starts again at midnight or with each session
   * @param ignoresZero whether the device sends zeros between values
   * @param countsFromZero whether a zero is a value before the first other one
   */
  record Kind(boolean isLifetime, boolean ignoresZero, boolean countsFromZero) {}

  /**
   * The largest step that is possible.
   *
   * @param perSecond in the unit of the counter
   * @param always a step up to this is always possible: devices count in coarse units
   * @param most no such counter is higher
   */
  record Limit(double perSecond, double always, double most) {

    /** Joules, of a device with at most so much power. */
    static Limit ofEnergy(double watts) {
      double joulesPerWattHour = 3600;
      return new Limit(
          watts,
          1000 * joulesPerWattHour,
          Math.min(watts * SECONDS_OF_LIFE, UNKNOWN_WATT_HOURS * joulesPerWattHour * 0.99));
    }

    /** Charge cycles: at most one an hour. */
    static Limit ofCycles() {
      return new Limit(1.0 / 3600, 1, 100_000);
    }

    boolean allows(double step, long nanos) {
      return step <= always + perSecond * nanos / NANOS;
    }
  }

  /** A value that was held. */
  private record Doubt(double value, long at) {}

  /** Why a value was not taken. */
  enum Held {
    NOT_HELD,

    /** The counter rose by more than the device can do in the time. */
    STEP,

    /** The counter fell. */
    FALL,

    /** The value is beyond all that such a device can reach. */
    RANGE
  }

  private final Kind kind;
  private final Limit limit;

  /** The last value of the device that was taken, and when. */
  private double last = Double.NaN;

  private long at;

  /** How far the last value that was taken is above the one before. */
  private double lastStep;

  /** Added to the values of the device since a small fall was bridged, until they catch up. */
  private double offset;

  private long message = Long.MIN_VALUE;

  /** The values held since the last one that was taken, the newest last. */
  private List<Doubt> doubts = List.of();

  NativeCounter(Kind kind, Limit limit) {
    this.kind = kind;
    this.limit = limit;
  }

  /**
   * Takes the value that the device sent; NaN for none.
   *
   * @param number of the message: the value of a message that was taken before is not a second one
   */
  Held take(double value, long number, long now) {
    boolean isZeroMeant =
        kind.countsFromZero() || (counts() && !kind.ignoresZero() && !kind.isLifetime());
    // A lifetime that is 0 was not read: taken for a reset, the next value would be all of it.
    if (number == message || Double.isNaN(value) || (value == 0 && !isZeroMeant)) {
      return Held.NOT_HELD;
    }
    message = number;
    if (value < 0 || value > limit.most()) {
      return Held.RANGE;
    }
    double step = value - last;
    boolean isFirst = !counts();
    boolean isStep = step >= 0 && limit.allows(step, now - at);
    boolean isRestart = !kind.isLifetime() && value < RESTART * last;
    if (isFirst || isStep || isRestart) {
      // A device whose own value has caught up was not corrected for good.
      accept(value, isStep && value < value() ? offset : 0, now);
      return Held.NOT_HELD;
    }
    return doubt(value, step, now);
  }

  private Held doubt(double value, double step, long now) {
    // Of some messages in a row, so that one more glitch between them does not matter.
    long agreeing =
        doubts.stream()
            .filter(
                doubt ->
                    doubt.value() > last == step > 0
                        && value >= doubt.value()
                        && limit.allows(value - doubt.value(), now - doubt.at()))
            .count();
    if (agreeing + 1 < (step > 0 ? MESSAGES_FOR_STEP : MESSAGES_FOR_FALL)) {
      doubts =
          Stream.concat(doubts.stream(), Stream.of(new Doubt(value, now)))
              .skip(Math.max(0, doubts.size() + 1 - MAX_DOUBTS))
              .toList();
      return step > 0 ? Held.STEP : Held.FALL;
    }
    // Shown as a fall, a correction of the last step would add the whole lifetime to an increase.
    boolean isBridged = step < 0 && kind.isLifetime() && -step <= limit.always() + lastStep;
    accept(value, isBridged ? offset - step : 0, now);
    return Held.NOT_HELD;
  }

  private void accept(double value, double newOffset, long now) {
    lastStep = counts() ? Math.max(0, value - last) : 0;
    last = value;
    offset = newOffset;
    at = now;
    doubts = List.of();
  }

  /** Whether the device has sent a value that counts. */
  boolean counts() {
    return !Double.isNaN(last);
  }

  double value() {
    return last + offset;
  }
}
