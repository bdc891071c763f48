package ecoflow.fleet;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * The consumer of changes of devices. It reads all partitions, without a consumer group, because
 * Kafka would assign other partitions than those of the messages.
 */
final class DeviceConsumer extends KafkaConsumer<Object, Object> {

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

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
}
