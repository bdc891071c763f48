package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import ecoflow.testkit.Dashboard;
import ecoflow.testkit.Dashboard.Query;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The dashboards: Grafana can provision and import them, and each panel has a description. */
class DashboardsTest {

  private static final int COLUMNS = 24;
  private static final Path NAMES = Path.of("src/main/resources/ecoflow/normal/names.csv");

  /** A series of a device that a rule has not recorded. */
  private static final Pattern OF_A_DEVICE = Pattern.compile("ecoflow_\\w+\\{device=");

  /** What must precede it. */
  private static final Pattern AGGREGATED =
      Pattern.compile("max (by \\([^)]+\\)|without \\(instance, pod(, port)?\\)) \\($");

  static List<Dashboard> dashboards() {
    return Dashboard.all();
  }

  @Test
  void thereAreSixWithDistinctNames() {
    Set<String> uids = new TreeSet<>();
    dashboards().forEach(board -> uids.add(board.json().path("uid").asText()));
    assertEquals(
        Set.of(
            "ecoflow-fleet",
            "ecoflow-device",
            "ecoflow-energy",
            "ecoflow-battery",
            "ecoflow-exporter",
            "ecoflow-kafka"),
        uids);
    for (Dashboard board : dashboards()) {
      assertEquals(board.name(), board.json().path("uid").asText() + ".json");
    }
  }

