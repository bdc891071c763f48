package ecoflow.runtime;

import ecoflow.config.Settings.LogLevel;
import java.util.HashMap;
import java.util.Map;

/**
 * Configures the log before the first logger is created. Libraries log one level less than the
 * exporter, and the HTTP client never logs below INFO, because it would log headers with secrets.
 */
public final class Logging {

  private static final String KEY = "org.slf4j.simpleLogger.";
  private static final String PROVIDER = "slf4j.provider";

  private Logging() {}

  public static void level(LogLevel level) {
    Map<String, String> defaults = new HashMap<>();
    defaults.put("showDateTime", "true");
    defaults.put("dateTimeFormat", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX");
    defaults.put("showThreadName", "false");
    defaults.put("showShortLogName", "true");
    defaults.put("levelInBrackets", "false");
    // Includes the log steps of route files, under the id of the route or the name they set.
    defaults.put("defaultLogLevel", name(level));
    for (String libraries : new String[] {"com", "io", "net", "org"}) {
      defaults.put("log." + libraries, quieter(level));
    }
    // Logs each failed attempt with a stack trace; LinkKeeper logs one line.
    defaults.put("log.io.vertx.mqtt", "off");
    // A connection attempt fails when the event loop ends with the exporter.
    defaults.put("log.io.netty.util.concurrent.DefaultPromise.rejectedExecution", "off");
    // Warns that Java resolves names, which is intended.
    defaults.put("log.io.vertx.core.spi.resolver", "warn");
    // Routes that did not stop in time; EcoflowExporter logs those that do not stop at all.
    defaults.put("log.org.apache.camel.impl.engine.DefaultShutdownStrategy", "error");
    defaults.put("log.org.apache.camel.impl.engine.DefaultInflightRepository", "error");
    provide();
    defaults.forEach(
        (key, value) -> {
          // A value that the user sets with -D has priority.
          if (System.getProperty(KEY + key) == null) {
            System.setProperty(KEY + key, value);
          }
        });
  }

  private static String quieter(LogLevel level) {
    return switch (level) {
      case DEBUG -> "info";
      case INFO -> "warn";
      default -> name(level);
    };
  }

  /**
   * Without this property SLF4J uses the simple provider, as in tests, which configure the log
   * before.
   */
  private static void provide() {
    if (System.getProperty(PROVIDER) == null) {
      System.setProperty(PROVIDER, LogProvider.class.getName());
      // SLF4J would log that it uses the provider.
      System.setProperty("slf4j.internal.verbosity", "WARN");
    }
  }

  private static String name(LogLevel level) {
    return level.name().toLowerCase(java.util.Locale.ROOT);
  }
}
