package ecoflow.text;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/**
 * A mapping of a YAML file. Scalars are read as they are written, so that {@code 007} and {@code
 * 1.50} do not become numbers. Fields that are not read are reported as unknown.
 */
public final class YamlSection {

  private static final Set<Tag> TAGS =
      Set.of(Tag.STR, Tag.INT, Tag.FLOAT, Tag.BOOL, Tag.NULL, Tag.BINARY, Tag.MAP, Tag.SEQ);

  private static final String TAG =
      "tags are not supported: a value that starts with ! must be in quotes";

  /**
   * A limit for files of a few megabytes. Expansion of aliases needs no limit, because nodes are
   * shared and never copied.
   */
  private static final int MAX_ALIASES = 1_000_000;

  private final String name;
  private final int line;
  private final Map<String, NodeTuple> fields = new LinkedHashMap<>();
  private final Set<String> unread = new TreeSet<>();

  /**
   * @param name the prefix of error messages; empty for the root
   * @param content null for an empty section
   */
  private YamlSection(String name, int line, Node content) throws YamlException {
    this.name = name;
    this.line = line;
    if (content instanceof MappingNode map) {
      for (NodeTuple field : map.getValue()) {
        fields.put(key(field), field);
      }
      unread.addAll(fields.keySet());
    } else if (content != null && !content.getTag().equals(Tag.NULL)) {
      throw error("expected a mapping");
    }
  }

  /**
   * The root of a file.
   *
   * @throws YamlException if the text is not a single valid YAML document, or its root is not a
   *     mapping
   */
  public static YamlSection read(String yaml) throws YamlException {
    LoadSettings settings =
        LoadSettings.builder()
            .setSchema(new CoreSchema())
            .setCodePointLimit(Integer.MAX_VALUE)
            .setMaxAliasesForCollections(MAX_ALIASES)
            .setAllowNonScalarKeys(true)
            .build();
    Optional<Node> root;
    try {
      root = new Compose(settings).composeString(yaml);
      if (root.isPresent()) {
        check(root.get(), Collections.newSetFromMap(new IdentityHashMap<>()));
      }
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(0);
      throw new YamlException(line, problem(e));
    } catch (ReaderException e) {
      int end = Math.min(yaml.length(), yaml.offsetByCodePoints(0, e.getPosition()));
      long line = yaml.substring(0, end).chars().filter(c -> c == '\n').count() + 1;
      throw new YamlException(
          (int) line, String.format("the character U+%04X is not allowed", e.getCodePoint()));
    } catch (YamlEngineException e) {
      throw new YamlException(0, "the file is not valid YAML");
    } catch (StackOverflowError e) {
      throw new YamlException(0, "the nesting is too deep");
    }
    // The line of a root that is not a mapping is of no use.
    int line = root.filter(MappingNode.class::isInstance).map(YamlSection::line).orElse(0);
    return new YamlSection("", line, root.orElse(null));
  }

  /** Omits text of the file: a password that starts with * or ! is read as an alias or a tag. */
  private static String problem(MarkedYamlEngineException e) {
    String problem = String.valueOf(e.getProblem());
    if (problem.startsWith("found undefined alias")) {
      return "found undefined alias: a value that starts with * must be in quotes";
    }
    if (problem.startsWith("found undefined tag")) {
      return TAG;
    }
    return problem.contains("escape sequence")
        ? "found an invalid escape sequence in double quotes"
        : Lines.oneLine(problem);
  }

  /**
   * @param checked nodes that need no check, because aliases refer to a node several times
   */
  private static void check(Node node, Set<Node> checked) throws YamlException {
    if (!checked.add(node)) {
      return;
    }
    if (!TAGS.contains(node.getTag())) {
      throw new YamlException(line(node), TAG);
    }
    if (node instanceof MappingNode map) {
      Set<String> keys = new HashSet<>();
      for (NodeTuple field : map.getValue()) {
        if (!(field.getKeyNode() instanceof ScalarNode)) {
          throw new YamlException(line(field.getKeyNode()), "expected a string as the key");
        }
        if (!keys.add(key(field))) {
          throw new YamlException(
              line(field.getKeyNode()), "found duplicate key " + Lines.oneLine(key(field)));
        }
        check(field.getValueNode(), checked);
      }
    } else if (node instanceof SequenceNode list) {
      for (Node item : list.getValue()) {
        check(item, checked);
      }
    }
  }

