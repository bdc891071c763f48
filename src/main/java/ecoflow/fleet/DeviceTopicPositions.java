package ecoflow.fleet;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/**
 * The partitions of the topic of devices whose changes are read, with the offsets of the next
 * records. Used by the consumers of both topics, each of which has its own thread.
 */
final class DeviceTopicPositions {

  private final Map<Integer, Long> next = new HashMap<>();

  /** The partitions to which the consumer has not moved yet. */
  private final Set<Integer> started = new HashSet<>();

  /** Starts to read the changes of a partition, from this offset on. */
  synchronized void start(int partition, long offset) {
    next.put(partition, offset);
    started.add(partition);
  }

  synchronized void stop(Collection<Integer> partitions) {
    next.keySet().removeAll(partitions);
    started.removeAll(partitions);
  }

  /** Another consumer continues after this record. */
  synchronized void processed(int partition, long offset) {
    if (!started.contains(partition)) {
      next.computeIfPresent(partition, (unused, before) -> offset + 1);
    }
  }

  /** Assigns the partitions to their consumer. */
  synchronized void applyTo(Consumer<?, ?> consumer, String topic) {
    Set<TopicPartition> before = consumer.assignment();
    Map<TopicPartition, Long> all = new HashMap<>();
    next.forEach((number, offset) -> all.put(new TopicPartition(topic, number), offset));
    if (!before.equals(all.keySet())) {
      consumer.assign(all.keySet());
    }
    all.forEach(
        (partition, offset) -> {
          if (started.contains(partition.partition()) || !before.contains(partition)) {
            consumer.seek(partition, offset);
          }
        });
    started.clear();
  }
}
