package ecoflow.registries;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.OtlpReceiver;
import ecoflow.testkit.Page;
import ecoflow.testkit.Ports;
import ecoflow.testkit.RoutesDirectory;
import ecoflow.testkit.Series;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Device series in additional Micrometer registries, as received by a server. */
class RegistriesTest {

  private static final String OFTEN = "OTLP_STEP=100ms";
  private static final String NEVER = "OTLP_STEP=10h";

  private final SimulatedDevice delta =
      new SimulatedDevice("R331ZREG00000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(
              """
              {"pd.soc": 71, "pd.watts": 0, "pd.typec_total": -1.5, "bms.cells": [3301, 3302]}
              """);
  private final SimulatedDevice river =
      new SimulatedDevice("R601ZREG00000002", "Van \"B\"", "RIVER 2", WireFormat.PROTOBUF_XOR)
          .set(Map.of("powInSumW", 0, "powOutSumW", 6));

  @RegisterExtension
  final ExporterExtension exporter = ExporterExtension.device().with(delta, river);

  @TempDir Path directory;
  private final Page page = exporter.page();
  private final OtlpReceiver receiver = new OtlpReceiver();

  @AfterEach
  void stopReceiver() {
    // The exporter publishes the last values.
    exporter.stop();
    receiver.close();
  }

  private void start(String... more) {
    exporter.start(variables(more));
  }

  private void startIn(String mode, String... more) {
    exporter.startIn(mode, variables(more));
  }

