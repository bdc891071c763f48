package ecoflow.docs;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.config.Variable;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Series;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** Compares docs/MIGRATION.md with the variables and metrics of the exporter. */
class MigrationDocTest {

  private static final Pattern VARIABLE = Pattern.compile("`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`");
  private static final Pattern METRIC = Pattern.compile("`(ecoflow_[a-z_]+)`");
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| `(ecoflow_[a-z_]+)` \\| ([^|]*) \\|$");
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```yaml\\n(.*?)^```$");
  private static final Set<String> DEVICE_LABELS =
      Set.of("device", "device_name", "product_name", "device_general_key");

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice("R331MIGRATE00001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81, "pd.chgPowerAC", 120));

  @RegisterExtension
  static final ExporterExtension account =
      ExporterExtension.device("MQTT_TIMEOUT=3600").with(DEVICE).startedAtOnce();

  @RegisterExtension
  static final ExporterExtension keys = ExporterExtension.rest().with(DEVICE).startedAtOnce();

  /** EcoFlow returns the serial number as the name of a device without a name. */
  private static final SimulatedDevice UNNAMED =
      new SimulatedDevice("R331ZEB4ZEA0012", "R331ZEB4ZEA0012", null, WireFormat.JSON)
          .set(Map.of("pd.soc", 81, "bms_emsStatus.f32LcdShowSoc", 81.4));

  @RegisterExtension final ExporterExtension other = ExporterExtension.rest();

  private static String text;
  private static String removed;

  @BeforeAll
  static void read() throws IOException {
    String all = Files.readString(Path.of("docs/MIGRATION.md"));
    removed = section(all, "Removed");
    text = all.replace(removed, "");
  }

  private static String section(String all, String heading) {
    String rest = all.split("\n## " + heading + "\n", 2)[1];
    return rest.split("\n## ", 2)[0];
  }

  private static Set<String> named(Pattern pattern, String where) {
    return pattern.matcher(where).results().map(name -> name.group(1)).collect(Collectors.toSet());
  }

  /** The first cell of each row. */
  private static String first(String table) {
    return table.replaceAll("(?m)^\\|([^|]*)\\|.*$", "$1");
  }

  private static Map<String, Variable> variables() throws ConfigException {
    return Settings.explain(
            Map.of(
                "ECOFLOW_ACCOUNT_USER", "me@example.com",
                "ECOFLOW_ACCOUNT_PASSWORD", "secret",
                "ECOFLOW_DEVICE_SN", "R331A"))
        .stream()
        .collect(Collectors.toMap(Variable::name, variable -> variable));
  }

  @Test
  void eachVariableExists() throws ConfigException {
    Set<String> ours = new TreeSet<>(variables().keySet());
    Set<String> named = new TreeSet<>(named(VARIABLE, text));
    assertTrue(named.size() > 25, () -> "" + named);
    named.removeIf(name -> ours.contains(name.replaceFirst("_FILE$", "")));
    assertEquals(Set.of(), named);
    for (String name : named(VARIABLE, first(removed))) {
      assertFalse(ours.contains(name), name);
    }
  }

  @Test
  void theComposeFilesDifferInOneLine() throws ConfigException {
    List<String> blocks = BLOCK.matcher(text).results().map(block -> block.group(1)).toList();
    assertEquals(2, blocks.size());
    List<String> before = new ArrayList<>(blocks.get(0).lines().toList());
    List<String> after = new ArrayList<>(blocks.get(1).lines().toList());
    assertEquals(before.size(), after.size());
    Map<String, String> changed = new HashMap<>();
    for (int i = 0; i < before.size(); i++) {
      if (!before.get(i).equals(after.get(i))) {
        changed.put(before.get(i).strip(), after.get(i).strip());
      }
    }
    assertEquals(Map.of("build: .", "image: ecoflow-exporter"), changed);

    Map<?, ?> file =
        (Map<?, ?>) new Load(LoadSettings.builder().build()).loadFromString(blocks.get(1));
    Map<?, ?> service = (Map<?, ?>) ((Map<?, ?>) file.get("services")).get("ecoflow_exporter");
    Map<?, ?> environment = (Map<?, ?>) service.get("environment");
    assertTrue(variables().keySet().containsAll(environment.keySet()), () -> "" + environment);
  }

  @Test
  void eachMetricExistsWithItsLabels() {
    Map<String, Set<String>> promised = new TreeMap<>();
    for (MatchResult row : ROW.matcher(text).results().toList()) {
      Set<String> labels =
          Pattern.compile("`(\\w+)`")
              .matcher(row.group(2))
              .results()
              .map(label -> label.group(1))
              .collect(Collectors.toCollection(TreeSet::new));
      if (row.group(2).startsWith("device labels")) {
        labels.addAll(DEVICE_LABELS);
      }
      promised.put(row.group(1), labels);
    }
    assertEquals(14, promised.size());
    eventually(
        () -> {
          Map<String, Set<String>> there = families(keys);
          there.putAll(families(account));
          there.keySet().retainAll(promised.keySet());
          assertEquals(promised, there);
        });
  }

  /** Names without the suffixes of histograms, and their labels without the label of buckets. */
  private static Map<String, Set<String>> families(ExporterExtension exporter) {
    Map<String, Set<String>> families = new TreeMap<>();
    for (String line : exporter.page().text().lines().toList()) {
      if (!line.startsWith("#")) {
        Series series = Series.read(line);
        Set<String> labels = new TreeSet<>(series.labels().keySet());
        labels.remove("le");
        families.put(series.name().replaceFirst("_(bucket|count|sum)$", ""), labels);
      }
    }
    return families;
  }

  @Test
  void namedMetricsExistAndRemovedMetricsDoNot() {
    eventually(
        () -> {
          Set<String> there = new TreeSet<>(families(keys).keySet());
          there.addAll(families(account).keySet());
          Set<String> named = new TreeSet<>(named(METRIC, text));
          named.addAll(named(METRIC, removed));
          named.removeAll(named(METRIC, first(removed)));
          named.removeAll(there);
          // It is created with the first protobuf message.
          named.remove("ecoflow_protobuf_messages_total");
          assertEquals(Set.of(), named);
          assertTrue(
              there.stream().noneMatch(named(METRIC, first(removed))::contains), () -> "" + there);
          assertTrue(there.stream().noneMatch(name -> name.endsWith("_created")));
        });
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"device", "rest"})
  void labelsDependOnTheCatalogue(String mode, @TempDir Path directory) throws IOException {
    other.cloud().add(UNNAMED);
    other.startIn(mode, "ECOFLOW_METRICS=both", "ECOFLOW_DEVICE_SN=" + UNNAMED.serial());
    assertLabels(2);
    // A catalogue without this model, like that of the Python exporter.
    Path catalogue =
        Files.writeString(
            directory.resolve("devices.json"),
            """
            [{"generalKey": "ecoflow_ps_delta_pro_3600", "name": "DELTA Pro", "sn": "DCE"}]
            """);
    other.startIn(
        mode,
        "ECOFLOW_METRICS=both",
        "ECOFLOW_DEVICE_SN=" + UNNAMED.serial(),
        "ECOFLOW_DEVICES_JSON=" + catalogue);
    assertLabels(1);
  }

