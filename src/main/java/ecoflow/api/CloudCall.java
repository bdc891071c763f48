package ecoflow.api;

import ecoflow.meters.Meters;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What surrounds each attempt of an HTTPS call: the pause before, the check and record after. */
final class CloudCall {

  private static final Logger LOG = LoggerFactory.getLogger(CloudCall.class);
  private static final String PATH = "apiPath";
  private static final String DEVICE = "apiDevice";
  private static final String STARTED = "apiStarted";
  private static final String ATTEMPT = "apiAttempt";
  private static final int NO_CONTENT = 204;
  private static final int RESET_CONTENT = 205;

  private final Duration timeout;
  private final ApiHost host;
  private final Cooldown cooldown;
  private final Meters meters;
  private final LongSupplier nanoClock;

  CloudCall(
      Duration timeout, ApiHost host, Cooldown cooldown, Meters meters, LongSupplier nanoClock) {
    this.timeout = timeout;
    this.host = host;
    this.cooldown = cooldown;
    this.meters = meters;
    this.nanoClock = nanoClock;
  }

  /**
   * Route step: an attempt begins.
   *
   * @throws Cooldown.NotOverException when EcoFlow asked for a pause
   */
  public void begin(Exchange exchange) throws Cooldown.NotOverException {
    int attemptsBefore = exchange.getMessage().getHeader(Exchange.REDELIVERY_COUNTER, 0, int.class);
    cooldown.check(attemptsBefore > 0);
    // The answer replaces the header that counts.
    exchange.setProperty(ATTEMPT, attemptsBefore + 1);
    exchange.setProperty(STARTED, nanoClock.getAsLong());
    // Of the attempt before, when this one is a retry.
    exchange.removeProperty(Exchange.EXCEPTION_CAUGHT);
  }

  /**
   * Replaces an answer by its data, and refuses answers that are not code 0, so that they count as
   * failed attempts.
   *
   * @throws CloudException with what EcoFlow said
   */
  public void check(Exchange exchange) throws CloudException {
    Message message = exchange.getMessage();
    message.setBody(Answers.data(message.getBody()));
    host.works();
    cooldown.reset();
  }

  /**
   * Route step: refuses a successful answer without a body, which the reader of JSON cannot name.
   *
   * @throws CloudException then
   */
  public void requireContent(Exchange exchange) throws CloudException {
    Message message = exchange.getMessage();
    Integer status = message.getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    if (status != null && (status == NO_CONTENT || status == RESET_CONTENT)) {
      throw new CloudException("", "the answer is empty (HTTP " + status + ")");
    }
  }

  /**
   * Refuses data that is no object.
   *
   * @throws CloudException then
   */
  public void requireObject(Exchange exchange) throws CloudException {
    Api.object(exchange.getMessage().getBody());
  }

  /** Counts the attempt; runs after success and failure alike. */
  public void record(Exchange exchange) {
    Integer code = exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    Long started = exchange.getProperty(STARTED, Long.class);
    if (started == null) {
      return;
    }
    Duration took = Duration.ofNanos(nanoClock.getAsLong() - started);
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    String status = "success";
    if (failure != null) {
      keepCounting(exchange);
      // A call that is cut can fail in many ways; an answer that came in time is none of them.
      boolean answered =
          failure instanceof HttpOperationFailedException || failure instanceof CloudException;
      status = !answered && took.compareTo(timeout) >= 0 ? "timeout" : "error";
    }
    meters.httpRequest(exchange.getProperty(PATH, String.class), status, took);
    if (LOG.isDebugEnabled()) {
      LOG.debug("{}", story(exchange, code, took, failure));
    }
  }

  /**
   * Camel counts redeliveries in a header, which an answer replaces: without it every attempt that
   * is answered would be the first one, and there would be no last one.
   */
  private static void keepCounting(Exchange exchange) {
    int attemptsBefore = exchange.getProperty(ATTEMPT, 1, int.class) - 1;
    if (attemptsBefore > 0) {
      exchange.getMessage().setHeader(Exchange.REDELIVERY_COUNTER, attemptsBefore);
    }
  }

  /** One line about an attempt; the query, the headers and the bodies hold secrets. */
  private static String story(Exchange exchange, Integer code, Duration took, Throwable failure) {
    String serial = exchange.getProperty(DEVICE, String.class);
    Object status =
        failure instanceof HttpOperationFailedException http
            ? Integer.valueOf(http.getStatusCode())
            : code;
    return exchange.getProperty(PATH, String.class)
        + (serial == null ? "" : " of device " + serial)
        + ": "
        + (status == null ? "no status" : "HTTP " + status)
        + " after "
        + took.toMillis()
        + " ms, attempt "
        + exchange.getProperty(ATTEMPT, Integer.class)
        + (failure == null || failure instanceof HttpOperationFailedException
            ? ""
            : ": " + Lines.describe(failure));
  }
}
