package ecoflow.routes;

import ecoflow.routes.RouteFile.Entry;
import ecoflow.text.Lines;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.support.DefaultExchange;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * The definitions in the files to which other files can refer: routes, their endpoints,
 * configurations, beans.
 */
final class Declared {

  private static final Set<String> PRODUCER_KEYS = Set.of("to", "toD", "wireTap", "deadLetterUri");

  /** The first parts of the names of endpoints to which the exporter sends messages. */
  private static final List<String> SINKS = List.of("changes", "pictures");

  /** The names of endpoints of packaged routes that are entry points. */
  private static final List<String> INPUTS = List.of("quotas", "payload", "device-due");

  private record Location(RouteFile file, int line) {

    @Override
    public String toString() {
      return file.name() + ":" + line;
    }
  }

  private final Map<String, List<Location>> routes = new LinkedHashMap<>();

  /** HTTP pages as method and path, such as GET /. */
  private final Map<String, List<Location>> pages = new TreeMap<>();

  private final Map<String, Location> consumers = new TreeMap<>();
  private final Map<String, List<Location>> producers = new TreeMap<>();
  private final Map<String, Location> configurations = new TreeMap<>();
  private final Map<String, List<Location>> intercepted = new TreeMap<>();
  private final Set<String> usedConfigurations = new TreeSet<>();
  private final Set<String> templates = new TreeSet<>();
  private final Set<String> beans = new TreeSet<>();
  private final Map<String, String> files = new HashMap<>();
  private final CamelContext camel;

  private Declared(CamelContext camel) {
    this.camel = camel;
  }

  static Declared by(CamelContext camel, List<RouteFile> files) {
    Declared all = new Declared(camel);
    files.forEach(all::add);
    return all;
  }

  Set<String> configurations() {
    return configurations.keySet();
  }

  /** False for a configuration to which no route of the mode refers. */
  boolean isUsed(Entry entry) {
    return !entry.key().equals("routeConfiguration")
        || RouteFile.textAt(entry.value(), "id").stream().allMatch(usedConfigurations::contains)
        || usedConfigurations.stream().anyMatch(id -> id.matches(".*[*{].*"));
  }

  Set<String> templates() {
    return templates;
  }

  Set<String> beans() {
    return beans;
  }

  /** The entries of a file whose preconditions are true with these settings. */
  static List<Entry> active(CamelContext camel, RouteFile file) {
    return RouteFile.items(file.root()).stream()
        .flatMap(item -> RouteFile.entries(item).stream())
        .filter(
            entry ->
                RouteFile.textAt(entry.value(), "precondition").stream()
                    .allMatch(text -> isTrue(camel, text)))
        .toList();
  }

  private static boolean isTrue(CamelContext camel, String precondition) {
    try {
      Exchange empty = new DefaultExchange(camel);
      String text = Endpoint.resolved(camel, precondition);
      return camel.resolveLanguage("simple").createPredicate(text).matches(empty);
    } catch (RuntimeException e) {
      return false;
    }
  }

  private void add(RouteFile file) {
    files.put(baseName(file.name()), file.name());
    for (Entry entry : active(camel, file)) {
      Node value = entry.value();
      Location location = new Location(file, entry.line());
      switch (entry.key()) {
        case "route" -> {
          RouteFile.textAt(value, "routeConfigurationId")
              .ifPresent(ids -> usedConfigurations.addAll(List.of(ids.split("\\s*,\\s*"))));
          RouteFile.textAt(value, "id").ifPresent(id -> addRoute(id, location));
          RouteFile.at(value, "from").ifPresent(from -> consumes(from, location));
        }
        case "from" -> consumes(value, location);
        case "templatedRoute" ->
            RouteFile.textAt(value, "routeId").ifPresent(id -> addRoute(id, location));
        case "routeTemplate" -> {
          RouteFile.textAt(value, "id").ifPresent(templates::add);
          RouteFile.at(value, "from").ifPresent(from -> consumes(from, location));
          RouteFile.at(value, "route")
              .flatMap(route -> RouteFile.at(route, "from"))
              .ifPresent(from -> consumes(from, location));
          RouteFile.at(value, "beans").ifPresent(this::addBeans);
        }
        case "routeConfiguration" ->
            RouteFile.textAt(value, "id").ifPresent(id -> configurations.put(id, location));
        case "beans" -> addBeans(value);
        default -> {
          // Not a definition to which other files refer.
        }
      }
      findProducers(entry.key(), value, file);
    }
  }