  private String[] variables(String... more) {
    List<String> all =
        new ArrayList<>(
            List.of("ECOFLOW_MICROMETER_REGISTRIES=otlp", "OTLP_URL=" + receiver.url()));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  /** The device series on the metrics page, for comparison with the gauges. */
  private Set<Series> onPage(SimulatedDevice device) {
    List<String> names = page.namesOf(device);
    return names.stream()
        .flatMap(name -> page.series(name, "device=" + device.serial()).stream())
        .map(RegistriesTest::sorted)
        .collect(Collectors.toSet());
  }

  private static Series sorted(Series series) {
    return new Series(series.name(), new TreeMap<>(series.labels()), series.value());
  }

  private static List<Series> of(SimulatedDevice device, List<Series> publication) {
    return publication.stream()
        .filter(series -> device.serial().equals(series.labels().get("device")))
        .toList();
  }

  private static List<Double> values(
      List<Series> publication, SimulatedDevice device, String name) {
    return of(device, publication).stream()
        .filter(series -> series.name().equals(name))
        .map(Series::value)
        .toList();
  }

  private void eventuallyPublished(SimulatedDevice device, String name, Double... values) {
    eventually(() -> assertEquals(List.of(values), values(receiver.latest(), device, name)));
  }

  /** Waits for publications that start after this call, and returns them. */
  private List<List<Series>> next() {
    // One can be in progress.
    int before = receiver.count() + 1;
    eventually(() -> assertTrue(receiver.count() >= before + 3));
    return receiver.after(before);
  }

  @Test
  void publishedSeriesEqualThoseOnThePage() {
    start(OFTEN);
    eventuallyPublished(delta, "ecoflow_bms_cells", 3301.0, 3302.0);
    eventuallyPublished(river, "ecoflow_pow_out_sum_w", 6.0);

    for (SimulatedDevice device : List.of(delta, river)) {
      eventually(
          () -> {
            List<Series> published = of(device, receiver.latest());
            assertEquals(onPage(device), Set.copyOf(published));
            assertEquals(onPage(device).size(), published.size(), "no series twice");
          });
    }
    assertEquals(
        List.of(
            new Series(
                "ecoflow_pd_typec_total",
                new TreeMap<>(
                    Map.of(
                        "device",
                        delta.serial(),
                        "device_name",
                        "Garage",
                        "product_name",
                        "DELTA 2",
                        "device_general_key",
                        "unknown")),
                -1.5)),
        receiver.latest().stream()
            .filter(series -> series.name().equals("ecoflow_pd_typec_total"))
            .toList());

    delta.push("{\"pd.soc\": 72}");
    eventuallyPublished(delta, "ecoflow_pd_soc", 72.0);
    eventuallyPublished(delta, "ecoflow_pd_watts", 0.0);
  }

  @Test
  void removedSeriesAreNotPublished() {
    startIn("mqtt", OFTEN, "METRICS_PREFIX=my");
    eventually(
        () -> {
          delta.pushAll();
          river.pushAll();
          assertEquals(List.of(71.0), values(receiver.latest(), delta, "my_pd_soc"));
          assertEquals(List.of(6.0), values(receiver.latest(), river, "my_pow_out_sum_w"));
        });

    delta.push("{\"bms.cells\": [3300]}");
    eventuallyPublished(delta, "my_bms_cells", 3300.0);
    delta.publish("{\"params\": {\"pd.soc\": null}}");
    eventuallyPublished(delta, "my_pd_soc");
    for (List<Series> publication : next()) {
      assertEquals(List.of(), values(publication, delta, "my_pd_soc"));
      assertEquals(List.of(3300.0), values(publication, delta, "my_bms_cells"));
    }

    delta.publishStatus("{\"params\": {\"status\": 0}}");
    eventually(() -> assertEquals(List.of(), of(delta, receiver.latest())));
    for (List<Series> publication : next()) {
      assertEquals(List.of(), of(delta, publication));
      assertFalse(of(river, publication).isEmpty());
    }

    // Values from before the device went offline do not reappear.
    delta.push("{\"pd.watts\": 5}");
    eventuallyPublished(delta, "my_pd_watts", 5.0);
    assertEquals(1, of(delta, receiver.latest()).size());
  }

  /** Without scrapes, and with a long collecting interval. */
  @Test
  void expiredSeriesAreNotPublished() {
    startIn("mqtt", OFTEN, "COLLECTING_INTERVAL=3600", "MQTT_TIMEOUT=2");
    eventually(
        () -> {
          delta.pushAll();
          assertEquals(List.of(71.0), values(receiver.latest(), delta, "ecoflow_pd_soc"));
        });

    eventually(
        () -> {
          river.pushAll();
          assertEquals(List.of(), of(delta, receiver.latest()));
          assertFalse(of(river, receiver.latest()).isEmpty());
        });
  }

  @Test
  void gaugesFollowTheNameOfADevice() {
    startIn("rest", OFTEN);
    eventuallyPublished(delta, "ecoflow_pd_soc", 71.0);
    SimulatedDevice renamed =
        new SimulatedDevice(delta.serial(), "Cellar", "DELTA 2", WireFormat.JSON)
            .set(delta.quota());
    exporter.cloud().add(renamed);

    eventually(
        () ->
            assertEquals(
                Set.of("Cellar"),
                of(delta, receiver.latest()).stream()
                    .map(series -> series.labels().get("device_name"))
                    .collect(Collectors.toSet())));
    for (List<Series> publication : next()) {
      assertEquals(onPage(delta), Set.copyOf(of(delta, publication)));
    }
  }

  @Test
  void theLastValuesArePublishedOnShutdown() {
    start(NEVER);
    page.eventuallyShows(delta, "pd_soc", 71);
    Set<Series> shown = onPage(delta);
    assertEquals(0, receiver.count());

    exporter.stop();

    assertEquals(1, receiver.count());
    assertEquals(shown, Set.copyOf(of(delta, receiver.latest())));
  }

  /** The timeout of the registry is an hour. */
  @Test
  @Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aHangingReceiverDoesNotDelayTheShutdown() throws IOException {
    try (ServerSocket hangs = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      exporter.start(
          "ECOFLOW_MICROMETER_REGISTRIES=influx",
          "INFLUX_URI=http://localhost:" + hangs.getLocalPort(),
          "INFLUX_STEP=10h",
          "INFLUX_READ_TIMEOUT=1h");
      page.eventuallyShows(delta, "pd_soc", 71);

      exporter.stop();

      try (Socket asked = hangs.accept()) {
        assertTrue(asked.getInputStream().read() >= 0, "it was about to publish");
      }
    }
  }

  /** With Camel's own main class, and a bean in a file next to the routes. */
  private ChildProcess startProcess(String... more) throws IOException {
    RoutesDirectory routes = RoutesDirectory.copyTo(directory.resolve("routes"));
    // The beans of other modes do not exist in this mode.
    for (String other : List.of("rest-device-list", "rest-device-values", "http-redelivery")) {
      Files.delete(routes.directory().resolve(other + ".camel.yaml"));
    }
    Files.writeString(
        routes.directory().resolve("otlp.camel.yaml"),
        """
        - beans:
            - name: collector
              type: "#class:io.micrometer.registry.otlp.OtlpMeterRegistry"
        """);
    Map<String, String> variables =
        Variables.of(
            exporter.cloud(),
            "device",
            "EXPORTER_PORT=" + Ports.next(),
            "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=" + routes.pattern(),
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=" + receiver.url(),
            "OTEL_METRIC_EXPORT_INTERVAL=100");
    for (String assignment : more) {
      String[] parts = assignment.split("=", 2);
      variables.put(parts[0], parts[1]);
    }
    return ChildProcess.exporter(directory, directory.resolve("log"), variables, List.of());
  }

  @Test
  void aRegistryBeanOfARouteFileHasTheGauges() throws IOException {
    try (ChildProcess process = startProcess()) {
      eventually(
          () ->
              assertEquals(
                  List.of(71.0),
                  values(receiver.latest(), delta, "ecoflow_pd_soc"),
                  () -> "" + process.lines()));
      process.signal("TERM");
      assertEquals(143, process.exitCode());
      assertEquals(
          1,
          process.lines().stream()
              .filter(
                  line -> line.endsWith("Device series are also published to OtlpMeterRegistry"))
              .count(),
          () -> "" + process.lines());
    }
  }

  @Test
  void failuresToPublishAreLoggedOnce() throws IOException {
    receiver.close();
    int port = Ports.next();
    // One of them logs with Micrometer's logger, the other with its own.
    try (ChildProcess process =
        startProcess(
            "ECOFLOW_MICROMETER_REGISTRIES=influx",
            "INFLUX_URI=http://localhost:" + port,
            "INFLUX_AUTO_CREATE_DB=false",
            "INFLUX_STEP=100ms",
            // DEBUG also shows the suppressed lines.
            "LOG_LEVEL=DEBUG",
            "JAVA_TOOL_OPTIONS=-Dorg.slf4j.simpleLogger.log.io.micrometer=debug")) {
      eventually(
          () -> {
            assertTrue(count(process, "DEBUG OtlpMeterRegistry - Failed to publish") >= 3);
            assertTrue(count(process, "DEBUG InfluxMeterRegistry - failed to send") >= 3);
          });
      process.signal("TERM");
      assertEquals(143, process.exitCode());

      assertEquals(
          List.of(
              "InfluxMeterRegistry - failed to send metrics to influx:"
                  + " connection refused or host unreachable",
              "OtlpMeterRegistry - Failed to publish metrics to OTLP receiver (context: url="
                  + receiver.url()
                  + ", resource-attributes={}): connection refused or host unreachable"),
          process.lines().stream()
              .filter(line -> line.contains(" WARN "))
              // The exporter can stop during the last publication.
              .filter(line -> !line.contains("Publishing is already in progress"))
              .map(line -> line.substring(line.indexOf(" WARN ") + 6))
              .sorted()
              .toList());
      assertEquals(0, count(process, "\tat "), () -> "" + process.lines());
    }
  }

  private static long count(ChildProcess process, String words) {
    return process.lines().stream().filter(line -> line.contains(words)).count();
  }
}
