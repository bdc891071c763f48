package ecoflow.testkit;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Programs and data from the npm registry, kept between builds until {@code clean}. */
public final class NpmPackages {

  private static final long INSTALL_SECONDS = 120;

  private NpmPackages() {}

  /**
   * Installs packages into a directory below {@code target/npm} and returns its {@code
   * node_modules}. Skips the test if npm is not installed or the registry is not reachable.
   *
   * @param packages names with versions
   */
  public static synchronized Path install(String name, String... packages) {
    Path directory = Path.of("target/npm", name).toAbsolutePath();
    Path modules = directory.resolve("node_modules");
    try {
      Files.createDirectories(directory);
      // Tests run in two processes.
      try (FileChannel file = FileChannel.open(directory.resolve("lock"), CREATE, WRITE)) {
        // Until the end of this block.
        file.lock();
        if (Files.notExists(directory.resolve("complete"))) {
          download(directory, packages);
        }
      }
      return modules;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void download(Path directory, String... packages) throws IOException {
    assumeTrue(Programs.find("npm").isPresent(), "npm is not installed");
    Files.writeString(directory.resolve("package.json"), "{}");
    List<String> command =
        new ArrayList<>(List.of("npm", "install", "--silent", "--no-audit", "--no-fund"));
    command.addAll(List.of("--ignore-scripts", "--legacy-peer-deps"));
    command.addAll(List.of(packages));
    try (ChildProcess npm =
        ChildProcess.start(directory, directory.resolve("npm.log"), Map.of(), command)) {
      assumeTrue(
          npm.exitCode(INSTALL_SECONDS) == 0,
          () -> String.join(" ", packages) + " is not available: " + npm.lines());
    }
    Files.createFile(directory.resolve("complete"));
  }
}
