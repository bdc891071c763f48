package ecoflow.config;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A time limit for access to a file: a read from a pipe or from a share that hangs never returns.
 *
 * @param limit for the access as a whole
 */
public record Patience(Duration limit) {

  /** For files that the start depends on. */
  public static final Patience START = new Patience(Duration.ofSeconds(5));

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
