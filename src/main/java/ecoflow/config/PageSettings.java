package ecoflow.config;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * The settings of the HTTP pages and of the metrics on them.
 *
 * @param port the port of all pages
 * @param address the address to bind; empty for all addresses of this machine
 * @param webConfig the file with the TLS settings and the users of the pages
 * @param prefix the prefix of all metric names, without the underscore
 * @param metrics the kinds of device metrics
 * @param jvmMetrics whether the page contains metrics of the Java runtime and the process
 * @param info whether the page contains texts of devices as information series
 * @param energyHold time after the last message of a device for which its power still counts
 *     towards energy
 */
public record PageSettings(
    int port,
    Optional<String> address,
    Optional<Path> webConfig,
    String prefix,
    Metrics metrics,
    boolean jvmMetrics,
    boolean info,
    Duration energyHold) {

  private static final String METRICS = "ECOFLOW_METRICS";
  private static final String METRICS_PREFIX = "METRICS_PREFIX";
  private static final Pattern PREFIX = Pattern.compile("[a-zA-Z_:][a-zA-Z0-9_:]*");
  private static final String JVM_METRICS = "ECOFLOW_JVM_METRICS";

  /** Prefixes with which device metrics could have the name of a metric of the Java runtime. */
  private static final Pattern JVM_PREFIX = Pattern.compile("(jvm|process)(_.*)?");

  private static final String ADDRESS = "ECOFLOW_LISTEN_ADDRESS";
  private static final Pattern ADDRESS_PATTERN =
      Pattern.compile("[A-Za-z0-9._-]+|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*");
  private static final String WEB_CONFIG = "ECOFLOW_WEB_CONFIG_FILE";

  /** Raw metrics, normalised metrics, or both. */
  public enum Metrics {
    RAW,
    NORMALISED,
    BOTH;

    public boolean areRaw() {
      return this != NORMALISED;
    }

    public boolean areNormalised() {
      return this != RAW;
    }
  }

  static PageSettings read(Environment env) throws ConfigException {
    String prefix =
        env.matching(
            METRICS_PREFIX,
            "ecoflow",
            PREFIX,
            "letters, digits, _ and :, not starting with a digit");
    return new PageSettings(
        env.number("EXPORTER_PORT", 9090, 1, 65535),
        address(env),
        webConfig(env),
        prefix,
        metrics(env),
        jvmMetrics(env, prefix),
        env.flag("ECOFLOW_INFO"),
        env.seconds("ECOFLOW_ENERGY_HOLD", "300", "1", "86400"));
  }

  /** Whether the configured address belongs to this machine. */
  public boolean isAddressHere() {
    return address.isEmpty() || canListen(0);
  }

  /** Whether the port is not in use. */
  public boolean isPortFree() {
    return canListen(port);
  }

  private boolean canListen(int onPort) {
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(
          address
              .map(name -> new InetSocketAddress(name, onPort))
              .orElseGet(() -> new InetSocketAddress(onPort)));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static Metrics metrics(Environment env) throws ConfigException {
    String value = env.text(METRICS, "both");
    try {
      return Metrics.valueOf(value.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw env.invalid(METRICS, value, "raw, normalised or both");
    }
  }

  private static boolean jvmMetrics(Environment env, String prefix) throws ConfigException {
    boolean areShown = env.flag(JVM_METRICS);
    if (areShown && JVM_PREFIX.matcher(prefix).matches()) {
      throw env.invalid(
          METRICS_PREFIX, prefix, "a prefix other than jvm and process with " + JVM_METRICS);
    }
    return areShown;
  }

  private static Optional<String> address(Environment env) throws ConfigException {
    Optional<String> value = env.note(ADDRESS, "all");
    if (value.isPresent() && !ADDRESS_PATTERN.matcher(value.get()).matches()) {
      throw env.invalid(
          ADDRESS, value.get(), "an address of this machine without a port, such as 127.0.0.1");
    }
    return value;
  }

  private static Optional<Path> webConfig(Environment env) throws ConfigException {
    Optional<String> value = env.text(WEB_CONFIG);
    if (value.isEmpty()) {
      return Optional.empty();
    }
    try {
      return TimeLimit.START.read(
          () ->
              env.path(
                  WEB_CONFIG,
                  Files::isRegularFile,
                  "a readable file in the format of Prometheus' web.yml"));
    } catch (TimeoutException e) {
      throw new ConfigException(WEB_CONFIG + "=" + value.get() + " " + TimeLimit.START);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ConfigException invalid) {
        throw invalid;
      }
      throw new IllegalStateException(e.getCause());
    }
  }
}
