package ecoflow.fleet;

import ecoflow.config.ConfigException;
import ecoflow.config.KafkaSettings;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks that the topics of the fleet exist, at the start and until Kafka answers. */
final class Topics implements AutoCloseable {

  /** Messages of devices. */
  static final String RAW = "raw";

  /** Names, labels and online states of devices; compacted. */
  static final String DEVICES = "devices";

  /** Samples of messages without a decoder. */
  static final String UNKNOWN = "unknown";

  private static final Logger LOG = LoggerFactory.getLogger(Topics.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final KafkaSettings settings;
  private final List<String> needed;
  private final Lines lines;
  private volatile boolean areChecked;
  private volatile boolean closed;
  private Thread thread;

  /**
   * @param needed the last parts of the names of the topics
   */
  Topics(KafkaSettings settings, LongSupplier nanoClock, String... needed) {
    this.settings = settings;
    this.needed = List.of(needed);
    this.lines = new Lines(LOG, nanoClock, Duration.ofHours(1), true);
  }

  /** Whether Kafka has answered, and all topics are suitable. */
  boolean areChecked() {
    return areChecked;
  }

  /**
   * Checks once.
   *
   * @throws ConfigException if a topic is missing or unsuitable, or if Kafka's client rejects the
   *     settings
   */
  void check() throws ConfigException {
    Properties properties = new Properties();
    properties.putAll(settings.properties());
    properties.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, settings.brokers());
    properties.put(
        AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, Long.toString(TIMEOUT.toMillis()));
    properties.put(
        AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, Long.toString(TIMEOUT.toMillis() / 2));
    try (Admin admin = admin(properties)) {
      List<String> names = needed.stream().map(settings::topic).toList();
      check(admin.describeTopics(names).topicNameValues());
      areChecked = true;
    } catch (ExecutionException | TimeoutException e) {
      lines.warn(
          "kafka",
          "Kafka at "
              + settings.brokers()
              + " does not answer: "
              + Lines.oneLine(Lines.rootCause(e).getMessage())
              + "; waiting for it");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Admin admin(Properties properties) throws ConfigException {
    try {
      return Admin.create(properties);
    } catch (KafkaException e) {
      throw new ConfigException(KafkaClients.invalid(settings, e));
    }
  }

  private void check(Map<String, KafkaFuture<TopicDescription>> topics)
      throws ConfigException, ExecutionException, TimeoutException, InterruptedException {
    int partitions = 0;
    for (String suffix : needed) {
      String name = settings.topic(suffix);
      int found;
      try {
        found = topics.get(name).get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS).partitions().size();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof UnknownTopicOrPartitionException) {
          throw new ConfigException(
              "Kafka has no topic " + name + ": create it, for example with " + create(suffix));
        }
        throw e;
      }
      if (suffix.equals(RAW)) {
        partitions = found;
      } else if (suffix.equals(DEVICES) && found != partitions) {
        throw new ConfigException(
            "Kafka topic "
                + name
                + " has "
                + found
                + " partitions, and "
                + settings.topic(RAW)
                + " has "
                + partitions
                + ": they must have the same number. To add partitions, use kafka-topics.sh"
                + " --bootstrap-server "
                + firstBroker()
                + " --alter --topic "
                + (found < partitions ? name : settings.topic(RAW))
                + " --partitions "
                + Math.max(found, partitions));
      }
    }
  }

  private String create(String suffix) {
    return "kafka-topics.sh --bootstrap-server "
        + firstBroker()
        + " --create --topic "
        + settings.topic(suffix)
        + " --partitions "
        + (suffix.equals(UNKNOWN) ? 1 : 12)
        + (suffix.equals(DEVICES)
            ? " --config cleanup.policy=compact,delete --config retention.ms=604800000"
                + " --config segment.ms=3600000"
            : "")
        + (suffix.equals(RAW) ? " --config retention.ms=3600000 --config segment.ms=600000" : "");
  }

  private String firstBroker() {
    return settings.brokers().split(",")[0];
  }

  /**
   * Repeats the check in a thread until Kafka answers.
   *
   * @param unusable receives the problem of a topic
   */
  synchronized void watch(Consumer<String> unusable) {
    if (areChecked || closed) {
      return;
    }
    thread = new Thread(() -> repeat(unusable), "kafka-topics");
    thread.setDaemon(true);
    thread.start();
  }

  private void repeat(Consumer<String> unusable) {
    try {
      while (!closed && !areChecked) {
        TimeUnit.SECONDS.sleep(1);
        check();
      }
      if (areChecked) {
        LOG.info("Kafka at {} answers", settings.brokers());
      }
    } catch (ConfigException e) {
      unusable.accept(e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (thread != null) {
      thread.interrupt();
    }
  }
}
