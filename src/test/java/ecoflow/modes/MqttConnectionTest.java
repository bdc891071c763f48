package ecoflow.modes;

import static ecoflow.cloud.ApiPath.ACCOUNT_DEVICES;
import static ecoflow.cloud.ApiPath.CERTIFICATION;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.CloudOptions;
import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.ConnectAttempt;
import ecoflow.cloud.Fault;
import ecoflow.cloud.ServerCertificate;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.net.http.HttpResponse;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckHelper;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The connection of an account in mode MQTT: connect, disconnect and reconnect. */
class MqttConnectionTest {

  private final SimulatedDevice delta =
      new SimulatedDevice("R331ZLINK0000001", "Garage", "DELTA 2", WireFormat.JSON);
  private final SimulatedDevice river =
      new SimulatedDevice("R601ZLINK0000002", "Van", null, WireFormat.PROTOBUF_XOR);

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.mqtt().with(delta, river);

  private final Page page = exporter.page();
  private SimulatedCloud cloud;

  @BeforeEach
  void note() {
    cloud = exporter.cloud();
  }

  @AfterEach
  void nothingWasSent() {
    exporter.stop();
    assertEquals(List.of(), exporter.cloud().messages(), "nothing is ever sent in mode mqtt");
  }

  /** On an established connection, a single push is sufficient. */
  private void assertDataFlows(int value) {
    page.eventuallyConnected(1);
    delta.push(Map.of("pd.soc", value));
    page.eventuallyShows(delta, "pd_soc", value);
  }

  /** Repeats the push, because the connection or the values can be lost at any time. */
  private void assertRepeatedDataFlows(int value) {
    eventually(
        () -> {
          delta.push(Map.of("pd.soc", value));
          assertEquals(value, page.of(delta, "pd_soc"));
        });
  }

  private void assertOneConnectionAtATime() {
    assertEquals(
        1,
        cloud.maxOpenConnections(),
        () -> cloud.connectionEvents() + ", reconnections: " + page.reconnections());
  }

  @Test
  void allIncludesBoundAndSharedDevicesWithTheirNames() {
    river.setShared(true);
    exporter.start();
    assertDataFlows(1);
    river.push(Map.of("powInSumW", 2f));
    page.eventuallyShows(river, "pow_in_sum_w", 2, "device_name=Van", "product_name=RIVER 2");
    assertEquals(1, page.of(delta, "pd_soc", "device_name=Garage", "product_name=DELTA 2"));
    assertOneConnectionAtATime();
    assertEquals(1, cloud.requests(ACCOUNT_DEVICES).size());
  }

