package ecoflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Ports;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Variables;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

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

  @Test
  void accountOfFileIsServed(@TempDir Path directory) throws Exception {
    SimulatedDevice device =
        new SimulatedDevice("R331ZACCOUNT0001", "Shed", "DELTA 2", WireFormat.JSON)
            .set(Map.of("pd.soc", 81));
    clouds.cloud().add(device);
    CloudAccount account = clouds.cloud().account();
    Files.writeString(directory.resolve("secret"), account.secretKey());
    Path file =
        Files.writeString(
            directory.resolve("accounts.yml"),
            """
            accounts:
              - name: home
                access_key: %s
                secret_key_file: secret
                devices: [%s]
            """
                .formatted(account.accessKey(), device.serial()));
    Map<String, String> variables =
        Variables.of(clouds.cloud(), "rest", "ECOFLOW_ACCOUNTS_FILE=" + file);
    variables.keySet().removeAll(List.of("ECOFLOW_ACCESS_KEY", "ECOFLOW_SECRET_KEY"));
    variables.remove("ECOFLOW_DEVICE_SN");

    try (RunningExporter exporter = RunningExporter.start(variables)) {
      exporter.page().eventuallyShows(device, "pd_soc", 81);
    }
  }
}
