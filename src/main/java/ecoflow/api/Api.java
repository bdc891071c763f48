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
 * HTTPS calls of EcoFlow's API: what each attempt needs, what its failure means for the next one,
 * and whether the cloud ever answered.
 */
public final class Api implements AutoCloseable {

  private final ApiHost host;
  private final Cooldown cooldown;
  private final CloudCall call;
  private final FirstContact firstContact;
  private final HttpBounds bounds;
  private final Optional<ProxySettings> proxy;

  /** Null if there was none yet. */
  private volatile Trouble trouble;

  private final SSLContext tls;

  /**
   * @param longestPause between attempts before the first success, unless RETRY_TIMEOUT is longer
   * @param giveUp ends the process when the cloud never answered
   */
  public Api(
      HttpSettings settings,
      Duration longestPause,
      SSLContext tls,
      Meters meters,
      LongSupplier nanoClock,
      Runnable giveUp) {
    this.host = new ApiHost(settings.hosts());
    this.cooldown = new Cooldown(settings.pause(), nanoClock);
    this.call = new CloudCall(settings.timeout(), host, cooldown, meters, nanoClock);
    this.firstContact =
        new FirstContact(settings.attempts(), settings.pause(), longestPause, giveUp);
    // The reader of JSON has the closer limit, and says more of what is wrong.
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
   * Binds the beans of calls in all modes, and the reader of messages.
   *
   * @param maxValues the number of values that are read from one message; further ones are skipped
   * @param skipped receives the number of skipped values
   */
  public void bind(Registry registry, int maxValues, LongConsumer skipped) {
    Redelivery redelivery = new Redelivery(cooldown, host);
    registry.bind("apiHost", host);
    registry.bind("cloudCall", call);
    registry.bind("firstContact", firstContact);
    registry.bind("firstContactPauses", new FirstContactPauses(firstContact));
    registry.bind("redelivery", redelivery);
    // An error handler takes no method, only a processor.
    registry.bind("noteFailure", (Processor) redelivery::noteFailure);
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

  /** Whether no call may be made, because EcoFlow asked for a pause. */
  public boolean isPaused() {
    return !cooldown.isOver();
  }

  /** Whether the failure only says that no call was made in a pause. */
  public boolean isPause(Throwable failure) {
    return failure instanceof Cooldown.NotOverException;
  }

  /** Whether the cloud has answered before. */
  public boolean isContactMade() {
    return firstContact.isMade();
  }

  public void contactMade() {
    firstContact.succeeded();
  }

  /** An attempt before the first success failed; after the last one the process ends. */
  public void contactFailed(String what) {
    note(what);
    firstContact.failed(what);
  }

  /**
   * A failure that users may want to know of later.
   *
   * @param words as the log has them
   * @param epochMillis when it was
   */
  public record Trouble(String words, long epochMillis) {}

  /** Keeps a failure as the last one. */
  public void note(String words) {
    trouble = new Trouble(words, System.currentTimeMillis());
  }

  /** The last failure of a call or a connection. */
  public Optional<Trouble> lastTrouble() {
    return Optional.ofNullable(trouble);
  }

  /**
   * A call failed for good: starts the common pause if the answer asks for it.
   *
   * @return why, for the log
   */
  public String failed(Throwable failure, String path) {
    String reason = Lines.describe(failure, path);
    if (firstContact.isMade() && Cooldown.isAskedForBy(failure)) {
      cooldown.start(reason);
    }
    if (ApiHost.isInvalidKey(failure)) {
      host.giveUp();
      return "code " + ApiHost.INVALID_KEY + " on " + path + ": " + host.advice();
    }
    return reason;
  }

  /**
   * The data of an answer that must be an object.
   *
   * @throws CloudException if it is something else
   */
  public static Map<?, ?> object(Object data) throws CloudException {
    if (data instanceof Map<?, ?> map) {
      return map;
    }
    throw new CloudException("0", "the data of the answer is not an object");
  }

  /** The JSON object that a text of a message holds; empty if it holds none. */
  public static Map<?, ?> objectIn(String text) {
    return BoundedJson.objectIn(text);
  }

  @Override
  public void close() {
    bounds.close();
  }
}
