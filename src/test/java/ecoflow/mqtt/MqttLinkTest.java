package ecoflow.mqtt;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.cloud.ServerCertificate;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.config.AccountSettings;
import ecoflow.testkit.OneAccount;
import ecoflow.testkit.Variables;
import ecoflow.text.Lines;
import io.netty.handler.codec.mqtt.MqttConnectReturnCode;
import io.netty.handler.codec.mqtt.MqttQoS;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.mqtt.MqttEndpoint;
import io.vertx.mqtt.MqttServer;
import io.vertx.mqtt.MqttServerOptions;
import io.vertx.mqtt.MqttTopicSubscription;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The link with brokers that misbehave, and the text of each failure. */
@Timeout(120)
class MqttLinkTest {

  private static final Duration LONG = Duration.ofHours(1);
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final String SERIAL = "R331ZLINKTEST001";
  private static final String FILTER = "/app/device/property/{device}";
  private static final String TOPIC = "/app/device/property/" + SERIAL;
  private static final String REQUEST = "/app/{user}/" + SERIAL + "/thing/property/get";

  @TempDir static Path directory;
  private static SimulatedCloud cloud;
  private static Vertx vertx;

  private Account account;
  private List<Account> all;
  private final AtomicInteger losses = new AtomicInteger();
  private final List<AutoCloseable> opened = new ArrayList<>();

  @BeforeAll
  static void start() {
    cloud = SimulatedCloud.start();
    cloud.setAnyClientId(true);
    vertx = Vertx.vertx();
    for (ServerCertificate certificate : ServerCertificate.values()) {
      cloud.writeIdentity(certificate, key(certificate), certificate(certificate));
    }
  }

