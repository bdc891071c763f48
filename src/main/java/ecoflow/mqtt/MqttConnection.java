package ecoflow.mqtt;

import ecoflow.config.ProxySettings;
import ecoflow.runtime.OutOfMemory;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.JdkSSLEngineOptions;
import io.vertx.core.net.OpenSSLEngineOptions;
import io.vertx.core.net.SSLEngineOptions;
import io.vertx.core.net.SocketAddress;
import io.vertx.core.net.TrustOptions;
import io.vertx.mqtt.MqttClient;
import io.vertx.mqtt.MqttClientOptions;
import io.vertx.mqtt.messages.MqttPublishMessage;
import java.net.SocketException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to the broker. A connection is used once and never reopened. It runs on one event
 * loop; its methods wait for the response of the broker, unless they are called on that loop. They
 * throw Paho's exceptions, for which the log has descriptions.
 */
final class MqttConnection {

  /** Callbacks on the event loop. */
  interface Receiver {

    /** Processes a message; an exception ends the connection. */
    void arrived(String topic, MqttMessage message) throws Exception;

    /** Handles the loss of the connection; called at most once, and not after {@link #close}. */
    void lost(MqttConnection connection, Throwable cause);
  }

  private static final Logger LOG = LoggerFactory.getLogger(MqttConnection.class);

  /** Maximum time to wait for the end of a connection that is being closed. */
  static final Duration MAX_CLOSE = Duration.ofMillis(300);

  private static final int MAX_IN_FLIGHT = 10_000;

  /**
   * Twice the limit of the payload reader, so that a message that is slightly too long does not end
   * the connection.
   */
  private static final int MAX_MESSAGE_BYTES = 8 << 20;

  /**
   * The parameters of a connection.
   *
   * @param tls shared by all connections
   * @param responseTimeout maximum time to wait for each response of the broker
   * @param proxy applies only to some brokers, see {@link ProxySettings#isFor}
   */
  record Parameters(
      TrustOptions trust,
      SSLEngineOptions tls,
      Duration keepalive,
      Duration responseTimeout,
      Optional<ProxySettings> proxy,
      LongSupplier nanoClock) {

    int keepaliveSeconds() {
      return (int) Math.max(1, keepalive.toSeconds());
    }

    int responseTimeoutMillis() {
      return (int) responseTimeout.toMillis();
    }
  }

  private final Loop loop;
  private final Parameters parameters;
  private final BrokerLogin login;
  private final Optional<ProxySettings> proxy;
  private final Receiver receiver;
  private final MqttClient client;
  private final CompletableFuture<Void> opened = new CompletableFuture<>();

  /** Fails with the reason when the connection ends; all waiting calls then fail with it. */
  private final CompletableFuture<Void> end = new CompletableFuture<>();

  private final CompletableFuture<Void> closed = new CompletableFuture<>();

  // Used on the event loop only.
  private final Map<Integer, CompletableFuture<List<Integer>>> subscribing = new HashMap<>();
  private final Map<Integer, CompletableFuture<Void>> publishing = new HashMap<>();
  private Throwable socketFailure;
  private final Keepalive keepalive;

  MqttConnection(Loop loop, Parameters parameters, BrokerLogin login, Receiver receiver) {
    this.loop = loop;
    this.parameters = parameters;
    this.login = login;
    this.receiver = receiver;
    this.proxy = parameters.proxy().filter(known -> known.isFor(login.host(), login.port()));
    MqttClientOptions options = options(parameters, login);
    proxy.ifPresent(
        known -> options.setProxyOptions(BrokerProxy.options(known, parameters.responseTimeout())));
    this.client = MqttClient.create(loop.vertx(), options);
    this.keepalive =
        new Keepalive(
            loop,
            Duration.ofSeconds(parameters.keepaliveSeconds()),
            parameters.nanoClock(),
            client::ping,
            () -> endWith(new MqttException(MqttException.REASON_CODE_CLIENT_TIMEOUT)));
  }

