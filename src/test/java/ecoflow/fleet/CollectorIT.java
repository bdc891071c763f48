package ecoflow.fleet;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.EcoflowExporter;
import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.SimulatedAccount;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.AccountsYaml;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.KafkaBroker;
import ecoflow.testkit.Ports;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Series;
import ecoflow.testkit.Variables;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.camel.ProducerTemplate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A collector with the simulated cloud and a real Kafka broker. */
class CollectorIT {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final AtomicInteger TESTS = new AtomicInteger();
  private static final int PARTITIONS = 3;

  @TempDir private static Path broker;
  private static KafkaBroker kafka;

  private final SimulatedDevice garage =
      new SimulatedDevice("R331FLEET0000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));
  private final SimulatedDevice shed =
      new SimulatedDevice("R331FLEET0000002", "Shed", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 82));

  @RegisterExtension final CloudExtension clouds = new CloudExtension(garage, shed);

  @TempDir private Path directory;
  private final String prefix = "test" + TESTS.incrementAndGet();
  private RunningExporter collector;

  @BeforeAll
  static void startKafka() {
    kafka = new KafkaBroker(broker);
  }

  @BeforeEach
  void ensureKafkaRuns() {
    kafka.ensureStarted();
  }

  @AfterEach
  void stop() {
    if (collector != null) {
      collector.close();
    }
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  private void createTopics() {
    kafka.createTopics(PARTITIONS, prefix + ".raw", prefix + ".devices");
  }

  private Map<String, String> variables(String mode, String... more) {
    Map<String, String> all = Variables.of(clouds.cloud(), mode, more);
    all.putAll(fleet());
    return all;
  }

  private Map<String, String> fleet() {
    return Map.of(
        "ECOFLOW_ROLE",
        "collect",
        "ECOFLOW_KAFKA_BROKERS",
        kafka.address(),
        "ECOFLOW_KAFKA_TOPICS",
        prefix);
  }

  private void start(String mode, String... more) {
    collector = RunningExporter.start(variables(mode, more));
    if (!mode.equals("rest")) {
      eventually(() -> assertEquals(1, own("mqtt_connected", "client_type=" + mode)));
    }
  }

  private double own(String name, String... labels) {
    return collector.page().series(name, labels).stream().mapToDouble(Series::value).sum();
  }

  private TopicReader raw() {
    return new TopicReader(kafka.address(), prefix + ".raw");
  }

  private static void publish(SimulatedDevice device, int number) {
    device.publish("{\"params\":{\"test.number\":" + number + "}}");
  }

  private static List<Integer> numbers(List<ConsumerRecord<String, byte[]>> records) {
    return records.stream()
        .map(TopicReader::text)
        .filter(text -> text.contains("test.number"))
        .map(text -> Integer.parseInt(text.replaceAll(".*number\":(\\d+).*", "$1")))
        .toList();
  }

  @Test
  void everyMessageArrivesInTheOrderOfItsDevice() throws Exception {
    createTopics();
    long before = System.currentTimeMillis();
    start("mqtt");
    List<Integer> expected = IntStream.range(0, 500).boxed().toList();
    for (int number : expected) {
      publish(garage, number);
      publish(shed, number);
    }

    try (TopicReader raw = raw()) {
      eventually(() -> assertEquals(1000, raw.records().size()));
      for (SimulatedDevice device : List.of(garage, shed)) {
        List<ConsumerRecord<String, byte[]>> records = raw.records(device.serial());
        assertEquals(expected, numbers(records));
        for (ConsumerRecord<String, byte[]> record : records) {
          assertEquals(
              Map.of(
                  "EcoflowSource", "push",
                  "EcoflowTopic", "/app/device/property/" + device.serial(),
                  "EcoflowAccount", "",
                  "EcoflowMode", "mqtt",
                  "EcoflowSchema", "1"),
              TopicReader.headers(record));
          assertTrue(record.timestamp() >= before, "time of receipt");
          assertTrue(record.timestamp() <= System.currentTimeMillis(), "time of receipt");
        }
      }
    }
    eventually(() -> assertEquals(1000, own("kafka_sent_messages_total")));
    eventually(() -> assertEquals(0, own("kafka_waiting_messages")));
    assertEquals(0, own("kafka_dropped_messages_total"));
    assertEquals(PARTITIONS, own("kafka_topic_partitions"));
    assertEquals(1000, own("mqtt_messages_total"));
    String ready = collector.http().get("/-/ready").body();
    assertTrue(ready.startsWith("ready"), ready);
    assertEquals(200, collector.http().get("/").statusCode());
    // Devices have metrics at the servers only.
    assertEquals(List.of(), collector.page().series("online"));
    assertFalse(collector.page().text().contains("device=\"" + garage.serial()));
  }

  @Test
  void repliesHaveTopicsWithoutUserIds() throws Exception {
    createTopics();
    start("device");

    try (TopicReader raw = raw()) {
      eventually(
          () ->
              assertTrue(
                  raw.records(garage.serial()).stream()
                      .map(TopicReader::headers)
                      .anyMatch(
                          headers ->
                              headers.get("EcoflowSource").equals("reply")
                                  && headers
                                      .get("EcoflowTopic")
                                      .equals(
                                          "/app/*/"
                                              + garage.serial()
                                              + "/thing/property/get_reply"))));
    }
  }

  @Test
  void polledValuesAreJsonObjects() throws Exception {
    createTopics();
    shed.setOnline(false);
    start("rest");

    try (TopicReader raw = raw()) {
      eventually(() -> assertFalse(raw.records(garage.serial()).isEmpty()));
      ConsumerRecord<String, byte[]> record = raw.records(garage.serial()).get(0);
      assertEquals(81, JSON.readTree(record.value()).path("pd.soc").asInt());
      assertEquals(
          Map.of(
              "EcoflowSource", "rest",
              "EcoflowAccount", "",
              "EcoflowMode", "rest",
              "EcoflowSchema", "1"),
          TopicReader.headers(record));
      assertEquals(List.of(), raw.records(shed.serial()));
    }
    eventually(() -> assertTrue(own("kafka_sent_messages_total") >= 2));
    assertTrue(own("scrape_requests_total", "device=" + garage.serial()) > 0);
  }

  @Test
  void messageThatIsTooLargeIsDroppedAlone() throws Exception {
    createTopics();
    start("mqtt");
    garage.publish("{\"params\":{\"test.text\":\"" + "x".repeat(1_100_000) + "\"}}");
    publish(garage, 1);

    try (TopicReader raw = raw()) {
      eventually(() -> assertEquals(List.of(1), numbers(raw.records(garage.serial()))));
    }
    assertEquals(1, own("kafka_dropped_messages_total", "reason=too_large"));
    assertEquals(1, own("kafka_dropped_messages_total"));
  }

  @Test
  void statusMessageDeterminesTheOnlineState() throws Exception {
    createTopics();
    start("mqtt", "COLLECTING_INTERVAL=0.3");
    publish(garage, 1);
    try (TopicReader devices = new TopicReader(kafka.address(), prefix + ".devices")) {
      eventually(() -> assertTrue(last(devices, garage).path("online").asBoolean()));
      JsonNode online = last(devices, garage);
      assertEquals(1, online.path("schema").asInt());
      assertEquals("Garage", online.path("name").asText());
      assertEquals("DELTA 2", online.path("product").asText());
      assertEquals("mqtt", online.path("mode").asText());
      assertTrue(last(devices, shed).path("online").isNull(), "unknown before its first message");

      garage.publishStatus("{\"params\":{\"status\":0}}");
      eventually(
          () -> {
            JsonNode offline = last(devices, garage).path("online");
            assertTrue(offline.isBoolean() && !offline.asBoolean());
          });
      assertTrue(last(devices, garage).path("since").asLong() > online.path("since").asLong());
      publish(garage, 2);
      eventually(() -> assertTrue(last(devices, garage).path("online").asBoolean()));
    }
  }

  private static JsonNode last(TopicReader devices, SimulatedDevice device) throws Exception {
    List<ConsumerRecord<String, byte[]>> records = devices.records(device.serial());
    assertFalse(records.isEmpty(), device.serial());
    byte[] value = records.get(records.size() - 1).value();
    return value == null ? JSON.nullNode() : JSON.readTree(value);
  }

  @Test
  void changesOfAccountsChangeTheRecordsOfDevices() throws Exception {
    createTopics();
    AccountsYaml accounts =
        new AccountsYaml(directory.resolve("accounts.yml"))
            .add("one", "rest", clouds.cloud().defaultAccount(), "labels: {site: Berlin}")
            .write();
    SimulatedAccount other = clouds.cloud().addAccount(CloudAccount.numbered(1));
    Map<String, String> variables = Variables.ofFile(accounts.file());
    variables.put("ECOFLOW_CA_FILE", clouds.cloud().caFile().toString());
    variables.putAll(fleet());
    collector = RunningExporter.start(variables);

    try (TopicReader devices = new TopicReader(kafka.address(), prefix + ".devices");
        TopicReader raw = raw()) {
      eventually(() -> assertTrue(last(devices, garage).path("online").asBoolean()));
      assertEquals("one", last(devices, garage).path("account").asText());
      assertEquals("Berlin", last(devices, garage).path("labels").path("site").asText());
      eventually(() -> assertFalse(raw.records(garage.serial()).isEmpty()));
      assertEquals(
          "one", TopicReader.headers(raw.records(garage.serial()).get(0)).get("EcoflowAccount"));
      accounts.replace("one", "labels", "labels: {site: Rome}").write();
      eventually(
          () -> assertEquals("Rome", last(devices, garage).path("labels").path("site").asText()));
      garage.setOnline(false);
      eventually(() -> assertFalse(last(devices, garage).path("online").asBoolean(true)));
      accounts.remove("one").add("two", "rest", other).write();
      eventually(() -> assertTrue(last(devices, garage).isNull(), "no longer served"));
    }
  }

  @Test
  void missingTopicEndsTheStart() throws Exception {
    kafka.createTopics(PARTITIONS, prefix + ".raw");

    assertEquals(
        "Kafka has no topic %1$s.devices: create it, for example with kafka-topics.sh --bootstrap-server %2$s --create --topic %1$s.devices --partitions 12 --config cleanup.policy=compact,delete --config retention.ms=604800000 --config segment.ms=3600000"
            .formatted(prefix, kafka.address()),
        startError());
  }

  @Test
  void topicsNeedTheSameNumberOfPartitions() throws Exception {
    kafka.createTopics(PARTITIONS, prefix + ".raw");
    kafka.createTopics(2, prefix + ".devices");

    assertEquals(
        "Kafka topic %1$s.devices has 2 partitions, and %1$s.raw has 3: they must have the same number. To add partitions, use kafka-topics.sh --bootstrap-server %2$s --alter --topic %1$s.devices --partitions 3"
            .formatted(prefix, kafka.address()),
        startError());
  }

  @Test
  void propertiesThatTheClientRejectsEndTheStart() throws Exception {
    createTopics();
    Path file = directory.resolve("kafka.properties");
    Files.writeString(file, "security.protocol=NOPE");
    String rejected = startError("ECOFLOW_KAFKA_PROPERTIES=" + file);
    assertTrue(
        rejected.startsWith(
            "ECOFLOW_KAFKA_PROPERTIES=" + file + " is not valid for Kafka's client: "),
        rejected);
    assertTrue(rejected.contains("security.protocol"), rejected);

    Files.writeString(file, "delivery.timeout.ms=100");
    String inconsistent = startError("ECOFLOW_KAFKA_PROPERTIES=" + file);
    assertTrue(
        inconsistent.contains(
            "ECOFLOW_KAFKA_PROPERTIES="
                + file
                + " is not valid for Kafka's client: delivery.timeout.ms should be "),
        inconsistent);

    Files.writeString(file, "compression.type=zstd");
    String codec = startError("ECOFLOW_KAFKA_PROPERTIES=" + file);
    assertTrue(codec.contains("ClassNotFoundException: com.github.luben.zstd."), codec);
  }

  @Test
  void valuesOfOtherDevicesHaveOnlyTheDocumentedHeaders() throws Exception {
    createTopics();
    start("mqtt");
    try (ProducerTemplate routes = collector.camelContext().createProducerTemplate();
        TopicReader raw = raw();
        TopicReader devices = new TopicReader(kafka.address(), prefix + ".devices")) {
      routes.sendBodyAndHeaders(
          "direct:quotas",
          Map.of("heat", 21),
          Map.of(
              "EcoflowDevice", "HEATER1",
              "EcoflowSource", "other",
              "EcoflowDeviceName", "Heater",
              "EcoflowReceived", "1700000000000",
              "EcoflowOnline", true,
              "Authorization", "secret"));

      eventually(() -> assertEquals(1, raw.records("HEATER1").size()));
      ConsumerRecord<String, byte[]> record = raw.records("HEATER1").get(0);
      assertEquals("{\"heat\":21}", TopicReader.text(record));
      assertEquals(1_700_000_000_000L, record.timestamp());
      assertEquals(
          Map.of(
              "EcoflowSource", "other",
              "EcoflowDeviceName", "Heater",
              "EcoflowOnline", "true",
              "EcoflowAccount", "",
              "EcoflowMode", "",
              "EcoflowSchema", "1"),
          TopicReader.headers(record));
      eventually(() -> assertFalse(devices.records("HEATER1").isEmpty()));
      JsonNode device = JSON.readTree(devices.records("HEATER1").get(0).value());
      assertEquals("Heater", device.path("name").asText());
    }
  }

  private String startError(String... more) throws Exception {
    Map<String, String> all = variables("mqtt", more);
    all.put("EXPORTER_PORT", "" + Ports.next());
    try (EcoflowExporter exporter = new EcoflowExporter(all)) {
      return assertThrows(EcoflowExporter.StartException.class, exporter::start).getMessage();
    }
  }

  @Test
  void outageLosesOnlyCountedMessages() throws Exception {
    createTopics();
    start("mqtt");
    AtomicBoolean isEnd = new AtomicBoolean();
    AtomicInteger published = new AtomicInteger();
    Thread load = load(isEnd, published);
    eventually(() -> assertTrue(own("kafka_sent_messages_total") > 100));

    kafka.kill();
    eventually(() -> assertTrue(own("kafka_waiting_messages") > 500));
    // The page and the connection are not affected.
    assertEquals(1, own("mqtt_connected"));
    assertTrue(own("kafka_waiting_bytes") > 0);
    eventually(
        () ->
            assertTrue(
                collector
                    .http()
                    .get("/-/ready")
                    .body()
                    .endsWith("Kafka does not accept records\n")));
    kafka.start();
    long back = System.nanoTime();
    double before = own("kafka_sent_messages_total");
    eventually(() -> assertTrue(own("kafka_sent_messages_total") > before));
    assertTrue(Duration.ofNanos(System.nanoTime() - back).toSeconds() < 20);
    isEnd.set(true);
    load.join();

    eventually(() -> assertEquals(published.get(), own("mqtt_messages_total")));
    eventually(() -> assertEquals(0, own("kafka_waiting_messages")));
    double sent = own("kafka_sent_messages_total");
    assertEquals(published.get(), sent + own("kafka_dropped_messages_total"));
    assertEquals(0, own("mqtt_reconnections_total"));
    try (TopicReader raw = raw()) {
      eventually(() -> assertEquals(sent, raw.records().size()));
      for (SimulatedDevice device : List.of(garage, shed)) {
        List<Integer> numbers = numbers(raw.records(device.serial()));
        assertEquals(numbers.stream().sorted().distinct().toList(), numbers);
      }
    }
  }

  /** Publishes about 200 messages per second. */
  private Thread load(AtomicBoolean isEnd, AtomicInteger published) {
    Thread thread =
        new Thread(
            () -> {
              int number = 0;
              while (!isEnd.get()) {
                publish(garage, number);
                publish(shed, number++);
                published.addAndGet(2);
                try {
                  Thread.sleep(10);
                } catch (InterruptedException e) {
                  return;
                }
              }
            },
            "load");
    thread.start();
    return thread;
  }

  @Test
  void kafkaCanStartAfterTheCollector() throws Exception {
    createTopics();
    kafka.kill();
    start("mqtt");
    publish(garage, 1);
    eventually(() -> assertEquals(1, own("kafka_dropped_messages_total", "reason=no_metadata")));
    assertEquals(List.of(), collector.page().series("kafka_topic_partitions"), "is unknown");
    assertEquals(
        "not ready: Kafka has not answered yet\n", collector.http().get("/-/ready").body());

    kafka.start();
    eventually(() -> assertTrue(collector.http().get("/-/ready").body().startsWith("ready")));
    AtomicInteger number = new AtomicInteger(1);
    eventually(
        () -> {
          publish(garage, number.incrementAndGet());
          assertTrue(own("kafka_sent_messages_total") > 0);
        });
  }

  @Test
  void missingTopicEndsTheProcessWhenKafkaStartsLater() throws Exception {
    kafka.kill();
    start("mqtt");
    kafka.start();

    assertEquals(2, collector.exitCode());
  }

  @Test
  void fullBufferDropsMessagesWithTheirReason() throws Exception {
    createTopics();
    Path properties =
        Files.writeString(
            directory.resolve("kafka.properties"), "buffer.memory=65536\nbatch.size=16384\n");
    start("mqtt", "ECOFLOW_KAFKA_PROPERTIES=" + properties);
    publish(garage, 0);
    eventually(() -> assertEquals(1, own("kafka_sent_messages_total")));
    kafka.kill();
    List<Integer> all = new ArrayList<>();
    eventually(
        () -> {
          garage.publish("{\"params\":{\"test.text\":\"" + "x".repeat(10_000) + "\"}}");
          all.add(1);
          assertTrue(own("kafka_dropped_messages_total", "reason=buffer_full") > 0);
        });
    assertTrue(own("kafka_waiting_bytes") <= 65_536);
    kafka.start();
    eventually(() -> assertEquals(0, own("kafka_waiting_messages")));
    eventually(
        () ->
            assertEquals(
                all.size() + 1,
                own("kafka_sent_messages_total") + own("kafka_dropped_messages_total")));
  }
}
