package ecoflow.runtime;

import ecoflow.text.FailedStep;
import ecoflow.text.Lines;
import java.net.BindException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.simple.SimpleServiceProvider;

/**
 * The SLF4J provider. It shortens the output of libraries that log stack traces or repeat messages
 * while a server is unavailable: Micrometer registries, Kafka clients, and Camel for failures that
 * no route handles. Each failure is logged in one line, which is not repeated immediately. Public
 * because SLF4J creates it by its name.
 */
public final class LogProvider extends SimpleServiceProvider {

  /** com.codahale.metrics is a dependency of some registries, such as Graphite. */
  private static final List<String> BRIEF_LIBRARIES =
      List.of(
          "io.micrometer.", "com.codahale.metrics.", "org.apache.kafka.", "io.vertx.", "io.netty.");

  private static final String CAMEL = "org.apache.camel.";

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
    private final RouteFailures failures;

    Loggers(ILoggerFactory simple) {
      this.simple = simple;
      failures = new RouteFailures(simple.getLogger("ecoflow.routes"));
    }

    @Override
    public Logger getLogger(String name) {
      if (BRIEF_LIBRARIES.stream().anyMatch(name::startsWith)) {
        return brief.computeIfAbsent(name, unused -> new Brief(simple.getLogger(name)));
      }
      return name.startsWith(CAMEL)
          ? brief.computeIfAbsent(name, unused -> new Camel(simple.getLogger(name), failures))
          : simple.getLogger(name);
    }
  }

  /** Logs failures that no route handles. Camel logs each of them twice, with a stack trace. */
  private static final class RouteFailures {

    private static final Pattern FROM = Pattern.compile("from\\[(\\S+)]");

    private final Logger log;
    private final Lines lines;
    private volatile Throwable lastFailure;

    RouteFailures(Logger log) {
      this.log = log;
      lines = new Lines(log, System::nanoTime);
    }

    boolean areBrief() {
      return !log.isDebugEnabled();
    }

    void log(String text, Throwable failure) {
      // When the exporter stops, waiting routes are interrupted and messages are not redelivered.
      boolean isPartOfExit =
          failure instanceof RejectedExecutionException || failure instanceof InterruptedException;
      // The exporter exits with a line about its port.
      isPartOfExit |= failure.getCause() instanceof BindException;
      if (failure == lastFailure || isPartOfExit) {
        return;
      }
      lastFailure = failure;
      Matcher from = FROM.matcher(text);
      String start =
          from.find() ? "A message from " + from.group(1) + " failed" : Lines.oneLine(text);
      start += FailedStep.of(failure).map(step -> " at " + step).orElse("");
      // The subject does not include the text of the failure, which can contain values.
      lines.warn(start + failure.getClass(), start + ": " + Lines.chain(failure));
    }
  }

  /** A logger of Camel, which logs a failure in one line, except at LOG_LEVEL=DEBUG. */
  private static final class Camel extends Delegate {

    private static final long serialVersionUID = 1L;

    private final transient RouteFailures failures;

    Camel(Logger log, RouteFailures failures) {
      super(log);
      this.failures = failures;
    }

    @Override
    protected void handleNormalizedLoggingCall(
        Level level, Marker marker, String pattern, Object[] arguments, Throwable failure) {
      boolean isWarning = level == Level.WARN || level == Level.ERROR;
      if (failure != null && isWarning && failures.areBrief()) {
        OutOfMemory.endIf(failure);
        failures.log(MessageFormatter.basicArrayFormat(pattern, arguments), failure);
      } else {
        log.makeLoggingEventBuilder(level)
            .setCause(failure)
            .log(MessageFormatter.basicArrayFormat(pattern, arguments));
      }
    }
  }

  /** A logger that delegates to another logger, which determines the level. */
  private abstract static class Delegate extends LegacyAbstractLogger {

    private static final long serialVersionUID = 1L;

    final transient Logger log;

    Delegate(Logger log) {
      this.name = log.getName();
      this.log = log;
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

  /**
   * A logger that logs failures in one line, and repeated failures of the same kind at longer
   * intervals.
   */
  static final class Brief extends Delegate {

    private static final long serialVersionUID = 1L;

    /** Registries publish once per minute by default. */
    private static final Duration PAUSE = Duration.ofMinutes(10);

    private final transient Lines lines;

    Brief(Logger log) {
      super(log);
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
        // The subject does not include the parts that differ between occurrences.
        lines.warn(arguments == null ? pattern.replaceAll("[0-9]+", "") : pattern, line);
      } else {
        log.atLevel(level).log("{}", line);
      }
    }
  }
}
