package ecoflow;

import static ecoflow.Eventually.eventually;
import static ecoflow.Eventually.eventuallyShows;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.CloudOptions;
import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
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
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Developer keys while the cloud fails: what is asked when, and what /metrics shows meanwhile. */
class RestResilienceTest {

  private static final String LIST = "/iot-open/sign/device/list";
  private static final String QUOTA = "/iot-open/sign/device/quota/all";
  private static final String SOC = "ecoflow_pd_soc";
  private static final String LONG = "3600";

  private static SimulatedCloud cloud;
  private static int devices;

  @TempDir private static Path folder;

  private RunningExporter exporter;

  @BeforeAll
  static void startCloud() {
    cloud = SimulatedCloud.start();
  }

  @AfterAll
  static void stopCloud() {
    cloud.close();
  }

  @AfterEach
  void stopExporter() {
    if (exporter != null) {
      exporter.close();
    }
    cloud.faults().clear();
    cloud.devices().forEach(device -> cloud.remove(device.serial()));
  }

  // Retry-After

  @ParameterizedTest
  @ValueSource(ints = {429, 503})
  void retryAfterInSecondsIsHonoured(int status) {
    SimulatedDevice device = device(1);
    SimulatedDevice other = device(1);
    next(device, Fault.status(status).withHeader("Retry-After", "3"));
    start("COLLECTING_INTERVAL", "0.2", "HTTP_RETRIES", "2");
    eventuallyShows(exporter, device.serial(), SOC, 1);
    CloudRequest failed = requests(device).get(0);
    CloudRequest retry = requests(device).get(1);
    assertTrue(gap(failed, retry) >= 3000, "pause of " + gap(failed, retry) + " ms");
    assertNotEquals(failed.header("nonce"), retry.header("nonce"));
    assertNotEquals(failed.header("timestamp"), retry.header("timestamp"));
    assertEquals(0, scrapes(device, "error"));
    long others = requests(other).stream().filter(between(failed, retry)).count();
    if (status == 503) {
      assertTrue(others >= 2, others + " polls of the other device meanwhile");
    } else {
      // The call that was under way, and one between the end of the pause and the retry.
      assertTrue(others <= 2, others + " polls of the other device within the pause");
    }
  }

  @Test
  void retryAfterAsADateIsHonoured() {
    SimulatedDevice device = device(1);
    Instant date = Instant.now().plusSeconds(4).truncatedTo(ChronoUnit.SECONDS);
    next(
        device,
        Fault.status(503)
            .withHeader(
                "Retry-After",
                DateTimeFormatter.RFC_1123_DATE_TIME.format(
                    ZonedDateTime.ofInstant(date, ZoneOffset.UTC))));
    start("COLLECTING_INTERVAL", LONG);
    eventuallyShows(exporter, device.serial(), SOC, 1);
    List<CloudRequest> attempts = requests(device);
    assertEquals(2, attempts.size());
    // The date stands in whole milliseconds from the answer on.
    assertTrue(!attempts.get(1).time().isBefore(date.minusMillis(1)), attempts.toString());
  }

  @Test
  void othersMoveWhileOneWaits() {
    SimulatedDevice waiting = device(1);
    SimulatedDevice other = device(1);
    always(waiting, Fault.status(503).withHeader("Retry-After", "3600"));
    start();
    eventuallyShows(exporter, other.serial(), SOC, 1);
    eventually(() -> assertEquals(1, asked(waiting)));
    for (int soc = 2; soc < 6; soc++) {
      other.set(Map.of("pd.soc", soc));
      eventuallyShows(exporter, other.serial(), SOC, soc);
    }
    assertEquals(1, asked(waiting));
  }

  // Codes

  @Test
  void aWrongSignatureIsTriedAgainWithAnother() {
    SimulatedDevice device = device(1);
    Fault wrong = Fault.code("8521", "signature is wrong");
    cloud.faults().next(LIST, wrong);
    next(device, wrong, wrong);
    int before = cloud.requests(LIST).size();
    start("COLLECTING_INTERVAL", LONG, "DEVICE_LIST_CACHE_TTL", LONG);
    eventuallyShows(exporter, device.serial(), SOC, 1);
    List<CloudRequest> lists = cloud.requests(LIST).subList(before, before + 2);
    assertEquals(before + 2, cloud.requests(LIST).size());
    assertEquals(3, asked(device));
    for (List<CloudRequest> attempts : List.of(lists, requests(device))) {
      assertEquals(attempts.size(), distinct(attempts, "nonce"));
      assertEquals(attempts.size(), distinct(attempts, "timestamp"));
    }
    assertEquals(0, scrapes(device, "error"));
  }

