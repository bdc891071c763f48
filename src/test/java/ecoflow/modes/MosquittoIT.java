package ecoflow.modes;

import static ecoflow.cloud.ApiPath.CERTIFICATION;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.testkit.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.ServerCertificate;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Mosquitto;
import ecoflow.testkit.Page;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The connection of an account to Mosquitto, with crashes and hangs of the broker. */
class MosquittoIT {

  private static final String SERIAL = "R331ZREAL0000001";
  private static final String USER = "app-user";
  private static final String PASSWORD = "first password";
  private static final String DEVICE_USER = "device-user";
  private static final String DEVICE_PASSWORD = "the device's password";
  private static final String REFUSED = "disconnected, not authorised";
  private static final String CLEAN_END = "Received DISCONNECT from ANDROID_";

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice(SERIAL, "Garage", "DELTA 2", WireFormat.JSON);

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.mqtt().with(DEVICE);

  @TempDir Path directory;
  private final Page page = exporter.page();
  private SimulatedCloud cloud;
  private Mosquitto broker;
  private MqttClient listener;

  @BeforeAll
  static void needsMosquitto() {
    assumeTrue(Mosquitto.isInstalled(), "mosquitto is not installed");
  }

  @BeforeEach
  void prepare() {
    cloud = exporter.cloud();
    prepareBroker(ServerCertificate.TRUSTED);
  }

  private void prepareBroker(ServerCertificate certificate) {
    broker = new Mosquitto(directory.resolve(certificate.name()), cloud, certificate);
    broker.setPassword(USER, PASSWORD);
    broker.setPassword(DEVICE_USER, DEVICE_PASSWORD);
    cloud.setBroker("localhost", broker.port(), USER, PASSWORD);
  }

  @AfterEach
  void stop() throws MqttException {
    try {
      exporter.stop();
      if (listener != null) {
        listener.disconnectForcibly(0, 1000);
        listener.close(true);
      }
    } finally {
      // The broker is a separate process, which must end even if something else fails.
      broker.close();
    }
    assertEquals(List.of(), cloud.connects(), "the broker is another one");
  }

  /** Publishes a push of a device. */
  private void push(int soc) throws MqttException {
    broker.publish(
        DEVICE_USER,
        DEVICE_PASSWORD,
        "/app/device/property/" + SERIAL,
        """
        {"params": {"pd.soc": %d}}
        """
            .formatted(soc));
  }

  private void eventuallyFurtherAttempts(int number) {
    double before = page.reconnections();
    eventually(() -> assertTrue(page.reconnections() >= before + number));
  }

  /** The connection may still break, so a push can be lost. */
  private void assertDataFlows(int soc) {
    eventually(
        () -> {
          push(soc);
          assertEquals(soc, page.of(DEVICE, "pd_soc"));
        });
    page.eventuallyConnected(1);
  }

  private void assertAlive() {
    assertEquals(200, exporter.http().get("/-/healthy").statusCode());
  }

  @Test
  void messagesOfAnotherClientBecomeGauges() throws Exception {
    broker.start();
    exporter.start();
    page.eventuallyConnected(1);
    push(81);
    page.eventuallyShows(DEVICE, "pd_soc", 81, "device_name=Garage");
    assertEquals(1, page.of(DEVICE, "online"));
    assertEquals(1, broker.maxConnections(USER));
  }

  @Test
  void aRequestForAllValuesIsAnsweredThroughTheBroker() throws Exception {
    broker.start();
    String request = cloud.topic(DEVICE, "get");
    List<String> asked = new CopyOnWriteArrayList<>();
    listener = broker.client("answering-device", DEVICE_USER, DEVICE_PASSWORD);
    listener.subscribe(
        "/app/+/+/thing/property/get",
        1,
        (topic, message) -> asked.add(topic + " " + new String(message.getPayload(), UTF_8)));
    exporter.startIn("device");
    eventually(() -> assertTrue(asked.size() >= 2, "asked again after the interval"));
    assertTrue(asked.get(0).startsWith(request + " {"), asked.get(0));
    assertTrue(asked.get(0).contains("\"latestQuotas\""), asked.get(0));

    String answer =
        """
        {"operateType": "latestQuotas", "data": {"online": 1, "quotaMap": {"pd.soc": 82}}}
        """;
    listener.publish(request + "_reply", answer.getBytes(UTF_8), 1, false);
    page.eventuallyShows(DEVICE, "pd_soc", 82);
    assertEquals(1, broker.maxConnections(USER));
  }

  @Test
  void waitsForABrokerThatStartsLate() {
    exporter.start("RETRY_TIMEOUT=0.2", "ESTABLISH_ATTEMPTS=1000");
    eventually(() -> assertEquals(1, page.logins("success")));
    assertEquals(0, page.connected());
    broker.start();
    assertDataFlows(1);
    assertEquals(1, cloud.requests(LOGIN).size());
    assertEquals(1, broker.maxConnections(USER));
  }

