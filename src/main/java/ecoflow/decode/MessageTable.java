package ecoflow.decode;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The message tables: the message of each command (messages.csv), the fields of the messages (the
 * .proto files, as descriptors), and rules for their fields (rules.csv).
 */
final class MessageTable {

  /**
   * One line of messages.csv.
   *
   * @param message "family.Name"
   * @param prefix prefix of the field names, followed by a dot; empty for no prefix; if it ends
   *     with [], the message is an item of the list with that name
   * @param prepared the type of the message, with the prefix in the names of its fields
   */
  record Entry(
      int cmdFunc,
      int cmdId,
      DeviceCondition route,
      String message,
      String prefix,
      Lazy<MessageType> prepared) {

    boolean isListItem() {
      return prefix.endsWith("[]");
    }

    String listName() {
      return prefix.substring(0, prefix.length() - 2);
    }
  }

  /** A value that is computed on first use. */
  static final class Lazy<T> {

    private final Supplier<T> prepare;
    private volatile T value;

    private Lazy(Supplier<T> prepare) {
      this.prepare = prepare;
    }

    T get() {
      T ready = value;
      if (ready == null) {
        // Concurrent callers may compute it twice, with the same result.
        ready = prepare.get();
        value = ready;
      }
      return ready;
    }
  }

  private record Command(int func, int id) {}

  /** Identifies the lines to which the renaming of a field applies. */
  private record Renaming(String message, DeviceCondition route) {}

  static final String PACKAGE = "ecoflow.";

  private final ProtoFiles protoFiles;
  private final Map<Command, List<Entry>> entries = new LinkedHashMap<>();
  private final Map<String, ListItems.Rule> listRules = new HashMap<>();
  private final Map<String, List<String>> zeroFields = new HashMap<>();
  private final Map<Descriptor, MessageType> types = new ConcurrentHashMap<>();
  private final Set<String> numbers = new HashSet<>();
  private final Set<String> masks = new HashSet<>();

  private final Map<Renaming, Map<String, String>> newNames = new HashMap<>();

  private MessageTable(ProtoFiles protoFiles) {
    this.protoFiles = protoFiles;
  }

  static MessageTable load() {
    return load(Optional.empty(), problem -> {});
  }

  /**
   * Loads the packaged tables and the user's tables.
   *
   * @param directory the directory with the user's tables, whose lines take precedence over the
   *     packaged ones
   * @param problems receives a line for each error in the directory
   */
  static MessageTable load(Optional<Path> directory, Consumer<String> problems) {
    try {
      ProtoFiles protoFiles = new ProtoFiles(resource("messages.desc"));
      MessageTable table = new MessageTable(protoFiles);
      Optional<UserMessages> own =
          directory.map(path -> new UserMessages(path, protoFiles, problems));
      // The first matching line of a command and the last rule of a field take precedence.
      own.ifPresent(messages -> messages.entries.forEach(table::addEntry));
      lines("messages.csv").forEach(table::addEntry);
      lines("rules.csv").forEach(table::addRule);
      own.ifPresent(messages -> messages.rules.forEach(table::addRule));
      return table;
    } catch (IOException e) {
      throw new IllegalStateException("The packaged message table is corrupt", e);
    }
  }

  /**
   * Whether an sn condition of a packaged line matches this serial number. Does not load any .proto
   * file.
   */
  static boolean hasSerialCondition(String serial) {
    try {
      return lines("messages.csv")
          .anyMatch(columns -> DeviceCondition.parse(columns[2]).matchesSerial(serial));
    } catch (IOException e) {
      throw new IllegalStateException("The packaged message table is corrupt", e);
    }
  }

  /** The first matching line, or null. */
  Entry find(Header header, String serial) {
    Command command = new Command(header.getCmdFunc(), header.getCmdId());
    for (Entry entry : entries.getOrDefault(command, List.of())) {
      if (entry.route().matches(header, serial)) {
        return entry;
      }
    }
    return null;
  }

  /** All lines, grouped by command. */
  List<Entry> entries() {
    return entries.values().stream().flatMap(List::stream).toList();
  }

  /** The descriptor of the message of a line. */
  Descriptor type(Entry entry) {
    return protoFiles.message(entry.message());
  }

  /**
   * The keys of fields with a different meaning on the devices of a line, by their names in the
   * .proto file.
   */
  Map<String, String> newNames(String message, DeviceCondition route) {
    return newNames.getOrDefault(new Renaming(message, route), Map.of());
  }

  /** The rule for messages of this type as list items. */
  ListItems.Rule listRule(Descriptor type) {
    return listRules.getOrDefault(type.getFullName(), ListItems.Rule.BY_POSITION);
  }

  /** Whether the bytes of the field are a little-endian number. */
  boolean isNumber(FieldDescriptor field) {
    return numbers.contains(field.getFullName());
  }

  /** Whether the bytes of the field are a bit mask. */
  boolean isMask(FieldDescriptor field) {
    return masks.contains(field.getFullName());
  }

