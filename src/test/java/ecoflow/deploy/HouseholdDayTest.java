package ecoflow.deploy;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.Fleet;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.Promtool;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Series;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * All rules over 24 hours of the simulated household. The test reads the page of an exporter after
 * each step of the simulation, and promtool evaluates the rules with these pages as input, as if
 * the steps had taken a day.
 */
class HouseholdDayTest {

  private static final Path RULES = Path.of("deploy/prometheus/rules").toAbsolutePath();
  private static final int MINUTES_PER_STEP = 24 * 60 / Fleet.DAY;

  /** This device is off during these steps: its values are absent. */
  private static final String OFF = "Camping";

  private static final int OFF_FROM = 45;
  private static final int OFF_UNTIL = 50;

  /** The highest solar power of {@link Fleet}, as proof that the values are recorded. */
  private static final int SUN = 400;

  private final Fleet fleet = new Fleet();

  @RegisterExtension
  final CloudExtension clouds = new CloudExtension(fleet.devices().toArray(SimulatedDevice[]::new));

  @TempDir private Path directory;

  @Test
  void onlyTheDeviceThatIsOffCausesAnAlert() throws Exception {
    Promtool.assumeInstalled();
    Path file = Files.writeString(directory.resolve("day.yaml"), test(day()));
    PrometheusRulesTest.tool("promtool", "test", "rules", file.toString());
  }

  /** The values of each series after each step, null while it is absent. */
  private Map<String, String[]> day() {
    Map<String, String[]> day = new TreeMap<>();
    try (RunningExporter exporter =
        RunningExporter.start(Variables.of(clouds.cloud(), "device", "ECOFLOW_METRICS=both"))) {
      Page page = exporter.page();
      page.eventuallyConnected(1);
      for (SimulatedDevice device : fleet.devices()) {
        eventually(() -> assertEquals(1, page.of(device, "online")));
      }
      for (int step = 0; step < Fleet.DAY; step++) {
        double messages = messages(page) + fleet.devices().size();
        fleet.tick(step);
        eventually(() -> assertTrue(messages(page) >= messages));
        for (String line : page.text().lines().toList()) {
          if (!line.startsWith("#") && !line.contains("_bucket{")) {
            add(day, step, Series.read(line));
          }
        }
      }
    }
    return day;
  }

  private static double messages(Page page) {
    return page.mqttMessages("text") + page.mqttMessages("protobuf");
  }

  private static void add(Map<String, String[]> day, int step, Series series) {
    String labels =
        series.labels().entrySet().stream()
            .map(label -> ", " + label.getKey() + "=\"" + label.getValue() + '"')
            .collect(Collectors.joining());
    String name = series.name() + "{job=\"ecoflow\", instance=\"exporter:9090\"" + labels + '}';
    boolean isOff =
        OFF.equals(series.labels().get("device_name")) && step >= OFF_FROM && step < OFF_UNTIL;
    String value =
        switch (series.name()) {
          case "ecoflow_online" -> isOff ? "0" : Double.toString(series.value());
          // In the time of promtool, which begins at 0.
          case "ecoflow_device_last_update_timestamp_seconds" ->
              isOff
                  ? Integer.toString(OFF_FROM * MINUTES_PER_STEP * 60)
                  : step * MINUTES_PER_STEP * 60 + "+60";
          default -> isOff ? null : Double.toString(series.value());
        };
    day.computeIfAbsent(name, unused -> new String[Fleet.DAY])[step] = value;
  }

  /** A file for promtool. */
  private static String test(Map<String, String[]> day) throws IOException {
    StringBuilder out =
        new StringBuilder(
            """
            rule_files: [%1$s/recording.yaml, %1$s/alerts.yaml]
            evaluation_interval: 1m
            tests:
              - interval: 1m
                promql_expr_test:
                  - expr: >-
                      count by (alertname, device_name) (
                      count_over_time(ALERTS{alertstate="firing"}[1d]))
                    eval_time: %2$dm
                    exp_samples:
                      - labels: '{alertname="EcoFlowDeviceOffline", device_name="%3$s"}'
                        value: 1
                  - expr: max(max_over_time(ecoflow:solar:watts{device_name="Garage"}[1d]))
                    eval_time: %2$dm
                    exp_samples: [{value: %4$d}]
                input_series:
                  - series: 'up{job="ecoflow", instance="exporter:9090"}'
                    values: '1x%2$d'
            """
                .formatted(RULES, 24 * 60 - 1, OFF, SUN));
    day.forEach(
        (series, values) ->
            out.append(
                "      - {series: '%s', values: '%s'}\n".formatted(series, samples(values))));
    return out.toString();
  }

  /** One sample per minute, in the notation of promtool. */
  private static String samples(String... values) {
    return Arrays.stream(values)
        .map(
            value -> value == null ? "_x" + MINUTES_PER_STEP : value + "x" + (MINUTES_PER_STEP - 1))
        .collect(Collectors.joining(" "));
  }
}
