package ecoflow;

import ecoflow.memory.OutOfMemory;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.simple.SimpleServiceProvider;

/**
 * The log, with Micrometer's registries made brief: they write a stack trace whenever they cannot
 * publish, for as long as nobody listens. Their failures become lines that do not repeat. Public
 * for SLF4J, which makes it by its name.
 */
public final class LogProvider extends SimpleServiceProvider {

  /** The second is a library of some of them, such as that for Graphite. */
  private static final List<String> REGISTRIES = List.of("io.micrometer.", "com.codahale.metrics.");

  private ILoggerFactory loggers;

  @Override
  public void initialize() {
    super.initialize();
    loggers = new Loggers(super.getLoggerFactory());
  }

  @Override
  public ILoggerFactory getLoggerFactory() {
    return loggers;
  }

  private static final class Loggers implements ILoggerFactory {

    private final ILoggerFactory simple;
    private final Map<String, Logger> brief = new ConcurrentHashMap<>();

    Loggers(ILoggerFactory simple) {
      this.simple = simple;
    }

    @Override
    public Logger getLogger(String name) {
      return REGISTRIES.stream().anyMatch(name::startsWith)
          ? brief.computeIfAbsent(name, unused -> new Brief(simple.getLogger(name)))
          : simple.getLogger(name);
    }
  }

  /** Writes failures in one line, and those of one kind once in a while. */
  static final class Brief extends LegacyAbstractLogger {

    private static final long serialVersionUID = 1L;

    /** Registries publish once a minute, unless they are told otherwise. */
    private static final Duration PAUSE = Duration.ofMinutes(10);

    private final transient Logger log;
    private final transient Lines lines;

    Brief(Logger log) {
      this.name = log.getName();
      this.log = log;
      this.lines = new Lines(log, System::nanoTime, PAUSE, true);
    }

    @Override
    protected void handleNormalizedLoggingCall(
        Level level, Marker marker, String pattern, Object[] arguments, Throwable failure) {
      OutOfMemory.endIf(failure);
      String line = MessageFormatter.basicArrayFormat(pattern, arguments);
      if (failure != null) {
        line += ": " + Lines.describe(failure);
      }
      if (level == Level.WARN || level == Level.ERROR) {
        // Of one kind: without what differs from time to time.
        lines.warn(arguments == null ? pattern.replaceAll("[0-9]+", "") : pattern, line);
      } else {
        log.atLevel(level).log("{}", line);
      }
    }

    @Override
    protected String getFullyQualifiedCallerName() {
      return null;
    }

    @Override
    public boolean isTraceEnabled() {
      return log.isTraceEnabled();
    }

    @Override
    public boolean isDebugEnabled() {
      return log.isDebugEnabled();
    }

    @Override
    public boolean isInfoEnabled() {
      return log.isInfoEnabled();
    }

    @Override
    public boolean isWarnEnabled() {
      return log.isWarnEnabled();
    }

    @Override
    public boolean isErrorEnabled() {
      return log.isErrorEnabled();
    }
  }
}
