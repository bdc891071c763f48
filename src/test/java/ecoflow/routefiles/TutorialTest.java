package ecoflow.routefiles;

import static ecoflow.testkit.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import ecoflow.cloud.ApiPath;
import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.LocalBroker;
import ecoflow.testkit.Page;
import ecoflow.testkit.RoutesDirectory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The recipes of docs/ROUTES.md, in an exporter with the packaged routes. */
class TutorialTest {

  private static final Path RECIPES = Path.of("examples/routes/tutorial");

  /** The serial number in poll-less-often. */
  private final SimulatedDevice delta =
      new SimulatedDevice("R331ZEB4ZE000001", "Garage", "DELTA 2", WireFormat.JSON);

  private final SimulatedDevice river =
      new SimulatedDevice("R601ZEB4ZE000002", "Van", "RIVER 2", WireFormat.JSON);

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.mqtt().with(delta, river);

  @TempDir Path directory;
  private final Page page = exporter.page();

  private RoutesDirectory recipe(String... names) {
    Path[] files = new Path[names.length];
    for (int i = 0; i < names.length; i++) {
      files[i] = RECIPES.resolve(names[i] + ".camel.yaml");
    }
    return RoutesDirectory.of(directory.resolve("routes"), files);
  }

  private void start(RoutesDirectory routes, String... variables) {
    startIn("mqtt", routes, variables);
    page.eventuallyConnected(1);
  }

  private void startIn(String mode, RoutesDirectory routes, String... variables) {
    String[] all = List.of(variables).toArray(new String[variables.length + 1]);
    all[variables.length] = routes.additionalRoutes();
    exporter.startIn(mode, all);
  }

  private void publishOffline(SimulatedDevice device) {
    device.publishStatus("{\"params\":{\"status\":0}}");
  }

  /** The text contains the files. */
  @Test
  void theTutorialShowsEachFile() throws IOException {
    String tutorial = Files.readString(Path.of("docs/ROUTES.md"));
    try (Stream<Path> files = Files.list(RECIPES)) {
      List<Path> all = files.toList();
      assertEquals(all.size(), tutorial.split("```yaml\n", -1).length - 1);
      for (Path file : all) {
        String block = "```yaml\n" + Files.readString(file) + "```\n";
        assertTrue(tutorial.contains(block), () -> file + " differs from the tutorial");
      }
    }
    Path test = Path.of("examples/route-test/src/test/java/BatteryLevelTest.java");
    assertTrue(tutorial.contains("```java\n" + Files.readString(test) + "```\n"), "test");
  }

  @Test
  void aFailedStepLosesOneMessage() {
    start(
        recipe("rename-metric")
            .edit("rename-metric.camel.yaml", "body.remove('pd.soc')", "body.nothing('pd.soc')"));

    delta.push(Map.of("pd.watts", 5));
    delta.push(Map.of("pd.soc", 81));
    delta.push(Map.of("pd.watts", 6));

    page.eventuallyShows(delta, "pd_watts", 6);
    assertEquals(List.of("pd_watts"), page.namesOf(delta));
    assertEquals(1, page.mqttErrors());
  }

  /** Frames are also read into maps, which steps can change. */
  @Test
  void framesUseTheSameEntryPoint() {
    SimulatedDevice frames =
        new SimulatedDevice("R601ZFRAMES00003", "Boat", null, WireFormat.PROTOBUF_XOR);
    exporter.cloud().add(frames);
    RoutesDirectory routes =
        recipe("rename-metric", "drop-keys", "computed-value")
            .edit("rename-metric.camel.yaml", "pd.soc", "bms_batt_soc")
            .edit("drop-keys.camel.yaml", "pd\\\\.wifi.*", "lcd_light")
            .edit("computed-value.camel.yaml", "mppt.pv1InputWatts", "pow_get_ac")
            .edit("computed-value.camel.yaml", "mppt.pv2InputWatts", "pow_get_12v");
    start(routes);

    frames.push(Map.of("bmsBattSoc", 81, "lcdLight", 3, "powGetAc", 10.5, "powGet12v", 2));

    page.eventuallyShows(frames, "battery_level", 81);
    assertTrue(page.namesOf(frames).contains("pow_get_ac"), () -> "" + page.namesOf(frames));
    assertFalse(page.namesOf(frames).contains("lcd_light"));
    assertEquals(12.5, page.of(frames, "solar_total"), () -> "" + page.namesOf(frames));
    publishOffline(frames);
    page.eventuallyShows(frames, "battery_level", Double.NaN);
    assertEquals(0, page.mqttErrors());
  }

