package ecoflow.accounts;

import static ecoflow.testkit.Eventually.eventually;
import static ecoflow.testkit.Eventually.eventuallyHoldsFor;
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
import ecoflow.testkit.Page;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Variables;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes of accounts and of their devices while calls and connections are in progress. */
@Timeout(180)
class AccountChangesTest {

  @TempDir private Path directory;
  private final SimulatedCloud cloud = SimulatedCloud.start();
  private final SimulatedAccount a = cloud.addAccount(CloudAccount.numbered(1));
  private final SimulatedAccount b = cloud.addAccount(CloudAccount.numbered(2));
  private final SimulatedDevice deviceA = device("A");
  private final SimulatedDevice deviceB = device("B");
  private final CountDownLatch slow = new CountDownLatch(1);
  private AccountsYaml accounts;
  private RunningExporter exporter;
  private Page page;
  private int value;

  @BeforeEach
  void addDevices() {
    accounts = new AccountsYaml(directory.resolve("accounts.yml"));
    a.add(deviceA);
    b.add(deviceB);
  }

  @AfterEach
  void stop() {
    slow.countDown();
    if (exporter != null) {
      exporter.close();
    }
    cloud.close();
  }

  private static SimulatedDevice device(String name) {
    return new SimulatedDevice(
        "R331ZCHANGE00" + name, "Device " + name, "DELTA 2", WireFormat.JSON);
  }

  private void start(String... variables) {
    List<String> all = new ArrayList<>(List.of(variables));
    all.add("ECOFLOW_CA_FILE=" + cloud.caFile());
    exporter =
        RunningExporter.start(
            Variables.ofFile(accounts.write().file(), all.toArray(String[]::new)));
    page = exporter.page();
  }

