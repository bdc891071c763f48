package ecoflow.routes;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.apache.camel.CamelContext;
import org.apache.camel.support.ResourceHelper;

/**
 * Checks the text of route files and reports all errors with their lines, because Camel stops at
 * the first error, reports most errors without file and line, and does not detect some errors.
 * Errors that depend on a running context are detected only at start.
 */
public final class RouteLint {

  private static final String OWN = "file:";

  private RouteLint() {}

  /**
   * The errors in the user's files that are loaded with these settings, one line each; see {@link
   * #problems(CamelContext, List, List)}.
   *
   * @throws ConfigException if ECOFLOW_ROUTES_DIR cannot be read
   */
  public static List<String> problems(CamelContext camel, Settings settings)
      throws ConfigException {
    List<String> locations = RouteFiles.of(settings).locations();
    return hasOwn(locations)
        ? problems(camel, locations, RouteFiles.packaged(settings))
        : List.of();
  }

  /**
   * The errors in the user's files, one line each: {@code file:line: error; allowed values}.
   *
   * @param camel a context with the beans, placeholders and components, which need not be started
   * @param locations the locations of all files; those that start with {@code file:} are the user's
   *     files
   * @param packaged the locations of the files that would be loaded without the user's files
   */
  static List<String> problems(CamelContext camel, List<String> locations, List<String> packaged) {
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
    return problems.lines();
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

    void add(String file, int line, String message) {
      found.add(new Problem(file, line, message));
    }

    private List<String> lines() {
      return found.stream().map(p -> p.file + ":" + p.line + ": " + p.message).toList();
    }
  }
}
