package ecoflow.accounts;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An accounts file with one account of each mode, each on a cloud of its own, and its changes. */
@Timeout(120)
class AccountsFileIsServedTest {

  private static final List<String> MODES = List.of("device", "mqtt", "open", "rest");

  @TempDir private Path directory;
  private final Map<String, SimulatedCloud> clouds = new HashMap<>();
  private final Map<String, SimulatedDevice> devices = new HashMap<>();
  private final Random random = new Random(22);
  private RunningExporter exporter;
  private Page page;
  private Path accounts;

  @BeforeEach
  void start() throws IOException {
    StringBuilder certificates = new StringBuilder();
    for (String mode : MODES) {
      String serial = "R331Z" + mode.toUpperCase(Locale.ROOT) + "0001";
      SimulatedDevice device =
          new SimulatedDevice(serial, "Device " + mode, "DELTA 2", WireFormat.JSON);
      SimulatedCloud cloud = SimulatedCloud.start().add(device);
      clouds.put(mode, cloud);
      devices.put(mode, device);
      device.set(Map.of("pd.soc", 50));
      certificates.append(Files.readString(cloud.caFile()));
    }
    accounts = directory.resolve("accounts.yml");
    Path ca = directory.resolve("ca.pem");
    Files.writeString(ca, certificates);
    write(MODES);
    exporter = RunningExporter.start(Variables.ofFile(accounts, "ECOFLOW_CA_FILE=" + ca));
    page = exporter.page();
  }

  private void write(List<String> modes, String... more) throws IOException {
    StringBuilder file = new StringBuilder("accounts:\n");
    for (String mode : modes) {
      file.append(account(mode));
    }
    for (String text : more) {
      file.append(text);
    }
    Files.writeString(accounts, file);
  }

  private String account(String mode) {
    SimulatedCloud cloud = clouds.get(mode);
    boolean hasKeys = mode.equals("rest") || mode.equals("open");
    return """
        - name: %s-1
          mode: %s
          api_host: %s
          %s: %s
          %s: %s
        """
        .formatted(
            mode,
            mode,
            cloud.apiHost(),
            hasKeys ? "access_key" : "user",
            hasKeys ? cloud.account().accessKey() : cloud.account().email(),
            hasKeys ? "secret_key" : "password",
            hasKeys ? cloud.account().secretKey() : cloud.account().password());
  }

  @AfterEach
  void stop() {
    if (exporter != null) {
      exporter.close();
    }
    clouds.values().forEach(SimulatedCloud::close);
  }

  private void eventuallyShows(String mode) {
    SimulatedDevice device = devices.get(mode);
    int charge = 10 + random.nextInt(80);
    device.set(Map.of("pd.soc", charge));
    eventually(
        () -> {
          device.push(Map.of("pd.soc", charge));
          device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":" + charge + "}}");
          assertEquals(charge, page.of(device, "pd_soc"), mode);
        });
  }

  private void eventuallyConnected(int count) {
    eventually(
        () -> {
          String text = page.text();
          assertTrue(text.contains("ecoflow_accounts{state=\"connected\"} " + count), text);
        });
  }

  @Test
  void eachAccountUsesItsMode() {
    MODES.forEach(this::eventuallyShows);
    eventuallyConnected(4);
    String text = page.text();
    assertTrue(
        text.contains("ecoflow_mqtt_connected{account=\"device-1\",client_type=\"device\"} 1"),
        text);
    assertTrue(
        text.contains(
            "ecoflow_http_requests_total{account=\"rest-1\",endpoint=\"/iot-open/sign/device/list\""
                + ",status=\"success\"}"),
        text);
    assertFalse(text.contains("client_type=\"rest\""), text);
  }

  @Test
  void removedAccountsLeaveAndAddedOnesStart() throws IOException {
    MODES.forEach(this::eventuallyShows);
    write(List.of("mqtt", "open"));
    eventuallyConnected(2);
    eventually(
        () -> {
          String text = page.text();
          for (String mode : List.of("device", "rest")) {
            assertFalse(text.contains(devices.get(mode).serial()), text);
            assertFalse(text.contains("\"" + mode + "-1\""), text);
          }
        });
    eventually(() -> assertEquals(0, clouds.get("device").openConnections()));
    eventuallyShows("mqtt");
    write(MODES);
    eventuallyConnected(4);
    MODES.forEach(this::eventuallyShows);
    assertEquals(1, clouds.get("mqtt").connects().size(), "other accounts are not affected");
  }

  @Test
  void changedPasswordIsUsed() throws IOException {
    eventuallyShows("device");
    String wrong = account("device").replaceFirst("password: .*", "password: other, but wrong");
    write(List.of("mqtt", "open", "rest"), wrong);
    eventually(
        () -> {
          String text = page.text();
          assertTrue(text.contains("ecoflow_accounts{state=\"refused\"} 1"), text);
        });
    write(MODES);
    eventuallyConnected(4);
    eventuallyShows("device");
  }

  @Test
  void brokenEditKeepsTheAccounts() throws IOException {
    MODES.forEach(this::eventuallyShows);
    write(MODES, "- name: rest-1\n");
    eventually(
        () -> {
          String ready = exporter.http().get("/-/ready").body();
          assertTrue(ready.contains("the changed accounts file is not used: "), ready);
        });
    MODES.forEach(this::eventuallyShows);
    write(MODES);
    eventually(() -> assertFalse(exporter.http().get("/-/ready").body().contains("not used")));
  }

  @Test
  void theFirstAccountServesASharedDevice() throws IOException {
    SimulatedDevice device = devices.get("mqtt");
    SimulatedDevice same =
        new SimulatedDevice(device.serial(), "Shared", "DELTA 2", WireFormat.JSON)
            .set(Map.of("pd.soc", 99));
    clouds.get("rest").add(same);
    eventuallyShows("mqtt");
    eventually(
        () -> {
          String text = page.text();
          assertTrue(text.contains("ecoflow_devices_left_out{reason=\"other_account\"} 1"), text);
        });
    assertTrue(page.of(device, "pd_soc") != 99);
    eventuallyShows("rest");

    write(List.of("device", "open", "rest"));
    eventually(() -> assertEquals(99, page.of(device, "pd_soc")));
    eventually(
        () -> {
          String text = page.text();
          assertTrue(text.contains("ecoflow_devices_left_out{reason=\"other_account\"} 0"), text);
        });

    write(MODES);
    eventuallyShows("mqtt");
    assertTrue(page.of(device, "pd_soc") != 99);
  }
}
