package ecoflow.decode;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What the packaged tables say: which command carries which message (messages.csv), the fields of
 * the messages (the .proto files, as descriptors) and what to know beyond them (rules.csv).
 */
final class MessageTable {

  /**
   * One line of messages.csv.
   *
   * @param message "family.Name"
   * @param prefix stands before the field names with a dot; empty for none; with [] at its end the
   *     message is one item of a list of that name
   */
  record Entry(int cmdFunc, int cmdId, Route route, String message, String prefix) {

    boolean isListItem() {
      return prefix.endsWith("[]");
    }

    String listName() {
      return prefix.substring(0, prefix.length() - 2);
    }
  }

  private record Command(int func, int id) {}

  private static final String PACKAGE = "ecoflow.";

  private final ProtoFiles protoFiles;
  private final Map<Command, List<Entry>> entries = new LinkedHashMap<>();
  private final Map<String, String> indexFields = new HashMap<>();
  private final Map<String, List<String>> zeroFields = new HashMap<>();

  private MessageTable(ProtoFiles protoFiles) {
    this.protoFiles = protoFiles;
  }

  static MessageTable load() {
    try {
      MessageTable table = new MessageTable(new ProtoFiles(resource("messages.desc")));
      lines("messages.csv").forEach(table::addEntry);
      lines("rules.csv").forEach(table::addRule);
      return table;
    } catch (IOException e) {
      throw new IllegalStateException("The packaged message table is damaged", e);
    }
  }

  /** The first line that fits, or null. */
  Entry find(Header header, String serial) {
    Command command = new Command(header.getCmdFunc(), header.getCmdId());
    for (Entry entry : entries.getOrDefault(command, List.of())) {
      if (entry.route().matches(header, serial)) {
        return entry;
      }
    }
    return null;
  }

  /** All lines, those of one command together. */
  List<Entry> entries() {
    return entries.values().stream().flatMap(List::stream).toList();
  }

  /** The fields of the message of a line. */
  Descriptor type(Entry entry) {
    return protoFiles.message(entry.message());
  }

  /** The field with the place of such a message in a list, or null. */
  FieldDescriptor indexField(Descriptor type) {
    String name = indexFields.get(type.getFullName());
    return name == null ? null : type.findFieldByName(name);
  }

  /** The fields that are 0 where a message of the type comes without them. */
  List<FieldDescriptor> zeroFields(Descriptor type) {
    return zeroFields.getOrDefault(type.getFullName(), List.of()).stream()
        .map(type::findFieldByName)
        .toList();
  }

  private void addEntry(String[] columns) {
    Command command = new Command(Integer.parseInt(columns[0]), Integer.parseInt(columns[1]));
    Route route = Route.parse(columns[2]);
    entries
        .computeIfAbsent(command, c -> new ArrayList<>())
        .add(new Entry(command.func(), command.id(), route, columns[3], columns[4]));
  }

  private void addRule(String[] columns) {
    String message = PACKAGE + columns[0];
    switch (columns[1]) {
      case "index" -> indexFields.put(message, columns[2]);
      case "zero" -> zeroFields.put(message, Arrays.asList(columns[2].split(" ")));
      default -> throw new IllegalStateException("No rule " + columns[1]);
    }
  }

  private static Stream<String[]> lines(String name) throws IOException {
    return new String(resource(name), StandardCharsets.UTF_8)
        .lines()
        .skip(1)
        .map(line -> line.split(",", -1));
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = MessageTable.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("No resource " + name);
      }
      return in.readAllBytes();
    }
  }
}
