package ecoflow.routes;

import com.fasterxml.jackson.databind.JsonNode;
import ecoflow.routes.DslSchema.Shape;
import ecoflow.routes.RouteFile.Entry;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/** Compares the nodes of a file with the schema: keys, lists, maps, numbers, enumerations. */
final class ShapeCheck {

  static final String LIST = "it takes a list (lines that start with '- ')";

  /** Required keys; the schema also requires keys that Camel does not need. */
  private static final Set<String> NEEDED =
      Set.of(
          "uri",
          "steps",
          "from",
          "name",
          "message",
          "routeTemplateRef",
          "deadLetterUri",
          "language");

  private static final Pattern NUMBER = Pattern.compile("[+-]?\\d+(\\.\\d+)?([smhd]|ms)?");
  private static final int MOST_LEVELS = 100;

  private final CamelContext camel;
  private final RouteLint.Problems problems;
  private final DslSchema schema;
  private String file;

  ShapeCheck(CamelContext camel, RouteLint.Problems problems) {
    this.camel = camel;
    this.problems = problems;
    this.schema = new DslSchema(camel);
  }

  void check(RouteFile routes) {
    file = routes.name();
    // Pipes and Kamelets have a different form.
    if (RouteFile.at(routes.root(), "apiVersion").isEmpty()) {
      check("the file", routes.root(), schema.root(), 0);
    }
  }

  private void check(String where, Node node, JsonNode allowed, int level) {
    Shape shape = schema.shape(allowed);
    if (level > MOST_LEVELS || (shape.types().isEmpty() && shape.keys().isEmpty())) {
      return;
    }
    if (node instanceof MappingNode) {
      map(where, node, shape, level);
    } else if (node instanceof SequenceNode list) {
      if (!shape.types().contains("array")) {
        wrongKind(where, node, shape, "a list");
      } else if (shape.items() != null) {
        list.getValue().forEach(item -> check(where, item, shape.items(), level + 1));
      }
    } else if (node instanceof ScalarNode) {
      scalar(where, node, shape);
    }
  }

  private void map(String where, Node node, Shape shape, int level) {
    Map<String, Entry> seen = new HashMap<>();
    for (Entry entry : RouteFile.entries(node)) {
      Entry before = seen.putIfAbsent(entry.key(), entry);
      if (before != null) {
        tell(entry.keyNode(), "'" + entry.key() + "' is duplicate, see line " + before.line());
      }
    }
    if (!shape.types().contains("object")) {
      wrongKind(where, node, shape, "a map");
      return;
    }
    if (shape.keys().isEmpty()) {
      return;
    }
    for (Entry entry : RouteFile.entries(node)) {
      JsonNode of = shape.keys().get(entry.key());
      if (of == null) {
        tell(
            entry.keyNode(),
            "'"
                + RouteFile.text(entry.keyNode())
                + "' is unknown in "
                + where
                + Guess.of(entry.key(), shape.keys().keySet()));
      } else {
        check(entry.key(), entry.value(), of, level + 1);
        Libraries.missing(camel, entry.key(), entry.value(), of.path("$ref").asText())
            .ifPresent(words -> tell(entry.keyNode(), words));
      }
    }
    if (shape.hasOneKey() && seen.size() > 1) {
      RouteFile.entries(node).stream()
          .skip(1)
          .filter(entry -> shape.keys().containsKey(entry.key()))
          .forEach(
              entry ->
                  tell(
                      entry.keyNode(),
                      "'"
                          + entry.key()
                          + "' needs a '- ' of its own: an entry of "
                          + where
                          + " has one key"));
    }
    for (String key : shape.required()) {
      if (NEEDED.contains(key) && isNothing(seen.get(key))) {
        tell(node, where + " lacks '" + key + "'");
      }
    }
  }

  private static boolean isNothing(Entry entry) {
    return entry == null
        || (entry.value() instanceof ScalarNode && RouteFile.text(entry.value()).isEmpty());
  }

  private void scalar(String where, Node node, Shape shape) {
    String text = RouteFile.text(node);
    Set<String> types = shape.types();
    if (types.contains("string") || isDecidedLater(text)) {
      if (!shape.values().isEmpty() && !isDecidedLater(text) && !isAmong(shape.values(), text)) {
        tell(node, where + " cannot be '" + text + "'" + Guess.of(text, shape.values()));
      }
    } else if (types.contains("boolean")) {
      if (!text.equalsIgnoreCase("true") && !text.equalsIgnoreCase("false")) {
        tell(node, where + " takes true or false, not '" + text + "'");
      }
    } else if (types.contains("number")) {
      if (!NUMBER.matcher(text).matches()) {
        tell(node, where + " takes a number, not '" + text + "'");
      }
    } else {
      wrongKind(where, node, shape, text.isEmpty() ? "nothing" : "'" + text + "'");
    }
  }

  private void wrongKind(String where, Node node, Shape shape, String found) {
    String takes =
        shape.types().contains("array")
            ? where + " takes a list (lines that start with '- ')"
            : shape.types().contains("object")
                ? where + " takes a map (lines of 'key: value')"
                : where + " takes a single value";
    tell(node, takes + ", not " + found);
  }

  private static boolean isDecidedLater(String text) {
    return text.contains("{{") || text.contains("${");
  }

  /** Camel ignores the case and the separators of such values. */
  static boolean isAmong(Set<String> values, String text) {
    return values.stream().anyMatch(value -> plain(value).equals(plain(text)));
  }

  private static String plain(String word) {
    return word.replaceAll("[-_]", "").toLowerCase(Locale.ROOT);
  }

  private void tell(Node node, String words) {
    problems.add(file, RouteFile.line(node), words);
  }
}
