package ecoflow.values;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.testkit.Frames;
import ecoflow.testkit.RouteKit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Messages with a time of receipt in the past (header EcoflowReceived), and messages that are read
 * back (header EcoflowReplay).
 */
class ReceiptTest {

  private static final String DELTA_2 = "R331ZRECEIPT0001";
  private static final String RIVER_3 = "R631ZRECEIPT0002";

  /** The system clock, which tests can advance. */
  private static final class Clock implements LongSupplier {

    private final AtomicLong passed = new AtomicLong();

    @Override
    public long getAsLong() {
      return System.nanoTime() + passed.get();
    }

    void pass(double seconds) {
      passed.addAndGet((long) (seconds * 1e9));
    }
  }

  private final List<RouteKit> all = new ArrayList<>();
  private final Clock clock = new Clock();

  /** Ages of messages are relative to this time. */
  private long start;

  private RouteKit routes;

  @AfterEach
  void end() {
    all.forEach(RouteKit::close);
  }

  private RouteKit start(Clock ofKit, String... variables) {
    RouteKit kit =
        RouteKit.load("payload", "quotas")
            .with("direct:full-pictures")
            .device(DELTA_2)
            .device(RIVER_3)
            .clock(ofKit);
    for (String variable : variables) {
      String[] parts = variable.split("=", 2);
      kit.variable(parts[0], parts[1]);
    }
    return startKit(kit);
  }

  private RouteKit startKit(RouteKit kit) {
    all.add(kit);
    kit.start();
    start = System.currentTimeMillis();
    return kit;
  }

  private void startWith(String... variables) {
    routes = start(clock, variables);
  }

  private static Map<String, Object> headers(String source, Map<String, ?> more) {
    Map<String, Object> headers = new HashMap<>(more);
    headers.putIfAbsent("EcoflowDevice", DELTA_2);
    headers.put("EcoflowSource", source);
    return headers;
  }

  private String received(double age) {
    return Long.toString(start - (long) (age * 1000));
  }

  /** Sends a push that was received {@code age} seconds ago. */
  private void push(double age, Map<String, ?> values) {
    routes.send("direct:quotas", values, headers("push", Map.of("EcoflowReceived", received(age))));
  }

  private void pushNow(Map<String, ?> values) {
    routes.send("direct:quotas", values, headers("push", Map.of()));
  }

  private void replay(double age, Map<String, ?> values) {
    routes.send(
        "direct:quotas",
        values,
        headers("push", Map.of("EcoflowReceived", received(age), "EcoflowReplay", "true")));
  }

  private void status(double age, String online) {
    routes.send(
        "direct:quotas",
        Map.of(),
        headers("status", Map.of("EcoflowReceived", received(age), "EcoflowOnline", online)));
  }

  private void payload(double age, byte[] payload) {
    routes.send(
        "direct:payload",
        payload,
        headers("push", Map.of("EcoflowDevice", RIVER_3, "EcoflowReceived", received(age))));
  }

  private double shown(String name, String... labels) {
    return routes.page().of(DELTA_2, name, labels);
  }

  private double lastUpdateAge() {
    return start / 1000.0 - shown("device_last_update_timestamp_seconds");
  }

  private void assertShown(String name, double value) {
    assertEquals(value, shown(name), () -> name + " in\n" + routes.page().text());
  }

  private void assertAbsent(String name) {
    assertShown(name, Double.NaN);
  }

  // A time in the past

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anOldMessageDoesNotShowThatADeviceIsOnline(boolean isReplay) {
    startWith("ECOFLOW_API_TYPE=device", "MQTT_TIMEOUT=60");

    if (isReplay) {
      replay(600, Map.of("pd.soc", 52));
    } else {
      push(600, Map.of("pd.soc", 52));
    }

    assertShown("online", 0);
    assertAbsent("pd_soc");
    assertEquals(600, lastUpdateAge(), 0.001);
  }

  @Test
  void aDeviceIsOnlineForTheRestOfItsTimeout() {
    startWith("ECOFLOW_API_TYPE=device", "MQTT_TIMEOUT=60");

    push(30, Map.of("pd.soc", 52));

    assertShown("online", 1);
    assertShown("pd_soc", 52);
    assertEquals(30, lastUpdateAge(), 0.001);
    clock.pass(10);
    assertShown("pd_soc", 52);
    clock.pass(25);
    assertShown("online", 0);
    assertAbsent("pd_soc");
  }

