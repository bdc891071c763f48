package ecoflow.mqtt;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.account.PerAccount;
import ecoflow.config.ProxySettings;
import ecoflow.text.Lines;
import ecoflow.text.PlainException;
import io.vertx.core.Vertx;
import io.vertx.core.net.SSLEngineOptions;
import io.vertx.core.net.TrustOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import javax.net.ssl.TrustManagerFactory;
import org.apache.camel.Header;
import org.apache.camel.Variable;
import org.apache.camel.component.paho.PahoConstants;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The MQTT connections of all accounts, as the client that Paho endpoints share ({@code client:
 * "#mqttLink"}). It implements the interface of a Paho client without using its code: Paho reads
 * each byte under a lock, its classes cannot be replaced because the jar is signed, and an old
 * client can reconnect with old credentials. Routes subscribe once for all accounts; each
 * connection is a new {@link MqttConnection}, which also resolves the host name again. Only {@link
 * #open} connects.
 *
 * <p>The route of a message runs on the event loop of the connections, so further messages wait in
 * the socket. Messages of a device that sends more than its share are queued, see {@link
 * FairQueue}.
 *
 * <p>A topic filter can contain {@code {user}} and {@code {device}}: it represents one topic per
 * device of each account. Filters that start with {@code /open/} apply to accounts with developer
 * keys, all others to app accounts.
 */
final class MqttLink extends MqttClient {

  private static final Logger LOG = LoggerFactory.getLogger(MqttLink.class);

  /** The only topics to publish to, because an exporter must never change a device. */
  private static final String REQUEST_TOPIC_END = "/thing/property/get";

  private static final String KEYS_TOPIC_START = "/open/";
  private static final String USER = "{user}";
  private static final String DEVICE = "{device}";
  private static final int MAX_QOS = 2;

  /** Maximum time to wait for the end of all connections. */
  private static final Duration MAX_CLOSE = Duration.ofSeconds(2);

  private static final Duration MAX_BATCH_TIME = Duration.ofMillis(5);

  /**
   * The subscription of a consumer.
   *
   * @param levels the levels of the filter
   * @param deviceAt the level of the topic with the serial number; negative for none
   */
  private record Subscription(
      String filter, List<String> levels, int deviceAt, int qos, MqttCallback callback) {

    static Subscription of(String filter, int qos, MqttCallback callback) {
      List<String> levels = List.of(filter.split("/", -1));
      return new Subscription(filter, levels, levels.indexOf(DEVICE), qos, callback);
    }

    boolean isFor(Account account) {
      return filter.startsWith(KEYS_TOPIC_START) != account.mode().usesAccount();
    }

    /** Does not allocate memory, because it runs for each message. */
    boolean matches(String topic) {
      int start = 0;
      for (String level : levels) {
        if (level.equals("#")) {
          return true;
        }
        if (start > topic.length()) {
          return false;
        }
        int end = endOfLevel(topic, start);
        boolean any = level.equals("+") || level.equals(USER) || level.equals(DEVICE);
        if (!any
            && !(level.length() == end - start
                && topic.regionMatches(start, level, 0, level.length()))) {
          return false;
        }
        start = end + 1;
      }
      return start > topic.length();
    }

    String device(String topic) {
      if (deviceAt < 0) {
        return "";
      }
      int start = 0;
      for (int level = 0; level < deviceAt; level++) {
        start = endOfLevel(topic, start) + 1;
      }
      return topic.substring(start, endOfLevel(topic, start));
    }

    private static int endOfLevel(String topic, int start) {
      int end = topic.indexOf('/', start);
      return end < 0 ? topic.length() : end;
    }
  }

  private static final class State {

    private final AtomicReference<MqttConnection> connection = new AtomicReference<>();

    /** The QoS of each topic that the broker refused. */
    private final Map<String, Integer> refused = new ConcurrentHashMap<>();

    private volatile long lastMessageAt;
    private volatile boolean hasReceivedMessage;

    /** Whether the account serves devices without subscriptions. */
    private volatile boolean hasNewDevices;

    private volatile Throwable lossCause;
    private volatile MqttConnection connecting;
    private volatile boolean closed;
  }

  /** The devices of the accounts. */
  interface Served {

    /** The devices to subscribe to; called for each connection. */
    List<String> serials(Account account);

    /**
     * Whether the device belongs to the account. Other messages, which a faulty broker could send,
     * are ignored.
     */
    boolean isServed(Account account, String serial);

    /** The account of a device. */
    Optional<Account> account(String serial);
  }

  private final PerAccount<State> states = new PerAccount<>(account -> new State());
  private final Accounts accounts;
  private final Served served;
  private final Loop loop;

  /** Returns the parameters of a connection with this keep-alive interval. */
  private final Function<Duration, MqttConnection.Parameters> parameters;

  /** Null before the first connection. */
  private SSLEngineOptions tls;

  private final Duration responseTimeout;
  private final LongSupplier nanoClock;
  private final Function<byte[], ?> kinds;
  private final FairQueue queue;
  private final Map<String, Subscription> subscriptions = new ConcurrentHashMap<>();
  private volatile MqttCallback latestCallback;
  private volatile Consumer<Account> onLost = account -> {};
  private volatile boolean closed;

  /**
   * @param vertx its first event loop is used
   * @param responseTimeout maximum time to wait for each response of the broker
   * @param proxy applies only to some brokers, see {@link ProxySettings#isFor}
   * @param kinds returns equal objects for payloads of which only the newest is relevant
   * @param dropped receives the serial number of the device for each dropped message
   */
  MqttLink(
      Vertx vertx,
      Accounts accounts,
      Served served,
      TrustManagerFactory trust,
      Duration responseTimeout,
      Optional<ProxySettings> proxy,
      Function<byte[], ?> kinds,
      Consumer<String> dropped,
      LongSupplier nanoClock)
      throws MqttException {
    // Paho never connects with this address and client ID.
    super("ssl://unused.invalid:8883", "unused", new MemoryPersistence());
    this.loop = Loop.of(vertx);
    TrustOptions trusted = TrustOptions.wrap(trust);
    this.parameters =
        keepalive ->
            new MqttConnection.Parameters(
                trusted, tls(), keepalive, responseTimeout, proxy, nanoClock);
    this.responseTimeout = responseTimeout;
    this.accounts = accounts;
    this.served = served;
    this.kinds = kinds;
    this.queue = new FairQueue(dropped);
    this.nanoClock = nanoClock;
  }

  /** Created with the first connection, because it loads the TLS library. */
  private synchronized SSLEngineOptions tls() {
    if (tls == null) {
      tls = MqttConnection.tls();
    }
    return tls;
  }

  Loop loop() {
    return loop;
  }

  void onLost(Consumer<Account> listener) {
    onLost = listener;
  }

  /** The reason for the end of the account's last connection. */
  Throwable lossCause(Account account) {
    return states.of(account).lossCause;
  }

  /** Called by each Paho consumer immediately before it subscribes. */
  @Override
  public void setCallback(MqttCallback callback) {
    latestCallback = callback;
  }

  /**
   * Subscribes all open connections at the same time, which a restart of a route requires. With
   * several accounts, a failed subscription is repeated later and does not affect the others.
   *
   * @throws MqttException if the subscription of a single account fails
   */
  @Override
  public void subscribe(String filter, int qos) throws MqttException {
    String decoded = filter.replace("%7B", "{").replace("%7D", "}");
    Subscription subscription = Subscription.of(decoded, qos, latestCallback);
    subscriptions.put(decoded, subscription);
    Map<Account, Requested> requested = new LinkedHashMap<>();
    for (Account account : accounts.all()) {
      MqttConnection current = states.of(account).connection.get();
      if (current != null && subscription.isFor(account)) {
        List<String> topics = topics(account, decoded, current.userId());
        requested.put(account, request(account, current, topics, qos));
      }
    }
    List<String> failed = new ArrayList<>();
    long start = System.nanoTime();
    for (Map.Entry<Account, Requested> one : requested.entrySet()) {
      Duration left = responseTimeout.minusNanos(System.nanoTime() - start);
      try {
        one.getValue().await(left.isNegative() ? Duration.ZERO : left);
      } catch (MqttException e) {
        if (!accounts.areNamed()) {
          throw e;
        }
        deviceAdded(one.getKey());
        failed.add(one.getKey().name());
      }
    }
    if (!failed.isEmpty()) {
      LOG.warn(
          "No response to the subscription to {} from the brokers of {} accounts: {}; retrying",
          Lines.withoutUser(decoded),
          failed.size(),
          Lines.abbreviate(failed));
    }
  }

  /** A subscription whose response has not been received yet. */
  private record Requested(MqttConnection connection, CompletableFuture<Void> response) {

    void await(Duration limit) throws MqttException {
      connection.await(response, limit);
    }
  }

  /** For routes: whether the account has a connection. */
  public boolean isConnected(@Variable(Account.VARIABLE) Account account) {
    MqttConnection current = states.of(account).connection.get();
    return current != null && current.isOpen();
  }

  /**
   * Publishes a request to the device in the topic; {@code {user}} in the topic is replaced with
   * the user ID of its account.
   *
   * @throws IllegalArgumentException for any other topic
   * @throws MqttException with REASON_CODE_CLIENT_CLOSED after {@link #close}
   */
  @Override
  public void publish(String topic, MqttMessage message) throws MqttException {
    if (!topic.endsWith(REQUEST_TOPIC_END)) {
      throw new IllegalArgumentException(
          "cannot publish to " + topic + ": the exporter is read-only");
    }
    String target = topic.substring(0, topic.length() - REQUEST_TOPIC_END.length());
    Optional<Account> account = served.account(target.substring(target.lastIndexOf('/') + 1));
    try {
      MqttConnection current = account.map(of -> states.of(of).connection.get()).orElse(null);
      if (current == null) {
        throw new MqttException(MqttException.REASON_CODE_CLIENT_NOT_CONNECTED);
      }
      current.publish(topic(topic, current.userId(), ""), message);
    } catch (MqttException e) {
      // Also if it closes meanwhile: at shutdown, timers continue after their connections.
      throw account.filter(this::isClosed).isPresent()
          ? new MqttException(MqttException.REASON_CODE_CLIENT_CLOSED, e)
          : e;
    }
  }

  /** For routes: the serial number in a topic, at the level that the consumer's filter defines. */
  public String device(@Header(PahoConstants.MQTT_TOPIC) String topic) {
    Subscription subscription = subscription(topic);
    return subscription == null ? "" : Lines.name(subscription.device(topic));
  }

  private Subscription subscription(String topic) {
    for (Subscription subscription : subscriptions.values()) {
      if (subscription.matches(topic)) {
        return subscription;
      }
    }
    return null;
  }

  /** Whether a message has arrived on the current connection of the account. */
  boolean hasReceivedMessage(Account account) {
    return states.of(account).hasReceivedMessage;
  }

  /** Time since the last message of the account, or since the start of its connection. */
  Duration idleTime(Account account) {
    return Duration.ofNanos(nanoClock.getAsLong() - states.of(account).lastMessageAt);
  }

  /**
   * Closes the current connection of the account, if any, then connects and subscribes to all
   * topics.
   *
   * @throws MqttException also if the broker refuses all subscriptions; if it refuses only some,
   *     {@link #subscribeMissing} can retry them
   */
  void open(Account account, BrokerLogin login) throws MqttException {
    State state = states.of(account);
    synchronized (state) {
      open(account, state, login);
    }
  }

  private void open(Account account, State state, BrokerLogin login) throws MqttException {
    drop(state);
    state.refused.clear();
    state.hasNewDevices = false;
    Dispatcher dispatcher = new Dispatcher(account, state);
    MqttConnection.Parameters parametersOfAccount =
        parameters.apply(account.settings().mqtt().keepalive());
    MqttConnection opened = new MqttConnection(loop, parametersOfAccount, login, dispatcher);
    dispatcher.source = opened;
    state.connecting = opened;
    try {
      if (isClosed(account)) {
        throw new MqttException(MqttException.REASON_CODE_CLIENT_CLOSED);
      }
      opened.open();
      state.lastMessageAt = nanoClock.getAsLong();
      state.hasReceivedMessage = false;
      subscribeAll(account, opened);
      if (areAllRefused(account, login.userId())) {
        throw new MqttException(
            MqttException.REASON_CODE_SUBSCRIBE_FAILED,
            new PlainException(
                "the broker refused all subscriptions: the devices may not belong to this account"));
      }
      state.connection.set(opened);
      if (!opened.isOpen() && state.connection.compareAndSet(opened, null)) {
        // The connection was lost before it was set, so its loss was not reported.
        opened.requireOpen();
      }
    } catch (MqttException | RuntimeException e) {
      opened.close();
      throw e;
    } finally {
      state.connecting = null;
    }
  }

  private boolean areAllRefused(Account account, String userId) {
    long requested =
        subscriptions.values().stream()
            .filter(subscription -> subscription.isFor(account))
            .mapToLong(subscription -> topics(account, subscription.filter(), userId).size())
            .sum();
    return requested > 0 && states.of(account).refused.size() == requested;
  }

  /** Subscribes to all topics of the account again, to include new devices. */
  void subscribeAgain(Account account) throws MqttException {
    State state = states.of(account);
    synchronized (state) {
      MqttConnection current = state.connection.get();
      if (current != null) {
        subscribeAll(account, current);
      }
    }
  }

  private void subscribeAll(Account account, MqttConnection target) throws MqttException {
    for (Subscription subscription : subscriptions.values()) {
      if (subscription.isFor(account)) {
        List<String> topics = topics(account, subscription.filter(), target.userId());
        subscribe(account, target, topics, subscription.qos());
      }
    }
  }

  /** For routes: whether the broker refused a subscription, so that a retry is useful. */
  public boolean isSubscriptionRefused(@Variable(Account.VARIABLE) Account account) {
    return isConnected(account) && !states.of(account).refused.isEmpty();
  }

  /** For routes: whether the account has no subscription to a topic of one of its devices. */
  public boolean isSubscriptionMissing(@Variable(Account.VARIABLE) Account account) {
    return isSubscriptionRefused(account)
        || (isConnected(account) && states.of(account).hasNewDevices);
  }

  /** The account serves another device, to whose topics it is not subscribed. */
  void deviceAdded(Account account) {
    states.of(account).hasNewDevices = true;
  }

  List<String> refusedTopics(Account account) {
    return List.copyOf(states.of(account).refused.keySet());
  }

  /** The serial numbers in the topics that the broker refused. */
  public Set<String> refusedDevices(@Variable(Account.VARIABLE) Account account) {
    Set<String> serials = new TreeSet<>();
    for (String topic : refusedTopics(account)) {
      List<String> parts = List.of(topic.split("/"));
      served.serials(account).stream().filter(parts::contains).forEach(serials::add);
    }
    return serials;
  }

  /** Subscribes to the topics of new devices and to those that the broker refused. */
  void subscribeMissing(Account account) throws MqttException {
    State state = states.of(account);
    synchronized (state) {
      MqttConnection current = state.connection.get();
      if (current == null) {
        return;
      }
      if (state.hasNewDevices) {
        state.hasNewDevices = false;
        try {
          subscribeAll(account, current);
        } catch (MqttException e) {
          state.hasNewDevices = true;
          throw e;
        }
        return;
      }
      for (Map.Entry<String, Integer> topic : Map.copyOf(state.refused).entrySet()) {
        subscribe(account, current, List.of(topic.getKey()), topic.getValue());
      }
    }
  }

  /** Closes the current connection of the account, if any. */
  void drop(Account account) {
    State state = states.of(account);
    synchronized (state) {
      drop(state);
    }
  }

  private static void drop(State state) {
    MqttConnection current = state.connection.getAndSet(null);
    if (current != null) {
      current.close();
    }
  }

  /** Whether the exporter is shutting down, or no longer serves the account. */
  boolean isClosed(Account account) {
    return closed || states.of(account).closed;
  }

  /**
   * Closes the connection of the account permanently, also during an attempt to connect. Does not
   * wait for its end.
   */
  void close(Account account) {
    startClose(account);
  }

  /** Without the lock of the account, because an attempt has it while it waits for the broker. */
  private List<CompletableFuture<Void>> startClose(Account account) {
    State state = states.of(account);
    state.closed = true;
    // In this order, because an attempt ends after it has set the connection.
    MqttConnection attempt = state.connecting;
    MqttConnection current = state.connection.getAndSet(null);
    return Stream.of(attempt, current)
        .filter(Objects::nonNull)
        .distinct()
        .map(MqttConnection::startClose)
        .toList();
  }

  /**
   * Closes all connections permanently, also during attempts to connect, and waits a moment for
   * their end.
   */
  @Override
  public void close() {
    closed = true;
    List<CompletableFuture<Void>> closing =
        accounts.all().stream().map(this::startClose).flatMap(List::stream).toList();
    Duration limit = MqttConnection.MAX_CLOSE.multipliedBy(closing.size());
    MqttConnection.awaitClosed(
        CompletableFuture.allOf(closing.toArray(CompletableFuture[]::new)),
        limit.compareTo(MAX_CLOSE) > 0 ? MAX_CLOSE : limit);
  }

  private List<String> topics(Account account, String filter, String userId) {
    if (!filter.contains(DEVICE)) {
      return List.of(topic(filter, userId, ""));
    }
    return served.serials(account).stream()
        .distinct()
        .map(serial -> topic(filter, userId, serial))
        .toList();
  }

  private static String topic(String filter, String userId, String serial) {
    return filter.replace(USER, userId).replace(DEVICE, serial);
  }

  private void subscribe(Account account, MqttConnection target, List<String> topics, int qos)
      throws MqttException {
    request(account, target, topics, qos).await(responseTimeout);
  }

  private Requested request(Account account, MqttConnection target, List<String> topics, int qos) {
    if (topics.isEmpty()) {
      return new Requested(target, CompletableFuture.completedFuture(null));
    }
    State state = states.of(account);
    return new Requested(
        target,
        target
            .subscribe(topics, qos)
            .thenAccept(granted -> recordGranted(state, topics, qos, granted)));
  }

  private static void recordGranted(
      State state, List<String> topics, int qos, List<Integer> granted) {
    for (int i = 0; i < topics.size(); i++) {
      if (i < granted.size() && granted.get(i) <= MAX_QOS) {
        state.refused.remove(topics.get(i));
      } else {
        state.refused.put(topics.get(i), qos);
      }
    }
  }

  /**
   * Processes queued messages of all connections, then leaves the same time for reads: a broker
   * sends only a few messages before it waits for acknowledgements.
   */
  private void processQueue() {
    long start = nanoClock.getAsLong();
    while (!queue.isEmpty()) {
      queue.next().work().run();
      long took = nanoClock.getAsLong() - start;
      if (took >= MAX_BATCH_TIME.toNanos()) {
        loop.runLater(Duration.ofNanos(took), this::processQueue);
        return;
      }
    }
  }

  /**
   * Passes each message of a connection to the consumer with the matching filter, immediately or
   * from the queue.
   */
  private final class Dispatcher implements MqttConnection.Receiver {

    private final Account account;
    private final State state;
    private volatile MqttConnection source;

    Dispatcher(Account account, State state) {
      this.account = account;
      this.state = state;
    }

    @Override
    public void arrived(String topic, MqttMessage message) throws Exception {
      long now = nanoClock.getAsLong();
      state.lastMessageAt = now;
      state.hasReceivedMessage = true;
      Subscription subscription = subscription(topic);
      if (subscription == null) {
        return;
      }
      String device = subscription.device(topic);
      if (subscription.deviceAt() >= 0 && !served.isServed(account, device)) {
        return;
      }
      if (queue.mustWait(device, now)) {
        boolean isFirst = queue.isEmpty();
        byte[] payload = message.getPayload();
        Object kind = List.of(topic, kinds.apply(payload));
        queue.add(
            new FairQueue.Message(
                device, kind, payload.length, () -> deliver(subscription, topic, message)));
        if (isFirst) {
          loop.run(MqttLink.this::processQueue);
        }
      } else {
        subscription.callback().messageArrived(topic, message);
        long end = nanoClock.getAsLong();
        queue.processed(device, end - now, end);
      }
    }

    private void deliver(Subscription subscription, String topic, MqttMessage message) {
      if (source.isEnded()) {
        return;
      }
      try {
        subscription.callback().messageArrived(topic, message);
      } catch (Throwable e) {
        source.fail(e);
      }
    }

    @Override
    public void lost(MqttConnection lost, Throwable cause) {
      if (state.connection.compareAndSet(lost, null)) {
        state.lossCause = cause;
        onLost.accept(account);
      }
    }
  }
}
