package ecoflow.account;

import static ecoflow.account.Establishment.seconds;

import ecoflow.config.Settings;
import ecoflow.metrics.SelfMetrics;
import ecoflow.quota.MessageStory;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides when the account's MQTT connection is made anew, and says so once per change. */
public final class AccountLink {

  private static final Logger LOG = LoggerFactory.getLogger(AccountLink.class);
  private static final Duration QUIET = Duration.ofMinutes(5);
  private static final Duration SHORT_CONNECTION = Duration.ofSeconds(30);
  private static final int SHORT_CONNECTIONS = 3;

  private final Settings settings;
  private final MqttLink link;
  private final AccountLogin login;
  private final Establishment establishment;
  private final Backoff backoff;
  private final SelfMetrics metrics;
  private final LongSupplier nanoClock;
  private long nextAttempt;
  private long nextIdleCheck;
  private long outageSince;
  private boolean outage;
  private String lastReason;
  private long lastLineAt;
  private long connectedAt;
  private int shortConnections;
  private volatile long nextSubscription;

  public AccountLink(
      Settings settings,
      MqttLink link,
      AccountLogin login,
      Establishment establishment,
      SelfMetrics metrics,
      LongSupplier nanoClock) {
    this.settings = settings;
    this.link = link;
    this.login = login;
    this.establishment = establishment;
    this.metrics = metrics;
    this.nanoClock = nanoClock;
    this.backoff = new Backoff(settings.timing().maxReconnectDelay(), Math::random);
    this.nextAttempt = nanoClock.getAsLong();
    link.onLost(this::lost);
  }

  /** Asked by the route a few times a second: whether to connect now. */
  public boolean isAttemptDue() {
    // Outside the lock: it waits for the broker, and a lost connection must be noted meanwhile.
    retrySubscriptions(nanoClock.getAsLong());
    return !link.isClosed() && isDue(nanoClock.getAsLong());
  }

  private synchronized boolean isDue(long now) {
    if (link.isConnected()) {
      return isIdle(now) || (!login.isComplete() && now - nextAttempt >= 0);
    }
    return establishment.isAttemptDue() && now - nextAttempt >= 0;
  }

  private boolean isIdle(long now) {
    if (now - nextIdleCheck < 0) {
      return false;
    }
    Duration timeout = settings.timing().mqttTimeout();
    Duration interval = settings.timing().idleCheckInterval();
    nextIdleCheck = now + interval.toNanos();
    if (link.idleTime().compareTo(timeout) < 0) {
      return false;
    }
    LOG.warn("No MQTT message from any device for {} s, connecting anew", seconds(timeout));
    return true;
  }

  /** A broker that refuses a subscription may allow it later, when the device is bound again. */
  private void retrySubscriptions(long now) {
    if (!link.isConnected() || link.refusedTopics().isEmpty() || now - nextSubscription < 0) {
      return;
    }
    nextSubscription = now + settings.timing().retryTimeout().toNanos();
    List<String> before = link.refusedTopics();
    try {
      link.subscribeRefused();
    } catch (MqttException e) {
      LOG.debug("Could not subscribe again: {}", Failures.describe(e));
      return;
    }
    if (link.refusedTopics().isEmpty()) {
      LOG.info(
          "The broker now allows the subscription of {}",
          MessageStory.withoutUser(String.join(", ", before)));
    }
  }

  /**
   * Connects with the credentials of the login.
   *
   * @throws MqttException when the broker cannot be reached or refuses; {@link #failed} comes next
   */
  public void connect() throws MqttException {
    if (establishment.isEstablished()) {
      metrics.reconnecting();
    }
    MqttLink.Login current = login.login();
    try {
      link.open(current);
    } catch (MqttException e) {
      if (e.getReasonCode() == MqttException.REASON_CODE_FAILED_AUTHENTICATION
          || e.getReasonCode() == MqttException.REASON_CODE_NOT_AUTHORIZED) {
        login.forget();
      }
      throw e;
    }
    connected(current);
  }

  private synchronized void connected(MqttLink.Login current) {
    establishment.succeeded();
    connectedAt = nanoClock.getAsLong();
    nextSubscription = connectedAt + settings.timing().retryTimeout().toNanos();
    if (!link.refusedTopics().isEmpty()) {
      LOG.warn(
          "The broker refused the subscription of {}; asking again every {} s",
          MessageStory.withoutUser(String.join(", ", link.refusedTopics())),
          seconds(settings.timing().retryTimeout()));
    }
    nextIdleCheck = nanoClock.getAsLong() + settings.timing().idleCheckInterval().toNanos();
    if (outage) {
      Duration lasted = Duration.ofNanos(nanoClock.getAsLong() - outageSince);
      LOG.info("MQTT connection is back after {} s", lasted.toSeconds());
    } else {
      LOG.info("Connected to MQTT broker {}:{}", current.host(), current.port());
    }
    outage = false;
    lastReason = null;
  }

  /** Subscribes the topics of devices that became known after the connection was made. */
  void subscribeAgain() throws MqttException {
    link.subscribeAgain();
  }

  /**
   * A login or connection attempt failed: sets the time of the next one.
   *
   * @param reason for the log
   */
  synchronized void failed(String reason) {
    if (link.isClosed()) {
      // The attempt was ended by the end of the exporter.
      return;
    }
    if (!establishment.isEstablished()) {
      establishment.failed("Cannot connect to EcoFlow: " + reason);
      return;
    }
    long now = nanoClock.getAsLong();
    if (link.isConnected()) {
      // Only the renewal of the login failed: the connection serves on.
      nextAttempt = now + settings.timing().retryTimeout().toNanos();
      LOG.warn(
          "Cannot renew the login: {}; the connection serves on, next attempt in {} s",
          reason,
          seconds(settings.timing().retryTimeout()));
      return;
    }
    if (!outage) {
      // The exporter itself ended the connection, for a better one that was not to be had.
      outage = true;
      outageSince = now;
      if (now - connectedAt >= SHORT_CONNECTION.toNanos()) {
        backoff.reset();
      }
    }
    Duration pause = backoff.next(Duration.ofNanos(now - outageSince));
    nextAttempt = now + pause.toNanos();
    boolean repeated = Objects.equals(reason, lastReason) && now - lastLineAt < QUIET.toNanos();
    if (repeated) {
      LOG.debug("No MQTT connection: {}; next attempt in {} s", reason, seconds(pause));
    } else {
      lastReason = reason;
      lastLineAt = now;
      LOG.warn("No MQTT connection: {}; next attempt in {} s", reason, seconds(pause));
    }
  }

  private synchronized void lost() {
    long now = nanoClock.getAsLong();
    if (now - connectedAt < SHORT_CONNECTION.toNanos()) {
      shortConnections++;
    } else {
      shortConnections = 0;
      backoff.reset();
    }
    if (shortConnections >= SHORT_CONNECTIONS) {
      // Kicked again and again: these credentials may have been replaced.
      shortConnections = 0;
      login.forget();
      LOG.warn("The broker ends each connection after a moment: logging in anew");
    }
    outage = true;
    outageSince = now;
    Duration pause = backoff.next(Duration.ZERO);
    nextAttempt = now + pause.toNanos();
    Throwable because = link.lostBecause();
    lastReason = null;
    LOG.warn(
        "MQTT connection lost: {}; next attempt in {} s",
        because == null ? "the broker closed it" : Failures.describe(because),
        seconds(pause));
  }
}
