package ecoflow;

import ecoflow.config.Settings.LogLevel;
import java.util.Map;

/**
 * Sets up the log before the first logger is made. The libraries are one step quieter than the
 * exporter, and the HTTP client never logs below INFO: it would print headers with secrets.
 */
final class Logging {

  private static final String KEY = "org.slf4j.simpleLogger.";
  private static final String PROVIDER = "slf4j.provider";

  private Logging() {}

  static void level(LogLevel level) {
    boolean debug = level == LogLevel.DEBUG;
    Map<String, String> defaults =
        Map.of(
            "showDateTime", "true",
            "dateTimeFormat", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            "showThreadName", "false",
            "showShortLogName", "true",
            "levelInBrackets", "false",
            "defaultLogLevel", debug ? "info" : level == LogLevel.INFO ? "warn" : name(level),
            "log.ecoflow", name(level),
            // It logs each failed attempt with a stack trace; LinkKeeper says it in a line.
            "log.io.vertx.mqtt", "off",
            // It tells that Java resolves names, as if that were a defect.
            "log.io.vertx.core.spi.resolver", "warn",
            // Route files log under their own names.
            "log.org.apache.camel.component.log", name(level));
    provide();
    defaults.forEach(
        (key, value) -> {
          // What the user sets with -D stays.
          if (System.getProperty(KEY + key) == null) {
            System.setProperty(KEY + key, value);
          }
        });
  }

  /** Without it SLF4J takes the simple one, as in tests, where the log is set up before. */
  private static void provide() {
    if (System.getProperty(PROVIDER) == null) {
      System.setProperty(PROVIDER, LogProvider.class.getName());
      // It would tell that it takes the provider.
      System.setProperty("slf4j.internal.verbosity", "WARN");
    }
  }

  private static String name(LogLevel level) {
    return level.name().toLowerCase(java.util.Locale.ROOT);
  }
}
