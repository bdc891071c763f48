package ecoflow.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
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
      Path packageInfo = folder(name).resolve("package-info.java");
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

  private static Path folder(String name) {
    return name.equals(TOP) ? JAVA : JAVA.resolve(name);
  }

  private static List<Path> javaFiles(String name) {
    try (Stream<Path> files = Files.list(folder(name))) {
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
