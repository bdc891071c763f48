package ecoflow.fleet;

import ecoflow.text.Lines;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The consumer of messages of devices. When partitions are assigned, it starts with the records of
 * the last minutes. Camel processes all records of a poll before the next poll, in the same thread.
 */
final class PartitionConsumer extends KafkaConsumer<Object, Object> {

  private static final Logger LOG = LoggerFactory.getLogger(PartitionConsumer.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final double NANOS_PER_SECOND = 1e9;
  private static final String HEARTBEAT = "last-heartbeat-seconds-ago";

  private final ServedPartitions served;
  private final DeviceTopicPositions changes;
  private final Duration replay;
  private final Duration session;
  private boolean isIsolated;

  /** Null until it is first needed. */
  private Metric heartbeat;

  /** System.nanoTime of the last assignment; 0 before the first one. */
  private long assignedAt;

  /**
   * @param replay the age of the records that are read back
   */
  PartitionConsumer(
      Properties properties,
      ServedPartitions served,
      DeviceTopicPositions changes,
      Duration replay) {
    super(properties);
    this.served = served;
    this.changes = changes;
    this.replay = replay;
    this.session =
        Duration.ofMillis(Long.parseLong(String.valueOf(properties.get("session.timeout.ms"))));
  }

  @Override
  public void subscribe(Collection<String> topics, ConsumerRebalanceListener camel) {
    super.subscribe(
        topics,
        new ConsumerRebalanceListener() {

          @Override
          public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            camel.onPartitionsAssigned(partitions);
            assigned(partitions);
          }

          @Override
          public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            served.revoked(numbers(partitions));
            camel.onPartitionsRevoked(partitions);
          }

          @Override
          public void onPartitionsLost(Collection<TopicPartition> partitions) {
            served.revoked(numbers(partitions));
            camel.onPartitionsLost(partitions);
          }
        });
  }

  private static Set<Integer> numbers(Collection<TopicPartition> partitions) {
    Set<Integer> numbers = new HashSet<>();
    partitions.forEach(partition -> numbers.add(partition.partition()));
    return numbers;
  }

  private void assigned(Collection<TopicPartition> partitions) {
    assignedAt = System.nanoTime();
    Map<Integer, Long> ends = new HashMap<>();
    Set<Integer> replaying = new HashSet<>();
    // For some methods of the consumer, no partitions means all partitions.
    if (!partitions.isEmpty()) {
      try {
        seek(partitions, ends, replaying);
      } catch (InterruptException | WakeupException e) {
        // The process ends.
        throw e;
      } catch (RuntimeException e) {
        LOG.warn(
            "Failed to find the records to read back: {}; the newly assigned partitions are served"
                + " from their last committed offsets",
            Lines.root(e));
        numbers(partitions).forEach(number -> ends.put(number, 0L));
        replaying.clear();
      }
      awaitChanges();
    }
    served.assigned(ends, replaying);
  }

  private void seek(
      Collection<TopicPartition> partitions, Map<Integer, Long> ends, Set<Integer> replaying) {
    long start = System.currentTimeMillis() - replay.toMillis();
    Map<TopicPartition, Long> times = new HashMap<>();
    partitions.forEach(partition -> times.put(partition, start));
    Map<TopicPartition, Long> endOffsets = endOffsets(partitions, TIMEOUT);
    Map<TopicPartition, OffsetAndTimestamp> found = offsetsForTimes(times, TIMEOUT);
    for (TopicPartition partition : partitions) {
      long end = endOffsets.get(partition);
      OffsetAndTimestamp first = found.get(partition);
      long offset = first == null ? end : Math.min(first.offset(), end);
      seek(partition, offset);
      ends.put(partition.partition(), end);
      if (offset < end) {
        replaying.add(partition.partition());
      }
    }
  }

  /**
   * Otherwise, a change between the first reading of devices and the first change would be lost.
   */
  private void awaitChanges() {
    try {
      if (!changes.await(TIMEOUT)) {
        LOG.warn("Changes of devices are not read yet; changes of names follow within ten minutes");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptException(e);
    }
  }

  @Override
  public ConsumerRecords<Object, Object> poll(Duration timeout) {
    // The records of the last poll have been processed.
    for (TopicPartition partition : assignment()) {
      try {
        long position = position(partition, Duration.ZERO);
        served.processed(partition.partition(), position, currentLag(partition).orElse(0));
      } catch (TimeoutException e) {
        // The position is not known yet.
      }
    }
    checkHeartbeat();
    return super.poll(timeout);
  }

  private void checkHeartbeat() {
    if (heartbeat == null) {
      heartbeat =
          metrics().entrySet().stream()
              .filter(metric -> metric.getKey().name().equals(HEARTBEAT))
              .map(Map.Entry::getValue)
              .findFirst()
              .orElse(null);
    }
    boolean isSilent = silentSeconds() > session.toSeconds();
    if (isSilent != isIsolated) {
      isIsolated = isSilent;
      if (isSilent) {
        LOG.warn(
            "Kafka has not answered for {} s: the devices are hidden until it answers, because"
                + " another server can serve them",
            session.toSeconds());
      } else {
        LOG.info("Kafka answers again");
      }
      served.setIsolated(isSilent);
    }
  }

  private double silentSeconds() {
    double seconds =
        heartbeat != null && heartbeat.metricValue() instanceof Number number
            ? number.doubleValue()
            : -1;
    // Negative before the first heartbeat; the assignment was the last answer then.
    return seconds >= 0 || assignedAt == 0
        ? seconds
        : (System.nanoTime() - assignedAt) / NANOS_PER_SECOND;
  }

  @Override
  public void close() {
    // Before another server gets the partitions. Normally they are already revoked.
    served.revoked(served.numbers());
    // Camel can create another consumer.
    served.setIsolated(false);
    super.close();
  }
}
