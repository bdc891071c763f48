package ecoflow.api;

import ecoflow.runtime.OutOfMemory;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.concurrent.Cancellable;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;

/**
 * Limits the duration of an HTTP call and the size of its response body. The timeouts of the client
 * restart with each byte, so that a server that sends one byte per second could block a call for
 * hours. Camel reads the body of an HTTP error into memory, regardless of its size.
 */
final class HttpBounds implements HttpClientConfigurer, AutoCloseable {

  /** Maximum number of bytes to read after the end of the JSON text. */
  private static final int MAX_REMAINDER = 8192;

  private final Duration limit;
  private final int maxBody;
  private final ScheduledThreadPoolExecutor timer =
      new ScheduledThreadPoolExecutor(
          1,
          task -> {
            Thread thread = new Thread(task, "http-deadline");
            thread.setDaemon(true);
            return thread;
          });

  HttpBounds(Duration limit, int maxBody) {
    this.limit = limit;
    this.maxBody = maxBody;
    // Otherwise completed calls would stay in memory until their deadline.
    timer.setRemoveOnCancelPolicy(true);
    // Calls are rare: usually no deadline is pending.
    timer.setKeepAliveTime(1, TimeUnit.SECONDS);
    timer.allowCoreThreadTimeOut(true);
  }

  @Override
  public void configureHttpClient(HttpClientBuilder builder) {
    // For cookies, the client would keep a list of 10,000 domains in memory.
    builder.disableCookieManagement();
    builder.setDefaultCookieSpecRegistry(name -> null);
    builder.addExecInterceptorFirst(
        "bounds",
        (request, scope, chain) -> {
          Cancellable call = scope.originalRequest instanceof Cancellable c ? c : () -> false;
          Future<?> deadline =
              timer.schedule(() -> cancel(call), limit.toMillis(), TimeUnit.MILLISECONDS);
          boolean bodyFollows = false;
          try {
            var response = chain.proceed(request, scope);
            if (response.getEntity() != null) {
              response.setEntity(new Body(response.getEntity(), call, deadline));
              bodyFollows = true;
            }
            return response;
          } finally {
            if (!bodyFollows) {
              deadline.cancel(false);
            }
          }
        });
  }

  private static void cancel(Cancellable call) {
    try {
      call.cancel();
    } catch (OutOfMemoryError e) {
      // The timer would swallow the error.
      OutOfMemory.endIf(e);
    }
  }

  private final class Body extends HttpEntityWrapper {

    private final Cancellable call;
    private final Future<?> deadline;

    Body(HttpEntity entity, Cancellable call, Future<?> deadline) {
      super(entity);
      this.call = call;
      this.deadline = deadline;
    }

    @Override
    public InputStream getContent() throws IOException {
      return new Content(super.getContent(), call, deadline);
    }
  }

  private final class Content extends FilterInputStream {

    private final Cancellable call;
    private final Future<?> deadline;
    private int remaining = maxBody;
    private boolean ended;

    Content(InputStream in, Cancellable call, Future<?> deadline) {
      super(in);
      this.call = call;
      this.deadline = deadline;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int count = super.read(buffer, offset, length);
      ended |= count < 0;
      remaining -= Math.max(0, count);
      if (remaining < 0) {
        call.cancel();
        throw new IOException("the response has more than " + maxBody + " bytes");
      }
      return count;
    }

    @Override
    public boolean markSupported() {
      return false;
    }

    /**
     * A connection can be reused only if the body was read to the end; if the remainder is long,
     * the call is cancelled instead.
     */
    @Override
    public void close() throws IOException {
      try {
        if (!ended && in.readNBytes(MAX_REMAINDER).length == MAX_REMAINDER) {
          call.cancel();
        }
      } finally {
        super.close();
        deadline.cancel(false);
      }
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
