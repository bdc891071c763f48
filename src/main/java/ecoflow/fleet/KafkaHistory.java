package ecoflow.fleet;

import ecoflow.config.KafkaSettings;
import ecoflow.config.Settings.Mode;
import ecoflow.device.Labels;
import ecoflow.quota.Quotas;
import ecoflow.role.History;
import ecoflow.text.Lines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Header;

/**
 * The topics of messages and devices. Does not use a consumer group, so servers are not affected.
 */
public final class KafkaHistory implements History {

  /** Reading ends earlier if Kafka does not answer. */
  private static final Duration LIMIT = Duration.ofDays(1);

  private final KafkaSettings settings;

  public KafkaHistory(KafkaSettings settings) {
    this.settings = settings;
  }

  @Override
  public Map<String, Labels> devices(Consumer<String> problem) throws IOException {
    Map<String, Labels> labels = new HashMap<>();
    withTopic(
        Topics.DEVICES, topic -> topic.read(LIMIT, entry -> readDevice(entry, labels, problem)));
    return labels;
  }

  @Override
  public void read(Duration age, Consumer<Message> messages, Consumer<String> problem)
      throws IOException {
    long start = System.currentTimeMillis() - age.toMillis();
    withTopic(
        Topics.RAW,
        topic -> topic.readSince(start, LIMIT, entry -> read(entry, messages, problem)));
  }

  private void withTopic(String suffix, Consumer<TopicRecords> task) throws IOException {
    try {
      task.accept(new TopicRecords(settings, suffix));
    } catch (KafkaException e) {
      throw new IOException(
          "Kafka at "
              + settings.brokers()
              + " cannot be read: "
              + Lines.oneLine(Lines.rootCause(e).getMessage()),
          e);
    }
  }

  private static void readDevice(
      ConsumerRecord<String, byte[]> entry, Map<String, Labels> labels, Consumer<String> problem) {
    try {
      DeviceRecord device = DeviceRecord.read(entry.key(), entry.value(), entry.timestamp());
      if (device.isRemoval()) {
        labels.remove(entry.key());
      } else {
        labels.put(entry.key(), device.labels());
      }
    } catch (RejectedException e) {
      problem.accept(line(entry, e));
    }
  }

  private static String line(ConsumerRecord<String, byte[]> entry, RejectedException rejected) {
    return entry.topic()
        + "-"
        + entry.partition()
        + ", offset "
        + entry.offset()
        + ": "
        + rejected.getMessage();
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
      problem.accept(line(record, e));
    }
  }
}
