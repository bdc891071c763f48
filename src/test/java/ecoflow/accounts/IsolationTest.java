package ecoflow.accounts;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;

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
import ecoflow.testkit.Series;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Fifty accounts, of which ten fail in five ways. The failures last until the test ends them, so
 * that a good account that waits for a failing one never shows a new value.
 */
class IsolationTest {

  private static final List<String> MODES = List.of("device", "mqtt", "open", "rest");
  private static final int GOOD = 40;
  private static final int ROUNDS = 5;

  private static final List<String> PATHS =
      List.of(
          ApiPath.LOGIN,
          ApiPath.CERTIFICATION,
          ApiPath.ACCOUNT_DEVICES,
          ApiPath.DEVICE_LIST,
          ApiPath.QUOTA,
          ApiPath.OPEN_CERTIFICATION);

  @TempDir private Path directory;
  private final SimulatedCloud cloud = SimulatedCloud.start();
  private final SimulatedCloud other = SimulatedCloud.start();
  private final List<SimulatedDevice> good = new ArrayList<>();
  private final List<SimulatedDevice> bad = new ArrayList<>();

  /** Devices of accounts that show a value now and then, between two connections. */
  private final List<SimulatedDevice> reconnecting = new ArrayList<>();

  private final List<Runnable> failures = new ArrayList<>();
  private final List<Runnable> recoveries = new ArrayList<>();
  private int number;
  private AccountsYaml accounts;
  private RunningExporter exporter;
  private Page page;

  @BeforeEach
  void addAccounts() {
    accounts = new AccountsYaml(directory.resolve("accounts.yml"));
    // First, so that their attempts precede those of the others.
    addFailingAccounts();
    for (int i = 0; i < GOOD; i++) {
      add("good-" + i, MODES.get(i % MODES.size()), good);
    }
  }

  @AfterEach
  void stop() {
    recoveries.forEach(Runnable::run);
    if (exporter != null) {
      exporter.close();
    }
    cloud.close();
    other.close();
  }

  @Test
  void accountsThatFailFromTheStartDoNotDelayOthers() throws IOException {
    failures.forEach(Runnable::run);
    start();
    showsEventually(1, good);
    showsEachValue(2, ROUNDS);
    assertEquals(List.of(), showing(bad));
    recover(ROUNDS + 1);
  }

  @Test
  void accountsThatFailLaterDoNotDelayOthers() throws IOException {
    start();
    showsEventually(1, all());
    failures.forEach(Runnable::run);
    showsEachValue(2, ROUNDS);
    assertEquals(bad.size(), otherThan(ROUNDS, bad).size());
    recover(ROUNDS + 1);
  }

  private void addFailingAccounts() {
    for (String mode : List.of("device", "mqtt")) {
      SimulatedAccount account = add("password-" + mode, mode, bad);
      String password = account.login().password();
      failures.add(
          () -> {
            account.setPassword("changed");
            endSession(account);
          });
      recoveries.add(() -> account.setPassword(password));
    }
    addFailing("too-many-calls", Fault.status(429), "device", "rest");
    CountDownLatch slow = new CountDownLatch(1);
    addFailing("slow", Fault.heldUntil(slow), "open", "device");
    recoveries.add(slow::countDown);
    addFailing("unauthorised", Fault.status(401), "rest");
    addFailing("forbidden", Fault.status(403), "mqtt");
    add(other, "dead-broker", "mqtt", bad);
    failures.add(other::stopBroker);
    recoveries.add(other::startBroker);
    SimulatedAccount closed = add("closing-broker", "mqtt", reconnecting);
    failures.add(
        () -> {
          closed.setConnectionsClosed(true);
          closed.kickClients();
        });
    recoveries.add(() -> closed.setConnectionsClosed(false));
  }

  private void addFailing(String name, Fault fault, String... modes) {
    for (String mode : modes) {
      SimulatedAccount account = add(name + "-" + mode, mode, bad);
      failures.add(
          () -> {
            PATHS.forEach(path -> account.faults().always(path, fault));
            endSession(account);
          });
      recoveries.add(account.faults()::clear);
    }
  }

  /** The account needs a new login. */
  private static void endSession(SimulatedAccount account) {
    account.expireTokens();
    account.rotateCredentials();
    account.rotateOpenCredentials();
    account.kickClients();
  }

  private void recover(int value) {
    recoveries.forEach(Runnable::run);
    showsEventually(value, all());
    eventually(() -> assertEquals(number, page.own("accounts", "state=connected")));
  }

  private List<SimulatedDevice> all() {
    return Stream.of(good, bad, reconnecting).flatMap(List::stream).toList();
  }

  private void start() throws IOException {
    Path certificates = directory.resolve("ca.pem");
    Files.writeString(
        certificates, Files.readString(cloud.caFile()) + Files.readString(other.caFile()));
    exporter =
        RunningExporter.start(
            Variables.ofFile(
                accounts.write().file(),
                "ECOFLOW_CA_FILE=" + certificates,
                "HTTP_TIMEOUT=600",
                "ECOFLOW_LOGIN_RATE=100",
                "ECOFLOW_LOGIN_BURST=100",
                "MAX_RECONNECT_DELAY=2"));
    page = exporter.page();
  }

  private SimulatedAccount add(String name, String mode, List<SimulatedDevice> devices) {
    return add(cloud, name, mode, devices);
  }

  private SimulatedAccount add(
      SimulatedCloud of, String name, String mode, List<SimulatedDevice> devices) {
    SimulatedDevice device =
        new SimulatedDevice(
            "R331Z" + name.toUpperCase().replaceAll("[^A-Z0-9]", ""),
            name,
            "DELTA 2",
            WireFormat.JSON);
    SimulatedAccount account = of.addAccount(CloudAccount.numbered(++number)).add(device);
    accounts.add(name, mode, account);
    devices.add(device);
    return account;
  }

  private static void push(int value, Iterable<SimulatedDevice> devices) {
    for (SimulatedDevice device : devices) {
      device.push(Map.of("pd.step", value));
      device.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"step\":%d}}".formatted(value));
    }
  }

  /** Devices push repeatedly, because a push before the subscription is lost. */
  private void showsEventually(int value, List<SimulatedDevice> devices) {
    eventually(
        () -> {
          push(value, devices);
          assertEquals(List.of(), otherThan(value, devices));
        });
  }

  /** No connection of a good account is lost, so that each push arrives. */
  private void showsEachValue(int first, int last) {
    for (int value = first; value <= last; value++) {
      int expected = value;
      push(expected, good);
      push(expected, bad);
      eventually(() -> assertEquals(List.of(), otherThan(expected, good)));
    }
  }

  /** The devices whose value on the page is another one or missing. */
  private List<String> otherThan(int value, List<SimulatedDevice> devices) {
    Map<String, Double> shown = shown();
    return devices.stream()
        .filter(device -> !Double.valueOf(value).equals(shown.get(device.serial())))
        .map(device -> device.name() + " shows " + shown.get(device.serial()))
        .toList();
  }

  private List<String> showing(List<SimulatedDevice> devices) {
    Map<String, Double> shown = shown();
    return devices.stream()
        .filter(device -> shown.containsKey(device.serial()))
        .map(SimulatedDevice::name)
        .toList();
  }

  private Map<String, Double> shown() {
    return page.series("pd_step").stream()
        .collect(Collectors.toMap(one -> one.labels().get("device"), Series::value));
  }
}
