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
 * One connection to the broker, from its making to its end; there is no second life. Everything
 * that it does runs on one event loop. Its methods wait there for the broker's answer, unless they
 * are called on that loop; what fails, fails as with Paho, whose words the log knows.
 */
final class MqttConnection {

  /** Who gets what comes from the broker, on the event loop. */
  interface Receiver {

    /** A failure ends the connection. */
    void arrived(String topic, MqttMessage message) throws Exception;

    /** The connection ended by itself; called once at most, and not after {@link #close}. */
    void lost(MqttConnection connection, Throwable cause);
  }

  private static final Logger LOG = LoggerFactory.getLogger(MqttConnection.class);
  private static final long QUIET_CLOSE_MILLIS = 300;
  private static final int MAX_IN_FLIGHT = 10_000;

  /** Twice what is read of a payload: a message that is a little too long costs only itself. */
  private static final int MAX_MESSAGE_BYTES = 8 << 20;

  /**
   * What all connections have in common.
   *
   * @param answerTimeout how long the broker may take for each answer
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

  /** Fails with the reason when the connection ends, and with it all that wait. */
  private final CompletableFuture<Void> end = new CompletableFuture<>();

  private final CompletableFuture<Void> closed = new CompletableFuture<>();

  // Of the event loop alone.
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
    // A message is confirmed when its route has run.
    options.setAutoAck(false);
    options
        .setSsl(true)
        .setSslEngineOptions(tls())
        .setTrustOptions(terms.trust())
        .setHostnameVerificationAlgorithm("HTTPS")
        .setConnectTimeout(terms.answerMillis())
        .setSslHandshakeTimeout(terms.answerMillis())
        .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS)
        // Ends what hangs in closing; until then the checks of Keepalive are quicker.
        .setIdleTimeoutUnit(TimeUnit.MILLISECONDS)
        .setReadIdleTimeout(2 * Math.max(terms.keepaliveSeconds() * 1000, terms.answerMillis()));
    return options
        .setClientId(login.clientId())
        .setUsername(login.user())
        .setPassword(login.password())
        .setCleanSession(true)
        .setKeepAliveInterval(terms.keepaliveSeconds())
        // It pings only when nothing is sent, and waits for the answer too long.
        .setAutoKeepAlive(false)
        .setAckTimeout(1 + terms.answerMillis() / 1000)
        .setMaxInflightQueue(MAX_IN_FLIGHT)
        .setMaxMessageSize(MAX_MESSAGE_BYTES);
  }

  /** That of the machine where it is at hand, see the pom; else, or with Netty's switch, Java's. */
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
   * @throws MqttException if the connection has ended: why
   */
  void requireOpen() throws MqttException {
    if (end.isDone()) {
      await(end);
    }
  }

  /**
   * Connects. After a failure {@link #close} is still to be called.
   *
   * @throws MqttException also when the connection is closed meanwhile
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
      // Vert.x checks it where nobody hears of it.
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
   * Vert.x fails on some packets that no broker sends, such as a second CONNACK, and would log the
   * stack trace of each.
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
    // Not before: while the route ran nothing could be heard.
    keepalive.heard();
    if (!end.isDone() && packet.qosLevel() != MqttQoS.AT_MOST_ONCE) {
      packet.ack();
    }
  }

  /** The broker closed the connection, or it broke. */
  private void lost() {
    closed.complete(null);
    lose(MqttFailures.connectionLost(broken));
  }

  /** Whether the connection has ended or is about to. */
  boolean isEnded() {
    return end.isDone();
  }

  /** Ends the connection because a message that waited could not be processed. */
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
   * Ends the connection in good order if the broker lets it. When this returns, nobody waits for an
   * answer and no message comes any more.
   */
  void close() {
    end.completeExceptionally(new MqttException(MqttException.REASON_CODE_CLIENT_CLOSED));
    loop.run(this::disconnect);
    if (opened.isDone() && !opened.isCompletedExceptionally() && !isOnLoop()) {
      try {
        closed.get(QUIET_CLOSE_MILLIS, TimeUnit.MILLISECONDS);
      } catch (ExecutionException | TimeoutException e) {
        // What counts is that nothing comes from it.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** The answer is a QoS for each topic, above 2 for refused; none comes after the end. */
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

  /** Sends a message; returns when it is confirmed, as far as its QoS asks for that. */
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

  /** The id is there before the answer: it is known once the request is written. */
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

  /** Waits for an answer; on the event loop, where it could never come, it does not. */
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
