package ecoflow.api;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.account.PerAccount;
import ecoflow.config.Configuration;
import ecoflow.config.HttpSettings;
import ecoflow.config.ProxySettings;
import ecoflow.meters.Meters;
import ecoflow.text.FailedStep;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import org.apache.camel.CamelContext;
import org.apache.camel.Processor;
import org.apache.camel.component.http.CompositeHttpConfigurer;
import org.apache.camel.spi.Registry;
import org.apache.camel.support.jsse.SSLContextParameters;

/**
 * HTTPS calls to EcoFlow's API: the beans for each attempt, the handling of failures, and the state
 * of the first contact.
 */
public final class Api implements AutoCloseable {

  private final PerAccount<ApiHost> hosts =
      new PerAccount<>(account -> new ApiHost(account.prefix(), account.settings().http().hosts()));
  private final PerAccount<FirstContact> contacts;
  private final PerAccount<Cooldown> cooldowns;
  private final CloudCall call;
  private final FirstContacts firstContacts;
  private final HttpBounds bounds;
  private final Optional<ProxySettings> proxy;

  /** Empty with a single account. */
  private final Optional<LoginPace> pace;

  /** The login that was last reserved for an account; null for none. */
  private final PerAccount<AtomicReference<LoginPace.Reserved>> reserved =
      new PerAccount<>(account -> new AtomicReference<>());

  private volatile Predicate<Account> needsLogin = account -> false;

  /** Whether the last attempt to reach EcoFlow failed. */
  private final PerAccount<AtomicBoolean> failing =
      new PerAccount<>(account -> new AtomicBoolean());

  /** The text of the last refusal of the credentials; null if EcoFlow has accepted them since. */
  private final PerAccount<AtomicReference<String>> refusals =
      new PerAccount<>(account -> new AtomicReference<>());

  /** Null before the first failure. */
  private volatile Failure lastFailure;

  private final SSLContext tls;

  /**
   * @param exit ends the process if EcoFlow never responds to a single account
   */
  public Api(
      HttpSettings settings,
      Accounts accounts,
      SSLContext tls,
      Meters meters,
      LongSupplier nanoClock,
      Runnable exit) {
    this.cooldowns = Cooldown.perAccount(nanoClock);
    this.call =
        new CloudCall(
            settings.timeout(),
            hosts,
            cooldowns,
            account -> refusals.of(account).set(null),
            this::halveLogins,
            meters,
            nanoClock);
    OptionalInt attempts =
        accounts.areNamed() ? OptionalInt.empty() : OptionalInt.of(settings.attempts());
    this.contacts =
        new PerAccount<>(
            account ->
                new FirstContact(
                    attempts,
                    account.settings().http().pause(),
                    account.settings().mqtt().maxReconnectDelay(),
                    exit));
    this.pace =
        accounts.areNamed()
            ? Optional.of(
                new LoginPace(settings.loginsPerSecond(), settings.loginBurst(), nanoClock))
            : Optional.empty();
    this.firstContacts =
        new FirstContacts(
            accounts, contacts, account -> failing.of(account).get(), this::loginPause);
    // Twice the limit of the JSON reader, whose error message is more specific.
    this.bounds = new HttpBounds(settings.timeout(), 2 * BoundedJson.MAX_BYTES);
    this.tls = tls;
    this.proxy = settings.proxy();
  }

  /** The pause after the next failure: twice as long, up to a limit. */
  public static Duration doubled(Duration pause, Duration limit) {
    Duration twice = pause.multipliedBy(2);
    return twice.compareTo(limit) > 0 ? limit : twice;
  }

  public static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  /**
   * Binds the beans for calls in all modes, and the JSON reader for messages.
   *
   * @param maxValues maximum number of values to read from a message; further values are skipped
   * @param skipped receives the number of skipped values
   */
  public void bind(Registry registry, int maxValues, LongConsumer skipped) {
    Redelivery redelivery = new Redelivery(cooldowns, hosts);
    registry.bind("cloudCall", call);
    registry.bind("firstContacts", firstContacts);
    registry.bind("firstContactPauses", firstContacts.scheduler());
    registry.bind("redelivery", redelivery);
    // An error handler refers to a processor, not to a method.
    registry.bind("prepareRedelivery", (Processor) redelivery::prepare);
    registry.bind("boundedJson", BoundedJson.mapper());
    registry.bind("messageJson", BoundedJson.messages(maxValues, skipped));
    registry.bind(
        "httpBounds",
        proxy.isEmpty()
            ? bounds
            : CompositeHttpConfigurer.combineConfigurers(bounds, new ProxyRoute(proxy.get())));
    registry.bind("cloudTls", parameters(tls));
  }

  private static SSLContextParameters parameters(SSLContext tls) {
    return new SSLContextParameters() {
      @Override
      public SSLContext createSSLContext(CamelContext context) {
        return tls;
      }
    };
  }

  /** Schedules the first attempt of a new account. */
  public void add(Account account) {
    firstContacts.add(account);
  }

  /**
   * Cancels the next attempts of accounts that are no longer served. Other accounts get the logins
   * that were reserved for them.
   */
  public void remove(Collection<Account> removed) {
    for (Account account : removed) {
      firstContacts.remove(account);
      returnLogin(account);
    }
    if (!removed.isEmpty()) {
      firstContacts.advance();
    }
  }

