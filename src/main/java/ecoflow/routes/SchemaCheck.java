package ecoflow.routes;

import com.fasterxml.jackson.databind.JsonNode;
import ecoflow.routes.DslSchema.AllowedContent;
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

/** Validates the nodes of a file against the schema: keys, lists, maps, numbers, enumerations. */
final class SchemaCheck {

  static final String LIST = "expected a list (lines that start with '- ')";

  /** The required keys that are checked. The schema also requires keys that Camel does not need. */
  private static final Set<String> REQUIRED_KEYS =
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
  private static final int MAX_DEPTH = 100;

  private final CamelContext camel;
  private final RouteLint.Problems problems;
  private final DslSchema schema;
  private String file;

  SchemaCheck(CamelContext camel, RouteLint.Problems problems) {
    this.camel = camel;
    this.problems = problems;
    this.schema = new DslSchema(camel);
  }

  void check(RouteFile routes) {
    file = routes.name();
    // Pipes and Kamelets have a different format.
    if (RouteFile.at(routes.root(), "apiVersion").isEmpty()) {
      check("the file", routes.root(), schema.root(), 0);
    }
  }

  private void check(String where, Node node, JsonNode allowed, int level) {
    AllowedContent shape = schema.content(allowed);
    if (level > MAX_DEPTH || (shape.types().isEmpty() && shape.keys().isEmpty())) {
      return;
    }
    if (node instanceof MappingNode) {
      map(where, node, shape, level);
    } else if (node instanceof SequenceNode list) {
      if (!shape.types().contains("array")) {
        addTypeProblem(where, node, shape, "a list");
      } else if (shape.items() != null) {
        list.getValue().forEach(item -> check(where, item, shape.items(), level + 1));
      }
    } else if (node instanceof ScalarNode) {
      scalar(where, node, shape);
    }
  }

  private void map(String where, Node node, AllowedContent shape, int level) {
    Map<String, Entry> seen = new HashMap<>();
    for (Entry entry : RouteFile.entries(node)) {
      Entry before = seen.putIfAbsent(entry.key(), entry);
      if (before != null) {
        addProblem(
            entry.keyNode(), "duplicate key '" + entry.key() + "', see line " + before.line());
      }
    }
    if (!shape.types().contains("object")) {
      addTypeProblem(where, node, shape, "a map");
      return;
    }
    if (shape.keys().isEmpty()) {
      return;
    }
    Entry before = null;
    for (Entry entry : RouteFile.entries(node)) {
      JsonNode of = shape.keys().get(entry.key());
      if (of == null) {
        String key = RouteFile.text(entry.keyNode());
        addProblem(
            entry.keyNode(),
            isPartOf(before, entry.key(), shape)
                ? "'" + key + "' belongs to '" + before.key() + "': indent it further"
                : "'"
                    + key
                    + "' is unknown in "
                    + where
                    + Guess.of(entry.key(), shape.keys().keySet()));
      } else {
        before = entry;
        check(entry.key(), entry.value(), of, level + 1);
        Libraries.missing(camel, entry.key(), entry.value(), of.path("$ref").asText())
            .ifPresent(message -> addProblem(entry.keyNode(), message));
      }
    }
    if (shape.hasOneKey() && seen.size() > 1) {
      RouteFile.entries(node).stream()
          .skip(1)
          .filter(entry -> shape.keys().containsKey(entry.key()))
          .forEach(
              entry ->
                  addProblem(
                      entry.keyNode(),
                      "'"
                          + entry.key()
                          + "' must start a new entry with '- ': an entry of "
                          + where
                          + " has one key"));
    }
    for (String key : shape.required()) {
      if (REQUIRED_KEYS.contains(key) && isEmpty(seen.get(key))) {
        addProblem(node, where + " requires '" + key + "'");
      }
    }
  }

  /** Whether a key is at the level of the key before it instead of below it. */
  private boolean isPartOf(Entry before, String key, AllowedContent shape) {
    return before != null
        && isEmpty(before)
        && schema.content(shape.keys().get(before.key())).keys().containsKey(key);
  }

  private static boolean isEmpty(Entry entry) {
    return entry == null
        || (entry.value() instanceof ScalarNode && RouteFile.text(entry.value()).isEmpty());
  }

  private void scalar(String where, Node node, AllowedContent shape) {
    String text = RouteFile.text(node);
    Set<String> types = shape.types();
    if (types.contains("string") || hasPlaceholder(text)) {
      if (!shape.values().isEmpty() && !hasPlaceholder(text) && !isAmong(shape.values(), text)) {
        addProblem(node, where + ": unknown value '" + text + "'" + Guess.of(text, shape.values()));
      }
    } else if (types.contains("boolean")) {
      if (!text.equalsIgnoreCase("true") && !text.equalsIgnoreCase("false")) {
        addProblem(node, where + ": expected true or false, but was '" + text + "'");
      }
    } else if (types.contains("number")) {
      if (!NUMBER.matcher(text).matches()) {
        addProblem(node, where + ": expected a number, but was '" + text + "'");
      }
    } else {
      addTypeProblem(where, node, shape, text.isEmpty() ? "empty" : "'" + text + "'");
    }
  }

  private void addTypeProblem(String where, Node node, AllowedContent shape, String found) {
    String expected =
        shape.types().contains("array")
            ? where + ": " + LIST
            : shape.types().contains("object")
                ? where + ": expected a map (lines of 'key: value')"
                : where + ": expected a single value";
    addProblem(node, expected + ", but was " + found);
  }

  private static boolean hasPlaceholder(String text) {
    return text.contains("{{") || text.contains("${");
  }

  /** Whether the text is one of the values, ignoring case and separators like Camel. */
  static boolean isAmong(Set<String> values, String text) {
    return values.stream().anyMatch(value -> plain(value).equals(plain(text)));
  }

  private static String plain(String value) {
    return value.replaceAll("[-_]", "").toLowerCase(Locale.ROOT);
  }

  private void addProblem(Node node, String message) {
    problems.add(file, RouteFile.line(node), message);
  }
}
