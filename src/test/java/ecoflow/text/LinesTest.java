package ecoflow.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.junit.jupiter.api.Test;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

class LinesTest {

  private final List<String> lines = new ArrayList<>();
  private long nanos = Long.MAX_VALUE - 5;
  private final Lines log = new Lines(new Written(), () -> nanos);

  private void pass(long seconds) {
    nanos += Duration.ofSeconds(seconds).toNanos();
  }

  @Test
  void topicsAreToldWithoutWhoseTheyAre() {
    assertEquals(
        "/app/***/R331/thing/property/get, /app/device/status/R331, /open/***/R331/quota",
        Lines.withoutUser(
            "/app/16123/R331/thing/property/get, /app/device/status/R331,"
                + " /open/open-0123/R331/quota"));
  }

  @Test
  void theFirstLineAndThenOneAMinute() {
    for (int second = 0; second < 180; second++) {
      log.warn("A", "line " + second);
      pass(1);
    }
    assertEquals(
        List.of(
            "line 0",
            "line 60 (59 more like this since the last line)",
            "line 120 (59 more like this since the last line)"),
        lines);
  }

  @Test
  void eachSubjectHasItsOwn() {
    log.warn("A", "a1");
    log.warn("B", "b1");
    log.warn("A", "a2");
    pass(60);
    log.warn("B", "b2");
    log.warn("A", "a3");
    assertEquals(List.of("a1", "b1", "b2", "a3 (1 more like this since the last line)"), lines);
  }

  @Test
  void aLineIsNoPattern() {
    log.warn("A", "{} {}");
    assertEquals(List.of("{} {}"), lines);
  }

  @Test
  void thousandSubjectsAreKnownTheOldestGoes() {
    for (int i = 0; i <= 1000; i++) {
      log.warn("subject " + i, "first");
    }
    lines.clear();
    log.warn("subject 1000", "known");
    log.warn("subject 1", "known");
    assertEquals(List.of(), lines);
    log.warn("subject 0", "forgotten");
    assertEquals(List.of("forgotten"), lines);
  }

  /** Keeps the warnings. */
  private final class Written extends LegacyAbstractLogger {

    private static final long serialVersionUID = 1L;

    @Override
    public boolean isTraceEnabled() {
      return false;
    }

    @Override
    public boolean isDebugEnabled() {
      return false;
    }

    @Override
    public boolean isInfoEnabled() {
      return true;
    }

    @Override
    public boolean isWarnEnabled() {
      return true;
    }

    @Override
    public boolean isErrorEnabled() {
      return true;
    }

    @Override
    protected String getFullyQualifiedCallerName() {
      return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
        Level level, Marker marker, String pattern, Object[] arguments, Throwable failure) {
      lines.add(MessageFormatter.basicArrayFormat(pattern, arguments));
    }
  }

  @Test
  void aChainTellsEachFailureOnce() {
    Exception refused = new java.net.ConnectException("Connection refused");
    Exception told = new IllegalStateException("Connection to 10.0.0.1:5432\nrefused", refused);
    Exception wrapper = new RuntimeException(told);

    assertEquals(
        "IllegalStateException: Connection to 10.0.0.1:5432 refused; ConnectException: Connection"
            + " refused",
        Lines.chain(wrapper));
    assertEquals("Exception: null", Lines.chain(new Exception()));
  }

  @Test
  void aServerThatClosesWithoutAnAnswerIsDescribedInWords() {
    assertEquals(
        "the server closed the connection on /auth/login",
        Lines.describe(
            new IOException(new NoHttpResponseException("failed to respond")), "/auth/login"));
  }
}
