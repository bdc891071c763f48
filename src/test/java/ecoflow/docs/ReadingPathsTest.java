package ecoflow.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.routefiles.RouteFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The section "Reading paths" of docs/CONTRIBUTING.md: follows what the files of each path use, and
 * compares it with the lists. A file is a route file without its extension, such as {@code quotas},
 * or a class with its package, such as {@code quota/Quotas}.
 */
class ReadingPathsTest {

  /** The maximum number of files with meaning. */
  private static final Map<String, Integer> BOUNDS =
      Map.of(
          "JSON push", 12,
          "XOR protobuf push", 20,
          "REST poll", 16,
          "Failed API call", 12,
          "Scrape", 8,
          "Normalised metrics", 17,
          "Open push", 14);

  private static final String MARK = "Fast path, read last";
  private static final Path JAVA = Path.of("src/main/java/ecoflow");
  private static final Path ROUTES = Path.of("src/main/resources/routes");
  private static final String YAML = ".camel.yaml";

  private static final Pattern SECTION =
      Pattern.compile(
          "### ([^\\n(]+) \\((\\d+) files, fast path (\\d+)\\)\\n.*?\\nFiles: (.*?)\\.\\n\\n"
              + "Fast path: (.*?)\\.\\n\\n"
              + "Elsewhere: (.*?)\\.\\n",
          Pattern.DOTALL);
  private static final Pattern SUPPORT_ROW = Pattern.compile("(?m)^\\| (`[^|]+) \\| [^|]+ \\|$");
  private static final Pattern CODE = Pattern.compile("`([\\w/-]+)`");
  private static final Pattern ELSEWHERE = Pattern.compile("`([\\w/-]+)` \\(([^)]+)\\)");

  /** Comments, and text that can look like code. */
  private static final Pattern NO_CODE =
      Pattern.compile(
          "/\\*.*?\\*/|//[^\\n]*|\"\"\".*?\"\"\"|\"(?:\\\\.|[^\"\\\\])*+\"|'(?:\\\\.|[^'\\\\])'",
          Pattern.DOTALL);

  private static final Pattern QUALIFIED = Pattern.compile("\\becoflow\\.(\\w+)\\.([A-Z]\\w*)");
  private static final Pattern TYPE = Pattern.compile("\\b[A-Z]\\w*");
  private static final Pattern CONSUMER = Pattern.compile("(?m)^ {8}name: (\\S+)$");

  /** Beans with other names than their classes. */
  private static final Map<String, String> BEAN_CLASSES =
      Map.of(
          "boundedJson", "api/BoundedJson",
          "deviceSearches", "account/Schedule",
          "firstContactPauses", "api/FirstContacts",
          "idleChecks", "account/Schedule",
          "listChecks", "account/Schedule",
          "messageJson", "api/BoundedJson",
          "pollTimes", "account/Schedule",
          "prepareRedelivery", "api/Redelivery",
          "requestTimes", "account/Schedule",
          "subscriptionRetries", "account/Schedule");

  /** Beans of libraries. */
  private static final Set<String> LIBRARY_BEANS = Set.of("metricsRegistry", "cloudTls");

  /**
   * A section of the document.
   *
   * @param elsewhere the path that lists a file, by file
   */
  private record ReadingPath(
      String name,
      int count,
      int fastCount,
      List<String> files,
      SortedSet<String> fast,
      Map<String, String> elsewhere) {}

  /** The results of following a path. */
  private record Found(
      SortedSet<String> fast,
      SortedSet<String> elsewhere,
      SortedSet<String> support,
      SortedSet<String> missing) {}

  private final Map<String, String> classes = new HashMap<>();
  private final Map<String, RouteFile> routes = new HashMap<>();

  /** The route files by the names of their {@code direct} endpoints; modes can share a name. */
  private final Map<String, List<String>> consumers = new HashMap<>();

  private final Map<String, ReadingPath> paths = new LinkedHashMap<>();
  private final SortedSet<String> support;