  @Test
  void theLifeOfASeriesStartsWithTheReceipt() {
    startWith("MQTT_TIMEOUT=3600", "ECOFLOW_SERIES_TTL=900");
    push(800, Map.of("pd.soc", 52));
    push(100, Map.of("pd.temp", 20));

    assertShown("pd_soc", 52);
    clock.pass(120);
    assertAbsent("pd_soc");
    assertShown("pd_temp", 20);

    // The oldest series expires first, although it was stored last.
    routes = start(clock, "MQTT_TIMEOUT=3600", "ECOFLOW_SERIES_TTL=900");
    push(100, Map.of("pd.temp", 20));
    push(800, Map.of("pd.soc", 52));
    clock.pass(120);
    assertAbsent("pd_soc");
    assertShown("pd_temp", 20);
  }

  @ParameterizedTest
  @ValueSource(strings = {"number", "text", "payload"})
  void aTimeInTheFutureCountsAsNow(String form) {
    startWith("ECOFLOW_API_TYPE=device", "MQTT_TIMEOUT=60");
    long tomorrow = start + TimeUnit.DAYS.toMillis(1);
    Object header = form.equals("number") ? tomorrow : Long.toString(tomorrow);
    if (form.equals("payload")) {
      routes.send(
          "direct:payload",
          "{\"params\":{\"pd.soc\":52}}".getBytes(UTF_8),
          headers("push", Map.of("EcoflowReceived", "999999999999999999")));
    } else {
      routes.send(
          "direct:quotas",
          Map.of("pd.soc", 52),
          headers("push", Map.of("EcoflowReceived", header)));
    }

    assertShown("pd_soc", 52);
    assertTrue(lastUpdateAge() <= 0 && lastUpdateAge() > -3600, "now");
    pushNow(Map.of("pd.soc", 53));
    assertShown("pd_soc", 53);
    clock.pass(61);
    assertShown("online", 0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"yesterday", "", "-1", "1764458000", "1e12", "12345678901234567890"})
  void aMessageWithAnInvalidTimeIsDropped(String time) {
    startWith();
    Map<String, Object> headers = headers("push", Map.of("EcoflowReceived", time));

    routes.send("direct:payload", "{\"params\":{\"pd.soc\":52}}".getBytes(UTF_8), headers);
    CamelExecutionException failure =
        assertThrows(
            CamelExecutionException.class,
            () -> routes.send("direct:quotas", Map.of("pd.soc", 52), headers));

    assertAbsent("pd_soc");
    assertShown("online", 0);
    assertEquals(1, errors());
    assertEquals(
        "header EcoflowReceived: expected milliseconds since 1970, but was '" + time + "'",
        failure.getCause().getMessage());
    pushNow(Map.of("pd.soc", 53));
    assertShown("pd_soc", 53);
  }

  /** A frame with several messages is a single error. */
  @Test
  void aFrameWithAnInvalidHeaderIsDroppedOnce() {
    startWith();
    byte[] header = Frames.header(254, 21, Frames.message().integer(1, 5));
    for (Map<String, Object> invalid :
        List.<Map<String, Object>>of(
            Map.of("EcoflowReceived", "soon"),
            Map.of("EcoflowReceived", received(1), "EcoflowReplay", "perhaps"))) {
      routes.send("direct:payload", Frames.frame(header, header), headers("push", invalid));
    }
    assertEquals(2, errors());
  }

  /** Otherwise, the rates of these counters would be too high after each replay. */
  @Test
  void countersDoNotIncludeMessagesThatAreReadBack() {
    startWith("ECOFLOW_METRICS=both");
    Map<String, String> before = messageCounters();
    sendCounted(20_000, Map.of("EcoflowReceived", received(1), "EcoflowReplay", "true"));
    assertEquals(before, messageCounters());

    sendCounted(60_000, Map.of());
    Map<String, String> after = messageCounters();
    for (String counter :
        List.of(
            "ecoflow_mqtt_messages_total{client_type=\"mqtt\",type=\"text\"}",
            "ecoflow_mqtt_message_errors_total{client_type=\"mqtt\"}",
            "ecoflow_protobuf_messages_total{cmd_func=\"250\",cmd_id=\"250\",outcome=\"unknown\"}",
            "ecoflow_protobuf_messages_total{cmd_func=\"254\",cmd_id=\"21\",outcome=\"broken\"}",
            "ecoflow_quota_conflicts_total{kind=\"own_metric\"}",
            "ecoflow_normalised_values_held_total{reason=\"power\"}")) {
      assertNotEquals(before.get(counter), after.get(counter), () -> counter + " in " + after);
    }
  }

