package ecoflow.unknown;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.Beans;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.TestFrames;
import ecoflow.offline.Replay;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Series;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Recordings of all messages: their replay has the same series, except for masked texts. */
class MessageRecordingTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Labels that are not in the record, or that are masked. */
  private static final Set<String> OTHER_LABELS =
      Set.of("device_name", "product_name", "device_general_key");

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.mqtt();

  @TempDir private Path directory;

  private SimulatedDevice device(String model, WireFormat format) {
    int number = exporter.cloud().devices().size() + 1;
    SimulatedDevice device =
        new SimulatedDevice("%sTEST%08d".formatted(model, number), "Anna's " + number, "", format);
    exporter.cloud().add(device);
    return device;
  }

  private void start(String mode) {
    exporter.startIn(
        mode,
        "ECOFLOW_RECORD=all",
        "ECOFLOW_RECORD_DIR=" + directory,
        "ECOFLOW_METRICS=both",
        "COLLECTING_INTERVAL=3600");
  }

  /** Real frames of all models, also one that is encrypted, and pushes in JSON. */
  @Test
  void replayOfPushesHasTheSameSeries() throws Exception {
    Map<String, SimulatedDevice> ofFile = new LinkedHashMap<>();
    for (String file : TestFrames.RECORDED) {
      ofFile.put(file, device(TestFrames.SERIALS.get(file), WireFormat.PROTOBUF_PLAIN));
    }
    SimulatedDevice encrypted = device("P231", WireFormat.PROTOBUF_XOR);
    SimulatedDevice json = device("R331", WireFormat.JSON);
    List<SimulatedDevice> devices = new ArrayList<>(ofFile.values());
    devices.addAll(List.of(encrypted, json));
    start("mqtt");
    exporter.page().eventuallyConnected(1);

    ofFile.forEach((file, device) -> device.publish(TestFrames.recorded(file)));
    encrypted.push(Map.of("powInSumW", 3f));
    json.push(
        "{\"pd.soc\": 81, \"pd.name\": \"Anna\", \"bms_kitInfo.watts\": [{\"sn\":"
            + " \"R361ZPACK0000001\", \"curPower\": -100}, {\"sn\": \"R361ZPACK0000002\","
            + " \"curPower\": 50}], \"bp.HJ32TEST00000001\": \"{\\\"bpSoc\\\": 76}\"}");
    devices.forEach(exporter::settle);
    compareWithReplay(devices, "mqtt");

    String text = Files.readString(directory.resolve(MessageRecording.FILE));
    assertFalse(text.contains("Anna") || text.contains("TEST0"), "personal data");
    assertTrue(text.contains("R361XXXXXXXX"));
  }

  /** Real responses of the developer API, and pushes of the same devices. */
  @Test
  void replayOfResponsesAndDeveloperPushesHasTheSameSeries() throws Exception {
    Map<String, String> quotas =
        Map.of(
            "R351", "delta2max",
            "Y711", "delta-pro-ultra",
            "HW51", "powerstream",
            "HJ31", "powerocean");
    Map<String, SimulatedDevice> ofModel = new HashMap<>();
    for (Map.Entry<String, String> model : quotas.entrySet()) {
      Path file = Path.of("src/test/resources/quotas", model.getValue() + ".json");
      ofModel.put(
          model.getKey(), device(model.getKey(), WireFormat.JSON).set(Files.readString(file)));
    }
    start("open");
    exporter.page().eventuallyConnected(1);
    for (SimulatedDevice device : ofModel.values()) {
      eventually(() -> assertFalse(exporter.page().namesOf(device).isEmpty(), device.name()));
    }

    for (JsonNode example :
        JSON.readTree(Path.of("src/test/resources/open-pushes.json").toFile())) {
      SimulatedDevice device = ofModel.get(example.path("serial").asText());
      if (device != null && example.has("push")) {
        device.publishOpen(example.path("push").toString());
      }
    }
    for (SimulatedDevice device : ofModel.values()) {
      device.publishOpen("{\"params\": {\"test.marker\": 1}}");
      exporter.page().eventuallyShows(device, "test_marker", 1);
    }
    compareWithReplay(List.copyOf(ofModel.values()), "open");
  }

  private void compareWithReplay(List<SimulatedDevice> devices, String mode) throws Exception {
    List<String> shown =
        devices.stream()
            .flatMap(device -> exporter.page().linesOf(device.serial()).stream())
            .filter(line -> !line.startsWith("ecoflow_online"))
            .toList();
    double recorded = exporter.page().own("recorded_messages_total", "result=recorded");
    assertEquals(0, exporter.page().own("recorded_messages_total", "result=limit"));
    assertEquals(0, exporter.page().own("recorded_messages_total", "result=failed"));
    exporter.stop();

    Path file = directory.resolve(MessageRecording.FILE);
    List<String> lines = Files.readAllLines(file);
    assertEquals(recorded, lines.size());
    for (String line : lines) {
      assertEquals(mode, JSON.readTree(line).path("mode").asText());
    }
    List<String> problems = new ArrayList<>();
    List<String> replayed =
        Replay.series(Map.of("ECOFLOW_METRICS", "both"), Beans::new, file, problems::add).stream()
            .filter(line -> !line.startsWith("#"))
            .toList();
    assertEquals(List.of(), problems);
    assertTrue(shown.size() > 100, () -> shown.size() + " series");
    assertEquals(String.join("\n", comparable(shown)), String.join("\n", comparable(replayed)));
  }

  /** Series without the values that are masked or that depend on the time. */
  private static List<String> comparable(List<String> lines) {
    return lines.stream()
        .map(Series::read)
        .filter(series -> !"computed".equals(series.labels().get("origin")))
        .filter(series -> !PersonalKeys.isCoordinate(series.name()))
        .filter(series -> !PersonalKeys.isNumber(series.name()))
        .map(
            series -> {
              Map<String, String> labels = new TreeMap<>(series.labels());
              labels.keySet().removeAll(OTHER_LABELS);
              labels.replaceAll(
                  (name, value) ->
                      value.replaceAll("\\b([A-Z0-9]{4})(?:X{8}[0-9]{4}|[A-Z0-9]{12})\\b", "$1*"));
              return series.name() + labels + " " + series.value();
            })
        .sorted()
        .toList();
  }
}
