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
import org.apache.camel.http.base.HttpOperationFailedException;

/**
 * The app account: what its login needs and what came of it. Source of the exchange: the traffic of
 * EcoFlow's app, POST /auth/login and GET /iot-auth/app/certification.
 */
public final class AccountLogin {

  private static final int TLS_MQTT_PORT = 8883;

  /** How long a token is sure to serve: then an answer that refuses a call can be about it. */
  private static final Duration SURE_LIFE = Duration.ofMinutes(10);

  private record Session(String token, String userId, long since) {}

  /** Credentials of the broker, and the login that they came with. */
  private record Certification(Session session, MqttLink.Login login) {}

  private final Credentials account;
  private final String clientIdSeed;
  private final Optional<String> clientId;
  private final Duration credentialsLife;
  private final LongSupplier nanoClock;
  private final ObjectMapper json = new ObjectMapper();
  private volatile Session session;
  private volatile Certification certification;
  private volatile boolean listed;

  /**
   * @param clientIdSeed what tells this exporter from others of the same account
   * @param clientId the MQTT client id that the user chose
   * @param credentialsLife the age of a login at which a new one is due
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
    Session current = session;
    return current == null || age(current).compareTo(credentialsLife) > 0;
  }

  /** Whether the broker's credentials are still to come, or belong to a login before this one. */
  public boolean isCertificationNeeded() {
    Certification current = certification;
    return current == null || !current.session().equals(session);
  }

  /** Whether no list of the account's devices was ever had. */
  public boolean isListNeeded() {
    return !listed;
  }

  /** Whether a connection needs no call before it. */
  public boolean isComplete() {
    return !isNeeded() && !isCertificationNeeded();
  }

  private Duration age(Session of) {
    return Duration.ofNanos(nanoClock.getAsLong() - of.since());
  }

  /**
   * Makes the next connection log in anew: the cloud or the broker refused what this login gave.
   */
  void forget() {
    certification = null;
    session = null;
  }

  /**
   * Whether a failed call says that the token serves no more: HTTP 401, and for an older token any
   * refusal, since EcoFlow does not say which codes mean this.
   */
  boolean isTokenRefused(Throwable failure) {
    boolean refused;
    if (failure instanceof HttpOperationFailedException http) {
      if (http.getStatusCode() == 401) {
        return true;
      }
      refused = http.getStatusCode() == 403;
    } else {
      // Without a code, or with code 0, the answer is broken.
      refused =
          failure instanceof CloudException cloud
              && !cloud.code().isEmpty()
              && !cloud.code().equals("0");
    }
    Session current = session;
    return refused && current != null && age(current).compareTo(SURE_LIFE) > 0;
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
            Answers.text(user, "userId", "the login answer"),
            nanoClock.getAsLong());
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
    Session current = session();
    certification =
        new Certification(
            current,
            new MqttLink.Login(
                host(Answers.text(data, "url", where)),
                port(data),
                Answers.text(data, "certificateAccount", where),
                Answers.text(data, "certificatePassword", where),
                current.userId(),
                clientId(current.userId())));
  }

  Map<String, Device.Listing> acceptDevices(Object answer) throws CloudException {
    Map<String, Device.Listing> list = Answers.accountDevices(answer);
    listed = true;
    return list;
  }

  MqttLink.Login login() {
    Certification current = certification;
    if (current == null) {
      throw new IllegalStateException("no login yet");
    }
    return current.login();
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
  private String clientId(String userId) {
    if (clientId.isPresent()) {
      return clientId.get();
    }
    byte[] seed =
        String.join("\n", List.of(account.id(), clientIdSeed)).getBytes(StandardCharsets.UTF_8);
    String uuid = UUID.nameUUIDFromBytes(seed).toString().toUpperCase(Locale.ROOT);
    return "ANDROID_" + uuid + "_" + userId;
  }
}