  /** Waits for a new value of each device. */
  private void eventuallyShows(SimulatedDevice... devices) {
    int expected = ++value;
    eventually(
        () -> {
          for (SimulatedDevice device : devices) {
            device.push(Map.of("pd.soc", expected));
            device.publishOpen(
                "{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":%d}}".formatted(expected));
            assertEquals(expected, page.of(device, "pd_soc"), device.name());
          }
        });
  }

  private void eventuallyServedBy(String account, SimulatedDevice device, int leftOut) {
    eventually(
        () -> {
          assertEquals(1, page.of(device, "device_info", "account=" + account));
          assertEquals(leftOut, page.own("devices_left_out", "reason=other_account"));
        });
  }

  /** The file is read although it changes again before the next regular check. */
  @Test
  void frequentChangesAreApplied() {
    accounts.add("first", "rest", a).add("second", "rest", b);
    start();
    eventuallyShows(deviceA, deviceB);
    accounts.remove("first");
    ScheduledExecutorService editor = Executors.newSingleThreadScheduledExecutor();
    AtomicInteger edits = new AtomicInteger();
    try {
      editor.scheduleAtFixedRate(
          () ->
              accounts
                  .remove("second")
                  .add("second", "rest", b, "labels: {edit: '" + edits.incrementAndGet() + "'}")
                  .write(),
          0,
          1_500,
          TimeUnit.MILLISECONDS);
      eventually(() -> assertFalse(page.text().contains(deviceA.serial())));
    } finally {
      editor.shutdownNow();
    }
  }

  @Test
  void aDeviceMovesBetweenAccounts() {
    accounts.add("first", "rest", a).add("second", "rest", b);
    start();
    eventuallyShows(deviceA, deviceB);
    b.add(deviceA);
    eventuallyServedBy("first", deviceA, 1);
    a.remove(deviceA.serial());
    eventuallyServedBy("second", deviceA, 0);
    eventuallyShows(deviceA, deviceB);
    a.add(deviceA);
    eventuallyServedBy("first", deviceA, 1);
    b.remove(deviceA.serial());
    eventuallyServedBy("first", deviceA, 0);
    eventuallyShows(deviceA, deviceB);
  }

  private static final String WITH_DEVICE_A = "devices: [" + device("A").serial() + "]";

  /** Each device keeps its series. */
  @ParameterizedTest
  @CsvSource({"rest,''", "mqtt,''", "open,''", "device,''", "mqtt,listed", "rest,listed"})
  void theFirstAccountInTheFileServesASharedDevice(String mode, String listed) {
    b.add(deviceA);
    String[] devices = listed.isEmpty() ? new String[0] : new String[] {WITH_DEVICE_A};
    accounts.add("first", mode, a, devices).add("second", mode, b, devices);
    start("MQTT_TIMEOUT=3600", "DEVICE_LIST_CACHE_TTL=600");
    eventuallyServedBy("first", deviceA, 1);
    eventuallyShows(deviceA);
    int connections = "rest".equals(mode) ? 0 : 2;
    eventually(() -> assertEquals(connections, cloud.connects().size()));

    accounts.remove("first").add("first", mode, a, devices).write();
    eventuallyServedBy("second", deviceA, 1);
    eventuallyShows(deviceA);
    accounts.remove("second").add("second", mode, b, devices).write();
    eventuallyServedBy("first", deviceA, 1);
    eventuallyShows(deviceA);
    assertEquals(connections, cloud.connects().size());
  }

  /** The account that served a device before still has it. */
  @Test
  void aDeviceReturnsFromAnAccountThatWasAddedBefore() {
    b.add(deviceA);
    accounts.add("second", "rest", a, WITH_DEVICE_A);
    start();
    eventuallyServedBy("second", deviceA, 0);
    accounts
        .remove("second")
        .add("first", "rest", b, WITH_DEVICE_A, "device_name: Of first")
        .add("second", "rest", a, WITH_DEVICE_A)
        .write();
    eventuallyServedBy("first", deviceA, 1);
    assertEquals(1, page.of(deviceA, "device_info", "device_name=Of first"));
    eventuallyShows(deviceA);
    accounts.remove("first").write();
    eventuallyServedBy("second", deviceA, 0);
    eventuallyShows(deviceA);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mqtt", "open", "device"})
  void anotherAccountSubscribesToADeviceOfARemovedAccount(String mode) {
    String serial = "devices: [" + deviceA.serial() + "]";
    b.add(deviceA);
    accounts
        .add("first", mode, a, serial)
        .add("second", mode, b, "devices: [" + deviceA.serial() + ", " + deviceB.serial() + "]");
    // No values from polls, and no new connection because of silence.
    start("COLLECTING_INTERVAL=600", "MQTT_TIMEOUT=3600");
    eventuallyShows(deviceA, deviceB);
    eventuallyServedBy("first", deviceA, 1);
    int connections = cloud.connects().size();
    accounts.remove("first").write();
    eventuallyServedBy("second", deviceA, 0);
    eventuallyShows(deviceA, deviceB);
    assertEquals(connections, cloud.connects().size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"mqtt", "device", "open", "rest"})
  void otherCredentialsHaveOtherDevices(String mode) {
    accounts.add("one", mode, a);
    start("DEVICE_LIST_CACHE_TTL=600");
    eventuallyShows(deviceA);
    accounts.add("one", mode, b).write();
    eventuallyShows(deviceB);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mqtt", "device", "open", "rest"})
  void correctedCredentialsDoNotWaitForTheEndOfAPause(String mode) {
    String wrong = mode.equals("rest") || mode.equals("open") ? "secret_key: x" : "password: x";
    String key = wrong.substring(0, wrong.indexOf(':') + 1);
    accounts.add("one", mode, a).replace("one", key, wrong);
    start("RETRY_TIMEOUT=3600");
    eventually(() -> assertEquals(1, page.own("accounts", "state=refused")));
    accounts.add("one", mode, a).write();
    eventuallyShows(deviceA);
  }

  @ParameterizedTest
  @CsvSource({"mqtt,/auth/login", "device,/auth/login", "open,/iot-open/sign/certification"})
  void otherDevicesAndIntervalsNeedNoLogin(String mode, String path) {
    SimulatedDevice added = device("C");
    a.add(added);
    String devices = "devices: [" + deviceA.serial() + "]";
    accounts.add("one", mode, a, devices);
    start("MQTT_TIMEOUT=3600", "DEVICE_LIST_CACHE_TTL=600");
    eventuallyShows(deviceA);

    String interval = "max_reconnect_delay: 200";
    accounts.add("one", mode, a, devices, interval).add("other", mode, b).write();
    eventuallyShows(deviceA, deviceB);
    accounts.add("one", mode, a, devices, interval, "mqtt_keepalive: 20").write();
    eventually(() -> assertEquals(3, cloud.connects().size()));
    eventuallyShows(deviceA);
    assertEquals(3, cloud.connects().size());

    accounts.add("one", mode, a).write();
    eventuallyShows(deviceA, added);
    accounts.add("one", mode, a, devices).write();
    eventually(() -> assertEquals(Double.NaN, page.of(added, "pd_soc")));
    accounts.add("one", mode, a).write();
    eventuallyShows(deviceA, added);
    assertEquals(2, cloud.requests(path).size());
  }

  @Test
  void aLoginInProgressDoesNotReplaceChangedCredentials() {
    a.faults().always(ApiPath.LOGIN, Fault.heldUntil(slow));
    accounts.add("one", "mqtt", a);
    start("HTTP_TIMEOUT=600");
    eventually(() -> assertEquals(1, cloud.requests(ApiPath.LOGIN).size()));
    accounts.add("one", "mqtt", b).add("added", "mqtt", cloud.defaultAccount()).write();
    // The change precedes the start of the added account.
    eventually(() -> assertEquals(1, page.own("mqtt_connected", "account=added")));
    slow.countDown();
    eventuallyShows(deviceB);
    assertEquals(Double.NaN, page.of(deviceA, "pd_soc"));
  }

  @Test
  void changedAccountsLogInAtThePermittedRate() {
    accounts.add("one", "mqtt", a).add("two", "mqtt", b);
    start("ECOFLOW_LOGIN_RATE=0.001", "ECOFLOW_LOGIN_BURST=3");
    eventuallyShows(deviceA, deviceB);
    accounts.add("one", "mqtt", b).add("two", "mqtt", a).write();
    eventuallyHoldsFor(
        Duration.ofSeconds(2),
        () ->
            cloud.requests(ApiPath.LOGIN).size() == 3
                && page.own("accounts", "state=connecting") == 1);
    assertEquals(1, page.own("accounts", "state=connected"));
  }

  /** With 30 logins of 10 s each before it, the last account would wait for five minutes. */
  @Test
  void theLoginsOfRemovedAccountsAreUsedByOthers() {
    accounts.add("first", "mqtt", a);
    for (int i = 0; i < 30; i++) {
      accounts.add("removed-" + i, "mqtt", cloud.addAccount(CloudAccount.numbered(10 + i)));
    }
    accounts.add("last", "mqtt", b);
    start("ECOFLOW_LOGIN_RATE=0.1", "ECOFLOW_LOGIN_BURST=1");
    eventuallyShows(deviceA);
    for (int i = 0; i < 30; i++) {
      accounts.remove("removed-" + i);
    }
    accounts.add("added", "mqtt", cloud.defaultAccount()).write();
    eventually(() -> assertEquals(3, page.own("accounts", "state=connected")));
    eventuallyShows(deviceA, deviceB);
  }

  /** From the first call of each account; the calls end with the test. */
  @ParameterizedTest
  @CsvSource({
    "rest,/iot-open/sign/device/list",
    "rest,/iot-open/sign/device/quota/all",
    "open,/iot-open/sign/certification",
    "mqtt,/auth/login",
    "mqtt,/iot-service/user/device"
  })
  void oneHundredSlowAccountsDoNotDelayTheFirstCallsOfOthers(String mode, String path) {
    for (int i = 0; i < 100; i++) {
      SimulatedAccount account =
          cloud.addAccount(CloudAccount.numbered(10 + i)).add(device("S" + i));
      account.faults().always(path, Fault.heldUntil(slow));
      accounts.add("slow-" + i, mode, account);
    }
    // Their first calls follow those of all others.
    accounts.add("good-a", mode, a).add("good-b", mode, b);
    start("HTTP_TIMEOUT=600", "ECOFLOW_LOGIN_RATE=1000", "ECOFLOW_LOGIN_BURST=1000");
    eventuallyShows(deviceA, deviceB);
    eventually(() -> assertTrue(cloud.requests(path).size() >= 102));
    eventuallyShows(deviceA, deviceB);
  }

  private long polled(List<SimulatedDevice> devices) {
    return devices.stream()
        .filter(device -> !cloud.requests(ApiPath.QUOTA, device).isEmpty())
        .count();
  }

  /** An HTTP client has a limited number of connections to the host that all accounts use. */
  @Test
  void slowAccountsDoNotUseAllConnections() {
    List<SimulatedDevice> good = List.of(deviceA, deviceB);
    accounts.add("good-a", "rest", a).add("good-b", "rest", b);
    List<SimulatedAccount> others = new ArrayList<>();
    List<SimulatedDevice> devices = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      devices.add(device("S" + i));
      others.add(cloud.addAccount(CloudAccount.numbered(10 + i)).add(devices.get(i)));
      accounts.add("slow-" + i, "rest", others.get(i));
    }
    start("HTTP_TIMEOUT=600");
    eventuallyShows(devices.toArray(SimulatedDevice[]::new));
    for (SimulatedAccount account : others) {
      account.faults().always(ApiPath.QUOTA, Fault.heldUntil(slow));
    }
    cloud.clearHistory();
    eventually(() -> assertTrue(polled(devices) >= 20, "more than the default limit"));
    eventuallyShows(good.toArray(SimulatedDevice[]::new));
    eventuallyShows(good.toArray(SimulatedDevice[]::new));
  }
}
