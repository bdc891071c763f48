package ecoflow.account;

import ecoflow.api.Api;
import ecoflow.api.CloudException;
import ecoflow.config.Settings;
import ecoflow.meters.Meters;
import ecoflow.mqtt.BrokerLogin;
import ecoflow.text.Lines;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The MQTT credentials of developer keys, bean {@code openLogin}. They belong to the key pair and
 * are valid for weeks, so they are requested only at the start and after a refusal by the broker.
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

  private record Certification(BrokerLogin login, long since) {}

  private final String clientId;
  private final Meters meters;
  private final LongSupplier nanoClock;
  private volatile Certification certification;
  private volatile boolean areNewRefused;

  OpenLogin(Settings settings, Meters meters, LongSupplier nanoClock) {
    this.clientId = settings.mqtt().clientId().orElseGet(() -> clientId(settings));
    this.meters = meters;
    this.nanoClock = nanoClock;
  }

  /**
   * EcoFlow allows about ten IDs per day, so the ID depends only on the configuration and does not
   * change with a restart or in another container.
   */
  private static String clientId(Settings settings) {
    String seed =
        String.join(
            "\n",
            settings.credentials().id(),
            settings.mode().label(),
            String.join(",", settings.devices().serials()));
    return "ecoflow-exporter-" + UUID.nameUUIDFromBytes(seed.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public boolean isComplete() {
    return certification != null;
  }

  /** For routes: whether the broker credentials are missing. */
  public boolean isCertificationNeeded() {
    return certification == null;
  }

  @Override
  public void forget() {
    certification = null;
  }

  /** Route step: processes the response to the certification call. */
  public void acceptCertification(Exchange exchange) throws CloudException {
    String where = "the certification response";
    Map<?, ?> data = Api.object(exchange.getMessage().getBody());
    String account = AccountLogin.text(data, "certificateAccount", where);
    certification =
        new Certification(
            new BrokerLogin(
                AccountLogin.host(AccountLogin.text(data, "url", where)),
                AccountLogin.port(data),
                account,
                AccountLogin.text(data, "certificatePassword", where),
                account,
                clientId,
                LIFETIME),
            nanoClock.getAsLong());
    meters.authentication(true, age(exchange));
    LOG.info("Received MQTT credentials for the developer keys");
  }

  private static Duration age(Exchange exchange) {
    return Duration.ofMillis(exchange.getClock().elapsed());
  }

  @Override
  public BrokerLogin brokerLogin() {
    return Optional.ofNullable(certification)
        .map(Certification::login)
        .orElseThrow(() -> new IllegalStateException("no credentials yet"));
  }

  @Override
  public void failed(Exchange exchange) {
    Throwable failure = exception(exchange);
    areNewRefused = false;
    if (exchange.getProperty(PATH) != null) {
      meters.authentication(false, age(exchange));
    } else if (AccountLogin.isLoginRefused(failure)) {
      Certification current = certification;
      areNewRefused =
          current != null && nanoClock.getAsLong() - current.since() < MAX_NEW_AGE.toNanos();
      forget();
    }
  }

  @Override
  public boolean isRefused() {
    return areNewRefused;
  }

  @Override
  public String failure(Exchange exchange) {
    String path = exchange.getProperty(PATH, String.class);
    return (path == null ? "" : "certification: ")
        + Lines.describe(exception(exchange), path)
        + (areNewRefused ? CAUSES : "");
  }

  private static Throwable exception(Exchange exchange) {
    return exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
  }
}