  /** Compares the labels of a raw and a normalised series with the values in a column. */
  private void assertLabels(int column) {
    Map<String, String> expected = new TreeMap<>();
    Pattern.compile("(?m)^\\| `(device_name|product_name)` \\| `([^`|]*)` \\| `([^`|]*)` \\|$")
        .matcher(section(text, "Labels"))
        .results()
        .forEach(row -> expected.put(row.group(1), row.group(column + 1)));
    assertEquals(2, expected.size());
    eventually(
        () -> {
          for (String name : List.of("pd_soc", "battery_charge_ratio")) {
            List<Series> series = other.page().series(name, "device=" + UNNAMED.serial());
            assertEquals(1, series.size(), name);
            Map<String, String> labels = new TreeMap<>(series.get(0).labels());
            labels.keySet().retainAll(expected.keySet());
            assertEquals(expected, labels);
          }
        });
  }

  @Test
  void withAnAccountAndAllDevicesTheNameIsThatInTheApp() {
    eventually(
        () ->
            assertEquals(
                "Garage", account.page().series("pd_soc").get(0).labels().get("device_name")));
  }

  @Test
  void metricsAreAtOnePath() {
    assertEquals(200, keys.http().get("/metrics").statusCode());
    assertTrue(keys.http().get("/").body().contains("<html"));
    assertEquals(404, keys.http().get("/prometheus").statusCode());
  }

  @Test
  void withAnAccountTheTimeOfCollectionsIsNotObserved() {
    eventually(() -> assertEquals(81, account.page().of(DEVICE, "pd_soc")));
    assertTrue(
        account.page().series("scrape_duration_seconds_count").stream()
            .allMatch(series -> series.value() == 0));
  }
}