  /**
   * Forgets the results of calls with the previous credentials or hosts of an account. If none of
   * them has succeeded, the next attempt starts now instead of at the end of a long pause.
   */
  public void forget(Account account) {
    hosts.reset(account);
    refusals.reset(account);
    cooldowns.reset(account);
    if (!isContactMade(account)) {
      contacts.reset(account);
      firstContacts.remove(account);
      firstContacts.add(account);
    }
  }

  /**
   * The host of the account's calls, which differs from the first configured one in other regions.
   */
  public String host(Account account) {
    return hosts.of(account).current();
  }

  /** Whether the account's calls are paused at EcoFlow's request. */
  public boolean isPaused(Account account) {
    return !cooldowns.of(account).isOver();
  }

  /** Whether the call was not made because of the pause. */
  public boolean isPause(Throwable failure) {
    return failure instanceof Cooldown.NotOverException;
  }

  /**
   * @param newNeedsLogin whether the next connection of an account starts with a login
   */
  public void setNeedsLogin(Predicate<Account> newNeedsLogin) {
    needsLogin = newNeedsLogin;
  }

  /**
   * Reserves the login of the account's next connection at the permitted rate, and returns the time
   * until its start; zero with a single account, and if no login is needed. An earlier attempt of
   * the account that has not started yet must be cancelled.
   */
  public Duration loginPause(Account account) {
    returnLogin(account);
    return pace.filter(limit -> needsLogin.test(account))
        .map(limit -> loginPause(account, limit))
        .orElse(Duration.ZERO);
  }

  private Duration loginPause(Account account, LoginPace limit) {
    LoginPace.Reserved login = limit.reserve(hosts.of(account).current());
    reserved.of(account).set(login);
    return limit.pause(login);
  }

  private void returnLogin(Account account) {
    if (pace.isPresent()) {
      LoginPace.Reserved unused = reserved.of(account).getAndSet(null);
      if (unused != null) {
        pace.get().giveBack(unused);
      }
    }
  }

  /** Whether EcoFlow refused the credentials of the account, and has not accepted them since. */
  public boolean isRefused(Account account) {
    return refusal(account).isPresent();
  }

  /**
   * What EcoFlow refuses, the code, and what to do; empty unless EcoFlow refused the credentials of
   * the account, and has not accepted them since.
   */
  public Optional<String> refusal(Account account) {
    return Optional.ofNullable(refusals.of(account).get());
  }

  /** Records a failed call or connection, which can be a refusal of the credentials. */
  public void recordRefusal(Account account, Throwable failure) {
    if (failure instanceof CloudException cloud && cloud.isRefusal()) {
      String refusal =
          ApiHost.isInvalidKey(failure)
              ? cloud.refusal(": " + hosts.of(account).advice())
              : cloud.refusal();
      refusals
          .of(account)
          .set(account.name().isEmpty() ? refusal : Configuration.withKeys(refusal));
    }
  }

  /** Whether a call of the account has succeeded since the start. */
  public boolean isContactMade(Account account) {
    return contacts.of(account).isMade();
  }

  public void contactMade(Account account) {
    failing.of(account).set(false);
    contacts.of(account).succeeded();
  }

  /**
   * Handles a failed attempt before the first success; with a single account, the process exits
   * after the last one.
   */
  public void contactFailed(Account account, String message) {
    connectionFailed(account, message);
    contacts.of(account).failed(account.prefix() + message);
  }

  /**
   * A failure for the landing page.
   *
   * @param message the text of the log line
   * @param epochMillis milliseconds since 1970
   */
  public record Failure(String message, long epochMillis) {}

  /** Stores a failure for the landing page. */
  public void recordFailure(Account account, String message) {
    lastFailure = new Failure(account.prefix() + message, System.currentTimeMillis());
  }

  /** The last failure of a call or of the MQTT connection. */
  public Optional<Failure> lastFailure() {
    return Optional.ofNullable(lastFailure);
  }

  /** Records a failed attempt to reach EcoFlow. */
  public void connectionFailed(Account account, String message) {
    failing.of(account).set(true);
    recordFailure(account, message);
  }

  private void halveLogins(Account account) {
    pace.ifPresent(limit -> limit.halve(hosts.of(account).current()));
  }

  /**
   * Handles the final failure of a call: starts a pause if the response requests one.
   *
   * @return the reason, for the log
   */
  public String failed(Account account, Throwable failure, String path) {
    String reason = Lines.describe(failure, path);
    if (FailedStep.of(failure).isPresent()) {
      // A response of another server to a user's route is not a response of EcoFlow.
      return reason;
    }
    recordRefusal(account, failure);
    if (Cooldown.isOverload(failure)) {
      halveLogins(account);
    }
    if (contacts.of(account).isMade() && Cooldown.isRequestedBy(failure)) {
      cooldowns.of(account).start(reason);
    }
    if (ApiHost.isInvalidKey(failure)) {
      ApiHost host = hosts.of(account);
      host.keyRejected();
      return "code " + ApiHost.INVALID_KEY + " on " + path + ": " + host.advice();
    }
    return reason;
  }

  /**
   * Returns the data of a response as an object.
   *
   * @throws CloudException if the data is not an object
   */
  public static Map<?, ?> object(Object data) throws CloudException {
    if (data instanceof Map<?, ?> map) {
      return map;
    }
    throw new CloudException("0", "the data of the response is not an object");
  }

  /** Parses a JSON string of a message as an object; empty if it is not an object. */
  public static Map<?, ?> objectIn(String text) {
    return BoundedJson.objectIn(text);
  }

  @Override
  public void close() {
    bounds.close();
  }
}
