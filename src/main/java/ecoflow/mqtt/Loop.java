package ecoflow.mqtt;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** The event loop of all connections. */
record Loop(Vertx vertx, Context context, Thread thread) {

  /**
   * Vert.x binds a thread to the first context that the thread requests. The request is made on a
   * short-lived thread, so that the web server gets another event loop.
   */
  static Loop of(Vertx vertx) {
    CompletableFuture<Context> context = new CompletableFuture<>();
    new Thread(() -> context.complete(vertx.getOrCreateContext()), "mqtt-context").start();
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    context.join().runOnContext(unused -> thread.complete(Thread.currentThread()));
    return new Loop(vertx, context.join(), thread.join());
  }

  void run(Runnable action) {
    context.runOnContext(unused -> action.run());
  }

  /**
   * @return an action that cancels the timer
   */
  Runnable runLater(Duration pause, Runnable action) {
    CompletableFuture<Long> timer = new CompletableFuture<>();
    run(
        () ->
            timer.complete(vertx.setTimer(Math.max(1, pause.toMillis()), unused -> action.run())));
    return () -> timer.thenAccept(vertx::cancelTimer);
  }
}
