package ecoflow.login;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.api.CloudException;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.mqtt.BrokerLogin;
import ecoflow.testkit.OneAccount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccountLoginTest {

  private static final String UUID_OF_R331 = "355042A0-F568-3337-9154-F1C2CDC4CC1E";

  private final AtomicLong clock = new AtomicLong();
  private String serial = "R331";
  private OneAccount one;
  private Account account;
  private Devices devices;
  private Optional<Path> stateDir = Optional.empty();
  private final ExecutorService writer = LoginFiles.writer();
  private final AccountLogin login = login("owner@example.org", "mqtt");

  private AccountLogin login(String user, String mode) {
    try {
      Settings settings =
          Settings.from(
              Map.of(
                  "ECOFLOW_ACCOUNT_USER", user,
                  "ECOFLOW_ACCOUNT_PASSWORD", "secret",
                  "ECOFLOW_API_TYPE", mode,
                  "ECOFLOW_DEVICE_SN", serial));
      one = OneAccount.of(settings);
      account = one.account();
      devices = new Devices(settings, one.accounts(), line -> {}, clock::get);
      LoginFiles files = new LoginFiles(stateDir, one.accounts()::isServed, writer, clock::get);
      Meters meters = new Meters(settings, one.accounts(), "test");
      return new AccountLogin(devices, meters, files, clock::get);
    } catch (ConfigException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Map<String, Object> certification(Object port) {
    Map<String, Object> data = new HashMap<>();
    data.put("url", "mqtt.example.org");
    data.put("certificateAccount", "app-1");
    data.put("certificatePassword", "2");
    data.put("port", port);
    return data;
  }

  private void logIn() throws CloudException {
    login.acceptLogin(Map.of("token", "t", "user", Map.of("userId", "1612")), account);
  }

  private BrokerLogin logIn(Object port) throws CloudException {
    logIn();
    login.accept(account, certification(port));
    return login.brokerLogin(account);
  }

  @ParameterizedTest
  @CsvSource({
    "mqtt.ecoflow.com,mqtt.ecoflow.com",
    "mqtts://mqtt-e.ecoflow.com,mqtt-e.ecoflow.com",
    "SSL://mqtt.ecoflow.com:8883,mqtt.ecoflow.com",
    "mqtt.ecoflow.com:8883,mqtt.ecoflow.com",
    "wss://mqtt.ecoflow.com:8084/mqtt,mqtt.ecoflow.com",
    "mqtt.ecoflow.com/mqtt,mqtt.ecoflow.com",
    "https://mqtt.ecoflow.com/,mqtt.ecoflow.com",
    "127.0.0.1:1,127.0.0.1"
  })
  void findsHostInUrl(String url, String host) {
    assertEquals(host, AccountLogin.host(url));
  }

  @Test
  void portCanBeStringOrNumberOrMissing() throws CloudException {
    assertEquals(18_883, logIn("18883").port());
    assertEquals(18_883, logIn(" 18883 ").port());
    assertEquals(18_883, logIn(18_883).port());
    assertEquals(8883, logIn(null).port());
    assertEquals(8883, logIn("").port());
  }

  /** The caller can be an event loop. */
  @Test
  void changesOfFilesDoNotDelayTheCaller(@TempDir Path directory) throws Exception {
    stateDir = Optional.of(directory);
    AccountLogin stored = login("owner@example.org", "mqtt");
    CountDownLatch slow = new CountDownLatch(1);
    writer.execute(() -> assertDoesNotThrow(() -> slow.await()));
    stored.acceptLogin(Map.of("token", "t", "user", Map.of("userId", "1612")), account);
    stored.accept(account, certification(8883));
    Path file = directory.resolve("login.json");
    assertFalse(Files.exists(file));
    slow.countDown();
    eventually(() -> assertTrue(Files.exists(file)));

    CountDownLatch slowAgain = new CountDownLatch(1);
    writer.execute(() -> assertDoesNotThrow(() -> slowAgain.await()));
    stored.forget(account);
    assertTrue(Files.exists(file));
    slowAgain.countDown();
    eventually(() -> assertFalse(Files.exists(file)));
  }

  @Test
  void invalidPortIsRejected() throws CloudException {
    logIn();
    assertThrows(CloudException.class, () -> login.accept(account, certification("mqtts")));
    assertFalse(login.isNeeded(account), "the token remains valid");
    assertTrue(login.isCertificationNeeded(account));
  }

  @Test
  void userIdCanBeNumber() throws CloudException {
    login.acceptLogin(
        Map.of("token", "t", "user", Map.of("userId", 1_612_345_678_901_234_567L)), account);
    assertEquals("1612345678901234567", login.userId(account));
  }

  @ParameterizedTest
  @ValueSource(strings = {"url", "certificateAccount", "certificatePassword"})
  void incompleteCertificationIsRejected(String missing) throws CloudException {
    logIn();
    Map<String, Object> answer = certification("8883");
    answer.remove(missing);
    String message =
        assertThrows(CloudException.class, () -> login.accept(account, answer)).getMessage();
    assertTrue(message.contains(missing), message);
  }

  @Test
  void incompleteLoginIsRejected() {
    assertThrows(CloudException.class, () -> login.acceptLogin(null, account));
    assertThrows(CloudException.class, () -> login.acceptLogin(Map.of("token", "t"), account));
    assertThrows(
        CloudException.class,
        () -> login.acceptLogin(Map.of("user", Map.of("userId", "1")), account));
    assertThrows(
        CloudException.class,
        () -> login.acceptLogin(Map.of("token", "t", "user", Map.of()), account));
  }

  @Test
  void loginIsValidUntilItExpiresOrIsRefused() throws CloudException {
    assertTrue(login.isNeeded(account));
    logIn("8883");
    assertFalse(login.isNeeded(account));
    clock.addAndGet(Duration.ofHours(20).toNanos());
    assertFalse(login.isNeeded(account));
    clock.addAndGet(1);
    assertTrue(login.isNeeded(account));
    logIn("8883");
    assertFalse(login.isNeeded(account));
    login.forget(account);
    assertTrue(login.isNeeded(account));
  }

  @Test
  void deviceListIsCheckedUntilEachDeviceHasSentData() throws CloudException {
    assertFalse(login.isCheckNeeded(account), "no token yet");
    logIn();
    assertTrue(login.isCheckNeeded(account));
    login.checkStarted(account);
    assertFalse(login.isCheckNeeded(account));
    clock.addAndGet(Duration.ofMinutes(9).toNanos());
    assertFalse(login.isCheckNeeded(account));
    clock.addAndGet(Duration.ofMinutes(1).toNanos());
    assertTrue(login.isCheckNeeded(account));
    devices.dataArrived("R331");
    assertFalse(login.isCheckNeeded(account));
    clock.addAndGet(Duration.ofHours(1).toNanos());
    assertFalse(login.isCheckNeeded(account), "it is in the account");
  }

  private void fail(int seconds) {
    login.checkStarted(account);
    login.checkFailed(one.failure(new CloudException("1", "busy")));
    clock.addAndGet(Duration.ofSeconds(seconds - 6).toNanos());
    assertFalse(login.isCheckNeeded(account));
    clock.addAndGet(Duration.ofSeconds(6).toNanos());
    assertTrue(login.isCheckNeeded(account));
  }

  @Test
  void failedChecksAreRepeatedWithGrowingPauses() throws CloudException {
    logIn();
    for (int seconds : new int[] {30, 60, 120, 240, 480, 600, 600}) {
      fail(seconds);
    }
    login.checkStarted(account);
    login.acceptDevices(Map.of("bound", Map.of()), account);
    clock.addAndGet(Duration.ofMinutes(9).toNanos());
    assertFalse(login.isCheckNeeded(account));
    fail(30);
  }

  private String failure(Exception failure) {
    Exchange exchange = one.failure(failure);
    exchange.setProperty("apiName", "login");
    exchange.setProperty("apiPath", "/auth/login");
    login.failed(exchange);
    return login.failure(exchange);
  }

  @Test
  void unknownAccountIsReportedAsPossibleOutageTwice() throws CloudException {
    Exception unknown = new CloudException("2026", "code 2026 (The account doesn't exist)");
    Exception password =
        new CloudException(
            "2026", "code 2026 (The account does not exist or the password is wrong)");
    String wrong = "login: code 2026 (The account doesn't exist) on /auth/login";
    String outage = wrong + ", which can be caused by an outage of EcoFlow";
    assertEquals(outage, failure(unknown));
    assertEquals(outage, failure(unknown));
    assertEquals(wrong, failure(unknown));
    assertEquals(wrong, failure(unknown));
    logIn();
    assertEquals(outage, failure(unknown));
    assertEquals("login: HTTP 503 on /auth/login", failure(http(503)));
    assertEquals(outage, failure(unknown));
    assertEquals(outage, failure(unknown));
    assertEquals(
        "login: code 2026 (The account does not exist or the password is wrong) on /auth/login",
        failure(password));
  }

  @Test
  void credentialsAreRequestedAfterEachLogin() throws CloudException {
    assertTrue(login.isCertificationNeeded(account));
    logIn("8883");
    assertFalse(login.isCertificationNeeded(account));
    assertTrue(login.isComplete(account));

    clock.addAndGet(Duration.ofHours(21).toNanos());
    assertFalse(login.isComplete(account));
    assertFalse(login.isCertificationNeeded(account), "a login is needed first");
    logIn();
    assertFalse(login.isNeeded(account));
    assertTrue(login.isCertificationNeeded(account));
    assertFalse(login.isComplete(account));
    assertEquals(
        "mqtt.example.org",
        login.brokerLogin(account).host(),
        "the old credentials are valid until then");
    login.accept(account, certification("8883"));
    assertTrue(login.isComplete(account));

    login.forget(account);
    assertTrue(login.isNeeded(account));
    assertTrue(login.isCertificationNeeded(account));
    assertThrows(IllegalStateException.class, () -> login.brokerLogin(account));
  }

  @Test
  void deviceListIsRequestedOnceIfAllDevicesAreExported() throws CloudException {
    assertFalse(login.isListNeeded(account));
    serial = "all";
    AccountLogin ofAll = login("owner@example.org", "mqtt");
    assertTrue(ofAll.isListNeeded(account));
    ofAll.acceptLogin(response("1"), account);
    assertTrue(ofAll.isListNeeded(account));
    assertThrows(CloudException.class, () -> ofAll.acceptDevices(null, account));
    assertTrue(ofAll.isListNeeded(account));
    ofAll.acceptDevices(Map.of("bound", Map.of()), account);
    assertFalse(ofAll.isListNeeded(account), "an empty list is valid");
    ofAll.forget(account);
    assertFalse(ofAll.isListNeeded(account));
    ofAll.acceptLogin(response("1"), account);
    assertFalse(ofAll.isListNeeded(account));
    ofAll.acceptLogin(response("2"), account);
    assertTrue(ofAll.isListNeeded(account), "another user has other devices");
  }

  private static Map<String, ?> response(String userId) {
    return Map.of("token", "t", "user", Map.of("userId", userId));
  }

  private static Exception http(int status) {
    return new HttpOperationFailedException("/", status, "", null, Map.of(), null);
  }

  @Test
  void refusedTokenIsDiscarded() throws CloudException {
    logIn();
    Exception busy = new CloudException("1", "code 1 (busy)");
    Exception broken = new CloudException("0", "the response has no data");
    assertTrue(login.isTokenRefused(account, http(401)));
    for (Exception failure : List.of(http(403), http(404), http(500), busy, broken)) {
      assertFalse(login.isTokenRefused(account, failure), failure::toString);
    }

    clock.addAndGet(Duration.ofMinutes(10).toNanos());
    assertFalse(login.isTokenRefused(account, busy));
    clock.addAndGet(1);
    assertTrue(
        login.isTokenRefused(account, busy),
        "any code, because EcoFlow does not document its codes");
    assertTrue(login.isTokenRefused(account, http(403)));
    for (Exception failure :
        List.of(
            http(404),
            http(500),
            broken,
            new CloudException("", "the response has no code"),
            new IOException("reset"))) {
      assertFalse(login.isTokenRefused(account, failure), failure::toString);
    }
  }

  @Test
  void clientIdDependsOnAccountAndSettings() throws CloudException {
    String id = logIn("8883").clientId();
    assertTrue(id.matches("ANDROID_[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}_1612"), id);
    assertEquals(id, logIn("8883").clientId());
    for (String mode : List.of("device", "mqtt")) {
      String user = mode.equals("device") ? "owner@example.org" : "other@example.org";
      AccountLogin other = login(user, mode);
      other.acceptLogin(Map.of("token", "t", "user", Map.of("userId", "1612")), account);
      other.accept(account, certification("8883"));
      assertFalse(id.equals(other.brokerLogin(account).clientId()));
    }
  }

  @Test
  void clientIdDoesNotDependOnCaseOfSerialNumbers() throws CloudException {
    String id = logIn("8883").clientId();
    serial = "r331";
    AccountLogin lower = login("owner@example.org", "mqtt");
    lower.acceptLogin(Map.of("token", "t", "user", Map.of("userId", "1612")), account);
    lower.accept(account, certification("8883"));
    assertEquals(id, lower.brokerLogin(account).clientId());
    // A changed id would use up one of the few ids per day at each update.
    assertEquals("ANDROID_" + UUID_OF_R331 + "_1612", id);
  }

  @Test
  void secretsAreNotPrinted() throws CloudException {
    assertEquals("BrokerLogin[mqtt.example.org:8883]", logIn("8883").toString());
    assertFalse(login.loginBody(account).contains("secret"), "the app sends base64");
  }
}
