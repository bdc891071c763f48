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
 * "#mqttLink"}). It implements the interface of a Paho client without using its code: Paho reads
 * each byte under a lock, its classes cannot be replaced because the jar is signed, and an old
 * client can reconnect with old credentials. Routes subscribe once; each connection is a new {@link
 * MqttConnection}, which also resolves the host name again. Only {@link #open} connects.
 *
 * <p>The route of a message runs on the event loop of the connection, so further messages wait in
 * the socket. Messages of a device that sends more than its share are queued, see {@link
 * FairQueue}.
 *
 * <p>A topic filter can contain {@code {user}} and {@code {device}}: it represents one topic per
 * device of the account.
 */
final class MqttLink extends MqttClient {

  /** The only topics to publish to, because an exporter must never change a device. */
  private static final String REQUEST_TOPIC_END = "/thing/property/get";

  private static final String USER = "{user}";
  private static final String DEVICE = "{device}";
  private static final int MAX_QOS = 2;

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

  private final Supplier<List<String>> serials;
  private final Loop loop;
  private final MqttConnection.Parameters parameters;
  private final LongSupplier nanoClock;
  private final Function<byte[], ?> kinds;
  private final Consumer<String> dropped;
  private final Map<String, Subscription> subscriptions = new ConcurrentHashMap<>();
  private final AtomicReference<MqttConnection> connection = new AtomicReference<>();

  /** Messages of other devices, which a faulty broker could send, are ignored. */
  private final Set<String> subscribedDevices = ConcurrentHashMap.newKeySet();

  private final Map<String, Integer> refused = new ConcurrentHashMap<>();
  private volatile long lastMessageAt;
  private volatile boolean hasReceivedMessage;
  private volatile MqttCallback latestCallback;
  private volatile Runnable onLost = () -> {};
  private volatile Throwable lossCause;
  private volatile MqttConnection connecting;
  private volatile boolean closed;

  /**
   * @param vertx its first event loop is used
   * @param serials returns the devices to subscribe to; called for each connection
   * @param responseTimeout maximum time to wait for each response of the broker
   * @param proxy applies only to some brokers, see {@link ProxySettings#isFor}
   * @param kinds returns equal objects for payloads of which only the newest is relevant
   * @param dropped receives the serial number of the device for each dropped message
   */
  MqttLink(
      Vertx vertx,
      Supplier<List<String>> serials,
      TrustManagerFactory trust,
      Duration keepalive,
      Duration responseTimeout,
      Optional<ProxySettings> proxy,
      Function<byte[], ?> kinds,
      Consumer<String> dropped,
      LongSupplier nanoClock)
      throws MqttException {
    // Paho never connects with this address and client ID.
    super("ssl://unused.invalid:8883", "unused", new MemoryPersistence());
    this.loop = Loop.of(vertx);
    this.parameters =
        new MqttConnection.Parameters(
            TrustOptions.wrap(trust), keepalive, responseTimeout, proxy, nanoClock);
    this.serials = serials;
    this.kinds = kinds;
    this.dropped = dropped;
    this.nanoClock = nanoClock;
  }

  Loop loop() {
    return loop;
  }

  void onLost(Runnable listener) {
    onLost = listener;
  }

  /** The reason for the end of the last connection. */
  Throwable lossCause() {
    return lossCause;
  }

  /** Called by each Paho consumer immediately before it subscribes. */
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
          "cannot publish to " + topic + ": the exporter is read-only");
    }
    MqttConnection current = connection.get();
    if (current == null) {
      throw new MqttException(MqttException.REASON_CODE_CLIENT_NOT_CONNECTED);
    }
    current.publish(topic(topic, current.userId(), ""), message);
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

  /** Whether a message has arrived on the current connection. */
  boolean hasReceivedMessage() {
    return hasReceivedMessage;
  }

  /** Time since the last message, or since the start of the connection. */
  Duration idleTime() {
    return Duration.ofNanos(nanoClock.getAsLong() - lastMessageAt);
  }

  /**
   * Closes the current connection, if any, then connects and subscribes to all topics.
   *
   * @throws MqttException also if the broker refuses all subscriptions; if it refuses only some,
   *     {@link #subscribeRefused} can retry them
   */
  synchronized void open(BrokerLogin login) throws MqttException {
    drop();
    refused.clear();
    Dispatcher dispatcher = new Dispatcher();
    MqttConnection opened = new MqttConnection(loop, parameters, login, dispatcher);
    dispatcher.source = opened;
    connecting = opened;
    try {
      if (closed) {
        throw new MqttException(MqttException.REASON_CODE_CLIENT_CLOSED);
      }
      opened.open();
      lastMessageAt = nanoClock.getAsLong();
      hasReceivedMessage = false;
      subscribeAll(opened);
      if (areAllRefused(login.userId())) {
        throw new MqttException(
            MqttException.REASON_CODE_SUBSCRIBE_FAILED,
            new PlainException(
                "the broker refused all subscriptions: the devices may not belong to this account"));
      }
      connection.set(opened);
      if (!opened.isOpen() && connection.compareAndSet(opened, null)) {
        // The connection was lost before it was set, so its loss was not reported.
        opened.requireOpen();
      }
    } catch (MqttException | RuntimeException e) {
      opened.close();
      throw e;
    } finally {
      connecting = null;
    }
  }

  private boolean areAllRefused(String userId) {
    long requested =
        subscriptions.keySet().stream().mapToLong(filter -> topics(filter, userId).size()).sum();
    return requested > 0 && refused.size() == requested;
  }

  /** Subscribes to all topics again, to include new devices. */
  synchronized void subscribeAgain() throws MqttException {
    MqttConnection current = connection.get();
    if (current != null) {
      subscribeAll(current);
    }
  }

  private void subscribeAll(MqttConnection target) throws MqttException {
    for (Subscription subscription : subscriptions.values()) {
      subscribe(target, topics(subscription.filter(), target.userId()), subscription.qos());
    }
  }

  /** For routes: whether the broker refused a subscription, so that a retry is useful. */
  public boolean isSubscriptionRefused() {
    return isConnected() && !refused.isEmpty();
  }

  List<String> refusedTopics() {
    return List.copyOf(refused.keySet());
  }

  synchronized void subscribeRefused() throws MqttException {
    MqttConnection current = connection.get();
    if (current == null) {
      return;
    }
    for (Map.Entry<String, Integer> topic : Map.copyOf(refused).entrySet()) {
      subscribe(current, List.of(topic.getKey()), topic.getValue());
    }
  }

  /** Closes the current connection, if any. */
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

  private void subscribe(MqttConnection target, List<String> topics, int qos) throws MqttException {
    if (topics.isEmpty()) {
      return;
    }
    CompletableFuture<Void> recorded =
        target.subscribe(topics, qos).thenAccept(granted -> recordGranted(topics, qos, granted));
    target.await(recorded);
  }

  private void recordGranted(List<String> topics, int qos, List<Integer> granted) {
    for (int i = 0; i < topics.size(); i++) {
      if (i < granted.size() && granted.get(i) <= MAX_QOS) {
        refused.remove(topics.get(i));
      } else {
        refused.put(topics.get(i), qos);
      }
    }
  }

  /**
   * Passes each message of a connection to the consumer with the matching filter, immediately or
   * from the queue.
   */
  private final class Dispatcher implements MqttConnection.Receiver {

    private final FairQueue queue = new FairQueue(dropped);
    private volatile MqttConnection source;

    @Override
    public void arrived(String topic, MqttMessage message) throws Exception {
      long now = nanoClock.getAsLong();
      lastMessageAt = now;
      hasReceivedMessage = true;
      Subscription subscription = subscription(topic);
      if (subscription == null) {
        return;
      }
      String device = subscription.device(topic);
      if (subscription.deviceAt() >= 0 && !subscribedDevices.contains(device)) {
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
          loop.run(this::processQueue);
        }
      } else {
        subscription.callback().messageArrived(topic, message);
        long end = nanoClock.getAsLong();
        queue.processed(device, end - now, end);
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
     * Processes queued messages, then leaves the same time for reads: a broker sends only a few
     * messages before it waits for acknowledgements.
     */
    private void processQueue() {
      long start = nanoClock.getAsLong();
      while (!queue.isEmpty()) {
        if (source.isEnded()) {
          queue.clear();
          return;
        }
        queue.next().work().run();
        long took = nanoClock.getAsLong() - start;
        if (took >= MAX_BATCH_TIME.toNanos()) {
          loop.runLater(Duration.ofNanos(took), this::processQueue);
          return;
        }
      }
    }

    @Override
    public void lost(MqttConnection lost, Throwable cause) {
      if (connection.compareAndSet(lost, null)) {
        lossCause = cause;
        onLost.run();
      }
    }
  }
}
