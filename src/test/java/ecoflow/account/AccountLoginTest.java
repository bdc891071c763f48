package ecoflow.account;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.api.CloudException;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.mqtt.BrokerLogin;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccountLoginTest {

  private static final String UUID_OF_R331 = "355042A0-F568-3337-9154-F1C2CDC4CC1E";

  private final AtomicLong clock = new AtomicLong();
  private String serial = "R331";
  private Devices devices;
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
      devices = new Devices(settings, line -> {}, clock::get);
      return new AccountLogin(settings, devices, new Meters(settings, "test"), clock::get);
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
    login.acceptLogin(Map.of("token", "t", "user", Map.of("userId", "1612")));
  }

  private BrokerLogin logIn(Object port) throws CloudException {
    logIn();
    login.accept(certification(port));
    return login.brokerLogin();
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

  @Test
  void invalidPortIsRejected() throws CloudException {
    logIn();
    assertThrows(CloudException.class, () -> login.accept(certification("mqtts")));
    assertFalse(login.isNeeded(), "the token remains valid");
    assertTrue(login.isCertificationNeeded());
  }

  @Test
  void userIdCanBeNumber() throws CloudException {
    login.acceptLogin(Map.of("token", "t", "user", Map.of("userId", 1_612_345_678_901_234_567L)));
    assertEquals("1612345678901234567", login.userId());
  }

  @ParameterizedTest
  @ValueSource(strings = {"url", "certificateAccount", "certificatePassword"})
  void incompleteCertificationIsRejected(String missing) throws CloudException {
    logIn();
    Map<String, Object> answer = certification("8883");
    answer.remove(missing);
    String message = assertThrows(CloudException.class, () -> login.accept(answer)).getMessage();
    assertTrue(message.contains(missing), message);
  }

  @Test
  void incompleteLoginIsRejected() {
    assertThrows(CloudException.class, () -> login.acceptLogin(null));
    assertThrows(CloudException.class, () -> login.acceptLogin(Map.of("token", "t")));
    assertThrows(
        CloudException.class, () -> login.acceptLogin(Map.of("user", Map.of("userId", "1"))));
    assertThrows(
        CloudException.class, () -> login.acceptLogin(Map.of("token", "t", "user", Map.of())));
  }

  @Test
  void loginIsValidUntilItExpiresOrIsRefused() throws CloudException {
    assertTrue(login.isNeeded());
    logIn("8883");
    assertFalse(login.isNeeded());
    clock.addAndGet(Duration.ofHours(20).toNanos());
    assertFalse(login.isNeeded());
    clock.addAndGet(1);
    assertTrue(login.isNeeded());
    logIn("8883");
    assertFalse(login.isNeeded());
    login.forget();
    assertTrue(login.isNeeded());
  }

  @Test
  void deviceListIsCheckedUntilEachDeviceHasSentData() throws CloudException {
    assertFalse(login.isCheckNeeded(), "no token yet");
    logIn();
    assertTrue(login.isCheckNeeded());
    login.checkStarted();
    assertFalse(login.isCheckNeeded());
    clock.addAndGet(Duration.ofMinutes(9).toNanos());
    assertFalse(login.isCheckNeeded());
    clock.addAndGet(Duration.ofMinutes(1).toNanos());
    assertTrue(login.isCheckNeeded());
    devices.dataArrived("R331");
    assertFalse(login.isCheckNeeded());
    clock.addAndGet(Duration.ofHours(1).toNanos());
    assertFalse(login.isCheckNeeded(), "it is in the account");
  }

  private void fail(int seconds) {
    login.checkStarted();
    login.checkFailed(exchange(new CloudException("1", "busy")));
    clock.addAndGet(Duration.ofSeconds(seconds - 6).toNanos());
    assertFalse(login.isCheckNeeded());
    clock.addAndGet(Duration.ofSeconds(6).toNanos());
    assertTrue(login.isCheckNeeded());
  }

  @Test
  void failedChecksAreRepeatedWithGrowingPauses() throws CloudException {
    logIn();
    for (int seconds : new int[] {30, 60, 120, 240, 480, 600, 600}) {
      fail(seconds);
    }
    login.checkStarted();
    login.acceptDevices(Map.of("bound", Map.of()));
    clock.addAndGet(Duration.ofMinutes(9).toNanos());
    assertFalse(login.isCheckNeeded());
    fail(30);
  }

  private static Exchange exchange(Exception failure) {
    Exchange exchange = new DefaultExchange(new DefaultCamelContext());
    exchange.setProperty(Exchange.EXCEPTION_CAUGHT, failure);
    return exchange;
  }

  private String failure(Exception failure) {
    Exchange exchange = new DefaultExchange(new DefaultCamelContext());
    exchange.setProperty(Exchange.EXCEPTION_CAUGHT, failure);
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
    assertTrue(login.isCertificationNeeded());
    logIn("8883");
    assertFalse(login.isCertificationNeeded());
    assertTrue(login.isComplete());

    clock.addAndGet(Duration.ofHours(21).toNanos());
    assertFalse(login.isComplete());
    assertFalse(login.isCertificationNeeded(), "a login is needed first");
    logIn();
    assertFalse(login.isNeeded());
    assertTrue(login.isCertificationNeeded());
    assertFalse(login.isComplete());
    assertEquals(
        "mqtt.example.org", login.brokerLogin().host(), "the old credentials are valid until then");
    login.accept(certification("8883"));
    assertTrue(login.isComplete());

    login.forget();
    assertTrue(login.isNeeded());
    assertTrue(login.isCertificationNeeded());
    assertThrows(IllegalStateException.class, login::brokerLogin);
  }

  @Test
  void deviceListIsRequestedOnceIfAllDevicesAreExported() throws CloudException {
    assertFalse(login.isListNeeded());
    serial = "all";
    AccountLogin ofAll = login("owner@example.org", "mqtt");
    assertTrue(ofAll.isListNeeded());
    assertThrows(CloudException.class, () -> ofAll.acceptDevices(null));
    assertTrue(ofAll.isListNeeded());
    ofAll.acceptDevices(Map.of("bound", Map.of()));
    assertFalse(ofAll.isListNeeded(), "an empty list is valid");
    ofAll.forget();
    assertFalse(ofAll.isListNeeded());
  }

  private static Exception http(int status) {
    return new HttpOperationFailedException("/", status, "", null, Map.of(), null);
  }

  @Test
  void refusedTokenIsDiscarded() throws CloudException {
    logIn();
    Exception busy = new CloudException("1", "code 1 (busy)");
    Exception broken = new CloudException("0", "the response has no data");
    assertTrue(login.isTokenRefused(http(401)));
    for (Exception failure : List.of(http(403), http(404), http(500), busy, broken)) {
      assertFalse(login.isTokenRefused(failure), failure::toString);
    }

    clock.addAndGet(Duration.ofMinutes(10).toNanos());
    assertFalse(login.isTokenRefused(busy));
    clock.addAndGet(1);
    assertTrue(login.isTokenRefused(busy), "any code, because EcoFlow does not document its codes");
    assertTrue(login.isTokenRefused(http(403)));
    for (Exception failure :
        List.of(
            http(404),
            http(500),
            broken,
            new CloudException("", "the response has no code"),
            new IOException("reset"))) {
      assertFalse(login.isTokenRefused(failure), failure::toString);
    }
  }

  @Test
  void clientIdDependsOnAccountAndSettings() throws CloudException {
    String id = logIn("8883").clientId();
    assertTrue(id.matches("ANDROID_[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}_1612"), id);
    assertEquals(id, logIn("8883").clientId());
    for (AccountLogin other :
        List.of(login("owner@example.org", "device"), login("other@example.org", "mqtt"))) {
      other.acceptLogin(Map.of("token", "t", "user", Map.of("userId", "1612")));
      other.accept(certification("8883"));
      assertFalse(id.equals(other.brokerLogin().clientId()));
    }
  }

  @Test
  void clientIdDoesNotDependOnCaseOfSerialNumbers() throws CloudException {
    serial = "r331";
    AccountLogin lower = login("owner@example.org", "mqtt");
    lower.acceptLogin(Map.of("token", "t", "user", Map.of("userId", "1612")));
    lower.accept(certification("8883"));
    String id = logIn("8883").clientId();
    assertEquals(id, lower.brokerLogin().clientId());
    // A changed id would use up one of the few ids per day at each update.
    assertEquals("ANDROID_" + UUID_OF_R331 + "_1612", id);
  }

  @Test
  void secretsAreNotPrinted() throws CloudException {
    assertEquals("BrokerLogin[mqtt.example.org:8883]", logIn("8883").toString());
    assertFalse(login.loginBody().contains("secret"), "the app sends base64");
  }
}
