package ecoflow.routes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.routes.RouteFile.Entry;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.CatalogCamelContext;
import org.apache.camel.language.simple.types.SimpleIllegalSyntaxException;
import org.apache.camel.language.simple.types.SimpleParserException;
import org.apache.camel.spi.EndpointUriFactory;
import org.apache.camel.spi.Language;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Checks the references in a file: to components and their options, beans, classes, placeholders,
 * configurations and templates. Also checks the syntax of Simple expressions.
 */
final class ReferenceCheck {

  private static final Set<String> ENDPOINTS = Set.of("from", "to", "toD", "wireTap", "poll");
  private static final Set<String> BEAN_KEYS =
      Set.of("bean", "method", "process", "policy", "custom");

  /** Keys whose Simple expression is a predicate. */
  private static final Set<String> PREDICATES =
      Set.of(
          "filter",
          "when",
          "onWhen",
          "validate",
          "retryWhile",
          "handled",
          "continued",
          "completionPredicate");

  /** Keys with free text, or with text in another language. */
  private static final Set<String> FREE_TEXT =
      Set.of("description", "note", "script", "groovy", "js");

  private static final Set<String> COMPONENTS =
      Set.of(
          "bean",
          "class",
          "controlbus",
          "dataformat",
          "direct",
          "file",
          "http",
          "https",
          "language",
          "log",
          "micrometer",
          "paho",
          "platform-http",
          "scheduler",
          "seda",
          "timer");

  private static final Pattern PLACEHOLDER = Pattern.compile("(?<!\\\\)\\{\\{([^{}]+)\\}\\}");
  private static final Pattern BEAN_CALL = Pattern.compile("\\$\\{bean:([\\w-]+)[}?.:]");
  private static final Pattern REFERENCE = Pattern.compile("#(?:bean:)?([\\w.-]+)");
  private static final Pattern CLASS = Pattern.compile("(\\w+\\.)+[A-Z][\\w$]*");

  private final CamelContext camel;
  private final Declared declared;
  private final RouteFile file;
  private final RouteLint.Problems problems;
  private final Map<String, Optional<JsonNode>> components = new HashMap<>();
  private final Set<String> parameters = new HashSet<>();

  ReferenceCheck(
      CamelContext camel, Declared declared, RouteFile file, RouteLint.Problems problems) {
    this.camel = camel;
    this.declared = declared;
    this.file = file;
    this.problems = problems;
  }

  void check() {
    for (Entry entry : Declared.active(camel, file)) {
      if (!declared.isUsed(entry)) {
        continue;
      }
      parameters.clear();
      if (entry.key().equals("routeTemplate")) {
        RouteFile.at(entry.value(), "parameters").map(RouteFile::items).stream()
            .flatMap(Collection::stream)
            .forEach(item -> RouteFile.textAt(item, "name").ifPresent(parameters::add));
      }
      walk("", entry.key(), entry.value(), false);
    }
  }

  /**
   * Checks a node and its children.
   *
   * @param parent the key of the enclosing node
   * @param isPredicate whether an expression in this node is a predicate
   */
  private void walk(String parent, String key, Node node, boolean isPredicate) {
    if (FREE_TEXT.contains(key)) {
      return;
    }
    if (node instanceof ScalarNode) {
      scalar(parent, key, node, isPredicate);
    } else if (node instanceof SequenceNode list) {
      list.getValue().forEach(item -> walk(parent, key, item, isPredicate));
    } else if (node instanceof MappingNode) {
      if (ENDPOINTS.contains(key)) {
        Endpoint.read(camel, node).ifPresent(this::endpoint);
      }
      for (Entry entry : RouteFile.entries(node)) {
        boolean isChildPredicate =
            PREDICATES.contains(entry.key()) || (isPredicate && !entry.key().equals("steps"));
        walk(key, entry.key(), entry.value(), isChildPredicate);
      }
    }
  }

