package ecoflow.sink;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.HttpReceiver;
import ecoflow.testkit.SinkRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The sinks of examples/routes that write files or send HTTP requests, in the packaged jar. */
class SinkFilesIT {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final SimulatedDevice garage =
      new SimulatedDevice("R331ZSINKS000001", "Gar\\age, \"A\" = 1", "DELTA 2", WireFormat.JSON);
  private final SimulatedDevice van =
      new SimulatedDevice("R601ZSINKS000002", "Van", "RIVER 2", WireFormat.JSON);

  @RegisterExtension final CloudExtension clouds = new CloudExtension(garage, van);

  @TempDir private Path directory;
  private SinkRun run;
  private HttpReceiver receiver;

  private void sink(String name) {
    run = new SinkRun(directory, clouds.cloud(), name);
  }

  @AfterEach
  void end() {
    run.close();
    if (receiver != null) {
      receiver.close();
    }
  }

  /** Waits for the gauges, which a sink must not delay. */
  private void push(SimulatedDevice device, Map<String, ?> values) {
    device.push(values);
    String key = values.keySet().iterator().next();
    String name = key.replace('.', '_').replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    double value = ((Number) values.get(key)).doubleValue();
    run.jar().page().eventuallyShows(device, name, value);
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new AssertionError(text, e);
    }
  }

  @Nested
  class JsonLines {

    private List<String> lines() throws IOException {
      List<String> lines = new ArrayList<>();
      Path written = directory.resolve("lines");
      if (Files.isDirectory(written)) {
        try (Stream<Path> files = Files.list(written)) {
          for (Path file : files.sorted().toList()) {
            assertTrue(
                file.getFileName().toString().matches("ecoflow-\\d{4}-\\d\\d-\\d\\d\\.jsonl"),
                file::toString);
            lines.addAll(Files.readAllLines(file));
          }
        }
      }
      return lines;
    }

    @Test
    void eachChangeIsALineOfJson() throws IOException {
      sink("json-lines");
      run.start("JSON_LINES_DIR=lines");
      push(garage, Map.of("pd.soc", 81));
      eventually(() -> assertEquals(1, lines().size()));
      push(garage, Map.of("pd.soc", 80));
      garage.push(Collections.singletonMap("pd.soc", null));
      eventually(() -> assertEquals(3, lines().size()));
      double updated = run.jar().page().lastUpdate(garage);
      run.terminateCleanly();

      JsonNode first = json(lines().get(0));
      List<String> names = new ArrayList<>();
      first.fieldNames().forEachRemaining(names::add);
      assertEquals(List.of("time", "device", "name", "product", "online", "values"), names);
      assertEquals("R331ZSINKS000001", first.path("device").asText());
      assertEquals("Gar\\age, \"A\" = 1", first.path("name").asText());
      assertEquals("DELTA 2", first.path("product").asText());
      assertTrue(first.path("online").asBoolean());
      assertEquals(json("{\"pd.soc\":81.0}"), first.path("values"));
      assertEquals(json("{\"pd.soc\":80.0}"), json(lines().get(1)).path("values"));
      assertEquals(updated, json(lines().get(1)).path("time").asLong() / 1000.0, 0.001);
      assertEquals(json("{\"pd.soc\":null}"), json(lines().get(2)).path("values"));
    }
  }

  @Nested
  class Webhook {

    private List<String> reported() {
      return receiver.calls().stream()
          .map(call -> json(call.body()))
          .map(call -> call.path("device").asText() + " " + call.path("battery").asDouble())
          .toList();
    }

    /** Waits for a snapshot of each of the two devices; the sink processes them in order. */
    private void awaitSnapshots() {
      double before = run.accepted("pictures-battery-webhook");
      eventually(() -> assertTrue(run.accepted("pictures-battery-webhook") >= before + 2));
    }

    /** Returns when a snapshot with the value is in the queue of the sink. */
    private void battery(SimulatedDevice device, String key, double soc) {
      push(device, Map.of(key, soc));
      awaitSnapshots();
    }

    @ParameterizedTest
    @ValueSource(strings = {"http", "https"})
    void aLowBatteryIsReportedOncePerDischarge(String scheme) {
      sink("battery-webhook");
      receiver = scheme.equals("http") ? HttpReceiver.plain() : HttpReceiver.tls(directory);
      receiver.start();
      run.start(
          scheme.equals("http") ? List.of() : receiver.trust(),
          "COLLECTING_INTERVAL=0.1",
          "BATTERY_WEBHOOK_URL=" + receiver.url() + "/hook?key=1");

      battery(garage, "pd.soc", 25);
      battery(garage, "pd.soc", 20);
      assertEquals(List.of(), reported());
      battery(garage, "pd.soc", 19);
      battery(garage, "pd.soc", 18);
      eventually(() -> assertEquals(List.of("R331ZSINKS000001 19.0"), reported()));
      battery(garage, "pd.soc", 22);
      battery(garage, "pd.soc", 19);
      battery(garage, "pd.soc", 25);
      battery(garage, "pd.soc", 18);
      // A message of another model, with a different key, in between.
      battery(van, "cmsBattSoc", 12);
      eventually(
          () ->
              assertEquals(List.of("R331ZSINKS000001 19.0", "R601ZSINKS000002 12.0"), reported()));
      battery(garage, "pd.soc", 26);
      battery(garage, "pd.soc", 17);
      eventually(
          () ->
              assertEquals(
                  List.of(
                      "R331ZSINKS000001 19.0", "R601ZSINKS000002 12.0", "R331ZSINKS000001 17.0"),
                  reported()));
      run.terminateCleanly();

      HttpReceiver.Call call = receiver.calls().get(0);
      assertEquals("POST", call.method());
      assertEquals("/hook?key=1", call.uri());
      assertEquals("application/json", call.headers().getFirst("Content-Type"));
      assertEquals("Gar\\age, \"A\" = 1", json(call.body()).path("name").asText());
      assertEquals("DELTA 2", json(call.body()).path("product").asText());
      assertTrue(call.headers().keySet().stream().noneMatch(name -> name.startsWith("Ecoflow")));
    }

    /** A charge of 0 is sent for an absent battery; it must not be reported as low. */
    @Test
    void anUnknownChargeIsNotReported() {
      sink("battery-webhook");
      receiver = HttpReceiver.plain();
      receiver.start();
      run.start("COLLECTING_INTERVAL=0.1", "BATTERY_WEBHOOK_URL=" + receiver.url());

      battery(van, "cmsBattSoc", 0);
      battery(garage, "pd.soc", 0);
      assertEquals(List.of(), reported());
      battery(van, "bmsBattSoc", 12);
      eventually(() -> assertEquals(List.of("R601ZSINKS000002 12.0"), reported()));
      run.terminateCleanly();
    }

    @Test
    void aCallIsRepeatedWhenTheWebhookReturns() {
      sink("battery-webhook");
      receiver = HttpReceiver.plain();
      run.start("BATTERY_WEBHOOK_URL=" + receiver.url());
      push(garage, Map.of("pd.soc", 19));
      run.jar().awaitLine("The webhook call for the battery of R331ZSINKS000001 failed: ");
      push(garage, Map.of("pd.soc", 18));

      receiver.respondWith(503);
      receiver.start();
      eventually(() -> assertTrue(receiver.calls().size() > 1));
      receiver.respondWith(200);
      int before = receiver.calls().size();
      eventually(() -> assertTrue(receiver.calls().size() > before));
      awaitSnapshots();
      run.terminateCleanly();

      assertTrue(reported().get(before).startsWith("R331ZSINKS000001 1"), reported()::toString);
      // The call in progress can have got the first success.
      assertTrue(reported().size() <= before + 1, reported()::toString);
    }
  }

  @Nested
  class Influxdb {

    private List<LineProtocol.Point> points() {
      return receiver.calls().stream()
          .flatMap(call -> LineProtocol.read(call.body()).stream())
          .toList();
    }

    @Test
    void eachChangeIsAPointOfInfluxdb() {
      sink("influxdb");
      receiver = HttpReceiver.plain();
      run.start("INFLUXDB_URL=" + receiver.url(), "INFLUXDB_TOKEN=t0ken", "INFLUXDB_ORG=my house");
      push(garage, Map.of("pd.soc", 81));
      push(garage, Map.of("pd.watts", -1.5));
      receiver.start();
      eventually(() -> assertEquals(2, points().size()));
      garage.push(Map.of("a key, = with \\ all\n\"of it", 7, "cells", List.of(3, 4)));
      eventually(() -> assertEquals(3, points().size()));
      // A message without a value to write, and without a failure.
      garage.push(Collections.singletonMap("pd.watts", null));
      receiver.stop();
      push(garage, Map.of("pd.soc", 80));
      receiver.start();
      eventually(() -> assertEquals(4, points().size()));
      double updated = run.jar().page().lastUpdate(garage);
      run.terminateCleanly();
      assertEquals(List.of(), run.jar().log(" WARN "), "the outage was short");

      assertEquals(
          new LineProtocol.Point(
              "ecoflow",
              new TreeMap<>(
                  Map.of(
                      "device", "R331ZSINKS000001",
                      "name", "Gar_age, \"A\" = 1",
                      "product", "DELTA 2")),
              new TreeMap<>(Map.of("pd.soc", 81.0)),
              points().get(0).time()),
          points().get(0));
      assertEquals(Map.of("pd.watts", -1.5), points().get(1).fields());
      assertEquals(
          Map.of("a key, = with _ all_\"of it", 7.0, "cells[0]", 3.0, "cells[1]", 4.0),
          points().get(2).fields());
      assertEquals(Map.of("pd.soc", 80.0), points().get(3).fields());
      assertEquals(updated, points().get(3).time() / 1000.0, 0.001);
      HttpReceiver.Call call = receiver.calls().get(0);
      assertEquals("POST", call.method());
      assertEquals("/api/v2/write?org=my%20house&bucket=ecoflow&precision=ms", call.uri());
      assertEquals("Token t0ken", call.headers().getFirst("Authorization"));
      assertFalse(String.join("\n", run.jar().log()).contains("t0ken"));
    }
  }
}
