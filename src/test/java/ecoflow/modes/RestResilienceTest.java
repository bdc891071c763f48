package ecoflow.modes;

import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.QUOTA;
import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.CloudOptions;
import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Mode REST during failures of the cloud: the times of requests, and the content of /metrics. */
class RestResilienceTest {

  private static final String SOC = "pd_soc";
  private static final String ONE_POLL = "COLLECTING_INTERVAL=3600";
  private static final String ONE_LIST = "DEVICE_LIST_CACHE_TTL=3600";

  @RegisterExtension static final ExporterExtension exporter = ExporterExtension.rest();

  @TempDir private static Path directory;

  private final Page page = exporter.page();
  private SimulatedCloud cloud;

  @BeforeEach
  void note() {
    cloud = exporter.cloud();
  }

  private static SimulatedCloud strangeCloud() {
    CloudAccount account = CloudAccount.DEFAULT;
    return SimulatedCloud.start(
        CloudOptions.DEFAULT.withAccount(
            new CloudAccount(
                account.email(), account.password(), account.userId(), "otherKey", "otherSecret")));
  }

  /** A file with the CA certificates of both. */
  private static String authorities(SimulatedCloud first, SimulatedCloud second) {
    try {
      Path file = Files.createTempFile(directory, "authorities", ".pem");
      Files.writeString(file, Files.readString(first.caFile()) + Files.readString(second.caFile()));
      return file.toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void next(SimulatedDevice device, Fault... faults) {
    cloud.faults().next(QUOTA, device, faults);
  }

  private void always(SimulatedDevice device, Fault fault) {
    cloud.faults().always(QUOTA, device, fault);
  }

  private List<CloudRequest> requests(SimulatedDevice device) {
    return cloud.requests(QUOTA, device);
  }

  private List<CloudRequest> requestsSince(SimulatedDevice device, Instant from) {
    return requests(device).stream().filter(request -> !request.time().isBefore(from)).toList();
  }

  private static Predicate<CloudRequest> between(CloudRequest first, CloudRequest last) {
    return request -> request.time().isAfter(first.time()) && request.time().isBefore(last.time());
  }

  private int asked(SimulatedDevice device) {
    return requests(device).size();
  }

  private static long distinct(List<CloudRequest> requests, String header) {
    return requests.stream().map(request -> request.header(header)).distinct().count();
  }

  @Nested
  class RetryAfter {

    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void retryAfterInSecondsIsHonoured(int status) {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      SimulatedDevice other = exporter.addDevice(Map.of("pd.soc", 1));
      next(device, Fault.status(status).withHeader("Retry-After", "3"));
      exporter.start("COLLECTING_INTERVAL=0.2", "HTTP_RETRIES=2");
      page.eventuallyShows(device, SOC, 1);
      CloudRequest failed = requests(device).get(0);
      CloudRequest retry = requests(device).get(1);
      assertTrue(
          retry.millisAfter(failed) >= 3000, "pause of " + retry.millisAfter(failed) + " ms");
      assertNotEquals(failed.header("nonce"), retry.header("nonce"));
      assertNotEquals(failed.header("timestamp"), retry.header("timestamp"));
      assertEquals(0, page.scrapes(device, "error"));
      long others = requests(other).stream().filter(between(failed, retry)).count();
      if (status == 503) {
        assertTrue(others >= 2, others + " polls of the other device meanwhile");
      } else {
        // The call in progress, and one between the end of the pause and the retry.
        assertTrue(others <= 2, others + " polls of the other device within the pause");
      }
    }

    @Test
    void retryAfterAsADateIsHonoured() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      Instant date = Instant.now().plusSeconds(4).truncatedTo(ChronoUnit.SECONDS);
      next(
          device,
          Fault.status(503)
              .withHeader(
                  "Retry-After",
                  DateTimeFormatter.RFC_1123_DATE_TIME.format(
                      ZonedDateTime.ofInstant(date, ZoneOffset.UTC))));
      exporter.start(ONE_POLL);
      page.eventuallyShows(device, SOC, 1);
      List<CloudRequest> attempts = requests(device);
      assertEquals(2, attempts.size());
      // The date has whole milliseconds.
      assertTrue(!attempts.get(1).time().isBefore(date.minusMillis(1)), attempts.toString());
    }

    @Test
    void otherDevicesArePolledDuringAPause() {
      SimulatedDevice waiting = exporter.addDevice(Map.of("pd.soc", 1));
      SimulatedDevice other = exporter.addDevice(Map.of("pd.soc", 1));
      always(waiting, Fault.status(503).withHeader("Retry-After", "3600"));
      exporter.start();
      page.eventuallyShows(other, SOC, 1);
      eventually(() -> assertEquals(1, asked(waiting)));
      for (int soc = 2; soc < 6; soc++) {
        other.set(Map.of("pd.soc", soc));
        page.eventuallyShows(other, SOC, soc);
      }
      assertEquals(1, asked(waiting));
    }
  }

  @Nested
  class ErrorCodes {

    @Test
    void aRejectedSignatureIsRetriedWithANewOne() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      Fault wrong = Fault.code("8521", "signature is wrong");
      cloud.faults().next(DEVICE_LIST, wrong);
      next(device, wrong, wrong);
      int before = cloud.requests(DEVICE_LIST).size();
      exporter.start(ONE_POLL, ONE_LIST);
      page.eventuallyShows(device, SOC, 1);
      List<CloudRequest> lists = cloud.requests(DEVICE_LIST).subList(before, before + 2);
      assertEquals(before + 2, cloud.requests(DEVICE_LIST).size());
      assertEquals(3, asked(device));
      for (List<CloudRequest> attempts : List.of(lists, requests(device))) {
        assertEquals(attempts.size(), distinct(attempts, "nonce"));
        assertEquals(attempts.size(), distinct(attempts, "timestamp"));
      }
      assertEquals(0, page.scrapes(device, "error"));
    }

    /** As with a wrong secret key. */
    @Test
    void aRejectedSignatureIsNotRetriedForever() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      cloud.faults().always(QUOTA, device, Fault.code("8521", "signature is wrong"));
      exporter.start(ONE_POLL, ONE_LIST, "HTTP_RETRIES=2");
      eventually(() -> assertEquals(1, page.scrapes(device, "error")));
      assertEquals(3, asked(device));
    }