  private void scalar(String parent, String key, Node node, boolean isPredicate) {
    String text = RouteFile.text(node);
    placeholders(node, text);
    for (Matcher call = BEAN_CALL.matcher(text); call.find(); ) {
      if (!call.group(1).equals("type")) {
        bean(node, call.group(1));
      }
    }
    if (ENDPOINTS.contains(key)) {
      Endpoint.read(camel, node).ifPresent(this::endpoint);
    } else if (key.equals("simple") || (key.equals("expression") && parent.equals("simple"))) {
      simple(node, text, isPredicate);
    } else if (key.equals("log") || (key.equals("message") && parent.equals("log"))) {
      simple(node, text, false);
    } else if (key.equals("ref") && BEAN_KEYS.contains(parent)) {
      bean(node, text.replaceFirst("^#?(bean:)?", ""));
    } else if (key.equals("beanType") || key.equals("exception")) {
      type(node, text);
    } else if (key.equals("type") && parent.equals("beans")) {
      type(node, text);
    } else if (key.equals("routeConfigurationId")) {
      for (String id : Endpoint.resolved(camel, text).split(",")) {
        known(node, "routeConfiguration", id.strip(), declared.configurations());
      }
    } else if (key.equals("routeTemplateRef")) {
      known(node, "routeTemplate", Endpoint.resolved(camel, text), declared.templates());
    } else if (key.endsWith("Ref") || key.equals("aggregationStrategy")) {
      reference(node, text);
    }
  }

  private void endpoint(Endpoint endpoint) {
    String scheme = endpoint.scheme();
    if (!Libraries.hasComponent(camel, scheme)) {
      addProblem(
          endpoint.uri(),
          Libraries.missingError("component", scheme) + Guess.similar(scheme, COMPONENTS));
      return;
    }
    if (endpoint.mixesBoth()) {
      addProblem(endpoint.uri(), "options are both in uri and in parameters; use only one of them");
    }
    EndpointUriFactory factory = camel.getCamelContextExtension().getEndpointUriFactory(scheme);
    JsonNode described = described(scheme);
    boolean allKnown = true;
    for (Map.Entry<String, Entry> option : endpoint.options().entrySet()) {
      String name = option.getKey();
      if (isOption(factory, name)) {
        option(scheme, name, endpoint.values().get(name), option.getValue(), described);
      } else {
        allKnown = false;
        addProblem(
            option.getValue().keyNode(),
            "'"
                + name
                + "' is not an option of "
                + scheme
                + Guess.of(name, factory.propertyNames()));
      }
    }
    if (allKnown && endpoint.path().isEmpty()) {
      for (Map.Entry<String, JsonNode> option : described.properties()) {
        if (option.getValue().path("kind").asText().equals("path")
            && option.getValue().path("required").asBoolean()
            && !endpoint.options().containsKey(option.getKey())) {
          addProblem(endpoint.uri(), scheme + " requires the parameter '" + option.getKey() + "'");
        }
      }
    }
  }

  private static boolean isOption(EndpointUriFactory factory, String name) {
    return factory == null
        || factory.isLenientProperties()
        || factory.propertyNames().contains(name)
        || factory.multiValuePrefixes().values().stream().anyMatch(name::startsWith);
  }

  private void option(String scheme, String name, String value, Entry entry, JsonNode described) {
    JsonNode option = described.path(name);
    if (value.startsWith("#")) {
      if (!option.isMissingNode()) {
        reference(entry.value(), value);
      }
    } else if (!value.contains("{{") && !value.contains("${") && !value.equals("raw")) {
      String where = name + " of " + scheme;
      String type = option.path("type").asText();
      Set<String> values = new TreeSet<>();
      option.path("enum").forEach(one -> values.add(one.asText()));
      if (!values.isEmpty()) {
        if (!SchemaCheck.isAmong(values, value)) {
          addProblem(
              entry.value(), where + ": unknown value '" + value + "'" + Guess.of(value, values));
        }
      } else if (type.equals("boolean") && !value.matches("(?i)true|false")) {
        addProblem(entry.value(), where + ": expected true or false, but was '" + value + "'");
      } else if (type.equals("integer")
          && !value.matches("[+-]?\\d+|\\d+(\\.\\d+)?[smhd]|\\d+ms")) {
        addProblem(entry.value(), where + ": expected a number, but was '" + value + "'");
      }
    }
  }

