package ecoflow.normal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.testkit.Promtool;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rules for the tables of normalised metrics, which are data. */
class NormalTableTest {

  private static final Pattern LABEL_NAME =
      Pattern.compile("circuit|component|kind|origin|pack|phase|port|sensor|source|zone");
  private static final Pattern LABEL_VALUE =
      Pattern.compile(
          "[a-z0-9_]+|([a-z0-9_]+_)?N([+]1)?|letter\\(N\\)|([a-z0-9_]+_)?rank\\(\\{SN\\}\\)");
  private static final Set<String> UNITS =
      Set.of(
          "",
          "amperes",
          "celsius",
          "coulombs",
          "dbm",
          "hertz",
          "joules",
          "ratio",
          "seconds",
          "volts",
          "watts");

  private static final List<Row> ROWS =
      lines("metrics.csv", "family,channel,raw_key,metric,labels,rules,factor,confidence,on")
          .map(Row::of)
          .toList();
  private static final Map<String, Name> NAMES =
      lines("names.csv", "name,type,unit,labels,help")
          .map(Name::of)
          .collect(Collectors.toMap(Name::name, Function.identity()));

  private record Row(
      String family,
      String channel,
      String rawKey,
      String metric,
      List<String> labels,
      List<String> rules,
      String factor,
      String confidence,
      String on) {

    static Row of(String line) {
      String[] cells = line.split(",", -1);
      assertEquals(9, cells.length, line);
      return new Row(
          cells[0],
          cells[1],
          cells[2],
          cells[3],
          words(cells[4]),
          words(cells[5]),
          cells[6],
          cells[7],
          cells[8]);
    }

    List<String> labelNames() {
      return labels.stream().map(label -> label.split("=", 2)[0]).toList();
    }
  }

  private record Name(String name, String type, String unit, Set<String> labels, String help) {

    static Name of(String line) {
      // The help can contain commas.
      String[] cells = line.split(",", 5);
      assertEquals(5, cells.length, line);
      return new Name(cells[0], cells[1], cells[2], Set.of(cells[3].split(" ")), cells[4]);
    }
  }

  @Test
  void rowsAreSortedAndUnique() {
    List<Row> sorted =
        ROWS.stream()
            .sorted(
                Comparator.comparing(Row::family)
                    .thenComparing(Row::channel)
                    .thenComparing(Row::rawKey)
                    .thenComparing(Row::metric)
                    .thenComparing(row -> String.join(";", row.labels())))
            .toList();
    assertEquals(sorted, ROWS);
    Set<List<Object>> seen = new HashSet<>();
    for (Row row : ROWS) {
      assertTrue(
          seen.add(List.of(row.family(), row.channel(), row.rawKey(), row.metric(), row.labels())),
          row::toString);
    }
  }

  @Test
  void rowsContainOnlyValidCells() {
    for (Row row : ROWS) {
      assertTrue(row.family().matches("[a-z0-9_-]+"), row::toString);
      assertTrue(Set.of("*", "json", "protobuf", "rest").contains(row.channel()), row::toString);
      assertTrue(Double.isFinite(Double.parseDouble(row.factor())), row::toString);
      assertTrue(Double.parseDouble(row.factor()) != 0, row::toString);
      assertTrue(Set.of("high", "medium", "low").contains(row.confidence()), row::toString);
      assertTrue(Set.of("yes", "no").contains(row.on()), row::toString);
      for (String label : row.labels()) {
        String[] pair = label.split("=", 2);
        assertTrue(LABEL_NAME.matcher(pair[0]).matches(), row::toString);
        assertTrue(LABEL_VALUE.matcher(pair[1]).matches(), row::toString);
      }
      assertEquals(row.labels().size(), Set.copyOf(row.labelNames()).size(), row::toString);
    }
  }

  /** No packaged row needs the rule NONE, which is for users' tables. */
  @Test
  void rowsUseAllRulesButOne() {
    Set<Rule> unused = EnumSet.allOf(Rule.class);
    PackagedTable.rows().forEach(row -> unused.removeAll(row.rules().keySet()));
    assertEquals(Set.of(Rule.NONE), unused);
  }

