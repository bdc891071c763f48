package ecoflow.normal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.testkit.GeneratedDocument;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Compares docs/MODELS.md with the catalogue of models and the packaged tables. */
class ModelsDocTest {

  private static final Table TABLE = PackagedTable.load();
  private static final List<Row> ROWS = PackagedTable.rows();

  /** Powers from which energy is computed, with their names in the document. */
  private static final Map<String, String> POWERS = powers();

  private static Map<String, String> powers() {
    Map<String, String> powers = new LinkedHashMap<>();
    powers.put("solar_power_watts", "solar");
    powers.put("grid_power_watts", "grid");
    powers.put("battery_power_watts", "battery");
    powers.put("home_load_power_watts", "home");
    powers.put("input_power_watts", "input");
    powers.put("output_power_watts", "output");
    return powers;
  }

  @Test
  void documentMatchesTables() throws IOException {
    GeneratedDocument.assertEndsWith("MODELS.md", generated());
  }

  private static String generated() throws IOException {
    StringBuilder text =
        new StringBuilder(
            "\n| models | serial numbers | app channel | names with REST and Open"
                + " | names with the app | energy counted by the device | computed energy |"
                + "\n|---|---|---|---|---|---|---|\n");
    for (Map.Entry<String, Map<String, Set<String>>> family : models().entrySet()) {
      List<Row> rows =
          ROWS.stream().filter(row -> row.isOn() && row.family().equals(family.getKey())).toList();
      Map<String, Set<String>> models = family.getValue();
      Set<String> prefixes = new TreeSet<>();
      models.values().forEach(prefixes::addAll);
      text.append(
          "| %s | %s | %s | %s | %s | %s | %s |\n"
              .formatted(
                  String.join(", ", models.keySet()),
                  String.join(" ", prefixes),
                  app(rows),
                  count(rows, row -> PackagedTable.isSeenIn(row, "rest")),
                  count(rows, row -> !row.channel().equals("rest")),
                  counted(rows),
                  computed(rows)));
    }
    return text.append(silentModels()).append(parts()).toString();
  }

  private static String silentModels() throws IOException {
    Map<Duration, Set<String>> names = new TreeMap<>();
    Map<Duration, Set<String>> prefixes = new TreeMap<>();
    models()
        .values()
        .forEach(
            models ->
                models.forEach(
                    (name, ofModel) ->
                        ofModel.forEach(
                            prefix -> {
                              Duration silence = TABLE.silence(prefix, name);
                              names.computeIfAbsent(silence, key -> new TreeSet<>()).add(name);
                              prefixes.computeIfAbsent(silence, key -> new TreeSet<>()).add(prefix);
                            })));
    names.remove(Duration.ZERO);
    StringBuilder text =
        new StringBuilder(
            "\n| silent models | serial numbers | longest normal silence |\n|---|---|---|\n");
    names.forEach(
        (silence, ofSilence) ->
            text.append(
                "| %s | %s | %d s |\n"
                    .formatted(
                        String.join(", ", ofSilence),
                        String.join(" ", prefixes.get(silence)),
                        silence.toSeconds())));
    return text.toString();
  }

  private static String parts() {
    StringBuilder text =
        new StringBuilder(
            """

            ## Parts that may be absent

            An absent part, such as an extra battery that is not plugged in, has no normalised series, and no sum
            includes it. Many devices send zeros or old values for such a part, so `parts.csv` has conditions on other
            raw values of the device. `!=` is also true for a value that the device has not sent; `<>`, `=`, `<` and `>`
            are false. Raw series are not affected. Families are those of [METRICS.md](METRICS.md).

            | families | part | present if | evidence |
            |---|---|---|---|
            """);
    for (PartsTableTest.Line line : PartsTableTest.conditions()) {
      List<String> cells = line.cells();
      text.append(
          "| %s | %s | %s | %s |\n"
              .formatted(cells.get(0), cells.get(1), condition(cells.get(3)), cells.get(4)));
    }
    text.append(
        """

        These parts have no condition:

        | families | part | reason |
        |---|---|---|
        """);
    for (PartsTableTest.Line line : PartsTableTest.WITHOUT_CONDITION) {
      text.append("| %s |\n".formatted(String.join(" | ", line.cells())));
    }
    return text.toString();
  }

  /** A cell of a Markdown table cannot contain a vertical bar. */
  private static String condition(String present) {
    return Stream.of(present.split(";"))
        .map(
            clause ->
                Stream.of(clause.split("[|]"))
                    .map(comparison -> "`" + comparison + "`")
                    .collect(Collectors.joining(" or ")))
        .collect(Collectors.joining("; and "));
  }

  private static String app(List<Row> rows) {
    boolean isJson = rows.stream().anyMatch(row -> PackagedTable.isSeenIn(row, "json"));
    boolean isProtobuf = rows.stream().anyMatch(row -> row.channel().equals("protobuf"));
    return isProtobuf ? "protobuf" : isJson ? "JSON" : "";
  }

  private static String count(List<Row> rows, Predicate<Row> which) {
    long names = rows.stream().filter(which).map(Row::metric).distinct().count();
    return names == 0 ? "" : Long.toString(names);
  }

  private static String counted(List<Row> rows) {
    return rows.stream()
        .filter(Row::isNative)
        .map(row -> row.metric().replace("_energy_joules_total", "").replace('_', ' '))
        .distinct()
        .sorted()
        .collect(Collectors.joining(", "));
  }

  private static String computed(List<Row> rows) {
    Set<String> metrics = rows.stream().map(Row::metric).collect(Collectors.toSet());
    boolean isSolar =
        rows.stream().anyMatch(row -> row.labels().getOrDefault("port", "").startsWith("solar_"));
    if (isSolar) {
      metrics.add("solar_power_watts");
    }
    if (isPowerOfEachPackKnown(rows)) {
      metrics.add("battery_power_watts");
    }
    return POWERS.entrySet().stream()
        .filter(power -> metrics.contains(power.getKey()))
        .map(Map.Entry::getValue)
        .collect(Collectors.joining(", "));
  }

  private static boolean isPowerOfEachPackKnown(List<Row> rows) {
    Set<Map<String, String>> packs =
        labels(rows, Set.of("battery_pack_charge_ratio", "battery_pack_voltage_volts"));
    Set<Map<String, String>> withPower =
        labels(rows, Set.of("battery_pack_current_amperes", "battery_pack_power_watts"));
    return !withPower.isEmpty() && withPower.containsAll(packs);
  }

  private static Set<Map<String, String>> labels(List<Row> rows, Set<String> metrics) {
    return rows.stream()
        .filter(row -> metrics.contains(row.metric()))
        .map(Row::labels)
        .collect(Collectors.toSet());
  }

  /** Names of models with their prefixes, by family. */
  private static Map<String, Map<String, Set<String>>> models() throws IOException {
    Map<String, Map<String, Set<String>>> families = new TreeMap<>();
    for (JsonNode model : new ObjectMapper().readTree(Path.of("devices.json").toFile())) {
      String prefix = model.path("sn").asText();
      String name = model.path("name").asText();
      String family = TABLE.family(prefix, name).map(Table.Family::name).orElse("~none");
      families
          .computeIfAbsent(family, unused -> new TreeMap<>())
          .computeIfAbsent(name, unused -> new TreeSet<>())
          .add(prefix);
    }
    return families;
  }
}
