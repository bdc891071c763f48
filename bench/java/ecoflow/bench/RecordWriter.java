package ecoflow.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes the records that collectors would write, with the same options of the producer. */
final class RecordWriter implements AutoCloseable {

  private final String prefix;
  private final KafkaProducer<String, byte[]> producer;

  RecordWriter(String brokers, String prefix) {
    this.prefix = prefix;
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", brokers, "acks", "all", "linger.ms", "100"),
            new StringSerializer(),
            new ByteArraySerializer());
  }

  /** The record of a device in mode Device API. */
  void device(String serial, String account) {
    String json =
        """
        {"schema":1,"name":"Device %s","product":"DELTA 2 Max","generalKey":"ecoflow_delta_2_max",\
        "account":"%s","mode":"device","labels":{},"online":null,"since":%d}"""
            .formatted(serial, account, System.currentTimeMillis());
    producer.send(new ProducerRecord<>(prefix + ".devices", serial, json.getBytes(UTF_8)));
  }

  /**
   * A push.
   *
   * @param millis the time of receipt
   * @param payload not changed by the caller afterwards
   */
  void push(String serial, String account, long millis, byte[] payload) {
    producer.send(
        new ProducerRecord<>(
            prefix + ".raw",
            null,
            millis,
            serial,
            payload,
            List.of(
                header("EcoflowSource", "push"),
                header("EcoflowTopic", "/app/device/property/" + serial),
                header("EcoflowAccount", account),
                header("EcoflowMode", "device"),
                header("EcoflowSchema", "1"))),
        (metadata, failure) -> {
          if (failure != null) {
            System.err.println("a record was not written: " + failure);
          }
        });
  }

  private static Header header(String name, String value) {
    return new RecordHeader(name, value.getBytes(UTF_8));
  }

  void flush() {
    producer.flush();
  }

  @Override
  public void close() {
    producer.close();
  }
}
