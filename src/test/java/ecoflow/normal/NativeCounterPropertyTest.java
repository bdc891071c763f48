package ecoflow.normal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Counters of a device that sometimes sends an impossible value. */
class NativeCounterPropertyTest {

  private static final double WATTS = 10_000;
  private static final double JOULES_PER_WATT_HOUR = 3600;

  /** A step that is always possible, see {@link NativeCounter.Limit#ofEnergy}. */
  private static final double ALWAYS_POSSIBLE = 1000 * JOULES_PER_WATT_HOUR;

  private static final int MAX_FROZEN_MESSAGES = 3;

  /** Three messages, the maximum time until a step is shown. */
  private static final int MAX_SECONDS = 3 * 300;

  /** Number of messages with true values between two glitches of a possible size. */
  private static final int MIN_DISTANCE = 4;

  /**
   * One message with the counter.
   *
   * @param seconds since the previous message
   * @param load used part of the highest power since then
   * @param glitch in watt-hours; NaN for none, then the message has the true value
   * @param isNear whether the glitch is added to the true value
   */
  private record Step(int seconds, double load, double glitch, boolean isNear) {

    boolean isTrue() {
      return Double.isNaN(glitch);
    }
  }

  @Provide
  Arbitrary<List<Step>> steps() {
    Arbitrary<Double> none = Arbitraries.just(Double.NaN);
    Arbitrary<Double> any =
        Arbitraries.oneOf(
            Arbitraries.of(0.0, 1.0, -1.0, 65_535.0, 4_000_000.0, 2_147_483_647.0, 4_294_967_295.0),
            Arbitraries.doubles().between(-3_000, 3_000),
            Arbitraries.doubles().between(0, 1e7));
    Arbitrary<Double> glitch =
        Arbitraries.frequencyOf(List.of(Tuple.of(4, none), Tuple.of(1, any)));
    return Combinators.combine(
            Arbitraries.integers().between(1, 300),
            Arbitraries.doubles().between(0, 1),
            glitch,
            Arbitraries.of(true, false))
        .as(Step::new)
        .list()
        .ofMinSize(5)
        .ofMaxSize(60);
  }

  @Property(tries = 5_000)
  void singleGlitchesCauseNoDropJumpOrFreeze(@ForAll("steps") List<Step> steps) {
    NativeCounter counter =
        new NativeCounter(
            new NativeCounter.Kind(true, false, false), NativeCounter.Limit.ofEnergy(WATTS));
    double wattHours = 444_762;
    long now = 0;
    counter.update(wattHours * JOULES_PER_WATT_HOUR, 0, now);
    double shown = counter.value();
    double lastTrue = wattHours;
    int frozen = 0;
    double possible = 0;
    int trueBefore = MIN_DISTANCE;
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      // Two values that agree are not a glitch; one of a possible size is corrected by three
      // messages.
      boolean isTrue = step.isTrue() || trueBefore < (step.isNear() ? MIN_DISTANCE : 1);
      trueBefore = isTrue ? trueBefore + 1 : 0;
      now += TimeUnit.SECONDS.toNanos(step.seconds());
      wattHours += Math.rint(step.load() * WATTS * step.seconds() / 3600);
      // A glitch of a possible size cannot be detected.
      possible += isTrue ? 0 : ALWAYS_POSSIBLE + WATTS * MAX_SECONDS;
      double sent = isTrue ? wattHours : step.isNear() ? wattHours + step.glitch() : step.glitch();
      counter.update(sent * JOULES_PER_WATT_HOUR, i + 1, now);

      double value = counter.value();
      assertFalse(value < shown, "decrease at message " + i);
      double max = wattHours * JOULES_PER_WATT_HOUR + possible;
      assertTrue(value <= max, "jump at message " + i);
      // A true value can equal the value that a previous glitch left.
      if (value > shown || value == wattHours * JOULES_PER_WATT_HOUR) {
        frozen = 0;
      } else if (isTrue && wattHours > lastTrue) {
        frozen++;
      }
      lastTrue = isTrue ? wattHours : lastTrue;
      assertTrue(frozen <= MAX_FROZEN_MESSAGES, "no change until message " + i);
      shown = value;
    }
  }

  @Property
  void showsValueOfDeviceWithoutGlitches(@ForAll("steps") List<Step> steps) {
    NativeCounter counter =
        new NativeCounter(
            new NativeCounter.Kind(true, false, false), NativeCounter.Limit.ofEnergy(WATTS));
    double wattHours = 1;
    long now = 0;
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      now += TimeUnit.SECONDS.toNanos(step.seconds());
      wattHours += Math.rint(step.load() * WATTS * step.seconds() / 3600);
      NativeCounter.Held held = counter.update(wattHours * JOULES_PER_WATT_HOUR, i, now);
      assertEquals(NativeCounter.Held.NOT_HELD, held);
      assertEquals(wattHours * JOULES_PER_WATT_HOUR, counter.value());
    }
  }

  /**
   * A device with two copies of a counter, one of which lags behind, in messages of both kinds.
   *
   * @param runs the number of consecutive messages of one kind
   */
  @Property
  void laggingCopyAddsNothing(
      @ForAll @Size(min = 2, max = 40) List<@IntRange(min = 1, max = 6) Integer> runs,
      @ForAll @IntRange(min = 1, max = 900) int behind,
      @ForAll @IntRange(min = 0, max = 5) int growth) {
    NativeCounter counter =
        new NativeCounter(
            new NativeCounter.Kind(true, false, false), NativeCounter.Limit.ofEnergy(WATTS));
    double wattHours = 444_762;
    double shown = 0;
    long number = 0;
    for (int run = 0; run < runs.size(); run++) {
      for (int i = 0; i < runs.get(run); i++) {
        wattHours += growth;
        double sent = run % 2 == 0 ? wattHours : wattHours - behind;
        counter.update(sent * JOULES_PER_WATT_HOUR, number, TimeUnit.SECONDS.toNanos(60 * number));
        number++;

        assertTrue(counter.value() >= shown, "decrease at message " + number);
        shown = counter.value();
        assertTrue(shown <= wattHours * JOULES_PER_WATT_HOUR, "too high at message " + number);
      }
    }
  }
}
