package ecoflow.testkit;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A copy of the packaged routes for an exporter with edited routes. */
public record RoutesFolder(Path folder) {

  private static final Path PACKAGED = Path.of("src/main/resources/routes");

  /** Copies the packaged routes into a new directory. */
  public static RoutesFolder copyTo(Path folder) {
    try {
      Files.createDirectory(folder);
      for (String file : packaged()) {
        Files.copy(PACKAGED.resolve(file), folder.resolve(file));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new RoutesFolder(folder);
  }

  /** Copies files into a new directory. */
  public static RoutesFolder of(Path folder, Path... files) {
    try {
      Files.createDirectories(folder);
      for (Path file : files) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new RoutesFolder(folder);
  }

  /** The names of the packaged files. */
  public static List<String> packaged() {
    return new RoutesFolder(PACKAGED).names();
  }

  /** The sorted names of the files. */
  public List<String> names() {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Inserts a step, in YAML of any indentation, at the start of each route of a file. */
  public RoutesFolder insertFirst(String file, String step) {
    String steps = "\n      steps:\n";
    return edit(file, steps, steps + step.indent(8 - step.indexOf('-')));
  }

  /**
   * Replaces lines in a file, from the one that equals the first given line to the one that equals
   * the last.
   */
  public RoutesFolder replaceLines(String file, String lines) {
    List<String> all = lines.lines().toList();
    try {
      String text = Files.readString(folder.resolve(file));
      String last = all.get(all.size() - 1) + "\n";
      int start = text.indexOf(all.get(0) + "\n");
      int end = text.indexOf(last, start);
      assertTrue(
          start >= 0 && end >= 0,
          () -> file + " does not contain the first and the last line of " + lines);
      return edit(file, text.substring(start, end + last.length()), lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Replaces all occurrences of a text in a file, which must contain it.
   *
   * @return this
   */
  public RoutesFolder edit(String file, String text, String replacement) {
    try {
      Path edited = folder.resolve(file);
      String before = Files.readString(edited);
      String after = before.replace(text, replacement);
      assertNotEquals(before, after, () -> file + " does not contain " + text);
      Files.writeString(edited, after);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** The variable that makes an exporter load the files in addition to the packaged ones. */
  public String additionalRoutes() {
    return "ECOFLOW_ROUTES_DIR=" + folder;
  }

  /** The value of CAMEL_MAIN_ROUTES_INCLUDE_PATTERN for this directory. */
  public String pattern() {
    return "file:" + folder + "/*.camel.yaml";
  }
}
