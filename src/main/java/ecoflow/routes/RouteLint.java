package ecoflow.routes;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.routes.RouteFile.Entry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.camel.CamelContext;
import org.apache.camel.support.ResourceHelper;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Checks the text of route files and reports all errors with their lines, because Camel stops at
 * the first error, reports most errors without file and line, and does not detect some errors.
 * Errors that depend on a running context are detected only at start.
 */
public final class RouteLint {

  private static final String OWN = "file:";

  /**
   * The findings in the user's files, one line each.
   *
   * @param problems errors, with which the exporter does not start
   * @param warnings valid definitions that probably do not have the intended effect
   */
  public record Findings(List<String> problems, List<String> warnings) {}

  private RouteLint() {}

  /**
   * The errors in the user's files that are loaded with these settings, one line each: {@code
   * file:line: error; allowed values}.
   *
   * @throws ConfigException if ECOFLOW_ROUTES_DIR cannot be read
   */
  public static List<String> problems(CamelContext camel, Settings settings)
      throws ConfigException {
    return check(camel, settings).problems();
  }

  /**
   * Like {@link #problems(CamelContext, Settings)}, with warnings.
   *
   * @throws ConfigException if ECOFLOW_ROUTES_DIR cannot be read
   */
  public static Findings check(CamelContext camel, Settings settings) throws ConfigException {
    List<String> locations = RouteFiles.of(settings).locations();
    return hasOwn(locations)
        ? check(camel, locations, RouteFiles.packaged(settings))
        : new Findings(List.of(), List.of());
  }

  /** The definitions in a text, as a part of a line: the names of its routes and beans. */
  static String contents(String text) {
    List<String> routes = new ArrayList<>();
    List<String> beans = new ArrayList<>();
    int configurations = 0;
    Optional<RouteFile> file = RouteFile.read("", true, text, new Problems());
    for (Node item : file.map(one -> RouteFile.items(one.root())).orElse(List.of())) {
      for (Entry entry : RouteFile.entries(item)) {
        switch (entry.key()) {
          case "route" -> routes.add(RouteFile.textAt(entry.value(), "id").orElse("without id"));
          case "templatedRoute" ->
              routes.add(RouteFile.textAt(entry.value(), "routeId").orElse("without id"));
          case "from" -> routes.add("without id");
          case "routeConfiguration", "interceptFrom", "intercept", "onException" ->
              configurations++;
          case "beans" ->
              RouteFile.items(entry.value())
                  .forEach(bean -> RouteFile.textAt(bean, "name").ifPresent(beans::add));
          default -> {
            // Of no interest to a reader who checks that a file was read.
          }
        }
      }
    }
    List<String> parts = new ArrayList<>();
    if (!routes.isEmpty()) {
      parts.add((routes.size() == 1 ? "route " : "routes ") + String.join(", ", routes));
    }
    if (configurations > 0) {
      parts.add(configurations + (configurations == 1 ? " configuration" : " configurations"));
    }
    if (!beans.isEmpty()) {
      parts.add((beans.size() == 1 ? "bean " : "beans ") + String.join(", ", beans));
    }
    return parts.isEmpty() ? "no routes" : String.join("; ", parts);
  }

  /**
   * The findings in the user's files, one line each: {@code file:line: error; allowed values}.
   *
   * @param camel a context with the beans, placeholders and components, which need not be started
   * @param locations the locations of all files; those that start with {@code file:} are the user's
   *     files
   * @param packaged the locations of the files that would be loaded without the user's files
   */
  private static Findings check(CamelContext camel, List<String> locations, List<String> packaged) {
    Problems problems = new Problems();
    List<RouteFile> files = read(camel, locations, problems);
    SchemaCheck schema = new SchemaCheck(camel, problems);
    for (RouteFile file : files) {
      if (file.isUserFile()) {
        schema.check(file);
      }
    }
    Declared declared = Declared.by(camel, files);
    for (RouteFile file : files) {
      if (file.isUserFile()) {
        new ReferenceCheck(camel, declared, file, problems).check();
      }
    }
    Declared before = Declared.by(camel, read(camel, packaged, new Problems()));
    declared.addConflicts(before, problems);
    declared.addWarnings(problems);
    return new Findings(lines(problems.found), lines(problems.warnings));
  }

  private static boolean hasOwn(List<String> locations) {
    return locations.stream().anyMatch(location -> location.startsWith(OWN));
  }

  private static List<RouteFile> read(
      CamelContext camel, List<String> locations, Problems problems) {
    List<RouteFile> files = new ArrayList<>();
    for (String location : locations) {
      boolean own = location.startsWith(OWN);
      String name = location.replaceFirst("^(file|classpath):", "");
      try (InputStream text =
          ResourceHelper.resolveMandatoryResourceAsInputStream(camel, location)) {
        RouteFile.read(name, own, new String(text.readAllBytes(), StandardCharsets.UTF_8), problems)
            .ifPresent(files::add);
      } catch (IOException e) {
        problems.add(name, 1, "the file cannot be read");
      }
    }
    return files;
  }

  /** One error. */
  private record Problem(String file, int line, String message) implements Comparable<Problem> {

    @Override
    public int compareTo(Problem other) {
      int byFile = file.compareTo(other.file);
      int byLine = Integer.compare(line, other.line);
      return byFile != 0 ? byFile : byLine != 0 ? byLine : message.compareTo(other.message);
    }
  }

  /** Collects errors without duplicates, in the order of their lines. */
  static final class Problems {

    private final TreeSet<Problem> found = new TreeSet<>();
    private final TreeSet<Problem> warnings = new TreeSet<>();

    void add(String file, int line, String message) {
      found.add(new Problem(file, line, message));
    }

    void warn(String file, int line, String message) {
      warnings.add(new Problem(file, line, message));
    }
  }

  private static List<String> lines(Set<Problem> problems) {
    return problems.stream().map(p -> p.file + ":" + p.line + ": " + p.message).toList();
  }
}
