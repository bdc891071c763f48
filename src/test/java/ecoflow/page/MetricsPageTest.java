package ecoflow.page;

import static ecoflow.cloud.ApiPath.ACCOUNT_DEVICES;
import static ecoflow.cloud.ApiPath.CERTIFICATION;
import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.cloud.ApiPath.QUOTA;
import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Series;
import ecoflow.testkit.StrictPage;
import ecoflow.testkit.StrictPage.Family;
import ecoflow.testkit.Variables;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The page /metrics as an HTTP resource and in its two text formats. */
class MetricsPageTest {

  private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";
  private static final String OPEN_METRICS =
      "application/openmetrics-text; version=1.0.0; charset=utf-8";
  private static final String PROMETHEUS_2 =
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
  private static final String PROMETHEUS_3 =
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
          + "application/openmetrics-text;version=0.0.1;q=0.5,"
          + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
          + "*/*;q=0.2";
  private static final String PROMETHEUS_3_TEXT_ONLY = "text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
  private static final String SERIAL = "R601ZEB4HE000001";
  private static final String DEVICES = "ECOFLOW_DEVICE_SN=" + SERIAL + ",PLAIN1,OFF1";
  private static final String ONE_POLL = "COLLECTING_INTERVAL=3600";

  /** Suffixes of names with a meaning in Prometheus. */
  private static final List<String> ENDS =
      List.of("total", "info", "created", "bucket", "count", "sum");

  private static final String DEVICE_NAME = "Büro \"oben\"\\\n{le=\"1\"} 电";

  private static final SimulatedDevice RICH =
      new SimulatedDevice(SERIAL, DEVICE_NAME, "RIVER 2", WireFormat.JSON)
          .set(
              """
              {
                "pd.soc": 85,
                "cells": [[1, 2.5], [3]],
                "bms.a\\\\b\\n\\"c\\"\\u2028": 1,
                "pd.x": 1,
                "online": 1,
                "ns:chgPowerMs": -1e-7,
                "温度": 21
              }
              """);
  private static final SimulatedDevice PLAIN =
      new SimulatedDevice("PLAIN1", "Shed", null, WireFormat.JSON).set(Map.of("pd.soc", 7));
  private static final SimulatedDevice OFF =
      new SimulatedDevice("OFF1", "Off", null, WireFormat.JSON).set(Map.of("pd.soc", 8));

  static {
    for (String end : ENDS) {
      RICH.set(Map.of("pd.x_" + end, 1, "scrapeDurationSeconds_" + end, 1));
      RICH.set(Map.of("http.requests_" + end, 1));
    }
    OFF.setOnline(false);
  }

  /** After a single poll, the page does not change. */
  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.rest(DEVICES, ONE_POLL, "DEVICE_LIST_CACHE_TTL=3600")
          .with(RICH, PLAIN, OFF)
          .startedAtOnce();

  private static final Page page = exporter.page();

  @BeforeAll
  static void poll() {
    eventuallyPolled(page);
  }

  private static void eventuallyPolled(Page polled) {
    for (SimulatedDevice device : List.of(RICH, PLAIN)) {
      eventually(() -> assertEquals(1, polled.scrapes(device, "success"), device::serial));
    }
  }