  @Test
  void dataReturnsAfterACrashOfTheBroker() {
    broker.start();
    exporter.startIn("device", "MAX_RECONNECT_DELAY=1");
    for (int deaths = 0; deaths < 2; deaths++) {
      assertDataFlows(deaths);
      broker.kill();
      page.eventuallyConnected(0);
      assertAlive();
      eventuallyFurtherAttempts(2);
      broker.start();
    }
    assertDataFlows(2);
    assertAlive();
    assertEquals(1, cloud.requests(LOGIN).size(), "the broker's credentials are still good");
    assertEquals(1, broker.maxConnections(USER));
  }

  @ParameterizedTest
  @ValueSource(strings = {"mqtt", "device"})
  void aHangingBrokerIsDetectedAndDisconnected(String apiType) {
    broker.start();
    exporter.startIn(apiType, "MQTT_KEEPALIVE=1", "HTTP_TIMEOUT=1", "MAX_RECONNECT_DELAY=1");
    assertDataFlows(1);
    broker.freeze();
    page.eventuallyConnected(0);
    eventuallyFurtherAttempts(2);
    assertEquals(0, page.connected());
    assertAlive();
    broker.thaw();
    assertDataFlows(2);
    assertEquals(1, cloud.requests(LOGIN).size());
    assertEquals(1, broker.maxConnections(USER), () -> "" + broker.log());
  }

  @Test
  void waitsForABrokerThatHangsAtTheStart() {
    broker.start();
    broker.freeze();
    exporter.start("HTTP_TIMEOUT=1", "RETRY_TIMEOUT=0.1", "ESTABLISH_ATTEMPTS=1000");
    eventually(() -> assertEquals(1, page.logins("success")));
    assertEquals(0, page.connected());
    broker.thaw();
    assertDataFlows(1);
    assertEquals(1, broker.maxConnections(USER), () -> "" + broker.log());
  }

  @Test
  void aHangingBrokerDoesNotDelayTheShutdown() {
    broker.start();
    exporter.startIn("device", "HTTP_TIMEOUT=3600", "MQTT_KEEPALIVE=3600");
    assertDataFlows(1);
    broker.freeze();
    CompletableFuture<Void> end = CompletableFuture.runAsync(exporter::stop);
    eventually(() -> assertTrue(end.isDone()));
  }

  @Test
  void aChangedPasswordCausesOneLogin() {
    broker.start();
    exporter.start();
    assertDataFlows(1);
    String changed = "second password";
    cloud.setBroker("localhost", broker.port(), USER, changed);
    broker.setPassword(USER, changed);
    broker.reload();
    eventually(() -> assertEquals(2, cloud.requests(LOGIN).size()));
    assertDataFlows(2);
    assertEquals(2, cloud.requests(CERTIFICATION).size());
    assertEquals(2, page.logins("success"));
    assertEquals(1, broker.count(REFUSED), "the old password is tried once: " + broker.log());
    assertEquals(1, broker.maxConnections(USER), () -> "" + broker.log());
  }

  @ParameterizedTest
  @EnumSource(names = "TRUSTED", mode = EnumSource.Mode.EXCLUDE)
  void aBrokerWithTheWrongCertificateGetsNoCredentials(ServerCertificate certificate) {
    prepareBroker(certificate);
    broker.start();
    exporter.start("ESTABLISH_ATTEMPTS=2", "RETRY_TIMEOUT=0.1");
    assertEquals(1, exporter.exitCode());
    assertEquals(0, page.connected());
    // Mosquitto logs the second line if a client disconnects before it is polled again.
    assertTrue(
        broker.count("New connection from ") + broker.count("Client connection from ") >= 2,
        () -> "it was asked: " + broker.log());
    assertEquals(0, broker.count("New client connected"));
    assertEquals(0, broker.count("CONNACK"));
  }

  @Test
  void theShutdownDisconnectsCleanly() {
    broker.start();
    exporter.start();
    assertDataFlows(1);
    assertEquals(0, broker.count(CLEAN_END));
    exporter.stop();
    eventually(() -> assertEquals(1, broker.count(CLEAN_END), () -> "" + broker.log()));
    assertEquals(0, broker.count("closed its connection"));
  }

  @Test
  void credentialsAreRenewedAutomatically() {
    broker.start();
    exporter.start("ECOFLOW_CREDENTIALS_TTL=2");
    for (int logins = 1; logins <= 3; logins++) {
      int wanted = logins;
      eventually(() -> assertTrue(cloud.requests(CERTIFICATION).size() >= wanted));
      assertDataFlows(logins);
    }
    assertTrue(cloud.requests(LOGIN).size() >= 3);
    assertEquals(0, broker.count(REFUSED));
    assertEquals(0, broker.count("closed its connection"), "every change is an orderly one");
    assertEquals(1, broker.maxConnections(USER), () -> "" + broker.log());
  }
}
