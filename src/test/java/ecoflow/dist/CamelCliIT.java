package ecoflow.dist;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.Page;
import ecoflow.testkit.Ports;
import ecoflow.testkit.RoutesDirectory;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs examples/camel-cli/application.properties with Camel's main class, in a separate process.
 * The Camel CLI uses a similar main class, and in addition downloads the jars.
 */
class CamelCliIT {

  private static final Path PROPERTIES = Path.of("examples/camel-cli/application.properties");

  private final SimulatedDevice device =
      new SimulatedDevice("R331ZCLI00000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension final CloudExtension clouds = new CloudExtension(device);

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"rest", "mqtt", "device"})
  void camelMainRunsTheRoutes(String mode) throws IOException {
    Path jar = Path.of(System.getProperty("exporter.jar")).toAbsolutePath();
    Files.copy(PROPERTIES, directory.resolve("application.properties"));
    RoutesDirectory.copyTo(directory.resolve("routes"));
    int port = Ports.next();
    Page page = ExporterJar.pageAt(port);
    try (ChildProcess process =
        ChildProcess.start(
            directory,
            directory.resolve("output"),
            Variables.of(clouds.cloud(), mode, "EXPORTER_PORT=" + port),
            List.of(
                System.getProperty("java.home") + "/bin/java",
                "-cp",
                jar.toString(),
                "org.apache.camel.main.Main",
                "-propertiesLocation",
                "file:application.properties"))) {
      eventually(
          () -> {
            assertTrue(process.isAlive(), () -> "" + process.lines());
            device.pushAll();
            assertEquals(81, page.of(device, "pd_soc"));
          });
      process.signal("TERM");
      assertEquals(143, process.exitCode(), () -> "" + process.lines());
    }
  }

  @Test
  void theCliUsesTheVersionsOfThisBuildAndItsRelease() throws IOException {
    Properties properties = new Properties();
    try (var in = Files.newInputStream(PROPERTIES)) {
      properties.load(in);
    }

    assertEquals(System.getProperty("exporter.camel"), properties.get("camel.jbang.camel-version"));
    assertEquals(
        "ecoflow:ecoflow-exporter:"
            + System.getProperty("exporter.version").replace("-SNAPSHOT", ""),
        properties.get("camel.jbang.dependencies"));
  }
}
