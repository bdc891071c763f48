package ecoflow.api;

import ecoflow.account.Account;
import ecoflow.account.PerAccount;
import ecoflow.text.Lines;
import ecoflow.text.PlainException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pauses after a response that requests fewer calls. Clients that continued to call have been
 * locked out for hours. HTTP 401 and 403 pause the calls of the account, HTTP 429 and "too busy"
 * those of all accounts with the same host. A pause starts at RETRY_TIMEOUT and doubles with each
 * consecutive response of this kind, up to ten times RETRY_TIMEOUT.
 */
final class Cooldown {

  private static final Logger LOG = LoggerFactory.getLogger(Cooldown.class);
  private static final int MAX_FACTOR = 10;

  private final Function<Account, String> host;
  private final PerAccount<Pause> pauses;
  private final Map<String, Pause> hostPauses = new ConcurrentHashMap<>();
  private final Duration hostPause;
  private final boolean areHostsNamed;
  private final LongSupplier nanoClock;

  /**
   * @param host returns the current host of an account
   * @param hostPause the first pause of all accounts with a host
   * @param areHostsNamed whether log lines name the host, because there are several accounts
   */
  Cooldown(
      Function<Account, String> host,
      Duration hostPause,
      boolean areHostsNamed,
      LongSupplier nanoClock) {
    this.host = host;
    this.hostPause = hostPause;
    this.areHostsNamed = areHostsNamed;
    this.nanoClock = nanoClock;
    this.pauses =
        new PerAccount<>(
            account ->
                new Pause(account.prefix(), () -> account.settings().http().pause(), nanoClock));
  }

  private Pause ofHost(Account account) {
    return hostPauses.computeIfAbsent(
        host.apply(account),
        name -> new Pause(areHostsNamed ? name + ": " : "", () -> hostPause, nanoClock));
  }

  static boolean isRequestedBy(Throwable failure) {
    return isForAccount(failure) || isForHost(failure);
  }

  private static boolean isForAccount(Throwable failure) {
    return failure instanceof HttpOperationFailedException http
        && (http.getStatusCode() == 401 || http.getStatusCode() == 403);
  }

  static boolean isForHost(Throwable failure) {
    return failure instanceof HttpOperationFailedException http
        ? http.getStatusCode() == 429
        : failure instanceof CloudException cloud
            && cloud.getMessage().toLowerCase(Locale.ROOT).contains("too busy");
  }

  /**
   * Checks whether an attempt is allowed, see {@link Pause#check}.
   *
   * @throws NotOverException if the attempt is not allowed
   */
  void check(Account account, boolean retry) throws NotOverException {
    pauses.of(account).check(retry);
    ofHost(account).check(retry);
  }

  boolean isOver(Account account) {
    return pauses.of(account).isOver() && ofHost(account).isOver();
  }

  /**
   * Starts a pause.
   *
   * @param failure for which {@link #isRequestedBy} is true
   * @param reason for the log
   */
  void start(Account account, Throwable failure, String reason) {
    of(account, failure).start(reason);
  }

  /** Extends the pause to at least this duration. */
  void extendTo(Account account, Throwable failure, Duration pause) {
    of(account, failure).extendTo(pause);
  }

  private Pause of(Account account, Throwable failure) {
    return isForHost(failure) ? ofHost(account) : pauses.of(account);
  }

  /** Ends the pause of an account that has new credentials. */
  void forget(Account account) {
    pauses.reset(account);
  }

  /** Called after a successful call. */
  void reset(Account account) {
    pauses.of(account).reset();
    ofHost(account).reset();
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

  /** The pause of an account or a host. */
  static final class Pause {

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
    Pause(String prefix, Supplier<Duration> minPause, LongSupplier nanoClock) {
      this.prefix = prefix;
      this.minPause = minPause;
      this.nanoClock = nanoClock;
    }

    /**
     * Checks whether an attempt is allowed. Called immediately before each attempt, because polls
     * and retries can already be waiting when the pause starts. If only a Retry-After header set
     * the pause, a retry is allowed, because it has waited for that time.
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
          "{}EcoFlow requests a pause ({}): no calls for {} s",
          prefix,
          reason,
          Lines.seconds(pause));
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
}
