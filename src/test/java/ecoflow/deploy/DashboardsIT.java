package ecoflow.deploy;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.Fleet;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Dashboard;
import ecoflow.testkit.Dashboard.Query;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.PrometheusServer;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Evaluates all expressions of the dashboards in a real Prometheus, which scrapes the packaged jar
 * with the simulated cloud.
 */
class DashboardsIT {

  /** The number of simulation steps; larger than the window of rates in seconds. */
  private static final int STEPS = 20;

  /**
   * Panels that are empty without failures, or without features that the simulated fleet lacks: a
   * second month, failing devices, a full charge, sinks.
   */
  private static final Set<String> EMPTY =
      Set.of(
          "Errors",
          "Unknown messages",
          "Protobuf messages by outcome",
          "Conflicts",
          "Messages to sinks",
          "Self-sufficiency in 24 hours",
          "Cost and savings in 24 hours");

  /** The title of the panel for metrics of some models. */
  private static final String FURTHER = "$metric";

  /** Queries from the dashboard of the Python exporter, whose names must remain valid. */
  private static final List<String> OF_THE_REFERENCE =
      List.of(
          "bms_bms_status_soh",
          "bms_bms_status_f32_show_soc",
          "bms_bms_status_cycles",
          "bms_bms_status_temp",
          "bms_bms_status_vol",
          "bms_bms_status_amp",
          "bms_bms_status_design_cap",
          "bms_bms_status_full_cap",
          "bms_bms_status_remain_cap",
          "bms_ems_status_max_charge_soc",
          "bms_ems_status_min_dsg_soc",
          "pd_watts_in_sum",
          "pd_watts_out_sum",
          "inv_input_watts",
          "inv_output_watts",
          "inv_ac_in_vol",
          "inv_out_temp",
          "inv_cfg_ac_enabled",
          "mppt_in_watts",
          "mppt_in_vol",
          "mppt_in_amp",
          "mppt_mppt_temp",
          "mppt_cfg_chg_type",
          "online");

  private static final Fleet FLEET = new Fleet();

  @RegisterExtension
  static final CloudExtension CLOUDS =
      new CloudExtension(FLEET.devices().toArray(SimulatedDevice[]::new));

  @TempDir private static Path directory;
  private static ExporterJar both;
  private static ExporterJar raw;
  private static ExporterJar rest;
  private static PrometheusServer prometheus;
  private static double started;

  private static ExporterJar start(String name, String mode, String... more) throws IOException {
    ExporterJar jar = new ExporterJar(Files.createDirectory(directory.resolve(name)));
    jar.start(Variables.of(CLOUDS.cloud(), mode, more));
    return jar;
  }

  @BeforeAll
  static void start() throws IOException {
    assumeTrue(PrometheusServer.isInstalled(), "prometheus is not installed");
    both = start("both", "device", "ECOFLOW_METRICS=both", "ECOFLOW_JVM_METRICS=true");
    // With the client ID of the account, each of the two exporters would disconnect the other.
    CLOUDS.cloud().setAnyClientId(true);
    raw = start("raw", "device", "ECOFLOW_METRICS=raw", "ECOFLOW_MQTT_CLIENT_ID=raw");
    rest = start("rest", "rest", "ECOFLOW_METRICS=both");
    started = System.currentTimeMillis() / 1000.0;
    both.awaitSeries(Fleet.DELTA_2, "battery_charge_ratio");
    raw.awaitSeries(Fleet.DELTA_2, "pd_soc");
    rest.awaitSeries(Fleet.DELTA_2, "battery_charge_ratio");
    Map<String, Integer> targets = new TreeMap<>();
    targets.put("ecoflow", both.port());
    targets.put("raw", raw.port());
    targets.put("rest", rest.port());
    prometheus = PrometheusServer.start(Files.createDirectory(directory.resolve("prom")), targets);
    // Wait for a scrape after each step.
    for (int step = 1; step <= STEPS; step++) {
      FLEET.tick(step);
      double solar = ((Number) device(Fleet.DELTA_2).quota().get("mppt.inWatts")).doubleValue();
      eventually(
          () ->
              assertEquals(
                  Set.of(solar),
                  values("ecoflow_mppt_in_watts{device=\"" + Fleet.DELTA_2 + "\"}")));
    }
  }

  private static SimulatedDevice device(String serial) {
    return FLEET.devices().stream()
        .filter(device -> device.serial().equals(serial))
        .findFirst()
        .orElseThrow();
  }

  private static Set<Double> values(String expression) {
    Set<Double> values = new TreeSet<>();
    prometheus.query(expression).forEach(sample -> values.add(sample.value()));
    return values;
  }

