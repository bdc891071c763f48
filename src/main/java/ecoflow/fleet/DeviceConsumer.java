package ecoflow.fleet;

import java.time.Duration;
import java.util.Collection;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * The consumer of changes of devices. It reads the partitions of the messages that are assigned to
 * this server, without a consumer group, because Kafka would assign others.
 */
final class DeviceConsumer extends KafkaConsumer<Object, Object> {

  private final ServedPartitions served;
  private final DeviceTopicPositions positions;
  private String topic;

  DeviceConsumer(Properties properties, ServedPartitions served, DeviceTopicPositions positions) {
    super(withoutGroup(properties));
    this.served = served;
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
    topic = topics.iterator().next();
  }

  @Override
  public ConsumerRecords<Object, Object> poll(Duration timeout) {
    served.readDevices();
    positions.applyTo(this, topic);
    Set<TopicPartition> partitions = assignment();
    if (partitions.isEmpty()) {
      // Kafka's client does not accept a poll without partitions.
      sleep(timeout);
      return ConsumerRecords.empty();
    }
    for (TopicPartition partition : partitions) {
      // The records of the last poll have been processed.
      if (served.isCatchingUp(partition.partition()) && isAtEnd(partition)) {
        served.caughtUp(partition.partition());
      }
    }
    return super.poll(timeout);
  }

  private static void sleep(Duration timeout) {
    try {
      TimeUnit.MILLISECONDS.sleep(timeout.toMillis());
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  private boolean isAtEnd(TopicPartition partition) {
    try {
      position(partition, Duration.ZERO);
      return currentLag(partition).orElse(1) == 0;
    } catch (TimeoutException e) {
      // The position is not known yet.
      return false;
    }
  }

  @Override
  public void close() {
    KafkaClients.uninterrupted(() -> super.close(KafkaClients.CONSUMER_CLOSE_TIMEOUT));
  }
}
