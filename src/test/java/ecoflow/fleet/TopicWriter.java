package ecoflow.fleet;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
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

  void raw(String key, long millis, Map<String, String> headers, byte[] value) {
    ProducerRecord<String, byte[]> entry =
        new ProducerRecord<>(prefix + ".raw", null, millis, key, value);
    headers.forEach(
        (name, text) -> entry.headers().add(name, text.getBytes(StandardCharsets.UTF_8)));
    producer.send(entry);
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
