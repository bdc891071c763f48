package ecoflow.dist;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.RoutesDirectory;
import ecoflow.testkit.Variables;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The packaged jar ends when it runs out of memory. */
class JarMemoryIT {

  private static final Duration PATIENCE = Duration.ofSeconds(180);

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice("R331JAR000000004", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);
  @RegisterExtension final ExporterJar jar = new ExporterJar(clouds);
  @TempDir Path directory;

  private void eventuallyReady() {
    await()
        .atMost(PATIENCE)
        .ignoreException(UncheckedIOException.class)
        .until(() -> jar.http().get("/-/ready").statusCode() == 200);
  }

  private void assertEndsOutOfMemory() {
    assertEquals(3, jar.exitCode());
    List<String> lines = jar.log("ecoflow-exporter: out of memory (");
    assertEquals(1, lines.size(), () -> "" + jar.log());
    assertTrue(lines.get(0).endsWith("); exiting with exit code 3"), lines.get(0));
    assertEquals(List.of(), jar.log("\tat "), "no stack traces");
  }

  /** A page of more than 64 MB in a heap of that size. */
  @Test
  void aScrapeThatRunsOutOfMemoryEndsTheProcess() {
    try (SimulatedCloud large = SimulatedCloud.start()) {
      for (int i = 0; i < 120; i++) {
        large.add(
            new SimulatedDevice("R331ZLARGE%06d".formatted(i), "x", "DELTA 2", WireFormat.JSON)
                .set(Map.of("pd.soc", 1)));
      }
      // Gauges of devices are written as the scraper reads them; metrics of the exporter are not.
      String prefix = "n".repeat(30_000);
      jar.start(Variables.of(large, "rest", "METRICS_PREFIX=" + prefix), "-Xmx64m");
      eventuallyReady();
      assertTrue(jar.isAlive(), "the values alone fit");

      await().atMost(PATIENCE).until(() -> jar.page().text().isEmpty());

      assertEndsOutOfMemory();
    }
  }

  /**
   * The error occurs at the next allocation: in routes, the HTTP client, the web server or timers.
   */
  @ParameterizedTest
  @ValueSource(strings = {"rest", "device"})
  void tooManyValuesForTheMemoryEndTheProcess(String mode) {
    try (SimulatedCloud large = SimulatedCloud.start()) {
      for (int i = 0; i < 80; i++) {
        large.add(
            new SimulatedDevice("R331ZLARGE%06d".formatted(i), "x", "DELTA 2", WireFormat.JSON)
                .set(Map.of("bms.cells", Collections.nCopies(5000, 1))));
      }
      jar.start(Variables.of(large, mode), "-Xmx48m");

      assertEndsOutOfMemory();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "rest, quotas.camel.yaml",
    "device, quotas.camel.yaml",
    "mqtt, device-collection.camel.yaml",
    "device, account-requests.camel.yaml",
    "rest, metrics-page.camel.yaml",
    "mqtt, account-login.camel.yaml"
  })
  void aRouteThatRunsOutOfMemoryEndsTheProcess(String mode, String file) {
    String tooMuch =
        """
              - setProperty:
                  name: much
                  expression:
                    constant:
                      expression: much
              - setProperty:
                  name: tooMuch
                  expression:
                    simple:
                      expression: "${exchangeProperty.much.repeat(2147483647)}"
        """;
    RoutesDirectory routes =
        RoutesDirectory.copyTo(directory.resolve("routes")).insertFirst(file, tooMuch);
    jar.start(mode, "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=" + routes.pattern());
    if (file.startsWith("metrics-page")) {
      eventuallyReady();
      assertEquals("", jar.page().text());
    }

    assertEndsOutOfMemory();
  }
}
