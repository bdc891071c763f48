package ecoflow.fleet;

import ecoflow.config.KafkaSettings;
import ecoflow.fleet.ServedPartitions.StoredRecord;
import ecoflow.fleet.ServedPartitions.StoredRecords;
import ecoflow.role.Parts;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.serde.ToStringKafkaHeaderDeserializer;
import org.apache.camel.spi.PropertiesComponent;
import org.apache.camel.spi.Registry;
import org.apache.kafka.clients.consumer.Consumer;

/** The role {@code serve}: reads the messages of devices from Kafka. */
public final class Server extends KafkaRole {

  /** Shorter than the time in which Kafka expects the next poll of the consumer. */
  private static final Duration DEVICES_LIMIT = Duration.ofSeconds(30);

  private final DeviceTopicPositions changes = new DeviceTopicPositions();

  public Server(KafkaSettings settings) {
    super(settings, Topics.RAW, Topics.DEVICES, Topics.UNKNOWN);
  }

  @Override
  public void bind(Parts parts) {
    CamelContext camel = parts.camel();
    KafkaSettings settings = settings();
    MeterRegistry meters = parts.meters().registry();
    PropertiesComponent placeholders = camel.getPropertiesComponent();
    placeholders.addInitialProperty("ecoflow.kafka.unknown.topic", settings.topic(Topics.UNKNOWN));
    placeholders.addInitialProperty("ecoflow.kafka.server.group", settings.group());
    placeholders.addInitialProperty(
        "ecoflow.kafka.fetch.bytes", Long.toString(TopicRecords.fetchBytes()));
    Rejections rejections = new Rejections(parts.prefix(), meters, parts.nanoClock());
    ServedPartitions partitions =
        new ServedPartitions(
            parts.devices(),
            parts.quotas(),
            new ServedDevices(parts.settings(), parts.accounts(), parts.devices(), parts.meters()),
            this::newestRecords,
            changes,
            rejections,
            parts.nanoClock());
    bindClients(
        parts,
        new KafkaClients(settings, topics()::areChecked, options -> consumer(options, partitions)));
    Registry registry = camel.getRegistry();
    // The default returns bytes, which are not equal to any text.
    registry.bind("toStringKafkaHeaderDeserializer", new ToStringKafkaHeaderDeserializer());
    registry.bind(
        "rawRecords",
        new RawRecords(
            parts.prefix(), partitions, parts.devices(), rejections, parts.meters().registry()));
    registry.bind("changeRecords", new ChangeRecords(partitions, changes));
    registry.bind("unknownRecords", new UnknownRecords(parts.unknown()));
    gauge(parts, "partitions", "Partitions that Kafka has assigned", partitions, p -> p.count());
    gauge(
        parts,
        "replaying_partitions",
        "Assigned partitions whose records are being read back",
        partitions,
        p -> p.replaying());
    gauge(parts, "lag_records", "Records that have not been read yet", partitions, p -> p.lag());
    parts.page().ignoreValues();
    parts.page().require("kafka", () -> problem(partitions));
    parts.page().remark("kafka-connection", partitions::isolation);
  }

  private Map<Integer, StoredRecords> newestRecords(Set<Integer> partitions) {
    Map<Integer, Map<String, StoredRecord>> newest = new HashMap<>();
    partitions.forEach(number -> newest.put(number, new HashMap<>()));
    Map<Integer, StoredRecords> all = new HashMap<>();
    new TopicRecords(settings(), Topics.DEVICES)
        .read(
            partitions,
            DEVICES_LIMIT,
            entry ->
                newest
                    .get(entry.partition())
                    .put(entry.key(), new StoredRecord(entry.value(), entry.timestamp())))
        .forEach((number, end) -> all.put(number, new StoredRecords(newest.get(number), end)));
    return all;
  }

  private Optional<String> problem(ServedPartitions partitions) {
    return topics().areChecked() ? partitions.problem() : Optional.of("Kafka has not answered yet");
  }

  private static void gauge(
      Parts parts,
      String name,
      String description,
      ServedPartitions partitions,
      ToDoubleFunction<ServedPartitions> value) {
    Gauge.builder(parts.prefix() + "_kafka_" + name, partitions, value)
        .description(description)
        .register(parts.meters().registry());
  }

  private Consumer<?, ?> consumer(Properties options, ServedPartitions partitions) {
    // The client ID of the route is its topic.
    return options.get("client.id").equals(settings().topic(Topics.RAW))
        ? new PartitionConsumer(options, partitions, settings().replay())
        : new DeviceConsumer(options, partitions, changes);
  }
}
