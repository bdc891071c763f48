package ecoflow.login;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.account.Account;
import ecoflow.account.PerAccount;
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
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logins of app accounts, bean {@code accountLogin}. Source: traffic of EcoFlow's app, POST
 * /auth/login and GET /iot-auth/app/certification.
 */
final class AccountLogin implements Login {

  private static final Logger LOG = LoggerFactory.getLogger(AccountLogin.class);
  private static final String PATH = "apiPath";
  private static final String NAME = "apiName";
  private static final Set<String> LOGIN_CALLS = Set.of("login", "certification");
  private static final int TLS_MQTT_PORT = 8883;
  private static final int MAX_PORT = 65535;

  /** Interval between checks of the device list while a device has not sent a value yet. */
  private static final Duration CHECK_INTERVAL = Duration.ofMinutes(10);

  /** Pause after a failed check; doubles with each failure up to {@link #CHECK_INTERVAL}. */
  private static final Duration CHECK_RETRY = Duration.ofSeconds(30);

  /** The timer fires slightly before {@link #checkStarted} records the time. */
  private static final Duration TIMER_JITTER = Duration.ofSeconds(5);

  /**
   * Number of consecutive responses "account does not exist" that are reported as a possible outage
   * of EcoFlow.
   */
  private static final int MAX_OUTAGE_RESPONSES = 2;

  /** Minimum lifetime of a token. If a call is refused later, the token may have expired. */
  private static final Duration MIN_TOKEN_LIFE = Duration.ofMinutes(10);

  private record Session(String token, String userId, long since) {}

  /**
   * Credentials of the broker, and the login session to which they belong.
   *
   * @param login without a client ID and a lifetime, which depend on the current settings
   */
  private record Certification(Session session, BrokerLogin login) {}

  private static final class State {

    private volatile Session session;
    private volatile Certification certification;

    /** The user whose devices were requested in order to serve all of them; empty before that. */
    private volatile String listedUser = "";

    /** The last log message about each device that is not in the list. */
    private final Map<String, String> absences = new ConcurrentHashMap<>();

    private volatile boolean hasChecked;
    private volatile long lastCheckAt;
    private volatile Duration checkPause = CHECK_INTERVAL;
    private volatile String lastCheckFailure = "";
    private volatile int unknownAccountResponses;
  }

  private final PerAccount<State> states = new PerAccount<>(this::state);
  private final LoginFiles files;
  private final Devices devices;
  private final Meters meters;
  private final LongSupplier nanoClock;
  private final ObjectMapper json = new ObjectMapper();

  AccountLogin(Devices devices, Meters meters, LoginFiles files, LongSupplier nanoClock) {
    this.files = files;
    this.devices = devices;
    this.meters = meters;
    this.nanoClock = nanoClock;
  }

  private State state(Account account) {
    State state = new State();
    files
        .load(account)
        .ifPresent(
            saved -> {
              long since = nanoClock.getAsLong() - saved.age().toNanos();
              state.session = new Session(saved.token(), saved.broker().userId(), since);
              state.certification = new Certification(state.session, saved.broker());
            });
    return state;
  }

  /**
   * Whether the next connection requires a login. EcoFlow does not document the lifetime of
   * credentials; the broker has refused some after less than two days.
   */
  public boolean isNeeded(@Variable(Account.VARIABLE) Account account) {
    Session current = states.of(account).session;
    return current == null || age(current).compareTo(credentialsLife(account)) > 0;
  }

  private static Duration credentialsLife(Account account) {
    return account.settings().mqtt().credentialsLife();
  }

  /** Whether the broker credentials are missing or belong to an earlier login. */
  public boolean isCertificationNeeded(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    Certification current = state.certification;
    return current == null || !current.session().equals(state.session);
  }

  /** Whether all devices are exported, but the device list has not been received yet. */
  public boolean isListNeeded(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    Session current = state.session;
    String user = current == null ? state.listedUser : current.userId();
    return needsSearch(account) && (user.isEmpty() || !user.equals(state.listedUser));
  }

  /** Whether all devices are exported, so that new ones must be found. */
  public boolean needsSearch(@Variable(Account.VARIABLE) Account account) {
    return account.settings().devices().areAllServed();
  }

  /**
   * Whether the device list has to be checked: a configured device has never sent a value, so it is
   * perhaps not in the account, and the last check is not recent.
   */
  public boolean isCheckNeeded(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    return !needsSearch(account)
        && state.session != null
        && (!state.hasChecked
            || nanoClock.getAsLong() - state.lastCheckAt
                >= state.checkPause.minus(TIMER_JITTER).toNanos())
        && devices.all(account).stream().anyMatch(device -> device.lastUpdateMillis().isEmpty());
  }

  /** Route step: records the start of a check of the device list. */
  public void checkStarted(@Variable(Account.VARIABLE) Account account) {
    State state = states.of(account);
    state.lastCheckAt = nanoClock.getAsLong();
    state.hasChecked = true;
  }

  @Override
  public boolean isComplete(Account account) {
    return !isNeeded(account) && !isCertificationNeeded(account);
  }

