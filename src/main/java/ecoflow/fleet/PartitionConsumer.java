package ecoflow.fleet;

import ecoflow.text.Lines;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
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

  /** Short, because the records of other partitions, and other servers, wait in the meantime. */
  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  private static final Duration LATER_TIMEOUT = Duration.ofSeconds(1);

  private static final double NANOS_PER_SECOND = 1e9;
  private static final String HEARTBEAT = "last-heartbeat-seconds-ago";

  private final ServedPartitions served;
  private final Duration replay;
  private final Duration session;

  /** Partitions whose records of devices have not been read yet. They are paused. */
  private final Set<TopicPartition> waiting = new HashSet<>();

  /** Those of them whose records to read back are not known yet. */
  private final Set<TopicPartition> unlocated = new HashSet<>();

  private boolean isIsolated;

  /** Null until it is first needed. */
  private Metric heartbeat;

  /** System.nanoTime of the last assignment; 0 before the first one. */
  private long assignedAt;

  /**
   * @param replay the age of the records that are read back
   */
  PartitionConsumer(Properties properties, ServedPartitions served, Duration replay) {
    super(properties);
    this.served = served;
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
            revoked(partitions);
            camel.onPartitionsRevoked(partitions);
          }

          @Override
          public void onPartitionsLost(Collection<TopicPartition> partitions) {
            revoked(partitions);
            camel.onPartitionsLost(partitions);
          }
        });
  }

  private static Set<Integer> numbers(Collection<TopicPartition> partitions) {
    Set<Integer> numbers = new HashSet<>();
    partitions.forEach(partition -> numbers.add(partition.partition()));
    return numbers;
  }

  private void revoked(Collection<TopicPartition> partitions) {
    waiting.removeAll(partitions);
    unlocated.removeAll(partitions);
    served.revoked(numbers(partitions));
  }

  private void assigned(Collection<TopicPartition> partitions) {
    assignedAt = System.nanoTime();
    // For some methods of the consumer, no partitions means all partitions.
    Map<TopicPartition, Long> ends = partitions.isEmpty() ? Map.of() : locate(partitions);
    pause(partitions);
    waiting.addAll(partitions);
    served.assigned(numbers(partitions));
    ends.forEach((partition, end) -> served.replayUntil(partition.partition(), end));
  }

  /**
   * Moves to the first record to read back of each partition. If Kafka does not answer, for example
   * because one of the partitions has no leader, {@link #poll} tries again.
   *
   * @return the offset after the last record of each partition; empty if they are unknown
   */
  private Map<TopicPartition, Long> locate(Collection<TopicPartition> partitions) {
    try {
      return seekToReplay(partitions, TIMEOUT);
    } catch (InterruptException | WakeupException e) {
      // The process ends.
      throw e;
    } catch (RuntimeException e) {
      LOG.warn(
          "Failed to find the records to read back in partitions {}: {}; their devices are hidden"
              + " until Kafka answers",
          Lines.abbreviate(numbers(partitions).stream().sorted().map(String::valueOf).toList()),
          Lines.root(e));
      unlocated.addAll(partitions);
      // In the background. The position is unknown until the leader of the partition answers.
      seekToBeginning(partitions);
      return Map.of();
    }
  }

  private Map<TopicPartition, Long> seekToReplay(
      Collection<TopicPartition> partitions, Duration timeout) {
    long start = System.currentTimeMillis() - replay.toMillis();
    Map<TopicPartition, Long> times = new HashMap<>();
    partitions.forEach(partition -> times.put(partition, start));
    // For partitions without such a record. Requested first, because one can be written meanwhile.
    Map<TopicPartition, Long> starts = new HashMap<>(endOffsets(partitions, timeout));
    offsetsForTimes(times, timeout)
        .forEach(
            (partition, first) -> {
              if (first != null) {
                starts.put(partition, first.offset());
              }
            });
    starts.forEach(this::seek);
    return endOffsets(partitions, timeout);
  }

  /** The leader of a paused partition has answered. */
  private void locateLater(TopicPartition partition) {
    Set<TopicPartition> one = Set.of(partition);
    try {
      long end = seekToReplay(one, LATER_TIMEOUT).get(partition);
      served.replayUntil(partition.partition(), end);
      unlocated.remove(partition);
      LOG.info("Reading back partition {}", partition.partition());
    } catch (RetriableException e) {
      // Again after the next answer.
      seekToBeginning(one);
    } catch (InterruptException | WakeupException e) {
      throw e;
    } catch (RuntimeException e) {
      // Not an outage: with group.protocol=consumer, for example, Kafka's client 3.9 throws a
      // NullPointerException if a partition has no record of the last minutes.
      LOG.warn(
          "Failed to find the records to read back in partition {}: {}; reading all its records",
          partition.partition(),
          Lines.root(e));
      seekToBeginning(one);
      unlocated.remove(partition);
    }
  }

  @Override
  public ConsumerRecords<Object, Object> poll(Duration timeout) {
    // The records of the last poll have been processed.
    for (TopicPartition partition : assignment()) {
      try {
        long position = position(partition, Duration.ZERO);
        if (unlocated.contains(partition)) {
          locateLater(partition);
        } else if (waiting.contains(partition)) {
          start(partition);
        } else {
          processed(partition, position);
        }
      } catch (TimeoutException e) {
        // The position, or the end of the partition, is not known yet.
      }
    }
    checkHeartbeat();
    return super.poll(timeout);
  }

  private void start(TopicPartition partition) {
    if (!served.isWaiting(partition.partition())) {
      waiting.remove(partition);
      resume(Set.of(partition));
    }
  }

  private void processed(TopicPartition partition, long position) {
    int number = partition.partition();
    OptionalLong lag = currentLag(partition);
    served.processed(number, position, lag.orElse(0));
    if (lag.orElse(1) == 0 && served.isReplaying(number)) {
      // The end is unknown, or the partition is shorter now: it was created again, or its new
      // leader does not have the last records.
      served.replayUntil(number, endOffsets(Set.of(partition), LATER_TIMEOUT).get(partition));
    }
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
  public void unsubscribe() {
    KafkaClients.uninterrupted(super::unsubscribe);
  }

  @Override
  public void close() {
    // Before another server gets the partitions. Normally they are already revoked.
    served.revoked(served.numbers());
    // Camel can create another consumer.
    served.setIsolated(false);
    KafkaClients.uninterrupted(() -> super.close(KafkaClients.CONSUMER_CLOSE_TIMEOUT));
  }
}
