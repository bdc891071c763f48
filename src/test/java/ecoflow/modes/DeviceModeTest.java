package ecoflow.modes;

import static ecoflow.testkit.Eventually.eventually;
import static ecoflow.testkit.Eventually.eventuallyHoldsFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.cloud.ReceivedMessage;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Frames;
import ecoflow.testkit.Page;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Requests for all values, and the effect of their replies on /metrics. */
class DeviceModeTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String ONCE = "3600";

  private final SimulatedDevice delta =
      new SimulatedDevice("R331ZASKS0000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(
              """
              {"pd.soc": 71, "pd.watts": 0, "bms.cells": [3301, 3302]}
              """);
  private final SimulatedDevice river =
      new SimulatedDevice("R601ZASKS0000002", "Van", null, WireFormat.PROTOBUF_XOR)
          .set(
              """
              {"powInSumW": 0, "powOutSumW": 6, "bmsBattSoc": 55.5}
              """);

  /** With a long timeout, series are removed only because of a reply. */
  @RegisterExtension
  final ExporterExtension exporter =
      ExporterExtension.device("MQTT_TIMEOUT=3600").with(delta, river);

  private final Page page = exporter.page();
  private SimulatedCloud cloud;

  @BeforeEach
  void note() {
    cloud = exporter.cloud();
  }

  /** The exporter only reads: it publishes only to the topics of requests. */
  @AfterEach
  void onlyRequestsWereSent() {
    exporter.stop();
    assertEquals(
        List.of(),
        cloud.messages().stream()
            .map(ReceivedMessage::topic)
            .filter(topic -> !topic.endsWith("/thing/property/get"))
            .toList());
  }

  private void startAskingEvery(String seconds) {
    exporter.start("QUOTA_REQUEST_INTERVAL=" + seconds);
  }

  private List<ReceivedMessage> requests(SimulatedDevice device) {
    return cloud.messages().stream()
        .filter(message -> message.topic().equals(cloud.topic(device, "get")))
        .toList();
  }

  @Test
  void aDeviceThatDoesNotReplyToJsonAlsoGetsAFrame() throws IOException {
    river.setOnlyFramesAnswered(true);
    startAskingEvery("1");
    page.eventuallyShows(river, "pow_out_sum_w", 6);
    eventually(() -> assertTrue(requests(delta).size() >= 4));

    byte[] frame =
        requests(river).stream()
            .map(ReceivedMessage::payload)
            .filter(payload -> payload[0] != '{')
            .findFirst()
            .orElseThrow();
    Frames.Header header = Frames.headers(frame).get(0);
    assertEquals(32, header.src());
    assertEquals(32, header.dest());
    assertFalse(header.hasCommandOrMessage(), "without a command it can only ask");
    assertTrue(
        requests(delta).stream().allMatch(request -> request.payload()[0] == '{'),
        "a device that answers JSON is asked by JSON");
  }

  @Test
  void requestsAllValuesImmediately() throws IOException {
    long before = System.currentTimeMillis();
    startAskingEvery(ONCE);
    page.eventuallyShows(delta, "pd_soc", 71, "device_name=Garage");
    assertEquals(0, page.of(delta, "pd_watts"));
    assertEquals(3302, page.of(delta, "bms_cells", "index_0=1"));
    assertEquals(1, page.of(delta, "online"));

    assertEquals(1, requests(delta).size());
    JsonNode request = JSON.readTree(requests(delta).get(0).payload());
    long id = Long.parseLong(request.path("id").textValue());
    assertTrue(id >= before && id <= System.currentTimeMillis(), () -> "not a time: " + id);
    assertEquals(
        JSON.readTree(
            """
            {
              "from": "Android",
              "id": "%d",
              "moduleType": 0,
              "operateType": "latestQuotas",
              "params": {},
              "version": "1.0"
            }
            """
                .formatted(id)),
        request);
    eventually(
        () ->
            assertEquals(
                List.of(
                    cloud.topic(delta, "get_reply"),
                    cloud.topic(river, "get_reply"),
                    "/app/device/property/" + delta.serial(),
                    "/app/device/property/" + river.serial(),
                    "/app/device/status/" + delta.serial(),
                    "/app/device/status/" + river.serial()),
                cloud.subscriptions().stream().sorted().toList()));
    assertEquals(1, cloud.maxOpenConnections());
  }

  @ParameterizedTest
  @EnumSource(names = "JSON", mode = EnumSource.Mode.EXCLUDE)
  void protobufRepliesBecomeGauges(WireFormat format) {
    SimulatedDevice device =
        new SimulatedDevice("R601ZASKS0000003", "Boat", null, format)
            .set(
                """
                {"powInSumW": 0, "powOutSumW": 6, "bmsBattSoc": 55.5, "enBeep": true}
                """);
    device.setShared(true);
    cloud.add(device);
    startAskingEvery(ONCE);
    page.eventuallyShows(device, "bms_batt_soc", 55.5, "device_name=Boat", "product_name=RIVER 2");
    // These values are in another header of the frame.
    page.eventuallyShows(device, "pow_out_sum_w", 6);
    assertEquals(0, page.of(device, "pow_in_sum_w"));
    assertEquals(1, page.of(device, "en_beep"));
    assertEquals(1, page.of(device, "online"));
  }

  @Test
  void sendsARequestToEachDeviceAfterEachConnection() {
    startAskingEvery(ONCE);
    for (int connections = 1; connections <= 3; connections++) {
      int asked = connections;
      eventually(() -> assertEquals(asked, requests(delta).size()));
      eventually(() -> assertEquals(asked, requests(river).size()));
      if (connections < 3) {
        delta.set(Map.of("pd.soc", asked));
        cloud.kickClients();
      }
    }
    eventuallyHoldsFor(Duration.ofMillis(1200), () -> cloud.messages().size() == 6);
    assertEquals(6, page.quotaRequests("sent"));
    assertEquals(0, page.quotaRequests("skipped"));
    assertEquals(0, page.quotaRequests("error"));
    page.eventuallyShows(delta, "pd_soc", 2);
  }

  @Test
  void sendsAnotherRequestAfterTheInterval() {
    startAskingEvery("2");
    page.eventuallyShows(delta, "pd_soc", 71);
    delta.set(Map.of("pd.soc", 72));
    river.set(Map.of("powOutSumW", 7f));
    page.eventuallyShows(delta, "pd_soc", 72);
    page.eventuallyShows(river, "pow_out_sum_w", 7);
    eventually(() -> assertTrue(requests(delta).size() >= 3));
    assertEquals(0, page.quotaRequests("skipped"), "replies to own requests do not delay requests");
  }

  @Test
  void pushesDoNotStopTheRequests() {
    delta.setAnswersRequests(false);
    river.setAnswersRequests(false);
    startAskingEvery("0.5");
    eventually(
        () -> {
          delta.push(Map.of("pd.soc", 73));
          river.push(Map.of("powInSumW", 8f));
          assertTrue(requests(delta).size() >= 4 && requests(river).size() >= 4);
        });
    assertEquals(0, page.quotaRequests("skipped"));
    assertEquals(73, page.of(delta, "pd_soc"));
  }

  @Test
  void unrequestedRepliesDelayRequests() {
    delta.setAnswersRequests(false);
    cloud.remove(river.serial());
    startAskingEvery("1");
    eventually(() -> assertEquals(1, requests(delta).size()));
    String picture =
        """
        {"operateType": "latestQuotas", "data": {"online": 1, "quotaMap": {"pd.soc": 74}}}
        """;
    eventually(
        () -> {
          cloud.publishReply(delta, picture);
          assertTrue(page.quotaRequests("skipped") >= 2);
        });
    assertEquals(74, page.of(delta, "pd_soc"));
    // The exporter sends requests again after the unrequested replies end.
    int before = requests(delta).size();
    eventually(() -> assertTrue(requests(delta).size() > before));
  }

  @Test
  void anOfflineReplyRemovesTheGaugesImmediately() {
    startAskingEvery("0.5");
    page.eventuallyShows(delta, "pd_soc", 71);
    delta.setOnline(false);
    page.eventuallyShows(delta, "online", 0);
    assertEquals(List.of(), page.lines("pd_soc"));
    assertEquals(List.of(), page.lines("bms_cells"));
    page.eventuallyShows(river, "online", 1);
    page.eventuallyShows(river, "pow_out_sum_w", 6);

    delta.setAnswersRequests(false);
    eventually(
        () -> {
          // A reply in transit can arrive after the first push.
          delta.push(Map.of("pd.watts", 9));
          assertEquals(9, page.of(delta, "pd_watts"));
          assertEquals(1, page.of(delta, "online"));
        });
    assertEquals(List.of(), page.lines("pd_soc"), "known before it went off");
    assertEquals(List.of(), page.lines("bms_cells"));
  }

  @Test
  void anOfflineReplyWithoutValuesRemovesTheGauges() {
    startAskingEvery(ONCE);
    page.eventuallyShows(delta, "pd_soc", 71);
    cloud.publishReply(
        delta,
        """
        {"data": {"online": 0}}
        """);
    page.eventuallyShows(delta, "online", 0);
    assertEquals(List.of(), page.lines("pd_soc"));
  }

  @Test
  void aReplyWithAnInvalidBodyIsOnlyCounted() {
    startAskingEvery(ONCE);
    page.eventuallyShows(delta, "pd_soc", 71);
    double updated = page.lastUpdate(delta);
    List<String> answers =
        """
        {"operateType": "latestQuotas", "data": {"online": 1, "quotaMap": "x"}}
        {"operateType": "latestQuotas", "data": {"quotaMap": [{"pd.soc": 1}]}}
        {"operateType": "latestQuotas", "params": null}
        {"data": {"params": 5}}
        """
            .lines()
            .toList();
    answers.forEach(answer -> cloud.publishReply(delta, answer));
    eventually(() -> assertEquals(answers.size(), page.mqttErrors()));
    assertEquals(71, page.of(delta, "pd_soc"));
    assertEquals(updated, page.lastUpdate(delta));
    assertEquals(1, page.of(delta, "online"));
    assertEquals(List.of(), page.lines("params"));
  }

  @Test
  void sendsRequestsAfterABrokerOutage() {
    startAskingEvery(ONCE);
    page.eventuallyShows(delta, "pd_soc", 71);
    cloud.stopBroker();
    page.eventuallyConnected(0);
    delta.set(Map.of("pd.soc", 75));
    cloud.startBroker();
    page.eventuallyShows(delta, "pd_soc", 75);
    assertEquals(2, requests(delta).size());
    assertTrue(page.reconnections() >= 1);
  }
}
