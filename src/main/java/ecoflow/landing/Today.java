package ecoflow.landing;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The energies of one device since local midnight: the increases of its counters. Day counters of
 * the device are treated in the same way, because their midnight can be in another time zone. Not
 * thread-safe.
 */
final class Today {

  /** A counter that falls below this part of its last value has restarted at 0. */
  private static final double RESET = 0.1;

  /**
   * An energy of today.
   *
   * @param sinceMillis the first value, in milliseconds since 1970; 0 if the energy is complete
   *     since midnight
   */
  record Amount(double joules, long sinceMillis) {

    /** "today", or since when the energy is known. */
    String since(long now) {
      return sinceMillis == 0 ? "today" : "since " + Clock.time(sinceMillis, now);
    }
  }

  /**
   * The sum of the increases of a counter.
   *
   * @param last the last value of the counter
   * @param atMillis the time of the last value
   */
  private record Sum(
      double last, boolean isComputed, long atMillis, double joules, long sinceMillis) {

    static Sum startingAt(Energy.Count count, long now) {
      return new Sum(count.joules(), count.isComputed(), now, 0, now);
    }

    Sum plus(Energy.Count count, long now, long maxGapMillis) {
      boolean isNewDay = Clock.day(now) != Clock.day(atMillis);
      // The energy of a longer gap may be of yesterday.
      if (isNewDay && Math.abs(now - atMillis) > maxGapMillis) {
        return startingAt(count, now);
      }
      double increase = count.isComputed() == isComputed ? increase(count.joules()) : 0;
      return new Sum(
          count.joules(),
          count.isComputed(),
          now,
          isNewDay ? increase : joules + increase,
          isNewDay ? 0 : sinceMillis);
    }

    private double increase(double now) {
      if (now >= last) {
        return now - last;
      }
      return now < RESET * last ? now : 0;
    }
  }

  private final Map<Energy, Sum> sums = new EnumMap<>(Energy.class);

  /**
   * Adds the increases since the last call.
   *
   * @param maxGapMillis maximum distance of two values before and after midnight
   */
  void update(List<Energy.Count> counts, long now, long maxGapMillis) {
    for (Energy.Count count : counts) {
      sums.put(count.energy(), sum(count, now, maxGapMillis));
    }
  }

  private Sum sum(Energy.Count count, long now, long maxGapMillis) {
    Sum sum = sums.get(count.energy());
    return sum == null ? Sum.startingAt(count, now) : sum.plus(count, now, maxGapMillis);
  }

  /**
   * The energy of today, without an update; empty without a value today.
   *
   * @param counts the current counters; empty if the device is offline
   */
  Optional<Amount> of(Energy energy, List<Energy.Count> counts, long now, long maxGapMillis) {
    Sum sum =
        counts.stream()
            .filter(count -> count.energy() == energy)
            .findFirst()
            .map(count -> sum(count, now, maxGapMillis))
            .orElse(sums.get(energy));
    return sum == null || Clock.day(sum.atMillis()) != Clock.day(now)
        ? Optional.empty()
        : Optional.of(new Amount(sum.joules(), sum.sinceMillis()));
  }
}