  /** The metadata of the options of a component; empty for none. */
  private JsonNode described(String scheme) {
    return components
        .computeIfAbsent(
            scheme,
            name -> {
              try {
                String text = ((CatalogCamelContext) camel).getComponentParameterJsonSchema(name);
                return text == null
                    ? Optional.empty()
                    : Optional.of(new ObjectMapper().readTree(text).path("properties"));
              } catch (IOException e) {
                return Optional.empty();
              }
            })
        .orElseGet(() -> new ObjectMapper().createObjectNode());
  }

  private void simple(Node node, String text, boolean isPredicate) {
    String resolved = Endpoint.resolved(camel, text);
    if (resolved.contains("{{") || resolved.startsWith("resource:")) {
      return;
    }
    try {
      Language simple = camel.resolveLanguage("simple");
      if (isPredicate) {
        simple.createPredicate(resolved);
      } else {
        simple.createExpression(resolved);
      }
    } catch (SimpleIllegalSyntaxException | SimpleParserException e) {
      String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      if (!message.contains("No bean could be found")) {
        addProblem(node, "invalid Simple expression: " + message.strip());
      }
    } catch (RuntimeException e) {
      // The expression contains names that are known only at start.
    }
  }

  private void placeholders(Node node, String text) {
    for (Matcher match = PLACEHOLDER.matcher(text); match.find(); ) {
      String name = match.group(1).strip().replaceFirst("^!", "");
      String key = name.replaceFirst("^(env|sys):", "");
      if (!name.startsWith("?") && !key.contains(":") && !parameters.contains(name)) {
        boolean isSet =
            name.startsWith("env:")
                ? System.getenv(key) != null
                : name.startsWith("sys:")
                    ? System.getProperty(key) != null
                    : camel.getPropertiesComponent().resolveProperty(name).isPresent();
        if (!isSet) {
          addProblem(
              node,
              "{{" + name + "}} is not defined; to set a default value, use {{" + name + ":...}}");
        }
      }
    }
  }

  private void reference(Node node, String text) {
    Matcher match = REFERENCE.matcher(text);
    if (match.matches() && !match.group(1).equals("autowired")) {
      bean(node, match.group(1));
    }
  }

  private void bean(Node node, String name) {
    boolean isKnown =
        !name.matches("[\\w.-]+")
            || declared.beans().contains(name)
            || parameters.contains(name)
            || camel.getRegistry().lookupByName(name) != null
            || (name.contains(".") && camel.getClassResolver().resolveClass(name) != null);
    if (!isKnown) {
      Set<String> names = new TreeSet<>(declared.beans());
      names.addAll(camel.getRegistry().findByTypeWithName(Object.class).keySet());
      addProblem(node, "unknown bean " + name + Guess.similar(name, names));
    }
  }

  private void type(Node node, String name) {
    if (CLASS.matcher(name).matches() && camel.getClassResolver().resolveClass(name) == null) {
      addProblem(node, "unknown class " + name + ": put its jar into ECOFLOW_LIB_DIR");
    }
  }

  private void known(Node node, String kind, String id, Set<String> ids) {
    if (id.matches("[\\w.-]+") && !ids.contains(id)) {
      addProblem(node, "unknown " + kind + " " + id + Guess.of(id, ids));
    }
  }

  private void addProblem(Node node, String message) {
    problems.add(file.name(), RouteFile.line(node), message);
  }
}