  private void addRoute(String id, Location location) {
    routes.computeIfAbsent(Endpoint.resolved(camel, id), unused -> new ArrayList<>()).add(location);
  }

  private void addBeans(Node list) {
    RouteFile.items(list).forEach(bean -> RouteFile.textAt(bean, "name").ifPresent(beans::add));
  }

  private void consumes(Node from, Location location) {
    Optional<Endpoint> endpoint = Endpoint.read(camel, from);
    endpoint
        .flatMap(one -> one.queueName(camel))
        .ifPresent(name -> consumers.putIfAbsent(name, location));
    endpoint
        .map(one -> one.pages(camel))
        .orElse(List.of())
        .forEach(page -> pages.computeIfAbsent(page, unused -> new ArrayList<>()).add(location));
  }

  private void findProducers(String key, Node node, RouteFile file) {
    if (node instanceof SequenceNode list) {
      list.getValue().forEach(item -> findProducers(key, item, file));
      return;
    }
    if (key.equals("poll")) {
      consumes(node, new Location(file, RouteFile.line(node)));
    } else if (key.equals("pollEnrich")) {
      findPolled(node, new Location(file, RouteFile.line(node)));
    } else if (key.equals("interceptFrom")) {
      Endpoint.read(camel, node)
          .flatMap(endpoint -> endpoint.queueName(camel))
          .filter(name -> name.matches("[\\w:/-]+"))
          .ifPresent(
              name ->
                  intercepted
                      .computeIfAbsent(name, unused -> new ArrayList<>())
                      .add(new Location(file, RouteFile.line(node))));
    } else if (PRODUCER_KEYS.contains(key)) {
      Endpoint.read(camel, node)
          .filter(Declared::needsConsumer)
          .flatMap(endpoint -> endpoint.queueName(camel))
          .filter(name -> !name.contains("${") && !name.contains("{{"))
          .ifPresent(
              name ->
                  producers
                      .computeIfAbsent(name, unused -> new ArrayList<>())
                      .add(new Location(file, RouteFile.line(node))));
    }
    if (node instanceof MappingNode) {
      RouteFile.entries(node).stream()
          .filter(entry -> !entry.key().equals("parameters"))
          .forEach(entry -> findProducers(entry.key(), entry.value(), file));
    }
  }

  /** Endpoints in an expression of pollEnrich are consumed, in any language. */
  private void findPolled(Node node, Location location) {
    RouteFile.entries(node).forEach(entry -> findPolled(entry.value(), location));
    if (RouteFile.text(node).startsWith("seda:")) {
      consumes(node, location);
    }
  }

  private static boolean needsConsumer(Endpoint endpoint) {
    return !"true".equals(endpoint.values().get("discardIfNoConsumers"))
        && !"false".equals(endpoint.values().get("failIfNoConsumers"));
  }

  private boolean isConsumed(String name) {
    return consumers.containsKey(name)
        || consumers.keySet().stream()
            .filter(consumer -> consumer.contains("{{"))
            .anyMatch(consumer -> matches(consumer, name));
  }

  /** Whether a route of a template can start with the endpoint. */
  private static boolean matches(String consumer, String name) {
    StringBuilder pattern = new StringBuilder();
    for (String part : consumer.split("\\{\\{.*?\\}\\}", -1)) {
      pattern.append(pattern.isEmpty() ? "" : ".*").append(Pattern.quote(part));
    }
    return name.matches(pattern.toString());
  }

