package ecoflow.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.text.ClockOffset;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The advice for a rejected signature, which depends on the header Date of the response. */
class ClockAdviceTest {

  private static final String DATE = "Mon, 30 Nov 2026 08:00:00 GMT";

  private static CloudException failure(String code, String message, String date, String now) {
    return assertThrows(
        CloudException.class,
        () ->
            Answers.data(
                Map.of("code", code, "message", message),
                () -> ClockOffset.of(date, Instant.parse(now))));
  }

  @ParameterizedTest
  @CsvSource({
    "2026-11-30T08:10:00Z, the clock of this machine is 600 s ahead: correct it",
    "2026-11-30T06:00:00Z, the clock of this machine is 7200 s behind: correct it",
    "2026-11-30T08:01:00Z, check ECOFLOW_SECRET_KEY; the clock of this machine is correct",
    "2026-11-30T07:59:00Z, check ECOFLOW_SECRET_KEY; the clock of this machine is correct",
    "2026-11-30T08:01:01Z, the clock of this machine is 61 s ahead: correct it",
  })
  void theClockIsOnlySuspectedIfItsOffsetIsLarge(String now, String advice) {
    CloudException failure = failure("8521", "signature is wrong", DATE, now);
    assertEquals(
        "code 8521 (signature is wrong) on /path: " + advice, failure.message(" on /path"));
    assertEquals("EcoFlow refuses the access key (code 8521): " + advice, failure.refusal());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "today"})
  void theClockIsSuspectedIfItsOffsetIsUnknown(String date) {
    assertEquals(
        "EcoFlow refuses the access key (code 8521): check the clock of this machine and"
            + " ECOFLOW_SECRET_KEY",
        failure("8521", "signature is wrong", date.isEmpty() ? null : date, "2026-11-30T08:00:00Z")
            .refusal());
  }

  @Test
  void theClockIsOnlyComparedForARejectedSignature() {
    assertThrows(
        CloudException.class,
        () ->
            Answers.data(
                Map.of("code", "8513", "message", "accessKey is invalid"),
                () -> {
                  throw new IllegalStateException();
                }));
    assertEquals(Optional.empty(), ClockOffset.of(null, Instant.EPOCH));
  }

  @ParameterizedTest
  @CsvSource({
    "1006, device offline, true",
    "1006, Device is OFFLINE., true",
    "1006, The device is not online, true",
    "1006, current device is not allowed to get device info, false",
    "1006, no permission to do it, false",
    "8512, device offline, false",
    "8521, device offline, false",
  })
  void anOfflineDeviceIsRecognisedByCodeAndMessage(String code, String message, boolean isOffline) {
    CloudException failure = failure(code, message, DATE, "2026-11-30T08:00:00Z");
    assertEquals(isOffline, failure.isDeviceOffline());
    assertEquals(code.equals("1006") && isOffline, !failure.hasAdvice());
    if (code.equals("8521")) {
      assertTrue(failure.isRefusal());
      assertFalse(failure.isAboutDevice());
    } else {
      assertTrue(failure.isAboutDevice());
    }
  }
}
