package ecoflow.login;

import ecoflow.account.Account;
import ecoflow.account.PerAccount;
import ecoflow.api.Api;
import ecoflow.api.CloudException;
import ecoflow.config.Settings;
import ecoflow.meters.Meters;
import ecoflow.mqtt.BrokerLogin;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The MQTT credentials of developer keys, bean {@code openLogin}. Credentials belong to the key
 * pair and are valid for weeks, so they are requested only at the start and after a refusal by the
 * broker.
 */
final class OpenLogin implements Login {

  private static final Logger LOG = LoggerFactory.getLogger(OpenLogin.class);
  private static final String PATH = "apiPath";

  /** If credentials up to this age are refused, new ones would be refused as well. */
  private static final Duration MAX_NEW_AGE = Duration.ofMinutes(5);

  /** Effectively unlimited, because the credentials are renewed only after a refusal. */
  private static final Duration LIFETIME = Duration.ofDays(3650);

  private static final String CAUSES =
      " (possible causes: the daily limit of client IDs is reached; another session uses these keys;"
          + " the credentials have changed, which requires a new key pair)";

  /**
   * @param login without a client ID, which depends on the current settings
   */
  private record Certification(BrokerLogin login, long since) {}

  private static final class State {
    private volatile Certification certification;
    private volatile boolean areNewRefused;
  }

  private final PerAccount<State> states = new PerAccount<>(this::state);
  private final Meters meters;
  private final LoginFiles files;
  private final LongSupplier nanoClock;

  OpenLogin(Meters meters, LoginFiles files, LongSupplier nanoClock) {
    this.files = files;
    this.meters = meters;
    this.nanoClock = nanoClock;
  }

  private State state(Account account) {
    State state = new State();
    files
        .load(account)
        .ifPresent(
            saved ->
                state.certification =
                    new Certification(
                        saved.broker(),
                        // Stored credentials are not new: they can have been replaced since.
                        nanoClock.getAsLong() - saved.age().plus(MAX_NEW_AGE).toNanos()));
    return state;
  }

  /**
   * EcoFlow allows about ten IDs per day, so the ID depends only on the configuration and does not
   * change with a restart or in another container.
   */
  private static String clientId(Settings settings) {
    if (settings.mqtt().clientId().isPresent()) {
      return settings.mqtt().clientId().get();
    }
    return "ecoflow-exporter-" + AccountLogin.uuid(settings);
  }

  @Override
  public boolean isComplete(Account account) {
    return states.of(account).certification != null;
  }

  /** For routes: whether the broker credentials are missing. */
  public boolean isCertificationNeeded(@Variable(Account.VARIABLE) Account account) {
    return !isComplete(account);
  }

  @Override
  public void forget(Account account) {
    states.of(account).certification = null;
    files.delete(account);
  }

  @Override
  public void forgetDevices(Account account) {
    // Developer keys get the device list before each round of polls, see RestPolls.
  }

  /** Route step: processes the response to the certification call. */
  public void acceptCertification(Exchange exchange) throws CloudException {
    String where = "the certification response";
    Map<?, ?> data = Api.object(exchange.getMessage().getBody());
    String user = AccountLogin.text(data, "certificateAccount", where);
    Account account = Account.of(exchange);
    states.of(account).certification =
        new Certification(
            new BrokerLogin(
                AccountLogin.host(AccountLogin.text(data, "url", where)),
                AccountLogin.port(data),
                user,
                AccountLogin.text(data, "certificatePassword", where),
                user,
                "",
                LIFETIME),
            nanoClock.getAsLong());
    files.save(account, "", Duration.ZERO, states.of(account).certification.login());
    meters.authentication(account, true, age(exchange));
    LOG.info("{}Received MQTT credentials for the developer keys", account.prefix());
  }

  private static Duration age(Exchange exchange) {
    return Duration.ofMillis(exchange.getClock().elapsed());
  }

  @Override
  public BrokerLogin brokerLogin(Account account) {
    return Optional.ofNullable(states.of(account).certification)
        .map(known -> known.login().with(clientId(account.settings()), LIFETIME))
        .orElseThrow(() -> new IllegalStateException("no credentials yet"));
  }

  @Override
  public void failed(Exchange exchange) {
    Throwable failure = exception(exchange);
    Account account = Account.of(exchange);
    State state = states.of(account);
    state.areNewRefused = false;
    if (exchange.getProperty(PATH) != null) {
      meters.authentication(account, false, age(exchange));
    } else if (AccountLogin.isLoginRefused(failure)) {
      Certification current = state.certification;
      state.areNewRefused =
          current != null && nanoClock.getAsLong() - current.since() < MAX_NEW_AGE.toNanos();
      forget(account);
    }
  }

  @Override
  public boolean isRefused(Account account) {
    return states.of(account).areNewRefused;
  }

  @Override
  public String failure(Exchange exchange) {
    String path = exchange.getProperty(PATH, String.class);
    return (path == null ? "" : "certification: ")
        + Lines.describe(exception(exchange), path)
        + (states.of(Account.of(exchange)).areNewRefused ? CAUSES : "");
  }

  private static Throwable exception(Exchange exchange) {
    return exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
  }
}
