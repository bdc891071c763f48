package ecoflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Variables;
import java.net.ServerSocket;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The start of the exporter. */
class EcoflowExporterTest {

  @RegisterExtension final CloudExtension clouds = new CloudExtension();

  /** The check before the start found a free port. */
  @Test
  void aPortThatIsInUseWhenTheServerListensEndsTheStartup() throws Exception {
    int port = Ports.next();
    Map<String, String> variables = Variables.of(clouds.cloud(), "rest", "EXPORTER_PORT=" + port);
    try (EcoflowExporter late = new EcoflowExporter(variables);
        ServerSocket taken = new ServerSocket(port)) {
      EcoflowExporter.StartException failure =
          assertThrows(EcoflowExporter.StartException.class, late::startRoutes);
      assertEquals(
          "EXPORTER_PORT=" + taken.getLocalPort() + " is in use: choose another port",
          failure.getMessage());
      assertEquals(1, failure.exitCode());
    }
  }
}
