package ecoflow.runtime;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A thread pool whose slow tasks do not delay others: while tasks wait, each task that runs for
 * longer than a moment gets a replacement thread, up to a limit.
 */
final class GrowingPool extends ThreadPoolExecutor {

  /** The time after which a task is slow, and the interval of the checks. */
  private static final Duration SLOW = Duration.ofMillis(500);

  private final int threads;
  private final int maxThreads;
  private final Map<Thread, Long> started = new ConcurrentHashMap<>();
  private final AtomicBoolean isCheckScheduled = new AtomicBoolean();

  /**
   * @param threads number of threads for tasks that are not slow
   * @param maxThreads number of threads for all tasks
   */
  GrowingPool(int threads, int maxThreads, ThreadFactory factory) {
    super(
        threads,
        threads,
        1,
        TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(),
        factory,
        // As in the other pools, discards tasks after the shutdown.
        new CallerRunsPolicy());
    this.threads = threads;
    this.maxThreads = maxThreads;
  }

  @Override
  public void execute(Runnable task) {
    super.execute(task);
    scheduleCheck();
  }

  @Override
  protected void beforeExecute(Thread thread, Runnable task) {
    started.put(thread, System.nanoTime());
  }

  @Override
  protected void afterExecute(Runnable task, Throwable failure) {
    started.remove(Thread.currentThread());
  }

  private void scheduleCheck() {
    boolean isNeeded = !getQueue().isEmpty() || getCorePoolSize() > threads;
    if (isNeeded && !isShutdown() && isCheckScheduled.compareAndSet(false, true)) {
      CompletableFuture.delayedExecutor(SLOW.toMillis(), TimeUnit.MILLISECONDS, Runnable::run)
          .execute(this::check);
    }
  }

  private void check() {
    isCheckScheduled.set(false);
    long now = System.nanoTime();
    long slow = started.values().stream().filter(start -> now - start >= SLOW.toNanos()).count();
    int size = (int) Math.min(maxThreads, threads + slow);
    if (size >= getCorePoolSize()) {
      setMaximumPoolSize(size);
      setCorePoolSize(size);
    } else {
      setCorePoolSize(size);
      setMaximumPoolSize(size);
    }
    scheduleCheck();
  }
}
