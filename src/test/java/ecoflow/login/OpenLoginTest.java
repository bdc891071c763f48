package ecoflow.login;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.api.CloudException;
import ecoflow.config.ConfigException;
import ecoflow.meters.Meters;
import ecoflow.mqtt.BrokerLogin;
import ecoflow.testkit.OneAccount;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpenLoginTest {

  private OneAccount one;
  private Account account;
  private long nanos = Long.MAX_VALUE - 5;

  private OpenLogin login(String... more) throws ConfigException {
    Map<String, String> variables =
        new HashMap<>(
            Map.of(
                "ECOFLOW_ACCESS_KEY", "key",
                "ECOFLOW_SECRET_KEY", "secret",
                "ECOFLOW_API_TYPE", "open",
                "ECOFLOW_DEVICE_SN", "all"));
    for (int i = 0; i < more.length; i += 2) {
      variables.put(more[i], more[i + 1]);
    }
    one = OneAccount.of(variables);
    account = one.account();
    return new OpenLogin(
        new Meters(one.settings(), one.accounts(), "test"),
        new LoginFiles(Optional.empty(), account -> true, LoginFiles.writer(), () -> nanos),
        () -> nanos);
  }

  private static Map<String, Object> certification() {
    return new HashMap<>(
        Map.of(
            "certificateAccount", "open-0123",
            "certificatePassword", "pass",
            "url", "mqtt-e.ecoflow.com",
            "port", "8883",
            "protocol", "mqtts"));
  }

  private Exchange refusal(int code) {
    return one.failure(new MqttException(code));
  }

  @Test
  void brokerAccountIsUsedInTopics() throws Exception {
    OpenLogin login = login();
    assertTrue(login.isCertificationNeeded(account));
    login.acceptCertification(one.exchange(certification()));
    BrokerLogin broker = login.brokerLogin(account);
    assertEquals("mqtt-e.ecoflow.com", broker.host());
    assertEquals(8883, broker.port());
    assertEquals("open-0123", broker.user());
    assertEquals("pass", broker.password());
    assertEquals("open-0123", broker.userId());
    assertTrue(login.isComplete(account));
  }

  @Test
  void clientIdStaysTheSameAfterRestart() throws Exception {
    assertEquals(clientId(login()), clientId(login()));
    assertNotEquals(clientId(login()), clientId(login("ECOFLOW_DEVICE_SN", "R351A")));
    assertNotEquals(clientId(login()), clientId(login("ECOFLOW_ACCESS_KEY", "other")));
    assertEquals("mine", clientId(login("ECOFLOW_MQTT_CLIENT_ID", "mine")));
    assertFalse(clientId(login()).contains("key"));
  }

  private String clientId(OpenLogin login) throws CloudException {
    login.acceptCertification(one.exchange(certification()));
    return login.brokerLogin(account).clientId();
  }

  @ParameterizedTest
  @ValueSource(strings = {"certificateAccount", "certificatePassword", "url"})
  void missingPartIsReported(String part) throws Exception {
    Map<String, Object> answer = certification();
    answer.remove(part);
    CloudException failure =
        assertThrows(CloudException.class, () -> login().acceptCertification(one.exchange(answer)));
    assertTrue(failure.getMessage().endsWith("lacks " + part), failure.getMessage());
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5})
  void refusedNewCredentialsAreReportedWithPossibleCauses(int code) throws Exception {
    OpenLogin login = login();
    login.acceptCertification(one.exchange(certification()));
    nanos += TimeUnit.MINUTES.toNanos(5);
    Exchange first = refusal(code);
    login.failed(first);
    assertTrue(login.isCertificationNeeded(account), "they may have been replaced");
    assertFalse(login.isRefused(account));
    assertFalse(login.failure(first).contains("client IDs"));

    login.acceptCertification(one.exchange(certification()));
    Exchange second = refusal(code);
    login.failed(second);
    assertTrue(login.isRefused(account));
    assertTrue(login.isCertificationNeeded(account));
    String line = login.failure(second);
    assertTrue(
        line.contains("daily limit of client IDs")
            && line.contains("another session")
            && line.contains("credentials have changed"),
        line);
  }

  @Test
  void otherFailuresKeepCredentials() throws Exception {
    OpenLogin login = login();
    login.acceptCertification(one.exchange(certification()));
    login.failed(refusal(MqttException.REASON_CODE_CONNECTION_LOST));
    assertFalse(login.isRefused(account));
    assertFalse(login.isCertificationNeeded(account));
  }
}
