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

/**
 * The steps around each attempt of an HTTPS call: the check of the pause before it, the check of
 * the answer and the metrics after it.
 */
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
   * Route step: starts an attempt.
   *
   * @throws Cooldown.NotOverException if EcoFlow asked for a pause
   */
  public void begin(Exchange exchange) throws Cooldown.NotOverException {
    int attemptsBefore = exchange.getMessage().getHeader(Exchange.REDELIVERY_COUNTER, 0, int.class);
    cooldown.check(attemptsBefore > 0);
    // A property, because the response replaces the header with the count.
    exchange.setProperty(ATTEMPT, attemptsBefore + 1);
    exchange.setProperty(STARTED, nanoClock.getAsLong());
    // Left from the previous attempt if this is a retry.
    exchange.removeProperty(Exchange.EXCEPTION_CAUGHT);
  }

  /**
   * Replaces an answer with its data, and rejects answers with a code other than 0, so that they
   * count as failed attempts.
   *
   * @throws CloudException with EcoFlow's code and message
   */
  public void check(Exchange exchange) throws CloudException {
    Message message = exchange.getMessage();
    message.setBody(Answers.data(message.getBody()));
    host.works();
    cooldown.reset();
  }

  /**
   * Route step: rejects a successful response without a body, for which the JSON reader has no
   * useful message.
   *
   * @throws CloudException if the response is empty
   */
  public void requireContent(Exchange exchange) throws CloudException {
    Message message = exchange.getMessage();
    Integer status = message.getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    if (status != null && (status == NO_CONTENT || status == RESET_CONTENT)) {
      throw new CloudException("", "the answer is empty (HTTP " + status + ")");
    }
  }

  /**
   * Rejects data that is not an object.
   *
   * @throws CloudException if the data is not an object
   */
  public void requireObject(Exchange exchange) throws CloudException {
    Api.object(exchange.getMessage().getBody());
  }

  /** Counts the attempt; runs after success and failure. */
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
      // A call that is cancelled can fail in many ways, but never with an answer.
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
   * Camel counts redeliveries in a header, which a response replaces: without it every attempt with
   * a response would be the first one, and none would be the last.
   */
  private static void keepCounting(Exchange exchange) {
    int attemptsBefore = exchange.getProperty(ATTEMPT, 1, int.class) - 1;
    if (attemptsBefore > 0) {
      exchange.getMessage().setHeader(Exchange.REDELIVERY_COUNTER, attemptsBefore);
    }
  }

  /**
   * Describes an attempt in one line, without the query, the headers and the bodies, because they
   * contain secrets.
   */
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
