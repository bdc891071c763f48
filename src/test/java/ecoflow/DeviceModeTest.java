package ecoflow;

import static ecoflow.Eventually.eventually;
import static ecoflow.Eventually.eventuallyShows;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.cloud.ReceivedMessage;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Requests for all values, and what their answers do to /metrics. */
class DeviceModeTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ONCE = "3600";

  private final SimulatedDevice delta =
      new SimulatedDevice("R331ZASKS0000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 71, "pd.watts", 0, "bms.cells", List.of(3301, 3302)));
  private final SimulatedDevice river =
      new SimulatedDevice("R601ZASKS0000002", "Van", null, WireFormat.PROTOBUF_XOR)
          .set(Map.of("powInSumW", 0f, "powOutSumW", 6f, "bmsBattSoc", 55.5f));

  private SimulatedCloud cloud;
  private RunningExporter exporter;

  @BeforeEach
  void startCloud() {
    cloud = SimulatedCloud.start().add(delta, river);
  }

  /** The exporter only reads: there is one kind of topic that it ever publishes on. */
  @AfterEach
  void stop() {
    exporter.close();
    cloud.close();
    assertEquals(
        List.of(),
        cloud.messages().stream()
            .map(ReceivedMessage::topic)
            .filter(topic -> !topic.endsWith("/thing/property/get"))
            .toList());
  }

  private void start(String interval) {
    Map<String, String> variables = RunningExporter.account(cloud, "device");
    variables.put("QUOTA_REQUEST_INTERVAL", interval);
    // What goes, goes because of an answer.
    variables.put("MQTT_TIMEOUT", "3600");
    exporter = RunningExporter.start(variables);
  }

  private String topic(SimulatedDevice device, String end) {
    return "/app/" + cloud.account().userId() + "/" + device.serial() + "/thing/property/" + end;
  }

  private List<ReceivedMessage> requests(SimulatedDevice device) {
    return cloud.messages().stream()
        .filter(message -> message.topic().equals(topic(device, "get")))
        .toList();
  }

  private double requests(String status) {
    return exporter
        .value("ecoflow_quota_requests_total", "status=\"" + status + "\"")
        .orElseThrow();
  }

  @Test
  void aDeviceThatLeavesJsonUnansweredIsAskedByAFrameToo() throws IOException {
    river.setOnlyFramesAnswered(true);
    start("0.4");
    eventuallyShows(exporter, river.serial(), "ecoflow_pow_out_sum_w", 6);
    eventually(() -> assertTrue(requests(delta).size() >= 4));

    byte[] frame =
        requests(river).stream()
            .map(ReceivedMessage::payload)
            .filter(payload -> payload[0] != '{')
            .findFirst()
            .orElseThrow();
    Header header = Header.parseFrom(Frame.parseFrom(frame).getHeaders(0));
    assertEquals(32, header.getSrc());
    assertEquals(32, header.getDest());
    // Without a command it can only ask.
    assertFalse(header.hasCmdFunc() || header.hasCmdId() || header.hasPdata());
    assertTrue(
        requests(delta).stream().allMatch(request -> request.payload()[0] == '{'),
        "a device that answers JSON is asked by JSON");
  }

  @Test
  void asksForAllValuesAtOnce() throws IOException {
    long before = System.currentTimeMillis();
    start(ONCE);
    eventuallyShows(exporter, delta.serial(), "ecoflow_pd_soc", 71, "device_name=\"Garage\"");
    assertEquals(0, exporter.of(delta.serial(), "ecoflow_pd_watts"));
    assertEquals(3302, exporter.of(delta.serial(), "ecoflow_bms_cells", "index_0=\"1\""));
    assertEquals(1, exporter.of(delta.serial(), "ecoflow_online"));

    assertEquals(1, requests(delta).size());
    JsonNode request = JSON.readTree(requests(delta).get(0).payload());
    long id = Long.parseLong(request.path("id").textValue());
    assertTrue(id >= before && id <= System.currentTimeMillis(), () -> "not a time: " + id);
    assertEquals(
        JSON.readTree(
            "{\"from\":\"Android\",\"id\":\""
                + id
                + "\",\"moduleType\":0,\"operateType\":\"latestQuotas\",\"params\":{},"
                + "\"version\":\"1.0\"}"),
        request);
    eventually(
        () ->
            assertEquals(
                List.of(
                    topic(delta, "get_reply"),
                    topic(river, "get_reply"),
                    "/app/device/property/" + delta.serial(),
                    "/app/device/property/" + river.serial(),
                    "/app/device/status/" + delta.serial(),
                    "/app/device/status/" + river.serial()),
                cloud.subscriptions().stream().sorted().toList()));
    assertEquals(1, cloud.maxOpenConnections());
  }

  @ParameterizedTest
  @EnumSource(names = "JSON", mode = EnumSource.Mode.EXCLUDE)
  void protobufAnswersBecomeGauges(WireFormat format) {
    SimulatedDevice device =
        new SimulatedDevice("R601ZASKS0000003", "Boat", null, format)
            .set(Map.of("powInSumW", 0f, "powOutSumW", 6f, "bmsBattSoc", 55.5f, "enBeep", true));
    device.setShared(true);
    cloud.add(device);
    start(ONCE);
    eventuallyShows(
        exporter,
        device.serial(),
        "ecoflow_bms_batt_soc",
        55.5,
        "device_name=\"Boat\"",
        "product_name=\"RIVER 2\"");
    // The bundle has these in another of its headers.
    eventuallyShows(exporter, device.serial(), "ecoflow_pow_out_sum_w", 6);
    assertEquals(0, exporter.of(device.serial(), "ecoflow_pow_in_sum_w"));
    assertEquals(1, exporter.of(device.serial(), "ecoflow_en_beep"));
    assertEquals(1, exporter.of(device.serial(), "ecoflow_online"));
  }

  @Test
  void asksEachDeviceOnceAfterEachConnection() {
    start(ONCE);
    for (int connections = 1; connections <= 3; connections++) {
      int asked = connections;
      eventually(() -> assertEquals(asked, requests(delta).size()));
      eventually(() -> assertEquals(asked, requests(river).size()));
      if (connections < 3) {
        delta.set(Map.of("pd.soc", asked));
        cloud.kickClients();
      }
    }
    await()
        .during(Duration.ofMillis(1200))
        .atMost(Duration.ofSeconds(60))
        .until(() -> cloud.messages().size() == 6);
    assertEquals(6, requests("sent"));
    assertEquals(0, requests("skipped"));
    assertEquals(0, requests("error"));
    eventuallyShows(exporter, delta.serial(), "ecoflow_pd_soc", 2);
  }

  @Test
  void asksAgainAfterTheInterval() {
    start("2");
    eventuallyShows(exporter, delta.serial(), "ecoflow_pd_soc", 71);
    delta.set(Map.of("pd.soc", 72));
    river.set(Map.of("powOutSumW", 7f));
    eventuallyShows(exporter, delta.serial(), "ecoflow_pd_soc", 72);
    eventuallyShows(exporter, river.serial(), "ecoflow_pow_out_sum_w", 7);
    eventually(() -> assertTrue(requests(delta).size() >= 3));
    assertEquals(0, requests("skipped"), "the answers to its own requests are no reason to skip");
  }

  @Test
  void changesThatDevicesPushDoNotStopTheRequests() {
    delta.setAnswersRequests(false);
    river.setAnswersRequests(false);
    start("0.5");
    eventually(
        () -> {
          delta.push(Map.of("pd.soc", 73));
          river.push(Map.of("powInSumW", 8f));
          assertTrue(requests(delta).size() >= 4 && requests(river).size() >= 4);
        });
    assertEquals(0, requests("skipped"));
    assertEquals(73, exporter.of(delta.serial(), "ecoflow_pd_soc"));
  }

  @Test
  void fullPicturesThatComeUnaskedSpareTheRequests() {
    delta.setAnswersRequests(false);
    cloud.remove(river.serial());
    start("1");
    eventually(() -> assertEquals(1, requests(delta).size()));
    byte[] picture =
        "{\"operateType\":\"latestQuotas\",\"data\":{\"online\":1,\"quotaMap\":{\"pd.soc\":74}}}"
            .getBytes(StandardCharsets.UTF_8);
    eventually(
        () -> {
          cloud.publish(topic(delta, "get_reply"), picture);
          assertTrue(requests("skipped") >= 2);
        });
    assertEquals(74, exporter.of(delta.serial(), "ecoflow_pd_soc"));
    // As soon as nobody else asks, the exporter does.
    int before = requests(delta).size();
    eventually(() -> assertTrue(requests(delta).size() > before));
  }

  @Test
  void anAnswerThatSaysOfflineTakesTheGaugesAtOnce() {
    start("0.5");
    eventuallyShows(exporter, delta.serial(), "ecoflow_pd_soc", 71);
    delta.setOnline(false);
    eventuallyShows(exporter, delta.serial(), "ecoflow_online", 0);
    assertEquals(List.of(), exporter.lines("ecoflow_pd_soc"));
    assertEquals(List.of(), exporter.lines("ecoflow_bms_cells"));
    eventuallyShows(exporter, river.serial(), "ecoflow_online", 1);
    eventuallyShows(exporter, river.serial(), "ecoflow_pow_out_sum_w", 6);

    delta.setAnswersRequests(false);
    eventually(
        () -> {
          // An answer on its way may come after the first push.
          delta.push(Map.of("pd.watts", 9));
          assertEquals(9, exporter.of(delta.serial(), "ecoflow_pd_watts"));
          assertEquals(1, exporter.of(delta.serial(), "ecoflow_online"));
        });
    assertEquals(List.of(), exporter.lines("ecoflow_pd_soc"), "known before it went off");
    assertEquals(List.of(), exporter.lines("ecoflow_bms_cells"));
  }

  @Test
  void anAnswerThatSaysOnlyOfflineIsEnough() {
    start(ONCE);
    eventuallyShows(exporter, delta.serial(), "ecoflow_pd_soc", 71);
    cloud.publish(
        topic(delta, "get_reply"), "{\"data\":{\"online\":0}}".getBytes(StandardCharsets.UTF_8));
    eventuallyShows(exporter, delta.serial(), "ecoflow_online", 0);
    assertEquals(List.of(), exporter.lines("ecoflow_pd_soc"));
  }

  @Test
  void anAnswerWhoseBodyIsNoObjectIsCountedAndSaysNothing() {
    start(ONCE);
    eventuallyShows(exporter, delta.serial(), "ecoflow_pd_soc", 71);
    String update = "ecoflow_device_last_update_timestamp_seconds";
    double updated = exporter.of(delta.serial(), update);
    List<String> answers =
        List.of(
            "{\"operateType\":\"latestQuotas\",\"data\":{\"online\":1,\"quotaMap\":\"x\"}}",
            "{\"operateType\":\"latestQuotas\",\"data\":{\"quotaMap\":[{\"pd.soc\":1}]}}",
            "{\"operateType\":\"latestQuotas\",\"params\":null}",
            "{\"data\":{\"params\":5}}");
    answers.forEach(
        answer ->
            cloud.publish(topic(delta, "get_reply"), answer.getBytes(StandardCharsets.UTF_8)));
    eventually(
        () ->
            assertEquals(
                answers.size(),
                exporter
                    .value("ecoflow_mqtt_message_errors_total", "client_type=\"device\"")
                    .orElseThrow()));
    assertEquals(71, exporter.of(delta.serial(), "ecoflow_pd_soc"));
    assertEquals(updated, exporter.of(delta.serial(), update));
    assertEquals(1, exporter.of(delta.serial(), "ecoflow_online"));
    assertEquals(List.of(), exporter.lines("ecoflow_params"));
  }

  @Test
  void asksAgainAfterTheBrokerWasDown() {
    start(ONCE);
    eventuallyShows(exporter, delta.serial(), "ecoflow_pd_soc", 71);
    cloud.stopBroker();
    eventually(() -> assertEquals(0, exporter.value("ecoflow_mqtt_connected").orElse(Double.NaN)));
    delta.set(Map.of("pd.soc", 75));
    cloud.startBroker();
    eventuallyShows(exporter, delta.serial(), "ecoflow_pd_soc", 75);
    assertEquals(2, requests(delta).size());
    assertTrue(
        exporter.value("ecoflow_mqtt_reconnections_total", "client_type=\"device\"").orElseThrow()
            >= 1);
  }
}
