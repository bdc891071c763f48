package ecoflow.hostile;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.Series;
import ecoflow.testkit.StrictPage;
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
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Invalid MQTT messages: /metrics remains well-formed and complete. */
class HostileInputTest {

  private static final int MAX_SERIES = 500;
  private static final String OPEN_METRICS = "application/openmetrics-text;version=1.0.0";

  private static final SimulatedDevice HOSTILE =
      new SimulatedDevice("R331HOSTILE00001", "Name", "DELTA 2", WireFormat.JSON);
  private static final SimulatedDevice PEACEFUL =
      new SimulatedDevice("R331PEACEFUL0001", "Name", "DELTA 2", WireFormat.JSON);

  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.mqtt("ECOFLOW_MAX_SERIES_PER_DEVICE=" + MAX_SERIES, "LOG_LEVEL=ERROR")
          .with(HOSTILE, PEACEFUL)
          .startedAtOnce();

  private final Page page = exporter.page();
  private double errorsBefore;

  @BeforeAll
  static void connect() {
    exporter.page().eventuallyConnected(1);
  }

  @AfterAll
  static void noMessageCostTheConnection() {
    exporter.stop();
    assertEquals(1, exporter.cloud().connects().size());
  }

  @BeforeEach
  void note() {
    errorsBefore = page.mqttErrors();
  }

  /** Asserts that Prometheus can parse the page, and that the other device is unchanged. */
  @AfterEach
  void forget() {
    StrictPage.read(page.text(), false);
    StrictPage.read(exporter.http().get("/metrics", "Accept", OPEN_METRICS).body(), true);
    // An offline device does not have series.
    HOSTILE.publishStatus(
        """
        {"params": {"status": 0}}
        """);
    page.eventuallyShows(HOSTILE, "online", 0);
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
        Arguments.of("a raw control character in a key", json("\"a\nb\":1")),
        // Jackson accepts an unpaired surrogate in a string, but not in a key.
        Arguments.of("a high surrogate alone in a key", json("\"a\\ud83d\":1")),
        Arguments.of("a low surrogate alone in a key", json("\"\\ude00b\":1")),
        Arguments.of("broken UTF-8", new byte[] {'{', '"', (byte) 0xc3, '"', ':', '1', '}'}));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refused")
  void unreadableMessagesAreCounted(String name, byte[] payload) {
    HOSTILE.push(Map.of("pd.soc", 40));
    page.eventuallyShows(HOSTILE, "pd_soc", 40);
    HOSTILE.publish(payload);
    // Before the next message: a long message can be dropped only if another one waits behind it.
    eventually(() -> assertEquals(errorsBefore + 1, page.mqttErrors()));
    exporter.settle(HOSTILE);
    assertEquals(errorsBefore + 1, page.mqttErrors());
    assertEquals(
        List.of("ecoflow_pd_soc", "ecoflow_test_marker"), series(), "the values before it stay");
  }

