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
 * One connection to the broker, which is never reopened. All its work runs on one event loop. Its
 * methods wait for the broker's answer, unless they are called on that loop. Failures are those of
 * Paho, which the log describes.
 */
final class MqttConnection {

  /** Receives messages and the loss of the connection, on the event loop. */
  interface Receiver {

    /** An exception ends the connection. */
    void arrived(String topic, MqttMessage message) throws Exception;

    /** The connection was lost; called at most once, and not after {@link #close}. */
    void lost(MqttConnection connection, Throwable cause);
  }

  private static final Logger LOG = LoggerFactory.getLogger(MqttConnection.class);
  private static final long QUIET_CLOSE_MILLIS = 300;
  private static final int MAX_IN_FLIGHT = 10_000;

  /**
   * Twice the limit of the payload reader: a message that is slightly too long does not end the
   * connection.
   */
  private static final int MAX_MESSAGE_BYTES = 8 << 20;

  /**
   * The parameters of all connections.
   *
   * @param answerTimeout maximum time of the broker for each answer
   * @param proxy for the brokers that it applies to
   */
  record Terms(
      TrustOptions trust,
      Duration keepalive,
      Duration answerTimeout,
      Optional<ProxySettings> proxy,
      LongSupplier nanoClock) {

    int keepaliveSeconds() {
      return (int) Math.max(1, keepalive.toSeconds());
    }

    int answerMillis() {
      return (int) answerTimeout.toMillis();
    }
  }

  private final Loop loop;
  private final Terms terms;
  private final BrokerLogin login;
  private final Optional<ProxySettings> proxy;
  private final Receiver receiver;
  private final MqttClient client;
  private final CompletableFuture<Void> opened = new CompletableFuture<>();

  /** Fails with the reason when the connection ends, which also ends all waiting calls. */
  private final CompletableFuture<Void> end = new CompletableFuture<>();

  private final CompletableFuture<Void> closed = new CompletableFuture<>();

  // Used on the event loop only.
  private final Map<Integer, CompletableFuture<List<Integer>>> subscribing = new HashMap<>();
  private final Map<Integer, CompletableFuture<Void>> publishing = new HashMap<>();
  private Throwable broken;
  private final Keepalive keepalive;

  MqttConnection(Loop loop, Terms terms, BrokerLogin login, Receiver receiver) {
    this.loop = loop;
    this.terms = terms;
    this.login = login;
    this.receiver = receiver;
    this.proxy = terms.proxy().filter(known -> known.isFor(login.host(), login.port()));
    MqttClientOptions options = options(terms, login);
    proxy.ifPresent(
        known -> options.setProxyOptions(BrokerProxy.options(known, terms.answerTimeout())));
    this.client = MqttClient.create(loop.vertx(), options);
    this.keepalive =
        new Keepalive(
            loop,
            Duration.ofSeconds(terms.keepaliveSeconds()),
            terms.nanoClock(),
            client::ping,
            () -> lose(new MqttException(MqttException.REASON_CODE_CLIENT_TIMEOUT)));
  }

