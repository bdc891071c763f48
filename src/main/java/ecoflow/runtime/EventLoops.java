package ecoflow.runtime;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.impl.VertxInternal;
import io.vertx.core.impl.VertxWrapper;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The Vert.x instance of the process: one event loop for HTTP and, with MQTT, a second one. */
public final class EventLoops {

  /** Threads for the routes of HTTP requests. */
  private static final int WORKERS = 2;

  private static final long CLOSE_SECONDS = 2;

  private EventLoops() {}

  public static Vertx open(int number) {
    Vertx vertx =
        Vertx.vertx(
            new VertxOptions()
                .setEventLoopPoolSize(number)
                .setWorkerPoolSize(WORKERS)
                .setInternalBlockingPoolSize(1)
                // So that a program that embeds the beans without closing them can end.
                .setUseDaemonThread(true)
                // The check for blocked threads cannot be switched off; once an hour it reports a
                // route that hangs, at no cost.
                .setBlockedThreadCheckInterval(1)
                .setBlockedThreadCheckIntervalUnit(TimeUnit.HOURS)
                .setFileSystemOptions(
                    new FileSystemOptions()
                        .setFileCachingEnabled(false)
                        .setClassPathResolvingEnabled(false)));
    return new Http1Only((VertxInternal) vertx);
  }

  /**
   * A Vert.x whose HTTP servers speak HTTP/1.1 only. By default they also accept HTTP/2 in clear
   * text, by an upgrade or by its preface, and Camel has no option for it. With TLS they offer no
   * HTTP/2 as long as ALPN is off, which is the default.
   */
  private static final class Http1Only extends VertxWrapper {

    private Http1Only(VertxInternal vertx) {
      super(vertx);
    }

    @Override
    public HttpServer createHttpServer(HttpServerOptions options) {
      // Netty's handler of WebSocket compression fails at the 129th request of a pipeline.
      return super.createHttpServer(
          new HttpServerOptions(options)
              .setHttp2ClearTextEnabled(false)
              .setPerMessageWebSocketCompressionSupported(false)
              .setPerFrameWebSocketCompressionSupported(false));
    }

    @Override
    public HttpServer createHttpServer() {
      return createHttpServer(new HttpServerOptions());
    }
  }

  /** Closes the instance without waiting for an event loop that hangs. */
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