  ReadingPathsTest() throws IOException {
    try (Stream<Path> files = Files.walk(JAVA)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
        String name = JAVA.relativize(file).toString().replace(".java", "");
        if (!name.endsWith("package-info")) {
          classes.put(name, Files.readString(file));
        }
      }
    }
    try (Stream<Path> files = Files.list(ROUTES)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString().replace(YAML, "");
        routes.put(name, RouteFile.read(file));
        for (MatchResult consumer : found(CONSUMER, Files.readString(file))) {
          consumers.computeIfAbsent(consumer.group(1), unused -> new ArrayList<>()).add(name);
        }
      }
    }
    String text = Files.readString(Path.of("docs/CONTRIBUTING.md"));
    text = text.substring(text.indexOf("\n## Reading paths\n"), text.indexOf("\n## Rules for"));
    for (MatchResult section : found(SECTION, text)) {
      String name = section.group(1);
      Map<String, String> elsewhere = new HashMap<>();
      found(ELSEWHERE, section.group(6).replaceAll("\\s+", " "))
          .forEach(m -> elsewhere.put(m.group(1), m.group(2)));
      List<String> files = found(CODE, section.group(4)).stream().map(m -> m.group(1)).toList();
      paths.put(
          name,
          new ReadingPath(
              name,
              Integer.parseInt(section.group(2)),
              Integer.parseInt(section.group(3)),
              files,
              names(section.group(5)),
              elsewhere));
    }
    support = new TreeSet<>();
    found(SUPPORT_ROW, text).forEach(row -> support.addAll(names(row.group(1))));
  }

  private static List<MatchResult> found(Pattern pattern, String text) {
    return pattern.matcher(text).results().toList();
  }

  private static SortedSet<String> names(String text) {
    return found(CODE, text).stream()
        .map(name -> name.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void filesOfAPathAreFewAndExist() {
    assertEquals(BOUNDS.keySet(), paths.keySet());
    for (ReadingPath path : paths.values()) {
      assertEquals(path.count(), Set.copyOf(path.files()).size(), path.name());
      assertEquals(path.fastCount(), path.fast().size(), path.name());
      assertTrue(path.count() <= BOUNDS.get(path.name()), path.name());
      for (String file : path.files()) {
        assertTrue(classes.containsKey(file) || routes.containsKey(file), file);
      }
    }
  }

  @Test
  void filesOfAPathUseOnlyFilesThatTheDocumentLists() {
    SortedSet<String> usedSupport = new TreeSet<>();
    SortedSet<String> usedFast = new TreeSet<>();
    for (ReadingPath path : paths.values()) {
      Found found = follow(path);
      assertEquals(Set.of(), found.missing(), path.name() + ": used, but not listed");
      assertEquals(found.fast(), path.fast(), path.name() + ": fast path");
      assertEquals(
          found.elsewhere(), new TreeSet<>(path.elsewhere().keySet()), path.name() + ": elsewhere");
      path.elsewhere()
          .forEach(
              (file, other) ->
                  assertTrue(paths.get(other).files().contains(file), path.name() + ": " + file));
      usedSupport.addAll(found.support());
      usedFast.addAll(found.fast());
    }
    assertEquals(usedSupport, support, "supporting code that a path uses");
    SortedSet<String> marked =
        classes.keySet().stream()
            .filter(this::isMarked)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(usedFast, marked, "classes with a mark that a path uses");
  }

  private Found follow(ReadingPath path) {
    Found found = new Found(new TreeSet<>(), new TreeSet<>(), new TreeSet<>(), new TreeSet<>());
    Deque<String> next = new ArrayDeque<>(path.files());
    while (!next.isEmpty()) {
      String file = next.pop();
      for (String used : routes.containsKey(file) ? usedByRoutes(file) : usedByClass(file)) {
        String directory = used.split("/")[0];
        if (path.files().contains(used)) {
          // It is in the queue from the start.
        } else if (path.elsewhere().containsKey(used)) {
          found.elsewhere().add(used);
        } else if (isMarked(used)) {
          if (found.fast().add(used)) {
            next.add(used);
          }
        } else if (support.contains(used) || support.contains(directory)) {
          found.support().add(support.contains(used) ? used : directory);
        } else {
          found.missing().add(file + " -> " + used);
        }
      }
    }
    return found;
  }

  /** Whether the comment of the class has the mark. */
  private boolean isMarked(String name) {
    String text = classes.getOrDefault(name, "");
    int mark = text.indexOf(MARK);
    return mark >= 0 && mark < text.indexOf("\n */\n");
  }

  private SortedSet<String> usedByRoutes(String file) {
    SortedSet<String> used = new TreeSet<>();
    routes.get(file).jumps().forEach(jump -> used.addAll(consumers.get(jump.name())));
    routes
        .get(file)
        .beans()
        .filter(bean -> !LIBRARY_BEANS.contains(bean))
        .forEach(bean -> used.add(classOf(bean)));
    used.remove(file);
    return used;
  }

  private String classOf(String bean) {
    return BEAN_CLASSES.getOrDefault(
        bean,
        classes.keySet().stream()
            .filter(name -> name.toLowerCase().endsWith("/" + bean.toLowerCase()))
            .findFirst()
            .orElse(bean));
  }

  /** The classes of the project that the code of a class names. */
  private SortedSet<String> usedByClass(String name) {
    String code = NO_CODE.matcher(classes.get(name)).replaceAll(" ");
    SortedSet<String> used = new TreeSet<>();
    found(QUALIFIED, code).forEach(m -> used.add(m.group(1) + "/" + m.group(2)));
    String directory = name.substring(0, name.indexOf('/') + 1);
    found(TYPE, code).forEach(m -> used.add(directory + m.group()));
    used.retainAll(classes.keySet());
    used.remove(name);
    return used;
  }
}