  private static MqttClientOptions options(Terms terms, BrokerLogin login) {
    MqttClientOptions options = new MqttClientOptions();
    // A message is confirmed after its route has run.
    options.setAutoAck(false);
    options
        .setSsl(true)
        .setSslEngineOptions(tls())
        .setTrustOptions(terms.trust())
        .setHostnameVerificationAlgorithm("HTTPS")
        .setConnectTimeout(terms.answerMillis())
        .setSslHandshakeTimeout(terms.answerMillis())
        .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS)
        // Ends a connection that hangs while it closes; before that the checks of Keepalive are
        // faster.
        .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
        .setReadIdleTimeout(2 * Math.max(terms.keepaliveSeconds() * 1000, terms.answerMillis()));
    return options
        .setClientId(login.clientId())
        .setUsername(login.user())
        .setPassword(login.password())
        .setCleanSession(true)
        .setKeepAliveInterval(terms.keepaliveSeconds())
        // The keep-alive of Vert.x pings only when nothing is sent, and waits too long for the
        // answer.
        .setAutoKeepAlive(false)
        .setAckTimeout(1 + terms.answerMillis() / 1000)
        .setMaxInflightQueue(MAX_IN_FLIGHT)
        .setMaxMessageSize(MAX_MESSAGE_BYTES);
  }

  /**
   * OpenSSL if it is available, see the pom; otherwise, or if Netty's switch turns it off, the TLS
   * of Java.
   */
  private static SSLEngineOptions tls() {
    return OpenSSLEngineOptions.isAvailable()
        ? new OpenSSLEngineOptions()
        : new JdkSSLEngineOptions();
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
   * Connects. After a failure {@link #close} must still be called.
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
    loop.context().exceptionHandler(this::unexpected);
    client
        .publishHandler(this::arrived)
        .subscribeCompletionHandler(
            answer -> {
              keepalive.heard();
              if (!end.isDone()) {
                answer(subscribing, answer.messageId(), answer.grantedQoSLevels());
              }
            })
        .publishCompletionHandler(
            packet -> {
              keepalive.heard();
              answer(publishing, packet, null);
            })
        .publishCompletionExpirationHandler(publishing::remove)
        .pingResponseHandler(unused -> keepalive.heard())
        .exceptionHandler(
            failure -> {
              OutOfMemory.endIf(failure);
              broken = failure;
            })
        .closeHandler(unused -> lost());
    try {
      // Vert.x would also check the address, but not report the failure.
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
                    MqttFailures.noConnection(failure, broken, login, proxy)));
  }

  /**
   * Vert.x fails on some packets that a correct broker does not send, such as a second CONNACK, and
   * would log a stack trace for each.
   */
  private void unexpected(Throwable failure) {
    OutOfMemory.endIf(failure);
    LOG.debug("What failed on the MQTT connection", failure);
    MqttException reason =
        new MqttException(
            MqttException.REASON_CODE_CONNECTION_LOST,
            new SocketException("the broker sent a packet that was not expected"));
    opened.completeExceptionally(reason);
    lose(reason);
  }

  private void connected() {
    if (end.isDone()) {
      return;
    }
    keepalive.start();
    opened.complete(null);
  }

  private static <T> void answer(
      Map<Integer, CompletableFuture<T>> waiting, Integer packet, T answer) {
    CompletableFuture<T> asked = waiting.remove(packet);
    if (asked != null) {
      asked.complete(answer);
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
    // Not earlier: while the route ran, the loop could not receive data.
    keepalive.heard();
    if (!end.isDone() && packet.qosLevel() != MqttQoS.AT_MOST_ONCE) {
      packet.ack();
    }
  }

  /** The broker closed the connection, or the connection failed. */
  private void lost() {
    closed.complete(null);
    lose(MqttFailures.connectionLost(broken));
  }

  /** Whether the connection has ended or is being closed. */
  boolean isEnded() {
    return end.isDone();
  }

  /** Ends the connection because a waiting message could not be processed. */
  void fail(Throwable failure) {
    OutOfMemory.endIf(failure);
    lose(new MqttException(failure));
  }

  private void lose(MqttException reason) {
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
   * Ends the connection, with a DISCONNECT if possible. When this method returns, no call waits for
   * an answer, and no further messages arrive.
   */
  void close() {
    end.completeExceptionally(new MqttException(MqttException.REASON_CODE_CLIENT_CLOSED));
    loop.run(this::disconnect);
    if (opened.isDone() && !opened.isCompletedExceptionally() && !isOnLoop()) {
      try {
        closed.get(QUIET_CLOSE_MILLIS, TimeUnit.MILLISECONDS);
      } catch (ExecutionException | TimeoutException e) {
        // The connection has ended in any case: it delivers no further messages.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Returns a QoS for each topic, above 2 for a refused one; never completes after the end of the
   * connection.
   */
  CompletableFuture<List<Integer>> subscribe(List<String> topics, int qos) {
    Map<String, Integer> wanted = new LinkedHashMap<>();
    topics.forEach(topic -> wanted.put(topic, qos));
    CompletableFuture<List<Integer>> granted = new CompletableFuture<>();
    loop.run(
        () -> {
          if (!end.isDone()) {
            note(client.subscribe(wanted), subscribing, granted);
          }
        });
    return granted;
  }

  /** Sends a message; returns after the confirmation that its QoS requires. */
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
              note(sent, publishing, confirmed);
            }
          }
        });
    await(confirmed);
  }

  /**
   * The packet ID is stored before the answer arrives, because it is known as soon as the request
   * is written.
   */
  private static <T> void note(
      Future<Integer> sent,
      Map<Integer, CompletableFuture<T>> waiting,
      CompletableFuture<T> answer) {
    sent.onSuccess(packet -> waiting.put(packet, answer))
        .onFailure(failure -> answer.completeExceptionally(MqttFailures.notSent(failure)));
  }

  private boolean isOnLoop() {
    return Thread.currentThread() == loop.thread();
  }

  /**
   * Waits for an answer; returns at once on the event loop, where waiting would block the answer.
   */
  <T> void await(CompletableFuture<T> answer) throws MqttException {
    if (isOnLoop()) {
      return;
    }
    try {
      CompletableFuture.anyOf(answer, end).get(terms.answerMillis(), TimeUnit.MILLISECONDS);
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