  /**
   * Sends messages that increase the counters of messages.
   *
   * @param watts not plausible, and not confirmed by another message
   */
  private void sendCounted(int watts, Map<String, ?> more) {
    Map<String, Object> json = headers("push", more);
    routes.send("direct:payload", "{\"params\":{\"pd.soc\":1}}".getBytes(UTF_8), json);
    routes.send("direct:payload", "{\"params\":".getBytes(UTF_8), json);
    routes.send("direct:quotas", Map.of("online", 5, "pd.wattsInSum", watts), json);
    Map<String, Object> frame = new HashMap<>(json);
    frame.put("EcoflowDevice", RIVER_3);
    routes.send("direct:payload", Frames.frame(250, 250, Frames.message().integer(1, 5)), frame);
    routes.send("direct:payload", Frames.frame(Frames.header(254, 21, new byte[] {8, -1})), frame);
  }

  /** The counters of the exporter itself; a page has the held values of the previous page. */
  private Map<String, String> messageCounters() {
    routes.page().text();
    return routes
        .page()
        .text()
        .lines()
        .filter(line -> line.matches("ecoflow_[a-z_]+_total(\\{.*)? .*"))
        .filter(line -> !line.contains("device="))
        .collect(
            Collectors.toMap(
                line -> line.substring(0, line.lastIndexOf(' ')),
                line -> line.substring(line.lastIndexOf(' ') + 1)));
  }

  private double errors() {
    return routes.counter("ecoflow_mqtt_message_errors", "client_type", "mqtt");
  }

  // The order of messages

  @Test
  void anOlderValueDoesNotReplaceANewerOne() {
    startWith();
    push(10, Map.of("pd.soc", 60, "pd.temp", 21));
    push(20, Map.of("pd.soc", 50, "pd.watts", 5));
    assertShown("pd_soc", 60);
    assertShown("pd_temp", 21);
    assertShown("pd_watts", 5);
    assertEquals(10, lastUpdateAge(), 0.001);

    push(15, Map.of("pd.soc", 55, "pd.watts", 6));
    assertShown("pd_soc", 60);
    assertShown("pd_watts", 6);

    push(5, Map.of("pd.soc", 61));
    assertShown("pd_soc", 61);
    assertEquals(5, lastUpdateAge(), 0.001);
    pushNow(Map.of("pd.soc", 62));
    push(0.5, Map.of("pd.soc", 63));
    assertShown("pd_soc", 62);
  }

  @Test
  void theLaterOfTwoMessagesOfTheSameMillisecondApplies() {
    startWith();
    for (int i = 0; i < 200; i++) {
      push(10, Map.of("pd.soc", i));
      assertEquals(i, shown("pd_soc"), "the clock must not change the order");
    }
  }

  @Test
  void anOlderListDoesNotAddElementsToANewerOne() {
    startWith();
    push(10, Map.of("cells", List.of(3, 4)));
    push(20, Map.of("cells", List.of(1, 2, 9)));
    assertEquals(3, shown("cells", "index_0=0"));
    assertEquals(4, shown("cells", "index_0=1"));
    assertEquals(Double.NaN, shown("cells", "index_0=2"));

    push(5, Map.of("cells", List.of()));
    push(8, Map.of("cells", List.of(7)));
    assertEquals(Double.NaN, shown("cells", "index_0=0"));
  }

  /** Also if the newer message found nothing to remove. */
  @Test
  void aRemovedValueDoesNotReturnWithAnOlderMessage() {
    startWith();
    push(30, Map.of("pd.soc", 1));
    push(10, Map.of("pd.soc", "none", "pd.temp", 20));
    push(20, Map.of("pd.soc", 2));
    assertAbsent("pd_soc");
    push(5, Map.of("pd.soc", 3));
    assertShown("pd_soc", 3);

    Map<String, Object> without = new HashMap<>(Map.of("pd.temp", 21));
    without.put("pd.watts", null);
    push(3, without);
    push(4, Map.of("pd.watts", 100));
    assertAbsent("pd_watts");
    assertShown("pd_temp", 21);
  }

