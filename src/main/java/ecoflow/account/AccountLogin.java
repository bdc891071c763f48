package ecoflow.account;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.config.Settings.Credentials;
import ecoflow.device.Device;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongSupplier;

/**
 * The app account: what its login needs and what came of it. Source of the exchange: the traffic of
 * EcoFlow's app, POST /auth/login and GET /iot-auth/app/certification.
 */
public final class AccountLogin {

  private static final int TLS_MQTT_PORT = 8883;

  private record Session(String token, String userId) {}

  private final Credentials account;
  private final String clientIdSeed;
  private final Optional<String> clientId;
  private final Duration credentialsLife;
  private final LongSupplier nanoClock;
  private final ObjectMapper json = new ObjectMapper();
  private volatile Session session;
  private volatile MqttLink.Login login;
  private volatile long loginAt;

  /**
   * @param clientIdSeed what tells this exporter from others of the same account
   * @param clientId the MQTT client id that the user chose
   * @param credentialsLife the age at which a new login is due
   */
  public AccountLogin(
      Credentials account,
      String clientIdSeed,
      Optional<String> clientId,
      Duration credentialsLife,
      LongSupplier nanoClock) {
    this.account = account;
    this.clientIdSeed = clientIdSeed;
    this.clientId = clientId;
    this.credentialsLife = credentialsLife;
    this.nanoClock = nanoClock;
  }

  /**
   * Whether the next connection needs a login first. EcoFlow does not say how long credentials
   * live; brokers were seen to refuse some after less than two days.
   */
  public boolean isNeeded() {
    return login == null || nanoClock.getAsLong() - loginAt > credentialsLife.toNanos();
  }

  /** Makes the next connection log in anew: the broker refused what this login gave. */
  void forget() {
    login = null;
    session = null;
  }

  /** The JSON body of the login call. */
  String loginBody() {
    Map<String, String> body = new LinkedHashMap<>();
    body.put("email", account.id());
    body.put(
        "password",
        Base64.getEncoder().encodeToString(account.secret().getBytes(StandardCharsets.UTF_8)));
    body.put("scene", "IOT_APP");
    body.put("userType", "ECOFLOW");
    try {
      return json.writeValueAsString(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of texts is always JSON", e);
    }
  }

  /** The answer to the login; it may lack the user's {@code name}. */
  void acceptLogin(Object answer) throws CloudException {
    Map<?, ?> data = Answers.object(answer);
    if (!(data.get("user") instanceof Map<?, ?> user)) {
      throw new CloudException("0", "the login answer lacks user");
    }
    session =
        new Session(
            Answers.text(data, "token", "the login answer"),
            Answers.text(user, "userId", "the login answer"));
  }

  String bearer() {
    return "Bearer " + session().token();
  }

  String userId() {
    return session().userId();
  }

  /**
   * The answer to the certification call: {url, port, protocol, account, password} of the broker.
   */
  void acceptCertification(Object answer) throws CloudException {
    Map<?, ?> data = Answers.object(answer);
    String where = "the certification answer";
    login =
        new MqttLink.Login(
            host(Answers.text(data, "url", where)),
            port(data),
            Answers.text(data, "certificateAccount", where),
            Answers.text(data, "certificatePassword", where),
            userId(),
            clientId());
    loginAt = nanoClock.getAsLong();
  }

  Map<String, Device.Listing> acceptDevices(Object answer) throws CloudException {
    return Answers.accountDevices(answer);
  }

  MqttLink.Login login() {
    MqttLink.Login current = login;
    if (current == null) {
      throw new IllegalStateException("no login yet");
    }
    return current;
  }

  private Session session() {
    Session current = session;
    if (current == null) {
      throw new IllegalStateException("no login yet");
    }
    return current;
  }

  /** The url comes as a bare host or with a scheme, a port or a path around it. */
  static String host(String url) {
    String host = url.replaceFirst("^[A-Za-z][A-Za-z0-9+.-]*://", "").replaceFirst("/.*$", "");
    return host.replaceFirst(":[0-9]+$", "");
  }

  private static int port(Map<?, ?> data) throws CloudException {
    Object value = data.get("port");
    if (value == null || String.valueOf(value).isBlank()) {
      return TLS_MQTT_PORT;
    }
    try {
      return Integer.parseInt(String.valueOf(value).strip());
    } catch (NumberFormatException e) {
      throw new CloudException("0", "the certification answer has no valid port");
    }
  }

  /**
   * ANDROID_{UUID}_{userId}: the form that the broker asks for. EcoFlow allows about ten ids a day,
   * so one and the same configuration always has the same id, also after a restart.
   */
  private String clientId() {
    if (clientId.isPresent()) {
      return clientId.get();
    }
    byte[] seed =
        String.join("\n", List.of(account.id(), clientIdSeed)).getBytes(StandardCharsets.UTF_8);
    String uuid = UUID.nameUUIDFromBytes(seed).toString().toUpperCase(Locale.ROOT);
    return "ANDROID_" + uuid + "_" + userId();
  }
}
