package ecoflow.fleet;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.CommandRun;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.Frames;
import ecoflow.testkit.KafkaBroker;
import ecoflow.testkit.Page;
import ecoflow.testkit.Ports;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Series;
import ecoflow.testkit.Variables;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Servers with a real Kafka broker. */
class ServerIT {

  private static final AtomicInteger TESTS = new AtomicInteger();
  private static final int PARTITIONS = 6;
  private static final int DEVICES = 60;
  private static final int MAX_BYTES = 4 << 20;
  private static final int MAX_OTHERS = 1_000;

  @TempDir private static Path broker;
  private static KafkaBroker kafka;

  private final SimulatedDevice garage =
      new SimulatedDevice("R331SERVE0000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension final CloudExtension clouds = new CloudExtension(garage);

  @TempDir private Path directory;
  private final String prefix = "serve" + TESTS.incrementAndGet();
  private final List<AutoCloseable> open = new ArrayList<>();
  private TopicWriter writer;

  @BeforeAll
  static void startKafka() {
    kafka = new KafkaBroker(broker);
  }

  @BeforeEach
  void createTopics() {
    kafka.ensureStarted();
    kafka.createTopics(PARTITIONS, prefix + ".raw", prefix + ".devices");
    kafka.createTopics(1, prefix + ".unknown");
    writer = new TopicWriter(kafka.address(), prefix);
    open.add(writer);
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  private Map<String, String> fleet(String role, String... more) {
    Map<String, String> all = new HashMap<>();
    all.put("ECOFLOW_METRICS", "raw");
    all.put("ECOFLOW_ROLE", role);
    all.put("ECOFLOW_KAFKA_BROKERS", kafka.address());
    all.put("ECOFLOW_KAFKA_TOPICS", prefix);
    all.put("ECOFLOW_KAFKA_GROUP", prefix);
    for (String assignment : more) {
      String[] parts = assignment.split("=", 2);
      all.put(parts[0], parts[1]);
    }
    return all;
  }

  private RunningExporter serve(String... more) {
    RunningExporter server = RunningExporter.start(fleet("serve", more));
    open.add(server);
    return server;
  }

  private static void awaitReady(RunningExporter server) {
    eventually(
        () -> {
          String ready = server.http().get("/-/ready").body();
          assertTrue(ready.startsWith("ready"), ready);
        });
  }

  private static double own(Page page, String name, String... labels) {
    return page.series(name, labels).stream().mapToDouble(Series::value).sum();
  }

  private static String serial(int number) {
    return "R331MANY%08d".formatted(number);
  }

  private static List<String> serials() {
    return IntStream.range(0, DEVICES).mapToObj(ServerIT::serial).toList();
  }

  /** Every tenth device is not an EcoFlow device. */
  private static boolean isOther(String serial) {
    return serial.endsWith("9");
  }

  /** The devices with a value on a page. */
  private static Set<String> shown(Page page) {
    return page.series("online").stream()
        .map(series -> series.labels().get("device"))
        .collect(Collectors.toSet());
  }

  private static String soc(int value) {
    return "{\"params\":{\"pd.soc\":" + value + "}}";
  }

  @Test
  void aServerShowsTheMessagesOfACollector() {
    RunningExporter server = serve("ECOFLOW_JVM_METRICS=true");
    awaitReady(server);
    Map<String, String> variables = Variables.of(clouds.cloud(), "device");
    variables.putAll(fleet("collect", "ECOFLOW_JVM_METRICS=true"));
    variables.remove("ECOFLOW_KAFKA_GROUP");
    RunningExporter collector = RunningExporter.start(variables);
    open.add(collector);
    for (RunningExporter exporter : List.of(server, collector)) {
      assertTrue(exporter.page().text().contains("\njvm_threads_live_threads "));
    }

    Page page = server.page();
    page.eventuallyShows(garage, "pd_soc", 81, "device_name=Garage", "product_name=DELTA 2");
    assertEquals(1, page.of(garage, "online"));
    assertEquals(1, page.series("device_info", "device=" + garage.serial()).size());
    assertEquals(1, page.series("account_info", "account=", "mode=device").size());
    garage.set(Map.of("pd.soc", 82)).pushAll();
    page.eventuallyShows(garage, "pd_soc", 82);
    assertTrue(own(page, "kafka_received_messages_total") > 0);
    assertTrue(own(page, "kafka_message_age_seconds_count") > 0);
    assertEquals(0, own(page, "kafka_rejected_messages_total"));
    assertEquals(PARTITIONS, own(page, "kafka_partitions"));
    assertEquals(PARTITIONS, own(page, "kafka_topic_partitions"));
    // A later reply would show that the device is online.
    garage.setAnswersRequests(false);
    garage.publishStatus("{\"params\":{\"status\":0}}");
    page.eventuallyShows(garage, "online", 0);
  }

  @Test
  void polledValuesAreShownWhileTheCollectorSendsThem() {
    RunningExporter server = serve("MQTT_TIMEOUT=3", "COLLECTING_INTERVAL=1");
    Map<String, String> variables = Variables.of(clouds.cloud(), "rest");
    variables.putAll(fleet("collect"));
    variables.remove("ECOFLOW_KAFKA_GROUP");
    RunningExporter collector = RunningExporter.start(variables);
    open.add(collector);

    Page page = server.page();
    page.eventuallyShows(garage, "pd_soc", 81, "device_name=Garage");
    assertEquals(1, page.of(garage, "online"));
    garage.setOnline(false);
    page.eventuallyShows(garage, "online", 0);
    page.eventuallyShows(garage, "pd_soc", Double.NaN);
    garage.setOnline(true);
    page.eventuallyShows(garage, "pd_soc", 81);
    collector.close();
    page.eventuallyShows(garage, "pd_soc", Double.NaN);
  }

  /** The prefix of a push depends on the values of the poll, which contain the battery packs. */
  @Test
  void modeOpenHasTheSameSeriesAsAProcessWithoutKafka() {
    SimulatedDevice roof =
        new SimulatedDevice("Y711SERVE0000002", "Roof", "DELTA Pro Ultra", WireFormat.JSON)
            .set(
                Map.of(
                    "hs_yj751_bms_slave_addr.2.packSn",
                    "Y711ZPACK0000002",
                    "hs_yj751_bms_slave_addr.2.soc",
                    70));
    clouds.cloud().add(roof);
    Map<String, String> variables = Variables.of(clouds.cloud(), "open");
    List<String> expected;
    // Not at the same time, because both have the MQTT client ID of the account.
    try (RunningExporter all = RunningExporter.start(variables)) {
      expected = seriesAfterPushes(all.page(), roof);
    }
    RunningExporter server = serve();
    variables.putAll(fleet("collect"));
    variables.remove("ECOFLOW_KAFKA_GROUP");
    open.add(RunningExporter.start(variables));

    seriesAfterPushes(server.page(), roof);
    // The names follow with the records of the devices.
    eventually(() -> assertEquals(expected, series(server.page(), roof)));
    assertEquals(0, own(server.page(), "kafka_rejected_messages_total"));
    RunningExporter next = serve("ECOFLOW_KAFKA_GROUP=" + prefix + "-next");
    awaitReady(next);
    eventually(() -> assertEquals(expected, series(next.page(), roof)));
  }

  private List<String> seriesAfterPushes(Page page, SimulatedDevice roof) {
    page.eventuallyShows(roof, "hs_yj751_bms_slave_addr_2_soc", 70);
    page.eventuallyShows(garage, "pd_soc", 81);
    eventually(
        () -> {
          garage.publishOpen("{\"typeCode\":\"pdStatus\",\"params\":{\"soc\":77}}");
          roof.publishOpen(
              """
              {"cmdId":28,"cmdFunc":3,"param":{"soc":76,"packSn":"Y711ZPACK0000002"}}""");
          assertEquals(77, page.of(garage, "pd_soc"));
          assertEquals(76, page.of(roof, "hs_yj751_bms_slave_addr_2_soc"));
        });
    return series(page, roof);
  }

  private List<String> series(Page page, SimulatedDevice roof) {
    return Stream.of(garage, roof)
        .flatMap(device -> page.linesOf(device.serial()).stream())
        // Only with several accounts, or with Kafka.
        .filter(line -> !line.startsWith("ecoflow_device_info{"))
        .toList();
  }

  @Test
  void changedRecordsOfDevicesChangeTheirSeries() {
    writer.device(serial(1), "Garage", "one");
    writer.push(serial(1), soc(81));
    writer.flush();
    RunningExporter server = serve();
    Page page = server.page();
    page.eventuallyShows(serial(1), "pd_soc", 81, "device_name=Garage");
    assertEquals(1, page.series("account_info", "account=one", "site=Berlin").size());

    writer.device(serial(1), "Shed", "two");
    page.eventuallyShows(serial(1), "pd_soc", 81, "device_name=Shed");
    eventually(() -> assertEquals(List.of(), page.series("account_info", "account=one")));
    assertEquals(1, page.series("account_info", "account=two", "site=Berlin").size());

    writer.device(serial(1), null);
    eventually(() -> assertEquals(List.of(), page.linesOf(serial(1))));
    assertEquals(List.of(), page.series("account_info"));
    // A message from before the removal does not restore the device.
    writer.push(serial(1), System.currentTimeMillis() - 5_000, soc(81));
    // A device without a record has the default labels.
    writer.push(serial(2), soc(50));
    page.eventuallyShows(serial(2), "pd_soc", 50);
    eventually(() -> assertEquals(0, own(page, "kafka_lag_records")));
    assertEquals(List.of(), page.linesOf(serial(1)));
  }

  @Test
  void invalidRecordsDoNotAffectOthers() {
    RunningExporter server = serve();
    awaitReady(server);
    Page page = server.page();
    long now = System.currentTimeMillis();
    byte[] valid = soc(1).getBytes();
    // All in the same partition as the valid message after them, except for those without its key.
    String key = serial(1);
    writer.raw(null, now, TopicWriter.headers(), valid);
    writer.raw("not a serial number", now, TopicWriter.headers(), valid);
    writer.raw(key, now, TopicWriter.headers(), null);
    writer.raw(key, now, Map.of(), valid);
    writer.raw(key, now, with("EcoflowSource", "guess"), valid);
    writer.raw(key, now, with("EcoflowMode", "guess"), valid);
    writer.raw(key, now, with("EcoflowAccount", "a b\n"), valid);
    writer.raw(key, now, with("EcoflowOnline", "perhaps"), valid);
    writer.raw(key, now, with("EcoflowSchema", "2"), valid);
    writer.raw(key, now, with("EcoflowSchema", "x"), valid);
    writer.raw(key, 1, TopicWriter.headers(), valid);
    writer.push(key, now - 1000, soc(11));
    // Errors in payloads are counted as in a process without Kafka.
    writer.push(key, "{\"params\":");
    writer.raw(key, now, TopicWriter.headers(), new byte[0]);
    writer.raw(key, now, TopicWriter.headers(), new byte[900_000]);
    Map<String, String> values = with("EcoflowSource", "rest");
    values.remove("EcoflowTopic");
    writer.raw(key, now, values, "{\"pd.soc\":".getBytes());
    writer.raw(key, now, values, "[1]".getBytes());
    writer.device(key, "{");
    writer.device(key, "{\"schema\":2}");
    writer.device(key, "{\"schema\":1,\"account\":\"a b\"}");
    writer.device("not a serial number", "{}");
    writer.push(key, now - 1000, "{\"params\":{\"pd.soc\":12}}");
    writer.push(key, now + 3_600_000, "{\"params\":{\"pd.soc\":13}}");

    page.eventuallyShows(key, "pd_soc", 13);
    eventually(() -> assertEquals(0, own(page, "kafka_lag_records")));
    eventually(() -> assertEquals(3, rejected(page, "key")));
    eventually(() -> assertEquals(5, rejected(page, "value")));
    assertEquals(7, rejected(page, "headers"));
    eventually(() -> assertEquals(2, rejected(page, "schema")));
    assertEquals(19, own(page, "kafka_received_messages_total"));
    assertEquals(3, own(page, "mqtt_message_errors_total"));
    // A time in the future is not shown.
    double update = page.of(key, "device_last_update_timestamp_seconds");
    assertTrue(update <= System.currentTimeMillis() / 1000.0, "" + update);
  }

  @Test
  void aRecordAboveTheLimitIsSkippedAlone() {
    RunningExporter server = serve();
    awaitReady(server);
    Page page = server.page();
    long now = System.currentTimeMillis();
    // Records of this size are read, and are not valid payloads.
    writer.raw(serial(1), now, TopicWriter.headers(), new byte[MAX_BYTES]);
    writer.raw(serial(1), now, TopicWriter.headers(), new byte[MAX_BYTES + 1]);
    writer.push(serial(1), soc(81));

    page.eventuallyShows(serial(1), "pd_soc", 81);
    assertEquals(1, rejected(page, "too_large"));
    assertEquals(1, own(page, "kafka_rejected_messages_total"));
    assertEquals(1, own(page, "mqtt_message_errors_total"));
  }

  @Test
  void devicesOfOtherSourcesAboveTheLimitAreSkipped() {
    RunningExporter server = serve("MQTT_TIMEOUT=600");
    awaitReady(server);
    Page page = server.page();
    Map<String, String> headers = headersOfOther();
    byte[] values = "{\"heat\":21}".getBytes();
    long now = System.currentTimeMillis();
    for (int i = 0; i < MAX_OTHERS; i++) {
      writer.raw("HEATER" + i, now, headers, values);
    }
    eventually(() -> assertEquals(MAX_OTHERS, page.series("heat").size()));
    writer.raw("HEATER" + MAX_OTHERS, now, headers, values);
    writer.device("HEATER" + MAX_OTHERS, "{\"schema\":1,\"mode\":\"\"}");
    eventually(() -> assertEquals(2, rejected(page, "device_limit")));
    // Neither the other sources nor EcoFlow devices are affected.
    writer.raw("HEATER0", now + 1, headers, "{\"heat\":22}".getBytes());
    writer.push(serial(1), soc(81));
    page.eventuallyShows("HEATER0", "heat", 22);
    page.eventuallyShows(serial(1), "pd_soc", 81);
    assertEquals(MAX_OTHERS, page.series("heat").size());
    assertEquals(2, own(page, "kafka_rejected_messages_total"));

    writer.device("HEATER0", null);
    eventually(() -> assertEquals(MAX_OTHERS - 1, page.series("heat").size()));
    writer.raw("HEATER" + MAX_OTHERS, now + 1, headers, values);
    page.eventuallyShows("HEATER" + MAX_OTHERS, "heat", 21);
  }

  private static double rejected(Page page, String reason) {
    return own(page, "kafka_rejected_messages_total", "reason=" + reason);
  }

  private static Map<String, String> with(String header, String value) {
    Map<String, String> headers = TopicWriter.headers();
    headers.put(header, value);
    return headers;
  }

  /** Ten minutes of history, and one device that has been silent for eight minutes. */
  private void writeHistory() {
    long now = System.currentTimeMillis();
    for (String serial : serials()) {
      if (isOther(serial)) {
        writer.device(serial, "{\"schema\":1,\"name\":\"Heater\",\"mode\":\"\"}");
      } else {
        writer.device(serial, "Name " + serial, "one");
      }
      for (int age = 600; age >= 5; age -= 35) {
        if (age > 480 || !serial.equals(serial(0))) {
          write(serial, now - age * 1000L, "{\"pd.soc\":%d}".formatted(age % 100));
        }
      }
      // Only the history contains this value.
      write(serial, now - 590_000, "{\"bms.soh\":97}");
    }
    writer.flush();
  }

  /** Writes a message with the values in a JSON object. */
  private void write(String serial, long millis, String values) {
    if (isOther(serial)) {
      writer.raw(serial, millis, headersOfOther(), values.getBytes());
    } else {
      writer.push(serial, millis, "{\"params\":" + values + "}");
    }
  }

  private static Map<String, String> headersOfOther() {
    Map<String, String> headers = with("EcoflowSource", "other");
    headers.put("EcoflowMode", "");
    headers.remove("EcoflowTopic");
    return headers;
  }

  /** A value of each device, except for the silent one. */
  private void pushAll(int value) {
    serials().stream()
        .skip(1)
        .forEach(
            serial ->
                write(
                    serial,
                    System.currentTimeMillis(),
                    "{\"pd.soc\":%1$d,\"test.number\":%1$d}".formatted(value)));
    writer.flush();
  }

  @Test
  void aServerReadsBackTheStateOfItsDevices() {
    writeHistory();
    long start = System.nanoTime();
    RunningExporter server = serve();
    awaitReady(server);
    Page page = server.page();

    assertTrue(Duration.ofNanos(System.nanoTime() - start).toSeconds() < 20);
    assertEquals(Set.copyOf(serials()), shown(page));
    assertEquals(0, page.of(serial(0), "online"));
    assertTrue(Double.isNaN(page.of(serial(0), "pd_soc")));
    double silent = page.of(serial(0), "device_last_update_timestamp_seconds");
    assertEquals(495, System.currentTimeMillis() / 1000.0 - silent, 30);
    for (String serial : serials().subList(1, DEVICES)) {
      assertEquals(5, page.of(serial, "pd_soc"), serial);
      assertEquals(97, page.of(serial, "bms_soh"), serial);
      assertEquals(1, page.of(serial, "online"), serial);
    }
    assertEquals(0, own(page, "kafka_message_age_seconds_count"));
    pushAll(44);
    eventually(
        () ->
            assertEquals(
                DEVICES - 1,
                page.series("pd_soc").stream().filter(soc -> soc.value() == 44).count()));
    eventually(() -> assertEquals(DEVICES - 1, own(page, "kafka_message_age_seconds_count")));
  }

  /** The last offsets of the partition are those of the ends of transactions, not of records. */
  @Test
  void aPartitionCanEndWithATransaction() throws Exception {
    Path properties =
        Files.writeString(directory.resolve("kafka"), "isolation.level=read_committed\n");
    writer.transactions(kafka.address(), serial(1), soc(81), soc(82));
    RunningExporter server = serve("ECOFLOW_KAFKA_PROPERTIES=" + properties);
    awaitReady(server);
    assertEquals(81, server.page().of(serial(1), "pd_soc"));
  }

  /** Replays do not count the energy of the history again. */
  @Test
  void energyCountersDoNotCountAReplay() {
    long now = System.currentTimeMillis();
    writer.device(serial(1), "Garage", "one");
    for (int age = 600; age > 0; age -= 10) {
      writer.push(
          serial(1),
          now - age * 1000L,
          "{\"params\":{\"pd.wattsInSum\":3600,\"inv.inputWatts\":3600}}");
    }
    writer.flush();
    RunningExporter server = serve("ECOFLOW_METRICS=normalised");
    awaitReady(server);
    Page page = server.page();
    List<Series> energy =
        Arrays.stream(page.text().split("\n"))
            .filter(line -> line.startsWith("ecoflow_") && line.contains("energy"))
            .filter(line -> line.contains(serial(1)))
            .map(Series::read)
            .toList();

    assertFalse(page.linesOf(serial(1)).isEmpty());
    // 600 s with 3.6 kW are 0.6 kWh or 2.16 MJ.
    energy.forEach(series -> assertTrue(series.value() < 0.05, series.toString()));
  }

  @Test
  void movedPartitionsAreNeverOnTwoPages() throws Exception {
    writeHistory();
    RunningExporter first = serve();
    awaitReady(first);
    List<Page> pages = new ArrayList<>(List.of(first.page()));
    try (Scraper scraper = new Scraper(pages)) {
      for (int round = 0; round < 3; round++) {
        pushAll(50 + round);
        RunningExporter second = RunningExporter.start(fleet("serve"));
        scraper.add(second.page());
        awaitReady(second);
        // Not after the first assignment, which is empty.
        assertEquals(PARTITIONS / 2, own(second.page(), "kafka_partitions"));
        long assigned = System.nanoTime();
        eventually(
            () -> assertEquals(DEVICES, shown(first.page()).size() + shown(second.page()).size()));
        assertTrue(Duration.ofNanos(System.nanoTime() - assigned).toSeconds() < 5);
        for (String serial : shown(second.page())) {
          if (!serial.equals(serial(0))) {
            assertEquals(97, second.page().of(serial, "bms_soh"), serial);
            assertEquals(50 + round, second.page().of(serial, "pd_soc"), serial);
          }
        }
        scraper.remove(second.page());
        long closed = System.nanoTime();
        second.close();
        // Leaves the group, so that nobody waits for the session timeout.
        eventually(() -> assertEquals(Set.copyOf(serials()), shown(first.page())));
        long seconds = Duration.ofNanos(System.nanoTime() - closed).toSeconds();
        assertTrue(seconds < 9, seconds + " s");
      }
      scraper.check();
      System.out.println("moves of partitions: " + scraper.gaps());
    }
  }

  @Test
  void otherServersTakeOverFromAKilledOne() {
    writeHistory();
    int port = Ports.next();
    Map<String, String> variables = fleet("serve", "EXPORTER_PORT=" + port);
    try (ChildProcess killed =
        ChildProcess.exporter(
            directory, directory.resolve("log"), variables, List.of("-Xmx128m"))) {
      Page page = ExporterJar.pageAt(port);
      eventually(() -> assertEquals(DEVICES, shown(page).size(), () -> "" + killed.lines()));
      RunningExporter other = serve();
      eventually(() -> assertEquals(PARTITIONS / 2, own(other.page(), "kafka_partitions")));
      awaitReady(other);
      assertTrue(shown(other.page()).size() < DEVICES);

      killed.kill();
      long start = System.nanoTime();
      eventually(() -> assertEquals(DEVICES, shown(other.page()).size()));
      long seconds = Duration.ofNanos(System.nanoTime() - start).toSeconds();
      assertTrue(seconds < 15, seconds + " s");
    }
  }

  @Test
  void devicesAreHiddenWhileKafkaDoesNotAnswer() {
    writer.device(serial(1), "Garage", "one");
    writer.push(serial(1), soc(81));
    writer.flush();
    RunningExporter server = serve("MQTT_TIMEOUT=600");
    Page page = server.page();
    page.eventuallyShows(serial(1), "pd_soc", 81);

    kafka.kill();
    eventually(() -> assertEquals(List.of(), page.linesOf(serial(1))));
    kafka.start();
    page.eventuallyShows(serial(1), "pd_soc", 81, "device_name=Garage");
    writer.push(serial(1), soc(82));
    page.eventuallyShows(serial(1), "pd_soc", 82);
  }

  @Test
  void serversWithoutOnlineDevicesAreReady() {
    writer.device(serial(1), "Garage", "one");
    writer.flush();
    RunningExporter server = serve();
    server.page().eventuallyShows(serial(1), "online", 0, "device_name=Garage");
    awaitReady(server);
  }

  /**
   * Until the partition has a leader, the server is not ready, because a rolling update would stop
   * a server that has its devices.
   */
  @Test
  void aPartitionWithoutALeaderIsReadBackWhenItHasOne() {
    String topics = prefix + "-two";
    try (KafkaBroker second = kafka.second();
        TopicWriter other = new TopicWriter(kafka.address(), topics)) {
      second.start();
      kafka.createTopic(topics + ".raw", List.of(1, 2));
      kafka.createTopic(topics + ".devices", List.of(1, 2));
      kafka.createTopics(1, topics + ".unknown");
      for (String serial : serials()) {
        other.device(serial, "Name " + serial, "one");
        other.push(serial, soc(81));
      }
      other.flush();
      second.kill();
      kafka.awaitLeaders(1, topics + ".raw");
      kafka.awaitLeaders(1, topics + ".devices");
      RunningExporter server = serve("ECOFLOW_KAFKA_TOPICS=" + topics, "MQTT_TIMEOUT=600");
      Page page = server.page();
      // The other partition is not affected.
      eventually(() -> assertFalse(named(page).isEmpty()));
      Set<String> early = named(page);
      assertTrue(early.size() < DEVICES, early.toString());
      assertEquals(early, shown(page));
      eventually(() -> assertEquals("not ready: reading back 1 partition\n", ready(server)));

      second.start();
      awaitReady(server);
      assertEquals(Set.copyOf(serials()), named(page));
      // Otherwise, the broker could become the leader of the next test's partitions.
      second.kill();
      kafka.awaitLeaders(1, topics + ".raw");
    }
  }

  private static String ready(RunningExporter server) {
    return server.http().get("/-/ready").body();
  }

  /** The devices with a value and the name in their records. */
  private static Set<String> named(Page page) {
    return page.series("pd_soc").stream()
        .map(Series::labels)
        .filter(labels -> labels.get("device_name").equals("Name " + labels.get("device")))
        .map(labels -> labels.get("device"))
        .collect(Collectors.toSet());
  }

  /** A slow server continues with the first record that Kafka still has. */
  @Test
  void recordsAfterDeletedOnesAreNotSkipped() {
    int port = Ports.next();
    Map<String, String> variables = fleet("serve", "EXPORTER_PORT=" + port);
    try (ChildProcess server =
        ChildProcess.exporter(
            directory, directory.resolve("log"), variables, List.of("-Xmx128m"))) {
      Page page = ExporterJar.pageAt(port);
      eventually(() -> assertEquals(PARTITIONS, own(page, "kafka_partitions")));
      writer.push(serial(1), soc(80));
      page.eventuallyShows(serial(1), "pd_soc", 80);
      server.signal("STOP");
      // The answer to a waiting request contains the first record only.
      long now = System.currentTimeMillis();
      RecordMetadata last = null;
      for (int value = 81; value <= 84; value++) {
        last = writer.awaitPush(serial(1), now + value, soc(value));
      }
      kafka.deleteRecords(last.topic(), last.partition(), last.offset());
      server.signal("CONT");
      page.eventuallyShows(serial(1), "pd_soc", 84);
    }
  }

  @Test
  void aServerWithoutPartitionsWaitsForThem() {
    kafka.createTopics(1, prefix + "-one.raw", prefix + "-one.devices", prefix + "-one.unknown");
    String topics = "ECOFLOW_KAFKA_TOPICS=" + prefix + "-one";
    RunningExporter first = serve(topics);
    awaitReady(first);
    RunningExporter idle = serve(topics);
    // Kafka can also move the partition to the new server.
    List<RunningExporter> both = List.of(first, idle);
    eventually(
        () ->
            assertEquals(
                Set.of("ready\n", "not ready: Kafka has not assigned partitions yet\n"),
                both.stream().map(ServerIT::ready).collect(Collectors.toSet())));
    assertEquals(1, own(first.page(), "kafka_partitions") + own(idle.page(), "kafka_partitions"));
  }

  @Test
  void kafkaCanStartAfterTheServer() {
    kafka.kill();
    RunningExporter server = serve();
    assertEquals("not ready: Kafka has not answered yet\n", server.http().get("/-/ready").body());
    kafka.start();
    awaitReady(server);
    writer.push(serial(1), soc(81));
    server.page().eventuallyShows(serial(1), "pd_soc", 81);
  }

  @Test
  void aFreshGroupReadsTheHistoryAgain() {
    writeHistory();
    RunningExporter first = serve("ECOFLOW_REPLAY=0");
    awaitReady(first);
    assertEquals(0, own(first.page(), "kafka_received_messages_total"));
    RunningExporter second = serve("ECOFLOW_KAFKA_GROUP=" + prefix + "-again");
    awaitReady(second);
    assertTrue(own(second.page(), "kafka_received_messages_total") > DEVICES * 10);
    assertEquals(5, second.page().of(serial(1), "pd_soc"));
  }

  @Test
  void replayPrintsTheSeriesOfTheHistory() {
    writer.push(serial(1), soc(81));
    writer.push(serial(1), System.currentTimeMillis() - 10_000_000, "{\"params\":{\"a.old\":1}}");
    Map<String, String> rest = with("EcoflowSource", "rest");
    rest.remove("EcoflowTopic");
    rest.put("EcoflowMode", "rest");
    writer.raw(serial(2), System.currentTimeMillis(), rest, "{\"pd.soc\":82}".getBytes());
    writer.raw(serial(3), System.currentTimeMillis(), Map.of(), soc(83).getBytes());
    Map<String, String> other = with("EcoflowMode", "");
    writer.raw(serial(4), System.currentTimeMillis(), other, soc(84).getBytes());
    writer.device(serial(1), "Before", "one");
    writer.device(serial(1), "Garage", "one");
    writer.device(serial(2), "Shed", "one");
    writer.device(serial(2), null);
    writer.device(serial(5), "Without messages", "one");
    writer.flush();
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();

    // The record without headers.
    assertEquals(
        1,
        CommandRun.run(
            fleet("serve"), Clock.systemUTC(), out, err, "replay", "--from-kafka", "--since", "2h"),
        err::toString);
    List<String> series =
        out.toString().lines().filter(line -> line.startsWith("ecoflow_pd_soc{")).toList();
    assertEquals(
        List.of(81.0, 82.0, 84.0),
        series.stream().map(line -> Series.read(line).value()).toList(),
        out::toString);
    assertEquals(
        List.of("Garage", "DELTA 2-0002", "DELTA 2-0004"),
        series.stream().map(line -> Series.read(line).labels().get("device_name")).toList(),
        out::toString);
    assertFalse(out.toString().contains("a_old"), out::toString);
    assertFalse(out.toString().contains("Without messages"), out::toString);
    assertTrue(
        err.toString().matches("ecoflow-exporter: .*: it has no header EcoflowSchema\\R"),
        err::toString);

    Map<String, String> all = fleet("all");
    assertEquals(
        2,
        CommandRun.run(all, Clock.systemUTC(), out, new StringWriter(), "replay", "--from-kafka"));
  }

  /** An alert compares this number with the assigned partitions of all servers. */
  @Test
  void collectorsAndServersShowAddedPartitions() throws Exception {
    Path properties = Files.writeString(directory.resolve("kafka"), "metadata.max.age.ms=500\n");
    Map<String, String> variables = Variables.of(clouds.cloud(), "rest");
    variables.putAll(fleet("collect", "ECOFLOW_KAFKA_PROPERTIES=" + properties));
    variables.remove("ECOFLOW_KAFKA_GROUP");
    RunningExporter collector = RunningExporter.start(variables);
    open.add(collector);
    RunningExporter server = serve("ECOFLOW_KAFKA_PROPERTIES=" + properties);
    List<Page> pages = List.of(collector.page(), server.page());
    eventually(
        () -> pages.forEach(page -> assertEquals(PARTITIONS, own(page, "kafka_topic_partitions"))));

    kafka.setPartitions(PARTITIONS + 2, prefix + ".raw");
    eventually(
        () ->
            pages.forEach(
                page -> assertEquals(PARTITIONS + 2, own(page, "kafka_topic_partitions"))));
  }

  /** Starts a server and stops the oldest one in each round, with messages for all devices. */
  @Test
  @EnabledIfSystemProperty(named = "fleet.moves", matches = "[0-9]+")
  void rollingUpdatesShowNoOutdatedValues() throws Exception {
    serials().forEach(serial -> writer.device(serial, "Name " + serial, "one"));
    AtomicBoolean isEnd = new AtomicBoolean();
    Thread load =
        new Thread(
            () -> {
              for (int number = 0; !isEnd.get(); number++) {
                for (String serial : serials()) {
                  writer.push(serial, "{\"params\":{\"test.number\":" + number + "}}");
                }
                try {
                  Thread.sleep(200);
                } catch (InterruptedException e) {
                  return;
                }
              }
            },
            "load");
    load.start();
    Deque<RunningExporter> servers = new ArrayDeque<>();
    for (int number = 0; number < 3; number++) {
      servers.add(serve());
      awaitReady(servers.getLast());
    }
    eventually(
        () ->
            assertEquals(
                DEVICES, servers.stream().mapToInt(server -> shown(server.page()).size()).sum()));
    try (Scraper scraper = new Scraper(servers.stream().map(RunningExporter::page).toList())) {
      for (int move = 0; move < Integer.getInteger("fleet.moves"); move++) {
        RunningExporter next = serve();
        scraper.add(next.page());
        awaitReady(next);
        eventually(() -> assertTrue(own(next.page(), "kafka_partitions") > 0));
        servers.add(next);
        RunningExporter oldest = servers.remove();
        oldest.close();
        scraper.remove(oldest.page());
        eventually(
            () ->
                assertEquals(
                    DEVICES,
                    servers.stream().mapToInt(server -> shown(server.page()).size()).sum()));
      }
      System.out.println("rolling update: " + scraper.gaps());
      scraper.check();
      assertTrue(scraper.longestGap().toSeconds() < 15, scraper.longestGap().toString());
    } finally {
      isEnd.set(true);
      load.join();
    }
  }

  @Test
  void unknownMessagesAreSentMasked() {
    RunningExporter server = serve();
    awaitReady(server);
    String serial = "ZZ99SECRET000001";
    writer.raw(
        serial,
        System.currentTimeMillis(),
        TopicWriter.headers(),
        Frames.frame(250, 250, Frames.message().text(1, serial)));

    try (TopicReader unknown = new TopicReader(kafka.address(), prefix + ".unknown")) {
      eventually(() -> assertEquals(1, unknown.records().size()));
      String line = TopicReader.text(unknown.records().get(0));
      assertTrue(line.contains("\"command\":\"250/250\""), line);
      assertFalse(line.contains("SECRET"), line);
      assertEquals(Map.of(), TopicReader.headers(unknown.records().get(0)));
    }
  }
}
