package ecoflow.config;

import java.net.IDN;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * All settings of one exporter, read from environment variables.
 *
 * @param mode how the data is reached
 * @param credentials access key and secret key (REST), or account user and password
 * @param apiHosts the host to ask, then those to try when it does not know the access key
 * @param serials the devices, in the order given; empty means all devices of the account
 * @param notes lines for the log about settings that are accepted but have no effect
 */
public record Settings(
    Mode mode,
    Credentials credentials,
    List<String> serials,
    Map<String, String> deviceNames,
    Map<String, String> productNames,
    Map<String, String> generalKeys,
    DevicesFile devicesFile,
    List<String> apiHosts,
    Optional<String> mqttClientId,
    Optional<Path> caFile,
    int exporterPort,
    String metricsPrefix,
    LogLevel logLevel,
    Timing timing,
    int establishAttempts,
    int httpRetries,
    int maxSeriesPerDevice,
    List<String> notes) {

  /** REST polls with developer keys; MQTT waits for pushes; DEVICE also asks for all values. */
  public enum Mode {
    REST,
    MQTT,
    DEVICE;

    /** The value of the label client_type, also of ECOFLOW_API_TYPE. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    public boolean usesAccount() {
      return this != REST;
    }
  }

  /** The names of Python's levels too, as the variable has always taken them. */
  public enum LogLevel {
    DEBUG,
    INFO,
    WARN,
    ERROR
  }

  /** A public and a secret half. */
  public record Credentials(String id, String secret) {
    @Override
    public String toString() {
      return "Credentials[***]";
    }
  }

  /**
   * @param explicit whether the user named the file, so that a missing one is worth a line
   */
  public record DevicesFile(Path path, boolean explicit) {}

  public record Timing(
      Duration collectingInterval,
      Duration quotaRequestInterval,
      Duration retryTimeout,
      Duration httpTimeout,
      Duration httpBackoff,
      Duration deviceListCacheTtl,
      Duration mqttTimeout,
      Duration mqttKeepalive,
      Duration idleCheckInterval,
      Duration maxReconnectDelay,
      Duration credentialsLife,
      Duration seriesTtl) {}

  private static final Pattern SERIAL = Pattern.compile("[A-Za-z0-9_-]{1,64}");
  private static final Pattern HOST_AND_PORT =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?");
  private static final Pattern PREFIX = Pattern.compile("[a-zA-Z_:][a-zA-Z0-9_:]*");
  private static final Pattern CLIENT_ID = Pattern.compile("[A-Za-z0-9_-]{1,128}");
  private static final List<String> REGIONS =
      List.of("api-e.ecoflow.com", "api-a.ecoflow.com", "api.ecoflow.com");
  private static final String ALL = "all";

  /**
   * @throws ConfigException with a single line for the user
   */
  public static Settings from(Map<String, String> variables) throws ConfigException {
    Environment env = new Environment(variables);
    List<String> notes = new java.util.ArrayList<>();
    Optional<Credentials> keys = pair(env, "ECOFLOW_ACCESS_KEY", "ECOFLOW_SECRET_KEY");
    Optional<Credentials> account = pair(env, "ECOFLOW_ACCOUNT_USER", "ECOFLOW_ACCOUNT_PASSWORD");
    Mode mode = mode(env, keys.isPresent(), account.isPresent(), notes);
    List<String> serials = serials(env);
    return new Settings(
        mode,
        keys.or(() -> account).orElseThrow(),
        serials,
        perDevice(env, "ECOFLOW_DEVICE_NAME", serials),
        perDevice(env, "ECOFLOW_PRODUCT_NAME", serials),
        perDevice(env, "ECOFLOW_DEVICE_GENERAL_KEY", serials),
        devicesFile(env),
        apiHosts(env),
        mqttClientId(env),
        caFile(env),
        env.number("EXPORTER_PORT", 9090, 1, 65535),
        env.matching(
            "METRICS_PREFIX",
            "ecoflow",
            PREFIX,
            "letters, digits, _ and :, not starting with a digit"),
        logLevel(env),
        new Timing(
            env.seconds("COLLECTING_INTERVAL", "10", "0.1", "86400"),
            env.seconds("QUOTA_REQUEST_INTERVAL", "30", "0.1", "86400"),
            env.seconds("RETRY_TIMEOUT", "30", "0.1", "86400"),
            env.seconds("HTTP_TIMEOUT", "30", "0.1", "3600"),
            env.seconds("HTTP_BACKOFF_FACTOR", "0.5", "0", "3600"),
            env.seconds("DEVICE_LIST_CACHE_TTL", "60", "0", "86400"),
            env.seconds("MQTT_TIMEOUT", "60", "0.1", "86400"),
            env.seconds("MQTT_KEEPALIVE", "60", "1", "65535"),
            env.seconds("IDLE_CHECK_INTERVAL", "30", "0.1", "86400"),
            env.seconds("MAX_RECONNECT_DELAY", "300", "1", "86400"),
            env.seconds("ECOFLOW_CREDENTIALS_TTL", "72000", "1", "8640000"),
            env.seconds("ECOFLOW_SERIES_TTL", "900", "0.1", "8640000")),
        env.number("ESTABLISH_ATTEMPTS", 5, 1, 1_000_000),
        env.number("HTTP_RETRIES", 3, 0, 100),
        env.number("ECOFLOW_MAX_SERIES_PER_DEVICE", 5000, 1, 1_000_000),
        List.copyOf(notes));
  }

  private static Optional<Credentials> pair(Environment env, String idName, String secretName)
      throws ConfigException {
    Optional<String> id = env.secret(idName);
    Optional<String> secret = env.secret(secretName);
    if (id.isPresent() != secret.isPresent()) {
      String missing = id.isPresent() ? secretName : idName;
      String present = id.isPresent() ? idName : secretName;
      throw new ConfigException(
          missing + " is not set, but " + present + " is: set both, or neither");
    }
    return id.map(value -> new Credentials(value, secret.orElseThrow()));
  }

  private static Mode mode(Environment env, boolean keys, boolean account, List<String> notes)
      throws ConfigException {
    Optional<String> type = env.text("ECOFLOW_API_TYPE").map(t -> t.toLowerCase(Locale.ROOT));
    Optional<Mode> wanted = Optional.empty();
    if (type.isPresent()) {
      try {
        wanted = Optional.of(Mode.valueOf(type.get().toUpperCase(Locale.ROOT)));
      } catch (IllegalArgumentException e) {
        throw Environment.bad(
            "ECOFLOW_API_TYPE", env.text("ECOFLOW_API_TYPE", ""), "rest, mqtt or device");
      }
    }
    if (keys && account) {
      throw new ConfigException(
          "ECOFLOW_ACCESS_KEY/ECOFLOW_SECRET_KEY and ECOFLOW_ACCOUNT_USER/ECOFLOW_ACCOUNT_PASSWORD"
              + " are both set: set the keys for REST, or the account for mqtt and device");
    }
    if (!keys && !account) {
      throw new ConfigException(
          "no credentials: set ECOFLOW_ACCESS_KEY and ECOFLOW_SECRET_KEY for REST,"
              + " or ECOFLOW_ACCOUNT_USER and ECOFLOW_ACCOUNT_PASSWORD for mqtt and device");
    }
    if (keys) {
      wanted
          .filter(Mode::usesAccount)
          .ifPresent(
              mode ->
                  notes.add(
                      "ECOFLOW_API_TYPE="
                          + mode.label()
                          + " has no effect: developer keys are set, so REST is used"));
      return Mode.REST;
    }
    Mode mode = wanted.orElse(Mode.MQTT);
    if (mode == Mode.REST) {
      throw new ConfigException(
          "ECOFLOW_API_TYPE=rest needs ECOFLOW_ACCESS_KEY and ECOFLOW_SECRET_KEY;"
              + " with an account it takes mqtt or device");
    }
    return mode;
  }

  private static List<String> serials(Environment env) throws ConfigException {
    String allowed =
        "one serial number, several with commas between them, or \"" + ALL + "\" for every device";
    Optional<String> value = env.text("ECOFLOW_DEVICE_SN");
    if (value.isEmpty()) {
      throw new ConfigException("ECOFLOW_DEVICE_SN is not set: it takes " + allowed);
    }
    if (value.get().equalsIgnoreCase(ALL)) {
      return List.of();
    }
    Set<String> serials = new LinkedHashSet<>();
    for (String part : value.get().split(",")) {
      String serial = part.strip();
      if (serial.isEmpty()) {
        continue;
      }
      if (!SERIAL.matcher(serial).matches() || serial.equalsIgnoreCase(ALL)) {
        throw Environment.bad("ECOFLOW_DEVICE_SN", value.get(), allowed);
      }
      serials.add(serial);
    }
    if (serials.isEmpty()) {
      throw Environment.bad("ECOFLOW_DEVICE_SN", value.get(), allowed);
    }
    return List.copyOf(serials);
  }

  /** For a single device the bare value; for several {@code SN=value,SN=value}. */
  private static Map<String, String> perDevice(Environment env, String name, List<String> serials)
      throws ConfigException {
    Optional<String> value = env.text(name);
    if (value.isEmpty()) {
      return Map.of();
    }
    if (serials.size() == 1 && !value.get().startsWith(serials.get(0) + "=")) {
      return Map.of(serials.get(0), value.get());
    }
    Map<String, String> byDevice = new LinkedHashMap<>();
    // A comma may stand in a name: only one that a "SN=" follows divides.
    for (String part : value.get().split(",(?=\\s*[A-Za-z0-9_-]+\\s*=)")) {
      int equals = part.indexOf('=');
      String serial = equals < 0 ? "" : part.substring(0, equals).strip();
      String text = equals < 0 ? "" : part.substring(equals + 1).strip();
      if (!SERIAL.matcher(serial).matches() || text.isEmpty()) {
        throw Environment.bad(
            name, value.get(), "SN=value,SN=value when there can be several devices");
      }
      if (!serials.isEmpty() && !serials.contains(serial)) {
        throw Environment.bad(name, value.get(), "serial numbers that ECOFLOW_DEVICE_SN lists");
      }
      byDevice.put(serial, text);
    }
    return Map.copyOf(byDevice);
  }

  private static DevicesFile devicesFile(Environment env) throws ConfigException {
    Optional<String> value = env.text("ECOFLOW_DEVICES_JSON");
    try {
      return new DevicesFile(Path.of(value.orElse("devices.json")), value.isPresent());
    } catch (InvalidPathException e) {
      throw Environment.bad("ECOFLOW_DEVICES_JSON", value.orElse(""), "the path of a file");
    }
  }

  /** One host, or several to try in turn; a known host of EcoFlow brings its other regions. */
  private static List<String> apiHosts(Environment env) throws ConfigException {
    String value = env.text("ECOFLOW_API_HOST", REGIONS.get(0));
    Set<String> hosts = new LinkedHashSet<>();
    for (String part : value.split(",")) {
      hosts.add(apiHost(value, part.strip()));
    }
    if (hosts.size() == 1 && REGIONS.contains(value)) {
      hosts.addAll(REGIONS);
    }
    return List.copyOf(hosts);
  }

  private static String apiHost(String value, String host) throws ConfigException {
    String allowed = "a host name, with :port if needed, without https:// and path";
    if (!HOST_AND_PORT.matcher(host).matches()) {
      throw Environment.bad("ECOFLOW_API_HOST", value, allowed);
    }
    int colon = host.indexOf(':');
    try {
      IDN.toASCII(colon < 0 ? host : host.substring(0, colon), IDN.USE_STD3_ASCII_RULES);
    } catch (IllegalArgumentException e) {
      throw Environment.bad("ECOFLOW_API_HOST", value, allowed);
    }
    if (colon >= 0) {
      int port = Integer.parseInt(host.substring(colon + 1));
      if (port < 1 || port > 65535) {
        throw Environment.bad("ECOFLOW_API_HOST", value, "a port from 1 to 65535");
      }
    }
    return host;
  }

  private static Optional<String> mqttClientId(Environment env) throws ConfigException {
    Optional<String> value = env.text("ECOFLOW_MQTT_CLIENT_ID");
    if (value.isPresent() && !CLIENT_ID.matcher(value.get()).matches()) {
      throw Environment.bad(
          "ECOFLOW_MQTT_CLIENT_ID", value.get(), "up to 128 letters, digits, _ and -");
    }
    return value;
  }

  private static Optional<Path> caFile(Environment env) throws ConfigException {
    Optional<String> value = env.text("ECOFLOW_CA_FILE");
    if (value.isEmpty()) {
      return Optional.empty();
    }
    try {
      Path path = Path.of(value.get());
      if (Files.isReadable(path) && Files.isRegularFile(path)) {
        return Optional.of(path);
      }
    } catch (InvalidPathException e) {
      // told below, with what is allowed
    }
    throw Environment.bad("ECOFLOW_CA_FILE", value.get(), "a readable file with PEM certificates");
  }

  private static LogLevel logLevel(Environment env) throws ConfigException {
    String value = env.text("LOG_LEVEL", "INFO");
    return switch (value.toUpperCase(Locale.ROOT)) {
      case "DEBUG" -> LogLevel.DEBUG;
      case "INFO" -> LogLevel.INFO;
      case "WARN", "WARNING" -> LogLevel.WARN;
      case "ERROR", "CRITICAL", "FATAL" -> LogLevel.ERROR;
      default ->
          throw Environment.bad("LOG_LEVEL", value, "DEBUG, INFO, WARNING, ERROR or CRITICAL");
    };
  }
}
