package ecoflow.routes;

import ecoflow.text.Lines;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** A route file as YAML nodes with line numbers. */
record RouteFile(String name, boolean isUserFile, Node root) {

  /** A key of a map with its value. */
  record Entry(String key, Node keyNode, Node value) {

    int line() {
      return RouteFile.line(keyNode);
    }
  }

  /** Parses a file. Empty if the text is empty or is not YAML, which is added to the problems. */
  static Optional<RouteFile> read(
      String name, boolean isUserFile, String text, RouteLint.Problems problems) {
    try {
      LoadSettings settings = LoadSettings.builder().setLabel(name).build();
      Optional<Node> root = new Compose(settings).composeString(text);
      if (root.isEmpty()) {
        problems.add(name, 1, "the file is empty; " + SchemaCheck.LIST);
      }
      return root.map(node -> new RouteFile(name, isUserFile, node));
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1);
      problems.add(name, line, YamlWords.of(e.getProblem()));
    } catch (YamlEngineException e) {
      problems.add(name, 1, Lines.root(e));
    }
    return Optional.empty();
  }

  static int line(Node node) {
    return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
  }

  /**
   * The entries of a map, with the keys in camel case, because Camel also accepts keys with dashes.
   */
  static List<Entry> entries(Node node) {
    List<Entry> entries = new ArrayList<>();
    if (node instanceof MappingNode map) {
      for (NodeTuple tuple : map.getValue()) {
        entries.add(
            new Entry(
                camelCase(text(tuple.getKeyNode())), tuple.getKeyNode(), tuple.getValueNode()));
      }
    }
    return entries;
  }

  static List<Node> items(Node node) {
    return node instanceof SequenceNode list ? list.getValue() : List.of();
  }

  static Optional<Node> at(Node node, String key) {
    return entries(node).stream().filter(e -> e.key.equals(key)).map(Entry::value).findFirst();
  }

  /** The text of the scalar with this key; empty if there is none. */
  static Optional<String> textAt(Node node, String key) {
    return at(node, key).filter(ScalarNode.class::isInstance).map(RouteFile::text);
  }

  static String text(Node node) {
    return node instanceof ScalarNode scalar ? scalar.getValue() : "";
  }

  private static String camelCase(String key) {
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < key.length(); i++) {
      boolean isDash = key.charAt(i) == '-' && i > 0 && i + 1 < key.length();
      name.append(isDash ? Character.toUpperCase(key.charAt(++i)) : key.charAt(i));
    }
    return name.toString();
  }
}
