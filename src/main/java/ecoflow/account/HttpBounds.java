package ecoflow.account;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.concurrent.Cancellable;

/**
 * Cuts an HTTP call that has not ended in time. The client's own time-outs start anew with each
 * byte, so a server that answers one byte a second would hold a call for hours.
 */
public final class HttpDeadline implements HttpClientConfigurer, AutoCloseable {

  private final Duration limit;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "http-deadline");
            thread.setDaemon(true);
            return thread;
          });

  public HttpDeadline(Duration limit) {
    this.limit = limit;
  }

  @Override
  public void configureHttpClient(HttpClientBuilder builder) {
    builder.addExecInterceptorFirst(
        "deadline",
        (request, scope, chain) -> {
          if (scope.originalRequest instanceof Cancellable call) {
            // The body is read after this chain ends, so the timer stays; on a call that has ended
            // in time it does nothing.
            timer.schedule(call::cancel, limit.toMillis(), TimeUnit.MILLISECONDS);
          }
          return chain.proceed(request, scope);
        });
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