  @AfterAll
  static void stop() {
    vertx.close();
    cloud.close();
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : opened) {
      closeable.close();
    }
  }

  private static Path key(ServerCertificate of) {
    return directory.resolve(of + ".key");
  }

  private static Path certificate(ServerCertificate of) {
    return directory.resolve(of + ".pem");
  }

  private MqttLink link(Duration keepalive, Duration answerTimeout) throws Exception {
    OneAccount one =
        OneAccount.of(
            Variables.of(cloud, "mqtt", "MQTT_KEEPALIVE=" + Math.max(1, keepalive.toSeconds())));
    return link(one, one.accounts(), answerTimeout);
  }

  private MqttLink link(OneAccount settings, Accounts accounts, Duration answerTimeout)
      throws Exception {
    account = accounts.all().get(0);
    MqttLink link =
        new MqttLink(
            vertx,
            accounts,
            new OneDevice(SERIAL, account),
            settings.settings().http().trust(),
            answerTimeout,
            Optional.empty(),
            payload -> "",
            device -> {},
            System::nanoTime);
    link.onLost(lost -> losses.incrementAndGet());
    opened.add(link::close);
    return link;
  }

  /** A link with several accounts, which have the names 0, 1 and so on. */
  private MqttLink link(int count, Duration answerTimeout) throws Exception {
    OneAccount one = OneAccount.of(Variables.of(cloud, "mqtt"));
    Accounts accounts =
        new Accounts(
            IntStream.range(0, count)
                .mapToObj(i -> new AccountSettings("" + i, Map.of(), one.settings()))
                .toList());
    all = accounts.all();
    return link(one, accounts, answerTimeout);
  }

  private static BrokerLogin login(String host, int port) {
    return new BrokerLogin(host, port, "user", "password", "1234", "client", LONG);
  }

  private static BrokerLogin login(int port) {
    return login("localhost", port);
  }

  /** A consumer; its exceptions end the connection. */
  private interface Arrived {
    void take(String topic, MqttMessage message) throws Exception;
  }

  private static void consume(MqttLink link, int qos, Arrived arrived) throws MqttException {
    link.setCallback(
        new MqttCallback() {
          @Override
          public void messageArrived(String topic, MqttMessage message) throws Exception {
            arrived.take(topic, message);
          }

          @Override
          public void connectionLost(Throwable cause) {
            // Ignored, as by a Camel consumer.
          }

          @Override
          public void deliveryComplete(IMqttDeliveryToken token) {
            // Ignored, as by a Camel consumer.
          }
        });
    link.subscribe(FILTER, qos);
  }

  /** A broker that runs a test's script for each client. */
  private int broker(ServerCertificate certificate, Consumer<MqttEndpoint> clients) {
    MqttServer server =
        MqttServer.create(
            vertx,
            new MqttServerOptions()
                .setHost("127.0.0.1")
                .setPort(0)
                .setMaxMessageSize(9 << 20)
                .setSsl(true)
                .setKeyCertOptions(
                    new PemKeyCertOptions()
                        .setKeyPath(key(certificate).toString())
                        .setCertPath(certificate(certificate).toString())));
    server.exceptionHandler(failure -> {});
    server.endpointHandler(clients::accept);
    server.listen().toCompletionStage().toCompletableFuture().join();
    opened.add(server::close);
    return server.actualPort();
  }

  private int broker(Consumer<MqttEndpoint> clients) {
    return broker(ServerCertificate.TRUSTED, clients);
  }

  /** Accepts all subscriptions, and passes each client to the consumer after it has subscribed. */
  private static Consumer<MqttEndpoint> acceptingSubscriptions(Consumer<MqttEndpoint> subscribed) {
    return client -> {
      client.subscribeHandler(
          packet -> {
            client.subscribeAcknowledge(
                packet.messageId(),
                packet.topicSubscriptions().stream()
                    .map(MqttTopicSubscription::qualityOfService)
                    .toList());
            subscribed.accept(client);
          });
      client.accept(false);
    };
  }

  /** A port that accepts all connections. */
  private int listener(Consumer<Socket> clients) throws IOException {
    ServerSocket listener = new ServerSocket(0, 10, InetAddress.getByName("127.0.0.1"));
    opened.add(listener);
    Thread thread =
        new Thread(
            () -> {
              try {
                while (true) {
                  Socket client = listener.accept();
                  opened.add(client);
                  clients.accept(client);
                }
              } catch (IOException e) {
                // The test has ended.
              }
            });
    thread.setDaemon(true);
    thread.start();
    return listener.getLocalPort();
  }

  private static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private String failure(MqttLink link, BrokerLogin login) {
    MqttException failure = assertThrows(MqttException.class, () -> link.open(account, login));
    assertFalse(link.isConnected(account));
    assertEquals(0, losses.get(), "a failed attempt is not a lost connection");
    return failure.getReasonCode() + " " + Lines.describe(failure);
  }

  @Test
  void reportsUnknownHost() throws Exception {
    assertEquals(
        "0 unknown host no-such-host.invalid",
        failure(link(LONG, LONG), login("no-such-host.invalid", 8883)));
  }

  /**
   * The name is resolved for each attempt, so that a failure of DNS affects only the attempts
   * during it.
   */
  @Test
  void dnsCanFailAfterTheFirstConnection() throws Exception {
    int port = broker(MqttEndpoint::accept);
    MqttLink link = link(LONG, LONG);
    link.open(account, login(port));
    assertTrue(link.isConnected(account));

    link.drop(account);
    assertEquals(
        "0 unknown host no-such-host.invalid", failure(link, login("no-such-host.invalid", port)));

    link.open(account, login(port));
    assertTrue(link.isConnected(account));
  }

  @Test
  void reportsPortWithoutListener() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    assertEquals(
        "32103 connection refused or host unreachable", failure(link(LONG, LONG), login(port)));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 65536})
  void reportsInvalidPort(int port) throws Exception {
    assertTrue(failure(link(LONG, LONG), login(port)).startsWith("0 "));
  }

  @ParameterizedTest
  @CsvSource({
    "UNTRUSTED, unable to find valid certification path to requested target",
    "WRONG_NAME, No subject alternative DNS name matching localhost found."
  })
  void reportsUntrustedCertificate(ServerCertificate certificate, String why) throws Exception {
    int port = broker(certificate, acceptingSubscriptions(client -> {}));
    String failure = failure(link(LONG, LONG), login(port));
    assertTrue(
        failure.startsWith("0 the certificate of the host is not trusted (")
            && failure.endsWith(why + ")"),
        failure);
  }

  @Test
  void reportsUnresponsiveBroker() throws Exception {
    assertEquals(
        "32000 no response in time", failure(link(LONG, SHORT), login(listener(client -> {}))));
  }

  @Test
  void reportsUnansweredLogin() throws Exception {
    assertEquals(
        "32000 no response in time", failure(link(LONG, SHORT), login(broker(client -> {}))));
  }

  @Test
  void reportsUnansweredSubscription() throws Exception {
    MqttLink link = link(LONG, SHORT);
    consume(link, 1, (topic, message) -> {});
    assertEquals(
        "32000 no response in time", failure(link, login(broker(client -> client.accept(false)))));
  }

  @Test
  void reportsConnectionClosedBeforeTlsHandshake() throws Exception {
    String failure =
        failure(link(LONG, LONG), login(listener(client -> closeQuietly(client::close))));
    // The close can also be reported as a reset.
    assertTrue(
        failure.endsWith(" the server closed the connection")
            || failure.contains(" the connection was lost ("),
        failure);
  }

  @Test
  void reportsConnectionClosedInsteadOfAnswer() throws Exception {
    assertEquals(
        "32109 the server closed the connection",
        failure(link(LONG, LONG), login(broker(MqttEndpoint::close))));
  }

  @ParameterizedTest
  @CsvSource({
    "CONNECTION_REFUSED_IDENTIFIER_REJECTED, 2 the broker refused the client ID",
    "CONNECTION_REFUSED_SERVER_UNAVAILABLE, 3 the broker is unavailable",
    "CONNECTION_REFUSED_BAD_USER_NAME_OR_PASSWORD, 4 the broker refused the credentials",
    "CONNECTION_REFUSED_NOT_AUTHORIZED, 5 the broker refused the credentials"
  })
  void reportsRefusedLogin(MqttConnectReturnCode code, String message) throws Exception {
    assertEquals(message, failure(link(LONG, LONG), login(broker(client -> client.reject(code)))));
  }

  @Test
  void closingLinkEndsAttemptImmediately() throws Exception {
    CountDownLatch connected = new CountDownLatch(1);
    MqttLink link = link(LONG, LONG);
    BrokerLogin login = login(listener(client -> connected.countDown()));
    CompletableFuture<Void> attempt =
        CompletableFuture.runAsync(
            () -> {
              try {
                link.open(account, login);
              } catch (MqttException e) {
                throw new IllegalStateException(e);
              }
            });
    connected.await();
    link.close();
    ExecutionException failure = assertThrows(ExecutionException.class, attempt::get);
    assertTrue(failure.getCause().getCause() instanceof MqttException, () -> "" + failure);
  }

  @Test
  void closingManyConnectionsWaitsOnce() throws Exception {
    MqttLink link = link(100, LONG);
    int port = broker(client -> client.accept(false));
    for (Account one : all) {
      link.open(one, login(port));
    }
    CountDownLatch closed = new CountDownLatch(1);
    // The event loop cannot close the connections.
    link.loop().run(() -> awaitQuietly(closed));
    try {
      assertTimeoutPreemptively(Duration.ofSeconds(15), () -> link.close());
    } finally {
      closed.countDown();
    }
  }

  @Test
  void closingAnAccountDoesNotWaitForTheBroker() throws Exception {
    CountDownLatch requested = new CountDownLatch(2);
    MqttLink link = link(LONG, LONG);
    consume(link, 1, (topic, message) -> {});
    Consumer<MqttEndpoint> answersOnce =
        client ->
            client.subscribeHandler(
                packet -> {
                  if (requested.getCount() == 2) {
                    client.subscribeAcknowledge(packet.messageId(), List.of(MqttQoS.AT_LEAST_ONCE));
                  }
                  requested.countDown();
                });
    link.open(account, login(broker(answersOnce.andThen(client -> client.accept(false)))));
    CompletableFuture<Void> attempt =
        CompletableFuture.runAsync(
            () -> assertThrows(MqttException.class, () -> link.subscribeAgain(account)));
    requested.await();
    link.close(account);
    attempt.get();
    assertFalse(link.isConnected(account));
  }

  /** As after the restart of a route. */
  @Test
  void brokersThatDoNotAnswerDoNotDelayOtherSubscriptions() throws Exception {
    MqttLink link = link(6, SHORT);
    int silent = broker(client -> client.accept(false));
    int port = broker(acceptingSubscriptions(client -> {}));
    for (Account one : all) {
      link.open(one, login(all.indexOf(one) < 4 ? silent : port));
    }
    consume(link, 1, (topic, message) -> {});
    for (Account one : all) {
      assertEquals(all.indexOf(one) < 4, link.isSubscriptionMissing(one), one::name);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void lossOfBrokerIsReportedOnce() throws Exception {
    MqttLink link = link(LONG, LONG);
    CompletableFuture<MqttEndpoint> client = new CompletableFuture<>();
    consume(link, 1, (topic, message) -> {});
    link.open(account, login(broker(acceptingSubscriptions(client::complete))));
    assertTrue(link.isConnected(account));
    client.get().close();
    eventually(() -> assertEquals(1, losses.get()));
    assertFalse(link.isConnected(account));
    assertEquals("the server closed the connection", Lines.describe(link.lossCause(account)));
    link.drop(account);
    assertEquals(1, losses.get());
  }

  @Test
  void silentBrokerIsDetected() throws Exception {
    MqttLink link = link(Duration.ofSeconds(1), LONG);
    consume(link, 1, (topic, message) -> {});
    CountDownLatch closed = new CountDownLatch(1);
    link.open(
        account,
        login(
            broker(
                acceptingSubscriptions(client -> {})
                    .andThen(
                        client -> {
                          client.autoKeepAlive(false);
                          client.closeHandler(unused -> closed.countDown());
                        }))));
    eventually(() -> assertEquals(1, losses.get()));
    assertEquals("no response in time", Lines.describe(link.lossCause(account)));
    closed.await();
    assertEquals(1, losses.get());
  }

  @Test
  void brokerThatOnlyAnswersPingsIsNotSilent() throws Exception {
    MqttLink link = link(Duration.ofSeconds(1), LONG);
    CountDownLatch pings = new CountDownLatch(4);
    link.open(
        account,
        login(
            broker(
                client -> {
                  client.pingHandler(unused -> pings.countDown());
                  client.accept(false);
                })));
    pings.await();
    assertTrue(link.isConnected(account));
    assertEquals(0, losses.get());
  }

  @Test
  void exceptionInRouteEndsConnectionWithoutAcknowledgement() throws Exception {
    MqttLink link = link(LONG, LONG);
    IllegalStateException failure = new IllegalStateException("failing consumer");
    AtomicInteger acknowledgements = new AtomicInteger();
    CountDownLatch closed = new CountDownLatch(1);
    CompletableFuture<MqttEndpoint> client = new CompletableFuture<>();
    consume(
        link,
        1,
        (topic, message) -> {
          throw failure;
        });
    link.open(account, login(broker(acceptingSubscriptions(client::complete))));
    client.get().publishAcknowledgeHandler(packet -> acknowledgements.incrementAndGet());
    client.get().closeHandler(unused -> closed.countDown());
    publish(client.get(), "first", MqttQoS.AT_LEAST_ONCE);
    closed.await();
    eventually(() -> assertEquals(1, losses.get()));
    assertEquals(failure, link.lossCause(account).getCause());
    assertEquals(0, acknowledgements.get());

    BlockingQueue<String> arrived = new LinkedBlockingQueue<>();
    consume(link, 1, (topic, message) -> arrived.add(message.toString()));
    link.open(
        account,
        login(
            broker(
                acceptingSubscriptions(other -> publish(other, "later", MqttQoS.AT_LEAST_ONCE)))));
    assertEquals("later", arrived.take());
    assertTrue(link.isConnected(account));
  }

  private static void publish(MqttEndpoint client, String text, MqttQoS qos) {
    client.publish(TOPIC, Buffer.buffer(text), qos, false, false);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void messagesOfEachQosArriveOnceAndAreAcknowledged(int qos) throws Exception {
    MqttLink link = link(LONG, LONG);
    BlockingQueue<String> arrived = new LinkedBlockingQueue<>();
    AtomicInteger acknowledgements = new AtomicInteger();
    consume(
        link, qos, (topic, message) -> arrived.add(topic + " " + message.getQos() + " " + message));
    link.open(
        account,
        login(
            broker(
                acceptingSubscriptions(
                    client -> {
                      client.publishAcknowledgeHandler(
                          packet -> acknowledgements.incrementAndGet());
                      client.publishReceivedHandler(client::publishRelease);
                      client.publishCompletionHandler(packet -> acknowledgements.incrementAndGet());
                      publish(client, "one", MqttQoS.valueOf(qos));
                      publish(client, "two", MqttQoS.valueOf(qos));
                    }))));
    assertEquals(TOPIC + " " + qos + " one", arrived.take());
    assertEquals(TOPIC + " " + qos + " two", arrived.take());
    eventually(() -> assertEquals(qos == 0 ? 0 : 2, acknowledgements.get()));
    assertEquals(List.of(), List.copyOf(arrived));
  }

  /**
   * The decoder of payloads counts messages above its limit; the limit of the link is slightly
   * higher.
   */
  @Test
  void longMessageArrives() throws Exception {
    MqttLink link = link(LONG, LONG);
    BlockingQueue<Integer> arrived = new LinkedBlockingQueue<>();
    consume(link, 1, (topic, message) -> arrived.add(message.getPayload().length));
    int bytes = (4 << 20) + 1;
    link.open(
        account,
        login(
            broker(
                acceptingSubscriptions(
                    client -> publish(client, "x".repeat(bytes), MqttQoS.AT_LEAST_ONCE)))));
    assertEquals(bytes, arrived.take());
    assertTrue(link.isConnected(account));
  }

  @Test
  void noMessageArrivesAfterDrop() throws Exception {
    MqttLink link = link(LONG, LONG);
    AtomicInteger arrived = new AtomicInteger();
    CountDownLatch busy = new CountDownLatch(1);
    CountDownLatch dropped = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    consume(
        link,
        1,
        (topic, message) -> {
          arrived.incrementAndGet();
          busy.countDown();
          dropped.await();
        });
    link.open(
        account,
        login(
            broker(
                acceptingSubscriptions(
                    client -> {
                      client.closeHandler(unused -> closed.countDown());
                      publish(client, "first", MqttQoS.AT_LEAST_ONCE);
                      publish(client, "second", MqttQoS.AT_LEAST_ONCE);
                    }))));
    busy.await();
    link.drop(account);
    assertFalse(link.isConnected(account));
    dropped.countDown();
    closed.await();
    assertEquals(1, arrived.get());
    assertEquals(0, losses.get(), "a dropped connection is not a lost connection");
  }

  /** Otherwise the next attempt would wait until the credentials expire. */
  @Test
  void connectionLossDuringSetupIsAFailedAttempt() throws Exception {
    MqttLink link = link(LONG, LONG);
    consume(
        link,
        1,
        (topic, message) -> {
          throw new IllegalStateException("failing consumer");
        });
    // The message is sent before the answer to the subscription.
    Consumer<MqttEndpoint> hasty =
        client -> {
          client.subscribeHandler(
              packet -> {
                publish(client, "first", MqttQoS.AT_MOST_ONCE);
                client.subscribeAcknowledge(packet.messageId(), List.of(MqttQoS.AT_MOST_ONCE));
              });
          client.accept(false);
        };
    int port = broker(hasty);
    MqttException failure =
        assertThrows(MqttException.class, () -> link.open(account, login(port)));
    assertEquals("failing consumer", failure.getCause().getMessage());
    assertFalse(link.isConnected(account));
    assertEquals(0, losses.get());
  }

  @Test
  void requestWaitsForAcknowledgement() throws Exception {
    // Long enough for a connection on a busy machine.
    MqttLink link = link(LONG, Duration.ofSeconds(3));
    BlockingQueue<String> requests = new LinkedBlockingQueue<>();
    link.open(
        account,
        login(
            broker(
                client -> {
                  client.publishAutoAck(false);
                  client.publishHandler(packet -> requests.add(packet.topicName()));
                  client.accept(false);
                })));
    MqttException failure =
        assertThrows(
            MqttException.class, () -> link.publish(REQUEST, new MqttMessage(new byte[9])));
    assertEquals(MqttException.REASON_CODE_CLIENT_TIMEOUT, failure.getReasonCode());
    assertEquals(REQUEST.replace("{user}", "1234"), requests.take());
    assertTrue(link.isConnected(account));
  }

  @Test
  void waitingRequestEndsWithItsConnection() throws Exception {
    MqttLink link = link(LONG, LONG);
    link.open(
        account,
        login(
            broker(
                client -> {
                  client.publishAutoAck(false);
                  client.publishHandler(packet -> client.close());
                  client.accept(false);
                })));
    MqttException failure =
        assertThrows(
            MqttException.class, () -> link.publish(REQUEST, new MqttMessage(new byte[9])));
    assertEquals("the server closed the connection", Lines.describe(failure));
    MqttException later =
        assertThrows(
            MqttException.class, () -> link.publish(REQUEST, new MqttMessage(new byte[9])));
    assertEquals("not connected", Lines.describe(later));
  }

  /** Otherwise, timers would log failed requests at shutdown. */
  @Test
  void requestAfterTheLinkIsClosedFailsWithThisReason() throws Exception {
    MqttLink link = link(LONG, LONG);
    link.open(account, login(broker(client -> client.accept(false))));
    link.close();
    MqttException failure =
        assertThrows(
            MqttException.class, () -> link.publish(REQUEST, new MqttMessage(new byte[9])));
    assertEquals(MqttException.REASON_CODE_CLIENT_CLOSED, failure.getReasonCode());
  }

  /** Possible in an edited route: no acknowledgement could arrive while it waits. */
  @Test
  void requestOnEventLoopDoesNotWait() throws Exception {
    MqttLink link = link(LONG, LONG);
    BlockingQueue<String> requests = new LinkedBlockingQueue<>();
    consume(link, 1, (topic, message) -> link.publish(REQUEST, new MqttMessage(new byte[9])));
    CompletableFuture<MqttEndpoint> client = new CompletableFuture<>();
    link.open(account, login(broker(acceptingSubscriptions(client::complete))));
    client.get().publishHandler(packet -> requests.add(packet.topicName()));
    for (int i = 0; i < 2; i++) {
      publish(client.get(), "a message", MqttQoS.AT_LEAST_ONCE);
      assertEquals(REQUEST.replace("{user}", "1234"), requests.take());
    }
    assertTrue(link.isConnected(account));
  }

  @ParameterizedTest
  @CsvSource({
    "/app/device/property/{device}, /app/device/property/SN1, SN1",
    "/app/device/property/{device}, /app/device/property/SN1/more, ''",
    "/app/device/property/{device}, /app/device/property, ''",
    "/app/device/property/{device}, /app/device/propertyx/SN1, ''",
    "/app/device/property/{device}, /app/device/property/, ''",
    "/app/{user}/{device}/thing/property/get_reply, /app/77/SN1/thing/property/get_reply, SN1",
    "/app/{user}/{device}/thing/property/get_reply, /app/77/SN1/thing/property/get, ''",
    "/app/+/{device}/#, /app/any/SN1, SN1",
    "/app/+/{device}/#, /app/any/SN1/a/b, SN1",
    "/app/+/{device}/#, /app/any, ''",
    "{device}, SN1, SN1",
    "{device}/status, SN1/status, SN1",
    "/app/device/property/SN1, /app/device/property/SN1, ''"
  })
  void filterDefinesPositionOfSerialNumber(String filter, String topic, String serial)
      throws Exception {
    MqttLink link = link(LONG, LONG);
    link.subscribe(filter.replace("{", "%7B").replace("}", "%7D"), 1);
    assertEquals(serial, link.device(topic));
  }

  @Test
  void serialNumberInTopicHasNoControlCharacters() throws Exception {
    MqttLink link = link(LONG, LONG);
    link.subscribe(FILTER, 1);
    assertEquals("SN1", link.device("/app/device/property/S\n\u001bN\u2028\u202e1"));
    assertEquals("n".repeat(200), link.device("/app/device/property/" + "n".repeat(60_000)));
  }

  @Test
  void eachFilterHasItsOwnConsumer() throws Exception {
    MqttLink link = link(LONG, LONG);
    BlockingQueue<String> arrived = new LinkedBlockingQueue<>();
    consume(link, 1, (topic, message) -> arrived.add("property"));
    link.setCallback(null);
    link.subscribe("/app/device/status/{device}", 1);
    link.open(
        account,
        login(
            broker(
                acceptingSubscriptions(
                    client -> {
                      client.publish(
                          "/app/nobody/requests",
                          Buffer.buffer("x"),
                          MqttQoS.AT_MOST_ONCE,
                          false,
                          false);
                      publish(client, "x", MqttQoS.AT_MOST_ONCE);
                    }))));
    assertEquals("property", arrived.poll(60, TimeUnit.SECONDS));
  }
}
