package ecoflow.config;

import ecoflow.text.Lines;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The keys of an account in the accounts file, and the variables that they override. */
final class AccountKeys {

  static final String NAME = "name";
  static final String LABELS = "labels";
  static final String MODE = "mode";
  static final String DEVICES = "devices";

  /** The suffix of keys with the path of a file that contains the value. */
  static final String FILE = "_file";

  /** The variables by key. */
  static final Map<String, String> VARIABLES = new LinkedHashMap<>();

  /** Keys with a text, or with a mapping of serial numbers to texts. */
  static final Set<String> BY_DEVICE = Set.of("device_name", "product_name", "device_general_key");

  static {
    VARIABLES.put(MODE, Settings.API_TYPE);
    VARIABLES.put("user", Settings.USER);
    VARIABLES.put("user_file", Settings.USER + Environment.FILE);
    VARIABLES.put("password", Settings.PASSWORD);
    VARIABLES.put("password_file", Settings.PASSWORD + Environment.FILE);
    VARIABLES.put("access_key", Settings.ACCESS_KEY);
    VARIABLES.put("access_key_file", Settings.ACCESS_KEY + Environment.FILE);
    VARIABLES.put("secret_key", Settings.SECRET_KEY);
    VARIABLES.put("secret_key_file", Settings.SECRET_KEY + Environment.FILE);
    VARIABLES.put(DEVICES, DeviceSettings.SERIALS);
    VARIABLES.put("api_host", "ECOFLOW_API_HOST");
    VARIABLES.put("mqtt_client_id", MqttSettings.CLIENT_ID);
    VARIABLES.put("device_name", DeviceSettings.NAME);
    VARIABLES.put("product_name", DeviceSettings.PRODUCT);
    VARIABLES.put("device_general_key", DeviceSettings.GENERAL_KEY);
    VARIABLES.put("collecting_interval", "COLLECTING_INTERVAL");
    VARIABLES.put("full_interval", "ECOFLOW_FULL_INTERVAL");
    VARIABLES.put("push_lead", "ECOFLOW_PUSH_LEAD");
    VARIABLES.put("device_list_cache_ttl", "DEVICE_LIST_CACHE_TTL");
    VARIABLES.put("quota_request_interval", "QUOTA_REQUEST_INTERVAL");
    VARIABLES.put("retry_timeout", "RETRY_TIMEOUT");
    VARIABLES.put("max_reconnect_delay", "MAX_RECONNECT_DELAY");
    VARIABLES.put("mqtt_keepalive", "MQTT_KEEPALIVE");
    VARIABLES.put("credentials_ttl", "ECOFLOW_CREDENTIALS_TTL");
    VARIABLES.put("mqtt_timeout", "MQTT_TIMEOUT");
    VARIABLES.put("series_ttl", "ECOFLOW_SERIES_TTL");
    VARIABLES.put("max_devices", DeviceSettings.MAX_DEVICES);
  }

  /** Variables that an account cannot override, because the process has only one value. */
  static final Set<String> OF_PROCESS =
      Set.of(
          Settings.ACCOUNTS_FILE,
          Shard.VARIABLE,
          KafkaSettings.ROLE,
          KafkaSettings.BROKERS,
          KafkaSettings.TOPICS,
          KafkaSettings.GROUP,
          KafkaSettings.PROPERTIES,
          KafkaSettings.REPLAY,
          "ECOFLOW_CA_FILE",
          "HTTPS_PROXY",
          "HTTP_PROXY",
          "NO_PROXY",
          "ECOFLOW_DEVICES_JSON",
          "METRICS_PREFIX",
          "ECOFLOW_METRICS",
          "ECOFLOW_JVM_METRICS",
          "ECOFLOW_INFO",
          "ECOFLOW_ENERGY_HOLD",
          DeviceSettings.HISTORY_INTERVAL,
          "ESTABLISH_ATTEMPTS",
          "ECOFLOW_LOGIN_BURST",
          "ECOFLOW_LOGIN_RATE",
          "HTTP_BACKOFF_FACTOR",
          "HTTP_RETRIES",
          "HTTP_TIMEOUT",
          "IDLE_CHECK_INTERVAL",
          "ECOFLOW_MAX_SERIES_PER_DEVICE",
          "EXPORTER_PORT",
          "ECOFLOW_LISTEN_ADDRESS",
          "ECOFLOW_WEB_CONFIG_FILE",
          "LOG_LEVEL",
          "ECOFLOW_MICROMETER_REGISTRIES",
          Settings.ROUTES_DIR,
          "ECOFLOW_ROUTES_RELOAD",
          "ECOFLOW_LIB_DIR",
          RecordingSettings.DIRECTORY,
          RecordingSettings.MESSAGES,
          "ECOFLOW_STATE_DIR",
          "ECOFLOW_MESSAGES_DIR",
          "JAVA_HOME",
          Launcher.JAVA_OPTS,
          "ECOFLOW_CACHE_DIR",
          "ECOFLOW_ARCHIVE",
          Launcher.MAVEN_MIRROR);

  /** Variables that cannot be set together with the accounts file. */
  static final List<String> ONLY_IN_FILE =
      List.of(
          Settings.ACCESS_KEY,
          Settings.ACCESS_KEY + Environment.FILE,
          Settings.SECRET_KEY,
          Settings.SECRET_KEY + Environment.FILE,
          Settings.USER,
          Settings.USER + Environment.FILE,
          Settings.PASSWORD,
          Settings.PASSWORD + Environment.FILE,
          DeviceSettings.SERIALS,
          MqttSettings.CLIENT_ID);

  private static final Map<String, String> KEYS = new LinkedHashMap<>();

  static {
    VARIABLES.forEach((key, variable) -> KEYS.put(variable, key));
  }

  private AccountKeys() {}

  /** The key of a variable; the variable itself if accounts cannot override it. */
  static String key(String variable) {
    return KEYS.getOrDefault(variable, variable);
  }

  /** All variables that the exporter or its launcher reads, except those of registries. */
  static Set<String> knownVariables() {
    Set<String> known = new TreeSet<>(OF_PROCESS);
    known.addAll(VARIABLES.values());
    return known;
  }

  /** All keys of an account. */
  static Set<String> all() {
    Set<String> keys = new TreeSet<>(VARIABLES.keySet());
    keys.add(NAME);
    keys.add(LABELS);
    return Collections.unmodifiableSet(keys);
  }

  /** The message for a key that is not in the table. */
  static String unknown(String key) {
    Optional<String> ofProcess = variable(key, OF_PROCESS);
    if (ofProcess.isPresent()) {
      return Lines.oneLine(key)
          + " is a setting of the process: set "
          + ofProcess.get()
          + " in the environment";
    }
    return "unknown field "
        + Lines.oneLine(key)
        + variable(key, KEYS.keySet())
            .map(KEYS::get)
            .or(() -> Lines.nearest(key, all(), Math.max(1, key.length() / 3)))
            .map(similar -> "; did you mean '" + similar + "'?")
            .orElse("");
  }

  /** The variable with this name in lower or upper case, with or without the prefix ECOFLOW_. */
  private static Optional<String> variable(String key, Set<String> variables) {
    String name = key.toUpperCase(Locale.ROOT);
    return List.of(name, "ECOFLOW_" + name).stream().filter(variables::contains).findFirst();
  }
}
