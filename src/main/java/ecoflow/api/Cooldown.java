package ecoflow.api;

import ecoflow.account.PerAccount;
import ecoflow.text.Lines;
import ecoflow.text.PlainException;
import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pause of the calls of an account after a response that requests fewer calls: HTTP 401, 403, 429
 * or "too busy". Clients that continued to call have been locked out for hours. The pause starts at
 * RETRY_TIMEOUT and doubles with each consecutive response of this kind, up to ten times
 * RETRY_TIMEOUT. Other accounts are not paused, because their calls can succeed.
 */
final class Cooldown {

  private static final Logger LOG = LoggerFactory.getLogger(Cooldown.class);
  private static final int MAX_FACTOR = 10;

  private final String prefix;
  private final Supplier<Duration> minPause;
  private final LongSupplier nanoClock;
  private int consecutive;
  private long until;
  private boolean active;
  private boolean started;

  /**
   * @param prefix the start of log lines
   */
  Cooldown(String prefix, Supplier<Duration> minPause, LongSupplier nanoClock) {
    this.prefix = prefix;
    this.minPause = minPause;
    this.nanoClock = nanoClock;
  }

  /** The cooldowns of all accounts. */
  static PerAccount<Cooldown> perAccount(LongSupplier nanoClock) {
    return new PerAccount<>(
        account ->
            new Cooldown(account.prefix(), () -> account.settings().http().pause(), nanoClock));
  }

  static boolean isRequestedBy(Throwable failure) {
    return isRefusal(failure) || isOverload(failure);
  }

  private static boolean isRefusal(Throwable failure) {
    return failure instanceof HttpOperationFailedException http
        && (http.getStatusCode() == 401 || http.getStatusCode() == 403);
  }

  static boolean isOverload(Throwable failure) {
    return failure instanceof HttpOperationFailedException http
        ? http.getStatusCode() == 429
        : failure instanceof CloudException cloud && cloud.isOverload();
  }

  /** A call was not made because of the pause. */
  static final class NotOverException extends PlainException {

    private static final long serialVersionUID = 1L;

    NotOverException() {
      super("calls are paused at the request of EcoFlow");
    }

    /** Omits the path, because no call was made. */
    @Override
    public String message(String where) {
      return getMessage();
    }
  }

  /**
   * Checks whether an attempt is allowed. Called immediately before each attempt, because polls and
   * retries can already be waiting when the pause starts. If only a Retry-After header set the
   * pause, a retry is allowed, because it has waited for that time.
   *
   * @throws NotOverException if the attempt is not allowed
   */
  synchronized void check(boolean retry) throws NotOverException {
    if (!isOver() && (started || !retry)) {
      throw new NotOverException();
    }
  }

  synchronized boolean isOver() {
    return !active || nanoClock.getAsLong() - until >= 0;
  }

  /** Starts a pause; failures during a pause have no effect. */
  synchronized void start(String reason) {
    if (!isOver()) {
      return;
    }
    Duration pause =
        minPause.get().multipliedBy(Math.min(1L << Math.min(consecutive, 10), MAX_FACTOR));
    consecutive++;
    active = true;
    started = true;
    until = nanoClock.getAsLong() + pause.toNanos();
    LOG.warn(
        "{}EcoFlow requests a pause ({}): no calls for {} s", prefix, reason, Lines.seconds(pause));
  }

  /**
   * Extends the pause to at least this duration. Called when a response has a Retry-After header.
   */
  synchronized void extendTo(Duration pause) {
    long end = nanoClock.getAsLong() + pause.toNanos();
    if (isOver()) {
      started = false;
    }
    if (!active || end - until > 0) {
      active = true;
      until = end;
    }
  }

  /** Called after a successful call. A call that started before the pause does not end it. */
  synchronized void reset() {
    if (isOver()) {
      consecutive = 0;
      active = false;
    }
  }
}