  @Test
  void logValues() {
    start(recipe("look"));

    delta.push(Map.of("pd.soc", 81));

    page.eventuallyShows(delta, "pd_soc", 81);
  }

  @Test
  void aSecondKeyKeepsTheNormalisedSeries() {
    start(recipe("second-key"));

    delta.push(Map.of("pd.soc", 81));
    page.eventuallyShows(delta, "battery_level", 81);
    assertEquals(81, page.of(delta, "pd_soc"));

    // A message without the value does not change the second key.
    delta.push(Map.of("pd.wattsOutSum", 5));
    page.eventuallyShows(delta, "pd_watts_out_sum", 5);
    assertEquals(81, page.of(delta, "battery_level"));

    delta.push(Map.of("pd.soc", "unknown"));
    page.eventuallyShows(delta, "battery_level", Double.NaN);
    publishOffline(delta);
    assertEquals(0, page.mqttErrors());
  }

  @Test
  void scale() {
    start(recipe("scale-value"));

    delta.push(Map.of("pd.wattsOutSum", 1500));
    page.eventuallyShows(delta, "output_kilowatts", 1.5);
    assertEquals(1500, page.of(delta, "pd_watts_out_sum"));

    delta.push(Map.of("pd.wattsOutSum", 3));
    page.eventuallyShows(delta, "output_kilowatts", 0.003);
    publishOffline(delta);
    page.eventuallyShows(delta, "output_kilowatts", Double.NaN);
    assertEquals(0, page.mqttErrors());
  }

  /** Zones in which it is now about noon and about midnight. */
  @ParameterizedTest
  @ValueSource(ints = {12, 0})
  void thePriceDependsOnTheTimeInTheZone(int hour) {
    int offset = hour - java.time.ZonedDateTime.now(java.time.ZoneOffset.UTC).getHour();
    int shift = offset < -11 ? offset + 24 : offset;
    // The signs of these zones are inverted.
    String zone = "Etc/GMT" + (shift > 0 ? "-" : "+") + Math.abs(shift);
    start(recipe("time-of-day").edit("time-of-day.camel.yaml", "Europe/Berlin", zone));

    delta.push(Map.of("pd.soc", 81));

    page.eventuallyShows(delta, "tariff_price", hour == 12 ? 0.35 : 0.22);
    assertEquals(0, page.mqttErrors());
  }

  @Test
  void rename() {
    start(recipe("rename-metric"));

    delta.push(Map.of("pd.soc", 81, "pd.watts", 5));
    page.eventuallyShows(delta, "battery_level", 81);
    assertEquals(List.of("battery_level", "pd_watts"), page.namesOf(delta));

    delta.push(Map.of("pd.watts", 6));
    delta.push(Map.of("pd.soc", 80));
    page.eventuallyShows(delta, "battery_level", 80);

    delta.push(Map.of("pd.soc", "none"));
    page.eventuallyShows(delta, "battery_level", Double.NaN);
    assertEquals(6, page.of(delta, "pd_watts"));

    publishOffline(delta);
    page.eventuallyShows(delta, "pd_watts", Double.NaN);
    delta.push(Map.of("pd.soc", 79));
    page.eventuallyShows(delta, "battery_level", 79);
    assertEquals(List.of("battery_level"), page.namesOf(delta));
    assertEquals(0, page.mqttErrors());
  }

