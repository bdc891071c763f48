package ecoflow.fleet;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes the records that a collector would write. */
final class TopicWriter implements AutoCloseable {

  private final String prefix;
  private final KafkaProducer<String, byte[]> producer;

  TopicWriter(String brokers, String prefix) {
    this.prefix = prefix;
    producer =
        new KafkaProducer<>(
            // Records of an idempotent producer are rejected for seconds after a topic is created.
            Map.of(
                "bootstrap.servers", brokers,
                "enable.idempotence", "false",
                "max.request.size", "8388608",
                "max.in.flight.requests.per.connection", "1"),
            new StringSerializer(),
            new ByteArraySerializer());
  }

  /** The headers of a push. */
  static Map<String, String> headers() {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("EcoflowSource", "push");
    headers.put("EcoflowTopic", "/app/device/property/x");
    headers.put("EcoflowAccount", "one");
    headers.put("EcoflowMode", "mqtt");
    headers.put("EcoflowSchema", "1");
    return headers;
  }

  /** A push with a JSON payload, received at this time in milliseconds since 1970. */
  void push(String serial, long millis, String json) {
    raw(serial, millis, headers(), json.getBytes(StandardCharsets.UTF_8));
  }

  void push(String serial, String json) {
    push(serial, System.currentTimeMillis(), json);
  }

  /** Like the other method; returns after the acknowledgement of Kafka. */
  RecordMetadata awaitPush(String serial, long millis, String json) {
    try {
      return raw(serial, millis, headers(), json.getBytes(StandardCharsets.UTF_8)).get();
    } catch (ExecutionException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  Future<RecordMetadata> raw(String key, long millis, Map<String, String> headers, byte[] value) {
    return producer.send(entry(key, millis, headers, value));
  }

  private ProducerRecord<String, byte[]> entry(
      String key, long millis, Map<String, String> headers, byte[] value) {
    ProducerRecord<String, byte[]> entry =
        new ProducerRecord<>(prefix + ".raw", null, millis, key, value);
    headers.forEach(
        (name, text) -> entry.headers().add(name, text.getBytes(StandardCharsets.UTF_8)));
    return entry;
  }

  /** Writes two pushes in transactions, of which the second one is aborted. */
  void transactions(String brokers, String serial, String committed, String aborted) {
    try (KafkaProducer<String, byte[]> transactional =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", brokers, "transactional.id", prefix),
            new StringSerializer(),
            new ByteArraySerializer())) {
      long now = System.currentTimeMillis();
      transactional.initTransactions();
      transactional.beginTransaction();
      transactional.send(entry(serial, now, headers(), committed.getBytes(StandardCharsets.UTF_8)));
      transactional.commitTransaction();
      transactional.beginTransaction();
      transactional.send(entry(serial, now, headers(), aborted.getBytes(StandardCharsets.UTF_8)));
      transactional.flush();
      transactional.abortTransaction();
    }
  }

  void device(String serial, String name, String account) {
    device(
        serial,
        """
        {"schema":1,"name":"%s","product":"DELTA 2","generalKey":"ecoflow_delta_2","account":"%s",\
        "mode":"mqtt","labels":{"site":"Berlin"},"online":null,"since":0}"""
            .formatted(name, account));
  }

  /** The record of an offline device, repeated for the last time in milliseconds since 1970. */
  void lastDevice(String serial, long millis, String account) {
    String json =
        """
        {"schema":1,"name":"Old","product":"DELTA 2","generalKey":"ecoflow_delta_2","account":"%s",\
        "mode":"rest","labels":{},"online":false,"since":0}"""
            .formatted(account);
    producer.send(
        new ProducerRecord<>(
            prefix + ".devices", null, millis, serial, json.getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * @param json null if the device is no longer served
   */
  void device(String serial, String json) {
    byte[] value = json == null ? null : json.getBytes(StandardCharsets.UTF_8);
    producer.send(new ProducerRecord<>(prefix + ".devices", serial, value));
  }

  void flush() {
    producer.flush();
  }

  @Override
  public void close() {
    producer.close();
  }
}
