package ecoflow.api;

import ecoflow.text.Lines;
import ecoflow.text.PlainException;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A common pause of all calls after an answer of EcoFlow that asks for fewer calls: HTTP 401, 403,
 * 429 or "too busy". Clients that continued to call were locked out for hours. The pause starts at
 * RETRY_TIMEOUT and doubles with each such answer in a row, up to ten times RETRY_TIMEOUT.
 */
final class Cooldown {

  private static final Logger LOG = LoggerFactory.getLogger(Cooldown.class);
  private static final int MAX_PAUSES = 10;

  private final Duration first;
  private final LongSupplier nanoClock;
  private int successive;
  private long until;
  private boolean active;
  private boolean started;

  Cooldown(Duration first, LongSupplier nanoClock) {
    this.first = first;
    this.nanoClock = nanoClock;
  }

  static boolean isAskedForBy(Throwable failure) {
    if (failure instanceof HttpOperationFailedException http) {
      int status = http.getStatusCode();
      return status == 401 || status == 403 || status == 429;
    }
    return failure instanceof CloudException cloud
        && cloud.getMessage().toLowerCase(Locale.ROOT).contains("too busy");
  }

  /** A call was not made because the pause is not over. */
  static final class NotOverException extends PlainException {

    private static final long serialVersionUID = 1L;

    NotOverException() {
      super("the pause that EcoFlow asked for is not over");
    }

    /** Omits the path, because no call was made. */
    @Override
    public String words(String where) {
      return getMessage();
    }
  }

  /**
   * Runs right before each attempt: polls that were queued and retries that waited when the pause
   * began must not start during it. A retry after a Retry-After header alone has already waited for
   * its own pause.
   *
   * @throws NotOverException if the attempt must not be made
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
    Duration pause = first.multipliedBy(Math.min(1L << Math.min(successive, 10), MAX_PAUSES));
    successive++;
    active = true;
    started = true;
    until = nanoClock.getAsLong() + pause.toNanos();
    LOG.warn("EcoFlow asks for a pause ({}): no call for {} s", reason, Lines.seconds(pause));
  }

  /**
   * Extends the pause to at least this duration; called while single calls wait for their next
   * attempt.
   */
  synchronized void holdFor(Duration pause) {
    long end = nanoClock.getAsLong() + pause.toNanos();
    if (isOver()) {
      started = false;
    }
    if (!active || end - until > 0) {
      active = true;
      until = end;
    }
  }

  /** A call succeeded. A call that started before the pause does not end it. */
  synchronized void reset() {
    if (isOver()) {
      successive = 0;
      active = false;
    }
  }
}