  private static MqttClientOptions options(Parameters parameters, BrokerLogin login) {
    MqttClientOptions options = new MqttClientOptions();
    // A message is acknowledged after its route has run.
    options.setAutoAck(false);
    options
        .setSsl(true)
        .setSslEngineOptions(parameters.tls())
        .setTrustOptions(parameters.trust())
        .setHostnameVerificationAlgorithm("HTTPS")
        .setConnectTimeout(parameters.responseTimeoutMillis())
        .setSslHandshakeTimeout(parameters.responseTimeoutMillis())
        .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS)
        // Ends a connection that hangs while it is being closed. Keepalive detects a silent broker
        // earlier.
        .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
        .setReadIdleTimeout(
            2 * Math.max(parameters.keepaliveSeconds() * 1000, parameters.responseTimeoutMillis()));
    return options
        .setClientId(login.clientId())
        .setUsername(login.user())
        .setPassword(login.password())
        .setCleanSession(true)
        .setKeepAliveInterval(parameters.keepaliveSeconds())
        // The keep-alive of Vert.x pings only if no data is sent, and waits too long for a
        // response.
        .setAutoKeepAlive(false)
        .setAckTimeout(1 + parameters.responseTimeoutMillis() / 1000)
        .setMaxInflightQueue(MAX_IN_FLIGHT)
        .setMaxMessageSize(MAX_MESSAGE_BYTES);
  }

  /** OpenSSL, unless it is not available or disabled by Netty's system property; see the pom. */
  static SSLEngineOptions tls() {
    return OpenSSLEngineOptions.isAvailable() ? new SharedTls() : new JdkSSLEngineOptions();
  }

  String userId() {
    return login.userId();
  }

  boolean isOpen() {
    return opened.isDone() && !end.isDone();
  }

  /**
   * @throws MqttException with the reason, if the connection has ended
   */
  void requireOpen() throws MqttException {
    if (end.isDone()) {
      await(end);
    }
  }

  /**
   * Connects. The caller must also call {@link #close} after a failure.
   *
   * @throws MqttException also if the connection is closed in the meantime
   */
  void open() throws MqttException {
    loop.run(this::connect);
    await(opened);
  }

  private void connect() {
    if (end.isDone()) {
      return;
    }
    loop.context().exceptionHandler(this::handlerFailed);
    client
        .publishHandler(this::arrived)
        .subscribeCompletionHandler(
            response -> {
              keepalive.dataReceived();
              if (!end.isDone()) {
                complete(subscribing, response.messageId(), response.grantedQoSLevels());
              }
            })
        .publishCompletionHandler(
            packet -> {
              keepalive.dataReceived();
              complete(publishing, packet, null);
            })
        .publishCompletionExpirationHandler(publishing::remove)
        .pingResponseHandler(unused -> keepalive.dataReceived())
        .exceptionHandler(
            failure -> {
              OutOfMemory.endIf(failure);
              socketFailure = failure;
            })
        .closeHandler(unused -> socketClosed());
    try {
      // Vert.x also checks the address, but does not report the failure.
      SocketAddress.inetSocketAddress(login.port(), login.host());
    } catch (IllegalArgumentException e) {
      opened.completeExceptionally(new MqttException(e));
      return;
    }
    client
        .connect(login.port(), login.host())
        .onSuccess(unused -> connected())
        .onFailure(
            failure ->
                opened.completeExceptionally(
                    MqttFailures.connectFailed(failure, socketFailure, login, proxy)));
  }

  /**
   * Handles invalid packets, such as a second CONNACK: Vert.x throws an exception for them, and
   * would log its stack trace.
   */
  private void handlerFailed(Throwable failure) {
    OutOfMemory.endIf(failure);
    LOG.debug("Unexpected failure of the MQTT connection", failure);
    MqttException reason =
        new MqttException(
            MqttException.REASON_CODE_CONNECTION_LOST,
            new SocketException("the broker sent an unexpected packet"));
    opened.completeExceptionally(reason);
    endWith(reason);
  }

  private void connected() {
    if (end.isDone()) {
      return;
    }
    keepalive.start();
    opened.complete(null);
  }

  private static <T> void complete(
      Map<Integer, CompletableFuture<T>> waiting, Integer packet, T response) {
    CompletableFuture<T> waiter = waiting.remove(packet);
    if (waiter != null) {
      waiter.complete(response);
    }
  }

  private void arrived(MqttPublishMessage packet) {
    if (end.isDone()) {
      return;
    }
    MqttMessage message = new MqttMessage(packet.payload().getBytes());
    message.setId(packet.messageId());
    message.setQos(packet.qosLevel().value());
    message.setRetained(packet.isRetain());
    try {
      receiver.arrived(packet.topicName(), message);
    } catch (Throwable e) {
      fail(e);
      return;
    }
    // After the route, because the loop could not receive data while the route ran.
    keepalive.dataReceived();
    if (!end.isDone() && packet.qosLevel() != MqttQoS.AT_MOST_ONCE) {
      packet.ack();
    }
  }

  /** Called when the broker has closed the connection, or when it has failed. */
  private void socketClosed() {
    closed.complete(null);
    endWith(MqttFailures.connectionLost(socketFailure));
  }

  /** Whether the connection has ended or is being closed. */
  boolean isEnded() {
    return end.isDone();
  }

  /** Ends the connection because a message could not be processed. */
  void fail(Throwable failure) {
    OutOfMemory.endIf(failure);
    endWith(new MqttException(failure));
  }

  private void endWith(MqttException reason) {
    if (end.completeExceptionally(reason)) {
      disconnect();
      receiver.lost(this, reason);
    }
  }

  private void disconnect() {
    keepalive.stop();
    client.disconnect().onComplete(unused -> closed.complete(null));
  }

  /**
   * Closes the connection, with a DISCONNECT if possible, and waits a moment for its end. After
   * that, no call waits for a response, and no further messages arrive.
   */
  void close() {
    CompletableFuture<Void> closing = startClose();
    if (!isOnLoop()) {
      awaitClosed(closing, MAX_CLOSE);
    }
  }

  /** Like {@link #close}, but returns a future for the end of the connection. */
  CompletableFuture<Void> startClose() {
    end.completeExceptionally(new MqttException(MqttException.REASON_CODE_CLIENT_CLOSED));
    loop.run(this::disconnect);
    boolean wasOpen = opened.isDone() && !opened.isCompletedExceptionally();
    return wasOpen ? closed : CompletableFuture.completedFuture(null);
  }

  static void awaitClosed(CompletableFuture<Void> closing, Duration limit) {
    try {
      closing.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      // The connections deliver no further messages in any case.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Returns the granted QoS for each topic, or a value above 2 for a refused topic. Does not
   * complete if the connection ends.
   */
  CompletableFuture<List<Integer>> subscribe(List<String> topics, int qos) {
    Map<String, Integer> topicQos = new LinkedHashMap<>();
    topics.forEach(topic -> topicQos.put(topic, qos));
    CompletableFuture<List<Integer>> granted = new CompletableFuture<>();
    loop.run(
        () -> {
          if (!end.isDone()) {
            storeWaiter(client.subscribe(topicQos), subscribing, granted);
          }
        });
    return granted;
  }

  /** Publishes a message, and waits for the acknowledgement that its QoS requires. */
  void publish(String topic, MqttMessage message) throws MqttException {
    if (!isOpen()) {
      throw new MqttException(MqttException.REASON_CODE_CLIENT_NOT_CONNECTED);
    }
    Buffer payload = Buffer.buffer(message.getPayload());
    MqttQoS qos = MqttQoS.valueOf(message.getQos());
    boolean retained = message.isRetained();
    CompletableFuture<Void> confirmed = new CompletableFuture<>();
    loop.run(
        () -> {
          if (!end.isDone()) {
            Future<Integer> sent = client.publish(topic, payload, qos, false, retained);
            if (qos == MqttQoS.AT_MOST_ONCE) {
              sent.onSuccess(unused -> confirmed.complete(null))
                  .onFailure(
                      failure -> confirmed.completeExceptionally(MqttFailures.notSent(failure)));
            } else {
              storeWaiter(sent, publishing, confirmed);
            }
          }
        });
    await(confirmed);
  }

  /**
   * Stores the packet ID before the response arrives: the ID is known when the request is written.
   */
  private static <T> void storeWaiter(
      Future<Integer> sent,
      Map<Integer, CompletableFuture<T>> waiting,
      CompletableFuture<T> response) {
    sent.onSuccess(packet -> waiting.put(packet, response))
        .onFailure(failure -> response.completeExceptionally(MqttFailures.notSent(failure)));
  }

  private boolean isOnLoop() {
    return Thread.currentThread() == loop.thread();
  }

  /** Waits for a response. Returns immediately on the event loop, which must not block. */
  <T> void await(CompletableFuture<T> response) throws MqttException {
    await(response, parameters.responseTimeout());
  }

  <T> void await(CompletableFuture<T> response, Duration limit) throws MqttException {
    if (isOnLoop()) {
      return;
    }
    try {
      CompletableFuture.anyOf(response, end).get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new MqttException(MqttException.REASON_CODE_CLIENT_TIMEOUT);
    } catch (ExecutionException e) {
      OutOfMemory.endIf(e);
      throw e.getCause() instanceof MqttException known ? known : new MqttException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MqttException(e);
    }
  }
}
