package ecoflow;

import static ecoflow.Eventually.eventually;
import static ecoflow.Eventually.eventuallyShows;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.ServerCertificate;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.config.ConfigException;
import ecoflow.config.Tls;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The account's connection on a broker that is not ours, with its crashes and hangs. */
class MosquittoIT {

  private static final String LOGIN = "/auth/login";
  private static final String CERTIFICATION = "/iot-auth/app/certification";
  private static final String SERIAL = "R331ZREAL0000001";
  private static final String USER = "app-user";
  private static final String PASSWORD = "first password";
  private static final String DEVICE_USER = "device-user";
  private static final String DEVICE_PASSWORD = "the device's password";
  private static final String REFUSED = "disconnected, not authorised";
  private static final String CLEAN_END = "Received DISCONNECT from ANDROID_";

  @TempDir Path folder;
  private SimulatedCloud cloud;
  private Mosquitto broker;
  private RunningExporter exporter;
  private String type;
  private MqttClient listener;

  private static final Duration LONG_OUTAGE = Duration.ofSeconds(150);

  /**
   * The promise after such an outage is 17 s: a tenth of it, half a second to the next look at the
   * clock, and the connection. A busy machine needs longer for the broker's start, the TLS
   * handshake and the scrapes of this test.
   */
  private static final Duration WAY_BACK = Duration.ofSeconds(17).plusSeconds(5);

  @BeforeAll
  static void needsMosquitto() {
    assumeTrue(Mosquitto.isInstalled(), "mosquitto is not installed");
  }

  @BeforeEach
  void prepare() {
    cloud =
        SimulatedCloud.start()
            .add(new SimulatedDevice(SERIAL, "Garage", "DELTA 2", WireFormat.JSON));
    prepareBroker(ServerCertificate.TRUSTED);
  }

  private void prepareBroker(ServerCertificate certificate) {
    broker = new Mosquitto(folder.resolve(certificate.name()), cloud, certificate);
    broker.setPassword(USER, PASSWORD);
    broker.setPassword(DEVICE_USER, DEVICE_PASSWORD);
    cloud.setBroker("localhost", broker.port(), USER, PASSWORD);
  }

  @AfterEach
  void stop() throws MqttException {
    try {
      if (exporter != null) {
        exporter.close();
      }
      if (listener != null) {
        listener.disconnectForcibly(0, 1000);
        listener.close(true);
      }
    } finally {
      // A process of its own: it must end whatever else fails.
      broker.close();
      cloud.close();
    }
    assertEquals(List.of(), cloud.connects(), "the broker is another one");
  }

  private void start(String apiType, String... more) {
    type = apiType;
    exporter = RunningExporter.start(RunningExporter.account(cloud, type, more));
  }

  /** Another client of the broker. */
  private MqttClient client(String id) throws MqttException, ConfigException {
    MqttClient client =
        new MqttClient("ssl://localhost:" + broker.port(), id, new MemoryPersistence());
    client.setTimeToWait(10_000);
    MqttConnectOptions options = new MqttConnectOptions();
    options.setUserName(DEVICE_USER);
    options.setPassword(DEVICE_PASSWORD.toCharArray());
    options.setSocketFactory(Tls.context(Optional.of(cloud.caFile())).getSocketFactory());
    client.connect(options);
    return client;
  }

  /** What a device sends by itself. */
  private void push(int soc) throws MqttException, ConfigException {
    byte[] values = ("{\"params\":{\"pd.soc\":" + soc + "}}").getBytes(UTF_8);
    MqttClient device = client("device");
    try {
      device.publish("/app/device/property/" + SERIAL, values, 1, false);
      device.disconnect();
    } finally {
      device.close(true);
    }
  }

  private double own(String name, String... labels) {
    List<String> all = new ArrayList<>(List.of(labels));
    all.add("client_type=\"" + type + "\"");
    return exporter.value("ecoflow_" + name, all.toArray(String[]::new)).orElse(Double.NaN);
  }

  private double logins() {
    return own("auth_requests_total", "status=\"success\"");
  }

  private void awaitConnected(double state) {
    eventually(() -> assertEquals(state, own("mqtt_connected")));
  }

