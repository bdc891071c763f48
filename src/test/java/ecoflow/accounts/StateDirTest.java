package ecoflow.accounts;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.ApiPath;
import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedAccount;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.AccountsYaml;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Logins that survive a restart in ECOFLOW_STATE_DIR. */
@Timeout(120)
class StateDirTest {

  @TempDir private Path directory;
  private final SimulatedDevice device =
      new SimulatedDevice("R331ZSTATE000001", "Garage", "DELTA 2", WireFormat.JSON);
  private final SimulatedCloud cloud = SimulatedCloud.start().add(device);

  @AfterEach
  void stop() {
    cloud.close();
  }

  private void run(String mode, String... more) {
    Map<String, String> variables = Variables.of(cloud, mode, "ECOFLOW_STATE_DIR=" + directory);
    for (int i = 0; i < more.length; i += 2) {
      variables.put(more[i], more[i + 1]);
    }
    device.set(Map.of("pd.soc", 50));
    try (RunningExporter exporter = RunningExporter.start(variables)) {
      eventually(
          () -> {
            device.push(Map.of("pd.soc", 50));
            assertEquals(50, exporter.page().of(device, "pd_soc"));
          });
      exporter.page().eventuallyConnected(1);
    }
  }

  private int logins(String path) {
    return cloud.requests(path).size();
  }

  @ParameterizedTest
  @CsvSource({"mqtt,/auth/login", "device,/auth/login", "open,/iot-open/sign/certification"})
  void aRestartNeedsNoLogin(String mode, String path) throws IOException {
    run(mode);
    assertEquals(1, logins(path));
    Path file = directory.resolve("login.json");
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    String content = Files.readString(file);
    assertFalse(content.contains(cloud.account().password()), content);
    assertFalse(content.contains(cloud.account().secretKey()), content);

    run(mode);
    assertEquals(1, logins(path));

    // The broker refuses the stored credentials.
    cloud.rotateCredentials();
    cloud.rotateOpenCredentials();
    cloud.expireTokens();
    run(mode);
    assertTrue(logins(path) >= 2);
    int before = logins(path);
    run(mode);
    assertEquals(before, logins(path));
  }

  @ParameterizedTest
  @CsvSource({"mqtt,/auth/login", "open,/iot-open/sign/certification"})
  void anInvalidFileCausesALogin(String mode, String path) throws IOException {
    run(mode);
    Files.writeString(directory.resolve("login.json"), "{\"key\": \"no");
    run(mode);
    assertEquals(2, logins(path));
    run(mode);
    assertEquals(2, logins(path));
  }

  private Path fileOf(String account) {
    return directory.resolve("login-" + account + ".json");
  }

  /** Other shards can use the same directory. */
  @ParameterizedTest
  @ValueSource(strings = {"mqtt", "open"})
  void theFileOfARemovedAccountIsDeleted(String mode) throws IOException {
    Path otherShard = Files.writeString(fileOf("of-other-shard"), "{}");
    CountDownLatch slow = new CountDownLatch(1);
    SimulatedAccount late = cloud.addAccount(CloudAccount.numbered(1));
    late.faults().always(ApiPath.CERTIFICATION, Fault.heldUntil(slow));
    late.faults().always(ApiPath.OPEN_CERTIFICATION, Fault.heldUntil(slow));
    AccountsYaml accounts =
        new AccountsYaml(directory.resolve("accounts.yml"))
            .add("removed", mode, cloud.defaultAccount())
            .add("late", mode, late)
            .add("left", mode, cloud.addAccount(CloudAccount.numbered(2)))
            .write();
    Map<String, String> variables =
        Variables.ofFile(
            accounts.file(),
            "ECOFLOW_STATE_DIR=" + directory,
            "ECOFLOW_CA_FILE=" + cloud.caFile(),
            "HTTP_TIMEOUT=600");
    try (RunningExporter exporter = RunningExporter.start(variables)) {
      eventually(() -> assertTrue(Files.exists(fileOf("removed")) && Files.exists(fileOf("left"))));
      String path = mode.equals("open") ? ApiPath.OPEN_CERTIFICATION : ApiPath.CERTIFICATION;
      eventually(() -> assertEquals(3, logins(path)));
      accounts.remove("removed").remove("late").write();
      eventually(() -> assertFalse(Files.exists(fileOf("removed"))));
      eventually(() -> assertEquals(1, exporter.page().own("accounts", "state=connected")));
      slow.countDown();
    }
    assertFalse(Files.exists(fileOf("late")));
    assertTrue(Files.exists(fileOf("left")));
    assertTrue(Files.exists(otherShard));
  }

  @ParameterizedTest
  @CsvSource({"mqtt", "device"})
  void anotherModeOrHostNeedsALogin(String mode) {
    run(mode);
    run(mode.equals("mqtt") ? "device" : "mqtt");
    assertEquals(2, logins(ApiPath.LOGIN));
  }
}
