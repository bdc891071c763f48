package ecoflow.normal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules for {@code parts.csv}, which is data. */
class PartsTableTest {

  /** Each family of {@code metrics.csv} has a line in one of the two tables. */
  private static final List<Line> CONDITIONS =
      lines(resource("/ecoflow/normal/parts.csv"), "families,part,rows,present,evidence", 5);

  static final List<Line> WITHOUT_CONDITION =
      lines(resource("/parts/without-condition.csv"), "families,part,reason", 3);

  private static final List<Row> ROWS = PackagedTable.rows().stream().filter(Row::isOn).toList();
  private static final Pattern KEY = Pattern.compile("[^=!<>|;]+");

  record Line(List<String> cells) {

    List<String> families() {
      return List.of(cells.get(0).split(" "));
    }

    String part() {
      return cells.get(1);
    }

    Part of() {
      return Part.of(cells.toArray(String[]::new));
    }

    /** The raw keys of the condition. */
    List<String> keys() {
      return Stream.of(cells.get(3).split("[;|]"))
          .map(comparison -> KEY.matcher(comparison).results().findFirst().orElseThrow().group())
          .distinct()
          .toList();
    }
  }

  static List<Line> conditions() {
    return CONDITIONS;
  }

  private static Set<String> families() {
    return ROWS.stream().map(Row::family).collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void eachLineHasFamiliesPartAndEvidence() {
    Set<List<String>> seen = new HashSet<>();
    for (Line line : Stream.concat(CONDITIONS.stream(), WITHOUT_CONDITION.stream()).toList()) {
      assertTrue(families().containsAll(line.families()), line::toString);
      assertTrue(line.cells().stream().noneMatch(String::isBlank), line::toString);
      assertTrue(seen.add(line.cells().subList(0, 2)), line::toString);
    }
  }

  @Test
  void eachSelectorSelectsEnabledRows() {
    for (Line line : CONDITIONS) {
      Part part = line.of();
      for (Part.Selector selector : part.rows()) {
        assertTrue(
            ROWS.stream()
                .anyMatch(row -> part.families().contains(row.family()) && selector.selects(row)),
            () -> selector + " of " + line);
      }
      for (String family : part.families()) {
        assertTrue(
            ROWS.stream().anyMatch(row -> row.family().equals(family) && part.contains(row)),
            () -> family + " of " + line);
      }
    }
  }

  @Test
  void eachFamilyHasLine() {
    Set<String> named = new TreeSet<>();
    CONDITIONS.forEach(line -> named.addAll(line.families()));
    WITHOUT_CONDITION.forEach(line -> named.addAll(line.families()));
    assertEquals(families(), named);
  }

  /** A condition with a key that no device sends is always or never true. */
  @Test
  void conditionsHaveKeysThatDevicesSend() throws IOException {
    Set<String> known = new HashSet<>(keysOfMaps());
    Set<String> fields = fieldsOfMessages();
    for (Line line : CONDITIONS) {
      Set<String> ofRows =
          ROWS.stream()
              .filter(row -> line.families().contains(row.family()))
              .map(row -> withoutPlaces(row.key()))
              .collect(Collectors.toSet());
      for (String key : line.keys()) {
        boolean isField = Stream.of(key.split("[.]")).allMatch(fields::contains);
        assertTrue(
            isField || ofRows.contains(withoutPlaces(key)) || known.contains(withoutPlaces(key)),
            () -> key + " of " + line);
      }
    }
    assertFalse(fields.contains("bms_is_connected"));
  }

  private static String withoutPlaces(String key) {
    return key.replaceAll("\\[([0-9]+|N)\\]", "[]");
  }

  /** Fields of all messages, with the prefixes of the message table. */
  private static Set<String> fieldsOfMessages() throws IOException {
    Pattern field = Pattern.compile("(?m)^ *(?:optional |repeated )?[\\w.]+ (\\w+) = \\d+");
    Set<String> fields = new HashSet<>();
    try (Stream<Path> files = Files.list(Path.of("src/main/proto"))) {
      for (Path file : files.toList()) {
        field.matcher(Files.readString(file)).results().forEach(of -> fields.add(of.group(1)));
      }
    }
    resource("/ecoflow/decode/messages.csv")
        .forEach(line -> fields.add(line.substring(line.lastIndexOf(',') + 1)));
    return fields;
  }

  /** Keys in the quota maps of real devices in the test resources. */
  private static Set<String> keysOfMaps() throws IOException {
    Set<String> keys = new HashSet<>();
    for (String directory : List.of("quotas", "parts")) {
      try (Stream<Path> files = Files.list(Path.of("src/test/resources", directory))) {
        for (Path file : files.filter(path -> path.toString().endsWith(".json")).toList()) {
          addKeys(new ObjectMapper().readTree(file.toFile()), "", keys);
        }
      }
    }
    return keys;
  }

  private static void addKeys(JsonNode node, String path, Set<String> keys) {
    if (node.isObject()) {
      node.properties()
          .forEach(
              member ->
                  addKeys(
                      member.getValue(),
                      path.isEmpty() ? member.getKey() : path + "." + member.getKey(),
                      keys));
    } else if (node.isArray()) {
      node.forEach(element -> addKeys(element, path + "[]", keys));
    } else {
      keys.add(path);
    }
  }

  private static List<Line> lines(Stream<String> text, String head, int columns) {
    List<String> lines = text.toList();
    assertEquals(head, lines.get(0));
    return lines.stream().skip(1).map(line -> line(line, columns)).toList();
  }

  /** The last cell can contain commas. */
  private static Line line(String text, int columns) {
    List<String> cells = List.of(text.split(",", columns));
    assertEquals(columns, cells.size(), text);
    return new Line(cells);
  }

  private static Stream<String> resource(String name) {
    try (InputStream in = PartsTableTest.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), UTF_8).lines();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
