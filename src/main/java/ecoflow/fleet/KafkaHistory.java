package ecoflow.fleet;

import ecoflow.config.KafkaSettings;
import ecoflow.config.Settings.Mode;
import ecoflow.quota.Quotas;
import ecoflow.role.History;
import ecoflow.text.Lines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** The topic of messages. Does not use a consumer group, so servers are not affected. */
public final class KafkaHistory implements History {

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final KafkaSettings settings;

  public KafkaHistory(KafkaSettings settings) {
    this.settings = settings;
  }

  @Override
  public void read(Duration age, Consumer<Message> messages, Consumer<String> problem)
      throws IOException {
    Properties properties = new Properties();
    properties.putAll(settings.properties());
    properties.put("bootstrap.servers", settings.brokers());
    properties.put("allow.auto.create.topics", "false");
    try (KafkaConsumer<String, byte[]> consumer =
        new KafkaConsumer<>(
            DeviceConsumer.withoutGroup(properties),
            new StringDeserializer(),
            new ByteArrayDeserializer())) {
      read(consumer, age, messages, problem);
    } catch (KafkaException e) {
      throw new IOException(
          "Kafka at "
              + settings.brokers()
              + " cannot be read: "
              + Lines.oneLine(Lines.rootCause(e).getMessage()),
          e);
    }
  }

  private void read(
      KafkaConsumer<String, byte[]> consumer,
      Duration age,
      Consumer<Message> messages,
      Consumer<String> problem) {
    String topic = settings.topic(Topics.RAW);
    List<TopicPartition> partitions =
        consumer.partitionsFor(topic, TIMEOUT).stream()
            .map(info -> new TopicPartition(topic, info.partition()))
            .toList();
    if (partitions.isEmpty()) {
      throw new KafkaException("it has no topic " + topic);
    }
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, TIMEOUT);
    Map<TopicPartition, Long> times = new HashMap<>();
    long start = System.currentTimeMillis() - age.toMillis();
    partitions.forEach(partition -> times.put(partition, start));
    Map<TopicPartition, OffsetAndTimestamp> starts = consumer.offsetsForTimes(times, TIMEOUT);
    consumer.assign(partitions);
    for (TopicPartition partition : partitions) {
      OffsetAndTimestamp first = starts.get(partition);
      consumer.seek(partition, first == null ? ends.get(partition) : first.offset());
    }
    Set<TopicPartition> unread = new HashSet<>(partitions);
    long lastProgress = System.nanoTime();
    while (true) {
      unread.removeIf(partition -> consumer.position(partition, TIMEOUT) >= ends.get(partition));
      if (unread.isEmpty()) {
        return;
      }
      for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
        lastProgress = System.nanoTime();
        long end = ends.get(new TopicPartition(topic, record.partition()));
        // Times are not always in the order of offsets.
        if (record.offset() < end && record.timestamp() >= start) {
          read(record, messages, problem);
        }
      }
      if (System.nanoTime() - lastProgress > TIMEOUT.toNanos()) {
        throw new TimeoutException("no answer within " + TIMEOUT.toSeconds() + " s");
      }
    }
  }

  private static void read(
      ConsumerRecord<String, byte[]> record, Consumer<Message> messages, Consumer<String> problem) {
    Map<String, String> all = new HashMap<>();
    for (Header header : record.headers()) {
      all.put(
          header.key(),
          header.value() == null ? "" : new String(header.value(), StandardCharsets.UTF_8));
    }
    try {
      Optional<Mode> mode =
          RawRecords.check(record.key(), record.value(), name -> all.getOrDefault(name, ""));
      Map<String, Object> headers = new HashMap<>();
      for (String name :
          List.of(Quotas.SOURCE, Quotas.FULL, Quotas.ONLINE, Quotas.NAME, Quotas.PRODUCT)) {
        if (all.containsKey(name)) {
          headers.put(name, all.get(name));
        }
      }
      headers.put(Quotas.DEVICE, record.key());
      messages.accept(
          new Message(
              record.key(), mode, headers, record.value(), all.containsKey(KafkaHeaders.TOPIC)));
    } catch (RejectedException e) {
      problem.accept(
          record.topic()
              + "-"
              + record.partition()
              + ", offset "
              + record.offset()
              + ": "
              + e.getMessage());
    }
  }
}
