package ecoflow.config;

import java.util.regex.Pattern;

/**
 * Where the metrics are and how their names begin.
 *
 * @param port of /metrics, /-/healthy and /-/ready
 * @param prefix of all metric names, without the underscore
 */
public record PageSettings(int port, String prefix) {

  private static final Pattern PREFIX = Pattern.compile("[a-zA-Z_:][a-zA-Z0-9_:]*");

  static PageSettings read(Environment env) throws ConfigException {
    return new PageSettings(
        env.number("EXPORTER_PORT", 9090, 1, 65535),
        env.matching(
            "METRICS_PREFIX",
            "ecoflow",
            PREFIX,
            "letters, digits, _ and :, not starting with a digit"));
  }
}
