package ecoflow.config;

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
 * The devices to serve, their names, and the lifetime of their values.
 *
 * <p>All serial numbers are in upper case, as EcoFlow writes them, regardless of the spelling in
 * the environment.
 *
 * @param serials in the configured order; empty means all devices of the account
 * @param names label device_name by serial number
 * @param products label product_name by serial number
 * @param generalKeys label device_general_key by serial number
 * @param collectingInterval interval of the polls of a device, and of the collection of all devices
 * @param listLife lifetime of a cached device list
 * @param timeout minimum time without values after which a device is offline
 * @param fullInterval interval of polls of a device that pushes changes
 * @param pushLead time for which a poll does not overwrite a pushed value, because the answer may
 *     be older than the push
 * @param seriesLife minimum time without a new value after which a series is removed
 * @param historyInterval interval of the calls for EcoFlow's energy history; empty without calls
 * @param maxSeries maximum number of series per device
 * @param maxDevices maximum number of devices of the account if all are served
 */
public record DeviceSettings(
    List<String> serials,
    Map<String, String> names,
    Map<String, String> products,
    Map<String, String> generalKeys,
    DevicesFile file,
    Duration collectingInterval,
    Duration listLife,
    Duration timeout,
    Duration fullInterval,
    Duration pushLead,
    Duration seriesLife,
    Optional<Duration> historyInterval,
    int maxSeries,
    int maxDevices) {

  static final String SERIALS = "ECOFLOW_DEVICE_SN";
  static final String NAME = "ECOFLOW_DEVICE_NAME";
  static final String PRODUCT = "ECOFLOW_PRODUCT_NAME";
  static final String GENERAL_KEY = "ECOFLOW_DEVICE_GENERAL_KEY";
  static final String HISTORY_INTERVAL = "ECOFLOW_HISTORY_INTERVAL";
  public static final String MAX_DEVICES = "ECOFLOW_MAX_DEVICES";

  /**
   * The catalogue of models.
   *
   * @param explicit whether the user set the path, so that a missing file is logged
   */
  public record DevicesFile(Path path, boolean explicit) {}

  private static final Pattern SERIAL = Pattern.compile("[A-Za-z0-9_-]{1,64}");
  private static final int MIN_VALUES = 20_000;
  private static final int VALUES_PER_SERIES = 4;
  private static final String ALL = "all";
  private static final String DEVICES_FILE = "devices.json";

  /** Whether the exporter serves all devices of the account. */
  public boolean areAllServed() {
    return serials.isEmpty();
  }

  static DeviceSettings read(Environment env, Settings.Mode mode) throws ConfigException {
    List<String> serials = serials(env);
    Duration fullInterval = env.seconds("ECOFLOW_FULL_INTERVAL", "900", "1", "86400");
    Duration seriesLife =
        seriesLife(mode, env.seconds("ECOFLOW_SERIES_TTL", "900", "0.1", "8640000"), fullInterval);
    return new DeviceSettings(
        serials,
        perDevice(env, NAME, serials),
        perDevice(env, PRODUCT, serials),
        perDevice(env, GENERAL_KEY, serials),
        devicesFile(env),
        env.seconds("COLLECTING_INTERVAL", "10", "0.1", "86400"),
        env.seconds("DEVICE_LIST_CACHE_TTL", "60", "0", "86400"),
        env.seconds("MQTT_TIMEOUT", "60", "0.1", "86400"),
        fullInterval,
        env.seconds("ECOFLOW_PUSH_LEAD", "120", "0", "3600"),
        seriesLife,
        historyInterval(env),
        env.number("ECOFLOW_MAX_SERIES_PER_DEVICE", 5000, 1, 1_000_000),
        env.number(MAX_DEVICES, 5000, 1, 1_000_000));
  }

  /** EcoFlow updates its statistics every few minutes. */
  private static Optional<Duration> historyInterval(Environment env) throws ConfigException {
    return env.text(HISTORY_INTERVAL).isEmpty()
        ? Optional.empty()
        : Optional.of(env.seconds(HISTORY_INTERVAL, "", "900", "86400"));
  }

  private static Duration seriesLife(
      Settings.Mode mode, Duration configured, Duration fullInterval) {
    // A value that does not change is not pushed: it arrives only with the next poll.
    return mode == Settings.Mode.OPEN ? configured.plus(fullInterval) : configured;
  }

  /** A copy for an account of another mode than MQTT, which these settings are for. */
  DeviceSettings ofMode(Settings.Mode mode) {
    return new DeviceSettings(
        serials,
        names,
        products,
        generalKeys,
        file,
        collectingInterval,
        listLife,
        timeout,
        fullInterval,
        pushLead,
        seriesLife(mode, seriesLife, fullInterval),
        historyInterval,
        maxSeries,
        maxDevices);
  }

  /**
   * A copy with the names of the process for each kind of names that the account does not override.
   * They can contain devices of other accounts.
   *
   * @param own the variables that the account overrides
   */
  DeviceSettings withNames(DeviceSettings process, Set<String> own) {
    return new DeviceSettings(
        serials,
        own.contains(NAME) ? names : process.names,
        own.contains(PRODUCT) ? products : process.products,
        own.contains(GENERAL_KEY) ? generalKeys : process.generalKeys,
        process.file,
        collectingInterval,
        listLife,
        timeout,
        fullInterval,
        pushLead,
        seriesLife,
        historyInterval,
        maxSeries,
        maxDevices);
  }

  private static List<String> serials(Environment env) throws ConfigException {
    String allowed =
        "one serial number, several separated by commas, or \"" + ALL + "\" for every device";
    Optional<String> value = env.text(SERIALS);
    if (value.isEmpty()) {
      throw new ConfigException(
          env.label(SERIALS) + " is not set: expected " + allowed + env.insteadOf(SERIALS));
    }
    if (value.get().equalsIgnoreCase(ALL)) {
      return List.of();
    }
    Set<String> serials = new LinkedHashSet<>();
    for (String part : value.get().split(",")) {
      String serial = serial(part);
      if (serial.isEmpty()) {
        continue;
      }
      if (!SERIAL.matcher(serial).matches() || serial.equalsIgnoreCase(ALL)) {
        throw env.invalid(SERIALS, value.get(), allowed);
      }
      serials.add(serial);
    }
    if (serials.isEmpty()) {
      throw env.invalid(SERIALS, value.get(), allowed);
    }
    return List.copyOf(serials);
  }

  /** Converts a serial number to upper case; returns other text unchanged. */
  private static String serial(String text) {
    String serial = Secret.trimmed(text);
    return SERIAL.matcher(serial).matches() ? serial.toUpperCase(Locale.ROOT) : serial;
  }

  /** Parses a plain value for a single device, or {@code SN=value,SN=value} for several. */
  private static Map<String, String> perDevice(Environment env, String name, List<String> serials)
      throws ConfigException {
    Optional<String> value = env.text(name);
    if (value.isEmpty()) {
      return Map.of();
    }
    if (serials.size() == 1 && !startsWith(value.get(), serials.get(0) + "=")) {
      return Map.of(serials.get(0), value.get());
    }
    Map<String, String> byDevice = new LinkedHashMap<>();
    // Names can contain commas: only a comma before "SN=" is a separator.
    for (String part : value.get().split(",(?=\\s*[A-Za-z0-9_-]+\\s*=)")) {
      int equals = part.indexOf('=');
      String serial = equals < 0 ? "" : serial(part.substring(0, equals));
      String text = equals < 0 ? "" : part.substring(equals + 1).strip();
      if (!SERIAL.matcher(serial).matches() || text.isEmpty()) {
        throw env.invalid(name, value.get(), "SN=value,SN=value for several devices");
      }
      if (!serials.isEmpty() && !serials.contains(serial)) {
        throw env.invalid(name, value.get(), "serial numbers listed in " + env.name(SERIALS));
      }
      byDevice.put(serial, text);
    }
    return Map.copyOf(byDevice);
  }

  private static boolean startsWith(String text, String start) {
    return text.regionMatches(true, 0, start, 0, start.length());
  }

  private static DevicesFile devicesFile(Environment env) throws ConfigException {
    Optional<String> value = env.note("ECOFLOW_DEVICES_JSON", DEVICES_FILE);
    try {
      return new DevicesFile(Path.of(value.orElse(DEVICES_FILE)), value.isPresent());
    } catch (InvalidPathException e) {
      throw env.invalid("ECOFLOW_DEVICES_JSON", value.orElse(""), "the path of a file");
    }
  }

  /**
   * The maximum number of values in a message, including objects, lists, strings and values without
   * a series. Messages of real devices have fewer than 5,000.
   */
  public int maxValues() {
    return Math.max(MIN_VALUES, VALUES_PER_SERIES * maxSeries);
  }
}
