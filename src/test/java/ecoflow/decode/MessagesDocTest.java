package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Descriptors.Descriptor;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** docs/MESSAGES.md says what the packaged tables say. */
class MessagesDocTest {

  private static final MessageTable TABLE = MessageTable.load();
  private static final MessageDecoder DECODER = MessageDecoder.load();

  private record Row(
      List<String> serials, int cmdFunc, int cmdId, String message, String prefix, String counts) {

    static Row parse(String line) {
      String[] cells = line.split("\\s*\\|\\s*", -1);
      String[] command = cells[3].split("/");
      return new Row(
          List.of(cells[2].split(" ")),
          Integer.parseInt(command[0]),
          Integer.parseInt(command[1]),
          cells[4],
          cells[5],
          cells[6] + "/" + cells[7]);
    }
  }

  @Test
  void everyRowHolds() throws IOException {
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
  void everyLineOfTheTableHasRow() throws IOException {
    Set<MessageTable.Entry> shown = new HashSet<>();
    for (Row row : rows()) {
      row.serials().forEach(serial -> shown.add(entry(row, serial)));
    }

    assertEquals(new HashSet<>(TABLE.entries()), shown);
  }

  @Test
  void theExampleHolds() throws IOException {
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
                  case STRING, BYTES -> 0;
                  case MESSAGE -> numericFields(field.getMessageType());
                  default -> 1;
                })
        .sum();
  }

  /** The largest number of numeric values in a recorded message of the row, or nothing. */
  private static String recorded(Row row) {
    return TestFrames.SERIALS.entrySet().stream()
        .filter(entry -> row.serials().stream().anyMatch(entry.getValue()::startsWith))
        .flatMapToInt(
            entry ->
                TestFrames.headers(TestFrames.recorded(entry.getKey())).stream()
                    .map(header -> DECODER.decode(header, entry.getValue()))
                    .filter(decoded -> decoded.outcome() == Decoded.Outcome.DECODED)
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