  @Test
  void anOlderMessageDoesNotRemoveNewerValues() {
    startWith();
    push(10, Map.of("pd.soc", 60, "cells", List.of(3, 4), "bms", Map.of("temp", 5)));
    push(20, Map.of("pd.soc", "none", "cells", List.of(), "bms", 7));
    Map<String, Object> none = new HashMap<>();
    none.put("pd.soc", null);
    none.put("bms", "none");
    push(30, none);
    assertShown("pd_soc", 60);
    assertEquals(4, shown("cells", "index_0=1"));
    assertShown("bms_temp", 5);
  }

  /** Two keys with the same series name, and a name with and without an index. */
  @Test
  void anOlderMessageDoesNotReplaceTheNewerOfTwoConflictingKeys() {
    startWith();
    push(10, Map.of("pd.soc", 60, "cell[1]", 3));
    push(20, Map.of("pd_soc", 50, "cell", 1));
    assertShown("pd_soc", 60);
    assertEquals(3, shown("cell", "index_0=1"));
    push(5, Map.of("pd_soc", 70));
    assertShown("pd_soc", 70);
  }

  @ParameterizedTest
  @CsvSource({"20, 10", "10, 20"})
  void theNewerPollApplies(int first, int second) {
    routes = RouteKit.load("quotas").with("direct:full-pictures").rest().device(DELTA_2);
    startKit(routes.clock(clock));
    Map<String, Object> listed = Map.of("sn", DELTA_2, "online", 1);
    routes.send("bean:restPolls?method=acceptDeviceList", List.of(listed), Map.of());
    for (int age : List.of(first, second)) {
      routes.send(
          "direct:quotas",
          Map.of("pd.soc", 100 - age),
          headers("rest", Map.of("EcoflowReceived", received(age), "EcoflowFull", "true")));
    }
    assertShown("pd_soc", 90);
    assertEquals(10, lastUpdateAge(), 0.001);
  }

  /** The items of a history have times, but other fields of the same message do not. */
  @ParameterizedTest
  @CsvSource({"10, 20", "20, 10"})
  void theNewerFrameApplies(int first, int second) {
    startWith();
    for (int age : List.of(first, second)) {
      payload(age, Frames.frame(254, 21, Frames.message().real(6, 100 - age).real(5, 7)));
    }
    List<String> newest = routes.page().linesOf(RIVER_3);
    routes = start(clock);
    payload(10, Frames.frame(254, 21, Frames.message().real(6, 90).real(5, 7)));
    assertTrue(newest.size() >= 3, () -> "the frame has values: " + newest);
    assertEquals(routes.page().linesOf(RIVER_3), newest);
  }

  // The online state

