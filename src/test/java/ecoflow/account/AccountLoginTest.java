package ecoflow.account;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.config.Settings.Credentials;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccountLoginTest {

  private static final Credentials ACCOUNT = new Credentials("owner@example.org", "secret");

  private final AtomicLong clock = new AtomicLong();
  private final AccountLogin login =
      new AccountLogin(ACCOUNT, "mqtt\nR331", Optional.empty(), Duration.ofHours(20), clock::get);

  private static Map<String, Object> success(Object data) {
    Map<String, Object> answer = new HashMap<>();
    answer.put("code", "0");
    answer.put("message", "Success");
    answer.put("data", data);
    return answer;
  }

  private static Map<String, Object> certification(Object port) {
    Map<String, Object> data = new HashMap<>();
    data.put("url", "mqtt.example.org");
    data.put("certificateAccount", "app-1");
    data.put("certificatePassword", "2");
    data.put("port", port);
    return success(data);
  }

  private void logIn() throws CloudException {
    login.acceptLogin(success(Map.of("token", "t", "user", Map.of("userId", "1612"))));
  }

  private MqttLink.Login logIn(Object port) throws CloudException {
    logIn();
    login.acceptCertification(certification(port));
    return login.login();
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
  void findsTheHostInTheUrl(String url, String host) {
    assertEquals(host, AccountLogin.host(url));
  }

  @Test
  void thePortIsATextOrANumberOrMissing() throws CloudException {
    assertEquals(18_883, logIn("18883").port());
    assertEquals(18_883, logIn(" 18883 ").port());
    assertEquals(18_883, logIn(18_883).port());
    assertEquals(8883, logIn(null).port());
    assertEquals(8883, logIn("").port());
  }

  @Test
  void aPortThatIsNoNumberIsRefused() throws CloudException {
    logIn();
    assertThrows(CloudException.class, () -> login.acceptCertification(certification("mqtts")));
    assertFalse(login.isNeeded(), "the token serves on");
    assertTrue(login.isCertificationNeeded());
  }

  @Test
  void theUserIdMayBeANumber() throws CloudException {
    login.acceptLogin(
        success(Map.of("token", "t", "user", Map.of("userId", 1_612_345_678_901_234_567L))));
    assertEquals("1612345678901234567", login.userId());
  }

  @ParameterizedTest
  @ValueSource(strings = {"url", "certificateAccount", "certificatePassword"})
  void anIncompleteCertificationIsRefused(String missing) throws CloudException {
    logIn();
    Map<String, Object> answer = certification("8883");
    ((Map<?, ?>) answer.get("data")).remove(missing);
    String message =
        assertThrows(CloudException.class, () -> login.acceptCertification(answer)).getMessage();
    assertTrue(message.contains(missing), message);
  }

  @Test
  void anIncompleteLoginIsRefused() {
    assertThrows(CloudException.class, () -> login.acceptLogin(success(null)));
    assertThrows(CloudException.class, () -> login.acceptLogin(success(Map.of("token", "t"))));
    assertThrows(
        CloudException.class,
        () -> login.acceptLogin(success(Map.of("user", Map.of("userId", "1")))));
    assertThrows(
        CloudException.class,
        () -> login.acceptLogin(success(Map.of("token", "t", "user", Map.of()))));
  }

  @Test
  void aLoginServesForItsLifeOrUntilItIsRefused() throws CloudException {
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
  void credentialsBelongToTheirLogin() throws CloudException {
    assertTrue(login.isCertificationNeeded());
    logIn("8883");
    assertFalse(login.isCertificationNeeded());
    assertTrue(login.isComplete());

    clock.addAndGet(Duration.ofHours(21).toNanos());
    assertFalse(login.isComplete());
    assertFalse(login.isCertificationNeeded(), "the login comes first");
    logIn();
    assertFalse(login.isNeeded());
    assertTrue(login.isCertificationNeeded());
    assertFalse(login.isComplete());
    assertEquals("mqtt.example.org", login.login().host(), "the old ones serve until then");
    login.acceptCertification(certification("8883"));
    assertTrue(login.isComplete());

    login.forget();
    assertTrue(login.isNeeded());
    assertTrue(login.isCertificationNeeded());
    assertThrows(IllegalStateException.class, login::login);
  }

  @Test
  void theListIsNeededOnce() throws CloudException {
    assertTrue(login.isListNeeded());
    assertThrows(CloudException.class, () -> login.acceptDevices(success(null)));
    assertTrue(login.isListNeeded());
    login.acceptDevices(success(Map.of("bound", Map.of())));
    assertFalse(login.isListNeeded(), "an account without devices has a list, too");
    login.forget();
    assertFalse(login.isListNeeded());
  }

  private static Exception http(int status) {
    return new HttpOperationFailedException("/", status, "", null, Map.of(), null);
  }

  @Test
  void aTokenThatIsRefusedIsNotTriedForEver() throws CloudException {
    logIn();
    Exception busy = new CloudException("1", "code 1 (busy)");
    Exception broken = new CloudException("0", "the answer holds no data");
    assertTrue(login.isTokenRefused(http(401)));
    for (Exception failure : List.of(http(403), http(404), http(500), busy, broken)) {
      assertFalse(login.isTokenRefused(failure), failure::toString);
    }

    clock.addAndGet(Duration.ofMinutes(10).toNanos());
    assertFalse(login.isTokenRefused(busy));
    clock.addAndGet(1);
    assertTrue(login.isTokenRefused(busy), "no list of EcoFlow's codes is known");
    assertTrue(login.isTokenRefused(http(403)));
    for (Exception failure :
        List.of(
            http(404),
            http(500),
            broken,
            new CloudException("", "the answer has no code"),
            new IOException("reset"))) {
      assertFalse(login.isTokenRefused(failure), failure::toString);
    }
  }

  @Test
  void theClientIdDependsOnTheAccountAndTheSettings() throws CloudException {
    String id = logIn("8883").clientId();
    assertTrue(id.matches("ANDROID_[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}_1612"), id);
    assertEquals(id, logIn("8883").clientId());
    for (AccountLogin other :
        new AccountLogin[] {
          new AccountLogin(
              ACCOUNT, "device\nR331", Optional.empty(), Duration.ofHours(20), clock::get),
          new AccountLogin(
              new Credentials("other@example.org", "secret"),
              "mqtt\nR331",
              Optional.empty(),
              Duration.ofHours(20),
              clock::get)
        }) {
      other.acceptLogin(success(Map.of("token", "t", "user", Map.of("userId", "1612"))));
      other.acceptCertification(certification("8883"));
      assertFalse(id.equals(other.login().clientId()));
    }
  }

  @Test
  void secretsStayOutOfTexts() throws CloudException {
    assertEquals("Login[mqtt.example.org:8883]", logIn("8883").toString());
    assertFalse(login.loginBody().contains("secret"), "base64 is what the app sends");
  }
}