  private Duration age(Session session) {
    return Duration.ofNanos(nanoClock.getAsLong() - session.since());
  }

  @Override
  public void forget(Account account) {
    State state = states.of(account);
    state.certification = null;
    state.session = null;
    files.delete(account);
  }

  @Override
  public void forgetDevices(Account account) {
    states.of(account).listedUser = "";
  }

  /**
   * Whether a failed call indicates an expired token: HTTP 401, and after {@link #MIN_TOKEN_LIFE}
   * any refusal, because EcoFlow does not document the codes for an expired token.
   */
  boolean isTokenRefused(Account account, Throwable failure) {
    boolean refused;
    if (failure instanceof HttpOperationFailedException http) {
      if (http.getStatusCode() == 401) {
        return true;
      }
      refused = http.getStatusCode() == 403;
    } else {
      // A response without a code or with code 0 is invalid, rather than a refusal.
      refused =
          failure instanceof CloudException cloud
              && !cloud.code().isEmpty()
              && !cloud.code().equals("0");
    }
    Session current = states.of(account).session;
    return refused && current != null && age(current).compareTo(MIN_TOKEN_LIFE) > 0;
  }

  /** For routes: the JSON body of the login request. */
  public String loginBody(@Variable(Account.VARIABLE) Account account) {
    Credentials credentials = account.settings().credentials();
    byte[] password = credentials.secret().getBytes(StandardCharsets.UTF_8);
    Map<String, String> body = new LinkedHashMap<>();
    body.put("email", credentials.id());
    body.put("password", Base64.getEncoder().encodeToString(password));
    body.put("scene", "IOT_APP");
    body.put("userType", "ECOFLOW");
    try {
      return json.writeValueAsString(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of strings can be written as JSON", e);
    }
  }

  /**
   * Route step: processes the response to the login, in which the user's {@code name} is optional.
   */
  public void acceptLogin(@Body Object body, @Variable(Account.VARIABLE) Account account)
      throws CloudException {
    String where = "the login response";
    Map<?, ?> data = Api.object(body);
    if (!(data.get("user") instanceof Map<?, ?> user)) {
      throw new CloudException("0", where + " lacks user");
    }
    State state = states.of(account);
    state.unknownAccountResponses = 0;
    state.session =
        new Session(text(data, "token", where), text(user, "userId", where), nanoClock.getAsLong());
  }

  /** For routes: the token of the current login. */
  public String token(@Variable(Account.VARIABLE) Account account) {
    return session(account).token();
  }

  /** For routes: the user ID of the current login. */
  public String userId(@Variable(Account.VARIABLE) Account account) {
    return session(account).userId();
  }

  /**
   * Route step: processes the response to the certification call: url, port, protocol, account and
   * password of the broker.
   */
  public void acceptCertification(Exchange exchange) throws CloudException {
    Account account = Account.of(exchange);
    accept(account, exchange.getMessage().getBody());
    meters.authentication(account, true, age(exchange));
    LOG.info("{}Logged in to EcoFlow", account.prefix());
  }

  void accept(Account account, Object body) throws CloudException {
    String where = "the certification response";
    Map<?, ?> data = Api.object(body);
    Session current = session(account);
    states.of(account).certification =
        new Certification(
            current,
            new BrokerLogin(
                host(text(data, "url", where)),
                port(data),
                text(data, "certificateAccount", where),
                text(data, "certificatePassword", where),
                current.userId(),
                "",
                Duration.ZERO));
    files.save(account, current.token(), age(current), states.of(account).certification.login());
  }

  private static Duration age(Exchange exchange) {
    return Duration.ofMillis(exchange.getClock().elapsed());
  }

  /** Route step: processes the device list of the account and logs missing devices. */
  public void acceptDevices(@Body Object body, @Variable(Account.VARIABLE) Account account)
      throws CloudException {
    Map<String, Listing> list = devices(body);
    State state = states.of(account);
    Session current = state.session;
    state.listedUser = needsSearch(account) && current != null ? current.userId() : "";
    state.checkPause = CHECK_INTERVAL;
    state.lastCheckFailure = "";
    List<String> added = devices.listed(account, list);
    if (!added.isEmpty()) {
      LOG.info("{}Devices of the account: {}", account.prefix(), Lines.abbreviate(added));
    } else if (list.isEmpty() && needsSearch(account)) {
      LOG.warn("{}The account has no devices yet", account.prefix());
    }
    devices
        .all(account)
        .forEach(device -> logAbsence(account, device, list.containsKey(device.serial())));
  }

  /** Logs that a device is not in the list, and again if the reason changes. */
  private void logAbsence(Account account, DeviceView device, boolean isListed) {
    String serial = device.serial();
    Map<String, String> absences = states.of(account).absences;
    if (isListed) {
      if (absences.remove(serial) != null) {
        LOG.info("{}Device {} is now in the device list of this account", account.prefix(), serial);
      }
    } else if (device.missing()
        && !device.absence().equals(absences.put(serial, device.absence()))) {
      LOG.warn("{}Device {} is {}", account.prefix(), serial, device.absence());
    }
  }

  /**
   * Reads the app's device list: {bound: {SN: device}, share: {SN: device}}. A value can be a
   * device or a list of devices.
   */
  static Map<String, Listing> devices(Object body) throws CloudException {
    Map<?, ?> data = Api.object(body);
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

  @Override
  public BrokerLogin brokerLogin(Account account) {
    Certification current = states.of(account).certification;
    if (current == null) {
      throw new IllegalStateException("no login yet");
    }
    BrokerLogin login = current.login();
    return login.with(
        clientId(account, login.userId()), credentialsLife(account).minus(age(current.session())));
  }

  @Override
  public void failed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    String call = exchange.getProperty(NAME, "", String.class);
    Account account = Account.of(exchange);
    if (LOGIN_CALLS.contains(call)) {
      meters.authentication(account, false, age(exchange));
    }
    State state = states.of(account);
    state.unknownAccountResponses =
        isAccountUnknown(failure) ? state.unknownAccountResponses + 1 : 0;
    if (isTokenRefused(account, failure) || isLoginRefused(failure)) {
      forget(account);
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

  /** Always false: the next attempt logs in again. */
  @Override
  public boolean isRefused(Account account) {
    return false;
  }

  @Override
  public String failure(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    String call = exchange.getProperty(NAME, String.class);
    String path = exchange.getProperty(PATH, String.class);
    boolean mayBeOutage =
        isAccountUnknown(failure)
            && states.of(Account.of(exchange)).unknownAccountResponses <= MAX_OUTAGE_RESPONSES;
    return (call == null ? "" : call + ": ")
        + (mayBeOutage
            ? failure.getMessage() + " on " + path + ", which can be caused by an outage of EcoFlow"
            : Lines.describe(failure, path));
  }

  /** Route step: logs a failed check of the device list and schedules the next one. */
  public void checkFailed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    Account account = Account.of(exchange);
    State state = states.of(account);
    String line =
        account.prefix()
            + "Cannot check ECOFLOW_DEVICE_SN against the device list of the account: "
            + Lines.describe(failure, exchange.getProperty(PATH, String.class));
    state.checkPause =
        state.lastCheckFailure.isEmpty()
            ? CHECK_RETRY
            : Api.doubled(state.checkPause, CHECK_INTERVAL);
    String next =
        "; all configured devices are monitored, next check in "
            + Lines.seconds(state.checkPause)
            + " s";
    if (line.equals(state.lastCheckFailure)) {
      LOG.debug("{}{}", line, next);
    } else {
      state.lastCheckFailure = line;
      LOG.warn("{}{}", line, next);
    }
  }

  /** Route step: logs a failed search for new devices. */
  public void devicesFailed(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    Account account = Account.of(exchange);
    LOG.warn(
        "{}Cannot search for new devices of the account: {}; known devices are not affected",
        account.prefix(),
        Lines.describe(failure, exchange.getProperty(PATH, String.class)));
    if (failure instanceof HttpOperationFailedException http && http.getStatusCode() == 401) {
      // The token has expired.
      forget(account);
    }
  }

  static String text(Map<?, ?> map, String key, String where) throws CloudException {
    Object value = map.get(key);
    if (value == null || String.valueOf(value).isBlank()) {
      throw new CloudException("0", where + " lacks " + key);
    }
    String text = String.valueOf(value).strip();
    if (text.chars().anyMatch(Character::isISOControl)) {
      // It would corrupt a header, a topic or a log line. The value can be secret.
      throw new CloudException("0", where + " has a control character in " + key);
    }
    return text;
  }

  private Session session(Account account) {
    Session current = states.of(account).session;
    if (current == null) {
      throw new IllegalStateException("no login yet");
    }
    return current;
  }

  /** The host of a URL whose scheme, port and path are optional. */
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
      int port = Integer.parseInt(String.valueOf(value).strip());
      if (port >= 1 && port <= MAX_PORT) {
        return port;
      }
    } catch (NumberFormatException e) {
      // Handled below.
    }
    throw new CloudException(
        "0",
        "the certification response has no valid port ("
            + Lines.oneLine(String.valueOf(value))
            + ")");
  }

  /**
   * ANDROID_{UUID}_{userId}, the format that the broker requires. EcoFlow allows about ten IDs per
   * day, so the ID depends only on the configuration and does not change with a restart.
   */
  private static String clientId(Account account, String userId) {
    Settings settings = account.settings();
    if (settings.mqtt().clientId().isPresent()) {
      return settings.mqtt().clientId().get();
    }
    return "ANDROID_" + uuid(settings).toString().toUpperCase(Locale.ROOT) + "_" + userId;
  }

  /** The same for each start; mode and devices distinguish exporters with the same account. */
  static UUID uuid(Settings settings) {
    String seed =
        String.join(
            "\n",
            settings.credentials().id(),
            settings.mode().label(),
            String.join(",", settings.devices().serials()));
    return UUID.nameUUIDFromBytes(seed.getBytes(StandardCharsets.UTF_8));
  }
}