    @Test
    void theRegionOfTheKeysIsFoundAndKept() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      try (SimulatedCloud stranger = strangeCloud()) {
        exporter.start(
            "ECOFLOW_API_HOST=" + stranger.apiHost() + "," + cloud.apiHost(),
            "ECOFLOW_CA_FILE=" + authorities(stranger, cloud));
        page.eventuallyShows(device, SOC, 1);
        // After a success, other regions are not tried.
        cloud.faults().always(DEVICE_LIST, Fault.code("8513", "accessKey is invalid"));
        always(device, Fault.code("8513", "accessKey is invalid"));
        double errors = page.scrapes(device, "error");
        eventually(() -> assertTrue(page.scrapes(device, "error") >= errors + 3));
        cloud.faults().clear();
        device.set(Map.of("pd.soc", 2));
        page.eventuallyShows(device, SOC, 2);
        assertEquals(1, stranger.requests().size());
      }
    }

    @Test
    void keysOfNoRegionEndTheProcess() {
      try (SimulatedCloud first = strangeCloud();
          SimulatedCloud second = strangeCloud()) {
        exporter.start(
            "ECOFLOW_API_HOST=" + first.apiHost() + "," + second.apiHost(),
            "ECOFLOW_CA_FILE=" + authorities(first, second),
            "ECOFLOW_ACCESS_KEY=nobodysKey",
            "ESTABLISH_ATTEMPTS=4",
            "RETRY_TIMEOUT=0.1");
        assertEquals(1, exporter.exitCode());
        assertEquals(4, first.requests().size(), "one for each attempt");
        assertEquals(1, second.requests().size(), "one in total");
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1006", "8512"})
    void aDeviceThatRejectsDeveloperKeysIsPolledAfterGrowingPauses(String code) {
      SimulatedDevice open = exporter.addDevice(Map.of("pd.soc", 1));
      SimulatedDevice closed = exporter.addDevice(Map.of("pd.soc", 1));
      always(closed, Fault.code(code, "no permission to do it"));
      exporter.start("COLLECTING_INTERVAL=0.1", "RETRY_TIMEOUT=0.2");
      eventually(() -> assertEquals(4, asked(closed)));
      List<CloudRequest> attempts = requests(closed);
      for (int i = 1; i < 4; i++) {
        long least = 200L << i;
        long gap = attempts.get(i).millisAfter(attempts.get(i - 1));
        assertTrue(gap >= least, "pause " + i + " of " + gap + " ms instead of " + least);
      }
      long others =
          requests(open).stream().filter(between(attempts.get(2), attempts.get(3))).count();
      assertTrue(others >= 3, others + " polls of the other device meanwhile");
      assertEquals(0, page.scrapes(open, "error"));
      assertEquals(Double.NaN, page.of(closed, SOC));
      cloud.faults().clear();
      page.eventuallyShows(closed, SOC, 1);
      // No longer in quarantine.
      double before = page.scrapes(closed, "success");
      eventually(() -> assertTrue(page.scrapes(closed, "success") >= before + 3));
    }
  }

  @Nested
  class Cooldowns {

    static Stream<Arguments> pauses() {
      return Stream.of(
          Arguments.of("401", Fault.status(401)),
          Arguments.of("403", Fault.status(403)),
          Arguments.of("429", Fault.status(429)),
          Arguments.of("busy", Fault.code("1", "Server is too busy, try later")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pauses")
    void aCooldownAppliesToAllCalls(String name, Fault fault) {
      SimulatedDevice refused = exporter.addDevice(Map.of("pd.soc", 1));
      List<SimulatedDevice> others =
          IntStream.range(0, 30).mapToObj(i -> exporter.addDevice(Map.of("pd.soc", 1))).toList();
      // Responses are so slow that most calls are in the queue when the cooldown begins.
      others.forEach(other -> always(other, Fault.delay(Duration.ofMillis(500))));
      exporter.start("COLLECTING_INTERVAL=0.1", "RETRY_TIMEOUT=2", "HTTP_RETRIES=0");
      page.eventuallyShows(refused, SOC, 1);
      others.forEach(other -> page.eventuallyShows(other, SOC, 1));

      always(refused, fault);
      Instant from = Instant.now();
      eventually(() -> assertTrue(requestsSince(refused, from).size() >= 3));
      cloud.faults().clear();
      List<CloudRequest> failures = requestsSince(refused, from);
      List<CloudRequest> all =
          cloud.requests().stream()
              .filter(request -> request.path().startsWith("/iot-open/"))
              .sorted(Comparator.comparing(CloudRequest::time))
              .toList();
      // A success of another device ends the sequence, so only the first cooldown is certain.
      for (CloudRequest failure : failures.subList(0, 2)) {
        long within =
            all.stream()
                .filter(request -> request.time().isAfter(failure.time()))
                .filter(request -> request.millisAfter(failure) < 2000)
                .count();
        // Without the cooldown, the ten consumers send 40 requests. Each of them can send one that
        // passed the check before the response arrived, and a slow machine reads that response
        // late.
        assertTrue(within <= 20, within + " requests within the pause");
      }
      refused.set(Map.of("pd.soc", 2));
      page.eventuallyShows(refused, SOC, 2);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pauses")
    void theCooldownDoubles(String name, Fault fault) {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      exporter.start("COLLECTING_INTERVAL=0.1", "RETRY_TIMEOUT=0.15", "HTTP_RETRIES=0", ONE_LIST);
      page.eventuallyShows(device, SOC, 1);
      always(device, fault);
      Instant from = Instant.now();
      eventually(() -> assertTrue(requestsSince(device, from).size() >= 5));
      List<CloudRequest> attempts = requestsSince(device, from);
      // The first can have been in progress before the fault.
      for (int i = 2; i < 5; i++) {
        long least = 150L << (i - 2);
        long gap = attempts.get(i).millisAfter(attempts.get(i - 1));
        assertTrue(gap >= least, "pause " + i + " of " + gap + " ms instead of " + least);
      }
      cloud.faults().clear();
      device.set(Map.of("pd.soc", 2));
      page.eventuallyShows(device, SOC, 2);
    }

    @Test
    void tooManyRequestsAreRetriedBeforeTheCooldown() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      always(device, Fault.status(429));
      exporter.start("HTTP_RETRIES=3", "RETRY_TIMEOUT=60", "HTTP_BACKOFF_FACTOR=0.1");
      eventually(() -> assertEquals(1, page.scrapes(device, "error")));
      List<CloudRequest> attempts = requests(device);
      assertEquals(4, attempts.size());
      for (int i = 1; i < 4; i++) {
        assertTrue(attempts.get(i).millisAfter(attempts.get(i - 1)) >= 100L << (i - 1));
      }
    }
  }

  @Nested
  class Values {

    @Test
    void oneInvalidResponseRemovesNothing() {
      Map<SimulatedDevice, Fault> faults = new LinkedHashMap<>();
      faults.put(exporter.addDevice(Map.of("pd.soc", 1)), Fault.status(500));
      faults.put(exporter.addDevice(Map.of("pd.soc", 1)), Fault.status(503));
      faults.put(exporter.addDevice(Map.of("pd.soc", 1)), Fault.malformedBody());
      faults.put(exporter.addDevice(Map.of("pd.soc", 1)), Fault.dataNull());
      faults.put(exporter.addDevice(Map.of("pd.soc", 1)), Fault.closeConnection());
      faults.put(exporter.addDevice(Map.of("pd.soc", 1)), Fault.code("5000", "internal"));
      SimulatedDevice messageNull = exporter.addDevice(Map.of("pd.soc", 1));
      exporter.start("HTTP_RETRIES=0");
      faults.keySet().forEach(device -> page.eventuallyShows(device, SOC, 1));
      page.eventuallyShows(messageNull, SOC, 1);
      faults.forEach(RestResilienceTest.this::next);
      next(messageNull, Fault.messageNull());
      eventually(
          () -> {
            faults.keySet().forEach(device -> assertEquals(1, page.of(device, SOC)));
            faults.keySet().forEach(device -> assertEquals(1, page.scrapes(device, "error")));
          });
      assertEquals(1, page.of(messageNull, SOC));
      assertEquals(0, page.scrapes(messageNull, "error"));
    }

    @Test
    void gaugesExpireWhenResponsesRemainInvalid() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      exporter.start("COLLECTING_INTERVAL=0.2", "MQTT_TIMEOUT=2", "HTTP_RETRIES=0");
      page.eventuallyShows(device, SOC, 1);
      cloud.faults().always(QUOTA, Fault.malformedBody());
      double lastUpdate = page.lastUpdate(device);
      page.eventuallyShows(device, SOC, Double.NaN);
      assertTrue(System.currentTimeMillis() / 1000.0 - lastUpdate >= 2, "not before its expiry");
      // The device is still online in the list.
      page.eventuallyShows(device, "online", 1);
      cloud.faults().always(DEVICE_LIST, Fault.status(500));
      page.eventuallyShows(device, "online", 0);
      cloud.faults().clear();
      device.set(Map.of("pd.soc", 2));
      page.eventuallyShows(device, SOC, 2);
      page.eventuallyShows(device, "online", 1);
    }

    @Test
    void anAbsentKeyExpires() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      device.set(Map.of("pd.extra", 5));
      exporter.start("ECOFLOW_SERIES_TTL=1.5");
      page.eventuallyShows(device, "pd_extra", 5);
      Instant from = Instant.now();
      always(
          device,
          Fault.data(
              """
              {"pd.soc": 2}
              """));
      page.eventuallyShows(device, SOC, 2);
      page.eventuallyShows(device, "pd_extra", Double.NaN);
      assertTrue(Duration.between(from, Instant.now()).toMillis() >= 1200, "not before its expiry");
      assertEquals(2, page.of(device, SOC));
      assertEquals(1, page.of(device, "online"));
    }

    @Test
    void devicesThatAreRemovedFromTheListAreOffline() {
      SimulatedDevice stays = exporter.addDevice(Map.of("pd.soc", 1));
      SimulatedDevice goes = exporter.addDevice(Map.of("pd.soc", 1));
      exporter.start();
      page.eventuallyShows(stays, SOC, 1);
      page.eventuallyShows(goes, SOC, 1);
      cloud.remove(goes.serial());
      page.eventuallyShows(goes, "online", 0);
      assertEquals(Double.NaN, page.of(goes, SOC));
      assertEquals(1, page.of(stays, SOC));

      cloud.faults().always(DEVICE_LIST, Fault.data("[]"));
      page.eventuallyShows(stays, "online", 0);
      assertEquals(Double.NaN, page.of(stays, SOC));
      cloud.faults().clear();
      page.eventuallyShows(stays, SOC, 1);
    }
  }

  @Nested
  class ResponseSizes {

    static Stream<Arguments> largeAnswers() {
      String start = "{\"code\":\"0\",\"message\":\"Success\",\"data\":{\"pd.soc\":9";
      String more = ",\"" + "a".repeat(900) + "\":1";
      String text = start + ",\"text\":\"";
      int endless = Integer.MAX_VALUE;
      return Stream.of(
          Arguments.of("64 MB of keys", Fault.body(start).followedBy(more.repeat(10), 7_000)),
          Arguments.of("64 MB of text", Fault.body(text).followedBy("a".repeat(8192), 8192)),
          Arguments.of("64 MB of spaces", Fault.body(" ").followedBy(" ".repeat(8192), 8192)),
          Arguments.of("endless error", Fault.status(500).followedBy("a".repeat(8192), endless)),
          Arguments.of("endless text", Fault.body(text).followedBy("a".repeat(8192), endless)),
          Arguments.of("deep objects", Fault.body(start).followedBy(",\"a\":{\"b\":1", 50_000)),
          Arguments.of("deep arrays", Fault.body(start + ",\"a\":").followedBy("[", 50_000)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("largeAnswers")
    void hugeResponsesAreRejected(String name, Fault fault) {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      exporter.start("HTTP_RETRIES=0");
      page.eventuallyShows(device, SOC, 1);
      next(device, fault);
      eventually(() -> assertEquals(1, page.scrapes(device, "error")));
      device.set(Map.of("pd.soc", 2));
      page.eventuallyShows(device, SOC, 2);
      assertEquals(1, page.scrapes(device, "error"));
      assertEquals(1, page.httpRequests(QUOTA, "error"));
      assertEquals(0, page.httpRequests(QUOTA, "timeout"));
    }
  }
}
