package ecoflow.modes;

import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.OPEN_CERTIFICATION;
import static ecoflow.cloud.ApiPath.QUOTA;
import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.ConnectAttempt;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Developer keys with MQTT: polls and pushes on one page. */
class OpenModeTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NO_SILENCE = "MQTT_TIMEOUT=3600";

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.open();

  private final Page page = exporter.page();
  private SimulatedCloud cloud;

  @BeforeEach
  void note() {
    cloud = exporter.cloud();
  }

  /** The exporter publishes nothing, and subscribes only to pushes and the status. */
  @AfterEach
  void nothingWasPublished() {
    exporter.stop();
    assertEquals(List.of(), cloud.messages());
    assertTrue(cloud.maxOpenConnections() <= 1);
    for (String topic : cloud.subscriptions()) {
      assertTrue(topic.matches("/open/open-[0-9a-f]+/[A-Z0-9]+/(quota|status)"), topic);
    }
  }

  private SimulatedDevice device(String serial, Map<String, ?> quotas) {
    SimulatedDevice device =
        new SimulatedDevice(serial, serial, "Product", WireFormat.JSON).set(quotas);
    cloud.add(device);
    return device;
  }

  private int polls(SimulatedDevice device) {
    return cloud.requests(QUOTA, device).size();
  }

  /**
   * Waits until both topics of a device are subscribed and a poll after the subscription has
   * arrived.
   */
  private void awaitSubscription(SimulatedDevice device) {
    page.eventuallyConnected(1);
    eventually(
        () ->
            assertTrue(
                cloud
                    .subscriptions()
                    .contains("/open/" + cloud.openAccount() + "/" + device.serial() + "/status")));
  }

  static Stream<Arguments> samples() throws IOException {
    List<?> samples =
        JSON.readValue(
            Files.readString(Path.of("src/test/resources/open-pushes.json")), List.class);
    return samples.stream().map(s -> Arguments.of(((Map<?, ?>) s).get("device"), s));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("samples")
  @SuppressWarnings("unchecked") // Names in JSON are texts.
  void aPushResultsInTheSeriesOfAPoll(String name, Map<?, ?> sample) throws Exception {
    String serial = (String) sample.get("serial");
    Map<String, Object> known =
        sample.get("known") == null ? Map.of() : (Map<String, Object>) sample.get("known");
    SimulatedDevice pushed = device(serial + "ZPUSHTEST", known);
    SimulatedDevice polled = device(serial + "ZPOLLTEST", Map.of("pd.soc", 1));
    if (sample.get("quotas") != null) {
      polled.set((Map<String, ?>) sample.get("quotas"));
    }
    exporter.start(NO_SILENCE);
    awaitSubscription(pushed);
    page.eventuallyScrapes(pushed, "success", 2);
    page.eventuallyShows(polled, "online", 1);
    if (sample.get("push") == null) {
      pushed.set(Map.of("pd.soc", 1)).setOnline(false);
      page.eventuallyShows(pushed, "online", 0);
      pushed.publishOpen("status", JSON.writeValueAsString(sample.get("status")));
    } else {
      pushed.publishOpen(JSON.writeValueAsString(Map.of("params", Map.of("pd.soc", 1))));
      pushed.publishOpen(JSON.writeValueAsString(sample.get("push")));
    }

    eventually(
        () -> {
          List<String> expected = anonymous(polled);
          assertTrue(expected.size() > 1, expected::toString);
          assertEquals(expected, anonymous(pushed));
        });
    assertEquals(0, page.own("open_pushes_unknown_total", "by=type_code", "code=other"));
    assertEquals(0, page.mqttErrors());
  }

  private List<String> anonymous(SimulatedDevice device) {
    return page.linesOf(device.serial()).stream()
        .map(line -> line.replace(device.serial(), "SN"))
        .toList();
  }

  @Test
  void noChangeIsLostAndOneConnectionIsSufficient() {
    SimulatedDevice one = device("R351ZONE", Map.of("pd.soc", 1));
    SimulatedDevice two = device("R351ZTWO", Map.of("pd.soc", 2));
    exporter.start("COLLECTING_INTERVAL=3600", "DEVICE_LIST_CACHE_TTL=3600");
    awaitSubscription(one);
    awaitSubscription(two);
    page.eventuallyShows(two, "pd_soc", 2);
    // Values that were polled before the connection are polled once more after it.
    eventually(() -> assertTrue(polls(one) >= 1 && polls(two) >= 1));
    assertEquals(
        List.of(DEVICE_LIST, OPEN_CERTIFICATION),
        cloud.requests().stream().map(CloudRequest::path).filter(p -> !p.equals(QUOTA)).toList());
    assertEquals(1, cloud.connects().size());
    assertEquals(4, new HashSet<>(cloud.subscriptions()).size());
    assertEquals(1, page.logins("success"));
    assertEquals(1, page.own("mqtt_connected", "client_type=open"));
    String id = cloud.connects().get(0).clientId();
    assertTrue(polls(one) <= 2 && polls(two) <= 2, "pushes are stored");
    exporter.stop();
    exporter.start();
    page.eventuallyConnected(1);
    assertEquals(Set.of(id), clientIds(), "only ten client ids a day are allowed");
  }

  private Set<String> clientIds() {
    return cloud.connects().stream().map(ConnectAttempt::clientId).collect(Collectors.toSet());
  }

  @Test
  void aPollDoesNotReplaceRecentPushes() {
    // A value is from polls until its key is pushed. Polls continue because the device does not
    // count as pushing.
    SimulatedDevice device = device("R351ZOLD", Map.of("pd.soc", 50, "pd.watts", 5));
    exporter.start("MQTT_TIMEOUT=0.1", "COLLECTING_INTERVAL=0.3");
    awaitSubscription(device);
    page.eventuallyShows(device, "pd_soc", 50);
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":51}}");
    page.eventuallyShows(device, "pd_soc", 51);
    device.set(Map.of("pd.watts", 6, "pd.soc", 49));
    page.eventuallyShows(device, "pd_watts", 6);
    assertEquals(51, page.of(device, "pd_soc"), "polls can be minutes old");
  }

  @Test
  void aPushOverridesAPollThatFoundTheDeviceOffline() {
    SimulatedDevice device = device("R351ZGONE", Map.of("pd.soc", 50));
    exporter.start("MQTT_TIMEOUT=600", "ECOFLOW_FULL_INTERVAL=3600");
    awaitSubscription(device);
    page.eventuallyShows(device, "pd_soc", 50);
    cloud.faults().always(QUOTA, device, Fault.code("1006", "device is offline"));
    page.eventuallyShows(device, "online", 0);
    assertTrue(Double.isNaN(page.of(device, "pd_soc")));

    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":51}}");
    page.eventuallyShows(device, "pd_soc", 51);
    // A device that pushes is not offline, whatever the answers to polls are.
    page.eventuallyScrapes(device, "error", 1);
    assertEquals(51, page.of(device, "pd_soc"));
    assertEquals(1, page.of(device, "online"));
  }

  @Test
  void aDeviceIsPolledRarelyWhileItPushes() {
    SimulatedDevice device = device("R351ZCALM", Map.of("pd.soc", 50));
    SimulatedDevice other = device("R351ZPOLL", Map.of("pd.soc", 1));
    exporter.start("MQTT_TIMEOUT=3", "ECOFLOW_FULL_INTERVAL=3600");
    awaitSubscription(device);
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":51}}");
    page.eventuallyShows(device, "pd_soc", 51);
    page.eventuallyScrapes(other, "success", page.scrapes(other, "success") + 2);
    int before = polls(device);
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":52}}");
    page.eventuallyScrapes(other, "success", page.scrapes(other, "success") + 3);
    assertEquals(before, polls(device));
    eventually(() -> assertTrue(polls(device) > before + 1, "no pushes"));
    assertEquals(52, page.of(device, "pd_soc"), "no gap");
  }

  @Test
  void aDeviceThatPushesIsPolledAgainAfterTheInterval() {
    SimulatedDevice device = device("R351ZSEED", Map.of("pd.soc", 50, "pd.watts", 5));
    exporter.start(NO_SILENCE, "ECOFLOW_FULL_INTERVAL=1");
    awaitSubscription(device);
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":51}}");
    page.eventuallyShows(device, "pd_soc", 51);
    device.set(Map.of("pd.watts", 6));
    page.eventuallyShows(device, "pd_watts", 6);
    assertEquals(51, page.of(device, "pd_soc"));
  }

  @Test
  void theStatusTopicSetsTheOnlineState() {
    SimulatedDevice device = device("R351ZSTAT", Map.of("pd.soc", 50));
    exporter.start(NO_SILENCE);
    awaitSubscription(device);
    page.eventuallyShows(device, "pd_soc", 50);
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":51}}");
    page.eventuallyShows(device, "pd_soc", 51);

    device.publishOpenStatus(false);
    page.eventuallyShows(device, "online", 0);
    assertEquals(List.of("online"), names(device), "still online in the list");
    double offline = page.scrapes(device, "offline");
    page.eventuallyScrapes(device, "offline", offline + 2);
    assertEquals(0, page.of(device, "online"));
    assertEquals(List.of("online"), names(device), "polls do not mark it online");

    device.publishOpenStatus(true);
    page.eventuallyShows(device, "pd_soc", 50);
    assertEquals(1, page.of(device, "online"));

    device.publishOpenStatus(false);
    page.eventuallyShows(device, "online", 0);
    device.set(Map.of("pd.watts", 7));
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":52}}");
    page.eventuallyShows(device, "pd_soc", 52);
    assertEquals(1, page.of(device, "online"), "values mark it online");
    page.eventuallyShows(device, "pd_watts", 7);
  }

  private List<String> names(SimulatedDevice device) {
    return page.linesOf(device.serial()).stream()
        .map(line -> line.substring("ecoflow_".length(), line.indexOf('{')))
        .toList();
  }

  private void changeWithoutConnection(SimulatedDevice device, Map<String, ?> changes) {
    cloud.stopBroker();
    page.eventuallyConnected(0);
    device.set(changes);
    cloud.startBroker();
    page.eventuallyConnected(1);
  }

  @Test
  void allValuesArePolledOnceAfterALostConnection() {
    SimulatedDevice device = device("R351ZLOST", Map.of("pd.soc", 50, "pd.watts", 5));
    exporter.start(NO_SILENCE);
    awaitSubscription(device);
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":51}}");
    page.eventuallyShows(device, "pd_soc", 51);
    device.publishOpenStatus(false);
    page.eventuallyShows(device, "online", 0);

    // A removed value also returns.
    changeWithoutConnection(device, Map.of("pd.watts", 6));

    page.eventuallyShows(device, "pd_watts", 6);
    assertEquals(1, page.of(device, "online"));
    assertEquals(1, cloud.requests(OPEN_CERTIFICATION).size(), "the same credentials");
    assertEquals(1, clientIds().size());
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":53}}");
    page.eventuallyShows(device, "pd_soc", 53);
  }

  @Test
  void aPollAfterALostConnectionReplacesRecentPushes() {
    SimulatedDevice device = device("R351ZGAP", Map.of("pd.soc", 50, "pd.watts", 5));
    SimulatedDevice silent = device("R351ZSILENT", Map.of("pd.soc", 1));
    exporter.start(NO_SILENCE, "ECOFLOW_PUSH_LEAD=10");
    awaitSubscription(device);
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":51}}");
    page.eventuallyShows(device, "pd_soc", 51);

    changeWithoutConnection(device, Map.of("pd.soc", 40));
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"watts\":6}}");
    page.eventuallyShows(device, "pd_watts", 6);

    page.eventuallyShows(device, "pd_soc", 40);
    int before = polls(device);
    page.eventuallyScrapes(silent, "success", page.scrapes(silent, "success") + 3);
    assertEquals(before, polls(device), "pushes are sufficient again");
  }

  @Test
  void changedCredentialsAreRequestedAgain() {
    SimulatedDevice device = device("R351ZCRED", Map.of("pd.soc", 50));
    exporter.start(NO_SILENCE, "MAX_RECONNECT_DELAY=1");
    awaitSubscription(device);
    cloud.rotateOpenCredentials();
    cloud.kickClients();
    eventually(() -> assertEquals(2, cloud.requests(OPEN_CERTIFICATION).size()));
    awaitSubscription(device);
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":51}}");
    page.eventuallyShows(device, "pd_soc", 51);
  }

  @Test
  void aRefusedLoginIsRetriedRarelyAndPollsContinue() {
    SimulatedDevice device = device("R351ZREFU", Map.of("pd.soc", 50));
    cloud.setOpenRefused(true);
    exporter.start(NO_SILENCE);
    eventually(() -> assertEquals(1, cloud.connects().size()));
    device.set(Map.of("pd.soc", 49));
    page.eventuallyShows(device, "pd_soc", 49);
    page.eventuallyScrapes(device, "success", page.scrapes(device, "success") + 10);
    assertEquals(1, cloud.connects().size(), "the next attempt is in minutes");
    assertEquals(0, page.connected());
  }

  @Test
  void aRefusedLoginIsRetriedWithNewCredentialsAndTheSameId() {
    device("R351ZREFU", Map.of("pd.soc", 50));
    cloud.setOpenRefused(true);
    exporter.start("MAX_RECONNECT_DELAY=1");
    eventually(() -> assertTrue(cloud.connects().size() >= 2));
    assertEquals(cloud.connects().size(), cloud.requests(OPEN_CERTIFICATION).size());
    cloud.setOpenRefused(false);
    page.eventuallyConnected(1);
    assertEquals(1, clientIds().size());
  }

  @Test
  void pollsContinueAfterARefusedCertification() {
    SimulatedDevice device = device("R351ZCERT", Map.of("pd.soc", 50));
    cloud.faults().always(OPEN_CERTIFICATION, Fault.code("8513", "accessKey is invalid"));
    exporter.start(NO_SILENCE, "MAX_RECONNECT_DELAY=1");
    page.eventuallyShows(device, "pd_soc", 50);
    eventually(() -> assertTrue(page.logins("error") >= 1));
    assertEquals(List.of(), cloud.connects());
    assertEquals(0, page.connected());
    cloud.faults().clear();
    awaitSubscription(device);
    device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":51}}");
    page.eventuallyShows(device, "pd_soc", 51);
  }

  /** Some models never push to developers; this must not cause frequent reconnects. */
  @Test
  void aSilentConnectionIsReplacedAfterGrowingPauses() {
    device("R351ZMUTE", Map.of("pd.soc", 50));
    exporter.start("MQTT_TIMEOUT=0.2", "IDLE_CHECK_INTERVAL=0.1");
    eventually(() -> assertTrue(cloud.connects().size() >= 4));
    List<ConnectAttempt> attempts = cloud.connects();
    for (int i = 0; i < 3; i++) {
      Duration pause = Duration.between(attempts.get(i).time(), attempts.get(i + 1).time());
      Duration least = Duration.ofMillis(600L << i);
      assertTrue(pause.compareTo(least) >= 0, () -> pause + " is less than " + least);
    }
    assertEquals(1, clientIds().size());
    assertEquals(1, cloud.requests(OPEN_CERTIFICATION).size());
  }

  /** The format of first-generation devices on the channel of the app. */
  @Test
  void zerosOfAnEnvelopeAreIgnored() {
    SimulatedDevice device = device("DAEBZERO", Map.of("pd.soc", 50));
    exporter.start(NO_SILENCE);
    awaitSubscription(device);

    device.publishOpen(
        """
        {"addr": 0, "cmdFunc": 0, "cmdId": 0, "id": 1, "version": "1.0", "timestamp": 1746300723,
         "moduleType": "1", "params": {"pd.soc": 66, "pd.wattsOutSum": 7}}
        """);

    page.eventuallyShows(device, "pd_soc", 66);
    page.eventuallyShows(device, "pd_watts_out_sum", 7);
    assertEquals(
        List.of(), page.namesOf(device).stream().filter(name -> name.startsWith("0_0")).toList());
  }

  @Test
  void aNewDeviceIsSubscribed() {
    device("R351ZFIRST", Map.of("pd.soc", 50));
    exporter.start(NO_SILENCE);
    page.eventuallyConnected(1);
    SimulatedDevice second = device("R351ZNEXT", Map.of("pd.soc", 60));
    awaitSubscription(second);
    second.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":61}}");
    page.eventuallyShows(second, "pd_soc", 61);
    assertEquals(1, cloud.connects().size());
  }

  @Test
  void aDeviceWithoutQuotasIsPolledRarelyWhileItPushes() {
    SimulatedDevice meter = device("BK21ZMETER", Map.of("powGetSysGrid", 1));
    SimulatedDevice other = device("R351ZOTHER", Map.of("pd.soc", 50));
    meter.setOpenToDevelopers(false);
    exporter.start(NO_SILENCE, "RETRY_TIMEOUT=600");
    awaitSubscription(meter);
    meter.publishOpen("{\"powGetSysGrid\":1192.6}");
    page.eventuallyShows(meter, "pow_get_sys_grid", 1192.6);
    page.eventuallyScrapes(other, "success", 5);
    assertEquals(1192.6, page.of(meter, "pow_get_sys_grid"));
    assertTrue(polls(meter) <= 2, () -> polls(meter) + " polls");
  }

  @Test
  void failedPollsDuringPushesDoNotDelayLaterPolls() {
    SimulatedDevice device = device("R351ZHALT", Map.of("pd.soc", 50, "pd.watts", 5));
    exporter.start(
        "MQTT_TIMEOUT=3", "ECOFLOW_FULL_INTERVAL=600", "RETRY_TIMEOUT=600", "HTTP_RETRIES=0");
    awaitSubscription(device);
    cloud.faults().always(QUOTA, Fault.status(500));
    // All values are polled when it returns.
    device.publishOpenStatus(false);
    page.eventuallyShows(device, "online", 0);
    double failed = page.scrapes(device, "error");
    eventually(
        () -> {
          device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":51}}");
          assertTrue(page.scrapes(device, "error") > failed);
        });
    cloud.faults().clear();
    device.set(Map.of("pd.watts", 7));
    page.eventuallyShows(device, "pd_watts", 7);
  }

  @Test
  void anUnknownPartIsCountedAndDoesNotAffectOthers() {
    SimulatedDevice device = device("R351ZPART", Map.of("pd.soc", 50));
    exporter.start(NO_SILENCE);
    awaitSubscription(device);
    device.publishOpen("{\"typeCode\":\"newStatus\",\"params\":{\"soc\":7}}");
    page.eventuallyShows(device, "new_status_soc", 7);
    device.publishOpen("{\"moduleType\":2,\"params\":{\"soc\":8}}");
    eventually(
        () -> assertEquals(1, page.own("open_pushes_unknown_total", "by=module_type", "code=2")));
    assertEquals(1, page.own("open_pushes_unknown_total", "by=type_code", "code=newStatus"));
    assertEquals(50, page.of(device, "pd_soc"));
    assertFalse(page.text().contains("ecoflow_soc{"));
  }
}
