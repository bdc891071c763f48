package ecoflow.normal;

import java.util.List;
import java.util.stream.Stream;

/**
 * A counter of the device, without the glitches that Prometheus would count as increases: a zero
 * between two values, a single implausible value, a decrease because of a delayed message.
 *
 * <p>An increase that is larger than possible is held until a second message confirms it, a lower
 * value until a third message does. Times are nanoseconds of one monotonic clock.
 */
final class NativeCounter {

  /** A day or session counter below this fraction of its last value has restarted. */
  private static final double RESTART = 0.1;

  private static final int MESSAGES_FOR_STEP = 2;
  private static final int MESSAGES_FOR_FALL = 3;
  private static final int MAX_HELD_VALUES = 4;
  private static final double NANOS = 1e9;
  private static final double LIFETIME_SECONDS = 30 * 365.25 * 24 * 3600;

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
   * The largest plausible increase.
   *
   * @param perSecond in the unit of the counter
   * @param always an increase up to this size is always plausible, because devices count in coarse
   *     units
   * @param max the highest plausible value
   */
  record Limit(double perSecond, double always, double max) {

    /** Joules, for a device with this maximum power. */
    static Limit ofEnergy(double watts) {
      double joulesPerWattHour = 3600;
      return new Limit(
          watts,
          1000 * joulesPerWattHour,
          Math.min(watts * LIFETIME_SECONDS, UNKNOWN_WATT_HOURS * joulesPerWattHour * 0.99));
    }

    /** Charge cycles: at most one per hour. */
    static Limit ofCycles() {
      return new Limit(1.0 / 3600, 1, 100_000);
    }

    boolean allows(double step, long nanos) {
      return step <= always + perSecond * nanos / NANOS;
    }
  }

  /** A held value with its time. */
  private record HeldValue(double value, long at) {}

  /** Why a value was held. */
  enum Held {
    NOT_HELD,

    /** The counter increased by more than is plausible in that time. */
    STEP,

    /** The counter decreased. */
    FALL,

    /** The value is higher than a device can reach. */
    RANGE
  }

  private final Kind kind;
  private final Limit limit;

  /** The last accepted value of the device, and its time. */
  private double last = Double.NaN;

  private long at;

  /** The increase of the last accepted value over the one before. */
  private double lastStep;

  /** Added to the values of the device after a small decrease was bridged, until they catch up. */
  private double offset;

  private long message = Long.MIN_VALUE;

  /** The values held since the last accepted one, oldest first. */
  private List<HeldValue> heldValues = List.of();

  NativeCounter(Kind kind, Limit limit) {
    this.kind = kind;
    this.limit = limit;
  }

  /**
   * Processes a value of the device; NaN if it is absent.
   *
   * @param number of the message: a value of a message that was already processed does not confirm
   *     itself
   */
  Held update(double value, long number, long now) {
    boolean isZeroValid =
        kind.countsFromZero() || (counts() && !kind.ignoresZero() && !kind.isLifetime());
    // A lifetime counter with the value 0 was not measured: after a reset to 0, the next value
    // would count as an increase by the whole lifetime.
    if (number == message || Double.isNaN(value) || (value == 0 && !isZeroValid)) {
      return Held.NOT_HELD;
    }
    message = number;
    if (value < 0 || value > limit.max()) {
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
    return checkHeld(value, step, now);
  }

  private Held checkHeld(double value, double step, long now) {
    // Compares several recent messages, so that another glitch between them has no effect.
    long confirming =
        heldValues.stream()
            .filter(
                heldValue ->
                    heldValue.value() > last == step > 0
                        && value >= heldValue.value()
                        && limit.allows(value - heldValue.value(), now - heldValue.at()))
            .count();
    // After a glitch of a plausible size, correct values are held as decreases. An implausible
    // value that is repeated between them must not be accepted first.
    boolean isContradicted =
        step > 0
            && heldValues.stream()
                .anyMatch(heldValue -> heldValue.value() < last && last - heldValue.value() < step);
    if (isContradicted || confirming + 1 < (step > 0 ? MESSAGES_FOR_STEP : MESSAGES_FOR_FALL)) {
      heldValues =
          Stream.concat(heldValues.stream(), Stream.of(new HeldValue(value, now)))
              .skip(Math.max(0, heldValues.size() + 1 - MAX_HELD_VALUES))
              .toList();
      return step > 0 ? Held.STEP : Held.FALL;
    }
    // Prometheus would treat a decrease as a reset, so a small correction would add the value of
    // the whole lifetime to the increase.
    boolean bridgesFall = step < 0 && kind.isLifetime() && -step <= limit.always() + lastStep;
    accept(value, bridgesFall ? offset - step : 0, now);
    return Held.NOT_HELD;
  }

  private void accept(double value, double newOffset, long now) {
    lastStep = counts() ? Math.max(0, value - last) : 0;
    last = value;
    offset = newOffset;
    at = now;
    heldValues = List.of();
  }

  /** Whether the device has sent a valid value. */
  boolean counts() {
    return !Double.isNaN(last);
  }

  double value() {
    return last + offset;
  }
}
