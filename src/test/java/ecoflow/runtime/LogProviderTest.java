package ecoflow.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.ConnectException;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;

/** The lines that the log provider writes. */
class LogProviderTest {

  private static final Exception REFUSED = new ConnectException("Connection refused");

  private final ILoggerFactory loggers = loggers();

  private static ILoggerFactory loggers() {
    LogProvider provider = new LogProvider();
    provider.initialize();
    return provider.getLoggerFactory();
  }

  private List<String> written(String logger, Consumer<Logger> task) {
    // Another test of the same process can have set the level of a parent, such as Kafka's.
    String level = "org.slf4j.simpleLogger.log." + logger;
    System.setProperty(level, "info");
    PrintStream before = System.err;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    System.setErr(new PrintStream(written, true, UTF_8));
    try {
      task.accept(loggers.getLogger(logger));
    } finally {
      System.setErr(before);
      System.clearProperty(level);
    }
    return written.toString(UTF_8).lines().toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "io.micrometer.x.XMeterRegistry",
        "com.codahale.metrics.graphite.GraphiteReporter",
        "org.apache.kafka.clients.NetworkClient"
      })
  void libraryFailuresAreSingleLines(String logger) {
    List<String> lines =
        written(
            logger,
            log -> {
              for (int i = 0; i < 3; i++) {
                log.warn("Unable to report", REFUSED);
                log.error("failed to send {} to {}", i, "nobody", REFUSED);
                log.warn("batch " + i + " is too large");
              }
            });

    assertEquals(3, lines.size(), () -> "" + lines);
    String start = "WARN " + logger + " - ";
    String why = ": connection refused or host unreachable";
    assertTrue(lines.get(0).endsWith(start + "Unable to report" + why), () -> "" + lines);
    assertTrue(lines.get(1).endsWith(start + "failed to send 0 to nobody" + why), () -> "" + lines);
    assertTrue(lines.get(2).endsWith(start + "batch 0 is too large"), () -> "" + lines);
  }

  /** Camel logs an unhandled failure twice, with and without the history of the message. */
  @Test
  void failedMessageIsOneLine() {
    List<String> lines =
        written(
            "org.apache.camel.processor.errorhandler.DefaultErrorHandler",
            log -> {
              for (int i = 0; i < 3; i++) {
                Exception failure = new IllegalStateException("no " + i + "\nat all");
                log.error(
                    "Failed delivery for (MessageId: A-"
                        + i
                        + ").\n\tat x\nraw/raw   "
                        + (i < 2 ? "from[seda://changes-raw]" : "from[seda://changes-other]"),
                    failure);
                loggers
                    .getLogger("org.apache.camel.component.seda.SedaConsumer")
                    .warn("Error processing exchange. Exchange[A-{}]", i, failure);
              }
            });

    String start = "WARN ecoflow.routes - A message from seda://changes-";
    assertEquals(2, lines.size(), () -> "" + lines);
    assertTrue(
        lines.get(0).endsWith(start + "raw failed: IllegalStateException: no 0 at all"),
        () -> "" + lines);
    assertTrue(
        lines.get(1).endsWith(start + "other failed: IllegalStateException: no 2 at all"),
        () -> "" + lines);
  }

  @Test
  void otherLinesOfCamelAreKept() {
    List<String> lines =
        written(
            "org.apache.camel.main.BaseMainSupport",
            log -> {
              log.warn("property {} is not known", "a");
              log.warn("property {} is not known", "b");
              log.error("Cannot do {}", "it", REFUSED);
            });

    assertEquals(3, lines.size(), () -> "" + lines);
    assertTrue(
        lines
            .get(0)
            .endsWith("WARN org.apache.camel.main.BaseMainSupport - property a is not known"),
        () -> "" + lines);
    assertTrue(lines.get(1).endsWith(" - property b is not known"), () -> "" + lines);
    assertTrue(
        lines.get(2).endsWith(" - Cannot do it: ConnectException: Connection refused"),
        () -> "" + lines);
  }

  @Test
  void otherLoggersKeepStackTraces() {
    List<String> lines = written("org.example.Other", log -> log.warn("Unable to report", REFUSED));

    assertTrue(lines.get(0).endsWith(" - Unable to report"), () -> "" + lines);
    assertEquals("java.net.ConnectException: Connection refused", lines.get(1));
    assertTrue(lines.size() > 2, "a stack trace");
    assertSame(loggers.getLogger("a"), loggers.getLogger("a"));
    assertSame(loggers.getLogger("io.micrometer.a"), loggers.getLogger("io.micrometer.a"));
  }
}
