package ecoflow.accounts;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.Page;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An accounts file with one account of each mode, each on a cloud of its own. */
class TwoAccountsTest {

  private static final List<String> MODES = List.of("device", "mqtt", "open", "rest");

  @TempDir private Path directory;
  private final Map<String, SimulatedCloud> clouds = new HashMap<>();
  private final Map<String, SimulatedDevice> devices = new HashMap<>();
  private RunningExporter exporter;

  @BeforeEach
  void start() throws IOException {
    StringBuilder file = new StringBuilder("accounts:\n");
    StringBuilder certificates = new StringBuilder();
    for (String mode : MODES) {
      SimulatedDevice device =
          new SimulatedDevice(
              "R331Z" + mode.toUpperCase() + "0001", "Device " + mode, "DELTA 2", WireFormat.JSON);
      SimulatedCloud cloud = SimulatedCloud.start().add(device);
      clouds.put(mode, cloud);
      devices.put(mode, device);
      device.set(Map.of("pd.soc", 50));
      certificates.append(Files.readString(cloud.caFile()));
      file.append("  - name: ").append(mode).append("-1\n    mode: ").append(mode);
      file.append("\n    api_host: ").append(cloud.apiHost()).append("\n    devices: all\n");
      if (mode.equals("rest") || mode.equals("open")) {
        file.append("    access_key: ").append(cloud.account().accessKey());
        file.append("\n    secret_key: ").append(cloud.account().secretKey()).append('\n');
      } else {
        file.append("    user: ").append(cloud.account().email());
        file.append("\n    password: ").append(cloud.account().password()).append('\n');
      }
    }
    Path accounts = directory.resolve("accounts.yml");
    Files.writeString(accounts, file);
    Path ca = directory.resolve("ca.pem");
    Files.writeString(ca, certificates);
    Map<String, String> variables = Variables.ofFile(accounts, "ECOFLOW_CA_FILE=" + ca);
    exporter = RunningExporter.start(variables);
  }

  @AfterEach
  void stop() {
    if (exporter != null) {
      exporter.close();
    }
    clouds.values().forEach(SimulatedCloud::close);
  }

  @Test
  void eachAccountUsesItsMode() {
    Page page = exporter.page();
    for (String mode : MODES) {
      eventually(
          () -> {
            devices.get(mode).push(Map.of("pd.soc", 50));
            assertEquals(50, page.of(devices.get(mode), "pd_soc"), mode);
          });
    }
    eventually(
        () -> {
          String text = page.text();
          assertTrue(text.contains("ecoflow_accounts{state=\"connected\"} 4"), text);
        });
    String text = page.text();
    assertTrue(
        text.contains("ecoflow_mqtt_connected{client_type=\"device\",account=\"device-1\"} 1")
            || text.contains(
                "ecoflow_mqtt_connected{account=\"device-1\",client_type=\"device\"} 1"),
        text);
  }
}
