package ecoflow;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The Vert.x of the process: one event loop for HTTP and, with an account, one for MQTT. */
final class EventLoops {

  /** Camel runs the routes of HTTP requests in them. */
  private static final int WORKERS = 2;

  private static final long CLOSE_SECONDS = 2;

  private EventLoops() {}

  static Vertx open(int number) {
    return Vertx.vertx(
        new VertxOptions()
            .setEventLoopPoolSize(number)
            .setWorkerPoolSize(WORKERS)
            .setInternalBlockingPoolSize(1)
            // Whoever embeds the beans and forgets to close them can end all the same.
            .setUseDaemonThread(true)
            // It cannot be left out; once an hour it tells of a route that hangs, and costs
            // nothing.
            .setBlockedThreadCheckInterval(1)
            .setBlockedThreadCheckIntervalUnit(TimeUnit.HOURS)
            .setFileSystemOptions(
                new FileSystemOptions()
                    .setFileCachingEnabled(false)
                    .setClassPathResolvingEnabled(false)));
  }

  /** Does not wait for a loop that hangs. */
  static void close(Vertx vertx) {
    try {
      vertx.close().toCompletionStage().toCompletableFuture().get(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      // Its threads end with the process.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
