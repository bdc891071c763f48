package ecoflow.account;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * A task that each account needs at its own interval; a timer route asks for the accounts that are
 * due. The accounts are spread evenly over the interval.
 */
public final class Schedule {

  /** Any number of consecutive multiples of it, modulo 1, are spread evenly. */
  private static final double GOLDEN_RATIO = 0.618_033_988_749_895;

  private record Entry(Account account, long at) {}

  private final Predicate<Account> needsTask;
  private final Function<Account, Duration> interval;
  private final LongSupplier nanoClock;
  private final PriorityQueue<Entry> entries =
      new PriorityQueue<>(Comparator.comparingLong(Entry::at));
  private final long start;
  private double phase;

  /**
   * @param interval returns the interval of an account; zero if it is due whenever the timer fires
   */
  public Schedule(
      Predicate<Account> needsTask, Function<Account, Duration> interval, LongSupplier nanoClock) {
    this.needsTask = needsTask;
    this.interval = interval;
    this.nanoClock = nanoClock;
    this.start = nanoClock.getAsLong();
  }

  /** Adds an account, unless it does not need the task. */
  public synchronized void add(Account account) {
    if (needsTask.test(account)) {
      long first = Math.round(interval.apply(account).toNanos() * (1 - phase));
      phase = (phase + GOLDEN_RATIO) % 1;
      entries.add(new Entry(account, now() + first));
    }
  }

  public synchronized void remove(Account account) {
    entries.removeIf(entry -> entry.account() == account);
  }

  /**
   * Route step: replaces the body with the accounts that are due now. Each is due again after its
   * interval.
   */
  public synchronized List<Account> takeDue() {
    long now = now();
    List<Account> due = new ArrayList<>();
    while (!entries.isEmpty() && entries.peek().at() <= now) {
      due.add(entries.remove().account());
    }
    for (Account account : due) {
      entries.add(new Entry(account, now + interval.apply(account).toNanos()));
    }
    return due;
  }

  /** Relative to the start, because values of the clock can overflow. */
  private long now() {
    return nanoClock.getAsLong() - start;
  }
}
