package ecoflow.routefiles;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.RoutesDirectory;
import ecoflow.testkit.SourceCopy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The test kit as integrators use it: two jars in a Maven repository, and a separate project. */
class RouteTestIT {

  private static final long BUILD_SECONDS = 300;

  @TempDir Path directory;
  private Path sources;

  @BeforeEach
  void install() throws IOException {
    // The example depends on the release, not on a snapshot.
    String version = System.getProperty("exporter.version").replace("-SNAPSHOT", "");
    Path jar = Path.of(System.getProperty("exporter.jar"));
    Path installed =
        Files.createDirectories(
            directory.resolve("repository/ecoflow/ecoflow-exporter/" + version));
    String name = "ecoflow-exporter-" + version;
    Files.writeString(
        installed.resolve(name + ".pom"),
        Files.readString(Path.of("pom.xml")).replace("${revision}", version));
    Files.copy(jar, installed.resolve(name + ".jar"));
    Files.copy(
        jar.resolveSibling("ecoflow-exporter-tests.jar"), installed.resolve(name + "-tests.jar"));
    sources = SourceCopy.to(directory.resolve("sources")).directory();
  }

  /** Runs the tests of the example and returns the output. */
  private List<String> test(int expected) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "./mvnw",
                "-B",
                "-o",
                "-f",
                "examples/route-test/pom.xml",
                "-Dmaven.repo.local=" + directory.resolve("repository")));
    String repository = System.getProperty("localRepository");
    String usual = System.getProperty("user.home") + "/.m2/repository";
    command.add("-Dmaven.repo.local.tail=" + (repository == null ? usual : repository));
    command.add("-Dmaven.repo.local.tail.ignoreAvailability=true");
    command.add("test");
    try (ChildProcess build =
        ChildProcess.start(sources, directory.resolve("output"), Map.of(), command)) {
      int code = build.exitCode(BUILD_SECONDS);
      if (expected == 0) {
        assertEquals(0, code, () -> "" + build.lines());
      } else {
        assertNotEquals(0, code, () -> "" + build.lines());
      }
      return build.lines();
    }
  }

  @Test
  void theExampleRuns() {
    List<String> lines = test(0);

    assertTrue(lines.stream().anyMatch(line -> line.contains("Tests run: 1, Failures: 0")));
  }

  @Test
  void theExampleDetectsABrokenRoute() {
    new RoutesDirectory(sources.resolve("examples/routes/tutorial"))
        .edit("rename-metric.camel.yaml", "battery.level", "battery.lvl");

    List<String> lines = test(1);

    assertTrue(
        lines.stream().anyMatch(line -> line.contains("expected: <81.0> but was: <NaN>")),
        lines::toString);
  }
}
