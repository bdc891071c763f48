package ecoflow.api;

import ecoflow.account.Account;
import ecoflow.account.PerAccount;
import ecoflow.meters.Meters;
import ecoflow.text.ClockOffset;
import ecoflow.text.Lines;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Variable;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps of each attempt of an HTTPS call: checks that no pause is active, checks the response,
 * and updates the metrics.
 */
final class CloudCall {

  private static final Logger LOG = LoggerFactory.getLogger(CloudCall.class);
  private static final String PATH = "apiPath";
  private static final String DEVICE = "apiDevice";

  /** Set for calls with an app account, each of which makes one attempt. */
  private static final String NAME = "apiName";

  private static final String STARTED = "apiStarted";
  private static final String ATTEMPT = "apiAttempt";
  private static final int NO_CONTENT = 204;
  private static final int RESET_CONTENT = 205;

  private final Duration timeout;
  private final PerAccount<ApiHost> hosts;
  private final PerAccount<Cooldown> cooldowns;
  private final Consumer<Account> succeeded;
  private final Consumer<Account> overloaded;
  private final Meters meters;
  private final LongSupplier nanoClock;

  /**
   * @param succeeded receives the account of each successful call
   * @param overloaded receives the account of each call with an app account that was answered with
   *     HTTP 429 or "too busy"
   */
  CloudCall(
      Duration timeout,
      PerAccount<ApiHost> hosts,
      PerAccount<Cooldown> cooldowns,
      Consumer<Account> succeeded,
      Consumer<Account> overloaded,
      Meters meters,
      LongSupplier nanoClock) {
    this.timeout = timeout;
    this.hosts = hosts;
    this.cooldowns = cooldowns;
    this.succeeded = succeeded;
    this.overloaded = overloaded;
    this.meters = meters;
    this.nanoClock = nanoClock;
  }

  /** For routes: the host of the account's calls, with its port if it has one. */
  public String host(@Variable(Account.VARIABLE) Account account) {
    return hosts.of(account).current();
  }

  /**
   * Route step: starts an attempt.
   *
   * @throws Cooldown.NotOverException during a pause
   */
  public void begin(Exchange exchange) throws Cooldown.NotOverException {
    int attemptsBefore = exchange.getMessage().getHeader(Exchange.REDELIVERY_COUNTER, 0, int.class);
    cooldowns.of(Account.of(exchange)).check(attemptsBefore > 0);
    // A property, because the response replaces the headers.
    exchange.setProperty(ATTEMPT, attemptsBefore + 1);
    exchange.setProperty(STARTED, nanoClock.getAsLong());
    // A retry still has the exception of the previous attempt.
    exchange.removeProperty(Exchange.EXCEPTION_CAUGHT);
  }

  /**
   * Route step: replaces the response with its data. Rejects a code other than 0, so that the
   * attempt counts as failed.
   *
   * @throws CloudException with EcoFlow's code and message
   */
  public void check(Exchange exchange) throws CloudException {
    Message message = exchange.getMessage();
    message.setBody(
        Answers.data(
            message.getBody(),
            () -> ClockOffset.of(message.getHeader("Date", String.class), Instant.now())));
    Account account = Account.of(exchange);
    hosts.of(account).keyAccepted();
    cooldowns.of(account).reset();
    succeeded.accept(account);
  }

  /**
   * Route step: rejects a successful response without a body, because the error message of the JSON
   * reader is not helpful.
   *
   * @throws CloudException if the response is empty
   */
  public void requireContent(Exchange exchange) throws CloudException {
    Message message = exchange.getMessage();
    Integer status = message.getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    if (status != null && (status == NO_CONTENT || status == RESET_CONTENT)) {
      throw new CloudException("", "the response is empty (HTTP " + status + ")");
    }
  }

  /**
   * Route step: rejects data that is not an object.
   *
   * @throws CloudException if the data is not an object
   */
  public void requireObject(Exchange exchange) throws CloudException {
    Api.object(exchange.getMessage().getBody());
  }

  /** Route step: counts the attempt, whether it succeeded or failed. */
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
      restoreRedeliveryCounter(exchange);
      if (Cooldown.isOverload(failure) && exchange.getProperty(NAME) != null) {
        overloaded.accept(Account.of(exchange));
      }
      // A call that exceeds the timeout can fail with various exceptions, but not with a response.
      boolean hasResponse =
          failure instanceof HttpOperationFailedException || failure instanceof CloudException;
      status = !hasResponse && took.compareTo(timeout) >= 0 ? "timeout" : "error";
      if (failure instanceof CloudException cloud && cloud.isDeviceOffline()) {
        // The state of the device, not a failure of the call.
        status = "success";
      }
    }
    meters.httpRequest(
        Account.of(exchange), exchange.getProperty(PATH, String.class), status, took);
    if (LOG.isDebugEnabled()) {
      LOG.debug("{}", trace(exchange, code, took, failure));
    }
  }

  /**
   * Camel counts redeliveries in a header, which the response removes. Without it, Camel would
   * repeat each call that receives a response indefinitely.
   */
  private static void restoreRedeliveryCounter(Exchange exchange) {
    int attemptsBefore = exchange.getProperty(ATTEMPT, 1, int.class) - 1;
    if (attemptsBefore > 0) {
      exchange.getMessage().setHeader(Exchange.REDELIVERY_COUNTER, attemptsBefore);
    }
  }

  /** Describes the attempt, without the query, headers and bodies, which can contain secrets. */
  private static String trace(Exchange exchange, Integer code, Duration took, Throwable failure) {
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
