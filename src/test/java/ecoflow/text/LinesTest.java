package ecoflow.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.junit.jupiter.api.Test;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

class LinesTest {

  private final List<String> lines = new ArrayList<>();
  private long nanos = Long.MAX_VALUE - 5;
  private final Lines log = new Lines(new LineLogger(), () -> nanos);

  private void pass(long seconds) {
    nanos += Duration.ofSeconds(seconds).toNanos();
  }

  @Test
  void topicsAreShownWithoutUser() {
    assertEquals(
        "/app/***/R331/thing/property/get, /app/device/status/R331, /open/***/R331/quota",
        Lines.withoutUser(
            "/app/16123/R331/thing/property/get, /app/device/status/R331,"
                + " /open/open-0123/R331/quota"));
  }

  @Test
  void firstLineIsWrittenThenOnePerMinute() {
    for (int second = 0; second < 180; second++) {
      log.warn("A", "line " + second);
      pass(1);
    }
    assertEquals(
        List.of(
            "line 0",
            "line 60 (similar lines suppressed: 59)",
            "line 120 (similar lines suppressed: 59)"),
        lines);
  }

  @Test
  void eachSubjectHasItsOwnLimit() {
    log.warn("A", "a1");
    log.warn("B", "b1");
    log.warn("A", "a2");
    pass(60);
    log.warn("B", "b2");
    log.warn("A", "a3");
    assertEquals(List.of("a1", "b1", "b2", "a3 (similar lines suppressed: 1)"), lines);
  }

  @Test
  void changedLineIsLoggedOnceWhenThePauseIsOver() {
    Map<String, String> logged = new HashMap<>();
    for (String line : List.of("a", "a", "b", "b", "b", "b", "b", "b", "b", "a", "a")) {
      log.warnOnChange(logged, "S", line);
      pass(10);
    }
    assertEquals(List.of("a", "b (similar lines suppressed: 4)"), lines);
    pass(60);
    log.warnOnChange(logged, "S", "b");
    log.warnOnChange(logged, "S", "a");
    pass(60);
    log.warnOnChange(logged, "S", "a");
    assertEquals("a (similar lines suppressed: 2)", lines.get(2));
    assertEquals(3, lines.size());
  }

  @Test
  void lineIsNotAPattern() {
    log.warn("A", "{} {}");
    assertEquals(List.of("{} {}"), lines);
  }

  @Test
  void oldestSubjectIsForgottenAfterAThousand() {
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

  /** Stores the lines. */
  private final class LineLogger extends LegacyAbstractLogger {

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
  void chainContainsEachFailureOnce() {
    Exception refused = new java.net.ConnectException("Connection refused");
    Exception failure = new IllegalStateException("Connection to 10.0.0.1:5432\nrefused", refused);
    Exception wrapper = new RuntimeException(failure);

    assertEquals(
        "IllegalStateException: Connection to 10.0.0.1:5432 refused; ConnectException: Connection"
            + " refused",
        Lines.chain(wrapper));
    assertEquals("Exception: null", Lines.chain(new Exception()));
  }

  @Test
  void describesConnectionClosedWithoutResponse() {
    assertEquals(
        "the server closed the connection on /auth/login",
        Lines.describe(
            new IOException(new NoHttpResponseException("failed to respond")), "/auth/login"));
  }

  /** C0, C1, separators of lines, and characters that change the direction of text. */
  private static final String CONTROLS =
      "\u0000\t\n\u001b\u007f\u0080\u0085\u009f\u2028\u2029\u061c\u200e\u200f\u202a\u202e\u2066\u2069";

  @Test
  void namesHaveNoControlCharacters() {
    assertEquals("Garage", Lines.name(CONTROLS + "Gar" + CONTROLS + "age" + CONTROLS));
    assertEquals("", Lines.name(CONTROLS));
    assertEquals("K\u00fcche \u00a0\u05d0", Lines.name("K\u00fcche \u00a0\u05d0"));
    // Unpaired surrogates cannot be encoded in UTF-8; the parts of an emoji are kept together.
    assertEquals("ab", Lines.name("a\ud83d" + "b\ude00"));
    assertEquals("\ud83d\udc68\u200d\ud83d\udc67", Lines.name("\ud83d\udc68\u200d\ud83d\udc67"));
  }

  @Test
  void namesAreTruncatedBetweenCharacters() {
    assertEquals("n".repeat(200), Lines.name("n".repeat(200)));
    assertEquals("n".repeat(200), Lines.name("n".repeat(1_000_000)));
    assertEquals("n" + "\ud83d\ude00".repeat(199), Lines.name("n" + "\ud83d\ude00".repeat(300)));
    assertEquals("n".repeat(200), Lines.name("\n".repeat(300) + "n".repeat(200)));
  }

  @Test
  void linesAreTruncatedAndHaveNoControlCharacters() {
    assertEquals("a b", Lines.oneLine("\na" + CONTROLS + "b"));
    assertEquals("\ud83d\ude00".repeat(160) + "...", Lines.oneLine("\ud83d\ude00".repeat(161)));
  }

  @Test
  void longListsAreShortened() {
    List<String> serials = IntStream.rangeClosed(1, 25).mapToObj(i -> "D" + i).toList();
    assertEquals("D1, D2", Lines.abbreviate(serials.subList(0, 2)));
    assertEquals(
        String.join(", ", serials.subList(0, 20)), Lines.abbreviate(serials.subList(0, 20)));
    assertEquals(
        String.join(", ", serials.subList(0, 20)) + " and 5 more", Lines.abbreviate(serials));
  }
}