  private void awaitFurtherAttempts(int number) {
    double before = own("mqtt_reconnections_total");
    eventually(() -> assertTrue(own("mqtt_reconnections_total") >= before + number));
  }

  /** The connection may still be about to go, so what is pushed may be lost. */
  private void assertDataFlows(int soc) {
    eventually(
        () -> {
          push(soc);
          assertEquals(soc, exporter.of(SERIAL, "ecoflow_pd_soc"));
        });
    awaitConnected(1);
  }

  private void assertAlive() {
    assertEquals(200, exporter.get("GET", "/-/healthy").statusCode());
  }

  private int exitCode() {
    CompletableFuture<Integer> code =
        CompletableFuture.supplyAsync(() -> exporter.exporter().awaitEnd());
    eventually(() -> assertTrue(code.isDone()));
    return code.join();
  }

  @Test
  void whatAnotherClientPublishesBecomesGauges() throws Exception {
    broker.start();
    start("mqtt");
    awaitConnected(1);
    push(81);
    eventuallyShows(exporter, SERIAL, "ecoflow_pd_soc", 81, "device_name=\"Garage\"");
    assertEquals(1, exporter.of(SERIAL, "ecoflow_online"));
    assertEquals(1, broker.mostConnections(USER));
  }

  @Test
  void aRequestForAllValuesIsAnsweredThroughTheBroker() throws Exception {
    broker.start();
    String request = "/app/" + cloud.account().userId() + "/" + SERIAL + "/thing/property/get";
    List<String> asked = new CopyOnWriteArrayList<>();
    listener = client("answering-device");
    listener.subscribe(
        "/app/+/+/thing/property/get",
        1,
        (topic, message) -> asked.add(topic + " " + new String(message.getPayload(), UTF_8)));
    start("device");
    eventually(() -> assertTrue(asked.size() >= 2, "asked again after the interval"));
    assertTrue(asked.get(0).startsWith(request + " {"), asked.get(0));
    assertTrue(asked.get(0).contains("\"latestQuotas\""), asked.get(0));

    byte[] answer =
        "{\"operateType\":\"latestQuotas\",\"data\":{\"online\":1,\"quotaMap\":{\"pd.soc\":82}}}"
            .getBytes(UTF_8);
    listener.publish(request + "_reply", answer, 1, false);
    eventuallyShows(exporter, SERIAL, "ecoflow_pd_soc", 82);
    assertEquals(1, broker.mostConnections(USER));
  }

  @Test
  void aBrokerThatComesUpInTimeIsWaitedFor() {
    start("mqtt", "RETRY_TIMEOUT", "0.2", "ESTABLISH_ATTEMPTS", "1000");
    eventually(() -> assertEquals(1, logins()));
    assertEquals(0, own("mqtt_connected"));
    broker.start();
    assertDataFlows(1);
    assertEquals(1, cloud.requests(LOGIN).size());
    assertEquals(1, broker.mostConnections(USER));
  }

  @Test
  void dataIsBackAfterTheBrokerDies() {
    broker.start();
    start("device", "MAX_RECONNECT_DELAY", "1");
    for (int deaths = 0; deaths < 2; deaths++) {
      assertDataFlows(deaths);
      broker.kill();
      awaitConnected(0);
      assertAlive();
      awaitFurtherAttempts(2);
      broker.start();
    }
    assertDataFlows(2);
    assertAlive();
    assertEquals(1, cloud.requests(LOGIN).size(), "the broker's credentials are still good");
    assertEquals(1, broker.mostConnections(USER));
  }

