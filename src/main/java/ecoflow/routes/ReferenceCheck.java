package ecoflow.routes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.routes.RouteFile.Entry;
import java.io.IOException;
import java.lang.reflect.Method;
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
import org.apache.camel.language.simple.SimpleLanguage;
import org.apache.camel.language.simple.types.SimpleIllegalSyntaxException;
import org.apache.camel.language.simple.types.SimpleParserException;
import org.apache.camel.spi.EndpointUriFactory;
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
  private static final Pattern METHOD_CALL =
      Pattern.compile("\\$\\{bean:([\\w-]+)\\?method=(\\w+)");

  private static final String VALUE = "(?:\\$\\{[^{}]*\\}|-?\\d+(?:\\.\\d+)?)";

  /** A slash and a minus without spaces are common in texts, such as file names. */
  private static final String SUM = VALUE + "(?:(?:\\s*[*+]\\s*|\\s+[-/%]\\s+)" + VALUE + ")+";

  private static final Pattern CALCULATED = Pattern.compile("\\s*" + SUM + "\\s*");

  private static final Pattern CALCULATED_ARGUMENT =
      Pattern.compile("[(,]\\s*" + VALUE + "\\s*[-*/+]\\s*" + VALUE + "\\s*[,)]");

  private static final Pattern CALCULATED_OPERAND =
      Pattern.compile(SUM + "\\s*[=!<>]|[=<>]\\s*" + SUM);

  private static final Pattern QUOTED = Pattern.compile("'[^']*'");
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
    if (FREE_TEXT.contains(key) && node instanceof ScalarNode) {
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
      if (key.equals("bean") || key.equals("method")) {
        RouteFile.at(node, "method").ifPresent(method -> method(node, method));
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
    for (Matcher call = METHOD_CALL.matcher(text); call.find(); ) {
      method(node, type(call.group(1)), "bean " + call.group(1), call.group(2));
    }
    if (ENDPOINTS.contains(key)) {
      Endpoint.read(camel, node).ifPresent(this::endpoint);
    } else if (key.equals("simple") || (key.equals("expression") && parent.equals("simple"))) {
      simple(node, text, isPredicate);
      calculation(node, text, isPredicate);
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
    if (scheme.equals("bean") && endpoint.values().containsKey("method")) {
      String name =
          endpoint.path().isEmpty()
              ? endpoint.values().getOrDefault("beanName", "")
              : endpoint.path();
      String method = endpoint.values().get("method").replaceFirst("\\(.*", "");
      method(endpoint.uri(), type(name), "bean " + name, method);
    }
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
      // Not the language of the context, whose cache would return expressions with the beans of the
      // check to the routes.
      SimpleLanguage simple = new SimpleLanguage();
      simple.setCamelContext(camel);
      if (isPredicate) {
        simple.createPredicate(resolved);
      } else {
        simple.createExpression(resolved);
      }
    } catch (SimpleIllegalSyntaxException | SimpleParserException e) {
      String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      // Unknown beans and methods are reported with similar names.
      if (!message.contains("No bean could be found") && !message.contains("Method with name")) {
        addProblem(node, "invalid Simple expression: " + message.strip());
      }
    } catch (RuntimeException e) {
      // The expression contains names that are known only at start.
    }
  }

  /** Simple has no operators for numbers: the operator becomes a part of the text. */
  private void calculation(Node node, String text, boolean isPredicate) {
    String unquoted = QUOTED.matcher(text).replaceAll("''");
    boolean isCalculation =
        text.contains("${")
            && (CALCULATED.matcher(text).matches()
                || CALCULATED_ARGUMENT.matcher(text).find()
                || (isPredicate && CALCULATED_OPERAND.matcher(unquoted).find()));
    if (isCalculation) {
      problems.warn(
          file.name(),
          RouteFile.line(node),
          "Simple does not calculate, the operator is text: use the step scale of the bean quotas,"
              + " or java.lang.Math, see docs/ROUTES.md");
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

  private void method(Node call, Node method) {
    Optional<String> ref =
        RouteFile.textAt(call, "ref").map(name -> name.replaceFirst("^#?(bean:)?", ""));
    Optional<String> beanType = RouteFile.textAt(call, "beanType");
    String name = RouteFile.text(method).replaceFirst("\\(.*", "").strip();
    if (ref.isPresent()) {
      method(method, type(ref.get()), "bean " + ref.get(), name);
    } else if (beanType.isPresent()) {
      method(
          method,
          camel.getClassResolver().resolveClass(beanType.get()),
          "class " + beanType.get(),
          name);
    }
  }

  /** The class of a bean of the exporter; null for other beans, whose class depends on more. */
  private Class<?> type(String bean) {
    Object found = declared.beans().contains(bean) ? null : camel.getRegistry().lookupByName(bean);
    return found == null ? null : found.getClass();
  }

  /** Camel detects a wrong method only when a message arrives. */
  private void method(Node node, Class<?> type, String owner, String name) {
    if (type == null || !name.matches("\\w+")) {
      return;
    }
    Set<String> own = new TreeSet<>();
    boolean isKnown = false;
    for (Method method : type.getMethods()) {
      isKnown |= method.getName().equals(name);
      if (method.getDeclaringClass() != Object.class) {
        own.add(method.getName());
      }
    }
    if (!isKnown) {
      addProblem(node, owner + " has no method '" + name + "'" + Guess.of(name, own));
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
