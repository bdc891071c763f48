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
 * change once. A route makes the connection; this class triggers the route after each pause.
 */
final class LinkKeeper implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LinkKeeper.class);
  private static final Duration REPEAT_LINE_AFTER = Duration.ofMinutes(5);
  private static final int QUIET_START = 3;
  private static final int QUIET_LIMIT = 64;

  /** A multiple of MAX_RECONNECT_DELAY. */
  private static final int LONGEST_REFUSAL = 48;

  private final MqttLink link;
  private final Supplier<Duration> normalSilence;
  private final Duration silence;
  private final Duration longestSilence;
  private final Duration shortestRefusal;
  private final Duration retryPause;
  private final Api api;
  private final Meters meters;
  private final Backoff backoff;
  private final ShortConnections shortConnections = new ShortConnections();
  private final LongSupplier nanoClock;
  private final Runnable makeConnection;
  private final Runnable forgetLogin;
  private Runnable forgetAttempt = () -> {};
  private boolean closed;
  private long outageSince;
  private boolean outage;
  private String lastReason;
  private long lastLineAt;
  private long connectedAt;
  private Duration patience;
  private Duration refusalPause;

  /**
   * @param normalSilence returns the longest normal time without a message from any device
   * @param makeConnection triggers an attempt in the route, and does not wait for it
   * @param forgetLogin makes the next attempt log in again
   */
  LinkKeeper(
      Settings settings,
      MqttLink link,
      Supplier<Duration> normalSilence,
      Api api,
      Meters meters,
      LongSupplier nanoClock,
      Runnable makeConnection,
      Runnable forgetLogin) {
    this.link = link;
    this.normalSilence = normalSilence;
    Duration timeout = settings.devices().timeout();
    boolean quiet = settings.mode() == Settings.Mode.OPEN;
    // Some models never push to developers: then the connection is renewed less and less often.
    this.silence = quiet ? timeout.multipliedBy(QUIET_START) : timeout;
    this.longestSilence = silence.multipliedBy(quiet ? QUIET_LIMIT : 1);
    this.patience = silence;
    this.shortestRefusal = settings.mqtt().maxReconnectDelay();
    this.refusalPause = shortestRefusal;
    this.retryPause = settings.http().pause();
    this.api = api;
    this.meters = meters;
    this.nanoClock = nanoClock;
    this.makeConnection = makeConnection;
    this.forgetLogin = forgetLogin;
    this.backoff = new Backoff(settings.mqtt().maxReconnectDelay(), Math::random);
    link.onLost(this::lost);
  }

  /** For routes: whether a connection is needed but missing. */
  public boolean isConnectionMissing() {
    return !link.isConnected() && !link.isClosed();
  }

  /**
   * For routes: whether the connection is up, but no device has sent anything for MQTT_TIMEOUT, or
   * for three times MQTT_TIMEOUT with developer keys, where the limit doubles each time in a row.
   * The normal silence of all devices is added.
   */
  public synchronized boolean isIdle() {
    Duration idle = link.idleTime();
    return link.isConnected()
        && idle.compareTo(limit()) >= 0
        && idle.compareTo(limit().plus(normalSilence.get())) >= 0;
  }

  private Duration limit() {
    return link.hasHeard() ? silence : patience;
  }

  /** Route step: ends an idle connection. */
  public synchronized void drop() {
    Duration limit = limit();
    LOG.warn(
        "No MQTT message from any device for {} s: reconnecting",
        Lines.seconds(limit.plus(normalSilence.get())));
    Duration next = limit.multipliedBy(2);
    patience = next.compareTo(longestSilence) > 0 ? longestSilence : next;
    leave();
    link.drop();
  }

  /**
   * Route step: connects and subscribes.
   *
   * @throws MqttException if the broker cannot be reached or refuses; the route then calls {@link
   *     #failed}
   */
  public void connect(BrokerLogin login) throws MqttException {
    if (api.isContactMade()) {
      meters.reconnecting();
    }
    begin();
    link.open(login);
    connected(login);
  }

  /** Records the time before the connection exists, because it can be lost immediately. */
  private synchronized void begin() {
    leave();
    connectedAt = nanoClock.getAsLong();
  }

  /** Called before the exporter itself ends the current connection, if any. */
  private synchronized void leave() {
    if (link.isConnected()) {
      forgetTroubleIfLong(nanoClock.getAsLong());
    }
  }

  private boolean forgetTroubleIfLong(long now) {
    boolean isLong = shortConnections.isLong(connectedAt, now);
    if (isLong) {
      shortConnections.reset();
      backoff.reset();
    }
    return isLong;
  }

  private synchronized void connected(BrokerLogin login) {
    api.contactMade();
    if (!link.isConnected()) {
      // Lost again in the meantime: lost() has set the next attempt.
      return;
    }
    connectedAt = nanoClock.getAsLong();
    if (link.isSubscriptionRefused()) {
      LOG.warn(
          "The broker refused the subscription of {}; asking again every {} s",
          topics(link.refusedTopics()),
          Lines.seconds(retryPause));
    }
    if (outage) {
      Duration lasted = Duration.ofNanos(nanoClock.getAsLong() - outageSince);
      LOG.info("MQTT connection is back after {} s", lasted.toSeconds());
    } else {
      LOG.info("Connected to MQTT broker {}:{}", login.host(), login.port());
    }
    outage = false;
    lastReason = null;
    refusalPause = shortestRefusal;
    // At that time the login is renewed, and with it the connection.
    attemptIn(login.life());
  }

  /** Route step: subscribes to the topics of new devices. */
  public void subscribeNew() throws MqttException {
    link.subscribeAgain();
  }

  /**
   * Route step: retries refused subscriptions, which the broker can allow later, after a device is
   * bound to the account.
   */
  public void subscribeRefused() {
    List<String> before = link.refusedTopics();
    try {
      link.subscribeRefused();
    } catch (MqttException e) {
      LOG.debug("Could not subscribe again: {}", Lines.describe(e));
      return;
    }
    if (link.refusedTopics().isEmpty()) {
      LOG.info("The broker now allows the subscription of {}", topics(before));
    }
  }

  private static String topics(List<String> topics) {
    return Lines.withoutUser(Lines.abbreviate(topics));
  }

  /**
   * Route step: the broker refused new credentials. Each further attempt can use up one of the few
   * client IDs per day, so the pause is long.
   *
   * @param reason for the log
   */
  public synchronized void refused(String reason) {
    if (link.isClosed()) {
      return;
    }
    if (!outage) {
      outage = true;
      outageSince = nanoClock.getAsLong();
    }
    attemptIn(refusalPause);
    LOG.warn(
        "No MQTT connection: {}; polls continue, next attempt in {} s",
        reason,
        Lines.seconds(refusalPause));
    Duration next = refusalPause.multipliedBy(2);
    Duration longest = shortestRefusal.multipliedBy(LONGEST_REFUSAL);
    refusalPause = next.compareTo(longest) > 0 ? longest : next;
  }

  /**
   * Route step: a login or connection attempt failed; sets the time of the next one.
   *
   * @param reason for the log
   */
  public synchronized void failed(String reason) {
    if (link.isClosed()) {
      // The exporter is shutting down, which ended the attempt.
      return;
    }
    if (!api.isContactMade()) {
      api.contactFailed("Cannot connect to EcoFlow: " + reason);
      return;
    }
    api.note((link.isConnected() ? "Cannot renew the login: " : "No MQTT connection: ") + reason);
    if (link.isConnected()) {
      // Only the login could not be renewed.
      attemptIn(retryPause);
      LOG.warn(
          "Cannot renew the login: {}; the connection stays, next attempt in {} s",
          reason,
          Lines.seconds(retryPause));
      return;
    }
    long now = nanoClock.getAsLong();
    if (!outage) {
      // The exporter itself ended the connection to replace it, and the replacement failed.
      outage = true;
      outageSince = now;
    }
    Duration pause = backoff.next(Duration.ofNanos(now - outageSince));
    attemptIn(pause);
    boolean repeated =
        Objects.equals(reason, lastReason) && now - lastLineAt < REPEAT_LINE_AFTER.toNanos();
    if (repeated) {
      LOG.debug("No MQTT connection: {}; next attempt in {} s", reason, Lines.seconds(pause));
    } else {
      lastReason = reason;
      lastLineAt = now;
      LOG.warn("No MQTT connection: {}; next attempt in {} s", reason, Lines.seconds(pause));
    }
  }

  private synchronized void lost() {
    long now = nanoClock.getAsLong();
    if (!forgetTroubleIfLong(now)) {
      shortConnections.ended(connectedAt);
    }
    if (shortConnections.isTimeToLogIn()) {
      forgetLogin.run();
      LOG.warn(
          "The broker ends each connection after a moment, as it does when a second exporter has the"
              + " same MQTT client id: logging in again");
    }
    outage = true;
    outageSince = now;
    Duration pause = backoff.next(shortConnections.lasting(now));
    attemptIn(pause);
    lastReason = null;
    api.note("MQTT connection lost: " + Lines.describe(link.lostBecause()));
    LOG.warn(
        "MQTT connection lost: {}; next attempt in {} s",
        Lines.describe(link.lostBecause()),
        Lines.seconds(pause));
  }

  private synchronized void attemptIn(Duration pause) {
    forgetAttempt.run();
    if (!closed) {
      forgetAttempt = link.loop().runLater(pause, makeConnection);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    forgetAttempt.run();
  }
}
