package ecoflow.fleet;

import ecoflow.config.KafkaSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Reads the existing records of a topic, without a consumer group. The records of each partition
 * are in the order of their offsets. All methods throw a {@link KafkaException} if Kafka does not
 * answer, if the topic does not exist, or after a time limit.
 */
final class TopicRecords {

  /** The part of the heap for a response of a broker: 6 MB with -Xmx96m. */
  private static final long HEAP_PARTS = 16;

  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(200);

  private final KafkaSettings settings;
  private final String topic;

  /**
   * @param suffix the last part of the name of the topic
   */
  TopicRecords(KafkaSettings settings, String suffix) {
    this.settings = settings;
    this.topic = settings.topic(suffix);
  }

  /** The limit for the size of a response, in bytes. */
  static long fetchBytes() {
    return Runtime.getRuntime().maxMemory() / HEAP_PARTS;
  }

  /** Reads all records. */
  void read(Duration limit, Consumer<ConsumerRecord<String, byte[]>> records) {
    try (KafkaConsumer<String, byte[]> consumer = consumer()) {
      read(consumer, partitions(consumer), limit, records);
    }
  }

  /**
   * Reads all records of some partitions.
   *
   * @return the offset after the last record of each partition
   */
  Map<Integer, Long> read(
      Set<Integer> numbers, Duration limit, Consumer<ConsumerRecord<String, byte[]>> records) {
    try (KafkaConsumer<String, byte[]> consumer = consumer()) {
      List<TopicPartition> partitions =
          numbers.stream().map(number -> new TopicPartition(topic, number)).toList();
      Map<Integer, Long> ends = new HashMap<>();
      read(consumer, partitions, limit, records)
          .forEach((partition, end) -> ends.put(partition.partition(), end));
      return ends;
    }
  }

  private Map<TopicPartition, Long> read(
      KafkaConsumer<String, byte[]> consumer,
      List<TopicPartition> partitions,
      Duration limit,
      Consumer<ConsumerRecord<String, byte[]>> records) {
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    return readAssigned(consumer, limit, records);
  }

  /**
   * Reads the records since a time.
   *
   * @param epochMillis milliseconds since 1970
   */
  void readSince(
      long epochMillis, Duration limit, Consumer<ConsumerRecord<String, byte[]>> records) {
    try (KafkaConsumer<String, byte[]> consumer = consumer()) {
      List<TopicPartition> partitions = partitions(consumer);
      Map<TopicPartition, Long> times = new HashMap<>();
      partitions.forEach(partition -> times.put(partition, epochMillis));
      Map<TopicPartition, OffsetAndTimestamp> starts = consumer.offsetsForTimes(times, TIMEOUT);
      List<TopicPartition> later = new ArrayList<>(partitions);
      later.removeIf(partition -> starts.get(partition) == null);
      consumer.assign(later);
      later.forEach(partition -> consumer.seek(partition, starts.get(partition).offset()));
      readAssigned(
          consumer,
          limit,
          entry -> {
            // Times are not always in the order of offsets.
            if (entry.timestamp() >= epochMillis) {
              records.accept(entry);
            }
          });
    }
  }

  private KafkaConsumer<String, byte[]> consumer() {
    Properties properties = new Properties();
    properties.put("fetch.max.bytes", Long.toString(fetchBytes()));
    properties.putAll(settings.properties());
    properties.put("bootstrap.servers", settings.brokers());
    properties.put("allow.auto.create.topics", "false");
    // If the first records are deleted in the meantime.
    properties.put("auto.offset.reset", "earliest");
    return new KafkaConsumer<>(
        DeviceConsumer.withoutGroup(properties),
        new StringDeserializer(),
        new ByteArrayDeserializer()) {
      @Override
      public void close() {
        KafkaClients.uninterrupted(() -> super.close(KafkaClients.CONSUMER_CLOSE_TIMEOUT));
      }
    };
  }

  private List<TopicPartition> partitions(KafkaConsumer<?, ?> consumer) {
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic, TIMEOUT).stream()
            .map(info -> new TopicPartition(topic, info.partition()))
            .toList();
    if (partitions.isEmpty()) {
      throw new KafkaException("it has no topic " + topic);
    }
    return partitions;
  }

  /** Returns the offset after the last record of each partition. */
  private Map<TopicPartition, Long> readAssigned(
      KafkaConsumer<String, byte[]> consumer,
      Duration limit,
      Consumer<ConsumerRecord<String, byte[]>> records) {
    Collection<TopicPartition> partitions = consumer.assignment();
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, TIMEOUT);
    Set<TopicPartition> unread = new HashSet<>(partitions);
    long start = System.nanoTime();
    long lastProgress = start;
    while (true) {
      unread.removeIf(partition -> consumer.position(partition, TIMEOUT) >= ends.get(partition));
      if (unread.isEmpty()) {
        return ends;
      }
      for (ConsumerRecord<String, byte[]> entry : consumer.poll(POLL)) {
        lastProgress = System.nanoTime();
        if (entry.offset() < ends.get(new TopicPartition(topic, entry.partition()))) {
          records.accept(entry);
        }
      }
      check(System.nanoTime() - lastProgress, TIMEOUT, "no answer within ");
      check(System.nanoTime() - start, limit, "the topic " + topic + " was not read within ");
    }
  }

  private static void check(long nanos, Duration limit, String problem) {
    if (nanos > limit.toNanos()) {
      throw new TimeoutException(problem + limit.toSeconds() + " s");
    }
  }
}
