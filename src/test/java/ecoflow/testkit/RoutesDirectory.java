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
public record RoutesDirectory(Path directory) {

  private static final Path PACKAGED = Path.of("src/main/resources/routes");

  /** Copies the packaged routes into a new directory. */
  public static RoutesDirectory copyTo(Path directory) {
    try {
      Files.createDirectory(directory);
      for (String file : packaged()) {
        Files.copy(PACKAGED.resolve(file), directory.resolve(file));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new RoutesDirectory(directory);
  }

  /** Copies files into a new directory. */
  public static RoutesDirectory of(Path directory, Path... files) {
    try {
      Files.createDirectories(directory);
      for (Path file : files) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new RoutesDirectory(directory);
  }

  /** The names of the packaged files. */
  public static List<String> packaged() {
    return new RoutesDirectory(PACKAGED).names();
  }

  /** The sorted names of the files. */
  public List<String> names() {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Inserts a step, in YAML of any indentation, at the start of each route of a file. */
  public RoutesDirectory insertFirst(String file, String step) {
    String steps = "\n      steps:\n";
    return edit(file, steps, steps + step.indent(8 - step.indexOf('-')));
  }

  /**
   * Replaces lines in a file, from the one that equals the first given line to the one that equals
   * the last.
   */
  public RoutesDirectory replaceLines(String file, String lines) {
    List<String> all = lines.lines().toList();
    try {
      String text = Files.readString(directory.resolve(file));
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
  public RoutesDirectory edit(String file, String text, String replacement) {
    try {
      Path edited = directory.resolve(file);
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
    return "ECOFLOW_ROUTES_DIR=" + directory;
  }

  /** The value of CAMEL_MAIN_ROUTES_INCLUDE_PATTERN for this directory. */
  public String pattern() {
    return "file:" + directory + "/*.camel.yaml";
  }
}
