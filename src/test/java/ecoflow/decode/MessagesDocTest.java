package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Compares docs/MESSAGES.md with the packaged tables. */
class MessagesDocTest {

  private static final Pattern LIST_ROW =
      Pattern.compile("\\| `(\\w+[.]\\w+)` \\| ([^|]*) \\| ?([^|]*) \\| [^|]* \\|");

  private static final Set<String> EVIDENCE = Set.of("frame", "capture", "schema", "report");

  private static final MessageTable TABLE = MessageTable.load();
  private static final MessageDecoder DECODER = MessageDecoder.load();

  private record Row(
      List<String> serials,
      int cmdFunc,
      int cmdId,
      String message,
      String prefix,
      String counts,
      String evidence) {

    static Row parse(String line) {
      String[] cells = line.split("\\s*\\|\\s*", -1);
      String[] command = cells[3].split("/");
      return new Row(
          List.of(cells[2].split(" ")),
          Integer.parseInt(command[0]),
          Integer.parseInt(command[1]),
          cells[4],
          cells[5],
          cells[6] + "/" + cells[7],
          cells[8]);
    }
  }

  @Test
  void everyRowMatchesTable() throws IOException {
    for (Row row : rows()) {
      for (String serial : row.serials()) {
        MessageTable.Entry entry = entry(row, serial);
        assertEquals(row.message() + " " + row.prefix(), entry.message() + " " + entry.prefix());
      }
      MessageTable.Entry entry = entry(row, row.serials().get(0));
      assertEquals(
          row.counts(), numericFields(TABLE.type(entry)) + "/" + recorded(row), row.toString());
    }
  }

  @Test
  void evidenceOfRecordedMessagesIsFrame() throws IOException {
    for (Row row : rows()) {
      assertEquals(!recorded(row).isEmpty(), row.evidence().equals("frame"), row.toString());
      assertTrue(EVIDENCE.contains(row.evidence()), row.toString());
    }
  }

  @Test
  void everyLineOfTableHasRow() throws IOException {
    Set<MessageTable.Entry> shown = new HashSet<>();
    for (Row row : rows()) {
      row.serials().forEach(serial -> shown.add(entry(row, serial)));
    }

    assertEquals(new HashSet<>(TABLE.entries()), shown);
  }

  /** Compares the rows of lists, including messages that are list items. */
  @Test
  void everyListHasRow() throws IOException {
    SortedMap<String, String> rules = new TreeMap<>();
    Set<String> seen = new HashSet<>();
    for (MessageTable.Entry entry : TABLE.entries()) {
      if (entry.isListItem()) {
        rules.put(name(TABLE.type(entry)), rule(TABLE.listRule(TABLE.type(entry))));
      }
      addLists(TABLE.type(entry), rules, seen);
    }

    SortedMap<String, String> documented = new TreeMap<>();
    for (String line : Files.readAllLines(Path.of("docs/MESSAGES.md"))) {
      Matcher row = LIST_ROW.matcher(line);
      if (row.matches()) {
        documented.put(row.group(1), (row.group(2) + " " + row.group(3).replace("`", "")).strip());
      }
    }
    assertEquals(rules, documented);
  }

  private static void addLists(Descriptor type, Map<String, String> rules, Set<String> seen) {
    if (!seen.add(type.getFullName())) {
      return;
    }
    for (FieldDescriptor field : type.getFields()) {
      if (field.getType() == FieldDescriptor.Type.MESSAGE) {
        if (field.isRepeated()) {
          rules.put(name(field.getMessageType()), rule(TABLE.listRule(field.getMessageType())));
        }
        addLists(field.getMessageType(), rules, seen);
      }
    }
  }

  private static String name(Descriptor type) {
    return type.getFullName().replaceFirst("^ecoflow[.]", "");
  }

  private static String rule(ListItems.Rule rule) {
    List<String> kinds = new ArrayList<>();
    List<String> fields = new ArrayList<>(rule.indexFields());
    if (!fields.isEmpty()) {
      kinds.add(rule.hasTotal() ? "total" : rule.emptySlots() ? "slot" : "index");
    }
    if (rule.newestBy() != null) {
      kinds.add("newest");
      fields.add(rule.newestBy());
    }
    String kind = kinds.isEmpty() ? "position" : String.join(", ", kinds);
    return (kind + " " + String.join(", ", fields)).strip();
  }

  @Test
  void exampleMatchesTables() throws IOException {
    String doc = Files.readString(Path.of("docs/MESSAGES.md"));
    List<String> parts =
        Pattern.compile("```(?:proto|csv)\n(.*?)```", Pattern.DOTALL)
            .matcher(doc)
            .results()
            .map(part -> part.group(1))
            .toList();
    Path tables = Path.of("src/main/resources/ecoflow/decode");

    assertTrue(
        Files.readString(Path.of("src/main/proto/general.proto")).contains("\n" + parts.get(0)));
    assertTrue(Files.readString(tables.resolve("messages.csv")).contains("\n" + parts.get(1)));
    assertTrue(Files.readString(tables.resolve("rules.csv")).contains("\n" + parts.get(2)));
    assertEquals(3, parts.size());
    String message = "2802e50200001643";
    assertTrue(doc.contains("`" + message + "`"));
    Header header = TestFrames.header(TestFrames.hex(message)).setCmdFunc(32).setCmdId(177).build();
    assertEquals(
        Map.of("battery_pack[2]", Map.of("slot", 2L, "pack_power", 150.0)),
        DECODER.decode(header, "HR51TEST00000001").values());
  }

  private static List<Row> rows() throws IOException {
    return Files.readAllLines(Path.of("docs/MESSAGES.md")).stream()
        .filter(line -> line.matches("(\\|[^|]*){2}\\| \\d+/\\d+ \\|.*"))
        .map(Row::parse)
        .toList();
  }

  private static MessageTable.Entry entry(Row row, String serial) {
    return TABLE.find(
        Header.newBuilder().setCmdFunc(row.cmdFunc()).setCmdId(row.cmdId()).build(), serial);
  }

  private static int numericFields(Descriptor type) {
    return type.getFields().stream()
        .mapToInt(
            field ->
                switch (field.getType()) {
                  case STRING -> 0;
                  case BYTES -> TABLE.isNumber(field) || TABLE.isMask(field) ? 1 : 0;
                  case MESSAGE -> numericFields(field.getMessageType());
                  default -> 1;
                })
        .sum();
  }

  /** The largest number of numeric values in a recorded message of the row; empty without one. */
  private static String recorded(Row row) {
    return TestFrames.SERIALS.entrySet().stream()
        .filter(entry -> row.serials().stream().anyMatch(entry.getValue()::startsWith))
        .flatMapToInt(
            entry ->
                TestFrames.decoded(TestFrames.recorded(entry.getKey()), entry.getValue()).stream()
                    .filter(d -> d.cmdFunc() == row.cmdFunc() && d.cmdId() == row.cmdId())
                    .mapToInt(decoded -> numericValues(decoded.values())))
        .max()
        .stream()
        .mapToObj(Integer::toString)
        .findFirst()
        .orElse("");
  }

  private static int numericValues(Object value) {
    if (value instanceof Map<?, ?> map) {
      return numericValues(map.values());
    }
    if (value instanceof Collection<?> list) {
      return list.stream().mapToInt(MessagesDocTest::numericValues).sum();
    }
    return value instanceof String ? 0 : 1;
  }
}
