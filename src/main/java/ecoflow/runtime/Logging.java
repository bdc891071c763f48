package ecoflow.runtime;

import ecoflow.config.Settings.LogLevel;
import java.util.HashMap;
import java.util.Map;

/**
 * Sets up the log before the first logger is made. The libraries are one step quieter than the
 * exporter, and the HTTP client never logs below INFO: it would print headers with secrets.
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
    // Also what route files log, under the id of the route or a name that they choose.
    defaults.put("defaultLogLevel", name(level));
    for (String libraries : new String[] {"com", "io", "net", "org"}) {
      defaults.put("log." + libraries, quieter(level));
    }
    // It logs each failed attempt with a stack trace; LinkKeeper says it in a line.
    defaults.put("log.io.vertx.mqtt", "off");
    // A connection that was still being made fails after its event loop has ended with the
    // exporter.
    defaults.put("log.io.netty.util.concurrent.DefaultPromise.rejectedExecution", "off");
    // It tells that Java resolves names, as if that were a defect.
    defaults.put("log.io.vertx.core.spi.resolver", "warn");
    // That routes did not stop in time: EcoflowExporter says which, if they do not stop at all.
    defaults.put("log.org.apache.camel.impl.engine.DefaultShutdownStrategy", "error");
    defaults.put("log.org.apache.camel.impl.engine.DefaultInflightRepository", "error");
    provide();
    defaults.forEach(
        (key, value) -> {
          // What the user sets with -D stays.
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
