package ecoflow.api;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.account.PerAccount;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.camel.Variable;
import org.apache.camel.support.DefaultScheduledPollConsumerScheduler;

/**
 * The schedule of the first attempts of each account, bean {@code firstContacts}. The first attempt
 * runs at the start, and each further attempt after a pause that starts when the previous attempt
 * ends. Camel's own schedulers support only constant pauses.
 */
final class FirstContacts {

  private final Accounts accounts;
  private final PerAccount<FirstContact> contacts;
  private final Predicate<Account> failing;
  private final Function<Account, Duration> firstPause;
  private final Map<Account, ScheduledFuture<?>> pending = new HashMap<>();
  private final Set<Account> due = new LinkedHashSet<>();
  private volatile Runnable route;

  /** Null while the route is stopped. */
  private ScheduledExecutorService executor;

  /**
   * @param failing whether the last attempt of an account failed
   * @param firstPause returns the time until the first attempt of an account
   */
  FirstContacts(
      Accounts accounts,
      PerAccount<FirstContact> contacts,
      Predicate<Account> failing,
      Function<Account, Duration> firstPause) {
    this.accounts = accounts;
    this.contacts = contacts;
    this.failing = failing;
    this.firstPause = firstPause;
  }

  /** The scheduler of the route {@code first-contact}, which runs the route after each pause. */
  private final class Scheduler extends DefaultScheduledPollConsumerScheduler {

    @Override
    public void scheduleTask(Runnable task) {
      super.scheduleTask(task);
      route = task;
    }

    @Override
    public void startScheduler() {
      begin(getScheduledExecutorService());
    }

    @Override
    public boolean isSchedulerStarted() {
      return isActive();
    }

    @Override
    public void unscheduleTask() {
      cancelAll();
    }
  }

  /** The scheduler of the route, bean {@code firstContactPauses}. */
  DefaultScheduledPollConsumerScheduler scheduler() {
    return new Scheduler();
  }

  private synchronized void begin(ScheduledExecutorService newExecutor) {
    if (executor == null) {
      executor = newExecutor;
      accounts.all().forEach(this::add);
    }
  }

  private synchronized boolean isActive() {
    return executor != null;
  }

  private synchronized void cancelAll() {
    executor = null;
    pending.values().forEach(attempt -> attempt.cancel(false));
    pending.clear();
  }

  /** Schedules the first attempt of an account. */
  synchronized void add(Account account) {
    attemptIn(account, firstPause.apply(account));
  }

  synchronized void remove(Account account) {
    ScheduledFuture<?> attempt = pending.remove(account);
    if (attempt != null) {
      attempt.cancel(false);
    }
    due.remove(account);
  }

  /** Schedules all first attempts again in the same order, after logins have been returned. */
  synchronized void advance() {
    List<Account> waiting =
        pending.entrySet().stream()
            .filter(attempt -> !failing.test(attempt.getKey()))
            .sorted(Map.Entry.comparingByValue())
            .map(Map.Entry::getKey)
            .toList();
    for (Account account : waiting) {
      ScheduledFuture<?> attempt = pending.get(account);
      if (attempt.cancel(false)) {
        attemptIn(account, firstPause.apply(account));
      }
    }
  }

  /** Route step: replaces the body with the accounts whose next attempt is due, each once. */
  public synchronized List<Account> takeDue() {
    List<Account> now = new ArrayList<>(due);
    due.clear();
    return now;
  }

  /** For routes: whether EcoFlow has responded to a call of the account. */
  public boolean isMade(@Variable(Account.VARIABLE) Account account) {
    return contacts.of(account).isMade();
  }

  /**
   * For routes: whether the last attempt of the account failed. Its next attempt can take long, and
   * must not delay those of other accounts.
   */
  public boolean isFailing(@Variable(Account.VARIABLE) Account account) {
    return failing.test(account);
  }

  /** Route step: schedules the next attempt after the end of one, unless it was successful. */
  public synchronized void ended(@Variable(Account.VARIABLE) Account account) {
    FirstContact contact = contacts.of(account);
    if (accounts.isServed(account) && !contact.isOver()) {
      attemptIn(account, Api.longer(contact.pause(), firstPause.apply(account)));
    }
  }

  private void attemptIn(Account account, Duration pause) {
    if (executor != null) {
      pending.put(
          account, executor.schedule(() -> run(account), pause.toMillis(), TimeUnit.MILLISECONDS));
    }
  }

  private void run(Account account) {
    synchronized (this) {
      if (pending.remove(account) == null) {
        return;
      }
      due.add(account);
    }
    route.run();
  }
}
