package ecoflow.fleet;

import ecoflow.config.AccountSettings;
import ecoflow.config.Settings.Mode;
import ecoflow.device.Devices;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import io.micrometer.core.instrument.Counter;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Histogram;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/** The records of messages that a server reads from Kafka, bean {@code rawRecords}. */
final class RawRecords {

  /** The limit of payloads. */
  private static final int MAX_BYTES = 4 << 20;

  private static final String CURRENT_SCHEMA = Integer.toString(DeviceRecord.SCHEMA);

  private static final Set<String> SOURCES =
      Set.of(Quotas.PUSH, Quotas.REPLY, Quotas.STATUS, Quotas.REST, Quotas.OTHER);

  private final ServedPartitions partitions;
  private final Devices devices;
  private final Rejections rejections;
  private final Counter received;
  private final DistributionDataPoint age;

  RawRecords(
      String prefix,
      ServedPartitions partitions,
      Devices devices,
      Rejections rejections,
      PrometheusMeterRegistry registry) {
    this.partitions = partitions;
    this.devices = devices;
    this.rejections = rejections;
    this.received =
        Counter.builder(prefix + "_kafka_received_messages")
            .description("Records of messages that were read from Kafka")
            .register(registry);
    this.age =
        Histogram.builder()
            .name(prefix + "_kafka_message_age_seconds")
            .help("Time from the receipt of a message at a collector until its values are stored")
            .classicOnly()
            .withoutExemplars()
            .classicUpperBounds(.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)
            .register(registry.getPrometheusRegistry());
  }

  /**
   * Route step: checks a record, and converts its headers to those of {@code direct:payload} and
   * {@code direct:quotas}. The exchange property {@code recordIsServed} is false if the device was
   * removed after the message.
   *
   * @throws RejectedException if the record cannot be processed
   */
  public void accept(Exchange exchange) throws RejectedException {
    received.increment();
    Message message = exchange.getMessage();
    String serial = message.getHeader("kafka.KEY", String.class);
    Optional<Mode> mode =
        check(serial, message.getBody(byte[].class), header -> text(message, header));
    String source = text(message, Quotas.SOURCE);
    String account = text(message, KafkaHeaders.ACCOUNT);
    long offset = message.getHeader("kafka.OFFSET", Long.class);
    int partition = message.getHeader("kafka.PARTITION", Integer.class);
    long time = message.getHeader("kafka.TIMESTAMP", Long.class);
    message.setHeader(Quotas.DEVICE, serial);
    message.setHeader(Quotas.RECEIVED, time);
    message.setHeader(Quotas.REPLAY, partitions.isReplay(partition, offset));
    Long at;
    try {
      at = Quotas.received(message);
      Quotas.isTrue(message, Quotas.FULL);
      Quotas.isTrue(message, Quotas.ONLINE);
    } catch (IllegalArgumentException e) {
      throw new RejectedException(Reason.HEADERS, e.getMessage());
    }
    partitions.messageRead(partition, serial, account, mode, time);
    if (source.equals(Quotas.REST)) {
      // Collectors poll only devices that are online in their device lists.
      devices.listed(serial, true, devices.receivedAt(at));
    }
    exchange.setProperty("recordIsServed", devices.isServed(serial));
  }

  /**
   * Checks a record, except for its time.
   *
   * @param header returns the text of a header; empty without the header
   * @return the mode of the account; empty for a device of another source
   * @throws RejectedException if the record cannot be processed
   */
  static Optional<Mode> check(String serial, byte[] value, UnaryOperator<String> header)
      throws RejectedException {
    if (!Devices.isSerial(serial)) {
      throw RejectedException.invalidKey(serial);
    }
    if (value == null) {
      throw new RejectedException(Reason.VALUE, "it has no value");
    }
    if (value.length > MAX_BYTES) {
      throw new RejectedException(
          Reason.TOO_LARGE, value.length + " bytes, more than the limit of " + MAX_BYTES);
    }
    checkSchema(header.apply(KafkaHeaders.SCHEMA));
    String source = header.apply(Quotas.SOURCE);
    if (!SOURCES.contains(source)) {
      throw invalid(Quotas.SOURCE, source);
    }
    String account = header.apply(KafkaHeaders.ACCOUNT);
    if (!AccountSettings.isValid(account, Map.of())) {
      throw invalid(KafkaHeaders.ACCOUNT, account);
    }
    return DeviceRecord.mode(header.apply(KafkaHeaders.MODE), Reason.HEADERS);
  }

  private static void checkSchema(String schema) throws RejectedException {
    if (schema.equals(CURRENT_SCHEMA)) {
      return;
    }
    if (!schema.matches("[1-9][0-9]{0,8}")) {
      throw invalid(KafkaHeaders.SCHEMA, schema);
    }
    if (Integer.parseInt(schema) > DeviceRecord.SCHEMA) {
      throw RejectedException.newerSchema(schema);
    }
  }

  private static String text(Message message, String header) {
    return message.getHeader(header, "", String.class);
  }

  private static RejectedException invalid(String header, String value) {
    return new RejectedException(
        Reason.HEADERS,
        value.isEmpty()
            ? "it has no header " + header
            : "its header " + header + " is '" + Lines.oneLine(value) + "', which is not valid");
  }

  /** Route step: the values of the record have been stored. */
  public void stored(Exchange exchange) {
    Message message = exchange.getMessage();
    if (!Quotas.isTrue(message, Quotas.REPLAY)) {
      long millis = System.currentTimeMillis() - Quotas.received(message);
      age.observe(Math.max(0, millis) / 1000.0);
    }
  }

  /** Route step: counts and logs a record that cannot be processed. */
  public void reject(Exchange exchange) {
    Exception failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    RejectedException rejected =
        failure instanceof RejectedException known
            ? known
            : new RejectedException(Reason.VALUE, Lines.parserMessage(failure));
    rejections.rejected(
        rejected, Topics.RAW, exchange.getMessage().getHeader("kafka.KEY", String.class));
  }
}
