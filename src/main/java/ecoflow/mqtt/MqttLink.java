package ecoflow.mqtt;

import ecoflow.config.ProxySettings;
import ecoflow.text.Lines;
import ecoflow.text.PlainException;
import io.vertx.core.Vertx;
import io.vertx.core.net.TrustOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.net.ssl.TrustManagerFactory;
import org.apache.camel.Header;
import org.apache.camel.component.paho.PahoConstants;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/**
 * The MQTT connection of an account, as the client that Paho endpoints share ({@code client:
 * "#mqttLink"}). It only has the interface of a Paho client: Paho reads each byte under a lock, its
 * jar is signed, so that none of its classes can be replaced, and an old client can reconnect with
 * old credentials. Routes subscribe once; behind the interface every connection is a new {@link
 * MqttConnection}, which also resolves the host name again. Only {@link #open} connects.
 *
 * <p>The route of a message runs on the event loop of the connection, so further messages wait in
 * the socket. A device that sends more than its share waits for the others, see {@link FairTurns}.
 *
 * <p>A topic filter can contain {@code {user}} and {@code {device}}: it represents one topic per
 * device of the account.
 */
final class MqttLink extends MqttClient {

  /** The only topics for publishing, because an exporter must never change a device. */
  private static final String REQUEST_TOPIC_END = "/thing/property/get";

  private static final String USER = "{user}";
  private static final String DEVICE = "{device}";
  private static final int MAX_QOS = 2;

  private static final Duration TURNS_AT_ONCE = Duration.ofMillis(5);