  private static int line(Node node) {
    return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(0);
  }

  /** All keys are scalars, because {@link #check} rejects others. */
  private static String key(NodeTuple field) {
    return ((ScalarNode) field.getKeyNode()).getValue();
  }

  /** The first line of the section, counted from 1. */
  public int line() {
    return line;
  }

  /** The line of a field, or of the section if it has no such field. */
  public int line(String field) {
    NodeTuple tuple = fields.get(field);
    return tuple == null ? line : line(tuple.getKeyNode());
  }

  /** The names of all fields, in the order of the file. */
  public Set<String> names() {
    return Collections.unmodifiableSet(fields.keySet());
  }

  /** The fields that have not been read, in the order of their names. */
  public Set<String> unread() {
    return Collections.unmodifiableSet(unread);
  }

  public boolean has(String field) {
    return fields.containsKey(field);
  }

  /** Whether the value of a field is a list. */
  public boolean isList(String field) {
    return has(field) && fields.get(field).getValueNode() instanceof SequenceNode;
  }

  /** Whether the value of a field is a mapping. */
  public boolean isSection(String field) {
    return has(field) && fields.get(field).getValueNode() instanceof MappingNode;
  }

  /** The value of a field; null if the field does not exist or has no value. */
  private Node value(String field) {
    unread.remove(field);
    NodeTuple tuple = fields.get(field);
    if (tuple == null || tuple.getValueNode().getTag().equals(Tag.NULL)) {
      return null;
    }
    return tuple.getValueNode();
  }

  /** A mapping; an empty section if the field does not exist. */
  public YamlSection section(String field) throws YamlException {
    return new YamlSection(field, line(field), value(field));
  }

  /** A list of mappings; empty if the field does not exist. */
  public List<YamlSection> sections(String field) throws YamlException {
    Node value = value(field);
    if (value == null) {
      return List.of();
    }
    if (!(value instanceof SequenceNode list)) {
      throw error(field, "expected a list");
    }
    List<YamlSection> sections = new ArrayList<>(list.getValue().size());
    for (Node item : list.getValue()) {
      if (!(item instanceof MappingNode)) {
        throw new YamlException(line(item), path(field) + ": expected a list of mappings");
      }
      sections.add(new YamlSection("", line(item), item));
    }
    return sections;
  }

  /** The text of a scalar, as it is written in the file. */
  public String text(String field, String defaultValue) throws YamlException {
    Node value = value(field);
    if (value == null) {
      return defaultValue;
    }
    if (!(value instanceof ScalarNode scalar)) {
      throw error(field, "expected a string");
    }
    return scalar.getValue();
  }

  public void flag(String field) throws YamlException {
    oneOf(field, text(field, "true"), Set.of("true", "false"), Boolean::valueOf);
  }

  /** A list of scalars; empty if the field does not exist. */
  public List<String> list(String field) throws YamlException {
    Node value = value(field);
    if (value == null) {
      return List.of();
    }
    if (!(value instanceof SequenceNode list)
        || !list.getValue().stream().allMatch(ScalarNode.class::isInstance)) {
      throw error(field, "expected a list");
    }
    return list.getValue().stream().map(item -> ((ScalarNode) item).getValue()).toList();
  }

  /**
   * Converts a value.
   *
   * @throws YamlException if the value is not one of the allowed values
   */
  public <T> T oneOf(
      String field, String value, Set<String> allowed, Function<String, T> conversion)
      throws YamlException {
    if (!allowed.contains(value)) {
      Set<String> names = new TreeSet<>(allowed);
      names.remove("");
      throw error(field, "expected " + String.join(", ", names));
    }
    return conversion.apply(value);
  }

  /**
   * @throws YamlException if a field has not been read
   */
  public void rejectUnknownFields() throws YamlException {
    if (!unread.isEmpty()) {
      throw error("unknown field " + Lines.oneLine(String.join(", ", unread)));
    }
  }

  /** An error in this section. */
  public YamlException error(String message) {
    return new YamlException(line, (name.isEmpty() ? "" : name + ": ") + message);
  }

  /** An error in the value of a field. */
  public YamlException error(String field, String message) {
    return new YamlException(line(field), path(field) + ": " + message);
  }

  private String path(String field) {
    return (name.isEmpty() ? "" : name + ".") + Lines.oneLine(field);
  }
}