  @Test
  void unknownRuleIsReportedWithItsLine() {
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class,
            () -> Table.packagedRow(17, "delta2,*,a,battery_charge_ratio,,flow;hallo,1,high,yes"));
    assertTrue(
        e.getMessage().startsWith("metrics.csv:17: unknown rule hallo; allowed: first, "),
        e::getMessage);
  }

  @Test
  void uncertainRowsAreDisabled() {
    for (Row row : ROWS) {
      boolean off = row.confidence().equals("low");
      assertEquals(off ? "no" : "yes", row.on(), row::toString);
    }
  }

  @Test
  void rowsUseEachNameWithItsLabels() {
    Set<String> used = new TreeSet<>();
    for (Row row : ROWS) {
      used.add(row.metric());
      Name name = NAMES.get(row.metric());
      assertNotNull(name, row::toString);
      assertTrue(
          row.labels().isEmpty() || name.labels().containsAll(row.labelNames()), row::toString);
    }
    assertEquals(new TreeSet<>(NAMES.keySet()), used);
  }

  @Test
  void packsOfPowerOceanAreNumberedByTheirIndex() {
    for (Row row : ROWS) {
      if (row.rawKey().startsWith("bp_sta[N]")) {
        assertTrue(row.labels().contains("pack=N"), row::toString);
      }
    }
  }

  @Test
  void namesContainTypeAndUnit() {
    for (Name name : NAMES.values()) {
      boolean counter = name.type().equals("counter");
      assertTrue(counter || name.type().equals("gauge"), name::toString);
      assertEquals(counter, name.name().endsWith("_total"), name::toString);
      assertTrue(UNITS.contains(name.unit()), name::toString);
      String base = counter ? name.name().replaceFirst("_total$", "") : name.name();
      assertTrue(name.unit().isEmpty() || base.endsWith("_" + name.unit()), name::toString);
      assertTrue(name.help().matches("[A-Z][\\w ,]+"), name::toString);
    }
  }

  /** A raw series with the name of a normalised metric would be rejected. */
  @Test
  void noMessageFieldHasNameOfNormalisedMetric() throws IOException {
    Pattern field = Pattern.compile("(?m)^ *(?:optional |repeated )?[\\w.]+ (\\w+) = \\d+");
    Set<String> fields = new HashSet<>();
    try (Stream<Path> files = Files.list(Path.of("src/main/proto"))) {
      for (Path file : files.toList()) {
        field.matcher(Files.readString(file)).results().forEach(f -> fields.add(f.group(1)));
      }
    }
    assertTrue(fields.containsAll(Set.of("bp_soc", "pow_get_ac_in", "sys_grid_pwr")));
    fields.retainAll(Table.namesOfFamilies());
    assertEquals(Set.of(), fields);
    // No complete key of a row has such a name either.
    for (Row row : ROWS) {
      String name = row.rawKey().replaceAll("\\[.*?\\]", "").replace('.', '_').toLowerCase();
      assertTrue(!Table.namesOfFamilies().contains(name), row::toString);
    }
  }

  @Test
  void promtoolAcceptsAllNames(@TempDir Path directory) throws Exception {
    Promtool.assumeInstalled();
    StringBuilder page = new StringBuilder();
    for (Name name : NAMES.values()) {
      String full = "ecoflow_" + name.name();
      page.append("# HELP " + full + " " + name.help() + "\n");
      page.append("# TYPE " + full + " " + name.type() + "\n");
      page.append(full + " 1\n");
    }
    assertEquals(new Promtool.Result(0, ""), Promtool.check(directory, page.toString()));
  }

  private static List<String> words(String cell) {
    return cell.isEmpty() ? List.of() : List.of(cell.split(";"));
  }

  private static Stream<String> lines(String file, String head) {
    try (InputStream in = NormalTableTest.class.getResourceAsStream("/ecoflow/normal/" + file)) {
      List<String> lines = new String(in.readAllBytes(), UTF_8).lines().toList();
      assertEquals(head, lines.get(0));
      return lines.stream().skip(1);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
