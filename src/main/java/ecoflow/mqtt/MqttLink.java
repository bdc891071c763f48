package ecoflow.mqtt;

import ecoflow.memory.OutOfMemory;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.apache.camel.Header;
import org.apache.camel.component.paho.PahoConstants;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.IMqttToken;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.eclipse.paho.client.mqttv3.MqttTopic;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/**
 * The one MQTT connection of an account, as the client that Paho endpoints share ({@code client:
 * "#mqttLink"}). Routes subscribe once; behind this client every connection is a fresh Paho client,
 * because a Paho client that lost its broker can keep trying old credentials endlessly, and because
 * a fresh one resolves the host name anew. Nobody but {@link #open} connects.
 *
 * <p>A topic filter may hold {@code {user}} and {@code {device}}: it stands for one topic per
 * device of the account.
 */
final class MqttLink extends MqttClient {

  /** The only topics that an exporter, which never changes a device, may publish on. */
  private static final String REQUEST_TOPIC_END = "/thing/property/get";

  private static final String USER = "{user}";
  private static final String DEVICE = "{device}";
  private static final int REFUSED_SUBSCRIPTION = 0x80;
  private static final long QUIET_CLOSE_MILLIS = 300;
  private static final int MAX_IN_FLIGHT = 10_000;

  /**
   * @param deviceAt the level of the topic that is the serial number, negative for none
   */
  private record Subscription(int qos, MqttCallback callback, int deviceAt) {}

  private record Connection(MqttClient client, String userId) {}

  private final Supplier<List<String>> serials;
  private final SSLContext tls;
  private final Duration keepalive;
  private final Duration answerTimeout;
  private final LongSupplier nanoClock;
  private final Map<String, Subscription> subscriptions = new ConcurrentHashMap<>();
  private final AtomicLong lastMessageAt = new AtomicLong();
  private volatile MqttCallback latestCallback;
  private volatile Connection connection;
  private volatile Runnable onLost = () -> {};
  private volatile Throwable lostBecause;
  private volatile MqttClient lostClient;
  private volatile MqttClient connecting;
  private volatile boolean closed;
  private final Map<String, Integer> refused = new ConcurrentHashMap<>();

  /**
   * @param serials the devices to subscribe to, asked at each connection
   * @param answerTimeout how long the broker may take for each answer
   */
  MqttLink(
      Supplier<List<String>> serials,
      SSLContext tls,
      Duration keepalive,
      Duration answerTimeout,
      LongSupplier nanoClock)
      throws MqttException {
    // The address and id of this outer client are never used: it only stands for the inner ones.
    super("ssl://unused.invalid:8883", "unused", new MemoryPersistence());
    this.serials = serials;
    this.tls = tls;
    this.keepalive = keepalive;
    this.answerTimeout = answerTimeout;
    this.nanoClock = nanoClock;
  }

  void onLost(Runnable listener) {
    onLost = listener;
  }

