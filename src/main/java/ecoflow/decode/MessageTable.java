package ecoflow.decode;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
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
   * @param prefix stands before the field names with a dot; empty for none; with [] at its end the
   *     message is one item of a list of that name
   */
  record Entry(int cmdFunc, int cmdId, Route route, Descriptor type, String prefix) {

    boolean isListItem() {
      return prefix.endsWith("[]");
    }

    String listName() {
      return prefix.substring(0, prefix.length() - 2);
    }
  }

  private record Command(int func, int id) {}

  private final Map<Command, List<Entry>> entries = new LinkedHashMap<>();
  private final Map<Descriptor, FieldDescriptor> indexFields = new HashMap<>();
  private final Map<Descriptor, List<FieldDescriptor>> zeroFields = new HashMap<>();

  private MessageTable() {}

  static MessageTable load() {
    try {
      MessageTable table = new MessageTable();
      Map<String, Descriptor> types = types(resource("messages.desc"));
      lines("messages.csv").forEach(columns -> table.addEntry(columns, types));
      lines("rules.csv").forEach(columns -> table.addRule(columns, types));
      return table;
    } catch (IOException | DescriptorValidationException e) {
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

  /** All lines in the order of the table. */
  List<Entry> entries() {
    return entries.values().stream().flatMap(List::stream).toList();
  }

  /** The field with the place of such a message in a list, or null. */
  FieldDescriptor indexField(Descriptor type) {
    return indexFields.get(type);
  }

  /** The fields that are 0 where a message of the type comes without them. */
  List<FieldDescriptor> zeroFields(Descriptor type) {
    return zeroFields.getOrDefault(type, List.of());
  }

  private void addEntry(String[] columns, Map<String, Descriptor> types) {
    Command command = new Command(Integer.parseInt(columns[0]), Integer.parseInt(columns[1]));
    Descriptor type = known(columns[3], types.get(columns[3]));
    entries
        .computeIfAbsent(command, c -> new ArrayList<>())
        .add(new Entry(command.func(), command.id(), Route.parse(columns[2]), type, columns[4]));
  }

  private void addRule(String[] columns, Map<String, Descriptor> types) {
    Descriptor type = known(columns[0], types.get(columns[0]));
    List<FieldDescriptor> fields =
        Arrays.stream(columns[2].split(" "))
            .map(name -> known(name, type.findFieldByName(name)))
            .toList();
    switch (columns[1]) {
      case "index" -> indexFields.put(type, fields.get(0));
      case "zero" -> zeroFields.put(type, fields);
      default -> throw new IllegalStateException("No rule " + columns[1]);
    }
  }

  private static <T> T known(String name, T found) {
    if (found == null) {
      throw new IllegalStateException("The tables name " + name + ", which does not exist");
    }
    return found;
  }

  /** Messages by "family.Name". */
  private static Map<String, Descriptor> types(byte[] descriptorSet)
      throws IOException, DescriptorValidationException {
    Map<String, Descriptor> types = new HashMap<>();
    for (FileDescriptorProto proto : FileDescriptorSet.parseFrom(descriptorSet).getFileList()) {
      FileDescriptor file = FileDescriptor.buildFrom(proto, new FileDescriptor[0]);
      for (Descriptor type : file.getMessageTypes()) {
        types.put(type.getFullName().substring("ecoflow.".length()), type);
      }
    }
    return types;
  }

  private static Stream<String[]> lines(String name) throws IOException {
    return new String(resource(name), StandardCharsets.UTF_8)
        .lines()
        .skip(1)
        .map(line -> line.split(",", -1));
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = MessageTable.class.getResourceAsStream(name)) {
      return known(name, in).readAllBytes();
    }
  }
}