  @AfterAll
  static void end() {
    for (AutoCloseable part : new AutoCloseable[] {prometheus, both, raw, rest}) {
      try {
        if (part != null) {
          part.close();
        }
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Test
  void eachExpressionShowsTheExpectedDevices() {
    Set<String> empty = new TreeSet<>();
    List<Dashboard> boards = new ArrayList<>(Dashboard.all());
    // See FleetQueriesIT.
    assertTrue(boards.removeIf(board -> board.name().equals("ecoflow-kafka.json")));
    for (Dashboard board : boards) {
      for (Query query : board.queries()) {
        if (query.panel().equals(FURTHER)) {
          continue;
        }
        // Previous days do not have data: evaluate expressions with a negative offset at the start
        // of the test.
        boolean looksAhead = query.expression().contains("offset -1d");
        double now = System.currentTimeMillis() / 1000.0;
        if (prometheus.query(plain(query.expression()), looksAhead ? started : now).isEmpty()) {
          empty.add(query.panel());
        }
      }
    }
    empty.removeAll(EMPTY);
    assertEquals(Set.of(), empty);

    assertEquals(
        Set.of("Garage", "Camping", "Van", "Balcony"),
        namesIn("ecoflow-fleet", "Charge over time"));
    assertEquals(
        Set.of("Garage", "Camping", "Van", "Balcony", "Fridge"),
        namesIn("ecoflow-fleet", "Age of the last value"));
    // Without a total, a device shows the power of its panels, of the plug, or of the home.
    assertEquals(
        Set.of("Garage", "Camping", "Van", "Balcony"), namesIn("ecoflow-device", "Power in"));
    assertEquals(
        Set.of("Garage", "Camping", "Van", "Balcony", "Fridge"),
        namesIn("ecoflow-device", "Power out"));
  }

  /** Grafana repeats the panel for each metric of the device that the variable selects. */
  @Test
  void eachFurtherMetricOfADeviceIsShown() {
    Dashboard board = Dashboard.named("ecoflow-device");
    Map<String, Set<String>> metrics = new TreeMap<>();
    prometheus
        .query("{job=\"ecoflow\", __name__=~\"" + board.metricsOf("metric") + "\"}")
        .forEach(
            sample ->
                metrics
                    .computeIfAbsent(sample.labels().get("device_name"), unused -> new TreeSet<>())
                    .add(sample.labels().get("__name__")));
    assertEquals(Set.of("Garage", "Camping", "Van", "Balcony", "Fridge"), metrics.keySet());
    assertTrue(metrics.get("Garage").contains("ecoflow_battery_pack_cell_voltage_max_volts"));
    assertEquals(
        Set.of(
            "ecoflow_port_current_amperes",
            "ecoflow_port_frequency_hertz",
            "ecoflow_port_power_limit_watts",
            "ecoflow_port_voltage_volts"),
        metrics.get("Fridge"));
    for (String metric : metrics.values().stream().flatMap(Set::stream).toList()) {
      long shown =
          board.queries().stream()
              .filter(query -> query.panel().equals(FURTHER))
              .map(query -> plain(query.expression().replace(FURTHER, metric)))
              .filter(expression -> !prometheus.query(expression).isEmpty())
              .count();
      assertEquals(1, shown, metric);
    }
  }

  /** Without normalised metrics, the dashboards use raw metrics. */
  @Test
  void rawMetricsAreSufficientForTheMainPanels() {
    for (String rule : List.of("soc:ratio", "in:watts", "out:watts", "solar:watts")) {
      assertFalse(prometheus.query("ecoflow:%s{job=\"raw\"}".formatted(rule)).isEmpty(), rule);
    }
    assertEquals(Set.of(), values("{job=\"raw\", __name__=~\"ecoflow_(battery|port|solar)_.+\"}"));
  }

  @Test
  void theNamesInTheDashboardOfThePythonExporterExist() {
    for (String name : OF_THE_REFERENCE) {
      String expression = "ecoflow_%s{device=\"%s\"}".formatted(name, Fleet.DELTA_2);
      assertEquals(3, prometheus.query(expression).size(), expression);
    }
    assertFalse(prometheus.query("ecoflow_http_requests_total{job=\"rest\"}").isEmpty());
    assertFalse(prometheus.query("ecoflow_scrape_duration_seconds_bucket{job=\"rest\"}").isEmpty());
  }

  private static Set<String> namesIn(String board, String panel) {
    Set<String> names = new TreeSet<>();
    for (Query query : Dashboard.named(board).queries()) {
      if (query.panel().equals(panel)) {
        prometheus
            .query(plain(query.expression()))
            .forEach(sample -> names.add(sample.labels().get("device_name")));
      }
    }
    return names;
  }

  /** The expression, with the variables replaced as in Grafana. */
  private static String plain(String expression) {
    return expression
        .replace("$__rate_interval", "15s")
        .replace("$__range", "1h")
        .replace("$device", ".*")
        .replace("$job", ".*")
        .replace("$instance", ".*")
        .replace("$price_buy", "0.3")
        .replace("$price_sell", "0.08")
        // Minutes are too long for a test.
        .replace(":5m]", ":1s]")
        .replace(":1m]", ":1s]");
  }
}
