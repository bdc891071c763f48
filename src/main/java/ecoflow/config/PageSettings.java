package ecoflow.config;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where the metrics are, who may see them, what they are and how their names begin.
 *
 * @param port of all pages
 * @param address the one that the port is bound to; empty for all of this machine
 * @param webConfig the file that says who may see the pages, and their TLS
 * @param prefix of all metric names, without the underscore
 * @param metrics of devices
 * @param energyHold a power counts so long after the last message of its device
 */
public record PageSettings(
    int port,
    Optional<String> address,
    Optional<Path> webConfig,
    String prefix,
    Metrics metrics,
    Duration energyHold) {

  private static final String METRICS = "ECOFLOW_METRICS";
  private static final Pattern PREFIX = Pattern.compile("[a-zA-Z_:][a-zA-Z0-9_:]*");
  private static final String ADDRESS = "ECOFLOW_LISTEN_ADDRESS";
  private static final Pattern ADDRESS_ALONE =
      Pattern.compile("[A-Za-z0-9._-]+|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*");
  private static final String WEB_CONFIG = "ECOFLOW_WEB_CONFIG_FILE";

  /** Every number that a device sends, what the numbers mean across models, or both. */
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
    return new PageSettings(
        env.number("EXPORTER_PORT", 9090, 1, 65535),
        address(env),
        webConfig(env),
        env.matching(
            "METRICS_PREFIX",
            "ecoflow",
            PREFIX,
            "letters, digits, _ and :, not starting with a digit"),
        metrics(env),
        env.seconds("ECOFLOW_ENERGY_HOLD", "300", "1", "86400"));
  }

  /** Whether this machine has the address that the page shall listen on. */
  public boolean isAddressHere() {
    return address.isEmpty() || canListen(0);
  }

  /** Whether nobody listens on the page's port yet. */
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
      throw Environment.bad(METRICS, value, "raw, normalised or both");
    }
  }

  private static Optional<String> address(Environment env) throws ConfigException {
    Optional<String> value = env.note(ADDRESS, "all");
    if (value.isPresent() && !ADDRESS_ALONE.matcher(value.get()).matches()) {
      throw Environment.bad(
          ADDRESS, value.get(), "an address of this machine without a port, such as 127.0.0.1");
    }
    return value;
  }

  private static Optional<Path> webConfig(Environment env) throws ConfigException {
    return env.path(
        WEB_CONFIG, Files::isRegularFile, "a readable file in the format of Prometheus' web.yml");
  }
}
