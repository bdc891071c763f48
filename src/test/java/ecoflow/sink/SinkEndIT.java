package ecoflow.sink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.SinkFile;
import ecoflow.testkit.SinkRun;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A signal stops the exporter cleanly while one of its sinks waits for its server. */
class SinkEndIT {

  private static final int MANY = 150;

  private final SimulatedDevice garage =
      new SimulatedDevice("R331ZSINKS000001", "Garage", "DELTA 2", WireFormat.JSON);

  @RegisterExtension final CloudExtension clouds = new CloudExtension(garage);

  @TempDir private Path directory;
  private SinkRun run;

  @AfterEach
  void end() {
    run.close();
  }

  /** With a server that accepts connections and never responds, and with a closed port. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "kafka | changes-kafka | KAFKA_BROKERS=127.0.0.1:PORT",
        "postgresql | changes-postgresql | POSTGRES_URL=jdbc:postgresql://127.0.0.1:PORT/ecoflow",
        "redis | changes-redis | REDIS_PORT=PORT",
        "home-assistant-mqtt | pictures-home-assistant | HOME_ASSISTANT_BROKER=tcp://127.0.0.1:PORT",
      })
  void anUnresponsiveServerDoesNotDelayTheShutdown(String sink, String entryPoint, String variable)
      throws IOException {
    run = new SinkRun(directory, clouds.cloud(), sink);
    String address;
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      address = variable.replace("PORT", "" + silent.getLocalPort());
      assertEndsWhileBusy(entryPoint, address);
    }
    assertEndsWhileBusy(entryPoint, address);
  }

  /** A first draft of a route: without limits and without error handling. */
  private static final String BARE =
      """
      - route:
          id: bare
          from:
            uri: seda
            parameters:
              name: changes-bare
            steps:
              - marshal:
                  json: {}
              - to:
                  uri: http
                  parameters:
                    httpUri: "127.0.0.1:{{env:BARE_PORT}}"
      """;

  @Test
  void aRouteWithoutErrorHandlingIsReportedInOneLine() throws IOException {
    Path file = Files.writeString(directory.resolve("bare.camel.yaml"), BARE);
    run = new SinkRun(directory, clouds.cloud(), new SinkFile(file));
    String port;
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      port = "BARE_PORT=" + silent.getLocalPort();
      assertEndsWhileBusy("changes-bare", port);
      assertEquals(
          List.of(" Stopping; these routes did not finish: bare"),
          run.jar().log(" WARN EcoflowExporter -"));
    }
    run.start(port);
    garage.push(Map.of("pd.soc", 8));
    run.jar().awaitLine(" Route bare failed at ");
    run.terminateCleanly();
  }

  private void assertEndsWhileBusy(String entryPoint, String address) {
    run.start(address, "COLLECTING_INTERVAL=0.1");
    garage.push(Map.of("pd.soc", 7));
    run.jar().page().eventuallyShows(garage, "pd_soc", 7);
    // More messages than the queue holds: queued messages must not fail one by one at the end.
    for (int soc = 8;
        run.dropped(entryPoint) == 0 && run.accepted(entryPoint) < MANY;
        soc = soc == 8 ? 9 : 8) {
      garage.push(Map.of("pd.soc", soc));
      run.jar().page().eventuallyShows(garage, "pd_soc", soc);
    }

    run.terminateCleanly();

    assertEquals(List.of(), run.jar().log(" ERROR "));
    assertTrue(run.jar().log(" WARN ").size() < MANY / 10, () -> "" + run.jar().log());
    assertEquals(List.of(), run.jar().log("Stopping took longer"));
  }
}
