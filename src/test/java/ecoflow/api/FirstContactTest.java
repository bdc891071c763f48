package ecoflow.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.PerAccount;
import ecoflow.config.ConfigException;
import ecoflow.testkit.OneAccount;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.camel.support.DefaultScheduledPollConsumerScheduler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The attempts before the first success and the pauses between them. */
class FirstContactTest {

  /** Stores tasks instead of running them. */
  private static final class Schedule extends ScheduledThreadPoolExecutor {

    private final List<Long> pauses = new ArrayList<>();
    private Runnable next;

    Schedule() {
      super(1);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
      pauses.add(unit.toMillis(delay));
      next = task;
      return super.schedule(() -> {}, 1, TimeUnit.DAYS);
    }

    void runNext() {
      Runnable task = next;
      next = null;
      task.run();
    }
  }

  private final OneAccount one;
  private final Schedule schedule = new Schedule();
  private int ends;

  FirstContactTest() throws ConfigException {
    one =
        OneAccount.of(
            Map.of(
                "ECOFLOW_ACCESS_KEY", "key",
                "ECOFLOW_SECRET_KEY", "secret",
                "ECOFLOW_DEVICE_SN", "all"));
  }

  @AfterEach
  void end() {
    schedule.shutdownNow();
  }

  private FirstContact contact(int attempts, long pause, long longest) {
    return new FirstContact(
        OptionalInt.of(attempts),
        Duration.ofSeconds(pause),
        Duration.ofSeconds(longest),
        () -> ends++);
  }

  private DefaultScheduledPollConsumerScheduler contacts(FirstContact contact, Runnable attempt) {
    FirstContacts contacts =
        new FirstContacts(
            one.accounts(),
            new PerAccount<>(account -> contact),
            account -> false,
            account -> Duration.ZERO);
    DefaultScheduledPollConsumerScheduler scheduler = contacts.scheduler();
    scheduler.setScheduledExecutorService(schedule);
    scheduler.scheduleTask(
        () ->
            contacts
                .takeDue()
                .forEach(
                    account -> {
                      attempt.run();
                      contacts.ended(account);
                    }));
    scheduler.startScheduler();
    return scheduler;
  }

  /** The pauses after this number of failed attempts. */
  private List<Long> pausesOf(FirstContact contact, int attempts) {
    contacts(contact, () -> contact.failed("no answer"));
    for (int i = 0; i < attempts; i++) {
      schedule.runNext();
    }
    return schedule.pauses;
  }

  @Test
  void pausesDoubleUpToLongestPause() {
    assertEquals(
        List.of(0L, 30_000L, 60_000L, 120_000L, 240_000L, 300_000L, 300_000L),
        pausesOf(contact(100, 30, 300), 6));
    assertEquals(0, ends);
  }

  @Test
  void firstPauseCanExceedLongestPause() {
    assertEquals(List.of(0L, 600_000L, 600_000L), pausesOf(contact(100, 600, 300), 2));
  }

  @Test
  void lastAttemptEndsProcess() {
    FirstContact contact = contact(3, 30, 300);
    assertEquals(List.of(0L, 30_000L, 60_000L), pausesOf(contact, 3));
    assertEquals(1, ends);
    assertTrue(contact.isOver());
    assertFalse(contact.isMade());
    contact.failed("an attempt that had already started");
    assertEquals(1, ends);
  }

  @Test
  void answerEndsAttempts() {
    FirstContact contact = contact(3, 30, 300);
    contacts(contact, contact::succeeded);
    schedule.runNext();
    assertEquals(List.of(0L), schedule.pauses);
    contact.failed("a later failure");
    assertEquals(0, ends);
  }

  @Test
  void attemptWithUnknownResultIsRepeated() {
    FirstContact contact = contact(3, 30, 300);
    contacts(contact, () -> {});
    schedule.runNext();
    schedule.runNext();
    assertEquals(List.of(0L, 30_000L, 30_000L), schedule.pauses);
  }

  @Test
  void stoppedRouteIsNotRetried() {
    FirstContact contact = contact(3, 30, 300);
    DefaultScheduledPollConsumerScheduler contacts =
        contacts(contact, () -> contact.failed("no answer"));
    assertTrue(contacts.isSchedulerStarted());
    contacts.unscheduleTask();
    assertFalse(contacts.isSchedulerStarted());
    schedule.runNext();
    assertEquals(List.of(0L), schedule.pauses);
    contacts.startScheduler();
    assertEquals(List.of(0L, 0L), schedule.pauses);
  }
}