  @ParameterizedTest
  @ValueSource(strings = {"mqtt", "device", "open"})
  void anOlderOfflineReportDoesNotOverrideNewerValues(String mode) {
    startIn(mode);
    push(40, Map.of("pd.temp", 20));
    push(10, Map.of("pd.soc", 60));
    status(20, "false");
    assertShown("online", 1);
    assertShown("pd_soc", 60);
    assertAbsent("pd_temp");

    push(30, Map.of("pd.temp", 21));
    assertAbsent("pd_temp");
    push(15, Map.of("pd.temp", 22));
    assertShown("pd_temp", 22);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mqtt", "device", "open"})
  void olderValuesDoNotOverrideANewerOfflineReport(String mode) {
    startIn(mode);
    push(30, Map.of("pd.temp", 20));
    status(10, "false");
    push(20, Map.of("pd.soc", 60));
    status(15, "true");
    assertShown("online", 0);
    assertAbsent("pd_soc");
    assertEquals(20, lastUpdateAge(), 0.001);

    push(5, Map.of("pd.soc", 61));
    assertShown("online", 1);
    assertShown("pd_soc", 61);
    assertAbsent("pd_temp");
    status(12, "false");
    assertShown("online", 1);
  }

  private void startIn(String mode) {
    RouteKit kit = RouteKit.load("quotas").with("direct:full-pictures").clock(clock);
    if (mode.equals("open")) {
      kit.rest();
    }
    routes = startKit(kit.device(DELTA_2).variable("ECOFLOW_API_TYPE", mode));
  }

  @Test
  void anOlderOnlineReportDoesNotOverrideAnOfflineReport() {
    startIn("open");
    status(10, "false");
    status(20, "true");
    assertShown("online", 0);
    status(5, "true");
    assertShown("online", 1);
    status(8, "false");
    assertShown("online", 1);
    status(4, "FALSE");
    assertShown("online", 0);
  }

  /**
   * In any order, the page shows the values of the correct order or nothing. Removed values do not
   * return.
   */
  @Test
  void anyOrderShowsNoOtherValues() {
    Random random = new Random(23);
    for (int run = 0; run < 40; run++) {
      List<Runnable> messages = new ArrayList<>();
      int count = 3 + random.nextInt(6);
      for (int i = 0; i < count; i++) {
        int age = 3 * (count - i);
        if (random.nextInt(8) == 0) {
          messages.add(() -> status(age, "false"));
        } else {
          Map<String, Object> values = randomValues(random, i);
          messages.add(() -> push(age, values));
        }
      }
      List<String> ordered = linesAfter(messages);
      List<Runnable> shuffled = new ArrayList<>(messages);
      Collections.shuffle(shuffled, random);
      List<String> others = linesAfter(shuffled);
      String text = "run " + run + ": " + others + " instead of " + ordered;
      assertTrue(ordered.containsAll(others), text);
      assertEquals(online(ordered), online(others), text);
    }
  }

  private List<String> linesAfter(List<Runnable> messages) {
    RouteKit kit = start(clock);
    routes = kit;
    messages.forEach(Runnable::run);
    List<String> lines = routes.page().linesOf(DELTA_2);
    all.remove(kit);
    kit.close();
    return lines;
  }

  private static List<String> online(List<String> lines) {
    return lines.stream().filter(line -> line.startsWith("ecoflow_online")).toList();
  }

  private static Map<String, Object> randomValues(Random random, int number) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (String key : List.of("a", "b", "list", "object", "x.y", "x_y")) {
      if (random.nextInt(3) > 0) {
        continue;
      }
      values.put(
          key,
          switch (key) {
            case "list" -> Stream.iterate(number, i -> i + 1).limit(random.nextInt(4)).toList();
            case "object" -> Map.of("m" + random.nextInt(2), number);
            case "a" -> random.nextInt(3) == 0 ? null : (Object) number;
            default -> number;
          });
    }
    return values;
  }

  // Replays

  /** The values of 15 minutes: all values at first, and then changes. */
  private static List<Map<String, Object>> fifteenMinutes() {
    Random random = new Random(15);
    List<Map<String, Object>> messages = new ArrayList<>();
    Map<String, Object> first =
        new HashMap<>(Map.of("inv.cfgAcEnabled", 1, "bms.cells", cells(16)));
    for (int i = 0; i < 100; i++) {
      first.put("pd.value" + i, i);
    }
    first.putAll(Map.of("pd.soc", 40, "mppt.inWatts", 500, "bms_bmsStatus.cycles", 12));
    messages.add(first);
    for (int i = 1; i < 300; i++) {
      Map<String, Object> change = new HashMap<>();
      change.put("pd.value" + random.nextInt(100), i);
      change.put("mppt.inWatts", 500 + i);
      if (i >= 10 && i < 14) {
        // A small decrease, which the normalised counter does not show.
        change.put("bms_bmsStatus.cycles", 11);
      }
      if (i % 50 == 0) {
        change.put("bms.cells", cells(8 + i / 50));
        change.put("pd.value" + i / 50, null);
      }
      messages.add(change);
    }
    return messages;
  }

