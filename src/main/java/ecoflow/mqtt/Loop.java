package ecoflow.mqtt;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** The event loop that connections share, one after the other. */
record Loop(Vertx vertx, Context context, Thread thread) {

  /**
   * A thread that asks Vert.x for a context keeps it for all that it does later. A thread that ends
   * at once does nothing later, so the web server gets another event loop.
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
   * @return forgets it again
   */
  Runnable runLater(Duration pause, Runnable action) {
    CompletableFuture<Long> timer = new CompletableFuture<>();
    run(
        () ->
            timer.complete(vertx.setTimer(Math.max(1, pause.toMillis()), unused -> action.run())));
    return () -> timer.thenAccept(vertx::cancelTimer);
  }
}
