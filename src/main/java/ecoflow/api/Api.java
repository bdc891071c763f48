package ecoflow.api;

import ecoflow.config.HttpSettings;
import ecoflow.config.ProxySettings;
import ecoflow.meters.Meters;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
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

  private final ApiHost host;
  private final Cooldown cooldown;
  private final CloudCall call;
  private final FirstContact firstContact;
  private final HttpBounds bounds;
  private final Optional<ProxySettings> proxy;

  /** Null before the first failure. */
  private volatile Failure lastFailure;

  private final SSLContext tls;

  /**
   * @param maxPause maximum pause between attempts before the first success, unless RETRY_TIMEOUT
   *     is longer
   * @param exit ends the process if EcoFlow never responds
   */
  public Api(
      HttpSettings settings,
      Duration maxPause,
      SSLContext tls,
      Meters meters,
      LongSupplier nanoClock,
      Runnable exit) {
    this.host = new ApiHost(settings.hosts());
    this.cooldown = new Cooldown(settings.pause(), nanoClock);
    this.call = new CloudCall(settings.timeout(), host, cooldown, meters, nanoClock);
    this.firstContact = new FirstContact(settings.attempts(), settings.pause(), maxPause, exit);
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

  /**
   * Binds the beans for calls in all modes, and the JSON reader for messages.
   *
   * @param maxValues maximum number of values to read from a message; further values are skipped
   * @param skipped receives the number of skipped values
   */
  public void bind(Registry registry, int maxValues, LongConsumer skipped) {
    Redelivery redelivery = new Redelivery(cooldown, host);
    registry.bind("apiHost", host);
    registry.bind("cloudCall", call);
    registry.bind("firstContact", firstContact);
    registry.bind("firstContactPauses", new FirstContactPauses(firstContact));
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

  /** Whether all calls are paused at EcoFlow's request. */
  public boolean isPaused() {
    return !cooldown.isOver();
  }

  /** Whether the call was not made because of the pause. */
  public boolean isPause(Throwable failure) {
    return failure instanceof Cooldown.NotOverException;
  }

  /** Whether EcoFlow has responded successfully since the start. */
  public boolean isContactMade() {
    return firstContact.isMade();
  }

  public void contactMade() {
    firstContact.succeeded();
  }

  /** Handles a failed attempt before the first success; after the last one the process exits. */
  public void contactFailed(String message) {
    recordFailure(message);
    firstContact.failed(message);
  }

  /**
   * A failure for the landing page.
   *
   * @param message the text of the log line
   * @param epochMillis milliseconds since 1970
   */
  public record Failure(String message, long epochMillis) {}

  /** Stores a failure for the landing page. */
  public void recordFailure(String message) {
    lastFailure = new Failure(message, System.currentTimeMillis());
  }

  /** The last failure of a call or of the MQTT connection. */
  public Optional<Failure> lastFailure() {
    return Optional.ofNullable(lastFailure);
  }

  /**
   * Handles the final failure of a call: starts the common pause if the response requests one.
   *
   * @return the reason, for the log
   */
  public String failed(Throwable failure, String path) {
    String reason = Lines.describe(failure, path);
    if (firstContact.isMade() && Cooldown.isRequestedBy(failure)) {
      cooldown.start(reason);
    }
    if (ApiHost.isInvalidKey(failure)) {
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