  /**
   * Reports conflicts between files.
   *
   * @param before the definitions of the packaged files alone
   */
  void addConflicts(Declared before, RouteLint.Problems problems) {
    routes.forEach(
        (id, locations) -> addDuplicates("duplicate route id " + id, locations, problems));
    pages.forEach(
        (page, locations) -> addDuplicates("duplicate path " + page, locations, problems));
    producers.forEach(
        (name, locations) -> {
          if (!isConsumed(name)) {
            locations.stream()
                .filter(
                    location -> location.file().isUserFile() || location.equals(locations.get(0)))
                .forEach(location -> addMissingConsumer(name, location, before, problems));
          }
        });
  }

  /** Reports definitions in the user's files without effect. */
  void addWarnings(RouteLint.Problems problems) {
    intercepted.forEach(
        (name, locations) -> {
          if (!isConsumed(name)) {
            String text =
                "no route starts with "
                    + name
                    + ", so these steps never run"
                    + Guess.similar(name, similar(name));
            warn(locations, text, problems);
          }
        });
    consumers.forEach(
        (name, location) -> {
          if (!producers.containsKey(name)) {
            entryPoint(name)
                .ifPresent(
                    known ->
                        warn(
                            List.of(location),
                            "nothing sends messages to " + name + "; did you mean '" + known + "'?",
                            problems));
          }
        });
    configurations.forEach(
        (id, location) -> {
          if (!usedConfigurations.contains(id)
              && usedConfigurations.stream().noneMatch(used -> used.matches(".*[*{].*"))) {
            warn(
                List.of(location),
                "no route refers to routeConfiguration "
                    + id
                    + " with routeConfigurationId; without an id, it applies to all routes",
                problems);
          }
        });
  }

  private static void warn(List<Location> locations, String text, RouteLint.Problems problems) {
    locations.stream()
        .filter(location -> location.file().isUserFile())
        .forEach(location -> problems.warn(location.file().name(), location.line(), text));
  }

  /** The documented entry point that is similar to a name, but not equal to it. */
  private static Optional<String> entryPoint(String name) {
    if (name.matches("seda:(" + String.join("|", SINKS) + ")-.+")) {
      return Optional.empty();
    }
    String local = name.substring(name.indexOf(':') + 1);
    String[] parts = local.split("[-_.]", 2);
    Optional<String> sink =
        Lines.nearest(parts[0], SINKS, 2)
            .map(known -> "seda:" + known + "-" + (parts.length > 1 ? parts[1] : "NAME"));
    return sink.isPresent()
        ? sink
        : Lines.nearest(local, INPUTS, 2)
            .map(known -> "direct:" + known)
            .filter(known -> !known.equals(name));
  }

  private static void addDuplicates(
      String what, List<Location> locations, RouteLint.Problems problems) {
    // Reported at the location that the user can correct: in the user's file, or in the second of
    // two files.
    Location reported = null;
    for (Location location : locations) {
      reported = location.file().isUserFile() ? location : reported;
    }
    for (Location other : locations) {
      if (reported != null && !other.equals(reported)) {
        problems.add(reported.file().name(), reported.line(), what + ", see " + other);
      }
    }
  }

  private void addMissingConsumer(
      String name, Location location, Declared before, RouteLint.Problems problems) {
    if (before.producers.containsKey(name) && !before.isConsumed(name)) {
      // Packaged routes that run in several modes refer to endpoints of one mode, and do not use
      // them in the others.
      return;
    }
    if (location.file().isUserFile()) {
      problems.add(
          location.file().name(),
          location.line(),
          "no route starts with " + name + Guess.similar(name, similar(name)));
    } else if (before.consumers.containsKey(name)) {
      String replaced = before.consumers.get(name).file().name();
      problems.add(
          files.get(baseName(replaced)),
          1,
          "no route starts with " + name + ", but " + location + " sends to it");
    }
  }

  private List<String> similar(String name) {
    String scheme = name.substring(0, name.indexOf(':') + 1);
    return consumers.keySet().stream().filter(other -> other.startsWith(scheme)).toList();
  }

  private static String baseName(String file) {
    return file.substring(file.lastIndexOf('/') + 1);
  }
}
