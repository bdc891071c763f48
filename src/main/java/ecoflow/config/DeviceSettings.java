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
 * Which devices are served, how they are named, and how long their values are shown.
 *
 * <p>EcoFlow's serial numbers are in upper case, so all of them are here, however they were
 * written.
 *
 * @param serials in the order given; empty means all devices of the account
 * @param names label device_name by serial number
 * @param products label product_name by serial number
 * @param generalKeys label device_general_key by serial number
 * @param collectingInterval between polls, and between looks at all devices
 * @param listLife how long a device list serves
 * @param timeout the least age at which a device without values is offline
 * @param fullInterval between polls of a device that pushes changes
 * @param pushLead as long a push counts more than a poll, whose answer may be older
 * @param seriesLife the least age at which a single series goes
 * @param maxDevices the most devices of the account that are served when all are wanted
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
    int maxSeries,
    int maxDevices) {

  public static final String MAX_DEVICES = "ECOFLOW_MAX_DEVICES";

  /**
   * The catalogue of models.
   *
   * @param explicit whether the user named the file, so that a missing one is worth a line
   */
  public record DevicesFile(Path path, boolean explicit) {}

  private static final Pattern SERIAL = Pattern.compile("[A-Za-z0-9_-]{1,64}");
  private static final int MIN_VALUES = 20_000;
  private static final int VALUES_PER_SERIES = 4;
  private static final String ALL = "all";
  private static final String DEVICES_FILE = "devices.json";

  /** Whether all devices of the account are wanted. */
  public boolean areAllWanted() {
    return serials.isEmpty();
  }

  static DeviceSettings read(Environment env, Settings.Mode mode) throws ConfigException {
    List<String> serials = serials(env);
    Duration fullInterval = env.seconds("ECOFLOW_FULL_INTERVAL", "900", "1", "86400");
    Duration seriesLife = env.seconds("ECOFLOW_SERIES_TTL", "900", "0.1", "8640000");
    if (mode == Settings.Mode.OPEN) {
      // A value that no push changes comes with the next full picture only.
      seriesLife = seriesLife.plus(fullInterval);
    }
    return new DeviceSettings(
        serials,
        perDevice(env, "ECOFLOW_DEVICE_NAME", serials),
        perDevice(env, "ECOFLOW_PRODUCT_NAME", serials),
        perDevice(env, "ECOFLOW_DEVICE_GENERAL_KEY", serials),
        devicesFile(env),
        env.seconds("COLLECTING_INTERVAL", "10", "0.1", "86400"),
        env.seconds("DEVICE_LIST_CACHE_TTL", "60", "0", "86400"),
        env.seconds("MQTT_TIMEOUT", "60", "0.1", "86400"),
        fullInterval,
        env.seconds("ECOFLOW_PUSH_LEAD", "120", "0", "3600"),
        seriesLife,
        env.number("ECOFLOW_MAX_SERIES_PER_DEVICE", 5000, 1, 1_000_000),
        env.number(MAX_DEVICES, 5000, 1, 1_000_000));
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
      String serial = serial(part);
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

  /** In upper case; what is not a serial number stays as it is. */
  private static String serial(String text) {
    String serial = Secret.trimmed(text);
    return SERIAL.matcher(serial).matches() ? serial.toUpperCase(Locale.ROOT) : serial;
  }

  /** For a single device the bare value; for several {@code SN=value,SN=value}. */
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
    // A comma may stand in a name: only one that a "SN=" follows divides.
    for (String part : value.get().split(",(?=\\s*[A-Za-z0-9_-]+\\s*=)")) {
      int equals = part.indexOf('=');
      String serial = equals < 0 ? "" : serial(part.substring(0, equals));
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

  private static boolean startsWith(String text, String start) {
    return text.regionMatches(true, 0, start, 0, start.length());
  }

  private static DevicesFile devicesFile(Environment env) throws ConfigException {
    Optional<String> value = env.note("ECOFLOW_DEVICES_JSON", DEVICES_FILE);
    try {
      return new DevicesFile(Path.of(value.orElse(DEVICES_FILE)), value.isPresent());
    } catch (InvalidPathException e) {
      throw Environment.bad("ECOFLOW_DEVICES_JSON", value.orElse(""), "the path of a file");
    }
  }

  /**
   * How many values of one message are read. Objects, lists and texts count, too, and so do values
   * that are in no series: messages of real devices have less than 5,000 of all these.
   */
  public int maxValues() {
    return Math.max(MIN_VALUES, VALUES_PER_SERIES * maxSeries);
  }
}
