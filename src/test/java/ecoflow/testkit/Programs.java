package ecoflow.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** Installed programs that tests start by name. */
public final class Programs {

  private static final Path POSTGRESQL = Path.of("/usr/lib/postgresql");

  private Programs() {}

  /**
   * Debian installs servers in directories that are in the PATH of root only, and those of
   * PostgreSQL outside the PATH.
   */
  public static Optional<Path> find(String name) {
    return Stream.of(
            Stream.of(System.getenv("PATH").split(":")).map(Path::of),
            Stream.of(Path.of("/usr/sbin")),
            postgresql())
        .flatMap(directories -> directories)
        .map(directory -> directory.resolve(name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  static String get(String name) {
    return find(name)
        .orElseThrow(() -> new IllegalStateException(name + " is not installed"))
        .toString();
  }

  private static Stream<Path> postgresql() {
    if (!Files.isDirectory(POSTGRESQL)) {
      return Stream.empty();
    }
    try (Stream<Path> versions = Files.list(POSTGRESQL)) {
      return versions
          .sorted(Comparator.reverseOrder())
          .map(version -> version.resolve("bin"))
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