  /**
   * The subscription of a consumer.
   *
   * @param levels of the filter
   * @param deviceAt the level of the topic with the serial number; negative for none
   */
  private record Subscription(
      String filter, List<String> levels, int deviceAt, int qos, MqttCallback callback) {

    static Subscription of(String filter, int qos, MqttCallback callback) {
      List<String> levels = List.of(filter.split("/", -1));
      return new Subscription(filter, levels, levels.indexOf(DEVICE), qos, callback);
    }

    /** Runs for each message, so it does not allocate memory. */
    boolean fits(String topic) {
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

  private final Supplier<List<String>> serials;
  private final Loop loop;
  private final MqttConnection.Terms terms;
  private final LongSupplier nanoClock;
  private final Function<byte[], ?> kinds;
  private final Consumer<String> dropped;
  private final Map<String, Subscription> subscriptions = new ConcurrentHashMap<>();
  private final AtomicReference<MqttConnection> connection = new AtomicReference<>();

  /** Filters messages of other devices, which a faulty broker could send. */
  private final Set<String> subscribedDevices = ConcurrentHashMap.newKeySet();

  private final Map<String, Integer> refused = new ConcurrentHashMap<>();
  private volatile long lastMessageAt;
  private volatile boolean heard;
  private volatile MqttCallback latestCallback;
  private volatile Runnable onLost = () -> {};
  private volatile Throwable lostBecause;
  private volatile MqttConnection connecting;
  private volatile boolean closed;

  /**
   * @param vertx the link uses its first event loop
   * @param serials returns the devices to subscribe to; called for each connection
   * @param answerTimeout maximum time of the broker for each answer
   * @param proxy for the brokers that it applies to
   * @param kinds returns equal objects for payloads of which only the newest matters
   * @param dropped receives the serial number of the device for each dropped message
   */
  MqttLink(
      Vertx vertx,
      Supplier<List<String>> serials,
      TrustManagerFactory trust,
      Duration keepalive,
      Duration answerTimeout,
      Optional<ProxySettings> proxy,
      Function<byte[], ?> kinds,
      Consumer<String> dropped,
      LongSupplier nanoClock)
      throws MqttException {
    // The address and client ID of this outer client are never used.
    super("ssl://unused.invalid:8883", "unused", new MemoryPersistence());
    this.loop = Loop.of(vertx);
    this.terms =
        new MqttConnection.Terms(
            TrustOptions.wrap(trust), keepalive, answerTimeout, proxy, nanoClock);
    this.serials = serials;
    this.kinds = kinds;
    this.dropped = dropped;
    this.nanoClock = nanoClock;
  }

  /** The event loop on which the link runs. */
  Loop loop() {
    return loop;
  }

  void onLost(Runnable listener) {
    onLost = listener;
  }

  /** The reason for the end of the last connection. */
  Throwable lostBecause() {
    return lostBecause;
  }

  /** Called by each Paho consumer right before it subscribes. */
  @Override
  public void setCallback(MqttCallback callback) {
    latestCallback = callback;
  }

  @Override
  public void subscribe(String filter, int qos) throws MqttException {
    String decoded = filter.replace("%7B", "{").replace("%7D", "}");
    subscriptions.put(decoded, Subscription.of(decoded, qos, latestCallback));
    MqttConnection current = connection.get();
    if (current != null) {
      subscribe(current, topics(decoded, current.userId()), qos);
    }
  }

  @Override
  public boolean isConnected() {
    MqttConnection current = connection.get();
    return current != null && current.isOpen();
  }

  /**
   * Publishes a request; {@code {user}} in the topic is replaced with the user ID of the account.
   *
   * @throws IllegalArgumentException for any other topic
   */
  @Override
  public void publish(String topic, MqttMessage message) throws MqttException {
    if (!topic.endsWith(REQUEST_TOPIC_END)) {
      throw new IllegalArgumentException(
          "refused to publish on " + topic + ": the exporter only reads");
    }
    MqttConnection current = connection.get();
    if (current == null) {
      throw new MqttException(MqttException.REASON_CODE_CLIENT_NOT_CONNECTED);
    }
    current.publish(topic(topic, current.userId(), ""), message);
  }

  /**
   * For routes: the serial number in a topic, at the position that the consumer's filter defines.
   */
  public String device(@Header(PahoConstants.MQTT_TOPIC) String topic) {
    Subscription subscription = subscription(topic);
    return subscription == null ? "" : Lines.name(subscription.device(topic));
  }

  private Subscription subscription(String topic) {
    for (Subscription subscription : subscriptions.values()) {
      if (subscription.fits(topic)) {
        return subscription;
      }
    }
    return null;
  }

  /** Whether a message has arrived on the current connection. */
  boolean hasHeard() {
    return heard;
  }

  /** Time since the last message, or since the start of the connection. */
  Duration idleTime() {
    return Duration.ofNanos(nanoClock.getAsLong() - lastMessageAt);
  }

  /**
   * Ends the current connection, if any, connects and subscribes to all topics.
   *
   * @throws MqttException also if the broker refuses all subscriptions; if it refuses only some,
   *     they are kept for {@link #subscribeRefused}
   */
  synchronized void open(BrokerLogin login) throws MqttException {
    drop();
    refused.clear();
    Dispatcher dispatcher = new Dispatcher();
    MqttConnection opened = new MqttConnection(loop, terms, login, dispatcher);
    dispatcher.source = opened;
    connecting = opened;
    try {
      if (closed) {
        throw new MqttException(MqttException.REASON_CODE_CLIENT_CLOSED);
      }
      opened.open();
      lastMessageAt = nanoClock.getAsLong();
      heard = false;
      subscribeAll(opened);
      if (isEverythingRefused(login.userId())) {
        throw new MqttException(
            MqttException.REASON_CODE_SUBSCRIBE_FAILED,
            new PlainException(
                "the broker refused all subscriptions: it may not know the devices as those of this"
                    + " account"));
      }
      connection.set(opened);
      if (!opened.isOpen() && connection.compareAndSet(opened, null)) {
        // Lost before the loss could be reported.
        opened.requireOpen();
      }
    } catch (MqttException | RuntimeException e) {
      opened.close();
      throw e;
    } finally {
      connecting = null;
    }
  }

  private boolean isEverythingRefused(String userId) {
    long wanted =
        subscriptions.keySet().stream().mapToLong(filter -> topics(filter, userId).size()).sum();
    return wanted > 0 && refused.size() == wanted;
  }

  /** Subscribes to all topics again, to include new devices. */
  synchronized void subscribeAgain() throws MqttException {
    MqttConnection current = connection.get();
    if (current != null) {
      subscribeAll(current);
    }
  }

  private void subscribeAll(MqttConnection to) throws MqttException {
    for (Subscription subscription : subscriptions.values()) {
      subscribe(to, topics(subscription.filter(), to.userId()), subscription.qos());
    }
  }

  /** For routes: whether the broker refused a subscription, so that a retry is useful. */
  public boolean isSubscriptionRefused() {
    return isConnected() && !refused.isEmpty();
  }

  List<String> refusedTopics() {
    return List.copyOf(refused.keySet());
  }

  /** Retries the refused subscriptions. */
  synchronized void subscribeRefused() throws MqttException {
    MqttConnection current = connection.get();
    if (current == null) {
      return;
    }
    for (Map.Entry<String, Integer> topic : Map.copyOf(refused).entrySet()) {
      subscribe(current, List.of(topic.getKey()), topic.getValue());
    }
  }

  /** Ends the connection; does nothing without one. */
  synchronized void drop() {
    MqttConnection current = connection.getAndSet(null);
    if (current != null) {
      current.close();
    }
  }

  /** Whether the exporter is shutting down. */
  boolean isClosed() {
    return closed;
  }

  /** Closes the link permanently, also during an attempt to connect. */
  @Override
  public void close() {
    closed = true;
    MqttConnection attempt = connecting;
    if (attempt != null) {
      attempt.close();
    }
    drop();
  }

  private List<String> topics(String filter, String userId) {
    if (!filter.contains(DEVICE)) {
      return List.of(topic(filter, userId, ""));
    }
    List<String> devices = serials.get();
    subscribedDevices.addAll(devices);
    return devices.stream().distinct().map(serial -> topic(filter, userId, serial)).toList();
  }

  private static String topic(String filter, String userId, String serial) {
    return filter.replace(USER, userId).replace(DEVICE, serial);
  }

  private void subscribe(MqttConnection to, List<String> topics, int qos) throws MqttException {
    if (topics.isEmpty()) {
      return;
    }
    CompletableFuture<Void> noted =
        to.subscribe(topics, qos).thenAccept(granted -> note(topics, qos, granted));
    to.await(noted);
  }

  private void note(List<String> topics, int qos, List<Integer> granted) {
    for (int i = 0; i < topics.size(); i++) {
      if (i < granted.size() && granted.get(i) <= MAX_QOS) {
        refused.remove(topics.get(i));
      } else {
        refused.put(topics.get(i), qos);
      }
    }
  }

  /**
   * Passes each message of a connection to the consumer with the matching filter, at once or when
   * it is the device's turn.
   */
  private final class Dispatcher implements MqttConnection.Receiver {

    private final FairTurns turns = new FairTurns(dropped);
    private volatile MqttConnection source;

    @Override
    public void arrived(String topic, MqttMessage message) throws Exception {
      long now = nanoClock.getAsLong();
      lastMessageAt = now;
      heard = true;
      Subscription subscription = subscription(topic);
      if (subscription == null) {
        return;
      }
      String device = subscription.device(topic);
      if (subscription.deviceAt() >= 0 && !subscribedDevices.contains(device)) {
        return;
      }
      if (turns.mustWait(device, now)) {
        boolean isFirst = turns.isEmpty();
        byte[] payload = message.getPayload();
        Object kind = List.of(topic, kinds.apply(payload));
        turns.add(
            new FairTurns.Message(
                device, kind, payload.length, () -> deliver(subscription, topic, message)));
        if (isFirst) {
          loop.run(this::takeTurns);
        }
      } else {
        subscription.callback().messageArrived(topic, message);
        long end = nanoClock.getAsLong();
        turns.processed(device, end - now, end);
      }
    }

    private void deliver(Subscription subscription, String topic, MqttMessage message) {
      try {
        subscription.callback().messageArrived(topic, message);
      } catch (Throwable e) {
        source.fail(e);
      }
    }

    /**
     * Processes waiting messages, then leaves as much time for reading: a broker sends only a few
     * messages before it waits for confirmations.
     */
    private void takeTurns() {
      long start = nanoClock.getAsLong();
      while (!turns.isEmpty()) {
        if (source.isEnded()) {
          turns.clear();
          return;
        }
        turns.next().work().run();
        long took = nanoClock.getAsLong() - start;
        if (took >= TURNS_AT_ONCE.toNanos()) {
          loop.runLater(Duration.ofNanos(took), this::takeTurns);
          return;
        }
      }
    }

    @Override
    public void lost(MqttConnection lost, Throwable cause) {
      if (connection.compareAndSet(lost, null)) {
        lostBecause = cause;
        onLost.run();
      }
    }
  }
}
