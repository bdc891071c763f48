package ecoflow.account;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.api.Api;
import ecoflow.api.CloudException;
import ecoflow.config.Settings;
import ecoflow.config.Settings.Credentials;
import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.device.Listing;
import ecoflow.meters.Meters;
import ecoflow.mqtt.BrokerLogin;
import ecoflow.text.Lines;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The app account, bean {@code accountLogin}: what its login needs and what came of it. Source of
 * the exchange: the traffic of EcoFlow's app, POST /auth/login and GET /iot-auth/app/certification.
 */
final class AccountLogin implements Login {

  private static final Logger LOG = LoggerFactory.getLogger(AccountLogin.class);
  private static final String PATH = "apiPath";
  private static final String NAME = "apiName";
  private static final Set<String> CALLS_OF_LOGIN = Set.of("login", "certification");
  private static final int TLS_MQTT_PORT = 8883;

  /** Between looks at the list for devices that have never sent a value. */
  private static final Duration CHECK_INTERVAL = Duration.ofMinutes(10);

  /** After a look that failed; it doubles up to {@link #CHECK_INTERVAL}. */
  private static final Duration CHECK_RETRY = Duration.ofSeconds(30);

  /** The timer of the looks can be early by so much, since it starts before a look does. */
  private static final Duration TIMER_JITTER = Duration.ofSeconds(5);

  /** During an outage EcoFlow answers that the account does not exist. */
  private static final int ANSWERS_BEFORE_THE_USER_IS_WRONG = 2;

  /** How long a token is sure to serve: then an answer that refuses a call can be about it. */
  private static final Duration SURE_LIFE = Duration.ofMinutes(10);

  private record Session(String token, String userId, long since) {}

  /** Credentials of the broker, and the login that they came with. */
  private record Certification(Session session, BrokerLogin login) {}

  private final Credentials account;
  private final String clientIdSeed;
  private final Optional<String> clientId;
  private final Duration credentialsLife;
  private final boolean discovers;
  private final Devices devices;
  private final Meters meters;
  private final LongSupplier nanoClock;
  private final ObjectMapper json = new ObjectMapper();
  private volatile Session session;
  private volatile Certification certification;
  private volatile boolean listed;

  /** What was logged of each device that the list lacks. */
  private final Map<String, String> absences = new ConcurrentHashMap<>();

  private volatile boolean checked;
  private volatile long checkedAt;
  private volatile Duration checkPause = CHECK_INTERVAL;
  private volatile String lastCheckFailure = "";
  private volatile int unknownAccounts;

