package ecoflow.decode;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import ecoflow.text.TableFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The tables and messages in the user's directory. Invalid lines and files are reported and
 * skipped, so that they cannot cause failures while messages are decoded.
 */
final class UserMessages {

  /** Bounds the array of fields in {@link MessageType}. */
  private static final int MAX_FIELD_NUMBER = 9999;

  private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");
  private static final Pattern ROUTE =
      Pattern.compile("|(sn:\\w+|(product|src):\\d{1,9})( (sn:\\w+|(product|src):\\d{1,9}))*");
  private static final Pattern PREFIX = Pattern.compile("|[A-Za-z_]\\w*(\\[])?");

  private final Path directory;
  private final ProtoFiles protoFiles;
  private final Consumer<String> problems;

  /** Columns of messages.csv. */
  final List<String[]> entries = new ArrayList<>();

  /** Columns of rules.csv. */
  final List<String[]> rules = new ArrayList<>();

  /** The names of the .proto files in the descriptor sets. */
  private final Set<String> compiledFiles = new HashSet<>();

  /**
   * Reads the directory and adds its .proto files to the packaged ones.
   *
   * @param problems receives a line for each error
   */
  UserMessages(Path directory, ProtoFiles protoFiles, Consumer<String> problems) {
    this.directory = directory;
    this.protoFiles = protoFiles;
    this.problems = problems;
    List<Path> files = files();
    files.stream().filter(file -> file.toString().endsWith(".desc")).forEach(this::readSet);
    files.stream().filter(file -> file.toString().endsWith(".proto")).forEach(this::reportIfUnused);
    table("messages.csv", "cmd_func,").read(this::entryError, entries::add);
    table("rules.csv", "message,").read(this::ruleError, rules::add);
  }

  private List<Path> files() {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    } catch (IOException e) {
      problems.accept(directory + " cannot be read");
      return List.of();
    }
  }

  private void reportIfUnused(Path proto) {
    String name = proto.getFileName().toString();
    if (!compiledFiles.contains(name)) {
      problems.accept(
          proto
              + " has no effect, because no .desc file contains it; create one with protoc"
              + " --descriptor_set_out="
              + name.replace(".proto", ".desc")
              + " "
              + name);
    }
  }

  private void readSet(Path path) {
    try {
      for (FileDescriptorProto file :
          FileDescriptorSet.parseFrom(Files.readAllBytes(path)).getFileList()) {
        String error = addFile(file);
        compiledFiles.add(file.getName().substring(file.getName().lastIndexOf('/') + 1));
        if (error != null) {
          problems.accept(path + ": " + file.getName() + " is skipped: " + error);
        }
      }
    } catch (IOException e) {
      problems.accept(path + " is skipped: it is not a readable descriptor set");
    }
  }

  private String addFile(FileDescriptorProto proto) {
    String name = proto.getName();
    String family = name.substring(name.lastIndexOf('/') + 1).replace(".proto", "");
    if (protoFiles.has(family)) {
      return "a file with this name already exists; rename it";
    }
    if (!proto.getPackage().equals(MessageTable.PACKAGE + family)) {
      return "it requires the line 'package " + MessageTable.PACKAGE + family + ";'";
    }
    try {
      FileDescriptor file = ProtoFiles.build(proto);
      for (Descriptor message : file.getMessageTypes()) {
        String error = messageError(message, new HashSet<>());
        if (error != null) {
          return error;
        }
      }
      protoFiles.add(family, file);
      return null;
    } catch (DescriptorValidationException e) {
      return "imports are not supported; define all messages in this file";
    }
  }

  private static String messageError(Descriptor message, Set<Descriptor> enclosing) {
    if (!enclosing.add(message)) {
      return "message " + message.getName() + " contains itself";
    }
    for (FieldDescriptor field : message.getFields()) {
      String error = fieldError(field, enclosing);
      if (error != null) {
        return error;
      }
    }
    enclosing.remove(message);
    return null;
  }

  private static String fieldError(FieldDescriptor field, Set<Descriptor> enclosing) {
    if (field.getNumber() > MAX_FIELD_NUMBER) {
      return field.getFullName() + " has a number above " + MAX_FIELD_NUMBER;
    }
    return switch (field.getType()) {
      case ENUM -> field.getFullName() + " is an enum; use int32";
      case GROUP -> field.getFullName() + " is a group; use a message";
      case MESSAGE -> messageError(field.getMessageType(), enclosing);
      default -> null;
    };
  }

  private TableFile table(String name, String head) {
    return new TableFile(directory.resolve(name), head, problems);
  }

  private String entryError(String[] columns) {
    if (columns.length != 5) {
      return TableFile.countError(columns, "5");
    }
    if (!NUMBER.matcher(columns[0]).matches() || !NUMBER.matcher(columns[1]).matches()) {
      return "cmd_func and cmd_id must be numbers";
    }
    if (!ROUTE.matcher(columns[2]).matches()) {
      return "route " + columns[2] + ": expected sn:, product: or src:, separated by spaces";
    }
    if (!PREFIX.matcher(columns[4]).matches()) {
      return "prefix " + columns[4] + ": expected a name, followed by [] for a list item";
    }
    return protoFiles.find(columns[3]) == null ? "unknown message " + columns[3] : null;
  }

  private String ruleError(String[] columns) {
    if (columns.length != 3) {
      return TableFile.countError(columns, "3");
    }
    Descriptor message = protoFiles.find(columns[0]);
    if (message == null) {
      return "unknown message " + columns[0];
    }
    for (String name : columns[2].split(" ")) {
      FieldDescriptor field = message.findFieldByName(name);
      if (field == null) {
        return "unknown field " + name + " in " + columns[0];
      }
      if (!isValid(columns[1], field)) {
        return "rule " + columns[1] + " is not valid for the field " + name;
      }
    }
    return null;
  }

  private static boolean isValid(String rule, FieldDescriptor field) {
    return switch (rule) {
      case "slot" ->
          !field.isRepeated()
              && (isInteger(field) || field.getType() == FieldDescriptor.Type.STRING);
      case "total" -> !field.isRepeated() && field.getType() == FieldDescriptor.Type.STRING;
      case "index", "newest" -> !field.isRepeated() && isInteger(field);
      case "number", "mask" -> field.getType() == FieldDescriptor.Type.BYTES;
      case "zero" ->
          field.isRepeated()
              || isInteger(field)
              || switch (field.getJavaType()) {
                case FLOAT, DOUBLE, BOOLEAN -> true;
                default -> false;
              };
      default -> false;
    };
  }

  private static boolean isInteger(FieldDescriptor field) {
    return switch (field.getJavaType()) {
      case INT, LONG -> true;
      default -> false;
    };
  }
}