  /** A name, members of "params", and the names of the resulting series. */
  static Stream<Arguments> taken() {
    Stream<Arguments> members =
        """
        10^400            | "a": 1ZEROS, "b": 1                     | b
        1e999             | "a": 1e999, "b": 1                      | b
        NaN               | "a": NaN, "b": 1                        | b
        infinities        | "a": Infinity, "b": 1, "c": -Infinity   | b
        a million digits  | "a": ENDLESS, "b": 1                    | b
        a million decimals | "a": 0.ENDLESS                          | a
        an exponent of a million digits | "a": 1eENDLESS, "b": 1    | b
        -1e-999           | "a": -1e-999                            | a
        a key twice       | "a": 1, "a": 2                          | a
        an empty key      | "": 1, "b": 1                           | b
        a key of dots     | "...": 1, "b": 1                        | b
        control characters | "a\\u0000\\u0007\\u001b": 1             | a___
        line breaks       | "a\\nb\\r\\u2028c": 1                   | a_b__c
        a forged series   | "a 1\\necoflow_b 2": 1                  | a_1_ecoflow_b_2
        quotes            | "a\\"}b\\\\": 1                         | a__b_
        an escaped pair   | "a\\ud83d\\ude00": 1                    | a_
        right to left     | "a\\u202e\\u05d0": 1                    | a__
        an emoji          | "a\uD83D\uDE00": 1                      | a_
        a capital with dot | "a\\u0130": 1                           | ai_
        long index        | "a[99999999999]": 1                     | a_99999999999
        minus index       | "a[-1]": 1                              | a__1
        """
            .lines()
            .map(line -> line.split("\\|", -1))
            .map(
                columns ->
                    Arguments.of(
                        columns[0].strip(),
                        json(
                            columns[1]
                                .strip()
                                .replace("ZEROS", "0".repeat(400))
                                .replace("ENDLESS", "7".repeat(1_000_000))),
                        List.of(columns[2].strip().split(" "))));
    return Stream.concat(Stream.of(Arguments.of("no members", utf8("{}"), List.of())), members);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("taken")
  void unusualValuesAndKeysAreStoredOrIgnored(String name, byte[] payload, List<String> names) {
    List<String> expected = names.stream().map(end -> "ecoflow_" + end).toList();
    HOSTILE.publish(payload);
    eventually(() -> assertEquals(expected, series()));
    exporter.settle(HOSTILE);
    assertEquals(errorsBefore, page.mqttErrors());
    assertEquals(
        Stream.concat(expected.stream(), Stream.of("ecoflow_test_marker")).sorted().toList(),
        series());
  }

  @Test
  void aKeyCanContainAnyCharacter() {
    exporter.settle(HOSTILE);
    int[] characters =
        IntStream.rangeClosed(0, 0xffff)
            .filter(c -> c % 37 == 0 || c < 0x300 || c >= 0xd7f0 && c < 0xe010)
            .filter(c -> !Character.isSurrogate((char) c))
            .toArray();
    for (int from = 0; from < characters.length; from += 300) {
      HOSTILE.publish(
          json(
              IntStream.range(from, Math.min(from + 300, characters.length))
                  .mapToObj(i -> String.format("\"k%d\\u%04xend\":1", i % 300, characters[i]))
                  .collect(Collectors.joining(","))));
      exporter.settle(HOSTILE);
      assertTrue(series().size() > 250, "the page is well-formed and has them");
    }
    assertEquals(errorsBefore, page.mqttErrors());
  }

  /** At the top level, in an object, concatenated from several names, and in a JSON string. */
  @ParameterizedTest
  @ValueSource(ints = {1_001, 10_000, 1_000_000})
  void aTooLongKeyDoesNotAffectOthers(int length) {
    double before = page.conflicts("long_key");
    String key = "\"" + "k".repeat(length) + "\":";
    String half = "\"" + "h".repeat(length / 2 + 1) + "\":";
    HOSTILE.publish(
        json(
            "\"a\":1,"
                + key
                + "1,\"b\":{"
                + key
                + "2,\"c\":3},"
                + half
                + "{"
                + half
                + "4},\"d\":5"));
    page.eventuallyShows(HOSTILE, "d", 5);
    exporter.settle(HOSTILE);
    assertEquals(List.of("ecoflow_a", "ecoflow_b_c", "ecoflow_d", "ecoflow_test_marker"), series());
    assertEquals(errorsBefore, page.mqttErrors());
    assertEquals(before + 3, page.conflicts("long_key"));
  }

  @Test
  void theNumberOfSeriesIsLimited() {
    double limit = page.conflicts("limit");
    HOSTILE.publish(json("\"pd.soc\":1"));
    HOSTILE.publish(json(keys(10_000) + ",\"pd.soc\":2"));
    page.eventuallyShows(HOSTILE, "pd_soc", 2);
    eventually(() -> assertEquals(limit + 10_000 - MAX_SERIES + 1, page.conflicts("limit")));
    assertEquals(MAX_SERIES, series().size());
    // Known keys are still updated.
    HOSTILE.publish(json("\"new\":1,\"pd.soc\":3,\"key7\":70"));
    page.eventuallyShows(HOSTILE, "pd_soc", 3);
    assertEquals(70, page.of(HOSTILE, "key7"));
    assertEquals(MAX_SERIES, series().size());
    assertEquals(errorsBefore, page.mqttErrors());
  }

  @Test
  void aMessageOfAlmostFourMegabytesIsRead() {
    String members = keys(200_000);
    byte[] payload = json(members);
    assertTrue(payload.length > 3_000_000 && payload.length < 4 << 20, payload.length + " bytes");
    HOSTILE.publish(payload);
    eventually(() -> assertEquals(MAX_SERIES, series().size()));
    assertEquals(errorsBefore, page.mqttErrors());
  }

  @Test
  void aLongListIsTruncatedAndTheRestCounted() {
    double limit = page.conflicts("limit");
    int values = 1_900_000;
    HOSTILE.publish(json("\"list\":[" + "1,".repeat(values - 1) + "1]"));
    eventually(() -> assertEquals(limit + values - MAX_SERIES, page.conflicts("limit")));
    assertEquals(MAX_SERIES, series().size());
    assertEquals(errorsBefore, page.mqttErrors());
  }

  @Test
  void randomBytesAreHarmless() {
    Random random = new Random(20260104);
    for (int i = 0; i < 500; i++) {
      byte[] payload = new byte[random.nextInt(200)];
      random.nextBytes(payload);
      if (payload.length > 0 && i % 4 == 0) {
        payload[0] = (byte) '{';
      }
      HOSTILE.publish(payload);
    }
    exporter.settle(HOSTILE);
    PEACEFUL.push(Map.of("pd.soc", 8));
    page.eventuallyShows(PEACEFUL, "pd_soc", 8);
    assertTrue(page.mqttErrors() > errorsBefore + 400, "most of them are invalid");
    assertFalse(page.text().contains("NaN"));
  }

  // Steps

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

  /** The series of the hostile device. */
  private List<String> series() {
    return StrictPage.read(page.text(), false).values().stream()
        .filter(family -> family.help().startsWith("EcoFlow quota "))
        .flatMap(family -> family.series().stream())
        .filter(series -> HOSTILE.serial().equals(series.labels().get("device")))
        .map(Series::name)
        .sorted()
        .toList();
  }
}
