package ecoflow.account;

import ecoflow.config.Settings;
import ecoflow.metrics.SelfMetrics;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What surrounds each attempt of an HTTPS call: its headers before, its record after. */
public final class HttpCalls {

  /** Exchange property: the part of the path that names the call in metrics and logs. */
  public static final String ENDPOINT = "apiEndpoint";

  /** Exchange property: the path of the call. */
  static final String PATH = "apiPath";

  /** Exchange property: what people call the call, for log lines that do not say so themselves. */
  static final String NAME = "apiName";

  /** Exchange property: the serial number that a call is about. */
  public static final String DEVICE = "apiDevice";

  private static final String STARTED = "apiStarted";
  private static final String ATTEMPT = "apiAttempt";
  private static final Logger LOG = LoggerFactory.getLogger(HttpCalls.class);
  private static final int LEAST_NONCE = 100_000;
  private static final int NONCES = 900_000;

  private final Settings settings;
  private final AccountLogin login;
  private final Signer signer;
  private final ApiHost host;
  private final Cooldown cooldown;
  private final SelfMetrics metrics;
  private final LongSupplier nanoClock;
  private final SecureRandom random = new SecureRandom();

  /**
   * @param login null with REST
   */
  public HttpCalls(
      Settings settings,
      AccountLogin login,
      ApiHost host,
      Cooldown cooldown,
      SelfMetrics metrics,
      LongSupplier nanoClock) {
    this.settings = settings;
    this.login = login;
    this.signer = new Signer(settings.credentials());
    this.host = host;
    this.cooldown = cooldown;
    this.metrics = metrics;
    this.nanoClock = nanoClock;
  }

  /**
   * Signs a GET of the developer API with a nonce and a timestamp of its own.
   *
   * @throws Cooldown.NotOverException when EcoFlow asked for a pause
   */
  public void sign(Exchange exchange) throws Cooldown.NotOverException {
    cooldown.check(attemptsBefore(exchange) > 0);
    String serial = exchange.getProperty(DEVICE, String.class);
    Map<String, String> parameters = serial == null ? Map.of() : Map.of("sn", serial);
    String nonce = Integer.toString(LEAST_NONCE + random.nextInt(NONCES));
    Message message = emptyMessage(exchange);
    signer.headers(parameters, nonce, System.currentTimeMillis()).forEach(message::setHeader);
    if (serial != null) {
      message.setHeader(Exchange.HTTP_QUERY, "sn=" + serial);
    }
  }

  /** The login: the only call with a body. */
  public void prepareLogin(Exchange exchange) {
    Message message = emptyMessage(exchange);
    message.setHeader("lang", "en_US");
    message.setHeader(Exchange.CONTENT_TYPE, "application/json");
    message.setBody(login.loginBody());
  }

  /** Calls after the login carry its token. */
  public void authorize(Exchange exchange) {
    Message message = emptyMessage(exchange);
    message.setHeader("lang", "en_US");
    message.setHeader("Authorization", login.bearer());
  }

  public void prepareCertification(Exchange exchange) {
    authorize(exchange);
    exchange.getMessage().setHeader(Exchange.HTTP_QUERY, "userId=" + login.userId());
  }

  private static int attemptsBefore(Exchange exchange) {
    return exchange.getMessage().getHeader(Exchange.REDELIVERY_COUNTER, 0, int.class);
  }

  // Only what is set from here on leaves the process as HTTP headers.
  private Message emptyMessage(Exchange exchange) {
    // The answer replaces the header that counts.
    exchange.setProperty(ATTEMPT, attemptsBefore(exchange) + 1);
    exchange.setProperty(STARTED, nanoClock.getAsLong());
    // Of the attempt before, when this one is a retry.
    exchange.removeProperty(Exchange.EXCEPTION_CAUGHT);
    Message message = exchange.getMessage();
    clear(message);
    // A Retry-After counts for one retry.
    message.removeHeader(Exchange.REDELIVERY_DELAY);
    message.setBody(null);
    return message;
  }

  // Camel's own headers never leave the process; among them is the count of redeliveries.
  private static void clear(Message message) {
    message.removeHeaders("*", "Camel*");
    message.removeHeaders("CamelHttp*");
  }

  /**
   * Refuses answers that are not code 0, so that they count as failed attempts.
   *
   * @throws CloudException with what EcoFlow said
   */
  public void check(Exchange exchange) throws CloudException {
    Answers.data(exchange.getMessage().getBody());
    host.works();
    cooldown.reset();
  }

  /** Counts the attempt; runs after success and failure alike. */
  public void record(Exchange exchange) {
    Integer code = exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    clear(exchange.getMessage());
    Long started = exchange.getProperty(STARTED, Long.class);
    if (started == null) {
      return;
    }
    Duration took = Duration.ofNanos(nanoClock.getAsLong() - started);
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    String status = "success";
    if (failure != null) {
      // A call that is cut can fail in many ways; an answer that came in time is none of them.
      boolean answered =
          failure instanceof HttpOperationFailedException || failure instanceof CloudException;
      boolean timedOut = !answered && took.compareTo(settings.timing().httpTimeout()) >= 0;
      status = timedOut ? "timeout" : "error";
    }
    metrics.httpRequest(exchange.getProperty(ENDPOINT, String.class), status, took);
    if (LOG.isDebugEnabled()) {
      LOG.debug("{}", story(exchange, code, took, failure));
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
            : ": " + Failures.describe(failure));
  }
}
