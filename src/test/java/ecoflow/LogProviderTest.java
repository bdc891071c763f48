package ecoflow;

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

/** What the log writes. */
class LogProviderTest {

  private static final Exception REFUSED = new ConnectException("Connection refused");

  private final ILoggerFactory loggers = loggers();

  private static ILoggerFactory loggers() {
    LogProvider provider = new LogProvider();
    provider.initialize();
    return provider.getLoggerFactory();
  }

  private List<String> written(String logger, Consumer<Logger> task) {
    PrintStream before = System.err;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    System.setErr(new PrintStream(written, true, UTF_8));
    try {
      task.accept(loggers.getLogger(logger));
    } finally {
      System.setErr(before);
    }
    return written.toString(UTF_8).lines().toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "io.micrometer.x.XMeterRegistry",
        "com.codahale.metrics.graphite.GraphiteReporter"
      })
  void registriesFailInOneLine(String logger) {
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

  @Test
  void othersLogAsTheyDid() {
    List<String> lines = written("org.example.Other", log -> log.warn("Unable to report", REFUSED));

    assertTrue(lines.get(0).endsWith(" - Unable to report"), () -> "" + lines);
    assertEquals("java.net.ConnectException: Connection refused", lines.get(1));
    assertTrue(lines.size() > 2, "a stack trace");
    assertSame(loggers.getLogger("a"), loggers.getLogger("a"));
    assertSame(loggers.getLogger("io.micrometer.a"), loggers.getLogger("io.micrometer.a"));
  }
}