  /**
   * The fields that are 0, or an empty list, if a message of the type lacks them: those in
   * rules.csv, and the list of a message whose only field is a list.
   */
  List<FieldDescriptor> zeroFields(Descriptor type) {
    return isBareList(type)
        ? type.getFields()
        : zeroFields.getOrDefault(type.getFullName(), List.of()).stream()
            .map(type::findFieldByName)
            .toList();
  }

  /**
   * Whether the only field is a list that is complete in each message. Items with an index are sent
   * one by one.
   */
  private boolean isBareList(Descriptor type) {
    List<FieldDescriptor> fields = type.getFields();
    if (fields.size() != 1 || !fields.get(0).isRepeated()) {
      return false;
    }
    FieldDescriptor list = fields.get(0);
    return switch (list.getType()) {
      case MESSAGE -> listRule(list.getMessageType()).equals(ListItems.Rule.BY_POSITION);
      case BYTES -> isNumber(list);
      default -> true;
    };
  }

  /**
   * Prepares the message of a line and its nested messages. Only the outer fields get the prefix.
   *
   * @param newNames keys of renamed fields by their names in the .proto file
   */
  private MessageType prepare(Descriptor type, String prefix, Map<String, String> newNames) {
    String start = prefix.isEmpty() || prefix.endsWith("[]") ? "" : prefix + ".";
    Function<FieldDescriptor, String> key =
        field -> start + newNames.getOrDefault(field.getName(), field.getName());
    List<FieldDescriptor> inOrder =
        type.getFields().stream()
            .sorted(Comparator.comparingInt(FieldDescriptor::getNumber))
            .toList();
    List<MessageType.Field> fields = new ArrayList<>();
    for (FieldDescriptor field : inOrder) {
      fields.add(
          MessageType.Field.of(
              fields.size(), field, key.apply(field), bytesRule(field), nested(field)));
    }
    Map<String, Object> zeros = new LinkedHashMap<>();
    zeroFields(type).forEach(field -> zeros.put(key.apply(field), zero(field)));
    return new MessageType(fields, listRule(type), zeros);
  }

  private MessageType nested(FieldDescriptor field) {
    if (field.getType() != FieldDescriptor.Type.MESSAGE) {
      return null;
    }
    MessageType ready = types.get(field.getMessageType());
    if (ready == null) {
      ready = prepare(field.getMessageType(), "", Map.of());
      types.put(field.getMessageType(), ready);
    }
    return ready;
  }

  private MessageType.BytesRule bytesRule(FieldDescriptor field) {
    return isNumber(field)
        ? MessageType.BytesRule.NUMBER
        : isMask(field) ? MessageType.BytesRule.MASK : MessageType.BytesRule.NO_VALUE;
  }

  private static Object zero(FieldDescriptor field) {
    if (field.isRepeated()) {
      return List.of();
    }
    return switch (field.getJavaType()) {
      case FLOAT, DOUBLE -> 0.0;
      case INT, LONG -> 0L;
      case BOOLEAN -> false;
      default -> throw new IllegalStateException("No zero for " + field.getFullName());
    };
  }

  private void addEntry(String[] columns) {
    Command command = new Command(Integer.parseInt(columns[0]), Integer.parseInt(columns[1]));
    DeviceCondition route = DeviceCondition.parse(columns[2]);
    entries
        .computeIfAbsent(command, c -> new ArrayList<>())
        .add(
            new Entry(
                command.func(),
                command.id(),
                route,
                columns[3],
                columns[4],
                new Lazy<>(
                    () ->
                        prepare(
                            protoFiles.message(columns[3]),
                            columns[4],
                            newNames(columns[3], route)))));
  }

  private void addRule(String[] columns) {
    String message = PACKAGE + columns[0];
    List<String> fields = Arrays.asList(columns[2].split(" "));
    switch (columns[1]) {
      case "index" -> changeListRule(message, rule -> rule.indexedBy(fields, false, false));
      case "slot" -> changeListRule(message, rule -> rule.indexedBy(fields, true, false));
      case "total" -> changeListRule(message, rule -> rule.indexedBy(fields, true, true));
      case "newest" -> changeListRule(message, rule -> rule.newestBy(fields.get(0)));
      case "zero" -> zeroFields.put(message, fields);
      case "number" -> numbers.add(message + "." + fields.get(0));
      case "mask" -> masks.add(message + "." + fields.get(0));
      case "rename" ->
          newNames
              .computeIfAbsent(
                  new Renaming(columns[0], DeviceCondition.parse(fields.get(0))),
                  unused -> new HashMap<>())
              .put(fields.get(1), fields.get(2));
      default -> throw new IllegalStateException("No rule " + columns[1]);
    }
  }

  private void changeListRule(String message, UnaryOperator<ListItems.Rule> change) {
    listRules.put(
        message, change.apply(listRules.getOrDefault(message, ListItems.Rule.BY_POSITION)));
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
