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
 * Checks the names in a file: components and their options, beans, classes, placeholders,
 * configurations and templates. It also parses Simple expressions.
 */
final class NameCheck {

  private static final Set<String> ENDPOINTS = Set.of("from", "to", "toD", "wireTap", "poll");
  private static final Set<String> CALLS = Set.of("bean", "method", "process", "policy", "custom");

  /** Keys whose Simple expression is a predicate. */
  private static final Set<String> QUESTIONS =
      Set.of(
          "filter",
          "when",
          "onWhen",
          "validate",
          "retryWhile",
          "handled",
          "continued",
          "completionPredicate");

  /** Keys with free text, or with text of another language. */
  private static final Set<String> WORDS = Set.of("description", "note", "script", "groovy", "js");

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

  NameCheck(CamelContext camel, Declared declared, RouteFile file, RouteLint.Problems problems) {
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
   * @param parent the key above the key of the node
   * @param asks whether an expression here is a predicate
   */
  private void walk(String parent, String key, Node node, boolean asks) {
    if (WORDS.contains(key)) {
      return;
    }
    if (node instanceof ScalarNode) {
      scalar(parent, key, node, asks);
    } else if (node instanceof SequenceNode list) {
      list.getValue().forEach(item -> walk(parent, key, item, asks));
    } else if (node instanceof MappingNode) {
      if (ENDPOINTS.contains(key)) {
        Endpoint.read(camel, node).ifPresent(this::endpoint);
      }
      for (Entry entry : RouteFile.entries(node)) {
        boolean question =
            QUESTIONS.contains(entry.key()) || (asks && !entry.key().equals("steps"));
        walk(key, entry.key(), entry.value(), question);
      }
    }
  }

  private void scalar(String parent, String key, Node node, boolean asks) {
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
      simple(node, text, asks);
    } else if (key.equals("log") || (key.equals("message") && parent.equals("log"))) {
      simple(node, text, false);
    } else if (key.equals("ref") && CALLS.contains(parent)) {
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
      tell(
          endpoint.uri(),
          Libraries.absent("component", scheme) + Guess.similar(scheme, COMPONENTS));
      return;
    }
    if (endpoint.mixesBoth()) {
      tell(endpoint.uri(), "options are in uri and in parameters; put all of them in one place");
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
        tell(
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
          tell(endpoint.uri(), scheme + " lacks its parameter '" + option.getKey() + "'");
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
        if (!ShapeCheck.isAmong(values, value)) {
          tell(entry.value(), where + " cannot be '" + value + "'" + Guess.of(value, values));
        }
      } else if (type.equals("boolean") && !value.matches("(?i)true|false")) {
        tell(entry.value(), where + " takes true or false, not '" + value + "'");
      } else if (type.equals("integer")
          && !value.matches("[+-]?\\d+|\\d+(\\.\\d+)?[smhd]|\\d+ms")) {
        tell(entry.value(), where + " takes a number, not '" + value + "'");
      }
    }
  }

  /** The metadata of a component's options; empty if there is none. */
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

  private void simple(Node node, String text, boolean asks) {
    String resolved = Endpoint.resolved(camel, text);
    if (resolved.contains("{{") || resolved.startsWith("resource:")) {
      return;
    }
    try {
      Language simple = camel.resolveLanguage("simple");
      if (asks) {
        simple.createPredicate(resolved);
      } else {
        simple.createExpression(resolved);
      }
    } catch (SimpleIllegalSyntaxException | SimpleParserException e) {
      String words = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      if (!words.contains("No bean could be found")) {
        tell(node, "invalid Simple expression: " + words.strip());
      }
    } catch (RuntimeException e) {
      // Names that are known only at the start.
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
          tell(
              node,
              "nothing defines {{"
                  + name
                  + "}}; a default value follows a colon: {{"
                  + name
                  + ":..}}");
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
      tell(node, "there is no bean " + name + Guess.similar(name, names));
    }
  }

  private void type(Node node, String name) {
    if (CLASS.matcher(name).matches() && camel.getClassResolver().resolveClass(name) == null) {
      tell(node, "there is no class " + name + ": put its jar into ECOFLOW_LIB_DIR");
    }
  }

  private void known(Node node, String kind, String id, Set<String> ids) {
    if (id.matches("[\\w.-]+") && !ids.contains(id)) {
      tell(node, "there is no " + kind + " " + id + Guess.of(id, ids));
    }
  }

  private void tell(Node node, String words) {
    problems.add(file.name(), RouteFile.line(node), words);
  }
}
