package ecoflow.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedeliveryTest {

  private static final Instant NOW = Instant.parse("2026-01-05T10:00:00Z");

  private static Duration retryAfter(Map<String, String> headers) {
    return Redelivery.retryAfter(
        new HttpOperationFailedException(
            "https://localhost/", 503, "Unavailable", null, headers, "body"),
        NOW);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | 0",
        "7 | 7",
        " 7  | 7",
        "60 | 60",
        "61 | 60",
        "999999999 | 60",
        "Mon, 05 Jan 2026 10:00:20 GMT | 20",
        "Mon, 5 Jan 2026 10:00:20 GMT | 20",
        "Mon, 05 Jan 2026 09:59:00 GMT | 0",
        "Tue, 06 Jan 2026 10:00:00 GMT | 60"
      })
  void acceptsSecondsOrDateUpToOneMinute(String value, int seconds) {
    assertEquals(Duration.ofSeconds(seconds), retryAfter(Map.of("Retry-After", value)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "-5",
        "+5",
        "1.5",
        "5s",
        "soon",
        "9999999999",
        "Sun, 05 Jan 2026 10:00:20 GMT",
        "Mon, 05 Jan 2026",
        "2026-01-05T10:00:20Z",
        "\u0667"
      })
  void ignoresInvalidValues(String value) {
    assertNull(retryAfter(Map.of("Retry-After", value)));
  }

  @Test
  void ignoresCaseOfHeader() {
    assertEquals(Duration.ofSeconds(3), retryAfter(Map.of("retry-after", "3")));
  }

  @Test
  void otherFailuresHaveNoRetryAfter() {
    assertNull(retryAfter(Map.of()));
    assertNull(retryAfter(null));
    assertNull(Redelivery.retryAfter(new IOException("closed"), NOW));
    assertNull(Redelivery.retryAfter(null, NOW));
  }
}
