package ecoflow.fleet;

import ecoflow.config.KafkaSettings;
import ecoflow.role.Parts;
import ecoflow.runtime.Pools;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.Registry;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** The role {@code collect}: sends the messages of devices to Kafka. */
public final class Collector extends KafkaRole {

  /** The part of the heap for the buffer of the producer: 12 MB with -Xmx96m. */
  private static final long HEAP_PARTS = 8;

  /** Each waiting record needs about 3 kB in addition to the buffer. */
  private static final long BYTES_PER_RECORD = 1 << 10;

  /** Null before {@link #bind}. */
  private RemovedDevices removed;

  public Collector(KafkaSettings settings) {
    super(settings, Topics.RAW, Topics.DEVICES);
  }

  @Override
  public void bind(Parts parts) {
    CamelContext camel = parts.camel();
    KafkaClients clients = new KafkaClients(settings(), topics()::areChecked, KafkaConsumer::new);
    bindClients(parts, clients);
    long memory = Runtime.getRuntime().maxMemory() / HEAP_PARTS;
    camel
        .getPropertiesComponent()
        .addInitialProperty("ecoflow.kafka.memory", Long.toString(memory));
    camel.getExecutorServiceManager().registerThreadPoolProfile(Pools.profile("kafka-devices", 1));
    String raw = settings().topic(Topics.RAW);
    KafkaRecords records =
        new KafkaRecords(
            settings().brokers(),
            parts.prefix(),
            parts.devices(),
            parts.meters().registry(),
            Math.toIntExact(Math.min(memory / BYTES_PER_RECORD, Integer.MAX_VALUE)),
            () -> clients.waitingBytes(raw),
            parts.nanoClock());
    Registry registry = camel.getRegistry();
    registry.bind("kafkaRecords", records);
    registry.bind("deviceStates", new DeviceStates(parts.devices(), parts.meters()));
    removed =
        new RemovedDevices(
            new TopicRecords(settings(), Topics.DEVICES),
            parts.accounts(),
            parts.devices(),
            parts.nanoClock());
    registry.bind(
        "deviceRecords", new DeviceRecords(parts.devices(), parts.nanoClock(), removed.serials()));
    parts
        .page()
        .require(
            "kafka",
            () ->
                topics().areChecked()
                    ? Optional.empty()
                    : Optional.of("Kafka has not answered yet"));
    parts.page().remark("kafka-records", records::problem);
  }

  @Override
  public void watch(Consumer<String> unusable) {
    super.watch(unusable);
    removed.start();
  }

  @Override
  public void close() {
    if (removed != null) {
      removed.close();
    }
    super.close();
  }
}
