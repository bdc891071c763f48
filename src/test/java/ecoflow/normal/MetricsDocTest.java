package ecoflow.normal;

import ecoflow.testkit.GeneratedDocument;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Compares docs/METRICS.md with the packaged tables. */
class MetricsDocTest {

  private static final Table TABLE = PackagedTable.load();
  private static final List<Row> ROWS = PackagedTable.rows();

  @Test
  void documentMatchesTables() throws IOException {
    GeneratedDocument.assertEndsWith("METRICS.md", generated());
  }

  private static String generated() {
    StringBuilder text = new StringBuilder("\n## Names\n\n");
    text.append("| name | type | labels | description | families |\n|---|---|---|---|---|\n");
    for (Table.Name name : TABLE.names()) {
      text.append(
          "| [`%s`](#%s) | %s | %s | %s | %d |\n"
              .formatted(
                  name.name(),
                  name.name(),
                  name.isCounter() ? "counter" : "gauge",
                  labels(name),
                  name.help(),
                  families(name).size()));
    }
    text.append("\n## Raw keys\n");
    for (Table.Name name : TABLE.names()) {
      text.append("\n### ").append(name.name()).append("\n\n| family | raw keys |\n|---|---|\n");
      families(name)
          .forEach((family, rows) -> text.append("| %s | %s |\n".formatted(family, keys(rows))));
    }
    text.append(rules());
    text.append("\n## Disabled rows\n\n");
    text.append("| family | raw key | normalised name | reason |\n|---|---|---|---|\n");
    for (Row row : ROWS) {
      if (!row.isOn()) {
        text.append(
            "| %s | `%s` | `%s` | uncertain |\n".formatted(row.family(), row.key(), row.metric()));
      }
    }
    return text.toString();
  }

  private static String rules() {
    String exclusive =
        Stream.of(Rule.Group.values())
            .filter(Rule.Group::isExclusive)
            .map(Rule.Group::title)
            .collect(Collectors.joining(", "));
    StringBuilder text =
        new StringBuilder(
            """

            ## Rules

            The column `rules` of `metrics.csv` has any of these rules, separated by `;`, but at most one for each of:
            %s. Without a rule for the reading, `port_enabled` is 0 for the raw value 0 and 1 for all others.

            | group | rule | meaning | rows |
            |---|---|---|---|
            """
                .formatted(exclusive));
    for (Rule rule : Rule.values()) {
      long rows = ROWS.stream().filter(row -> row.has(rule)).count();
      text.append(
          "| %s | `%s` | %s | %d |\n"
              .formatted(rule.group().title(), rule.usage(), rule.description(), rows));
    }
    return text.toString();
  }

  private static String labels(Table.Name name) {
    return ROWS.stream()
        .filter(row -> row.metric().equals(name.name()))
        .flatMap(row -> row.labels().keySet().stream())
        .distinct()
        .sorted()
        .collect(Collectors.joining(", "));
  }

  private static Map<String, List<Row>> families(Table.Name name) {
    return ROWS.stream()
        .filter(row -> row.isOn() && row.metric().equals(name.name()))
        .collect(Collectors.groupingBy(Row::family, TreeMap::new, Collectors.toList()));
  }

  private static String keys(List<Row> rows) {
    return rows.stream().map(MetricsDocTest::key).distinct().collect(Collectors.joining(", "));
  }

  private static String key(Row row) {
    String labels =
        row.labels().entrySet().stream()
            .filter(label -> !label.getKey().equals("origin"))
            .map(label -> label.getKey() + " " + label.getValue())
            .collect(Collectors.joining(", "));
    return "`%s`%s".formatted(row.key(), labels.isEmpty() ? "" : " (" + labels + ")");
  }
}
