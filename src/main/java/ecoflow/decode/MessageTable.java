package ecoflow.decode;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The packaged table of which command carries which message. */
final class MessageTable {

  /**
   * One line of the table.
   *
   * @param prefix stands before the field names, empty or ending with a dot
   */
  record Entry(Route route, Descriptor type, String prefix) {}

  private record Command(int func, int id) {}

  private final Map<Command, List<Entry>> entries = new HashMap<>();

  private MessageTable() {}

  static MessageTable load() {
    try {
      MessageTable table = new MessageTable();
      Map<String, Descriptor> types = types(resource("messages.desc"));
      String lines = new String(resource("messages.csv"), StandardCharsets.UTF_8);
      lines.lines().skip(1).forEach(line -> table.add(line.split(",", -1), types));
      return table;
    } catch (IOException | DescriptorValidationException e) {
      throw new IllegalStateException("The packaged message table is damaged", e);
    }
  }

  /** The first line that fits, or null. */
  Entry find(Header header, String serial) {
    for (Entry entry :
        entries.getOrDefault(new Command(header.getCmdFunc(), header.getCmdId()), List.of())) {
      if (entry.route().matches(header, serial)) {
        return entry;
      }
    }
    return null;
  }

  /** All lines, in no set order. */
  List<Entry> entries() {
    return entries.values().stream().flatMap(List::stream).toList();
  }

  private void add(String[] columns, Map<String, Descriptor> types) {
    Descriptor type = types.get(columns[3]);
    if (type == null) {
      throw new IllegalStateException("No message " + columns[3]);
    }
    Command command = new Command(Integer.parseInt(columns[0]), Integer.parseInt(columns[1]));
    String prefix = columns[4].isEmpty() ? "" : columns[4] + ".";
    entries
        .computeIfAbsent(command, c -> new ArrayList<>())
        .add(new Entry(Route.parse(columns[2]), type, prefix));
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

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = MessageTable.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("No resource " + name);
      }
      return in.readAllBytes();
    }
  }
}
