package ecoflow.runtime;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.impl.VertxBuilder;
import io.vertx.core.spi.transport.Transport;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The Vert.x instance of the process: one event loop for HTTP and, with MQTT, a second one. */
public final class EventLoops {

  /** Threads for the routes of HTTP requests. */
  private static final int WORKERS = 2;

  private static final long CLOSE_SECONDS = 2;

  private EventLoops() {}

  /**
   * @param transport the transport of servers and clients
   */
  public static Vertx open(int number, Transport transport) {
    VertxOptions options =
        new VertxOptions()
            .setEventLoopPoolSize(number)
            .setWorkerPoolSize(WORKERS)
            .setInternalBlockingPoolSize(1)
            // Programs that embed the beans and do not close them can exit.
            .setUseDaemonThread(true)
            // The check for blocked threads cannot be disabled. Once an hour it has no cost, and
            // reports routes that are stuck.
            .setBlockedThreadCheckInterval(1)
            .setBlockedThreadCheckIntervalUnit(TimeUnit.HOURS)
            .setFileSystemOptions(
                new FileSystemOptions()
                    .setFileCachingEnabled(false)
                    .setClassPathResolvingEnabled(false));
    // The same as Vertx.vertx, which has no parameter for the transport.
    return new VertxBuilder(options).findTransport(transport).init().vertx();
  }

  /** Closes the instance, without waiting for an event loop that is stuck. */
  public static void close(Vertx vertx) {
    try {
      vertx.close().toCompletionStage().toCompletableFuture().get(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      // The threads end with the process.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
