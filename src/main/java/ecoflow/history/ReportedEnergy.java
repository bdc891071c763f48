package ecoflow.history;

import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * The newest answers for today and yesterday. A value is shown only for the day that it is about: a
 * value of yesterday is shown only if EcoFlow reported it after the end of that day.
 */
final class ReportedEnergy {

  /** Receives the current values. */
  interface Receiver {

    /**
     * @param day "today" or "yesterday"
     */
    void accept(String serial, String what, String day, double joules);
  }

  private record Answer(Map<String, Double> joules, LocalDate readOn, long readAt) {}

  private final Map<HistoryRequest, Answer> answers = new ConcurrentHashMap<>();
  private final Duration maxAge;
  private final Clock clock;
  private final LongSupplier nanoClock;

  /**
   * @param maxAge the age at which a value is hidden if EcoFlow does not answer
   * @param clock in the time zone of the devices
   */
  ReportedEnergy(Duration maxAge, Clock clock, LongSupplier nanoClock) {
    this.maxAge = maxAge;
    this.clock = clock;
    this.nanoClock = nanoClock;
  }

  LocalDate today() {
    return LocalDate.now(clock);
  }

  /** Replaces the values of the earlier answer to the same request. */
  void put(HistoryRequest request, Map<String, Double> joules) {
    answers.put(request, new Answer(Map.copyOf(joules), today(), nanoClock.getAsLong()));
  }

  void removeDevices(Predicate<String> isRemoved) {
    answers.keySet().removeIf(request -> isRemoved.test(request.serial()));
  }

  void current(Receiver receiver) {
    LocalDate today = today();
    long now = nanoClock.getAsLong();
    answers.keySet().removeIf(request -> request.day().isBefore(today.minusDays(1)));
    answers.forEach(
        (request, answer) -> {
          boolean isToday = request.day().equals(today);
          boolean isYesterday =
              request.day().equals(today.minusDays(1)) && answer.readOn().equals(today);
          if ((isToday || isYesterday) && now - answer.readAt() <= maxAge.toNanos()) {
            answer
                .joules()
                .forEach(
                    (what, joules) ->
                        receiver.accept(
                            request.serial(), what, isToday ? "today" : "yesterday", joules));
          }
        });
  }
}
