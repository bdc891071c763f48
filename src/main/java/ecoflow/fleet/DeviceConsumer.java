package ecoflow.fleet;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * The consumer of changes of devices. It reads all partitions, without a consumer group, because
 * Kafka would assign other partitions than those of the messages.
 */
final class DeviceConsumer extends KafkaConsumer<Object, Object> {

  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final Duration READ_TIMEOUT = Duration.ofSeconds(30);

  private final DeviceTopicPositions positions;

  DeviceConsumer(Properties properties, DeviceTopicPositions positions) {
    super(withoutGroup(properties));
    this.positions = positions;
  }

  static Properties withoutGroup(Properties properties) {
    Properties others = new Properties();
    others.putAll(properties);
    others.remove("group.id");
    others.remove("group.instance.id");
    others.put("enable.auto.commit", "false");
    return others;
  }

  @Override
  public void subscribe(Collection<String> topics, ConsumerRebalanceListener unused) {
    // Until Kafka answers, or Camel ends the thread.
    while (true) {
      try {
        assignAll(topics.iterator().next());
        return;
      } catch (TimeoutException e) {
        // Kafka does not answer yet.
      }
    }
  }

  private void assignAll(String topic) {
    List<TopicPartition> all =
        partitionsFor(topic, TIMEOUT).stream()
            .map(info -> new TopicPartition(topic, info.partition()))
            .toList();
    Map<TopicPartition, Long> ends = endOffsets(all, TIMEOUT);
    assign(all);
    Map<Integer, Long> started = new HashMap<>();
    for (TopicPartition partition : all) {
      Long next = positions.next(partition.partition());
      long start = next == null ? ends.get(partition) : next;
      seek(partition, start);
      started.put(partition.partition(), start);
    }
    positions.start(started);
  }

  /** Reads the newest record of each device in some partitions. */
  static Map<Integer, Map<String, ServedPartitions.StoredRecord>> readAll(
      Map<String, String> properties, String brokers, String topic, Set<Integer> numbers) {
    Properties all = new Properties();
    all.putAll(properties);
    all.put("bootstrap.servers", brokers);
    all.put("auto.offset.reset", "earliest");
    Map<Integer, Map<String, ServedPartitions.StoredRecord>> newest = new HashMap<>();
    try (KafkaConsumer<String, byte[]> consumer =
        new KafkaConsumer<>(
            withoutGroup(all), new StringDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          numbers.stream().map(number -> new TopicPartition(topic, number)).toList();
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, TIMEOUT);
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      long start = System.nanoTime();
      Set<TopicPartition> unread = new HashSet<>(partitions);
      while (true) {
        unread.removeIf(partition -> consumer.position(partition, TIMEOUT) >= ends.get(partition));
        if (unread.isEmpty()) {
          return newest;
        }
        if (System.nanoTime() - start > READ_TIMEOUT.toNanos()) {
          throw new TimeoutException(
              "the topic " + topic + " was not read within " + READ_TIMEOUT.toSeconds() + " s");
        }
        for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          newest
              .computeIfAbsent(record.partition(), unused -> new HashMap<>())
              .put(
                  record.key(),
                  new ServedPartitions.StoredRecord(record.value(), record.timestamp()));
        }
      }
    }
  }
}
