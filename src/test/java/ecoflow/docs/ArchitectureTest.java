package ecoflow.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The limits of the packages: their size, and the entry points and imports in docs/CONTRIBUTING.md.
 */
class ArchitectureTest {

  private static final Path JAVA = Path.of("src/main/java/ecoflow");
  private static final Pattern IMPORT =
      Pattern.compile("^import (?:static )?ecoflow\\.([a-z]+)\\.(?!proto)", Pattern.MULTILINE);
  private static final Pattern PUBLIC_CLASS =
      Pattern.compile("^public (?:final |abstract )?(?:class|interface|enum) (\\w+)(.*)");
  private static final Pattern TYPE = Pattern.compile("\\b[A-Z]\\w*");
  private static final Pattern NO_CODE =
      Pattern.compile("(?s)/\\*.*?\\*/|//[^\n]*|\"(?:\\\\.|[^\"\\\\\n])*\"");
  private static final int MAX_PACKAGE_PERCENT = 10;

  private static final String TOP = "(top)";

  /** A row of the table: package, entry points, purpose, and allowed imports of other packages. */
  private static final Pattern ROW =
      Pattern.compile("\\| (`\\w+`|\\(top\\)) \\| ([^|]+) \\| [^|]+ \\| ([^|]+) \\|");

  private static final Pattern CODE = Pattern.compile("`(\\w+)`");

  @Test
  void packagesImportWhatTheTableAllows() {
    SortedMap<String, SortedSet<String>> allowed = table(3);
    allowed.remove(TOP);
    SortedMap<String, SortedSet<String>> found = new TreeMap<>();
    for (String name : packages()) {
      SortedSet<String> others = new TreeSet<>();
      for (Path file : javaFiles(name)) {
        Matcher imports = IMPORT.matcher(text(file));
        imports.results().forEach(i -> others.add(i.group(1)));
      }
      others.remove(name);
      found.put(name, others);
    }
    found.remove(TOP);
    // Also fails for unused imports in the table.
    assertEquals(allowed, found);
  }

  @Test
  void publicClassesAreTheEntryPointsInTheTable() {
    SortedMap<String, SortedSet<String>> found = new TreeMap<>();
    for (String name : packages()) {
      found.put(
          name,
          javaFiles(name).stream()
              .flatMap(file -> text(file).lines())
              .map(PUBLIC_CLASS::matcher)
              .filter(Matcher::matches)
              .filter(type -> !type.group(2).contains("Exception"))
              .map(type -> type.group(1))
              .collect(Collectors.toCollection(TreeSet::new)));
      Path packageInfo = directory(name).resolve("package-info.java");
      assertTrue(name.equals(TOP) || Files.exists(packageInfo), name);
    }
    assertEquals(table(2), found);
  }

  /** The cells of a column as sets of names, by package. */
  private static SortedMap<String, SortedSet<String>> table(int column) {
    SortedMap<String, SortedSet<String>> cells = new TreeMap<>();
    Matcher rows = ROW.matcher(text(Path.of("docs/CONTRIBUTING.md")));
    while (rows.find()) {
      String cell = rows.group(column);
      cells.put(
          rows.group(1).replace("`", ""),
          CODE.matcher(cell)
              .results()
              .map(name -> name.group(1))
              .collect(Collectors.toCollection(TreeSet::new)));
    }
    return cells;
  }

  @Test
  void noPackageIsTooLarge() {
    long all = packages().stream().mapToLong(ArchitectureTest::lines).sum();
    for (String name : packages()) {
      long percent = lines(name) * 100 / all;
      assertTrue(percent <= MAX_PACKAGE_PERCENT, name + " has " + percent + " % of the lines");
    }
  }

  /** Two classes that use each other can only be read together. */
  @Test
  void classesOfTheStoreDoNotFormCycles() {
    Map<String, Set<String>> uses = new TreeMap<>();
    for (Path file : javaFiles("quota")) {
      uses.put(file.getFileName().toString().replace(".java", ""), names(text(file)));
    }
    uses.forEach(
        (type, names) -> {
          names.retainAll(uses.keySet());
          names.remove(type);
        });
    assertEquals(Map.of(), inCycles(uses));
  }

  @Test
  void findsCycles() {
    Map<String, Set<String>> uses = new TreeMap<>();
    uses.put("A", names("B b; // and C"));
    uses.put("B", names("C c = new C(\"D\");"));
    uses.put("C", names("/** Like D. */ B b; D d;"));
    uses.put("D", names(""));
    uses.values().forEach(names -> names.retainAll(uses.keySet()));

    assertEquals(Map.of("B", Set.of("C"), "C", Set.of("B")), inCycles(uses));
  }

  /** The names of types in the code, without comments and strings. */
  private static Set<String> names(String java) {
    return TYPE.matcher(NO_CODE.matcher(java).replaceAll(" "))
        .results()
        .map(MatchResult::group)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Removes the types that use or are used by no other one, until only those in cycles remain. */
  private static Map<String, Set<String>> inCycles(Map<String, Set<String>> uses) {
    Map<String, Set<String>> left = new TreeMap<>(uses);
    int before;
    do {
      before = left.size();
      left.values().removeIf(Set::isEmpty);
      Set<String> used = left.values().stream().flatMap(Set::stream).collect(Collectors.toSet());
      left.keySet().retainAll(used);
      left.values().forEach(names -> names.retainAll(left.keySet()));
    } while (left.size() < before);
    return left;
  }

  private static List<String> packages() {
    try (Stream<Path> entries = Files.list(JAVA)) {
      return Stream.concat(
              Stream.of(TOP),
              entries
                  .filter(Files::isDirectory)
                  .map(path -> path.getFileName().toString())
                  .sorted())
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path directory(String name) {
    return name.equals(TOP) ? JAVA : JAVA.resolve(name);
  }

  private static List<Path> javaFiles(String name) {
    try (Stream<Path> files = Files.list(directory(name))) {
      return files.filter(file -> file.toString().endsWith(".java")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long lines(String name) {
    return javaFiles(name).stream().mapToLong(file -> text(file).lines().count()).sum();
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
