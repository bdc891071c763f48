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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Header;

/** The topic of messages. Does not use a consumer group, so servers are not affected. */
public final class KafkaHistory implements History {

  /** Reading ends earlier if Kafka does not answer. */
  private static final Duration LIMIT = Duration.ofDays(1);

  private final KafkaSettings settings;

  public KafkaHistory(KafkaSettings settings) {
    this.settings = settings;
  }

  @Override
  public void read(Duration age, Consumer<Message> messages, Consumer<String> problem)
      throws IOException {
    long start = System.currentTimeMillis() - age.toMillis();
    try {
      new TopicRecords(settings, Topics.RAW)
          .readSince(start, LIMIT, entry -> read(entry, messages, problem));
    } catch (KafkaException e) {
      throw new IOException(
          "Kafka at "
              + settings.brokers()
              + " cannot be read: "
              + Lines.oneLine(Lines.rootCause(e).getMessage()),
          e);
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
