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
 * Checks the text of route files and reports all errors with their lines: Camel stops at the first
 * error, reports most of them without file and line, and does not detect some. Errors that need a
 * running context are left to the start.
 */
public final class RouteLint {

  private static final String OWN = "file:";

  private RouteLint() {}

  /**
   * The errors in the user's files that run with these settings, a line each; see {@link
   * #problems(CamelContext, List, List)}.
   *
   * @throws ConfigException when ECOFLOW_ROUTES_DIR cannot be read
   */
  public static List<String> problems(CamelContext camel, Settings settings)
      throws ConfigException {
    List<String> locations = RouteFiles.of(settings).locations();
    return hasOwn(locations)
        ? problems(camel, locations, RouteFiles.packaged(settings.mode()))
        : List.of();
  }

  /**
   * The errors in the user's files, a line each: {@code file:line: error; allowed values}.
   *
   * @param camel has the beans, placeholders and components; need not be started
   * @param locations of all files that run together; those that start with {@code file:} are the
   *     user's
   * @param packaged locations of the files that would run without the user's
   */
  static List<String> problems(CamelContext camel, List<String> locations, List<String> packaged) {
    Problems problems = new Problems();
    List<RouteFile> files = read(camel, locations, problems);
    ShapeCheck shape = new ShapeCheck(camel, problems);
    for (RouteFile file : files) {
      if (file.isOwn()) {
        shape.check(file);
      }
    }
    Declared declared = Declared.by(camel, files);
    for (RouteFile file : files) {
      if (file.isOwn()) {
        new NameCheck(camel, declared, file, problems).check();
      }
    }
    Declared before = Declared.by(camel, read(camel, packaged, new Problems()));
    declared.tellConflicts(before, problems);
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
  private record Problem(String file, int line, String words) implements Comparable<Problem> {

    @Override
    public int compareTo(Problem other) {
      int byFile = file.compareTo(other.file);
      int byLine = Integer.compare(line, other.line);
      return byFile != 0 ? byFile : byLine != 0 ? byLine : words.compareTo(other.words);
    }
  }

  /** Collects errors without duplicates, in the order of their lines. */
  static final class Problems {

    private final TreeSet<Problem> found = new TreeSet<>();

    void add(String file, int line, String words) {
      found.add(new Problem(file, line, words));
    }

    private List<String> lines() {
      return found.stream().map(p -> p.file + ":" + p.line + ": " + p.words).toList();
    }
  }
}
