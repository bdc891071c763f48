package ecoflow.fleet;

import ecoflow.config.KafkaSettings;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.camel.component.kafka.DefaultKafkaClientFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Creates the Kafka clients of the routes, bean {@code kafkaClients}: adds the properties of
 * ECOFLOW_KAFKA_PROPERTIES, which take precedence over the options of the routes.
 */
final class KafkaClients extends DefaultKafkaClientFactory implements AutoCloseable {

  /** How long a producer waits for acknowledgements when the process stops. */
  private static final Duration CLOSE_TIMEOUT = Duration.ofMillis(400);

  /** How long a consumer waits for Kafka when it stops. By default, 30 s. */
  static final Duration CONSUMER_CLOSE_TIMEOUT = Duration.ofSeconds(1);

  private static final Duration PAUSE = Duration.ofMillis(200);

  private final KafkaSettings settings;
  private final BooleanSupplier areTopicsChecked;
  private final Function<Properties, Consumer<?, ?>> consumers;
  private final Map<String, Producer<?, ?>> producers = new ConcurrentHashMap<>();
  private final AtomicBoolean isKnown = new AtomicBoolean();
  private String awaitedTopic = "";
  private Runnable onMetadata = () -> {};
  private volatile boolean closed;

  /**
   * @param areTopicsChecked whether all topics exist. Before, producers and consumers request no
   *     topic, because a broker with auto.create.topics.enable, which is the default, would create
   *     it with its default settings.
   * @param consumers creates the consumer of a route from its properties
   */
  KafkaClients(
      KafkaSettings settings,
      BooleanSupplier areTopicsChecked,
      Function<Properties, Consumer<?, ?>> consumers) {
    this.settings = settings;
    this.areTopicsChecked = areTopicsChecked;
    this.consumers = consumers;
  }

  @Override
  @SuppressWarnings("rawtypes") // The signature of Camel.
  public Consumer getConsumer(Properties options) {
    options.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    return consumers.apply(withFile(options));
  }

  private Properties withFile(Properties options) {
    Properties all = new Properties();
    all.putAll(options);
    all.putAll(settings.properties());
    return all;
  }

  /**
   * Creates a producer, and requests the metadata of its topic in a thread, because the routes do
   * not wait for metadata. The topic is the client ID of the route.
   */
  @Override
  @SuppressWarnings("rawtypes") // The signature of Camel.
  public Producer getProducer(Properties options) {
    String topic = options.getProperty(ProducerConfig.CLIENT_ID_CONFIG);
    Producer<Object, Object> producer = producer(topic, withFile(options));
    producers.put(topic, producer);
    Thread thread = new Thread(() -> requestMetadata(producer, topic), "kafka-metadata");
    thread.setDaemon(true);
    thread.start();
    return producer;
  }

  private Producer<Object, Object> producer(String topic, Properties all) {
    try {
      return new KafkaProducer<>(all) {
        @Override
        public List<PartitionInfo> partitionsFor(String requested) {
          if (!areTopicsChecked.getAsBoolean()) {
            throw notChecked(requested);
          }
          return super.partitionsFor(requested);
        }

        @Override
        public Future<RecordMetadata> send(
            ProducerRecord<Object, Object> message, Callback callback) {
          if (areTopicsChecked.getAsBoolean()) {
            return super.send(message, callback);
          }
          TimeoutException failure = notChecked(message.topic());
          callback.onCompletion(null, failure);
          return CompletableFuture.failedFuture(failure);
        }

        @Override
        public void close() {
          producers.remove(topic, this);
          // By default, the time is not limited.
          uninterrupted(() -> close(CLOSE_TIMEOUT));
        }
      };
    } catch (KafkaException e) {
      // Without the cause, which does not name the file.
      throw new IllegalArgumentException(invalid(settings, e));
    }
  }

  /** The failure of a producer without metadata, which is not available before the check either. */
  private static TimeoutException notChecked(String topic) {
    return new TimeoutException("Topic " + topic + " not present in metadata: not checked yet");
  }

  /**
   * The message for settings that Kafka's client rejects. Its own message names the property, and
   * contains no passwords.
   */
  static String invalid(KafkaSettings settings, KafkaException failure) {
    boolean hasFile = !settings.properties().isEmpty();
    Throwable cause = Lines.rootCause(failure);
    return (hasFile ? KafkaSettings.PROPERTIES : KafkaSettings.BROKERS)
        + "="
        + (hasFile ? settings.file().orElse("") : settings.brokers())
        + " is not valid for Kafka's client: "
        + (cause instanceof KafkaException ? Lines.oneLine(cause.getMessage()) : Lines.root(cause));
  }

  private void requestMetadata(Producer<?, ?> producer, String topic) {
    // Servers have no producer of the other topic, which they only read.
    if (awaitMetadata(producer, topic)
        && awaitMetadata(producer, awaitedTopic)
        && !isKnown.getAndSet(true)) {
      onMetadata.run();
    }
  }

  /** Returns false if the process ends. */
  private boolean awaitMetadata(Producer<?, ?> producer, String topic) {
    while (!closed) {
      try {
        producer.partitionsFor(topic);
        return true;
      } catch (KafkaException e) {
        // Not available yet. The messages that cannot be sent are counted.
      }
      try {
        TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    return false;
  }

  /**
   * Sets the task to run when a producer has received the metadata of a topic. Must be called
   * before the first producer is created.
   */
  void onMetadata(String topic, Runnable task) {
    awaitedTopic = topic;
    onMetadata = task;
  }

  /** The number of partitions of a topic; NaN if no producer knows it. Does not wait. */
  double partitions(String topic) {
    for (Producer<?, ?> producer : producers.values()) {
      try {
        return producer.partitionsFor(topic).size();
      } catch (KafkaException e) {
        // Not known to this producer, or the topic has been deleted.
      }
    }
    return Double.NaN;
  }

  /** The part of the producer's memory that is in use for records of this topic. */
  double waitingBytes(String topic) {
    Producer<?, ?> producer = producers.get(topic);
    return producer == null
        ? 0
        : metric(producer, "buffer-total-bytes") - metric(producer, "buffer-available-bytes");
  }

  private static double metric(Producer<?, ?> producer, String name) {
    return producer.metrics().entrySet().stream()
        .filter(metric -> is(metric.getKey(), name))
        .map(metric -> metric.getValue().metricValue())
        .filter(Double.class::isInstance)
        .mapToDouble(Double.class::cast)
        .findFirst()
        .orElse(0);
  }

  private static boolean is(MetricName metric, String name) {
    return metric.name().equals(name) && metric.group().equals("producer-metrics");
  }

  /**
   * Runs a task to stop a client without the interruption of its thread, because the client would
   * log errors, not leave its group, and not send waiting records.
   */
  static void uninterrupted(Runnable task) {
    boolean isInterrupted = Thread.interrupted();
    try {
      task.run();
    } finally {
      if (isInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