  /** Classic JSON, as read by Grafana 10 to 13, without fields that only an import sets. */
  @ParameterizedTest
  @MethodSource("dashboards")
  void canBeProvisioned(Dashboard board) {
    JsonNode json = board.json();
    assertTrue(json.path("id").isNull());
    assertEquals(39, json.path("schemaVersion").asInt());
    assertFalse(json.path("description").asText().isEmpty());
    assertNull(json.get("__inputs"));
    assertNull(json.get("__requires"));
    assertEquals("[\"ecoflow\"]", json.path("tags").toString());
    JsonNode first = json.path("templating").path("list").get(0);
    assertEquals("datasource", first.path("type").asText());
    assertEquals("prometheus", first.path("query").asText());
    for (JsonNode source : board.datasources()) {
      if (!source.path("uid").asText().equals("-- Grafana --")) {
        assertEquals("prometheus", source.path("type").asText());
        assertEquals("${datasource}", source.path("uid").asText());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dashboards")
  void eachPanelHasADescription(Dashboard board) {
    Set<Integer> ids = new HashSet<>();
    for (JsonNode panel : board.panels()) {
      String title = panel.path("title").asText();
      assertTrue(ids.add(panel.path("id").asInt()), title);
      assertFalse(title.isEmpty(), panel::toString);
      if (panel.path("type").asText().equals("row")) {
        continue;
      }
      assertTrue(panel.path("description").asText().endsWith("."), title);
      JsonNode defaults = panel.path("fieldConfig").path("defaults");
      assertFalse(defaults.path("unit").asText().isEmpty(), title);
      JsonNode steps = defaults.path("thresholds").path("steps");
      assertTrue(steps.get(0).path("value").isNull(), title);
      assertTrue(panel.path("targets").size() > 0, title);
    }
  }

  @ParameterizedTest
  @MethodSource("dashboards")
  void panelsDoNotOverlap(Dashboard board) {
    Set<List<Integer>> taken = new HashSet<>();
    for (JsonNode panel : board.panels()) {
      JsonNode place = panel.path("gridPos");
      int left = place.path("x").asInt();
      int top = place.path("y").asInt();
      int right = left + place.path("w").asInt();
      assertTrue(right <= COLUMNS, panel.path("title").asText());
      for (int x = left; x < right; x++) {
        for (int y = top; y < top + place.path("h").asInt(); y++) {
          assertTrue(taken.add(List.of(x, y)), panel.path("title").asText());
        }
      }
    }
  }

  /** A rate requires a window of at least two scrapes. */
  @ParameterizedTest
  @MethodSource("dashboards")
  void ratesFollowTheScrapeInterval(Dashboard board) {
    for (Query query : board.queries()) {
      if (query.expression().contains("rate(")) {
        assertTrue(query.expression().contains("[$__rate_interval]"), query::toString);
      }
    }
  }

  /** Queries for values of devices select the chosen devices. */
  @ParameterizedTest
  @MethodSource("dashboards")
  void deviceBoardsSelectTheChosenDevices(Dashboard board) {
    boolean ofDevices = board.json().toString().contains("query_result(ecoflow_online)");
    assertEquals(
        !Set.of("ecoflow-exporter.json", "ecoflow-kafka.json").contains(board.name()), ofDevices);
    if (ofDevices) {
      for (Query query : board.queries()) {
        assertTrue(
            query.expression().contains("ALERTS") || query.expression().contains("=~\"$device\""),
            query::toString);
      }
    }
  }

  /**
   * A device that has moved to another exporter can have two series until the next scrape, and its
   * counters continue in another series.
   */
  @ParameterizedTest
  @MethodSource("dashboards")
  void valuesOfDevicesAreAggregatedOverExporters(Dashboard board) {
    for (Query query : board.queries()) {
      Matcher series = OF_A_DEVICE.matcher(query.expression());
      while (series.find()) {
        assertTrue(
            AGGREGATED.matcher(query.expression().substring(0, series.start())).find(),
            query::toString);
      }
    }
  }

  @Test
  void linksBetweenDashboardsAreValid() {
    String fleet = Dashboard.named("ecoflow-fleet").json().toString();
    assertTrue(fleet.contains("/d/ecoflow-device?var-device="));
  }

  /** An unknown value must not be shown as 0; a count can be 0. */
  @Test
  void missingValuesAreNotShownAsZero() {
    for (Dashboard board : dashboards()) {
      for (Dashboard.Query query : board.queries()) {
        boolean isCount = query.expression().startsWith("count(");
        // Without sales, the revenue is 0.
        boolean isPrice = query.expression().contains("$price_sell or vector(0)");
        assertTrue(isCount || isPrice || !query.expression().contains("vector("), query::toString);
      }
      assertFalse(board.json().toString().contains("\"nullValueMode\":\"null as zero\""));
    }
  }

  /** A panel without data says why it is empty. An unknown value must not be shown as a number. */
  @ParameterizedTest
  @MethodSource("dashboards")
  void eachPanelHasATextForMissingData(Dashboard board) {
    for (JsonNode panel : board.panels()) {
      if (!panel.path("type").asText().equals("row")) {
        String text = panel.path("fieldConfig").path("defaults").path("noValue").asText();
        assertTrue(
            text.matches("(?:None|N[eo]t? .+|The device .+|Requires .+|Kafka .+)"),
            panel::toString);
        assertFalse(text.endsWith("."), text);
      }
    }
  }

  /** Grafana does not replace variables in units. */
  @Test
  void theCurrencyAndPricesAreVariables() {
    Dashboard energy = Dashboard.named("ecoflow-energy");
    for (String name : List.of("currency", "price_buy", "price_sell")) {
      assertEquals("textbox", energy.variable(name).path("type").asText(), name);
    }
    for (Dashboard board : dashboards()) {
      for (JsonNode panel : board.panels()) {
        boolean hasPrice = panel.path("targets").toString().contains("$price");
        String currency =
            panel.path("fieldConfig").path("defaults").path("custom").path("axisLabel").asText();
        assertEquals(hasPrice ? "$currency" : "", currency);
        for (JsonNode target : panel.path("targets")) {
          boolean isNamed = target.path("legendFormat").asText().endsWith("in $currency");
          assertEquals(target.path("expr").asText().contains("$price"), isNamed);
        }
      }
      assertFalse(board.json().toString().contains("\"unit\":\"currency"), board::name);
    }
  }

  /**
   * Metrics that only some models have are shown by a panel that Grafana repeats for each metric of
   * the device. The other panels are useful for most models.
   */
  @Test
  void theDeviceBoardShowsEachGauge() throws IOException {
    Dashboard board = Dashboard.named("ecoflow-device");
    JsonNode variable = board.variable("metric");
    assertTrue(variable.path("multi").asBoolean() && variable.path("includeAll").asBoolean());
    assertEquals("[\"$__all\"]", variable.path("current").path("value").toString());
    List<JsonNode> repeated = board.panels().stream().filter(panel -> panel.has("repeat")).toList();
    assertEquals(1, repeated.size());
    assertEquals("metric", repeated.get(0).path("repeat").asText());

    Pattern further = board.metricsOf("metric");
    String fixed = board.queries().toString();
    for (String line : Files.readAllLines(NAMES)) {
      String name = "ecoflow_" + line.split(",")[0];
      if (line.split(",")[1].equals("gauge")) {
        assertTrue(further.matcher(name).matches() || fixed.contains("(" + name + "{"), name);
      }
    }
  }
}
