package ecoflow.routes;

import ecoflow.routes.RouteFile.Entry;
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

/** The definitions that files share: routes, their endpoints, configurations, beans. */
final class Declared {

  private static final Set<String> SENDS = Set.of("to", "toD", "wireTap", "deadLetterUri");

  private record Place(RouteFile file, int line) {

    @Override
    public String toString() {
      return file.name() + ":" + line;
    }
  }

  private final Map<String, List<Place>> routes = new LinkedHashMap<>();

  /** HTTP pages as method and path, such as GET /. */
  private final Map<String, List<Place>> pages = new TreeMap<>();

  private final Map<String, Place> consumers = new TreeMap<>();
  private final Map<String, List<Place>> producers = new TreeMap<>();
  private final Set<String> configurations = new TreeSet<>();
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
    return configurations;
  }

  /** False for a configuration that no route of the mode names. */
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
                    .allMatch(text -> holds(camel, text)))
        .toList();
  }

  private static boolean holds(CamelContext camel, String precondition) {
    try {
      Exchange nothing = new DefaultExchange(camel);
      String text = Endpoint.resolved(camel, precondition);
      return camel.resolveLanguage("simple").createPredicate(text).matches(nothing);
    } catch (RuntimeException e) {
      return false;
    }
  }

  private void add(RouteFile file) {
    files.put(baseName(file.name()), file.name());
    for (Entry entry : active(camel, file)) {
      Node value = entry.value();
      Place place = new Place(file, entry.line());
      switch (entry.key()) {
        case "route" -> {
          RouteFile.textAt(value, "routeConfigurationId")
              .ifPresent(ids -> usedConfigurations.addAll(List.of(ids.split(","))));
          RouteFile.textAt(value, "id").ifPresent(id -> addRoute(id, place));
          RouteFile.at(value, "from").ifPresent(from -> consumes(from, place));
        }
        case "from" -> consumes(value, place);
        case "templatedRoute" ->
            RouteFile.textAt(value, "routeId").ifPresent(id -> addRoute(id, place));
        case "routeTemplate" -> {
          RouteFile.textAt(value, "id").ifPresent(templates::add);
          RouteFile.at(value, "from").ifPresent(from -> consumes(from, place));
          RouteFile.at(value, "route")
              .flatMap(route -> RouteFile.at(route, "from"))
              .ifPresent(from -> consumes(from, place));
          RouteFile.at(value, "beans").ifPresent(this::addBeans);
        }
        case "routeConfiguration" -> RouteFile.textAt(value, "id").ifPresent(configurations::add);
        case "beans" -> addBeans(value);
        default -> {
          // Not a definition that other files name.
        }
      }
      findProducers(entry.key(), value, file);
    }
  }

  private void addRoute(String id, Place place) {
    routes.computeIfAbsent(Endpoint.resolved(camel, id), unused -> new ArrayList<>()).add(place);
  }

  private void addBeans(Node list) {
    RouteFile.items(list).forEach(bean -> RouteFile.textAt(bean, "name").ifPresent(beans::add));
  }

  private void consumes(Node from, Place place) {
    Optional<Endpoint> endpoint = Endpoint.read(camel, from);
    endpoint
        .flatMap(one -> one.meetingPoint(camel))
        .ifPresent(name -> consumers.putIfAbsent(name, place));
    endpoint
        .map(one -> one.pages(camel))
        .orElse(List.of())
        .forEach(page -> pages.computeIfAbsent(page, unused -> new ArrayList<>()).add(place));
  }

  private void findProducers(String key, Node node, RouteFile file) {
    if (node instanceof SequenceNode list) {
      list.getValue().forEach(item -> findProducers(key, item, file));
      return;
    }
    if (key.equals("poll")) {
      consumes(node, new Place(file, RouteFile.line(node)));
    } else if (key.equals("pollEnrich")) {
      polls(node, new Place(file, RouteFile.line(node)));
    } else if (SENDS.contains(key)) {
      Endpoint.read(camel, node)
          .filter(Declared::needsConsumer)
          .flatMap(endpoint -> endpoint.meetingPoint(camel))
          .filter(name -> !name.contains("${") && !name.contains("{{"))
          .ifPresent(
              name ->
                  producers
                      .computeIfAbsent(name, unused -> new ArrayList<>())
                      .add(new Place(file, RouteFile.line(node))));
    }
    if (node instanceof MappingNode) {
      RouteFile.entries(node).stream()
          .filter(entry -> !entry.key().equals("parameters"))
          .forEach(entry -> findProducers(entry.key(), entry.value(), file));
    }
  }

  /** Endpoints that an expression polls are consumed, whatever its language. */
  private void polls(Node node, Place place) {
    RouteFile.entries(node).forEach(entry -> polls(entry.value(), place));
    if (RouteFile.text(node).startsWith("seda:")) {
      consumes(node, place);
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

  /** Whether a route of a template can begin with the name. */
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
   * @param before the definitions without the user's files
   */
  void tellConflicts(Declared before, RouteLint.Problems problems) {
    routes.forEach((id, places) -> tellTwice("the route id " + id + " is also", places, problems));
    pages.forEach((page, places) -> tellTwice(page + " is also answered", places, problems));
    producers.forEach(
        (name, places) -> {
          if (!isConsumed(name)) {
            places.stream()
                .filter(place -> place.file().isOwn() || place.equals(places.get(0)))
                .forEach(place -> tellUnheard(name, place, before, problems));
          }
        });
  }

  private static void tellTwice(String what, List<Place> places, RouteLint.Problems problems) {
    // Reported where the user can correct it: in the user's file, or in the second of two.
    Place told = null;
    for (Place place : places) {
      told = place.file().isOwn() ? place : told;
    }
    for (Place other : places) {
      if (told != null && !other.equals(told)) {
        problems.add(told.file().name(), told.line(), what + " at " + other + "; each once");
      }
    }
  }

  private void tellUnheard(String name, Place place, Declared before, RouteLint.Problems problems) {
    if (before.producers.containsKey(name) && !before.isConsumed(name)) {
      // Packaged routes of all modes name endpoints that exist in one mode only, and do not use
      // them in others.
      return;
    }
    if (place.file().isOwn()) {
      problems.add(
          place.file().name(),
          place.line(),
          "no route starts with " + name + Guess.similar(name, similar(name)));
    } else if (before.consumers.containsKey(name)) {
      String replaced = before.consumers.get(name).file().name();
      problems.add(
          files.get(baseName(replaced)),
          1,
          "no route starts with " + name + " any more, but " + place + " sends to it");
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