  @Test
  void drop() {
    start(recipe("drop-keys"));

    delta.push(Map.of("pd.wifiRssi", -50, "pd.soc", 81, "bms.reserved1", 3, "wifi", 1));
    page.eventuallyShows(delta, "pd_soc", 81);
    assertEquals(List.of("pd_soc", "wifi"), page.namesOf(delta));

    delta.push(Map.of("pd.wifiRssi", -51));
    delta.push(Map.of("pd.soc", 80));
    page.eventuallyShows(delta, "pd_soc", 80);
    assertEquals(List.of("pd_soc", "wifi"), page.namesOf(delta));
    assertEquals(0, page.mqttErrors());
  }

  @Test
  void severalFiles() {
    start(recipe("look", "rename-metric", "drop-keys", "computed-value"));

    delta.push(Map.of("pd.soc", 81, "pd.wifiRssi", -50, "mppt.pv1InputWatts", 10));
    delta.push(Map.of("mppt.pv2InputWatts", 20));

    page.eventuallyShows(delta, "solar_total", 30);
    assertEquals(
        List.of("battery_level", "mppt_pv1_input_watts", "mppt_pv2_input_watts", "solar_total"),
        page.namesOf(delta));
  }

  @Test
  void pollADeviceLessOften() {
    delta.set(Map.of("pd.soc", 81));
    river.set(Map.of("pd.soc", 50));
    startIn("rest", recipe("poll-less-often"));
    page.eventuallyShows(delta, "pd_soc", 81);

    delta.set(Map.of("pd.soc", 80));
    page.eventuallyScrapes(river, "success", 6);

    assertEquals(1, polls(delta).size());
    assertEquals(81, page.of(delta, "pd_soc"));
    delta.setOnline(false);
    page.eventuallyShows(delta, "pd_soc", Double.NaN);
    assertEquals(1, polls(delta).size());
  }

  private List<CloudRequest> polls(SimulatedDevice device) {
    return exporter.cloud().requests(ApiPath.QUOTA, device);
  }

  @Test
  void pollAgainWhenValuesAreOldEnough() {
    delta.set(Map.of("pd.soc", 81));
    RoutesDirectory routes =
        recipe("poll-less-often").edit("poll-less-often.camel.yaml", "30000", "1200");
    startIn("rest", routes);
    page.eventuallyShows(delta, "pd_soc", 81);

    delta.set(Map.of("pd.soc", 80));
    page.eventuallyShows(delta, "pd_soc", 80);

    page.eventuallyScrapes(delta, "success", 3);
    List<CloudRequest> polls = polls(delta);
    for (int i = 1; i < 3; i++) {
      long after = polls.get(i).millisAfter(polls.get(i - 1));
      assertTrue(after >= 1200, "after " + after + " ms");
    }
    delta.setOnline(false);
    page.eventuallyShows(delta, "pd_soc", Double.NaN);
    delta.setOnline(true);
    page.eventuallyShows(delta, "pd_soc", 80);
  }

  @Test
  void addASink() {
    Path values = directory.resolve("values");
    start(
        recipe("add-a-sink")
            .edit("add-a-sink.camel.yaml", "directoryName: values", "directoryName: " + values));

    delta.push(Map.of("pd.soc", 81));
    eventuallyContains(values.resolve("R331ZEB4ZE000001.jsonl"), "{\"pd.soc\":81.0}");
    delta.push(Map.of("pd.soc", 81));
    delta.push(Map.of("pd.soc", 80));
    river.push(Map.of("pd.soc", 50));
    eventuallyContains(
        values.resolve("R331ZEB4ZE000001.jsonl"), "{\"pd.soc\":81.0}", "{\"pd.soc\":80.0}");
    eventuallyContains(values.resolve("R601ZEB4ZE000002.jsonl"), "{\"pd.soc\":50.0}");

    publishOffline(delta);
    eventuallyContains(
        values.resolve("R331ZEB4ZE000001.jsonl"),
        "{\"pd.soc\":81.0}",
        "{\"pd.soc\":80.0}",
        "{\"pd.soc\":null}");
    assertEquals(
        4, page.own("sink_messages_total", "sink=changes-file", "result=taken"), "messages");
  }

