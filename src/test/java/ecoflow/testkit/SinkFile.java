package ecoflow.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A route file of {@code examples/routes} with its head comment: lines such as {@code # Needs:
 * ...}.
 */
public record SinkFile(Path path) {

  private static final Path DIRECTORY = Path.of("examples/routes");
  private static final String ENDING = ".camel.yaml";

  public static SinkFile of(String sink) {
    return new SinkFile(DIRECTORY.resolve(sink + ENDING));
  }

  /** The files of the directory itself, in order. */
  public static List<SinkFile> all() {
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      return files
          .filter(file -> file.toString().endsWith(ENDING))
          .sorted()
          .map(SinkFile::new)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public String name() {
    return path.getFileName().toString().replace(ENDING, "");
  }

  /** The text after a keyword in the head comment; empty if the keyword is missing. */
  public String head(String keyword) {
    String start = "# " + keyword + ": ";
    return lines().stream()
        .takeWhile(line -> line.startsWith("#"))
        .filter(line -> line.startsWith(start))
        .map(line -> line.substring(start.length()))
        .findFirst()
        .orElse("");
  }

  public List<String> lines() {
    try {
      return Files.readAllLines(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return name();
  }
}
