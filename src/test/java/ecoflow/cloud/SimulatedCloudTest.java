package ecoflow.cloud;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SimulatedCloudTest {

  private static final String LIST = "/iot-open/sign/device/list";
  private static final String QUOTA = "/iot-open/sign/device/quota/all";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final SimulatedDevice delta =
      new SimulatedDevice("R331000000000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 71, "bms_bmsStatus.cellVol", List.of(3301, 3302)));
  private final SimulatedDevice river =
      new SimulatedDevice("P231000000000001", "Van", null, WireFormat.PROTOBUF_XOR)
          .set(
              Map.of(
                  "powInSumW",
                  0,
                  "bmsBattSoc",
                  55.5,
                  "bmsMinCellTemp",
                  -4,
                  "enBeep",
                  false,
                  "utcTimezone",
                  -330));

  private final Map<String, byte[]> received = new ConcurrentHashMap<>();
  private SimulatedCloud cloud;
  private int nonce = 100_000;

  @BeforeEach
  void start() {
    cloud = SimulatedCloud.start().add(delta, river);
  }

  @AfterEach
  void stop() {
    cloud.close();
  }

  @Test
  void theCheckerReproducesTheDocumentedSignature() {
    DeveloperSignature signature =
        new DeveloperSignature("Fp4SvIprYSDPXtYJidEtUAd1o", "WIbFEKre0s6sLnh4ei7SPUeYnptHG6V");
    Map<String, String> parameters =
        Map.of("sn", "123456789", "params.cmdSet", "11", "params.id", "24", "params.eps", "0");
    assertEquals(
        "07c13b65e037faf3b153d51613638fa80003c4c38d2407379a7f52851af1473e",
        signature.expected(parameters, "345164", "1671171709428"));
  }

  @Test
  void theDeveloperApiGivesDevicesAndTheirValues() throws Exception {
    JsonNode list = json(send(signed(LIST, Map.of())));
    assertEquals("0", list.path("code").asText());
    assertEquals(2, list.path("data").size());

    JsonNode quota = json(send(signed(QUOTA, Map.of("sn", delta.serial()))));
    assertEquals(71, quota.path("data").path("pd.soc").asInt());
    assertEquals(3302, quota.path("data").path("bms_bmsStatus.cellVol").path(1).asInt());
  }

  @Test
  void theDeveloperApiRefusesBadSignatures() throws Exception {
    HttpRequest good = signed(LIST, Map.of());
    assertEquals("0", code(good));
    assertEquals("8521", code(good), "used twice");
    assertEquals(
        "8521",
        code(copy(signed(LIST, Map.of())).header("Content-Type", "application/json").build()));
    assertEquals("8521", code(signed(LIST, Map.of(), Instant.now().minusSeconds(600))));
    assertEquals("8521", code(copy(signed(LIST, Map.of())).setHeader("sign", "00").build()));
    assertEquals("8513", code(copy(signed(LIST, Map.of())).setHeader("accessKey", "x").build()));
  }

  @Test
  void theDeveloperApiRefusesDevicesThatAreNotOpen() throws Exception {
    river.setOpenToDevelopers(false);
    assertEquals("1006", code(signed(QUOTA, Map.of("sn", river.serial()))));
    assertEquals("1006", code(signed(QUOTA, Map.of("sn", "unknown"))));
  }

  @Test
  void loginGivesATokenForTheOwnerOnly() throws Exception {
    assertEquals("2026", json(login("wrong")).path("code").asText());

    JsonNode user = json(login(cloud.account().password())).path("data").path("user");
    assertEquals(cloud.account().userId(), user.path("userId").asText());
    assertTrue(user.has("name"));

    cloud.setNickname(null);
    assertFalse(json(login(cloud.account().password())).path("data").path("user").has("name"));
  }

  @Test
  void certificationNeedsAValidToken() throws Exception {
    String path = "/iot-auth/app/certification?userId=" + cloud.account().userId();
    HttpRequest request = request(path).header("Authorization", "Bearer " + token()).build();
    JsonNode data = json(send(request)).path("data");
    assertEquals(cloud.certificateAccount(), data.path("certificateAccount").asText());
    assertTrue(data.path("port").isTextual());

    cloud.expireTokens();
    assertEquals(401, send(request).statusCode());
  }

  @Test
  void theAppListSeparatesSharedDevices() throws Exception {
    river.setShared(true);
    JsonNode data =
        json(send(
                request("/iot-service/user/device")
                    .header("Authorization", "Bearer " + token())
                    .build()))
            .path("data");
    assertTrue(data.path("bound").has(delta.serial()));
    assertTrue(data.path("share").has(river.serial()));
  }

  @Test
  void faultsComeInOrderAndEnd() throws Exception {
    cloud
        .faults()
        .next(
            LIST,
            Fault.status(503).withHeader("Retry-After", "7"),
            Fault.dataNull(),
            Fault.messageNull(),
            Fault.emptyBody(),
            Fault.malformedBody(),
            Fault.code("8521", "signature is wrong"),
            Fault.drip(40, Duration.ofMillis(1)));

    HttpResponse<String> unavailable = send(signed(LIST, Map.of()));
    assertEquals(503, unavailable.statusCode());
    assertEquals("7", unavailable.headers().firstValue("Retry-After").orElseThrow());
    assertTrue(json(send(signed(LIST, Map.of()))).path("data").isNull());
    assertTrue(json(send(signed(LIST, Map.of()))).path("message").isNull());
    assertEquals("", send(signed(LIST, Map.of())).body());
    String broken = send(signed(LIST, Map.of())).body();
    assertThrows(IOException.class, () -> JSON.readTree(broken));
    assertEquals("8521", code(signed(LIST, Map.of())));
    assertEquals("0", code(signed(LIST, Map.of())));
    assertEquals(0, cloud.faults().pending(LIST));
    assertTrue(cloud.requests(LIST).stream().allMatch(request -> request.header("SIGN") != null));

    cloud.faults().always(LIST, Fault.status(500).after(Duration.ofMillis(1)));
    assertEquals(500, send(signed(LIST, Map.of())).statusCode());
    assertEquals(500, send(signed(LIST, Map.of())).statusCode());
    cloud.faults().clear();
    assertEquals("0", code(signed(LIST, Map.of())));
  }

  @Test
  void aConnectionCanCloseWithoutAnAnswer() throws Exception {
    cloud.faults().next("/auth/login", Fault.closeConnection());
    assertThrows(IOException.class, () -> login(cloud.account().password()));
    assertEquals("0", json(login(cloud.account().password())).path("code").asText());
  }

  @Test
  void wrongCertificatesAreNoticed() throws Exception {
    for (ServerCertificate kind :
        List.of(ServerCertificate.WRONG_NAME, ServerCertificate.UNTRUSTED)) {
      try (SimulatedCloud bad =
          SimulatedCloud.start(
              CloudOptions.DEFAULT.withHttpCertificate(kind).withMqttCertificate(kind))) {
        HttpRequest request =
            HttpRequest.newBuilder(URI.create("https://" + bad.apiHost() + LIST)).build();
        HttpClient client = HttpClient.newBuilder().sslContext(trust(bad)).build();
        assertThrows(
            SSLHandshakeException.class,
            () -> client.send(request, HttpResponse.BodyHandlers.discarding()));
        assertThrows(MqttException.class, () -> connect(bad, appClientId()));
        assertEquals(0, bad.connects().size());
      }
    }
  }

  @Test
  void pushesReachASubscriber() throws Exception {
    try (MqttClient client = connect()) {
      subscribe(client, "/app/device/property/" + delta.serial());
      subscribe(client, "/app/device/property/" + river.serial());
      delta.push(Map.of("pd.soc", 72));
      river.push(Map.of("powInSumW", 0f));

      JsonNode push = JSON.readTree(message("/app/device/property/" + delta.serial()));
      assertEquals(72, push.path("params").path("pd.soc").asInt());
      assertEquals(1, push.path("params").size());

      Header header =
          Header.parseFrom(
              Frame.parseFrom(message("/app/device/property/" + river.serial())).getHeaders(0));
      assertEquals(254, header.getCmdFunc());
      assertEquals(21, header.getCmdId());
      assertEquals(1, header.getEncType());
      byte[] zeroFloat = {3 << 3 | 5, 0, 0, 0, 0};
      byte[] payload = header.getPdata().toByteArray();
      for (int i = 0; i < payload.length; i++) {
        assertEquals(zeroFloat[i], (byte) (payload[i] ^ header.getSeq()));
      }
      assertEquals(72, delta.quota().get("pd.soc"));
      client.disconnect();
    }
  }

  @Test
  void requestsForAllValuesAreAnsweredAndRecorded() throws Exception {
    String user = "/app/" + cloud.account().userId() + "/";
    String question = "{\"id\":\"17\",\"operateType\":\"latestQuotas\",\"params\":{}}";
    try (MqttClient client = connect()) {
      for (SimulatedDevice device : List.of(delta, river)) {
        String topic = user + device.serial() + "/thing/property/get";
        subscribe(client, topic + "_reply");
        client.publish(topic, question.getBytes(StandardCharsets.UTF_8), 1, false);
      }
      JsonNode answer = JSON.readTree(message(user + delta.serial() + "/thing/property/get_reply"));
      assertEquals("17", answer.path("id").asText());
      assertEquals(1, answer.path("data").path("online").asInt());
      assertEquals(71, answer.path("data").path("quotaMap").path("pd.soc").asInt());

      Frame bundle = Frame.parseFrom(message(user + river.serial() + "/thing/property/get_reply"));
      assertEquals(4, bundle.getHeadersCount());
      assertFalse(Header.parseFrom(bundle.getHeaders(0)).hasEncType());

      assertEquals(2, cloud.messages().size());
      assertEquals(question, cloud.messages().get(0).text());
      assertEquals(client.getClientId(), cloud.messages().get(0).clientId());
      client.disconnect();
    }
  }

  @Test
  void onlyAppClientsMayConnect() throws Exception {
    assertThrows(MqttException.class, () -> connect(cloud, "ANDROID_1"));
    cloud.setAnyClientId(true);
    try (MqttClient client = connect(cloud, "any")) {
      await().until(() -> cloud.openConnections() == 1);
      client.disconnect();
    }
    await().until(() -> cloud.openConnections() == 0);
    assertEquals(1, cloud.maxOpenConnections());
    assertEquals(
        List.of(false, true), cloud.connects().stream().map(ConnectAttempt::accepted).toList());
  }

  @Test
  void aSecondConnectionWithTheSameIdReplacesTheFirst() throws Exception {
    String id = appClientId();
    try (MqttClient first = connect(cloud, id);
        MqttClient second = connect(cloud, id)) {
      await().until(() -> !first.isConnected() && cloud.openConnections() == 1);
      assertTrue(second.isConnected());
      second.disconnect();
    }
    await().until(() -> cloud.openConnections() == 0);
  }

  @Test
  void rotatedCredentialsLockOutTheOldOnes() throws Exception {
    try (MqttClient client = connect()) {
      MqttConnectOptions old = options(cloud);
      cloud.rotateCredentials();
      assertNotEquals(old.getUserName(), cloud.certificateAccount());
      cloud.kickClients();
      await().until(() -> !client.isConnected());
      MqttException refused = assertThrows(MqttException.class, () -> client.connect(old));
      assertEquals(MqttException.REASON_CODE_FAILED_AUTHENTICATION, refused.getReasonCode());
      client.connect(options(cloud));
      client.disconnect();
    }
  }

  @Test
  void theBrokerRestartsOnItsPort() throws Exception {
    int port = cloud.mqttPort();
    try (MqttClient client = connect()) {
      cloud.stopBroker();
      await().until(() -> !client.isConnected());
      assertThrows(MqttException.class, () -> client.connect(options(cloud)));
      cloud.startBroker();
      assertEquals(port, cloud.mqttPort());
      client.connect(options(cloud));
      subscribe(client, "/app/device/property/" + delta.serial());
      delta.pushAll();
      assertTrue(message("/app/device/property/" + delta.serial()).length > 0);
      client.disconnect();
    }
  }

  @Test
  void subscriptionsCanBeRefused() throws Exception {
    cloud.refuseSubscriptions(topic -> topic.endsWith("_reply"));
    try (MqttClient client = connect()) {
      assertThrows(MqttException.class, () -> client.subscribe("/app/x/thing/property/get_reply"));
      client.subscribe("/app/device/property/" + delta.serial());
      await().until(() -> cloud.subscriptions().size() == 1);
      client.disconnect();
    }
  }

  private HttpRequest signed(String path, Map<String, String> query) {
    return signed(path, query, Instant.now());
  }

  private HttpRequest signed(String path, Map<String, String> query, Instant time) {
    CloudAccount account = cloud.account();
    String number = String.valueOf(nonce++);
    String timestamp = String.valueOf(time.toEpochMilli());
    String sign =
        new DeveloperSignature(account.accessKey(), account.secretKey())
            .expected(query, number, timestamp);
    String suffix = query.containsKey("sn") ? "?sn=" + query.get("sn") : "";
    return request(path + suffix)
        .header("accessKey", account.accessKey())
        .header("nonce", number)
        .header("timestamp", timestamp)
        .header("sign", sign)
        .build();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("https://" + cloud.apiHost() + path));
  }

  private static HttpRequest.Builder copy(HttpRequest request) {
    return HttpRequest.newBuilder(request, (name, value) -> true);
  }

  private HttpResponse<String> login(String password) throws Exception {
    Map<String, String> body =
        Map.of(
            "email",
            cloud.account().email(),
            "password",
            Base64.getEncoder().encodeToString(password.getBytes(StandardCharsets.UTF_8)),
            "scene",
            "IOT_APP",
            "userType",
            "ECOFLOW");
    return send(
        request("/auth/login")
            .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)))
            .build());
  }

  private String token() throws Exception {
    return json(login(cloud.account().password())).path("data").path("token").asText();
  }

  private HttpResponse<String> send(HttpRequest request) throws Exception {
    return HttpClient.newBuilder()
        .sslContext(trust(cloud))
        .build()
        .send(request, HttpResponse.BodyHandlers.ofString());
  }

  private String code(HttpRequest request) throws Exception {
    return json(send(request)).path("code").asText();
  }

  private static JsonNode json(HttpResponse<String> response) throws IOException {
    return JSON.readTree(response.body());
  }

  private MqttClient connect() throws Exception {
    return connect(cloud, appClientId());
  }

  private String appClientId() {
    return "ANDROID_" + UUID.randomUUID().toString().toUpperCase() + "_" + cloud.account().userId();
  }

  private static MqttClient connect(SimulatedCloud cloud, String clientId) throws Exception {
    MqttClient client =
        new MqttClient("ssl://localhost:" + cloud.mqttPort(), clientId, new MemoryPersistence());
    try {
      client.connect(options(cloud));
      return client;
    } catch (MqttException e) {
      client.close();
      throw e;
    }
  }

  private static MqttConnectOptions options(SimulatedCloud cloud) throws Exception {
    MqttConnectOptions options = new MqttConnectOptions();
    // Paho would try MQTT 3.1 after a refusal and so double every attempt.
    options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
    options.setUserName(cloud.certificateAccount());
    options.setPassword(cloud.certificatePassword().toCharArray());
    options.setSocketFactory(trust(cloud).getSocketFactory());
    return options;
  }

  private void subscribe(MqttClient client, String topic) throws MqttException {
    client.subscribe(topic, 1, (name, message) -> received.put(name, message.getPayload()));
  }

  private byte[] message(String topic) {
    await().until(() -> received.containsKey(topic));
    return received.get(topic);
  }

  private static SSLContext trust(SimulatedCloud cloud) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    try (InputStream pem = Files.newInputStream(cloud.caFile())) {
      store.setCertificateEntry(
          "ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }
}