  @Test
  void theRegionThatKnowsTheKeyIsFoundAndKept() {
    SimulatedDevice device = device(1);
    try (SimulatedCloud stranger = strangeCloud()) {
      start(
          "ECOFLOW_API_HOST",
          stranger.apiHost() + "," + cloud.apiHost(),
          "ECOFLOW_CA_FILE",
          authorities(stranger, cloud));
      eventuallyShows(exporter, device.serial(), SOC, 1);
      // No region is looked for once one has worked.
      cloud.faults().always(LIST, Fault.code("8513", "accessKey is invalid"));
      always(device, Fault.code("8513", "accessKey is invalid"));
      double errors = scrapes(device, "error");
      eventually(() -> assertTrue(scrapes(device, "error") >= errors + 3));
      cloud.faults().clear();
      device.set(Map.of("pd.soc", 2));
      eventuallyShows(exporter, device.serial(), SOC, 2);
      assertEquals(1, stranger.requests().size());
    }
  }

  @Test
  void keysThatNoRegionKnowsEndTheProcess() {
    try (SimulatedCloud first = strangeCloud();
        SimulatedCloud second = strangeCloud()) {
      exporter =
          RunningExporter.start(
              RunningExporter.rest(
                  first,
                  "ECOFLOW_API_HOST",
                  first.apiHost() + "," + second.apiHost(),
                  "ECOFLOW_CA_FILE",
                  authorities(first, second),
                  "ECOFLOW_ACCESS_KEY",
                  "nobodysKey",
                  "ESTABLISH_ATTEMPTS",
                  "4",
                  "RETRY_TIMEOUT",
                  "0.1"));
      CompletableFuture<Integer> end =
          CompletableFuture.supplyAsync(() -> exporter.exporter().awaitEnd());
      await().atMost(Duration.ofSeconds(60)).until(end::isDone);
      assertEquals(1, end.join());
      assertEquals(4, first.requests().size(), "one in each attempt");
      assertEquals(1, second.requests().size(), "one in all");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1006", "8512"})
  void aDeviceThatIsNotOpenIsAskedMoreAndMoreRarely(String code) {
    SimulatedDevice open = device(1);
    SimulatedDevice closed = device(1);
    always(closed, Fault.code(code, "no permission to do it"));
    start("COLLECTING_INTERVAL", "0.1", "RETRY_TIMEOUT", "0.2");
    eventually(() -> assertEquals(4, asked(closed)));
    List<CloudRequest> attempts = requests(closed);
    for (int i = 1; i < 4; i++) {
      long least = 200L << i;
      long gap = gap(attempts.get(i - 1), attempts.get(i));
      assertTrue(gap >= least, "pause " + i + " of " + gap + " ms instead of " + least);
    }
    long others = requests(open).stream().filter(between(attempts.get(2), attempts.get(3))).count();
    assertTrue(others >= 3, others + " polls of the other device meanwhile");
    assertEquals(0, scrapes(open, "error"));
    assertEquals(Double.NaN, exporter.of(closed.serial(), SOC));
    cloud.faults().clear();
    eventuallyShows(exporter, closed.serial(), SOC, 1);
    // Not in quarantine any more.
    double before = scrapes(closed, "success");
    eventually(() -> assertTrue(scrapes(closed, "success") >= before + 3));
  }

  // The common pause

  static Stream<Arguments> pauses() {
    return Stream.of(
        Arguments.of("401", Fault.status(401)),
        Arguments.of("403", Fault.status(403)),
        Arguments.of("429", Fault.status(429)),
        Arguments.of("busy", Fault.code("1", "Server is too busy, try later")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pauses")
  void tooMuchIsOnePauseForAllCalls(String name, Fault fault) {
    SimulatedDevice refused = device(1);
    List<SimulatedDevice> others = IntStream.range(0, 30).mapToObj(i -> device(1)).toList();
    // So slow that most of them wait in the queue when the pause begins.
    others.forEach(other -> always(other, Fault.delay(Duration.ofMillis(500))));
    start("COLLECTING_INTERVAL", "0.1", "RETRY_TIMEOUT", "1", "HTTP_RETRIES", "0");
    eventuallyShows(exporter, refused.serial(), SOC, 1);
    others.forEach(other -> eventuallyShows(exporter, other.serial(), SOC, 1));

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
    // A success of another device ends the row, so only the first pause is sure.
    for (CloudRequest failure : failures.subList(0, 2)) {
      long within =
          all.stream()
              .filter(request -> request.time().isAfter(failure.time()))
              .filter(request -> gap(failure, request) < 1000)
              .count();
      // Nine other consumers and the list call may have been past the check.
      assertTrue(within <= 10, within + " requests within the pause");
    }
    refused.set(Map.of("pd.soc", 2));
    eventuallyShows(exporter, refused.serial(), SOC, 2);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pauses")
  void thePauseDoubles(String name, Fault fault) {
    SimulatedDevice device = device(1);
    start(
        "COLLECTING_INTERVAL",
        "0.1",
        "RETRY_TIMEOUT",
        "0.3",
        "HTTP_RETRIES",
        "0",
        "DEVICE_LIST_CACHE_TTL",
        LONG);
    eventuallyShows(exporter, device.serial(), SOC, 1);
    always(device, fault);
    Instant from = Instant.now();
    eventually(() -> assertTrue(requestsSince(device, from).size() >= 5));
    List<CloudRequest> attempts = requestsSince(device, from);
    // The first may have been under way before the fault.
    for (int i = 2; i < 5; i++) {
      long least = 300L << (i - 2);
      long gap = gap(attempts.get(i - 1), attempts.get(i));
      assertTrue(gap >= least, "pause " + i + " of " + gap + " ms instead of " + least);
    }
    cloud.faults().clear();
    device.set(Map.of("pd.soc", 2));
    eventuallyShows(exporter, device.serial(), SOC, 2);
  }

  @Test
  void tooManyRequestsAreRetriedBeforeThePause() {
    SimulatedDevice device = device(1);
    always(device, Fault.status(429));
    start("HTTP_RETRIES", "3", "RETRY_TIMEOUT", "60", "HTTP_BACKOFF_FACTOR", "0.1");
    eventually(() -> assertEquals(1, scrapes(device, "error")));
    List<CloudRequest> attempts = requests(device);
    assertEquals(4, attempts.size());
    for (int i = 1; i < 4; i++) {
      assertTrue(gap(attempts.get(i - 1), attempts.get(i)) >= 100L << (i - 1));
    }
  }

  // Values

  @Test
  void oneBadAnswerErasesNothing() {
    Map<SimulatedDevice, Fault> faults = new LinkedHashMap<>();
    faults.put(device(1), Fault.status(500));
    faults.put(device(1), Fault.status(503));
    faults.put(device(1), Fault.malformedBody());
    faults.put(device(1), Fault.dataNull());
    faults.put(device(1), Fault.closeConnection());
    faults.put(device(1), Fault.code("5000", "internal"));
    SimulatedDevice messageNull = device(1);
    start("HTTP_RETRIES", "0");
    faults.keySet().forEach(device -> eventuallyShows(exporter, device.serial(), SOC, 1));
    eventuallyShows(exporter, messageNull.serial(), SOC, 1);
    faults.forEach(RestResilienceTest::next);
    next(messageNull, Fault.messageNull());
    eventually(
        () -> {
          faults.keySet().forEach(device -> assertEquals(1, exporter.of(device.serial(), SOC)));
          faults.keySet().forEach(device -> assertEquals(1, scrapes(device, "error")));
        });
    assertEquals(1, exporter.of(messageNull.serial(), SOC));
    assertEquals(0, scrapes(messageNull, "error"));
  }

  @Test
  void gaugesOfACloudThatStaysBadGoInTheEnd() {
    SimulatedDevice device = device(1);
    start("COLLECTING_INTERVAL", "0.2", "MQTT_TIMEOUT", "2", "HTTP_RETRIES", "0");
    eventuallyShows(exporter, device.serial(), SOC, 1);
    cloud.faults().always(QUOTA, Fault.malformedBody());
    double lastUpdate =
        exporter.of(device.serial(), "ecoflow_device_last_update_timestamp_seconds");
    eventuallyShows(exporter, device.serial(), SOC, Double.NaN);
    assertTrue(System.currentTimeMillis() / 1000.0 - lastUpdate >= 2, "not before its time");
    // The list still says so.
    eventuallyShows(exporter, device.serial(), "ecoflow_online", 1);
    cloud.faults().always(LIST, Fault.status(500));
    eventuallyShows(exporter, device.serial(), "ecoflow_online", 0);
    cloud.faults().clear();
    device.set(Map.of("pd.soc", 2));
    eventuallyShows(exporter, device.serial(), SOC, 2);
    eventuallyShows(exporter, device.serial(), "ecoflow_online", 1);
  }

  @Test
  void aKeyThatVanishedGoesAfterItsTime() {
    SimulatedDevice device = device(1);
    device.set(Map.of("pd.extra", 5));
    start("ECOFLOW_SERIES_TTL", "1.5");
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_extra", 5);
    Instant from = Instant.now();
    always(device, Fault.body("{\"code\":\"0\",\"message\":\"Success\",\"data\":{\"pd.soc\":2}}"));
    eventuallyShows(exporter, device.serial(), SOC, 2);
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_extra", Double.NaN);
    assertTrue(Duration.between(from, Instant.now()).toMillis() >= 1200, "not before its time");
    assertEquals(2, exporter.of(device.serial(), SOC));
    assertEquals(1, exporter.of(device.serial(), "ecoflow_online"));
  }

  @Test
  void devicesThatTheListLosesAreOffline() {
    SimulatedDevice stays = device(1);
    SimulatedDevice goes = device(1);
    start();
    eventuallyShows(exporter, stays.serial(), SOC, 1);
    eventuallyShows(exporter, goes.serial(), SOC, 1);
    cloud.remove(goes.serial());
    eventuallyShows(exporter, goes.serial(), "ecoflow_online", 0);
    assertEquals(Double.NaN, exporter.of(goes.serial(), SOC));
    assertEquals(1, exporter.of(stays.serial(), SOC));

    cloud.faults().always(LIST, Fault.body("{\"code\":\"0\",\"message\":\"Success\",\"data\":[]}"));
    eventuallyShows(exporter, stays.serial(), "ecoflow_online", 0);
    assertEquals(Double.NaN, exporter.of(stays.serial(), SOC));
    cloud.faults().clear();
    eventuallyShows(exporter, stays.serial(), SOC, 1);
  }

  // Size

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
  void hugeAnswersAreRefused(String name, Fault fault) {
    SimulatedDevice device = device(1);
    start("HTTP_RETRIES", "0");
    eventuallyShows(exporter, device.serial(), SOC, 1);
    next(device, fault);
    eventually(() -> assertEquals(1, scrapes(device, "error")));
    device.set(Map.of("pd.soc", 2));
    eventuallyShows(exporter, device.serial(), SOC, 2);
    assertEquals(1, scrapes(device, "error"));
    for (String status : List.of("error", "timeout")) {
      assertEquals(
          status.equals("error") ? 1 : 0,
          exporter
              .value(
                  "ecoflow_http_requests_total",
                  "endpoint=\"/device/quota/all\"",
                  "status=\"" + status + "\"")
              .orElseThrow(),
          status);
    }
  }

  // Steps

  private void start(String... more) {
    exporter = RunningExporter.start(RunningExporter.rest(cloud, more));
  }

  private static SimulatedDevice device(int soc) {
    devices++;
    SimulatedDevice device =
        new SimulatedDevice("FAIL" + devices + "X", "Name " + devices, "Product", WireFormat.JSON)
            .set(Map.of("pd.soc", soc));
    cloud.add(device);
    return device;
  }

  private static SimulatedCloud strangeCloud() {
    CloudAccount account = CloudAccount.DEFAULT;
    return SimulatedCloud.start(
        CloudOptions.DEFAULT.withAccount(
            new CloudAccount(
                account.email(), account.password(), account.userId(), "otherKey", "otherSecret")));
  }

  /** One file with the CAs of both. */
  private static String authorities(SimulatedCloud first, SimulatedCloud second) {
    try {
      Path file = Files.createTempFile(folder, "authorities", ".pem");
      Files.writeString(file, Files.readString(first.caFile()) + Files.readString(second.caFile()));
      return file.toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void next(SimulatedDevice device, Fault... faults) {
    cloud.faults().next(QUOTA + "?sn=" + device.serial(), faults);
  }

  private static void always(SimulatedDevice device, Fault fault) {
    cloud.faults().always(QUOTA + "?sn=" + device.serial(), fault);
  }

  private double scrapes(SimulatedDevice device, String status) {
    return exporter.of(
        device.serial(), "ecoflow_scrape_requests_total", "status=\"" + status + "\"");
  }

  private static List<CloudRequest> requests(SimulatedDevice device) {
    return cloud.requests(QUOTA).stream()
        .filter(request -> device.serial().equals(request.query().get("sn")))
        .toList();
  }

  private static List<CloudRequest> requestsSince(SimulatedDevice device, Instant from) {
    return requests(device).stream().filter(request -> !request.time().isBefore(from)).toList();
  }

  private static Predicate<CloudRequest> between(CloudRequest first, CloudRequest last) {
    return request -> request.time().isAfter(first.time()) && request.time().isBefore(last.time());
  }

  private static int asked(SimulatedDevice device) {
    return requests(device).size();
  }

  private static long distinct(List<CloudRequest> requests, String header) {
    return requests.stream().map(request -> request.header(header)).distinct().count();
  }

  private static long gap(CloudRequest before, CloudRequest after) {
    return Duration.between(before.time(), after.time()).toMillis();
  }
}
