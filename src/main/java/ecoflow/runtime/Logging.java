package ecoflow.runtime;

import ecoflow.config.Settings.LogLevel;
import java.util.HashMap;
import java.util.Map;

/**
 * Configures the log before the first logger is created. The level of libraries is one level above
 * that of the exporter. The HTTP client never logs at DEBUG, because it would log headers with
 * secrets.
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
    // Also applies to the log steps of route files, whose logger is the id of the route or a name
    // that they set.
    defaults.put("defaultLogLevel", name(level));
    for (String libraries : new String[] {"com", "io", "net", "org"}) {
      defaults.put("log." + libraries, quieter(level));
    }
    // Would log each failed attempt with a stack trace. LinkKeeper logs one line.
    defaults.put("log.io.vertx.mqtt", "off");
    // Would log connection attempts that fail because the exporter stops.
    defaults.put("log.io.netty.util.concurrent.DefaultPromise.rejectedExecution", "off");
    // Would log that Java resolves host names, which is intended.
    defaults.put("log.io.vertx.core.spi.resolver", "warn");
    // Would log routes that did not stop in time. EcoflowExporter logs those that do not stop at
    // all.
    defaults.put("log.org.apache.camel.impl.engine.DefaultShutdownStrategy", "error");
    defaults.put("log.org.apache.camel.impl.engine.DefaultInflightRepository", "error");
    // Would log thread pools that did not stop in time.
    defaults.put("log.org.apache.camel.impl.engine.BaseExecutorServiceManager", "error");
    provide();
    defaults.forEach(
        (key, value) -> {
          // A value that the user sets with -D takes precedence.
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
   * Without this property, SLF4J uses the simple provider. Tests use it, because they configure the
   * log earlier.
   */
  private static void provide() {
    if (System.getProperty(PROVIDER) == null) {
      System.setProperty(PROVIDER, LogProvider.class.getName());
      // Otherwise SLF4J logs that it uses the provider.
      System.setProperty("slf4j.internal.verbosity", "WARN");
    }
  }

  private static String name(LogLevel level) {
    return level.name().toLowerCase(java.util.Locale.ROOT);
  }
}
