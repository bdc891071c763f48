package ecoflow.config;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A time limit for file access, because a read from a pipe or from an unresponsive network share
 * can block forever.
 *
 * @param limit of the whole access
 */
public record TimeLimit(Duration limit) {

  /** For files that are read at start. */
  public static final TimeLimit START = new TimeLimit(Duration.ofSeconds(5));

  /**
   * Runs the access in another thread, which is abandoned if it does not return in time.
   *
   * @throws ExecutionException with the exception of the access as its cause
   */
  public <T> T read(Callable<T> access) throws ExecutionException, TimeoutException {
    FutureTask<T> task = new FutureTask<>(access);
    Thread thread = new Thread(task, "file-access");
    thread.setDaemon(true);
    thread.start();
    try {
      return task.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TimeoutException("interrupted");
    }
  }

  /** For an error message. */
  @Override
  public String toString() {
    return "cannot be read within " + limit.toSeconds() + " s";
  }
}