  /** Why the last connection ended, null if the broker just closed it. */
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
    int deviceAt = Arrays.asList(decoded.split("/")).indexOf(DEVICE);
    subscriptions.put(decoded, new Subscription(qos, latestCallback, deviceAt));
    Connection current = connection;
    if (current != null) {
      subscribe(current, topics(decoded, current.userId()), qos);
    }
  }

  @Override
  public boolean isConnected() {
    Connection current = connection;
    return current != null && current.client().isConnected();
  }

  /**
   * Publishes a request; {@code {user}} in the topic stands for the account's user id.
   *
   * @throws IllegalArgumentException for any other topic
   */
  @Override
  public void publish(String topic, MqttMessage message) throws MqttException {
    if (!topic.endsWith(REQUEST_TOPIC_END)) {
      throw new IllegalArgumentException(
          "refused to publish on " + topic + ": the exporter only reads");
    }
    Connection current = connection;
    if (current == null) {
      throw new MqttException(MqttException.REASON_CODE_CLIENT_NOT_CONNECTED);
    }
    current.client().publish(topic(topic, current.userId(), ""), message);
  }

  /** For routes: the serial number in a topic, which the consumer's filter says where to find. */
  public String device(@Header(PahoConstants.MQTT_TOPIC) String topic) {
    Subscription subscription = subscription(topic);
    return subscription == null || subscription.deviceAt() < 0
        ? ""
        : topic.split("/", -1)[subscription.deviceAt()];
  }

  private Subscription subscription(String topic) {
    for (Map.Entry<String, Subscription> entry : subscriptions.entrySet()) {
      String filter = entry.getKey().replace(USER, "+").replace(DEVICE, "+");
      if (MqttTopic.isMatched(filter, topic)) {
        return entry.getValue();
      }
    }
    return null;
  }

  /** Time since the last message, or since the connection was made. */
  Duration idleTime() {
    return Duration.ofNanos(nanoClock.getAsLong() - lastMessageAt.get());
  }

  /**
   * Ends what connection there is, connects anew and subscribes everything.
   *
   * @throws MqttException also when the broker refuses all subscriptions; when it refuses some,
   *     they are kept for {@link #subscribeRefused}
   */
  synchronized void open(BrokerLogin login) throws MqttException {
    drop();
    if (closed) {
      throw new MqttException(MqttException.REASON_CODE_CLIENT_CLOSED);
    }
    refused.clear();
    MqttClient client =
        new MqttClient(
            URI.create("ssl://" + login.host() + ":" + login.port()).toString(),
            login.clientId(),
            new MemoryPersistence());
    client.setTimeToWait(answerTimeout.toMillis());
    client.setCallback(new Dispatcher(client));
    connecting = client;
    try {
      client.connect(options(login));
      Connection opened = new Connection(client, login.userId());
      lastMessageAt.set(nanoClock.getAsLong());
      subscribeAll(opened);
      if (isEverythingRefused(login.userId())) {
        throw new MqttException(
            MqttException.REASON_CODE_SUBSCRIBE_FAILED,
            new IllegalStateException("the broker refused all subscriptions"));
      }
      connection = opened;
    } catch (MqttException | RuntimeException e) {
      release(client);
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

  /** Subscribes all topics once more, for devices that are new. */
  synchronized void subscribeAgain() throws MqttException {
    Connection current = connection;
    if (current != null) {
      subscribeAll(current);
    }
  }

  private void subscribeAll(Connection connection) throws MqttException {
    for (Map.Entry<String, Subscription> entry : subscriptions.entrySet()) {
      subscribe(connection, topics(entry.getKey(), connection.userId()), entry.getValue().qos());
    }
  }

  /** For routes: whether the broker refused a subscription that could be asked for again. */
  public boolean isSubscriptionRefused() {
    return isConnected() && !refused.isEmpty();
  }

  /** The topics that the broker refused to subscribe. */
  List<String> refusedTopics() {
    return List.copyOf(refused.keySet());
  }

  /** Asks again for what the broker refused. */
  synchronized void subscribeRefused() throws MqttException {
    Connection current = connection;
    if (current == null) {
      return;
    }
    for (Map.Entry<String, Integer> topic : Map.copyOf(refused).entrySet()) {
      subscribe(current, List.of(topic.getKey()), topic.getValue());
    }
  }

  /** Ends the connection for good; a no-op without one. */
  synchronized void drop() {
    Connection current = connection;
    connection = null;
    if (current != null) {
      release(current.client());
    }
    MqttClient lost = lostClient;
    lostClient = null;
    if (lost != null) {
      release(lost);
    }
  }

  /** Whether the exporter is about to end. */
  boolean isClosed() {
    return closed;
  }

  /** Ends the link for good, also in the middle of an attempt to connect. */
  @Override
  public void close() {
    closed = true;
    MqttClient attempt = connecting;
    if (attempt != null) {
      release(attempt);
    }
    drop();
  }

  private MqttConnectOptions options(BrokerLogin login) {
    MqttConnectOptions options = new MqttConnectOptions();
    options.setUserName(login.user());
    options.setPassword(login.password().toCharArray());
    options.setCleanSession(true);
    options.setAutomaticReconnect(false);
    options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
    options.setKeepAliveInterval((int) Math.max(1, keepalive.toSeconds()));
    options.setConnectionTimeout((int) Math.max(1, answerTimeout.toSeconds()));
    // Paho frees a place in its callback thread, which may be busy with messages of devices.
    options.setMaxInflight(MAX_IN_FLIGHT);
    options.setHttpsHostnameVerificationEnabled(true);
    options.setSocketFactory(tls.getSocketFactory());
    return options;
  }

  private List<String> topics(String filter, String userId) {
    if (!filter.contains(DEVICE)) {
      return List.of(topic(filter, userId, ""));
    }
    return serials.get().stream().map(serial -> topic(filter, userId, serial)).toList();
  }

  private static String topic(String filter, String userId, String serial) {
    return filter.replace(USER, userId).replace(DEVICE, serial);
  }

  private void subscribe(Connection connection, List<String> topics, int qos) throws MqttException {
    if (topics.isEmpty()) {
      return;
    }
    int[] levels = new int[topics.size()];
    Arrays.fill(levels, qos);
    IMqttToken answer;
    try {
      answer = connection.client().subscribeWithResponse(topics.toArray(String[]::new), levels);
    } catch (MqttException e) {
      // Paho throws when the only topic of a request is refused.
      if (topics.size() == 1 && e.getReasonCode() == MqttException.REASON_CODE_SUBSCRIBE_FAILED) {
        refused.put(topics.get(0), qos);
        return;
      }
      throw e;
    }
    int[] granted = answer.getGrantedQos();
    for (int i = 0; i < topics.size(); i++) {
      if (i < granted.length && granted[i] != REFUSED_SUBSCRIPTION) {
        refused.remove(topics.get(i));
      } else {
        refused.put(topics.get(i), qos);
      }
    }
  }

  private static void release(MqttClient client) {
    try {
      client.disconnectForcibly(0, QUIET_CLOSE_MILLIS, true);
    } catch (MqttException e) {
      // It was not connected any more; what counts is that it is closed below.
    }
    try {
      client.close(true);
    } catch (MqttException e) {
      // closed already
    }
  }

  /** Hands each message to the consumer whose filter it fits. */
  private final class Dispatcher implements MqttCallback {

    private final MqttClient client;

    Dispatcher(MqttClient client) {
      this.client = client;
    }

    @Override
    public void connectionLost(Throwable cause) {
      // Paho ends the connection for whatever escapes a message's way through the routes.
      OutOfMemory.endIf(cause);
      Connection current = connection;
      if (current != null && current.client() == client) {
        connection = null;
        lostBecause = cause;
        // Closed by the next open or drop: a client cannot close itself from its own thread.
        lostClient = client;
        onLost.run();
      }
    }

    @Override
    public void messageArrived(String topic, MqttMessage message) throws Exception {
      lastMessageAt.set(nanoClock.getAsLong());
      Subscription subscription = subscription(topic);
      if (subscription != null) {
        subscription.callback().messageArrived(topic, message);
      }
    }

    @Override
    public void deliveryComplete(IMqttDeliveryToken token) {
      // Requests are answered on the reply topic; that answer is what counts.
    }
  }
}
