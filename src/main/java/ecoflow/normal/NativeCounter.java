package ecoflow.normal;

import java.util.List;
import java.util.stream.Stream;

/**
 * A counter of the device, without the glitches that Prometheus would count as increases: a zero
 * between two values, a single absurd value, a decrease because of a late message.
 *
 * <p>A step that is larger than possible is held until a second message confirms it, a lower value
 * until a third one does. Times are nanoseconds of one monotonic clock.
 */
final class NativeCounter {

  /** A day or session counter below this part of its last value has restarted. */
  private static final double RESTART = 0.1;

  private static final int MESSAGES_FOR_STEP = 2;
  private static final int MESSAGES_FOR_FALL = 3;
  private static final int MAX_DOUBTS = 4;
  private static final double NANOS = 1e9;
  private static final double SECONDS_OF_LIFE = 30 * 365.25 * 24 * 3600;

  /** Devices send 0xffffffff for "unknown"; their units are 1 Wh or smaller. */
  private static final double UNKNOWN_WATT_HOURS = 4294967295.0;

  /**
   * The kind of a counter.
   *
   * @param isLifetime false for a counter that restarts at midnight or with each session
   * @param ignoresZero whether the device sends zeros between values
   * @param countsFromZero whether a zero is a valid first value
   */
  record Kind(boolean isLifetime, boolean ignoresZero, boolean countsFromZero) {}

  /**
   * The largest possible step.
   *
   * @param perSecond in the unit of the counter
   * @param always a step up to this size is always possible, because devices count in coarse units
   * @param most the highest possible value
   */
  record Limit(double perSecond, double always, double most) {

    /** Joules, for a device with this maximum power. */
    static Limit ofEnergy(double watts) {
      double joulesPerWattHour = 3600;
      return new Limit(
          watts,
          1000 * joulesPerWattHour,
          Math.min(watts * SECONDS_OF_LIFE, UNKNOWN_WATT_HOURS * joulesPerWattHour * 0.99));
    }

    /** Charge cycles: at most one per hour. */
    static Limit ofCycles() {
      return new Limit(1.0 / 3600, 1, 100_000);
    }

    boolean allows(double step, long nanos) {
      return step <= always + perSecond * nanos / NANOS;
    }
  }

  /** A value that was held. */
  private record Doubt(double value, long at) {}

  /** Why a value was held. */
  enum Held {
    NOT_HELD,

    /** The counter rose by more than is possible in that time. */
    STEP,

    /** The counter fell. */
    FALL,

    /** The value is higher than such a device can reach. */
    RANGE
  }

  private final Kind kind;
  private final Limit limit;

  /** The last accepted value of the device, and its time. */
  private double last = Double.NaN;

  private long at;

  /** The increase of the last accepted value over the one before. */
  private double lastStep;

  /** Added to the values of the device after a small fall was bridged, until they catch up. */
  private double offset;

  private long message = Long.MIN_VALUE;

  /** The values held since the last accepted one, oldest first. */
  private List<Doubt> doubts = List.of();

  NativeCounter(Kind kind, Limit limit) {
    this.kind = kind;
    this.limit = limit;
  }

  /**
   * Processes a value of the device; NaN for none.
   *
   * @param number of the message: a value of a message that was already processed does not confirm
   *     itself
   */
  Held take(double value, long number, long now) {
    boolean isZeroMeant =
        kind.countsFromZero() || (counts() && !kind.ignoresZero() && !kind.isLifetime());
    // A lifetime counter with the value 0 was not measured: after a reset to 0, the next value
    // would count as an increase by the whole lifetime.
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
      // The offset ends once the device's own value has caught up.
      accept(value, isStep && value < value() ? offset : 0, now);
      return Held.NOT_HELD;
    }
    return doubt(value, step, now);
  }

  private Held doubt(double value, double step, long now) {
    // Counts several recent messages, so that one more glitch between them does not matter.
    long agreeing =
        doubts.stream()
            .filter(
                doubt ->
                    doubt.value() > last == step > 0
                        && value >= doubt.value()
                        && limit.allows(value - doubt.value(), now - doubt.at()))
            .count();
    // After a glitch of a possible size, true values are held as falls. An absurd value that is
    // repeated between them must not be accepted before them.
    boolean isContradicted =
        step > 0
            && doubts.stream()
                .anyMatch(doubt -> doubt.value() < last && last - doubt.value() < step);
    if (isContradicted || agreeing + 1 < (step > 0 ? MESSAGES_FOR_STEP : MESSAGES_FOR_FALL)) {
      doubts =
          Stream.concat(doubts.stream(), Stream.of(new Doubt(value, now)))
              .skip(Math.max(0, doubts.size() + 1 - MAX_DOUBTS))
              .toList();
      return step > 0 ? Held.STEP : Held.FALL;
    }
    // A fall would be a reset for Prometheus, and a small correction would add the whole lifetime
    // to the increase.
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

  /** Whether the device has sent a valid value. */
  boolean counts() {
    return !Double.isNaN(last);
  }

  double value() {
    return last + offset;
  }
}
