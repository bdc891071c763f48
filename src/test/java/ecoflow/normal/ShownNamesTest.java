package ecoflow.normal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.decode.FullMessages;
import ecoflow.decode.TestFrames;
import ecoflow.normal.ModelsDocTest.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * The names of docs/MODELS.md: each family shows all of them if a device sends all values that the
 * tables know, and no others.
 */
class ShownNamesTest {

  /** Sets of random values, because no device shows a time to full and a time to empty together. */
  private static final int SETS = 12;

  private static final int MAX_VALUE = 3;

  private static final Table TABLE = PackagedTable.load();
  private static final List<Row> ROWS = PackagedTable.rows().stream().filter(Row::isOn).toList();

  /** One model of each family; the same messages and rows apply to the others. */
  private static final Map<String, Model> MODELS = models();

  private static final Map<String, TreeMap<String, Double>> MESSAGES = new HashMap<>();

  private final Random random = new Random(1);

  private static Map<String, Model> models() {
    Map<String, Model> models = new TreeMap<>();
    ModelsDocTest.MODELS.forEach(model -> models.putIfAbsent(model.family(), model));
    models.remove("");
    return models;
  }

  @Test
  void everyFamilyShowsItsNamesInEachChannel() {
    Map<String, Set<String>> expected = new TreeMap<>();
    Map<String, Set<String>> shown = new TreeMap<>();
    MODELS.forEach(
        (family, model) -> {
          for (Evidence.Channel channel : Evidence.Channel.values()) {
            List<Row> rows =
                ROWS.stream()
                    .filter(row -> row.family().equals(family) && channel.contains(row))
                    .toList();
            if (!rows.isEmpty()) {
              String key = family + " " + channel;
              expected.put(key, new TreeSet<>(ModelsDocTest.names(rows)));
              shown.put(key, shown(model.prefix() + "TEST", family, rows));
            }
          }
        });
    assertEquals(expected, shown);
  }

  /** A row whose key no message contains never has a value. */
  @Test
  void everyProtobufRowHasKeyInMessage() {
    List<Row> without = new ArrayList<>();
    MODELS.forEach(
        (family, model) -> {
          NavigableSet<String> keys = messages(model.prefix() + "TEST").navigableKeySet();
          ROWS.stream()
              .filter(row -> row.family().equals(family) && row.channel().equals("protobuf"))
              .filter(row -> !isIn(keys, row))
              .forEach(without::add);
        });
    assertEquals(List.of(), without);
  }

  private static boolean isIn(NavigableSet<String> keys, Row row) {
    String start = row.fixedStart();
    return keys.tailSet(start).stream()
        .takeWhile(key -> key.startsWith(start))
        .anyMatch(row.pattern().asMatchPredicate());
  }

  private Set<String> shown(String serial, String family, List<Row> rows) {
    List<Row> json = rows.stream().filter(row -> !row.channel().equals("protobuf")).toList();
    Set<String> shown = new TreeSet<>();
    Map<String, Double> values = values(serial, json);
    if (json.size() < rows.size()) {
      values.putAll(messages(serial));
    }
    Plan plan =
        Plan.of(TABLE, TABLE.family(family), serial, values.keySet().toArray(String[]::new));
    double[] cells = values.values().stream().mapToDouble(value -> value).toArray();
    shown.addAll(Evidence.names(plan, cells));
    for (int set = 0; set < SETS; set++) {
      Arrays.setAll(cells, i -> random.nextInt(-MAX_VALUE, MAX_VALUE + 1));
      shown.addAll(Evidence.names(plan, cells));
    }
    return shown;
  }

  /** The raw values of all messages, computed once for all tests. */
  private static TreeMap<String, Double> messages(String serial) {
    return MESSAGES.computeIfAbsent(
        serial,
        unused -> {
          TreeMap<String, Double> values = new TreeMap<>();
          FullMessages.of(serial)
              .forEach(
                  frame -> values.putAll(Evidence.rawValues(TestFrames.decoded(frame, serial))));
          return values;
        });
  }

  /** A value for each row. */
  private static Map<String, Double> values(String serial, List<Row> rows) {
    Map<String, Double> values = new TreeMap<>();
    for (Row row : rows) {
      Rule.Argument where = row.argument(Rule.WHERE);
      int index = where == null ? 1 : (int) where.low();
      String key =
          row.key()
              .replace("[N]", "[" + index + "]")
              .replaceAll("(?<=[.])N(?=[.])", "" + index)
              .replace("{SN}", row.has(Rule.THIS_DEVICE) ? serial : "AB12")
              .replaceAll("chN(?![a-z])", "ch" + index)
              .replace("bpX", "bp2000");
      values.put(key, 1.0);
      if (where != null) {
        values.put(key.replaceAll("[.][^.]*$", "." + where.key()), where.low());
      }
    }
    return values;
  }
}
