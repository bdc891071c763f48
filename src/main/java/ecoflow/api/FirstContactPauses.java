package ecoflow.api;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.camel.support.DefaultScheduledPollConsumerScheduler;

/**
 * The scheduler of the route {@code first-contact}, bean {@code firstContactPauses}. The first
 * attempt runs at the start, and each further attempt after a pause that starts when the previous
 * attempt ends. Camel's own schedulers support only constant pauses.
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
    // Null if the route has been stopped in the meantime.
    if (next != null && !contact.isOver()) {
      attemptIn(contact.pause());
    }
  }

  private void attemptIn(Duration pause) {
    next =
        getScheduledExecutorService().schedule(this::run, pause.toMillis(), TimeUnit.MILLISECONDS);
  }
}