  AccountLogin(Settings settings, Devices devices, Meters meters, LongSupplier nanoClock) {
    this.account = settings.credentials();
    // What tells this exporter from others of the same account.
    this.clientIdSeed =
        settings.mode().label() + "\n" + String.join(",", settings.devices().serials());
    this.clientId = settings.mqtt().clientId();
    this.credentialsLife = settings.mqtt().credentialsLife();
    this.discovers = settings.devices().areAllWanted();
    this.devices = devices;
    this.meters = meters;
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

  /**
   * Whether a wanted device has never sent a value, so that it may not be in the account, and the
   * last look at the list is not a recent one.
   */
  public boolean isCheckNeeded() {
    return session != null
        && (!checked
            || nanoClock.getAsLong() - checkedAt >= checkPause.minus(TIMER_JITTER).toNanos())
        && devices.ofCloud().stream().anyMatch(device -> device.lastUpdateMillis().isEmpty());
  }

  /** Route step: the list is asked for, to find devices that it lacks. */
  public void checking() {
    checkedAt = nanoClock.getAsLong();
    checked = true;
  }

  @Override
  public boolean isComplete() {
    return !isNeeded() && !isCertificationNeeded();
  }

  private Duration age(Session of) {
    return Duration.ofNanos(nanoClock.getAsLong() - of.since());
  }

  /**
   * Makes the next connection log in anew: the cloud or the broker refused what this login gave.
   */
  @Override
  public void forget() {
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

  /** For routes: the JSON body of the login call. */
  public String loginBody() {
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

  /** Route step: the answer to the login; it may lack the user's {@code name}. */
  public void acceptLogin(@Body Object answer) throws CloudException {
    String where = "the login answer";
    Map<?, ?> data = Api.object(answer);
    if (!(data.get("user") instanceof Map<?, ?> user)) {
      throw new CloudException("0", where + " lacks user");
    }
    unknownAccounts = 0;
    session =
        new Session(text(data, "token", where), text(user, "userId", where), nanoClock.getAsLong());
  }

  /** For routes, after a login. */
  public String token() {
    return session().token();
  }

  /** For routes, after a login. */
  public String userId() {
    return session().userId();
  }

  /**
   * Route step: the answer to the certification call, {url, port, protocol, account, password} of
   * the broker.
   */
  public void acceptCertification(Exchange exchange) throws CloudException {
    accept(exchange.getMessage().getBody());
    meters.authentication(true, age(exchange));
    LOG.info("Logged in to EcoFlow");
  }

  void accept(Object answer) throws CloudException {
    String where = "the certification answer";
    Map<?, ?> data = Api.object(answer);
    Session current = session();
    certification =
        new Certification(
            current,
            new BrokerLogin(
                host(text(data, "url", where)),
                port(data),
                text(data, "certificateAccount", where),
                text(data, "certificatePassword", where),
                current.userId(),
                clientId(current.userId()),
                credentialsLife));
  }

  private static Duration age(Exchange exchange) {
    return Duration.ofMillis(exchange.getClock().elapsed());
  }

  /**
   * Route step: the devices of the account; those that are wanted but not among them are logged.
   */
  public void acceptDevices(@Body Object answer) throws CloudException {
    Map<String, Listing> list = devices(answer);
    listed = true;
    checkPause = CHECK_INTERVAL;
    lastCheckFailure = "";
    List<String> added = devices.listed(list);
    if (!added.isEmpty()) {
      LOG.info("Devices of the account: {}", Lines.some(added));
    } else if (list.isEmpty() && discovers) {
      LOG.warn("The account has no devices yet");
    }
    devices.ofCloud().forEach(device -> logAbsence(device, list.containsKey(device.serial())));
  }

  /** A line when the list lacks the device, and again only when there is something else to say. */
  private void logAbsence(DeviceView device, boolean isListed) {
    String serial = device.serial();
    if (isListed) {
      if (absences.remove(serial) != null) {
        LOG.info("Device {} is in the device list of this account now", serial);
      }
    } else if (device.missing()
        && !device.absence().equals(absences.put(serial, device.absence()))) {
      LOG.warn("Device {} is {}", serial, device.absence());
    }
  }

  /**
   * The app's list: {bound: {SN: device}, share: {SN: device}}, where instead of one device a group
   * of them can stand.
   */
  static Map<String, Listing> devices(Object answer) throws CloudException {
    Map<?, ?> data = Api.object(answer);
    Map<String, Listing> list = new LinkedHashMap<>();
    for (String part : new String[] {"share", "bound"}) {
      if (data.get(part) instanceof Map<?, ?> devices) {
        devices.forEach((key, value) -> addDevice(list, key, value));
      }
    }
    return list;
  }

  private static void addDevice(Map<String, Listing> list, Object key, Object value) {
    if (value instanceof Collection<?> group) {
      group.forEach(member -> addDevice(list, null, member));
    } else if (value instanceof Map<?, ?> device) {
      String serial = Listing.serial(device.get("sn") == null ? key : device.get("sn"));
      if (!serial.isEmpty()) {
        list.put(serial, Listing.of(device));
      }
    }
  }

  /** For routes: where and as whom to connect. */
  public BrokerLogin brokerLogin() {
    Certification current = certification;
    if (current == null) {
      throw new IllegalStateException("no login yet");
    }
    BrokerLogin login = current.login();
    return new BrokerLogin(
        login.host(),
        login.port(),
        login.user(),
        login.password(),
        login.userId(),
        login.clientId(),
        credentialsLife.minus(age(current.session())));
  }

  /** Route step: a call or the connection failed; what was refused is forgotten. */
  public void failed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    String call = exchange.getProperty(NAME, "", String.class);
    if (CALLS_OF_LOGIN.contains(call)) {
      meters.authentication(false, age(exchange));
    }
    unknownAccounts = isAccountUnknown(failure) ? unknownAccounts + 1 : 0;
    if (isTokenRefused(failure) || isLoginRefused(failure)) {
      forget();
    }
  }

  private static boolean isAccountUnknown(Throwable failure) {
    return failure instanceof CloudException cloud && cloud.isAccountUnknown();
  }

  static boolean isLoginRefused(Throwable failure) {
    return failure instanceof MqttException mqtt
        && (mqtt.getReasonCode() == MqttException.REASON_CODE_FAILED_AUTHENTICATION
            || mqtt.getReasonCode() == MqttException.REASON_CODE_NOT_AUTHORIZED);
  }

  /** For routes: what failed and why. */
  public String failure(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    String call = exchange.getProperty(NAME, String.class);
    String path = exchange.getProperty(PATH, String.class);
    boolean isPerhapsOutage =
        isAccountUnknown(failure) && unknownAccounts <= ANSWERS_BEFORE_THE_USER_IS_WRONG;
    return (call == null ? "" : call + ": ")
        + (isPerhapsOutage
            ? failure.getMessage() + " on " + path + ", as during an outage of EcoFlow"
            : Lines.describe(failure, path));
  }

  /**
   * Route step: a list that only serves to name devices that are not in the account could not be
   * had.
   */
  public void checkFailed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    String line =
        "Cannot check the serial numbers of ECOFLOW_DEVICE_SN in the device list of the account: "
            + Lines.describe(failure, exchange.getProperty(PATH, String.class));
    checkPause = lastCheckFailure.isEmpty() ? CHECK_RETRY : Api.doubled(checkPause, CHECK_INTERVAL);
    String next = "; all of them are served, next check in " + Lines.seconds(checkPause) + " s";
    if (line.equals(lastCheckFailure)) {
      LOG.debug("{}{}", line, next);
    } else {
      lastCheckFailure = line;
      LOG.warn("{}{}", line, next);
    }
  }

  /** Route step: a later look for new devices failed. */
  public void devicesFailed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    LOG.warn(
        "Cannot look for new devices of the account: {}; the known ones are served",
        Lines.describe(failure, exchange.getProperty(PATH, String.class)));
    if (failure instanceof HttpOperationFailedException http && http.getStatusCode() == 401) {
      // The token has run out; the next login brings a new one.
      forget();
    }
  }

  static String text(Map<?, ?> map, String key, String where) throws CloudException {
    Object value = map.get(key);
    if (value == null || String.valueOf(value).isBlank()) {
      throw new CloudException("0", where + " lacks " + key);
    }
    return String.valueOf(value).strip();
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

  static int port(Map<?, ?> data) throws CloudException {
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