  private static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse(null);
  }

  @Nested
  class Http {

    @ParameterizedTest
    @ValueSource(
        strings = {PROMETHEUS_2, PROMETHEUS_3, "application/openmetrics-text; version=1.0.0"})
    void prometheusGetsOpenMetrics(String accept) {
      HttpResponse<String> response = exporter.http().get("/metrics", "Accept", accept);
      assertEquals(200, response.statusCode());
      assertEquals(OPEN_METRICS, header(response, "Content-Type"));
      assertTrue(response.body().endsWith("\n# EOF\n"));
      assertEquals(1, response.body().lines().filter("# EOF"::equals).count());
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "*/*",
          "text/html,application/xhtml+xml,*/*;q=0.8",
          PROMETHEUS_3_TEXT_ONLY,
          "application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.6",
          "application/openmetrics-text;q=0,*/*"
        })
    void otherClientsGetText(String accept) {
      assertText(exporter.http().get("/metrics", "Accept", accept));
    }

    @Test
    void textIsTheDefault() {
      assertText(exporter.http().get("/metrics"));
    }

    private static void assertText(HttpResponse<String> response) {
      assertEquals(200, response.statusCode());
      assertEquals(TEXT, header(response, "Content-Type"));
      assertFalse(response.body().contains("# EOF"));
      assertTrue(response.body().contains("# TYPE ecoflow_http_requests_total counter\n"));
    }

    @ParameterizedTest
    @ValueSource(strings = {PROMETHEUS_3, "*/*"})
    void headHasTheHeadersOfGetWithoutBody(String accept) throws IOException {
      HttpResponse<String> get = exporter.http().get("/metrics", "Accept", accept);
      // Java's HTTP client would discard a body.
      String head;
      try (Socket socket = new Socket("localhost", exporter.http().port())) {
        String request =
            "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: %s\r\nConnection: close\r\n\r\n";
        socket.getOutputStream().write(request.formatted(accept).getBytes(StandardCharsets.UTF_8));
        head = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      }
      assertTrue(head.startsWith("HTTP/1.1 200 "), head);
      assertTrue(head.contains("\r\nContent-Type: " + header(get, "Content-Type") + "\r\n"), head);
      assertEquals(head.length(), head.indexOf("\r\n\r\n") + 4, head);
    }

    @Test
    void gzipOnlyOnRequest() throws IOException {
      for (String encodings : List.of("gzip", "deflate, gzip;q=0.5", "identity;q=0, GZIP")) {
        HttpResponse<byte[]> zipped =
            exporter
                .http()
                .send("GET", "/metrics", BodyHandlers.ofByteArray(), "Accept-Encoding", encodings);
        assertEquals("gzip", header(zipped, "Content-Encoding"));
        assertEquals(TEXT, header(zipped, "Content-Type"));
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(zipped.body()))) {
          assertEquals(
              page.text(), new String(in.readAllBytes(), StandardCharsets.UTF_8), encodings);
        }
      }
      for (String encodings : List.of("identity", "gzip;q=0", "br")) {
        HttpResponse<String> plain = exporter.http().get("/metrics", "Accept-Encoding", encodings);
        assertTrue(plain.headers().firstValue("Content-Encoding").isEmpty(), encodings);
        assertEquals(page.text(), plain.body());
      }
      assertTrue(exporter.http().get("/metrics").headers().map().get("content-encoding") == null);
    }

    @Test
    void otherPathsAndMethodsAreNotServed() {
      for (String path : List.of("/x", "/metrics/x", "/metric", "/metrics2", "/q/health")) {
        assertEquals(404, exporter.http().get(path).statusCode(), path);
      }
      for (String method : List.of("POST", "PUT", "DELETE")) {
        int status =
            exporter.http().send(method, "/metrics", BodyHandlers.discarding()).statusCode();
        assertTrue(status == 404 || status == 405, method + " " + status);
      }
    }
  }

  @Nested
  class Families {

    @Test
    void bothFormatsAreWellFormedAndEquivalent() {
      Map<String, Family> text = families(TEXT);
      Map<String, Family> openMetrics = families(OPEN_METRICS);
      assertEquals(values(text), values(openMetrics));
      Map<String, String> types =
          text.values().stream().collect(Collectors.toMap(Family::name, Family::type));
      Map<String, String> expected = new HashMap<>();
      for (Family family : openMetrics.values()) {
        switch (family.type()) {
          case "counter" -> expected.put(family.name() + "_total", "counter");
          // The text format does not have the type info.
          case "info" -> expected.put(family.name() + "_info", "gauge");
          default -> expected.put(family.name(), family.type());
        }
      }
      assertEquals(expected, types);
      for (Series series : text.get("ecoflow_pd_soc").series()) {
        if (series.labels().get("device").equals(SERIAL)) {
          // Control characters are removed from names.
          assertEquals(DEVICE_NAME.replace("\n", ""), series.labels().get("device_name"));
        }
      }
      assertEquals(2, text.get("ecoflow_pd_soc").series().size());
      assertEquals(3, text.get("ecoflow_cells").series().size());
      assertEquals(3, text.get("ecoflow_online").series().size());
      for (String end : ENDS) {
        assertEquals("gauge", text.get("ecoflow_pd_x_" + end).type(), end);
      }
    }

    @Test
    void theStrictReaderIsStrict() {
      String head = "# HELP a b\n# TYPE a gauge\n";
      assertEquals(1, StrictPage.read(head + "a{x=\"1\"} 1.0\n", false).size());
      for (String bad :
          List.of(
              head + "a 1",
              head + "\na 1\n",
              head + "a 1\na 2\n",
              head + "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n",
              head + "b 1\n",
              head + "a{} 1\n",
              head + "a{x=\"1\",} 1\n",
              head + "a{x=\"1\",x=\"2\"} 1\n",
              head + "a{x=\"\"\"} 1\n",
              head + "a{x=\"\\t\"} 1\n",
              head + "a 1 2\n",
              head + "a one\n",
              head + "a Infinity\n",
              head + "a 1\n" + head + "a{x=\"1\"} 1\n",
              head + "a 1\n# EOF\n",
              "# TYPE a gauge\na 1\n",
              "# HELP a b\na 1\n",
              "a 1\n",
              "# HELP a b\n# TYPE a counter\na -1\n",
              "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_count 1\na_sum 1\n",
              "# HELP a_sum b\n# TYPE a_sum gauge\na_sum 1\n# HELP a b\n# TYPE a histogram\n"
                  + "a_bucket{le=\"+Inf\"} 1\na_count 1\na_sum{} 1\n")) {
        assertThrows(AssertionError.class, () -> StrictPage.read(bad, false), bad);
      }
      assertThrows(AssertionError.class, () -> StrictPage.read(head + "a 1\n", true));
      assertThrows(
          AssertionError.class,
          () -> StrictPage.read("# HELP a b\n# TYPE a counter\na 1\n# EOF\n", true));
    }

    @Test
    void bucketsMatchThePythonExporter() {
      assertEquals(
          List.of(
              "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0",
              "+Inf"),
          buckets("http_request_duration_seconds", "endpoint", QUOTA));
      assertEquals(
          List.of("0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0", "60.0", "+Inf"),
          buckets("scrape_duration_seconds", "device", SERIAL));
    }

    @Test
    void allFamiliesHaveThePrefix() {
      try (RunningExporter home =
          RunningExporter.start(
              Variables.of(
                  exporter.cloud(), "rest", DEVICES, ONE_POLL, "METRICS_PREFIX=home:power"))) {
        Page homePage = home.page().withPrefix("home:power");
        eventuallyPolled(homePage);
        assertEquals(
            families(TEXT).keySet().stream()
                .map(name -> name.replaceFirst("^ecoflow_", "home:power_"))
                .toList(),
            List.copyOf(StrictPage.read(homePage.text(), false).keySet()));
        assertFalse(homePage.text().contains("ecoflow_cache"));
        assertEquals(1, homePage.cacheOperations("miss"));
      }
    }

    /** The first call to EcoFlow is delayed, so that nothing has been counted yet. */
    @Test
    void countersOfDeveloperKeysStartAtZero() {
      try (SimulatedCloud slow = SimulatedCloud.start()) {
        slow.faults().always(DEVICE_LIST, Fault.delay(Duration.ofSeconds(60)));
        try (RunningExporter fresh =
            RunningExporter.start(Variables.of(slow, "rest", "ECOFLOW_DEVICE_SN=PLAIN1"))) {
          eventually(() -> assertFalse(slow.requests().isEmpty()));
          String device =
              "device=\"PLAIN1\",device_general_key=\"unknown\",device_name=\"PLAIN1\","
                  + "product_name=\"Unknown\",";
          assertEquals(
              sorted(
                  COUNTERS_OF_ALL_MODES,
                  httpCounters(DEVICE_LIST, QUOTA),
                  """
                  ecoflow_cache_operations_total{result="miss"} 1.0
                  ecoflow_scrape_requests_total{DEVICEstatus="error"} 0.0
                  ecoflow_scrape_requests_total{DEVICEstatus="not_found"} 0.0
                  ecoflow_scrape_requests_total{DEVICEstatus="offline"} 0.0
                  ecoflow_scrape_requests_total{DEVICEstatus="success"} 0.0
                  """
                      .replace("DEVICE", device)),
              counters(fresh.page()));
          assertEquals(0, fresh.page().of("PLAIN1", "online"));
          assertEquals(0, fresh.page().of("PLAIN1", "scrape_duration_seconds_count"));
          assertEquals(0, fresh.page().of("PLAIN1", "metrics_collected"));
          assertEquals(List.of(), fresh.page().lines("mqtt_connected"));
          slow.faults().clear();
          slow.stopHttp();
        }
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mqtt", "device"})
    void countersOfAnAccountStartAtZero(String mode) {
      try (SimulatedCloud slow = SimulatedCloud.start()) {
        slow.faults().always(LOGIN, Fault.delay(Duration.ofSeconds(60)));
        try (RunningExporter fresh = RunningExporter.start(Variables.of(slow, mode))) {
          eventually(() -> assertFalse(slow.requests().isEmpty()));
          assertEquals(
              sorted(
                  COUNTERS_OF_ALL_MODES,
                  httpCounters(LOGIN, CERTIFICATION, ACCOUNT_DEVICES),
                  """
                  ecoflow_cache_operations_total{result="miss"} 0.0
                  """),
              counters(fresh.page()));
          assertEquals(
              List.of("ecoflow_mqtt_connected{client_type=\"" + mode + "\"} 0.0"),
              fresh.page().lines("mqtt_connected"));
          assertTrue(
              fresh.page().series("auth_duration_seconds_count", "client_type=" + mode).stream()
                  .allMatch(series -> series.value() == 0));
          slow.faults().clear();
          slow.stopHttp();
        }
      }
    }

    private static String httpCounters(String... paths) {
      return Stream.of(paths)
          .map(
              path ->
                  """
                  ecoflow_http_requests_total{endpoint="ENDPOINT",status="error"} 0.0
                  ecoflow_http_requests_total{endpoint="ENDPOINT",status="success"} 0.0
                  ecoflow_http_requests_total{endpoint="ENDPOINT",status="timeout"} 0.0
                  """
                      .replace("ENDPOINT", path))
          .collect(Collectors.joining());
    }

    private static final String COUNTERS_OF_ALL_MODES =
        """
        ecoflow_auth_requests_total{client_type="device",status="error"} 0.0
        ecoflow_auth_requests_total{client_type="device",status="success"} 0.0
        ecoflow_auth_requests_total{client_type="mqtt",status="error"} 0.0
        ecoflow_auth_requests_total{client_type="mqtt",status="success"} 0.0
        ecoflow_cache_operations_total{result="hit"} 0.0
        ecoflow_mqtt_message_errors_total{client_type="device"} 0.0
        ecoflow_mqtt_message_errors_total{client_type="mqtt"} 0.0
        ecoflow_mqtt_messages_dropped_total{client_type="device"} 0.0
        ecoflow_mqtt_messages_dropped_total{client_type="mqtt"} 0.0
        ecoflow_mqtt_messages_total{client_type="device",type="protobuf"} 0.0
        ecoflow_mqtt_messages_total{client_type="device",type="text"} 0.0
        ecoflow_mqtt_messages_total{client_type="mqtt",type="protobuf"} 0.0
        ecoflow_mqtt_messages_total{client_type="mqtt",type="text"} 0.0
        ecoflow_mqtt_reconnections_total{client_type="device"} 0.0
        ecoflow_mqtt_reconnections_total{client_type="mqtt"} 0.0
        ecoflow_protobuf_fields_dropped_total{cmd_func="254",cmd_id="21",reason="no_place"} 0.0
        ecoflow_protobuf_fields_dropped_total{cmd_func="254",cmd_id="21",reason="place"} 0.0
        ecoflow_protobuf_fields_dropped_total{cmd_func="254",cmd_id="21",reason="type"} 0.0
        ecoflow_protobuf_messages_total{cmd_func="254",cmd_id="21",outcome="broken"} 0.0
        ecoflow_protobuf_messages_total{cmd_func="254",cmd_id="21",outcome="decoded"} 0.0
        ecoflow_protobuf_messages_total{cmd_func="254",cmd_id="21",outcome="empty"} 0.0
        ecoflow_protobuf_messages_total{cmd_func="254",cmd_id="21",outcome="unknown"} 0.0
        ecoflow_quota_conflicts_total{kind="limit"} 0.0
        ecoflow_quota_conflicts_total{kind="long_key"} 0.0
        ecoflow_quota_conflicts_total{kind="own_metric"} 0.0
        ecoflow_quota_conflicts_total{kind="same_name"} 0.0
        ecoflow_quota_conflicts_total{kind="shape"} 0.0
        ecoflow_quota_requests_total{status="error"} 0.0
        ecoflow_quota_requests_total{status="sent"} 0.0
        ecoflow_quota_requests_total{status="skipped"} 0.0
        ecoflow_web_requests_refused_total{reason="answers"} 0.0
        ecoflow_web_requests_refused_total{reason="body"} 0.0
        ecoflow_web_requests_refused_total{reason="connections"} 0.0
        ecoflow_web_requests_refused_total{reason="host"} 0.0
        ecoflow_web_requests_refused_total{reason="malformed"} 0.0
        ecoflow_web_requests_refused_total{reason="pipelined"} 0.0
        ecoflow_web_requests_refused_total{reason="reader"} 0.0
        """;

    /**
     * Prometheus' own parser. It also reports names, but those of quotas are chosen by the device.
     */
    @Test
    void promtoolAcceptsTheNamesOfTheExporter(@TempDir Path directory) throws Exception {
      boolean installed =
          Stream.of(System.getenv("PATH").split(File.pathSeparator))
              .anyMatch(path -> Files.isExecutable(Path.of(path, "promtool")));
      assumeTrue(installed, "promtool is not installed");
      Path file = Files.writeString(directory.resolve("page"), page.text());
      Path output = directory.resolve("output");
      Process promtool =
          new ProcessBuilder("promtool", "check", "metrics")
              .redirectInput(file.toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      assertTrue(promtool.waitFor(60, TimeUnit.SECONDS));
      Map<String, Family> families = families(TEXT);
      List<String> complaints = Files.readAllLines(output);
      // It reports the names of the quotas in this test.
      assertTrue(complaints.stream().anyMatch(line -> line.startsWith("ecoflow_pd_x_total ")));
      for (String complaint : complaints) {
        Family family = families.get(complaint.split(" ")[0]);
        assertTrue(family != null && family.help().startsWith("EcoFlow quota "), complaint);
      }
      // 3: parsed without errors, but with lint findings.
      assertEquals(3, promtool.exitValue());
    }

    private static Map<String, Family> families(String contentType) {
      HttpResponse<String> response =
          exporter.http().get("/metrics", "Accept", contentType.replaceFirst("; charset.*", ""));
      assertEquals(contentType, header(response, "Content-Type"));
      return StrictPage.read(response.body(), contentType.equals(OPEN_METRICS));
    }

    private static Map<String, Double> values(Map<String, Family> page) {
      Map<String, Double> values = new TreeMap<>();
      for (Family family : page.values()) {
        for (Series series : family.series()) {
          values.put(series.name() + new TreeMap<>(series.labels()), series.value());
        }
      }
      return values;
    }

    private static List<String> buckets(String name, String label, String value) {
      return families(TEXT).get("ecoflow_" + name).series().stream()
          .filter(series -> value.equals(series.labels().get(label)))
          .map(series -> series.labels().get("le"))
          .filter(le -> le != null)
          .toList();
    }

    private static List<String> counters(Page fresh) {
      return fresh
          .text()
          .lines()
          .filter(line -> line.matches("\\w+_total[{ ].*"))
          .sorted()
          .toList();
    }

    private static List<String> sorted(String... texts) {
      List<String> lines = new ArrayList<>();
      for (String text : texts) {
        lines.addAll(text.lines().toList());
      }
      return lines.stream().sorted().toList();
    }
  }
}
