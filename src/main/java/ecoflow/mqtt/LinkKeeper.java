package ecoflow.mqtt;

import ecoflow.account.Account;
import ecoflow.account.PerAccount;
import ecoflow.api.Api;
import ecoflow.config.Settings;
import ecoflow.meters.Meters;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides when the MQTT connections of accounts are renewed, bean {@code linkKeeper}, and logs each
 * change of their state once. A route connects; this class triggers the route after each pause.
 */
final class LinkKeeper implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LinkKeeper.class);
  private static final String ATTEMPT = "connectionAttempt";
  private static final Duration REPEAT_WARNING_AFTER = Duration.ofMinutes(5);
  private static final int OPEN_FACTOR = 3;
  private static final int MAX_OPEN_FACTOR = 64;

  /** Maximum pause after refused credentials, as a multiple of MAX_RECONNECT_DELAY. */
  private static final int MAX_REFUSAL_FACTOR = 48;

  /** The part of the lifetime of credentials over which renewals are spread. */
  private static final double RENEWAL_JITTER = 0.2;

  private static final class State {

    private final Account account;
    private final Backoff backoff;
    private final ShortConnections shortConnections = new ShortConnections();
    private boolean isAttemptInProgress;
    private boolean isNextAttemptRequested;

    /** Whether the settings have changed during the attempt in progress. */
    private boolean isReconnectRequested;

    /** Whether the credentials have changed during the attempt in progress. */
    private boolean isLoginOutdated;

    private Runnable cancelAttempt = () -> {};
    private long outageSince;
    private boolean isOutage;
    private String lastReason;
    private long lastWarningAt;
    private long connectedAt;
    private Duration firstMessageLimit;
    private Duration refusalPause;

    State(Account account) {
      this.account = account;
      this.backoff = new Backoff(() -> account.settings().mqtt().maxReconnectDelay(), Math::random);
      this.firstMessageLimit = silenceLimit();
      this.refusalPause = minRefusalPause();
    }

    Duration silenceLimit() {
      Duration timeout = account.settings().devices().timeout();
      // Some models never push with developer keys, so the limit doubles after each reconnect.
      return isOpenMode() ? timeout.multipliedBy(OPEN_FACTOR) : timeout;
    }

    Duration maxSilenceLimit() {
      return silenceLimit().multipliedBy(isOpenMode() ? MAX_OPEN_FACTOR : 1);
    }

    private boolean isOpenMode() {
      return account.mode() == Settings.Mode.OPEN;
    }

    Duration minRefusalPause() {
      return account.settings().mqtt().maxReconnectDelay();
    }

    Duration retryPause() {
      return account.settings().http().pause();
    }
  }

  private final PerAccount<State> states = new PerAccount<>(State::new);
  private final MqttLink link;
  private final Function<Account, Duration> normalSilence;
  private final Api api;
  private final Meters meters;
  private final LongSupplier nanoClock;
  private final Consumer<Account> triggerConnect;
  private final Consumer<Account> forgetLogin;
  private volatile boolean closed;

  /**
   * @param normalSilence returns the longest normal time without a message from any device of the
   *     account
   * @param triggerConnect starts the route that connects, and does not wait for its result
   * @param forgetLogin makes the next attempt log in again
   */
  LinkKeeper(
      MqttLink link,
      Function<Account, Duration> normalSilence,
      Api api,
      Meters meters,
      LongSupplier nanoClock,
      Consumer<Account> triggerConnect,
      Consumer<Account> forgetLogin) {
    this.link = link;
    this.normalSilence = normalSilence;
    this.api = api;
    this.meters = meters;
    this.nanoClock = nanoClock;
    this.triggerConnect = triggerConnect;
    this.forgetLogin = forgetLogin;
    link.onLost(this::lost);
  }

  /**
   * Route step: starts an attempt to connect, and sets the property connectionAttempt to true. If
   * another attempt of the account is in progress, the property is false, and the route runs again
   * after that attempt. It is also false for an account that was removed while the attempt was in a
   * queue.
   */
  public void startAttempt(Exchange exchange) {
    Account account = Account.of(exchange);
    State state = states.of(account);
    synchronized (state) {
      if (link.isClosed(account)) {
        exchange.setProperty(ATTEMPT, false);
        return;
      }
      exchange.setProperty(ATTEMPT, !state.isAttemptInProgress);
      state.isNextAttemptRequested |= state.isAttemptInProgress;
      state.isAttemptInProgress = true;
    }
  }

  /** Route step: ends an attempt to connect. */
  public void endAttempt(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    boolean isNextAttemptRequested;
    boolean isReconnectRequested;
    boolean isLoginOutdated;
    synchronized (state) {
      state.isAttemptInProgress = false;
      isNextAttemptRequested = state.isNextAttemptRequested;
      isReconnectRequested = state.isReconnectRequested;
      isLoginOutdated = state.isLoginOutdated;
      state.isNextAttemptRequested = false;
      state.isReconnectRequested = false;
      state.isLoginOutdated = false;
    }
    if (isLoginOutdated) {
      // The attempt can have logged in with the previous credentials.
      forgetLogin.accept(account);
    }
    if (isReconnectRequested && api.isContactMade(account)) {
      replaceConnection(state);
    } else if (isNextAttemptRequested) {
      triggerConnect.accept(account);
    }
  }

  /** For routes: whether a connection is needed but missing. */
  public boolean isConnectionMissing(@Variable(Account.VARIABLE) Account account) {
    return !link.isConnected(account) && !link.isClosed(account);
  }

  /**
   * For routes: whether the connection is up, but no device has sent a message for MQTT_TIMEOUT
   * plus the normal silence of all devices. With developer keys, the limit is three times
   * MQTT_TIMEOUT plus that silence, and doubles with each reconnect until a message arrives.
   */
  public boolean isIdle(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    synchronized (state) {
      Duration idle = link.idleTime(account);
      Duration limit = idleLimit(state);
      return link.isConnected(account)
          && idle.compareTo(limit) >= 0
          && idle.compareTo(limit.plus(normalSilence.apply(account))) >= 0;
    }
  }

  private Duration idleLimit(State state) {
    return link.hasReceivedMessage(state.account) ? state.silenceLimit() : state.firstMessageLimit;
  }

  /** Route step: ends an idle connection. */
  public void drop(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    synchronized (state) {
      Duration idleLimit = idleLimit(state);
      LOG.warn(
          "{}No MQTT message from any device for {} s: reconnecting",
          account.prefix(),
          Lines.seconds(idleLimit.plus(normalSilence.apply(account))));
      state.firstMessageLimit = Api.doubled(idleLimit, state.maxSilenceLimit());
      beforeDisconnect(state);
    }
    link.drop(account);
  }

  /**
   * Route step: connects and subscribes.
   *
   * @throws MqttException if the connection fails; the route then calls {@link #failed}
   */
  public void connect(@Body BrokerLogin login, @Variable(Account.VARIABLE) Account account)
      throws MqttException {
    if (api.isContactMade(account)) {
      meters.reconnecting(account);
    }
    State state = states.of(account);
    synchronized (state) {
      beforeDisconnect(state);
      // Before the connection is open, because it can be lost immediately.
      state.connectedAt = nanoClock.getAsLong();
    }
    link.open(account, login);
    synchronized (state) {
      connected(state, login);
    }
  }

  /** Called before the exporter itself closes the current connection, if any. */
  private void beforeDisconnect(State state) {
    if (link.isConnected(state.account)) {
      resetIfStable(state, nanoClock.getAsLong());
    }
  }

  private static boolean resetIfStable(State state, long now) {
    boolean isStable = state.shortConnections.isStable(state.connectedAt, now);
    if (isStable) {
      state.shortConnections.reset();
      state.backoff.reset();
    }
    return isStable;
  }

  private void connected(State state, BrokerLogin login) {
    Account account = state.account;
    api.contactMade(account);
    if (!link.isConnected(account)) {
      // The connection was lost in the meantime, and lost() has scheduled the next attempt.
      return;
    }
    state.connectedAt = nanoClock.getAsLong();
    if (link.isSubscriptionRefused(account)) {
      LOG.warn(
          "{}The broker refused the subscription to {}; retrying every {} s",
          account.prefix(),
          topics(link.refusedTopics(account)),
          Lines.seconds(state.retryPause()));
    }
    if (state.isOutage) {
      Duration duration = Duration.ofNanos(nanoClock.getAsLong() - state.outageSince);
      LOG.info("{}MQTT connection restored after {} s", account.prefix(), duration.toSeconds());
    } else {
      LOG.info("{}Connected to MQTT broker {}:{}", account.prefix(), login.host(), login.port());
    }
    state.isOutage = false;
    state.lastReason = null;
    state.refusalPause = state.minRefusalPause();
    // Renews the login and the connection before the credentials expire.
    scheduleAttempt(state, renewal(account, login.lifetime()));
  }

  /** Route step: subscribes to the topics of new devices. */
  public void subscribeNew(@Variable(Account.VARIABLE) Account account) throws MqttException {
    link.subscribeAgain(account);
  }

  /**
   * Route step: subscribes to the topics of new devices, and retries refused subscriptions. The
   * broker can accept them later, for example after a device has been bound to the account.
   */
  public void subscribeMissing(@Variable(Account.VARIABLE) Account account) {
    List<String> before = link.refusedTopics(account);
    try {
      link.subscribeMissing(account);
    } catch (MqttException e) {
      LOG.debug(
          "{}Cannot retry the missing subscriptions: {}", account.prefix(), Lines.describe(e));
      return;
    }
    if (!before.isEmpty() && link.refusedTopics(account).isEmpty()) {
      LOG.info("{}The broker accepted the subscription to {}", account.prefix(), topics(before));
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
  public void refused(@Body String reason, @Variable(Account.VARIABLE) Account account) {
    if (link.isClosed(account)) {
      return;
    }
    State state = states.of(account);
    synchronized (state) {
      if (!state.isOutage) {
        state.isOutage = true;
        state.outageSince = nanoClock.getAsLong();
      }
      Duration pause = state.refusalPause;
      scheduleAttempt(state, pause);
      LOG.warn(
          "{}No MQTT connection: {}; polls continue, next attempt in {} s",
          account.prefix(),
          reason,
          Lines.seconds(pause));
      state.refusalPause =
          Api.doubled(pause, state.minRefusalPause().multipliedBy(MAX_REFUSAL_FACTOR));
    }
  }

  /**
   * Route step: handles a failed login or connection attempt, and schedules the next one.
   *
   * @param reason for the log
   */
  public void failed(@Body String reason, @Variable(Account.VARIABLE) Account account) {
    if (link.isClosed(account)) {
      // The shutdown of the exporter has interrupted the attempt.
      return;
    }
    if (!api.isContactMade(account)) {
      api.contactFailed(account, "Cannot connect to EcoFlow: " + reason);
      return;
    }
    State state = states.of(account);
    synchronized (state) {
      if (link.isConnected(account)) {
        api.connectionFailed(account, "Cannot renew the login: " + reason);
        scheduleAttempt(state, state.retryPause());
        LOG.warn(
            "{}Cannot renew the login: {}; the connection stays open, next attempt in {} s",
            account.prefix(),
            reason,
            Lines.seconds(state.retryPause()));
      } else {
        api.connectionFailed(account, "No MQTT connection: " + reason);
        connectFailed(state, reason);
      }
    }
  }

  private void connectFailed(State state, String reason) {
    long now = nanoClock.getAsLong();
    if (!state.isOutage) {
      // The exporter had closed the connection itself, in order to replace it.
      state.isOutage = true;
      state.outageSince = now;
    }
    Duration pause = state.backoff.next(Duration.ofNanos(now - state.outageSince));
    scheduleAttempt(state, pause);
    boolean repeated =
        Objects.equals(reason, state.lastReason)
            && now - state.lastWarningAt < REPEAT_WARNING_AFTER.toNanos();
    String line = state.account.prefix() + "No MQTT connection: " + reason;
    if (repeated) {
      LOG.debug("{}; next attempt in {} s", line, Lines.seconds(pause));
    } else {
      state.lastReason = reason;
      state.lastWarningAt = now;
      LOG.warn("{}; next attempt in {} s", line, Lines.seconds(pause));
    }
  }

  private void lost(Account account) {
    State state = states.of(account);
    synchronized (state) {
      lost(state);
    }
  }

  private void lost(State state) {
    Account account = state.account;
    long now = nanoClock.getAsLong();
    if (!resetIfStable(state, now)) {
      state.shortConnections.ended(state.connectedAt);
    }
    if (state.shortConnections.needsLogin()) {
      forgetLogin.accept(account);
      LOG.warn(
          "{}The broker closes each connection after a short time, as it does if a second exporter"
              + " has the same MQTT client ID: logging in again",
          account.prefix());
    }
    state.isOutage = true;
    state.outageSince = now;
    Duration pause = state.backoff.next(state.shortConnections.outage(now));
    scheduleAttempt(state, pause);
    state.lastReason = null;
    String reason = Lines.describe(link.lossCause(account));
    api.recordFailure(account, "MQTT connection lost: " + reason);
    LOG.warn(
        "{}MQTT connection lost: {}; next attempt in {} s",
        account.prefix(),
        reason,
        Lines.seconds(pause));
  }

  /** The renewals of several accounts that started at the same time are spread. */
  private static Duration renewal(Account account, Duration lifetime) {
    return account.name().isEmpty()
        ? lifetime
        : Duration.ofMillis(Math.round(lifetime.toMillis() * (1 - RENEWAL_JITTER * Math.random())));
  }

  private void scheduleAttempt(State state, Duration pause) {
    Account account = state.account;
    state.cancelAttempt.run();
    if (!closed && !link.isClosed(account)) {
      state.cancelAttempt =
          link.loop()
              .runLater(
                  Api.longer(pause, api.loginPause(account)), () -> triggerConnect.accept(account));
    }
  }

  /**
   * Connects again with changed settings, at the permitted rate of logins. Does not wait for an
   * attempt in progress.
   *
   * @param withLogin whether the credentials have changed
   */
  void reconnect(Account account, boolean withLogin) {
    State state = states.of(account);
    synchronized (state) {
      if (state.isAttemptInProgress) {
        state.isReconnectRequested = true;
        state.isLoginOutdated |= withLogin;
        return;
      }
    }
    // Otherwise the first attempt, which is scheduled, uses the changed settings.
    if (api.isContactMade(account)) {
      replaceConnection(state);
    }
  }

  private void replaceConnection(State state) {
    synchronized (state) {
      beforeDisconnect(state);
    }
    link.drop(state.account);
    synchronized (state) {
      scheduleAttempt(state, Duration.ZERO);
    }
  }

  /** Cancels the next attempt of an account, whose connection is closed permanently. */
  void close(Account account) {
    State state = states.of(account);
    synchronized (state) {
      state.cancelAttempt.run();
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
