package ecoflow;

import static ecoflow.Eventually.eventually;
import static ecoflow.Eventually.eventuallyShows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** MQTT messages that no device should send: /metrics stays well-formed and complete. */
class HostileInputTest {

  private static final int MOST_SERIES = 500;
  private static final String OPEN_METRICS = "application/openmetrics-text;version=1.0.0";

  private static final SimulatedDevice HOSTILE = device("R331HOSTILE00001");
  private static final SimulatedDevice PEACEFUL = device("R331PEACEFUL0001");

  private static SimulatedCloud cloud;
  private static RunningExporter exporter;
  private static int markers;

  private double errorsBefore;

  @BeforeAll
  static void start() {
    cloud = SimulatedCloud.start().add(HOSTILE, PEACEFUL);
    exporter =
        RunningExporter.start(
            RunningExporter.account(
                cloud,
                "mqtt",
                "ECOFLOW_MAX_SERIES_PER_DEVICE",
                Integer.toString(MOST_SERIES),
                "LOG_LEVEL",
                "ERROR"));
    eventually(() -> assertEquals(1, counter("mqtt_connected")));
  }

  @AfterAll
  static void stop() {
    exporter.close();
    cloud.close();
    assertEquals(1, cloud.connects().size(), "no message cost the connection");
  }

  @BeforeEach
  void note() {
    errorsBefore = errors();
  }

  /** A page that Prometheus reads, and the other device as it was. */
  @AfterEach
  void forget() {
    StrictPage.read(exporter.metrics(), false);
    StrictPage.read(exporter.get("GET", "/metrics", "Accept", OPEN_METRICS).body(), true);
    // The device is offline, so that it has no series any more.
    cloud.publish("/app/device/status/" + HOSTILE.serial(), utf8("{\"params\":{\"status\":0}}"));
    eventuallyShows(exporter, HOSTILE.serial(), "ecoflow_online", 0);
    assertEquals(List.of(), series());
  }