  private static List<Integer> cells(int count) {
    return Stream.iterate(3_300, i -> i + 1).limit(count).toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 1_000})
  void aReplayShowsTheSameAsTheLiveMessages(int messagesPerScrape) {
    String[] settings = {
      "ECOFLOW_API_TYPE=device",
      "MQTT_TIMEOUT=60",
      "ECOFLOW_METRICS=both",
      "ECOFLOW_SERIES_TTL=1200"
    };
    List<Map<String, Object>> messages = fifteenMinutes();
    Clock live = new Clock();
    routes = start(live, settings);
    for (int i = 0; i < messages.size(); i++) {
      live.pass(3);
      pushNow(messages.get(i));
      if (i % messagesPerScrape == 0) {
        routes.page().text();
      }
    }
    live.pass(3);
    List<String> expected = withoutEnergy(routes.page().linesOf(DELTA_2));

    startWith(settings);
    for (int i = 0; i < messages.size(); i++) {
      int age = 3 * (messages.size() - i);
      replay(age, messages.get(i));
      if (i % messagesPerScrape == 0) {
        if (age > 60) {
          assertShown("online", 0);
          assertAbsent("pd_soc");
        } else if (age < 20) {
          // The test can take some time.
          assertShown("online", 1);
          assertShown("pd_soc", 40);
        }
        assertEquals(age, lastUpdateAge(), 0.001);
      }
    }

    assertTrue(expected.size() > 120, () -> "all values: " + expected);
    assertTrue(
        expected.stream().anyMatch(line -> line.contains("cycles_total") && line.endsWith(" 12.0")),
        () -> "the counter did not decrease: " + expected);
    assertEquals(expected, withoutEnergy(routes.page().linesOf(DELTA_2)));
    assertEquals(3, lastUpdateAge(), 0.001);
    clock.pass(60);
    assertShown("online", 0);
    assertAbsent("pd_soc");
  }

  private static List<String> withoutEnergy(List<String> lines) {
    return lines.stream().filter(line -> !line.contains("origin=\"computed\"")).toList();
  }

  @Test
  void aDeviceThatWasOfflineShowsOnlyItsLaterValues() {
    startWith("ECOFLOW_API_TYPE=device", "MQTT_TIMEOUT=60");
    replay(600, Map.of("pd.temp", 20));
    replay(300, Map.of("pd.watts", 5));
    replay(20, Map.of("pd.soc", 52));
    assertShown("pd_soc", 52);
    assertAbsent("pd_watts");
    assertAbsent("pd_temp");
  }

  @Test
  void theValuesOfAnOfflineDeviceExpireDuringAReplay() {
    startWith("ECOFLOW_API_TYPE=device", "MQTT_TIMEOUT=60", "ECOFLOW_SERIES_TTL=900");
    replay(600, Map.of("pd.temp", 20));
    clock.pass(400);
    routes.page().text();
    replay(0, Map.of("pd.soc", 52));
    assertShown("pd_soc", 52);
    assertAbsent("pd_temp");
  }

  @Test
  void theFirstMessageAfterAReplayShowsTheValuesAtOnce() {
    startWith("ECOFLOW_API_TYPE=device", "MQTT_TIMEOUT=60");
    replay(20, Map.of("pd.soc", 52));
    clock.pass(3);
    pushNow(Map.of("pd.temp", 20));
    assertShown("pd_soc", 52);
    assertShown("pd_temp", 20);
  }

  /** The previous exporter has already counted the energy of the replayed messages. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void computedEnergyDoesNotIncludeAReplay(boolean isScraped) {
    startWith("ECOFLOW_METRICS=both", "MQTT_TIMEOUT=3600");
    for (int age = 600; age >= 30; age -= 10) {
      replay(age, Map.of("mppt.inWatts", 1_000, "pd.soc", 50));
      if (isScraped) {
        assertEquals(0, solarEnergy());
      }
    }
    clock.pass(20);
    assertEquals(0, solarEnergy(), "the end of the replay is not known before the next message");

    // 1,000 W for 50 s, and then 2,000 W for 10 s.
    pushNow(Map.of("mppt.inWatts", 2_000));
    assertEquals(50_000, solarEnergy(), 10_000);
    double first = solarEnergy();
    clock.pass(10);
    assertEquals(first + 20_000, solarEnergy(), 10_000);
  }

  private double solarEnergy() {
    return shown("solar_energy_joules_total", "origin=computed");
  }

  @Test
  void energyIsCountedFromReceiptToReceipt() {
    startWith("ECOFLOW_METRICS=both", "MQTT_TIMEOUT=3600");
    push(100, Map.of("mppt.inWatts", 1_000));
    push(50, Map.of("mppt.inWatts", 0));
    assertEquals(50_000, solarEnergy(), 1);
  }

  /** A counter must not decrease, and must not count a time twice. */
  @Test
  void aMessageThatArrivesAfterAScrapeDoesNotChangeTheEnergyBefore() {
    startWith("ECOFLOW_METRICS=both", "MQTT_TIMEOUT=3600");
    pushNow(Map.of("mppt.inWatts", 1_000));
    clock.pass(100);
    double before = solarEnergy();
    push(50, Map.of("mppt.inWatts", 0));
    assertTrue(solarEnergy() >= before, () -> solarEnergy() + " < " + before);
    push(40, Map.of("mppt.inWatts", 2_000));
    push(70, Map.of("mppt.inWatts", 500));
    assertEquals(before, solarEnergy(), 40_000);
  }

  /** A previous reply does not answer the current request. */
  @Test
  void anOldReplyDoesNotSatisfyARequest() {
    startWith("ECOFLOW_API_TYPE=device");
    for (int age : List.of(600, 0)) {
      routes.send("bean:quotaRequests?method=markAllDue", "", headers("reply", Map.of()));
      routes.send(
          "bean:quotaRequests?method=recordMessage",
          Map.of(),
          headers("reply", Map.of("EcoflowReceived", received(age), "EcoflowFull", "true")));
      assertEquals(age == 0, isRequestSatisfied(), "age " + age);
    }
  }

  private boolean isRequestSatisfied() {
    Exchange exchange = new DefaultExchange(routes.camel());
    Accounts accounts =
        routes.camel().getRegistry().lookupByNameAndType("accounts", Accounts.class);
    exchange.setVariable(Account.VARIABLE, accounts.all().get(0));
    exchange.getMessage().setHeader("EcoflowDevice", DELTA_2);
    return routes
        .camel()
        .resolveLanguage("simple")
        .createPredicate("${bean:quotaRequests?method=isSatisfied}")
        .matches(exchange);
  }

  /** A route that computes a value while a device is not yet online. */
  @Test
  void aComputedValueCanUseReplayedInputs() {
    startWith("ECOFLOW_API_TYPE=device", "MQTT_TIMEOUT=60");
    replay(600, Map.of("pd.watts", 5));
    assertEquals(5.0, currentValue("pd.watts", 560));
    assertNull(currentValue("pd.watts", 500), "the device was offline in the meantime");
    assertNull(currentValue("pd.watts", 0));
  }

  private Object currentValue(String key, double age) {
    Exchange exchange = new DefaultExchange(routes.camel());
    exchange.getMessage().setHeaders(headers("push", Map.of("EcoflowReceived", received(age))));
    exchange.getMessage().setBody(Map.of());
    return routes
        .camel()
        .resolveLanguage("simple")
        .createExpression("${bean:quotas?method=currentValue(*, '" + key + "')}")
        .evaluate(exchange, Double.class);
  }

  // Header forms

  @Test
  void headersCanBeText() {
    startWith();
    routes.send(
        "direct:quotas",
        Map.of("pd.soc", 52),
        headers("push", Map.of("EcoflowFull", "true", "EcoflowOnline", "true")));
    assertShown("pd_soc", 52);
    routes.send("direct:quotas", Map.of(), headers("status", Map.of("EcoflowOnline", "false")));
    assertShown("online", 0);

    CamelExecutionException failure =
        assertThrows(
            CamelExecutionException.class,
            () ->
                routes.send(
                    "direct:quotas",
                    Map.of("pd.soc", 52),
                    headers("push", Map.of("EcoflowReplay", "yes"))));
    assertEquals(
        "header EcoflowReplay: expected true or false, but was 'yes'",
        failure.getCause().getMessage());
  }

  @Test
  void aDeviceOfAnotherSourceCanHaveATimeOfReceipt() {
    startWith("MQTT_TIMEOUT=60");
    Map<String, Object> headers =
        headers("other", Map.of("EcoflowDevice", "PLUG1", "EcoflowReceived", received(90)));
    routes.send("direct:quotas", Map.of("power", 5), headers);
    assertEquals(0, routes.page().of("PLUG1", "online"));
    headers.put("EcoflowReceived", received(20));
    routes.send("direct:quotas", Map.of("power", 6), headers);
    assertEquals(6, routes.page().of("PLUG1", "power"));
  }
}
