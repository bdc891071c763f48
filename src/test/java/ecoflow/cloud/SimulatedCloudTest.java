package ecoflow.cloud;

import static ecoflow.cloud.ApiPath.ACCOUNT_DEVICES;
import static ecoflow.cloud.ApiPath.CERTIFICATION;
import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.HISTORY;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.cloud.ApiPath.QUOTA;
import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Frames;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLHandshakeException;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class SimulatedCloudTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final SimulatedDevice delta =
      new SimulatedDevice("R331000000000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(
              """
              {"pd.soc": 71, "bms_bmsStatus.cellVol": [3301, 3302]}
              """);
  private final SimulatedDevice river =
      new SimulatedDevice("P231000000000001", "Van", null, WireFormat.PROTOBUF_XOR)
          .set(
              """
              {
                "powInSumW": 0,
                "bmsBattSoc": 55.5,
                "bmsMinCellTemp": -4,
                "enBeep": false,
                "utcTimezone": -330
              }
              """);

  @RegisterExtension final CloudExtension clouds = new CloudExtension(delta, river);

  private final Map<String, byte[]> received = new ConcurrentHashMap<>();
  private SimulatedCloud cloud;
  private int nonce = 100_000;

  @BeforeEach
  void useCloud() {
    cloud = clouds.cloud();
  }

  @Test
  void reproducesDocumentedSignature() {
    DeveloperSignature signature =
        new DeveloperSignature("Fp4SvIprYSDPXtYJidEtUAd1o", "WIbFEKre0s6sLnh4ei7SPUeYnptHG6V");
    Map<String, String> parameters =
        Map.of("sn", "123456789", "params.cmdSet", "11", "params.id", "24", "params.eps", "0");
    assertEquals(
        "07c13b65e037faf3b153d51613638fa80003c4c38d2407379a7f52851af1473e",
        signature.expected(parameters, "345164", "1671171709428"));
  }

  @Test
  void developerApiReturnsDevicesAndTheirValues() throws Exception {
    JsonNode list = json(send(signed(DEVICE_LIST, Map.of())));
    assertEquals("0", list.path("code").asText());
    assertEquals(2, list.path("data").size());

    JsonNode quota = json(send(signed(QUOTA, Map.of("sn", delta.serial()))));
    assertEquals(71, quota.path("data").path("pd.soc").asInt());
    assertEquals(3302, quota.path("data").path("bms_bmsStatus.cellVol").path(1).asInt());
  }

  @Test
  void developerApiRejectsInvalidSignatures() throws Exception {
    HttpRequest good = signed(DEVICE_LIST, Map.of());
    assertEquals("0", code(good));
    assertEquals("8521", code(good), "a signature is valid only once");
    assertEquals(
        "8521",
        code(
            copy(signed(DEVICE_LIST, Map.of()))
                .header("Content-Type", "application/json")
                .build()));
    assertEquals("8521", code(signed(DEVICE_LIST, Map.of(), Instant.now().minusSeconds(600))));
    assertEquals("8521", code(copy(signed(DEVICE_LIST, Map.of())).setHeader("sign", "00").build()));
    assertEquals(
        "8513", code(copy(signed(DEVICE_LIST, Map.of())).setHeader("accessKey", "x").build()));
  }

  @Test
  void developerApiRejectsRestrictedDevices() throws Exception {
    river.setOpenToDevelopers(false);
    assertEquals("1006", code(signed(QUOTA, Map.of("sn", river.serial()))));
    assertEquals("1006", code(signed(QUOTA, Map.of("sn", "unknown"))));
  }

  @Test
  void onlyOwnerReceivesToken() throws Exception {
    assertEquals("2026", json(login("wrong")).path("code").asText());

    JsonNode user = json(login(cloud.account().password())).path("data").path("user");
    assertEquals(cloud.account().userId(), user.path("userId").asText());
    assertTrue(user.has("name"));

    cloud.setNickname(null);
    assertFalse(json(login(cloud.account().password())).path("data").path("user").has("name"));
  }

  @Test
  void certificationRequiresValidToken() throws Exception {
    String path = CERTIFICATION + "?userId=" + cloud.account().userId();
    HttpRequest request = request(path).header("Authorization", "Bearer " + token()).build();
    JsonNode data = json(send(request)).path("data");
    assertEquals(cloud.certificateAccount(), data.path("certificateAccount").asText());
    assertTrue(data.path("port").isTextual());

    cloud.expireTokens();
    assertEquals(401, send(request).statusCode());
  }

  @Test
  void appDeviceListSeparatesSharedDevices() throws Exception {
    river.setShared(true);
    JsonNode data =
        json(send(request(ACCOUNT_DEVICES).header("Authorization", "Bearer " + token()).build()))
            .path("data");
    assertTrue(data.path("bound").has(delta.serial()));
    assertTrue(data.path("share").has(river.serial()));
  }

  @Test
  void faultsApplyInOrderUntilUsed() throws Exception {
    cloud
        .faults()
        .next(
            DEVICE_LIST,
            Fault.status(503).withHeader("Retry-After", "7"),
            Fault.dataNull(),
            Fault.messageNull(),
            Fault.emptyBody(),
            Fault.malformedBody(),
            Fault.code("8521", "signature is wrong"),
            Fault.drip(40, Duration.ofMillis(1)));

    HttpResponse<String> unavailable = send(signed(DEVICE_LIST, Map.of()));
    assertEquals(503, unavailable.statusCode());
    assertEquals("7", unavailable.headers().firstValue("Retry-After").orElseThrow());
    assertTrue(json(send(signed(DEVICE_LIST, Map.of()))).path("data").isNull());
    assertTrue(json(send(signed(DEVICE_LIST, Map.of()))).path("message").isNull());
    assertEquals("", send(signed(DEVICE_LIST, Map.of())).body());
    String broken = send(signed(DEVICE_LIST, Map.of())).body();
    assertThrows(IOException.class, () -> JSON.readTree(broken));
    assertEquals("8521", code(signed(DEVICE_LIST, Map.of())));
    assertEquals("0", code(signed(DEVICE_LIST, Map.of())));
    assertEquals(0, cloud.faults().pending(DEVICE_LIST));
    assertTrue(
        cloud.requests(DEVICE_LIST).stream().allMatch(request -> request.header("SIGN") != null));

    cloud.faults().always(DEVICE_LIST, Fault.status(500).after(Duration.ofMillis(1)));
    assertEquals(500, send(signed(DEVICE_LIST, Map.of())).statusCode());
    assertEquals(500, send(signed(DEVICE_LIST, Map.of())).statusCode());
    cloud.faults().clear();
    assertEquals("0", code(signed(DEVICE_LIST, Map.of())));
  }

  @Test
  void connectionCanCloseWithoutResponse() throws Exception {
    cloud.faults().next(LOGIN, Fault.closeConnection());
    assertThrows(IOException.class, () -> login(cloud.account().password()));
    assertEquals("0", json(login(cloud.account().password())).path("code").asText());
  }

  @Test
  void clientRejectsWrongCertificates() throws Exception {
    for (ServerCertificate kind :
        List.of(ServerCertificate.WRONG_NAME, ServerCertificate.UNTRUSTED)) {
      try (SimulatedCloud bad =
          SimulatedCloud.start(
              CloudOptions.DEFAULT.withHttpCertificate(kind).withMqttCertificate(kind))) {
        HttpRequest request =
            HttpRequest.newBuilder(URI.create("https://" + bad.apiHost() + DEVICE_LIST)).build();
        HttpClient client = HttpClient.newBuilder().sslContext(bad.clientTls()).build();
        assertThrows(
            SSLHandshakeException.class,
            () -> client.send(request, HttpResponse.BodyHandlers.discarding()));
        assertThrows(MqttException.class, () -> connect(bad, appClientId()));
        assertEquals(0, bad.connects().size());
      }
    }
  }

  @Test
  void pushesReachSubscriber() throws Exception {
    try (MqttClient client = connect()) {
      subscribe(client, "/app/device/property/" + delta.serial());
      subscribe(client, "/app/device/property/" + river.serial());
      delta.push(Map.of("pd.soc", 72));
      river.push(Map.of("powInSumW", 0f));

      JsonNode push = JSON.readTree(message("/app/device/property/" + delta.serial()));
      assertEquals(72, push.path("params").path("pd.soc").asInt());
      assertEquals(1, push.path("params").size());

      Frames.Header header =
          Frames.headers(message("/app/device/property/" + river.serial())).get(0);
      assertEquals(254, header.cmdFunc());
      assertEquals(21, header.cmdId());
      assertTrue(header.isMasked());
      byte[] zeroFloat = {3 << 3 | 5, 0, 0, 0, 0};
      assertArrayEquals(zeroFloat, header.plainData());
      assertEquals(72, delta.quota().get("pd.soc"));
      client.disconnect();
    }
  }

  @Test
  void requestsForAllValuesAreAnsweredAndRecorded() throws Exception {
    String question =
        """
        {"id": "17", "operateType": "latestQuotas", "params": {}}
        """;
    try (MqttClient client = connect()) {
      for (SimulatedDevice device : List.of(delta, river)) {
        subscribe(client, cloud.topic(device, "get_reply"));
        client.publish(
            cloud.topic(device, "get"), question.getBytes(StandardCharsets.UTF_8), 1, false);
      }
      JsonNode answer = JSON.readTree(message(cloud.topic(delta, "get_reply")));
      assertEquals("17", answer.path("id").asText());
      assertEquals(1, answer.path("data").path("online").asInt());
      assertEquals(71, answer.path("data").path("quotaMap").path("pd.soc").asInt());

      List<Frames.Header> bundle = Frames.headers(message(cloud.topic(river, "get_reply")));
      assertEquals(4, bundle.size());
      assertFalse(bundle.get(0).isMasked());

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
      eventually(() -> assertTrue(cloud.openConnections() == 1));
      client.disconnect();
    }
    eventually(() -> assertTrue(cloud.openConnections() == 0));
    assertEquals(1, cloud.maxOpenConnections());
    assertEquals(
        List.of(false, true), cloud.connects().stream().map(ConnectAttempt::accepted).toList());
  }

  @Test
  void secondConnectionWithSameIdReplacesFirst() throws Exception {
    String id = appClientId();
    try (MqttClient first = connect(cloud, id);
        MqttClient second = connect(cloud, id)) {
      eventually(() -> assertTrue(!first.isConnected() && cloud.openConnections() == 1));
      assertTrue(second.isConnected());
      second.disconnect();
    }
    eventually(() -> assertTrue(cloud.openConnections() == 0));
  }

  @Test
  void rotationInvalidatesOldCredentials() throws Exception {
    try (MqttClient client = connect()) {
      MqttConnectOptions old = options(cloud);
      cloud.rotateCredentials();
      assertNotEquals(old.getUserName(), cloud.certificateAccount());
      // The broker lists a client shortly after it has accepted it.
      eventually(() -> assertEquals(1, cloud.openConnections()));
      cloud.kickClients();
      eventually(() -> assertTrue(!client.isConnected()));
      MqttException refused = assertThrows(MqttException.class, () -> client.connect(old));
      assertEquals(MqttException.REASON_CODE_FAILED_AUTHENTICATION, refused.getReasonCode());
      client.connect(options(cloud));
      client.disconnect();
    }
  }

  @Test
  void brokerRestartsOnSamePort() throws Exception {
    int port = cloud.mqttPort();
    try (MqttClient client = connect()) {
      cloud.stopBroker();
      eventually(() -> assertTrue(!client.isConnected()));
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
      eventually(() -> assertTrue(cloud.subscriptions().size() == 1));
      client.disconnect();
    }
  }

  @Test
  void accountsHaveTheirOwnCredentialsAndDevices() throws Exception {
    SimulatedAccount other = cloud.addAccount(CloudAccount.numbered(1)).add(newDevice("OTHER1"));
    CloudAccount login = other.login();
    assertEquals(
        "2026", json(login(login.email(), cloud.account().password())).path("code").asText());
    JsonNode answer = json(login(login.email(), login.password())).path("data");
    assertEquals(login.userId(), answer.path("user").path("userId").asText());
    String authorization = "Bearer " + answer.path("token").asText();

    JsonNode bound =
        json(send(request(ACCOUNT_DEVICES).header("Authorization", authorization).build()))
            .path("data")
            .path("bound");
    assertEquals(1, bound.size());
    assertTrue(bound.has("OTHER1"));

    String path = CERTIFICATION + "?userId=";
    JsonNode certification =
        json(send(request(path + login.userId()).header("Authorization", authorization).build()));
    assertEquals(
        other.certificateAccount(), certification.path("data").path("certificateAccount").asText());
    assertEquals(
        401,
        send(request(path + cloud.account().userId())
                .header("Authorization", authorization)
                .build())
            .statusCode());

    assertEquals("0", code(signed(login, QUOTA, Map.of("sn", "OTHER1"), Instant.now())));
    assertEquals("1006", code(signed(login, QUOTA, Map.of("sn", delta.serial()), Instant.now())));
    assertEquals("1006", code(signed(QUOTA, Map.of("sn", "OTHER1"))));
    assertThrows(IllegalArgumentException.class, () -> cloud.addAccount(login));
  }

  @Test
  void faultsOfAccountAffectNoOtherAccount() throws Exception {
    SimulatedAccount other = cloud.addAccount(CloudAccount.numbered(1));
    other.faults().always(DEVICE_LIST, Fault.status(429));
    other.faults().always(LOGIN, Fault.status(403));
    cloud.faults().always(DEVICE_LIST, Fault.status(503));
    assertEquals(403, login(other.login().email(), "any").statusCode());
    assertEquals("0", json(login(cloud.account().password())).path("code").asText());
    HttpRequest list = signed(other.login(), DEVICE_LIST, Map.of(), Instant.now());
    assertEquals(429, send(list).statusCode());
    assertEquals(503, send(signed(DEVICE_LIST, Map.of())).statusCode());
  }

  @Test
  void brokerSeparatesAccounts() throws Exception {
    SimulatedDevice device = newDevice("OTHER1");
    SimulatedAccount other = cloud.addAccount(CloudAccount.numbered(1)).add(device);
    MqttConnectOptions options = options(cloud, other);
    assertThrows(MqttException.class, () -> connect(cloud, appClientId(), options));
    try (MqttClient client = connect(cloud, appClientId(other.login()), options);
        MqttClient first = connect()) {
      for (String refused :
          List.of("/app/device/property/" + delta.serial(), cloud.topic(delta, "get_reply"))) {
        assertThrows(MqttException.class, () -> client.subscribe(refused));
      }
      subscribe(client, "/app/device/property/OTHER1");
      device.push(Map.of("pd.soc", 12));
      assertTrue(message("/app/device/property/OTHER1").length > 0);

      other.kickClients();
      eventually(() -> assertTrue(!client.isConnected()));
      assertTrue(first.isConnected());

      other.setConnectionsClosed(true);
      client.connect(options);
      client.subscribe("/app/device/property/OTHER1");
      eventually(() -> assertTrue(!client.isConnected()));
      other.setConnectionsClosed(false);
      other.setBrokerRefused(true);
      assertThrows(MqttException.class, () -> client.connect(options));
      other.setBrokerRefused(false);
      client.connect(options);
      client.disconnect();
      first.disconnect();
    }
  }

  @Test
  void deviceRepliesOnlyToItsOwnAccount() throws Exception {
    SimulatedAccount other = cloud.addAccount(CloudAccount.numbered(1));
    byte[] question = "{\"operateType\": \"latestQuotas\"}".getBytes(StandardCharsets.UTF_8);
    try (MqttClient client = connect();
        MqttClient foreign = connect(cloud, appClientId(other.login()), options(cloud, other))) {
      subscribe(client, cloud.topic(delta, "get_reply"));
      foreign.publish(cloud.topic(delta, "get"), question, 1, false);
      eventually(() -> assertEquals(1, cloud.messages().size()));
      assertTrue(received.isEmpty());
      client.publish(cloud.topic(delta, "get"), question, 1, false);
      assertTrue(message(cloud.topic(delta, "get_reply")).length > 0);
      client.disconnect();
      foreign.disconnect();
    }
  }

  private String historyCode(String begin, String end) throws Exception {
    Map<String, String> signed =
        Map.of(
            "sn",
            delta.serial(),
            "params.beginTime",
            begin,
            "params.endTime",
            end,
            "params.code",
            "CODE");
    String body =
        "{\"sn\":\"%s\",\"params\":{\"beginTime\":\"%s\",\"endTime\":\"%s\",\"code\":\"CODE\"}}"
            .formatted(delta.serial(), begin, end);
    return code(
        copy(signed(HISTORY, signed))
            .uri(URI.create("https://" + cloud.apiHost() + HISTORY))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build());
  }

  @Test
  void aWindowOfTheEnergyHistoryIsUnderOneWeek() throws Exception {
    delta.setHistory("CODE", "2026-08-01", "[]");

    assertEquals("0", historyCode("2026-08-01 00:00:00", "2026-08-07 23:59:59"));
    assertEquals("8524", historyCode("2026-08-01 00:00:00", "2026-08-08 00:00:00"));
    assertEquals("8524", historyCode("2026-08-02 00:00:00", "2026-08-01 23:59:59"));
  }

  private static SimulatedDevice newDevice(String serial) {
    return new SimulatedDevice(serial, "Other", "DELTA 2", WireFormat.JSON);
  }

  private HttpRequest signed(String path, Map<String, String> query) {
    return signed(path, query, Instant.now());
  }

  private HttpRequest signed(String path, Map<String, String> query, Instant time) {
    return signed(cloud.account(), path, query, time);
  }

  private HttpRequest signed(
      CloudAccount account, String path, Map<String, String> query, Instant time) {
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
    return login(cloud.account().email(), password);
  }

  private HttpResponse<String> login(String email, String password) throws Exception {
    String body =
        """
        {"email": "%s", "password": "%s", "scene": "IOT_APP", "userType": "ECOFLOW"}
        """
            .formatted(
                email,
                Base64.getEncoder().encodeToString(password.getBytes(StandardCharsets.UTF_8)));
    return send(request(LOGIN).POST(HttpRequest.BodyPublishers.ofString(body)).build());
  }

  private String token() throws Exception {
    return json(login(cloud.account().password())).path("data").path("token").asText();
  }

  private HttpResponse<String> send(HttpRequest request) throws Exception {
    return HttpClient.newBuilder()
        .sslContext(cloud.clientTls())
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
    return appClientId(cloud.account());
  }

  private static String appClientId(CloudAccount account) {
    return "ANDROID_" + UUID.randomUUID().toString().toUpperCase() + "_" + account.userId();
  }

  private static MqttClient connect(SimulatedCloud cloud, String clientId) throws Exception {
    return connect(cloud, clientId, options(cloud));
  }

  private static MqttClient connect(
      SimulatedCloud cloud, String clientId, MqttConnectOptions options) throws Exception {
    MqttClient client =
        new MqttClient("ssl://localhost:" + cloud.mqttPort(), clientId, new MemoryPersistence());
    client.setTimeToWait(30_000);
    try {
      client.connect(options);
      return client;
    } catch (MqttException e) {
      client.close();
      throw e;
    }
  }

  private static MqttConnectOptions options(SimulatedCloud cloud) throws Exception {
    return options(cloud, cloud.defaultAccount());
  }

  private static MqttConnectOptions options(SimulatedCloud cloud, SimulatedAccount account)
      throws Exception {
    MqttConnectOptions options = new MqttConnectOptions();
    // Paho would try MQTT 3.1 after a refusal, which would double every attempt.
    options.setMqttVersion(MqttConnectOptions.MQTT_VERSION_3_1_1);
    options.setUserName(account.certificateAccount());
    options.setPassword(account.certificatePassword().toCharArray());
    options.setSocketFactory(cloud.clientTls().getSocketFactory());
    return options;
  }

  private void subscribe(MqttClient client, String topic) throws MqttException {
    client.subscribe(topic, 1, (name, message) -> received.put(name, message.getPayload()));
  }

  private byte[] message(String topic) {
    eventually(() -> assertTrue(received.containsKey(topic)));
    return received.get(topic);
  }
}
