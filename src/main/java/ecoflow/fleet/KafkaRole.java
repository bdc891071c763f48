package ecoflow.fleet;

import ecoflow.config.ConfigException;
import ecoflow.config.KafkaSettings;
import ecoflow.role.FleetRole;
import ecoflow.role.Parts;
import io.micrometer.core.instrument.Gauge;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.DefaultKafkaClientFactory;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.spi.PropertiesComponent;

/** The access to Kafka of both roles. */
abstract class KafkaRole implements FleetRole {

  private final KafkaSettings settings;
  private final Topics topics;

  /** Null before {@link #bindClients}. */
  private KafkaClients clients;

  /**
   * @param needed the last parts of the names of the topics
   */
  KafkaRole(KafkaSettings settings, String... needed) {
    this.settings = settings;
    this.topics = new Topics(settings, System::nanoTime, needed);
  }

  KafkaSettings settings() {
    return settings;
  }

  Topics topics() {
    return topics;
  }

  /** Binds the clients, and the placeholders and beans that the routes of both roles use. */
  void bindClients(Parts parts, KafkaClients newClients) {
    clients = newClients;
    String raw = settings.topic(Topics.RAW);
    clients.onMetadata(
        raw,
        () ->
            Gauge.builder(parts.prefix() + "_kafka_topic_partitions", () -> clients.partitions(raw))
                .description("Partitions of the topic to which messages of devices are sent")
                .register(parts.meters().registry()));
    CamelContext camel = parts.camel();
    PropertiesComponent placeholders = camel.getPropertiesComponent();
    placeholders.addInitialProperty("ecoflow.kafka.addresses", settings.brokers());
    placeholders.addInitialProperty("ecoflow.kafka.raw.topic", raw);
    placeholders.addInitialProperty("ecoflow.kafka.devices.topic", settings.topic(Topics.DEVICES));
    // Otherwise the routes of integrators would also use the factory, because it is the only one.
    camel
        .getComponent("kafka", KafkaComponent.class)
        .setKafkaClientFactory(new DefaultKafkaClientFactory());
    camel.getRegistry().bind("kafkaClients", clients);
    camel.getRegistry().bind("kafkaHeaders", new KafkaHeaders());
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
    if (clients != null) {
      clients.close();
    }
  }
}
