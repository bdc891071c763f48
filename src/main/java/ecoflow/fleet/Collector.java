package ecoflow.fleet;

import ecoflow.config.ConfigException;
import ecoflow.config.KafkaSettings;
import ecoflow.role.FleetRole;
import ecoflow.role.Parts;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.builder.ThreadPoolProfileBuilder;
import org.apache.camel.component.kafka.DefaultKafkaClientFactory;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.spi.PropertiesComponent;
import org.apache.camel.spi.Registry;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** The role {@code collect}: sends the messages of devices to Kafka. */
public final class Collector implements FleetRole {

  /** The part of the heap for the buffer of the producer: 12 MB with -Xmx96m. */
  private static final long HEAP_PARTS = 8;

  /** Each waiting record needs about 3 kB in addition to the buffer. */
  private static final long BYTES_PER_RECORD = 1 << 10;

  private final KafkaSettings settings;
  private final KafkaClients clients;
  private final Topics topics;

  public Collector(KafkaSettings settings) {
    this.settings = settings;
    this.clients = new KafkaClients(settings, KafkaConsumer::new);
    this.topics = new Topics(settings, System::nanoTime, Topics.RAW, Topics.DEVICES);
  }

  @Override
  public void bind(Parts parts) {
    CamelContext camel = parts.camel();
    long memory = Runtime.getRuntime().maxMemory() / HEAP_PARTS;
    PropertiesComponent placeholders = camel.getPropertiesComponent();
    placeholders.addInitialProperty("ecoflow.kafka.addresses", settings.brokers());
    placeholders.addInitialProperty("ecoflow.kafka.raw.topic", settings.topic(Topics.RAW));
    placeholders.addInitialProperty("ecoflow.kafka.devices.topic", settings.topic(Topics.DEVICES));
    placeholders.addInitialProperty("ecoflow.kafka.memory", Long.toString(memory));
    // Otherwise the routes of integrators would also use the factory, because it is the only one.
    camel
        .getComponent("kafka", KafkaComponent.class)
        .setKafkaClientFactory(new DefaultKafkaClientFactory());
    camel
        .getExecutorServiceManager()
        .registerThreadPoolProfile(
            new ThreadPoolProfileBuilder("kafka-devices")
                .poolSize(1)
                .maxPoolSize(1)
                .maxQueueSize(Integer.MAX_VALUE)
                .build());
    KafkaRecords records =
        new KafkaRecords(
            settings.brokers(),
            parts.prefix(),
            parts.devices(),
            parts.meters().registry(),
            Math.toIntExact(Math.min(memory / BYTES_PER_RECORD, Integer.MAX_VALUE)),
            () -> clients.waitingBytes(settings.topic(Topics.RAW)),
            parts.nanoClock());
    clients.onMetadata(
        topic -> {
          if (topic.equals(settings.topic(Topics.RAW))) {
            records.reportPartitions(() -> clients.partitions(topic));
          }
        });
    Registry registry = camel.getRegistry();
    registry.bind("kafkaClients", clients);
    registry.bind("kafkaHeaders", new KafkaHeaders());
    registry.bind("kafkaRecords", records);
    registry.bind("deviceStates", new DeviceStates(parts.devices(), parts.meters()));
    registry.bind("deviceRecords", new DeviceRecords(parts.devices(), parts.nanoClock()));
    parts
        .page()
        .require(
            "kafka",
            () ->
                topics.areChecked() ? Optional.empty() : Optional.of("Kafka has not answered yet"));
    parts.page().remark("kafka-records", records::problem);
  }

  @Override
  public void check() throws ConfigException {
    topics.check();
  }

  @Override
  public void watch(Consumer<String> unusable) {
    topics.watch(unusable);
  }

  @Override
  public void close() {
    topics.close();
    clients.close();
  }
}
