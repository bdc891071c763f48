package ecoflow.mqtt;

import ecoflow.api.Api;
import ecoflow.config.Settings;
import ecoflow.meters.Meters;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides when the account's MQTT connection is renewed, bean {@code linkKeeper}, and logs each
 * change of its state once. A route connects; this class triggers the route after each pause.
 */
final class LinkKeeper implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LinkKeeper.class);
  private static final Duration REPEAT_WARNING_AFTER = Duration.ofMinutes(5);
  private static final int OPEN_FACTOR = 3;
  private static final int MAX_OPEN_FACTOR = 64;

  /** Maximum pause after refused credentials, as a multiple of MAX_RECONNECT_DELAY. */
  private static final int MAX_REFUSAL_FACTOR = 48;

  private final MqttLink link;
  private final Supplier<Duration> normalSilence;
  private final Duration silenceLimit;
  private final Duration maxSilenceLimit;
  private final Duration minRefusalPause;
  private final Duration retryPause;
  private final Api api;
  private final Meters meters;
  private final Backoff backoff;
  private final ShortConnections shortConnections = new ShortConnections();
  private final LongSupplier nanoClock;
  private final Runnable triggerConnect;
  private final Runnable forgetLogin;
  private Runnable cancelAttempt = () -> {};
  private boolean closed;
  private long outageSince;
  private boolean isOutage;
  private String lastReason;
  private long lastWarningAt;
  private long connectedAt;
  private Duration firstMessageLimit;
  private Duration refusalPause;

  /**
   * @param normalSilence returns the longest normal time without a message from any device
   * @param triggerConnect starts the route that connects, and does not wait for its result
   * @param forgetLogin makes the next attempt log in again
   */
  LinkKeeper(
      Settings settings,
      MqttLink link,
      Supplier<Duration> normalSilence,
      Api api,
      Meters meters,
      LongSupplier nanoClock,
      Runnable triggerConnect,
      Runnable forgetLogin) {
    this.link = link;
    this.normalSilence = normalSilence;
    Duration timeout = settings.devices().timeout();
    boolean isOpenMode = settings.mode() == Settings.Mode.OPEN;
    // Some models never push with developer keys, so the limit doubles after each reconnect.
    this.silenceLimit = isOpenMode ? timeout.multipliedBy(OPEN_FACTOR) : timeout;
    this.maxSilenceLimit = silenceLimit.multipliedBy(isOpenMode ? MAX_OPEN_FACTOR : 1);
    this.firstMessageLimit = silenceLimit;
    this.minRefusalPause = settings.mqtt().maxReconnectDelay();
    this.refusalPause = minRefusalPause;
    this.retryPause = settings.http().pause();
    this.api = api;
    this.meters = meters;
    this.nanoClock = nanoClock;
    this.triggerConnect = triggerConnect;
    this.forgetLogin = forgetLogin;
    this.backoff = new Backoff(settings.mqtt().maxReconnectDelay(), Math::random);
    link.onLost(this::lost);
  }

  /** For routes: whether a connection is needed but missing. */
  public boolean isConnectionMissing() {
    return !link.isConnected() && !link.isClosed();
  }

  /**
   * For routes: whether the connection is up, but no device has sent a message for MQTT_TIMEOUT
   * plus the normal silence of all devices. With developer keys, the limit is three times
   * MQTT_TIMEOUT plus that silence, and doubles with each reconnect until a message arrives.
   */
  public synchronized boolean isIdle() {
    Duration idle = link.idleTime();
    return link.isConnected()
        && idle.compareTo(idleLimit()) >= 0
        && idle.compareTo(idleLimit().plus(normalSilence.get())) >= 0;
  }

  private Duration idleLimit() {
    return link.hasReceivedMessage() ? silenceLimit : firstMessageLimit;
  }

  /** Route step: ends an idle connection. */
  public synchronized void drop() {
    Duration idleLimit = idleLimit();
    LOG.warn(
        "No MQTT message from any device for {} s: reconnecting",
        Lines.seconds(idleLimit.plus(normalSilence.get())));
    firstMessageLimit = Api.doubled(idleLimit, maxSilenceLimit);
    beforeDisconnect();
    link.drop();
  }

  /**
   * Route step: connects and subscribes.
   *
   * @throws MqttException if the connection fails; the route then calls {@link #failed}
   */
  public void connect(BrokerLogin login) throws MqttException {
    if (api.isContactMade()) {
      meters.reconnecting();
    }
    beforeConnect();
    link.open(login);
    connected(login);
  }

  /** Records the time before the connection is open, because it can be lost immediately. */
  private synchronized void beforeConnect() {
    beforeDisconnect();
    connectedAt = nanoClock.getAsLong();
  }

  /** Called before the exporter itself closes the current connection, if any. */
  private synchronized void beforeDisconnect() {
    if (link.isConnected()) {
      resetIfStable(nanoClock.getAsLong());
    }
  }

  private boolean resetIfStable(long now) {
    boolean isStable = shortConnections.isStable(connectedAt, now);
    if (isStable) {
      shortConnections.reset();
      backoff.reset();
    }
    return isStable;
  }

  private synchronized void connected(BrokerLogin login) {
    api.contactMade();
    if (!link.isConnected()) {
      // The connection was lost in the meantime, and lost() has scheduled the next attempt.
      return;
    }
    connectedAt = nanoClock.getAsLong();
    if (link.isSubscriptionRefused()) {
      LOG.warn(
          "The broker refused the subscription to {}; retrying every {} s",
          topics(link.refusedTopics()),
          Lines.seconds(retryPause));
    }
    if (isOutage) {
      Duration duration = Duration.ofNanos(nanoClock.getAsLong() - outageSince);
      LOG.info("MQTT connection restored after {} s", duration.toSeconds());
    } else {
      LOG.info("Connected to MQTT broker {}:{}", login.host(), login.port());
    }
    isOutage = false;
    lastReason = null;
    refusalPause = minRefusalPause;
    // Renews the login and the connection before the credentials expire.
    scheduleAttempt(login.lifetime());
  }

  /** Route step: subscribes to the topics of new devices. */
  public void subscribeNew() throws MqttException {
    link.subscribeAgain();
  }

  /**
   * Route step: retries refused subscriptions. The broker can accept them later, for example after
   * a device has been bound to the account.
   */
  public void subscribeRefused() {
    List<String> before = link.refusedTopics();
    try {
      link.subscribeRefused();
    } catch (MqttException e) {
      LOG.debug("Cannot retry the refused subscriptions: {}", Lines.describe(e));
      return;
    }
    if (link.refusedTopics().isEmpty()) {
      LOG.info("The broker accepted the subscription to {}", topics(before));
    }
  }

  private static String topics(List<String> topics) {
    return Lines.withoutUser(Lines.abbreviate(topics));
  }

  /**
   * Route step: handles a refusal of new credentials. The pause is long, because each attempt can
   * count against the daily limit of client IDs.
   *
   * @param reason for the log
   */
  public synchronized void refused(String reason) {
    if (link.isClosed()) {
      return;
    }
    if (!isOutage) {
      isOutage = true;
      outageSince = nanoClock.getAsLong();
    }
    scheduleAttempt(refusalPause);
    LOG.warn(
        "No MQTT connection: {}; polls continue, next attempt in {} s",
        reason,
        Lines.seconds(refusalPause));
    refusalPause = Api.doubled(refusalPause, minRefusalPause.multipliedBy(MAX_REFUSAL_FACTOR));
  }

  /**
   * Route step: handles a failed login or connection attempt, and schedules the next one.
   *
   * @param reason for the log
   */
  public synchronized void failed(String reason) {
    if (link.isClosed()) {
      // The shutdown of the exporter has interrupted the attempt.
      return;
    }
    if (!api.isContactMade()) {
      api.contactFailed("Cannot connect to EcoFlow: " + reason);
      return;
    }
    api.recordFailure(
        (link.isConnected() ? "Cannot renew the login: " : "No MQTT connection: ") + reason);
    if (link.isConnected()) {
      scheduleAttempt(retryPause);
      LOG.warn(
          "Cannot renew the login: {}; the connection stays open, next attempt in {} s",
          reason,
          Lines.seconds(retryPause));
      return;
    }
    long now = nanoClock.getAsLong();
    if (!isOutage) {
      // The exporter had closed the connection itself, in order to replace it.
      isOutage = true;
      outageSince = now;
    }
    Duration pause = backoff.next(Duration.ofNanos(now - outageSince));
    scheduleAttempt(pause);
    boolean repeated =
        Objects.equals(reason, lastReason) && now - lastWarningAt < REPEAT_WARNING_AFTER.toNanos();
    if (repeated) {
      LOG.debug("No MQTT connection: {}; next attempt in {} s", reason, Lines.seconds(pause));
    } else {
      lastReason = reason;
      lastWarningAt = now;
      LOG.warn("No MQTT connection: {}; next attempt in {} s", reason, Lines.seconds(pause));
    }
  }

  private synchronized void lost() {
    long now = nanoClock.getAsLong();
    if (!resetIfStable(now)) {
      shortConnections.ended(connectedAt);
    }
    if (shortConnections.needsLogin()) {
      forgetLogin.run();
      LOG.warn(
          "The broker closes each connection after a short time, as it does if a second exporter has"
              + " the same MQTT client ID: logging in again");
    }
    isOutage = true;
    outageSince = now;
    Duration pause = backoff.next(shortConnections.outage(now));
    scheduleAttempt(pause);
    lastReason = null;
    api.recordFailure("MQTT connection lost: " + Lines.describe(link.lossCause()));
    LOG.warn(
        "MQTT connection lost: {}; next attempt in {} s",
        Lines.describe(link.lossCause()),
        Lines.seconds(pause));
  }

  private synchronized void scheduleAttempt(Duration pause) {
    cancelAttempt.run();
    if (!closed) {
      cancelAttempt = link.loop().runLater(pause, triggerConnect);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    cancelAttempt.run();
  }
}
