package ecoflow.config;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Where the metrics are, what they are and how their names begin.
 *
 * @param port of /metrics, /-/healthy and /-/ready
 * @param prefix of all metric names, without the underscore
 * @param metrics of devices
 * @param energyHold a power counts so long after the last message of its device
 */
public record PageSettings(int port, String prefix, Metrics metrics, Duration energyHold) {

  private static final String METRICS = "ECOFLOW_METRICS";
  private static final Pattern PREFIX = Pattern.compile("[a-zA-Z_:][a-zA-Z0-9_:]*");

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
        env.matching(
            "METRICS_PREFIX",
            "ecoflow",
            PREFIX,
            "letters, digits, _ and :, not starting with a digit"),
        metrics(env),
        env.seconds("ECOFLOW_ENERGY_HOLD", "300", "1", "86400"));
  }

  private static Metrics metrics(Environment env) throws ConfigException {
    String value = env.text(METRICS, "both");
    try {
      return Metrics.valueOf(value.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw Environment.bad(METRICS, value, "raw, normalised or both");
    }
  }
}
