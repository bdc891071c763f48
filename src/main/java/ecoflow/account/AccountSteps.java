package ecoflow.account;

import ecoflow.device.Device;
import ecoflow.device.Devices;
import ecoflow.metrics.SelfMetrics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps from a login to an MQTT connection; each method is one step of a route. */
public final class AccountSteps {

  private static final Logger LOG = LoggerFactory.getLogger(AccountSteps.class);
  private static final String STARTED = "loginStarted";

  private final AccountLogin login;
  private final AccountLink link;
  private final Devices devices;
  private final SelfMetrics metrics;
  private final LongSupplier nanoClock;

  public AccountSteps(
      AccountLogin login,
      AccountLink link,
      Devices devices,
      SelfMetrics metrics,
      LongSupplier nanoClock) {
    this.login = login;
    this.link = link;
    this.devices = devices;
    this.metrics = metrics;
    this.nanoClock = nanoClock;
  }

  /** A login begins, or what is left of one of which a part succeeded before. */
  public void begin(Exchange exchange) {
    if (exchange.getProperty(STARTED) == null) {
      exchange.setProperty(STARTED, nanoClock.getAsLong());
    }
  }

  public void acceptLogin(Exchange exchange) throws CloudException {
    login.acceptLogin(exchange.getMessage().getBody());
  }

  public void acceptCertification(Exchange exchange) throws CloudException {
    login.acceptCertification(exchange.getMessage().getBody());
    metrics.authentication(true, sinceBegin(exchange));
    exchange.removeProperty(STARTED);
    LOG.info("Logged in to EcoFlow");
  }

  private Duration sinceBegin(Exchange exchange) {
    long now = nanoClock.getAsLong();
    return Duration.ofNanos(now - exchange.getProperty(STARTED, now, Long.class));
  }

  /** The devices of the account, when all are wanted. */
  public void acceptDevices(Exchange exchange) throws CloudException {
    Map<String, Device.Listing> list = login.acceptDevices(exchange.getMessage().getBody());
    List<String> added = devices.listed(list);
    if (!added.isEmpty()) {
      LOG.info("Devices of the account: {}", String.join(", ", added));
    } else if (list.isEmpty()) {
      LOG.warn("The account has no devices yet");
    }
  }

  /** After a later look at the account's devices. */
  public void subscribeNewDevices(Exchange exchange) throws MqttException {
    callsEnded(exchange);
    link.subscribeAgain();
  }

  public void devicesFailed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    LOG.warn(
        "Cannot look for new devices of the account: {}; the known ones are served",
        Failures.describe(failure, exchange.getProperty(HttpCalls.PATH, String.class)));
    if (failure instanceof HttpOperationFailedException http && http.getStatusCode() == 401) {
      // The token has run out; the next login brings a new one.
      login.forget();
    }
  }

  public void connect(Exchange exchange) throws MqttException {
    callsEnded(exchange);
    link.connect();
  }

  public void linkFailed(Exchange exchange) {
    if (exchange.getProperty(STARTED) != null) {
      metrics.authentication(false, sinceBegin(exchange));
    }
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    if (login.isTokenRefused(failure)) {
      login.forget();
    }
    String call = exchange.getProperty(HttpCalls.NAME, String.class);
    link.failed(
        (call == null ? "" : call + ": ")
            + Failures.describe(failure, exchange.getProperty(HttpCalls.PATH, String.class)));
  }

  /** What fails from here on is none of the calls. */
  private static void callsEnded(Exchange exchange) {
    exchange.removeProperty(HttpCalls.NAME);
    exchange.removeProperty(HttpCalls.PATH);
  }

  /** Replaces an answer by its data, which is an object. */
  public static void takeData(Exchange exchange) throws CloudException {
    exchange.getMessage().setBody(Answers.object(exchange.getMessage().getBody()));
  }
}