  @Test
  void theNameInTheLoginResponseIsOptional() {
    cloud.setNickname(null);
    exporter.start();
    assertDataFlows(1);
    assertEquals(1, page.logins("success"));
    assertEquals(0, page.logins("error"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"mqtts://localhost", "ssl://localhost:1/", "localhost:1", "localhost/mqtt"})
  void theAddressOfTheBrokerCanBeAUrl(String url) {
    cloud.setMqttUrl(url);
    exporter.startFor(delta.serial());
    assertDataFlows(1);
  }

  @Test
  void passwordAndCodeAreSentInTheFormatOfTheApp() {
    exporter.startFor(delta.serial());
    page.eventuallyConnected(1);
    assertEquals(
        """
        {"email":"owner@example.org","password":"Y29ycmVjdCBob3JzZQ==",\
        "scene":"IOT_APP","userType":"ECOFLOW"}""",
        cloud.requests(LOGIN).get(0).body());
    assertEquals(
        Map.of("userId", cloud.account().userId()), cloud.requests(CERTIFICATION).get(0).query());
  }

  @Test
  void theClientIdHasTheFormatOfTheAppAndIsStable() {
    exporter.startFor(delta.serial());
    page.eventuallyConnected(1);
    exporter.stop();
    eventually(() -> assertEquals(0, cloud.openConnections()));
    exporter.startFor(delta.serial());
    page.eventuallyConnected(1);
    exporter.stop();
    exporter.start();
    page.eventuallyConnected(1);
    List<String> ids = cloud.connects().stream().map(ConnectAttempt::clientId).toList();
    assertEquals(3, ids.size());
    assertTrue(
        ids.get(0)
            .matches(
                "ANDROID_[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}_" + cloud.account().userId()),
        ids.get(0));
    assertEquals(ids.get(0), ids.get(1));
    assertNotEquals(ids.get(0), ids.get(2), "two exporters of one account must not fight");
  }

  @Test
  void silenceRemovesTheGaugesAndNewDataOnlyRestoresItsOwn() {
    exporter.start("MQTT_TIMEOUT=3", "IDLE_CHECK_INTERVAL=3600");
    page.eventuallyConnected(1);
    delta.push(
        """
        {"pd.soc": 50, "pd.watts": 7, "bms.cells": [1, 2]}
        """);
    page.eventuallyShows(delta, "online", 1);
    assertEquals(50, page.of(delta, "pd_soc"));

    page.eventuallyShows(delta, "online", 0);
    for (String name : List.of("pd_soc", "pd_watts", "bms_cells")) {
      assertEquals(List.of(), page.lines(name));
    }
    page.eventuallyShows(delta, "metrics_collected", 0);
    assertTrue(page.lastUpdate(delta) > 1e9, "the time of the last value stays");

    delta.push(Map.of("pd.watts", 8));
    page.eventuallyShows(delta, "pd_watts", 8);
    assertEquals(1, page.of(delta, "online"));
    assertEquals(List.of(), page.lines("pd_soc"));
    assertEquals(List.of(), page.lines("bms_cells"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        """
        {"params": {}}
        """
      })
  void emptyPushesDoNotKeepADeviceOnline(String payload) {
    exporter.start("MQTT_TIMEOUT=1.5");
    assertRepeatedDataFlows(1);
    eventually(
        () -> {
          delta.publish(payload);
          assertEquals(0, page.of(delta, "online"));
        });
  }

  @Test
  void dataReturnsAfterARestartOfTheBroker() {
    exporter.start();
    assertDataFlows(1);
    assertEquals(0, page.reconnections());
    cloud.stopBroker();
    page.eventuallyConnected(0);
    assertEquals(1, page.of(delta, "pd_soc"), "a short outage hides nothing");
    eventually(() -> assertTrue(page.reconnections() > 0));
    cloud.startBroker();
    assertDataFlows(2);
    assertEquals(1, cloud.openConnections());
    assertOneConnectionAtATime();
    assertEquals(1, cloud.requests(LOGIN).size(), "the broker's credentials are still good");
  }

  @Test
  void dataReturnsAfterADisconnect() {
    exporter.start();
    for (int kicks = 1; kicks <= 2; kicks++) {
      assertDataFlows(kicks);
      int before = kicks;
      cloud.kickClients();
      eventually(() -> assertEquals(before + 1, cloud.connects().size()));
    }
    assertDataFlows(3);
    assertEquals(2, page.reconnections());
    eventually(() -> assertEquals(1, cloud.openConnections()));
    assertOneConnectionAtATime();
    assertEquals(1, cloud.requests(LOGIN).size());
  }

  @Test
  void rejectedCredentialsAreReplacedByALogin() {
    exporter.start();
    assertDataFlows(1);
    String old = cloud.certificateAccount();
    cloud.rotateCredentials();
    cloud.kickClients();
    eventually(() -> assertEquals(2, cloud.requests(LOGIN).size()));
    assertDataFlows(2);
    assertEquals(2, page.logins("success"));
    assertEquals(
        List.of(old + " true", old + " false", cloud.certificateAccount() + " true"),
        cloud.connects().stream()
            .map(attempt -> attempt.user() + " " + attempt.accepted())
            .toList());
  }

  /**
   * After the third connection and, because that does not help, after the sixth, but not after the
   * ninth.
   */
  @Test
  void repeatedShortConnectionsCauseALogin() {
    exporter.start("MAX_RECONNECT_DELAY=1");
    for (int kicks = 0; kicks < 10; kicks++) {
      assertDataFlows(kicks);
      assertEquals(1 + Math.min(kicks / 3, 2), cloud.requests(LOGIN).size());
      int before = kicks + 1;
      cloud.kickClients();
      eventually(() -> assertEquals(before + 1, cloud.connects().size()));
    }
    assertDataFlows(10);
    assertEquals(3, cloud.requests(LOGIN).size());
    assertEquals(3, cloud.requests(CERTIFICATION).size());
    assertOneConnectionAtATime();
  }

  @Test
  void aChosenClientIdIsUsed() {
    cloud.setAnyClientId(true);
    exporter.start("ECOFLOW_MQTT_CLIENT_ID=my-exporter_1");
    assertDataFlows(1);
    assertEquals(
        List.of("my-exporter_1"), cloud.connects().stream().map(ConnectAttempt::clientId).toList());
  }

  @Test
  void anOfflineStatusRemovesTheGaugesUntilTheNextPush() {
    exporter.start();
    assertDataFlows(1);
    river.push(Map.of("powInSumW", 2f));
    page.eventuallyShows(river, "pow_in_sum_w", 2);

    delta.publishStatus(
        """
        {"params": {"status": 0}}
        """);
    page.eventuallyShows(delta, "online", 0);
    assertEquals(List.of(), page.lines("pd_soc"));
    assertEquals(1, page.of(river, "online"));
    assertEquals(2, page.of(river, "pow_in_sum_w"));

    delta.push(Map.of("pd.watts", 8));
    page.eventuallyShows(delta, "online", 1);
    assertEquals(8, page.of(delta, "pd_watts"));
    assertEquals(List.of(), page.lines("pd_soc"));
  }

  @Test
  void readyRequiresValuesOfADevice() {
    cloud.stopBroker();
    exporter.start("RETRY_TIMEOUT=0.2", "ESTABLISH_ATTEMPTS=1000");
    HttpResponse<String> before = exporter.http().get("/-/ready");
    assertEquals(503, before.statusCode());
    assertTrue(before.body().startsWith("not ready: no device has sent values"), before.body());
    assertTrue(before.body().contains("no MQTT connection"), before.body());
    assertEquals(200, exporter.http().get("/-/healthy").statusCode());
    eventually(
        () -> assertEquals(Set.of("ecoflow-cloud", "ecoflow-data", "ecoflow-link"), checksDown()));

    cloud.startBroker();
    page.eventuallyConnected(1);
    assertEquals(503, exporter.http().get("/-/ready").statusCode());
    assertEquals(Set.of("ecoflow-data"), checksDown());
    assertDataFlows(1);
    HttpResponse<String> after = exporter.http().get("/-/ready");
    assertEquals(200, after.statusCode());
    assertEquals("ready\n", after.body());
    assertEquals(200, exporter.http().get("/-/healthy").statusCode());
    assertEquals(Set.of(), checksDown());
  }

  /** The exporter's health checks with the state DOWN. */
  private Set<String> checksDown() {
    Collection<HealthCheck.Result> results =
        HealthCheckHelper.invoke(exporter.camelContext(), "full");
    assertEquals(
        Set.of(
            "ecoflow-cloud",
            "ecoflow-credentials",
            "ecoflow-data",
            "ecoflow-link",
            "ecoflow-login",
            "ecoflow-sinks"),
        ids(results.stream()));
    return ids(results.stream().filter(result -> result.getState() == HealthCheck.State.DOWN));
  }

  private static Set<String> ids(Stream<HealthCheck.Result> results) {
    return results
        .map(result -> result.getCheck().getId())
        .filter(id -> id.startsWith("ecoflow-"))
        .collect(Collectors.toSet());
  }

  @ParameterizedTest
  @ValueSource(strings = {"device-collection", "device-pushes", "connect"})
  void aStoppedRouteIsRestarted(String route) throws Exception {
    exporter.start();
    assertDataFlows(1);
    exporter.camelContext().getRouteController().stopRoute(route);
    HttpResponse<String> stopped = exporter.http().get("/-/healthy");
    assertTrue(
        stopped.statusCode() == 200 || stopped.body().contains(route),
        "names the route, or is back");
    eventually(() -> assertEquals(200, exporter.http().get("/-/healthy").statusCode()));
    assertRepeatedDataFlows(2);
    assertOneConnectionAtATime();
  }

  @Test
  void silenceOfAllDevicesCausesAReconnect() {
    exporter.start("MQTT_TIMEOUT=1", "IDLE_CHECK_INTERVAL=0.2");
    page.eventuallyConnected(1);
    eventually(() -> assertTrue(page.reconnections() >= 2));
    eventually(() -> assertTrue(cloud.connects().size() >= 3));
    assertRepeatedDataFlows(1);
    assertEquals(1, cloud.requests(LOGIN).size());
  }

  @Test
  void aNewDeviceOfTheAccountIsFound() {
    System.setProperty("ecoflow.discover.tick", "200ms");
    try {
      exporter.start();
      assertDataFlows(1);
      SimulatedDevice added =
          new SimulatedDevice("R351ZADDED000001", "Shed", "DELTA 2 Max", WireFormat.JSON);
      cloud.add(added);
      eventually(
          () -> {
            added.push(Map.of("pd.soc", 8));
            assertEquals(8, page.of(added, "pd_soc", "device_name=Shed"));
          });
      // An expired token causes a login, and the exporter reconnects.
      cloud.expireTokens();
      eventually(() -> assertTrue(page.logins("success") >= 2));
      assertRepeatedDataFlows(2);
    } finally {
      System.clearProperty("ecoflow.discover.tick");
    }
  }

  @Test
  void aRejectedSubscriptionIsRetriedWithoutInterruption() {
    cloud.refuseSubscriptions(topic -> topic.endsWith("/property/" + river.serial()));
    exporter.start("RETRY_TIMEOUT=0.1");
    assertRepeatedDataFlows(1);
    cloud.refuseSubscriptions(topic -> false);
    eventually(
        () -> {
          river.push(Map.of("powInSumW", 3f));
          assertEquals(3, page.of(river, "pow_in_sum_w"));
        });
    assertEquals(1, cloud.connects().size());
  }

  @Test
  void aConnectionWithoutSubscriptionsIsNotConnected() {
    cloud.refuseSubscriptions(topic -> true);
    exporter.start("RETRY_TIMEOUT=0.1", "ESTABLISH_ATTEMPTS=1000");
    eventually(() -> assertTrue(cloud.connects().size() >= 3));
    assertEquals(0, page.connected());
    cloud.refuseSubscriptions(topic -> false);
    assertDataFlows(1);
  }

  @Test
  void aWrongPasswordEndsTheProcessAfterTheLastAttempt() {
    exporter.start("ECOFLOW_ACCOUNT_PASSWORD=wrong", "ESTABLISH_ATTEMPTS=3", "RETRY_TIMEOUT=0.1");
    assertEquals(1, exporter.exitCode());
    assertEquals(3, page.logins("error"));
    assertEquals(0, page.logins("success"));
    assertEquals(3, cloud.requests().size());
    assertEquals(0, cloud.connects().size());
    assertEquals(0, page.connected());
  }

  @Test
  void anUnknownAccountIsRetriedLikeAnOutage() {
    Fault unknown = Fault.code("2026", "The account doesn't exist");
    cloud.faults().next(LOGIN, unknown, unknown, unknown, Fault.status(503));
    exporter.start("RETRY_TIMEOUT=0.1", "ESTABLISH_ATTEMPTS=5");
    assertDataFlows(1);
    assertEquals(5, cloud.requests(LOGIN).size());
    assertEquals(4, page.logins("error"));
  }

  @Test
  void anUnknownAccountIsAWrongUserAfterTheSecondRetry() {
    Fault unknown = Fault.code("2026", "The account doesn't exist");
    cloud.faults().always(LOGIN, unknown);
    exporter.start("RETRY_TIMEOUT=600", "ESTABLISH_ATTEMPTS=3");
    eventually(
        () -> assertTrue(lastFailure().contains("can be caused by an outage"), lastFailure()));
    assertFalse(lastFailure().contains("wrong"), lastFailure());

    exporter.start("RETRY_TIMEOUT=0.1", "ESTABLISH_ATTEMPTS=3");
    assertEquals(1, exporter.exitCode());
    assertTrue(
        lastFailure().contains("ECOFLOW_ACCOUNT_USER is wrong, unless EcoFlow has an outage"),
        lastFailure());
    assertEquals(4, cloud.requests(LOGIN).size());
  }

  private String lastFailure() {
    return exporter
        .http()
        .get("/")
        .body()
        .lines()
        .filter(line -> line.contains("Last failure"))
        .findFirst()
        .orElse("");
  }

  @Test
  void attemptsContinueAfterARestartOfTheirRoute() throws Exception {
    cloud.faults().always(LOGIN, Fault.status(503));
    exporter.start("RETRY_TIMEOUT=0.1", "ESTABLISH_ATTEMPTS=1000");
    eventually(() -> assertTrue(cloud.requests(LOGIN).size() >= 2));
    exporter.camelContext().getRouteController().stopRoute("first-contact");
    cloud.faults().clear();
    exporter.camelContext().getRouteController().startRoute("first-contact");
    assertDataFlows(1);
  }

  @Test
  void waitsForABrokerThatStartsLate() {
    cloud.stopBroker();
    exporter.start("RETRY_TIMEOUT=0.2", "ESTABLISH_ATTEMPTS=1000");
    eventually(() -> assertTrue(page.logins("success") > 0));
    assertEquals(0, page.connected());
    page.eventuallyShows(delta, "online", 0);
    cloud.startBroker();
    assertDataFlows(1);
    assertEquals(1, cloud.requests(LOGIN).size(), "one login serves all attempts");
    assertEquals(0, page.reconnections(), "the first connection does not count");
  }

  @Test
  void waitsForACloudThatStartsLate() {
    cloud.faults().next(LOGIN, Fault.status(503), Fault.malformedBody(), Fault.dataNull());
    cloud.faults().next(CERTIFICATION, Fault.closeConnection(), Fault.code("1", "busy"));
    cloud.faults().next(ACCOUNT_DEVICES, Fault.emptyBody());
    exporter.start("RETRY_TIMEOUT=0.1", "ESTABLISH_ATTEMPTS=1000");
    assertDataFlows(1);
    assertEquals(0, cloud.faults().pending(LOGIN));
    assertEquals(0, cloud.faults().pending(CERTIFICATION));
    assertEquals(0, cloud.faults().pending(ACCOUNT_DEVICES));
    assertEquals(5, page.logins("error"));
  }

  private List<String> asked() {
    return cloud.requests().stream().map(CloudRequest::path).toList();
  }

  @Test
  void aFailedDeviceListIsRetriedWithoutALogin() {
    cloud
        .faults()
        .next(ACCOUNT_DEVICES, Fault.status(404), Fault.malformedBody(), Fault.closeConnection());
    cloud.faults().next(ACCOUNT_DEVICES, Fault.code("1", "busy"), Fault.dataNull());
    exporter.start("RETRY_TIMEOUT=0.1", "ESTABLISH_ATTEMPTS=1000");
    assertDataFlows(1);
    assertEquals(
        List.of(
            LOGIN,
            CERTIFICATION,
            ACCOUNT_DEVICES,
            ACCOUNT_DEVICES,
            ACCOUNT_DEVICES,
            ACCOUNT_DEVICES,
            ACCOUNT_DEVICES,
            ACCOUNT_DEVICES),
        asked());
    assertEquals(1, cloud.connects().size(), "without a list there is nothing to connect for");
    assertEquals(1, page.logins("success"));
    assertEquals(0, page.logins("error"));
    assertEquals(
        1, page.own("auth_duration_seconds_count", "client_type=mqtt"), "one login was timed");
  }

  @Test
  void aFailedCertificationIsRetriedWithoutALogin() {
    cloud.faults().next(CERTIFICATION, Fault.status(500), Fault.emptyBody());
    cloud.faults().next(CERTIFICATION, Fault.code("1", "busy"), Fault.dataNull());
    exporter.start("RETRY_TIMEOUT=0.1", "ESTABLISH_ATTEMPTS=1000");
    assertDataFlows(1);
    assertEquals(
        List.of(
            LOGIN,
            CERTIFICATION,
            CERTIFICATION,
            CERTIFICATION,
            CERTIFICATION,
            CERTIFICATION,
            ACCOUNT_DEVICES),
        asked());
    assertEquals(1, page.logins("success"));
    assertEquals(4, page.logins("error"));
  }

  @ParameterizedTest
  @ValueSource(strings = {CERTIFICATION, ACCOUNT_DEVICES})
  void anExpiredTokenIsReplaced(String path) {
    cloud.faults().always(path, Fault.status(404));
    exporter.start("RETRY_TIMEOUT=0.1", "ESTABLISH_ATTEMPTS=1000");
    // An attempt that failed is followed by a pause, so no request is in progress.
    eventually(
        () -> assertTrue(page.own("http_requests_total", "endpoint=" + path, "status=error") >= 3));
    assertEquals(1, cloud.requests(LOGIN).size());
    cloud.expireTokens();
    cloud.faults().clear();
    assertDataFlows(1);
    List<String> asked = asked();
    assertEquals(2, cloud.requests(LOGIN).size(), asked::toString);
    assertEquals(
        List.of(path, LOGIN, CERTIFICATION, ACCOUNT_DEVICES),
        asked.subList(asked.size() - 4, asked.size()));
    assertEquals(path.equals(ACCOUNT_DEVICES) ? 2 : 1, page.logins("success"));
  }

  @Test
  void aPartlyFailedRenewalRetriesThatPartWithoutInterruption() {
    exporter.start("ECOFLOW_CREDENTIALS_TTL=2", "RETRY_TIMEOUT=0.1");
    assertDataFlows(1);
    String first = cloud.certificateAccount();
    cloud.faults().always(CERTIFICATION, Fault.status(500));
    cloud.rotateCredentials();
    // Each login causes one call for credentials; further calls are retries.
    eventually(
        () ->
            assertTrue(
                cloud.requests(CERTIFICATION).size() >= cloud.requests(LOGIN).size() + 3,
                () -> asked().toString()));
    assertEquals(1, page.connected());
    assertDataFlows(2);
    cloud.faults().clear();
    eventually(() -> assertTrue(cloud.connects().size() >= 2));
    assertDataFlows(3);
    assertEquals(
        List.of(first + " true", cloud.certificateAccount() + " true"),
        cloud.connects().stream()
            .map(attempt -> attempt.user() + " " + attempt.accepted())
            .distinct()
            .toList());
    assertOneConnectionAtATime();
  }

  @Test
  void reconnectsWithoutANewDeviceList() {
    exporter.start();
    assertDataFlows(1);
    cloud.faults().always(ACCOUNT_DEVICES, Fault.status(503));
    cloud.rotateCredentials();
    cloud.kickClients();
    eventually(() -> assertEquals(2, cloud.requests(LOGIN).size()));
    assertDataFlows(2);
    assertEquals(
        List.of(LOGIN, CERTIFICATION, ACCOUNT_DEVICES, LOGIN, CERTIFICATION),
        asked(),
        "nothing in vain");
  }

  /** Messages have their own thread, which scrapes do not use. */
  @Test
  @Timeout(120)
  void aHangingMessageDoesNotDelayScrapes() throws Exception {
    exporter.start();
    page.eventuallyConnected(1);
    CountDownLatch hangs = new CountDownLatch(1);
    CountDownLatch scraped = new CountDownLatch(1);
    MqttClient link =
        exporter.camelContext().getRegistry().lookupByNameAndType("mqttLink", MqttClient.class);
    link.setCallback(
        new MqttCallback() {
          @Override
          public void messageArrived(String topic, MqttMessage message) throws Exception {
            hangs.countDown();
            scraped.await();
          }

          @Override
          public void connectionLost(Throwable cause) {
            // As in a Camel consumer.
          }

          @Override
          public void deliveryComplete(IMqttDeliveryToken token) {
            // Not called, because nothing is published.
          }
        });
    // Replaces the consumer of the route.
    link.subscribe("/app/device/property/{device}", 1);
    try {
      delta.push(Map.of("pd.soc", 1));
      hangs.await();
      for (String path : List.of("/metrics", "/-/healthy", "/metrics")) {
        assertEquals(200, exporter.http().get(path).statusCode());
      }
      assertEquals(1, page.connected());
      assertEquals(1, scraped.getCount(), "it still hangs");
    } finally {
      scraped.countDown();
    }
  }

  @ParameterizedTest
  @EnumSource(names = "TRUSTED", mode = EnumSource.Mode.EXCLUDE)
  void aBrokerWithTheWrongCertificateGetsNoCredentials(ServerCertificate certificate) {
    cloud = exporter.moveTo(CloudOptions.DEFAULT.withMqttCertificate(certificate));
    exporter.startFor(delta.serial(), "ESTABLISH_ATTEMPTS=2", "RETRY_TIMEOUT=0.1");
    assertEquals(1, exporter.exitCode());
    assertEquals(1, page.logins("success"));
    assertEquals(0, page.connected());
    assertEquals(List.of(), cloud.connects());
  }

  @ParameterizedTest
  @EnumSource(names = "TRUSTED", mode = EnumSource.Mode.EXCLUDE)
  void anApiWithTheWrongCertificateGetsNoPassword(ServerCertificate certificate) {
    cloud = exporter.moveTo(CloudOptions.DEFAULT.withHttpCertificate(certificate));
    exporter.startFor(delta.serial(), "ESTABLISH_ATTEMPTS=2", "RETRY_TIMEOUT=0.1");
    assertEquals(1, exporter.exitCode());
    assertEquals(2, page.logins("error"));
    assertEquals(List.of(), cloud.requests());
  }
}