  /** With the pauses as users have them. */
  @Test
  void dataIsBackSoonAfterALongOutage() {
    broker.start();
    start("mqtt");
    assertDataFlows(1);
    broker.kill();
    awaitConnected(0);
    Awaitility.await()
        .pollDelay(LONG_OUTAGE)
        .atMost(LONG_OUTAGE.plusMinutes(1))
        .until(() -> own("mqtt_connected") == 0);
    assertAlive();
    assertEquals(0, exporter.of(SERIAL, "ecoflow_online"));
    assertEquals(List.of(), exporter.lines("ecoflow_pd_soc"));
    broker.start();
    Awaitility.await().atMost(WAY_BACK).until(() -> own("mqtt_connected") == 1);
    assertDataFlows(2);
    assertEquals(1, cloud.requests(LOGIN).size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"mqtt", "device"})
  void aBrokerThatHangsIsNoticedAndLeft(String apiType) {
    broker.start();
    start(apiType, "MQTT_KEEPALIVE", "1", "HTTP_TIMEOUT", "1", "MAX_RECONNECT_DELAY", "1");
    assertDataFlows(1);
    broker.freeze();
    awaitConnected(0);
    awaitFurtherAttempts(2);
    assertEquals(0, own("mqtt_connected"));
    assertAlive();
    broker.thaw();
    assertDataFlows(2);
    assertEquals(1, cloud.requests(LOGIN).size());
    assertEquals(1, broker.mostConnections(USER), () -> "" + broker.log());
  }

  @Test
  void aBrokerThatHangsAtTheStartIsWaitedFor() {
    broker.start();
    broker.freeze();
    start("mqtt", "HTTP_TIMEOUT", "1", "RETRY_TIMEOUT", "0.1", "ESTABLISH_ATTEMPTS", "1000");
    eventually(() -> assertEquals(1, logins()));
    assertEquals(0, own("mqtt_connected"));
    broker.thaw();
    assertDataFlows(1);
    assertEquals(1, broker.mostConnections(USER), () -> "" + broker.log());
  }

  @Test
  void aBrokerThatHangsDoesNotKeepTheExporterFromEnding() {
    broker.start();
    start("device", "HTTP_TIMEOUT", "3600", "MQTT_KEEPALIVE", "3600");
    assertDataFlows(1);
    broker.freeze();
    CompletableFuture<Void> end = CompletableFuture.runAsync(exporter::close);
    eventually(() -> assertTrue(end.isDone()));
  }

  @Test
  void aChangedPasswordIsMetWithOneLogin() {
    broker.start();
    start("mqtt");
    assertDataFlows(1);
    String changed = "second password";
    cloud.setBroker("localhost", broker.port(), USER, changed);
    broker.setPassword(USER, changed);
    broker.reload();
    eventually(() -> assertEquals(2, cloud.requests(LOGIN).size()));
    assertDataFlows(2);
    assertEquals(2, cloud.requests(CERTIFICATION).size());
    assertEquals(2, logins());
    assertEquals(1, broker.count(REFUSED), "the old password is tried once: " + broker.log());
    assertEquals(1, broker.mostConnections(USER), () -> "" + broker.log());
  }

  @ParameterizedTest
  @EnumSource(names = "TRUSTED", mode = EnumSource.Mode.EXCLUDE)
  void aBrokerWithTheWrongCertificateGetsNoCredentials(ServerCertificate certificate) {
    prepareBroker(certificate);
    broker.start();
    start("mqtt", "ESTABLISH_ATTEMPTS", "2", "RETRY_TIMEOUT", "0.1");
    assertEquals(1, exitCode());
    assertEquals(0, own("mqtt_connected"));
    assertTrue(broker.count("New connection from ") >= 2, () -> "it was asked: " + broker.log());
    assertEquals(0, broker.count("New client connected"));
    assertEquals(0, broker.count("CONNACK"));
  }

  @Test
  void theEndIsAnOrderlyDisconnect() {
    broker.start();
    start("mqtt");
    assertDataFlows(1);
    assertEquals(0, broker.count(CLEAN_END));
    exporter.close();
    eventually(() -> assertEquals(1, broker.count(CLEAN_END), () -> "" + broker.log()));
    assertEquals(0, broker.count("closed its connection"));
  }

  @Test
  void oldCredentialsAreReplacedByThemselves() {
    broker.start();
    start("mqtt", "ECOFLOW_CREDENTIALS_TTL", "2");
    for (int logins = 1; logins <= 3; logins++) {
      int wanted = logins;
      eventually(() -> assertTrue(cloud.requests(CERTIFICATION).size() >= wanted));
      assertDataFlows(logins);
    }
    assertTrue(cloud.requests(LOGIN).size() >= 3);
    assertEquals(0, broker.count(REFUSED));
    assertEquals(0, broker.count("closed its connection"), "every change is an orderly one");
    assertEquals(1, broker.mostConnections(USER), () -> "" + broker.log());
  }
}
