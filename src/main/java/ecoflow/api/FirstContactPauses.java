package ecoflow.api;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.camel.support.DefaultScheduledPollConsumerScheduler;

/**
 * The scheduler of the route {@code first-contact}, bean {@code firstContactPauses}: an attempt at
 * the start, and each further one after a pause that counts from the end of the one before. Camel's
 * own schedulers know constant pauses only.
 */
final class FirstContactPauses extends DefaultScheduledPollConsumerScheduler {

  private final FirstContact contact;
  private Runnable attempt;
  private Future<?> next;

  FirstContactPauses(FirstContact contact) {
    this.contact = contact;
  }

  @Override
  public void scheduleTask(Runnable task) {
    super.scheduleTask(task);
    attempt = task;
  }

  @Override
  public synchronized void startScheduler() {
    if (next == null) {
      attemptIn(Duration.ZERO);
    }
  }

  @Override
  public synchronized boolean isSchedulerStarted() {
    return next != null;
  }

  @Override
  public synchronized void unscheduleTask() {
    if (next != null) {
      next.cancel(false);
      next = null;
    }
  }

  private void run() {
    try {
      attempt.run();
    } finally {
      runAgain();
    }
  }

  private synchronized void runAgain() {
    // Null when the route was stopped meanwhile.
    if (next != null && !contact.isOver()) {
      attemptIn(contact.pause());
    }
  }

  private void attemptIn(Duration pause) {
    next =
        getScheduledExecutorService().schedule(this::run, pause.toMillis(), TimeUnit.MILLISECONDS);
  }
}