  static Stream<Arguments> refused() {
    byte[] random = new byte[4096];
    new Random(20260103).nextBytes(random);
    String key = "\"" + "k".repeat(900) + "\":1,";
    return Stream.of(
        Arguments.of("empty", new byte[0]),
        Arguments.of("one zero", new byte[1]),
        Arguments.of("random bytes", random),
        Arguments.of("random base64", Base64.getEncoder().encode(random)),
        Arguments.of("more than 4 MB", json("\"a\":\"" + "x".repeat(4 << 20) + "\"")),
        Arguments.of("3.9 MB in one text", json("\"a\":\"" + "x".repeat(3_900_000) + "\"")),
        Arguments.of("3.9 MB that stop", utf8("{\"params\":{" + key.repeat(4_200))),
        Arguments.of("deep objects", utf8("{\"a\":".repeat(100_000))),
        Arguments.of("deep arrays", json("\"a\":" + "[".repeat(100_000) + "]".repeat(100_000))),
        Arguments.of("an array", utf8("[{\"params\":{\"pd.soc\":1}}]")),
        Arguments.of("a text", utf8("\"params\"")),
        Arguments.of("a number", utf8("1e9")),
        Arguments.of("params is a text", utf8("{\"params\":\"x\"}")),
        Arguments.of("a word like a number", json("\"pd.soc\":Infinit")),
        Arguments.of("3.9 MB of digits", json("\"pd.soc\":" + "7".repeat(3_900_000))),
        Arguments.of("a key of 10 kB", json("\"" + "k".repeat(10_000) + "\":1")),
        Arguments.of("a raw control character in a key", json("\"a\nb\":1")),
        Arguments.of("broken UTF-8", new byte[] {'{', '"', (byte) 0xc3, '"', ':', '1', '}'}));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void whatCannotBeReadIsCounted(String name, byte[] payload) {
    HOSTILE.push(Map.of("pd.soc", 40));
    HOSTILE.push(payload);
    awaitMarker();
    assertEquals(errorsBefore + 1, errors());
    assertEquals(
        List.of("ecoflow_pd_soc", "ecoflow_test_marker"), series(), "the values before it stay");
  }

  static Stream<Arguments> taken() {
    String digits = "1" + "0".repeat(400);
    String endless = "7".repeat(1_000_000);
    return Stream.of(
        Arguments.of("no members", utf8("{}"), List.of()),
        Arguments.of("10^400", json("\"a\":" + digits + ",\"b\":1"), List.of("b")),
        Arguments.of("1e999", json("\"a\":1e999,\"b\":1"), List.of("b")),
        Arguments.of("NaN", json("\"a\":NaN,\"b\":1"), List.of("b")),
        Arguments.of("infinities", json("\"a\":Infinity,\"b\":1,\"c\":-Infinity"), List.of("b")),
        Arguments.of("a million digits", json("\"a\":" + endless + ",\"b\":1"), List.of("b")),
        Arguments.of("a million decimals", json("\"a\":0." + endless), List.of("a")),
        Arguments.of(
            "an exponent of a million digits",
            json("\"a\":1e" + endless + ",\"b\":1"),
            List.of("b")),
        Arguments.of("-1e-999", json("\"a\":-1e-999"), List.of("a")),
        Arguments.of("a key twice", json("\"a\":1,\"a\":2"), List.of("a")),
        Arguments.of("an empty key", json("\"\":1,\"b\":1"), List.of("b")),
        Arguments.of("a key of dots", json("\"...\":1,\"b\":1"), List.of("b")),
        Arguments.of("control characters", json("\"a\\u0000\\u0007\\u001b\":1"), List.of("a___")),
        Arguments.of("line breaks", json("\"a\\nb\\r\\u2028c\":1"), List.of("a_b__c")),
        Arguments.of(
            "a forged series", json("\"a 1\\necoflow_b 2\":1"), List.of("a_1_ecoflow_b_2")),
        Arguments.of("quotes", json("\"a\\\"}b\\\\\":1"), List.of("a__b_")),
        Arguments.of(
            "a lone surrogate", json("\"a\\ud83d\":1,\"\\ude00b\":1"), List.of("_b", "a_")),
        Arguments.of("right to left", json("\"a\\u202e\\u05d0\":1"), List.of("a__")),
        Arguments.of("an emoji", utf8("{\"params\":{\"a\uD83D\uDE00\":1}}"), List.of("a_")),
        Arguments.of("a capital with dot", json("\"a\\u0130\":1"), List.of("ai_")),
        Arguments.of("long index", json("\"a[99999999999]\":1"), List.of("a_99999999999")),
        Arguments.of("minus index", json("\"a[-1]\":1"), List.of("a__1")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("taken")
  void oddValuesAndKeysAreTakenOrLeft(String name, byte[] payload, List<String> names) {
    HOSTILE.push(payload);
    awaitMarker();
    assertEquals(errorsBefore, errors());
    assertEquals(
        Stream.concat(names.stream(), Stream.of("test_marker"))
            .map(end -> "ecoflow_" + end)
            .sorted()
            .toList(),
        series());
  }

  @Test
  void everyCharacterCanStandInAKey() {
    awaitMarker();
    int[] characters =
        IntStream.rangeClosed(0, 0xffff)
            .filter(c -> c % 37 == 0 || c < 0x300 || c >= 0xd7f0 && c < 0xe010)
            .toArray();
    for (int from = 0; from < characters.length; from += 300) {
      HOSTILE.push(
          json(
              IntStream.range(from, Math.min(from + 300, characters.length))
                  .mapToObj(i -> String.format("\"k%d\\u%04xend\":1", i % 300, characters[i]))
                  .collect(Collectors.joining(","))));
      awaitMarker();
      assertTrue(series().size() > 250, "the page is well-formed and has them");
    }
    assertEquals(errorsBefore, errors());
  }

  @Test
  void noMoreSeriesThanAllowed() {
    double limit = limited();
    HOSTILE.push(json("\"pd.soc\":1"));
    HOSTILE.push(json(keys(10_000) + ",\"pd.soc\":2"));
    eventuallyShows(exporter, HOSTILE.serial(), "ecoflow_pd_soc", 2);
    eventually(() -> assertEquals(limit + 10_000 - MOST_SERIES + 1, limited()));
    assertEquals(MOST_SERIES, series().size());
    // What is known goes on.
    HOSTILE.push(json("\"new\":1,\"pd.soc\":3,\"key7\":70"));
    eventuallyShows(exporter, HOSTILE.serial(), "ecoflow_pd_soc", 3);
    assertEquals(70, exporter.of(HOSTILE.serial(), "ecoflow_key7"));
    assertEquals(MOST_SERIES, series().size());
    assertEquals(errorsBefore, errors());
  }

  @Test
  void aMessageOfAlmostFourMegabytesIsRead() {
    String members = keys(200_000);
    byte[] payload = json(members);
    assertTrue(payload.length > 3_000_000 && payload.length < 4 << 20, payload.length + " bytes");
    HOSTILE.push(payload);
    eventually(() -> assertEquals(MOST_SERIES, series().size()));
    assertEquals(errorsBefore, errors());
  }

  @Test
  void randomBytesOfAnyLengthDoNoHarm() {
    Random random = new Random(20260104);
    for (int i = 0; i < 500; i++) {
      byte[] payload = new byte[random.nextInt(200)];
      random.nextBytes(payload);
      if (payload.length > 0 && i % 4 == 0) {
        payload[0] = (byte) '{';
      }
      HOSTILE.push(payload);
    }
    awaitMarker();
    PEACEFUL.push(Map.of("pd.soc", 8));
    eventuallyShows(exporter, PEACEFUL.serial(), "ecoflow_pd_soc", 8);
    assertTrue(errors() > errorsBefore + 400, "most of it is no message");
    assertFalse(exporter.metrics().contains("NaN"));
  }

  // Steps

  private static SimulatedDevice device(String serial) {
    return new SimulatedDevice(serial, "Name", "DELTA 2", WireFormat.JSON);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] json(String members) {
    return utf8("{\"params\":{" + members + "}}");
  }

  private static String keys(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "\"key" + i + "\":" + i)
        .collect(Collectors.joining(","));
  }

  /** Messages come in order: what was sent before the marker has been dealt with. */
  private static void awaitMarker() {
    markers++;
    HOSTILE.push(Map.of("test.marker", markers));
    eventuallyShows(exporter, HOSTILE.serial(), "ecoflow_test_marker", markers);
  }

  /** The series of the hostile device. */
  private static List<String> series() {
    return StrictPage.read(exporter.metrics(), false).values().stream()
        .filter(family -> family.help().startsWith("EcoFlow quota "))
        .flatMap(family -> family.series().stream())
        .filter(series -> HOSTILE.serial().equals(series.labels().get("device")))
        .map(StrictPage.Series::name)
        .sorted()
        .toList();
  }

  private static double counter(String name) {
    return exporter.value("ecoflow_" + name, "client_type=\"mqtt\"").orElseThrow();
  }

  private static double errors() {
    return counter("mqtt_message_errors_total");
  }

  private static double limited() {
    return exporter.value("ecoflow_quota_conflicts_total", "kind=\"limit\"").orElseThrow();
  }
}
