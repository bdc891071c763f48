package ecoflow.dist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Distribution;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.LocalHttp;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The jar of a running exporter is replaced, for example by an upgrade without a restart. */
class ReplacedJarIT {

  private static final String STARTED = "Metrics are at ";

  private final SimulatedDevice device =
      new SimulatedDevice("R331JAR000000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension final CloudExtension clouds = new CloudExtension(device);

  @RegisterExtension final ExporterJar jar = new ExporterJar(clouds);

  @TempDir private Path directory;

  /** Changes of a file that another program has open. */
  enum Change {
    TRUNCATED,
    SHIFTED,
    OVERWRITTEN;

    void apply(Path file) throws IOException {
      byte[] content = Files.readAllBytes(file);
      switch (this) {
        case TRUNCATED -> Files.write(file, new byte[0]);
        case SHIFTED -> Files.write(file, Arrays.copyOfRange(content, 1000, content.length));
        case OVERWRITTEN -> Files.write(file, new byte[content.length]);
        default -> throw new IllegalStateException();
      }
    }
  }

  /** Requests the landing page, whose classes are not loaded yet. */
  private static void request(int port) {
    try {
      new LocalHttp(port).get("/");
    } catch (UncheckedIOException e) {
      // The process has ended instead.
    }
  }

  private static String line(Path replaced) {
    return "ecoflow-exporter: "
        + replaced
        + " was replaced while the exporter was running; exiting with exit code 3";
  }

  @ParameterizedTest
  @EnumSource(Change.class)
  void endsWithOneLineAndExitCode3(Change change) throws IOException {
    jar.start("rest");
    jar.awaitLine(STARTED);
    change.apply(jar.file());

    request(jar.port());

    assertEquals(3, jar.exitCode(), () -> "" + jar.log());
    assertEquals(line(jar.file()), jar.lastLine());
    assertEquals(List.of(), jar.log("\tat "), "no stack trace");
    assertEquals(1, jar.log("was replaced").size(), () -> "" + jar.log());
  }

  @Test
  void endsOnSignalAfterItWasReplaced() throws IOException {
    jar.start("mqtt");
    jar.awaitLine("Connected to MQTT broker");
    Change.TRUNCATED.apply(jar.file());

    assertTrue(Set.of(3, 143).contains(jar.terminate()), () -> "" + jar.log());
    assertEquals(List.of(), jar.log("\tat "), "no stack trace");
  }

  /** The Java runtime continues to read the previous file. */
  @Test
  void continuesAfterARename() throws IOException {
    jar.start("rest");
    jar.awaitLine(STARTED);
    Path next = Files.write(directory.resolve("next.jar"), new byte[] {1});
    Files.move(next, jar.file(), StandardCopyOption.REPLACE_EXISTING);

    request(jar.port());
    jar.awaitSeries(device.serial(), "pd_soc");
    assertEquals(143, jar.terminate(), () -> "" + jar.log());
  }

  /** With the launcher, most classes are in other jars, which the manifest lists. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void endsIfTheLibraryDirectoryOfTheDistributionIsReplaced(boolean isMainReplaced)
      throws IOException {
    Distribution distribution = Distribution.unpackedIn(directory);
    int port = Ports.next();
    Map<String, String> variables =
        Variables.of(clouds.cloud(), "rest", "EXPORTER_PORT=" + port, "ECOFLOW_ARCHIVE=off");
    try (ChildProcess process = distribution.start(directory.resolve("log"), variables)) {
      process.awaitLine(STARTED);
      Path main = distribution.directory().resolve("lib/ecoflow-exporter.jar");
      try (Stream<Path> jars = Files.list(main.getParent())) {
        for (Path file : jars.filter(path -> path.toString().endsWith(".jar")).toList()) {
          if (isMainReplaced || !file.equals(main)) {
            FileTime before = Files.getLastModifiedTime(file);
            Change.TRUNCATED.apply(file);
            // Tools that copy directories often restore this time.
            Files.setLastModifiedTime(file, before);
          }
        }
      }

      request(port);

      assertEquals(3, process.exitCode(), () -> "" + process.lines());
      List<String> lines =
          process.lines().stream().filter(line -> line.contains("was replaced")).toList();
      assertEquals(1, lines.size(), () -> "" + process.lines());
      assertTrue(
          isMainReplaced
              ? lines.get(0).endsWith(line(main).substring("ecoflow-exporter: ".length()))
              : lines.get(0).contains("/lib/"),
          lines.get(0));
    }
  }
}