  private static void eventuallyContains(Path file, String... lines) {
    eventually(
        () -> {
          assertTrue(Files.exists(file), () -> file + " is missing");
          assertEquals(List.of(lines), Files.readAllLines(file));
        });
  }

  @Test
  void compute() {
    start(recipe("computed-value"));

    delta.push(Map.of("mppt.pv1InputWatts", 10.5));
    page.eventuallyShows(delta, "mppt_pv1_input_watts", 10.5);
    assertEquals(Double.NaN, page.of(delta, "solar_total"), "one input is unknown");
    delta.push(Map.of("mppt.pv2InputWatts", 20));
    page.eventuallyShows(delta, "solar_total", 30.5);
    delta.push(Map.of("mppt.pv1InputWatts", 11, "mppt.pv2InputWatts", 21));
    page.eventuallyShows(delta, "solar_total", 32);
    delta.push("{\"mppt\":{\"pv1InputWatts\":12}}");
    page.eventuallyShows(delta, "solar_total", 33);

    delta.push(Map.of("mppt.pv2InputWatts", "none"));
    page.eventuallyShows(delta, "solar_total", Double.NaN);
    delta.push(Map.of("mppt.pv1InputWatts", 13));
    page.eventuallyShows(delta, "mppt_pv1_input_watts", 13);
    assertEquals(Double.NaN, page.of(delta, "solar_total"), "one input is unknown");
    delta.push(Map.of("mppt.pv2InputWatts", 0));
    page.eventuallyShows(delta, "solar_total", 13);
    assertEquals(Double.NaN, page.of(river, "solar_total"));

    publishOffline(delta);
    page.eventuallyShows(delta, "solar_total", Double.NaN);
    delta.push(Map.of("mppt.pv1InputWatts", 14));
    page.eventuallyShows(delta, "mppt_pv1_input_watts", 14);
    assertEquals(Double.NaN, page.of(delta, "solar_total"), "the other input is from before");
    assertEquals(0, page.mqttErrors());
  }

  /** Routes that were written before currentValue and addInput existed continue to work. */
  @Test
  void inputOfReturnsAValueAndAddsTheInput() {
    start(
        recipe("computed-value")
            .edit("computed-value.camel.yaml", "currentValue(*", "inputOf(*, 'solar.total'")
            .edit("computed-value.camel.yaml", "addInput(*, 'solar.total'", "addInput(*, 'other'"));
    delta.push(Map.of("mppt.pv1InputWatts", 10, "mppt.pv2InputWatts", 20));
    page.eventuallyShows(delta, "solar_total", 30);

    delta.push(Map.of("mppt.pv2InputWatts", "none"));
    page.eventuallyShows(delta, "solar_total", Double.NaN);
    assertEquals(10, page.of(delta, "mppt_pv1_input_watts"));
  }

  /** Also between two messages: the page never shows the sum without its inputs. */
  @Test
  void aComputedValueExpiresWithItsInput() {
    start(recipe("computed-value"), "ECOFLOW_SERIES_TTL=1.5");
    delta.push(Map.of("mppt.pv2InputWatts", 20));

    int together = 0;
    boolean shown = true;
    for (int watts = 1; shown; watts++) {
      delta.push(Map.of("mppt.pv1InputWatts", watts));
      exporter.settle(delta);
      List<String> lines = page.linesOf(delta.serial());
      shown = has(lines, "mppt_pv2_input_watts");
      assertEquals(shown, has(lines, "solar_total"), lines::toString);
      assertTrue(has(lines, "mppt_pv1_input_watts"));
      together += shown ? 1 : 0;
    }
    assertTrue(together > 0);
  }

  private static boolean has(List<String> lines, String name) {
    return lines.stream().anyMatch(line -> line.startsWith("ecoflow_" + name + "{"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rest", "mqtt", "device"})
  void readJsonOverHttp(String mode) throws IOException {
    delta.set(Map.of("pd.soc", 81));
    try (JsonDevice plug = new JsonDevice()) {
      plug.answer = "{\"apower\":12.5,\"temperature\":{\"tC\":35},\"output\":true,\"id\":\"a\"}";
      startIn(
          mode,
          recipe("json-over-http")
              .edit("json-over-http.camel.yaml", "192.168.1.50/status", plug.address())
              .edit("json-over-http.camel.yaml", "period: 10000", "period: 100"),
          "MQTT_TIMEOUT=2");

      page.eventuallyShows("PLUG1", "apower", 12.5, "device_name=Washing machine");
      assertEquals(35, page.of("PLUG1", "temperature_t_c"));
      assertEquals(1, page.of("PLUG1", "output"));
      assertEquals(1, page.of("PLUG1", "online"));
      plug.answer = "{\"apower\":13}";
      page.eventuallyShows("PLUG1", "apower", 13);

      plug.answer = "busy";
      page.eventuallyShows("PLUG1", "apower", Double.NaN);
      assertEquals(0, page.of("PLUG1", "online"));
      plug.answer = "{\"apower\":14}";
      page.eventuallyShows("PLUG1", "apower", 14);
      assertEquals(Double.NaN, page.of("PLUG1", "temperature_t_c"), "from before");
      if (mode.equals("rest")) {
        page.eventuallyShows(delta, "pd_soc", 81);
      } else {
        eventually(
            () -> {
              delta.pushAll();
              assertEquals(81, page.of(delta, "pd_soc"));
            });
      }
    }
    assertFalse(exporter.cloud().requests().toString().contains("PLUG1"));
    assertFalse(exporter.cloud().subscriptions().toString().contains("PLUG1"));
    assertFalse(exporter.cloud().messages().toString().contains("PLUG1"));
  }

  /** Returns a text for each request. */
  private static final class JsonDevice implements AutoCloseable {

    private final HttpServer server;
    volatile String answer = "{}";

    JsonDevice() throws IOException {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext(
          "/",
          exchange -> {
            byte[] body = answer.getBytes(UTF_8);
            exchange.getResponseHeaders().set("EcoflowDevice", "from-outside");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
          });
      server.start();
    }

    String address() {
      return "127.0.0.1:" + server.getAddress().getPort() + "/status";
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }

  @Test
  void readJsonOverMqtt() {
    try (LocalBroker broker = new LocalBroker()) {
      start(
          recipe("json-over-mqtt")
              .edit("json-over-mqtt.camel.yaml", "tcp://192.168.1.2:1883", broker.url())
              .edit(
                  "json-over-mqtt.camel.yaml",
                  "maxReconnectDelay: 10000",
                  "maxReconnectDelay: 500"));
      delta.push(Map.of("pd.soc", 81));
      page.eventuallyShows(delta, "pd_soc", 81);
      assertEquals("healthy\n", exporter.http().get("/-/healthy").body(), "without the broker");

      broker.start();
      eventuallyPublishes(broker, 55);
      assertEquals(55, page.of("BOILER1", "water_temperature", "device_name=Boiler"));
      broker.publish("tele/boiler/SENSOR", "no JSON");
      eventuallyPublishes(broker, 56);

      broker.stop();
      broker.start();
      eventuallyPublishes(broker, 57);
      assertEquals(1, page.of("BOILER1", "online"));
    }
  }

  private void eventuallyPublishes(LocalBroker broker, int degrees) {
    eventually(
        () -> {
          broker.publish("tele/boiler/SENSOR", "{\"water\":{\"temperature\":" + degrees + "}}");
          assertEquals(degrees, page.of("BOILER1", "water_temperature"));
        });
  }
}
