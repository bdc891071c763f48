package ecoflow.fleet;

import ecoflow.account.Account;
import ecoflow.device.Devices;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.kafka.clients.producer.BufferExhaustedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The records of messages, bean {@code kafkaRecords}: the content of their headers, the number of
 * records that wait for Kafka, and the records that were dropped.
 */
final class KafkaRecords {

  /** The reasons for dropped messages, values of the label {@code reason}. */
  private enum Reason {
    /** Too many records wait for Kafka. */
    BUFFER_FULL,
    /** Kafka has not acknowledged the record in time. */
    EXPIRED,
    /** Kafka has not been reached since the start. */
    NO_METADATA,
    /** The record is larger than max.request.size or the topic's max.message.bytes. */
    TOO_LARGE,
    /** Kafka or its client refused the record for another reason. */
    REJECTED
  }

  /** Thrown before a record is sent. */
  private static final class FullException extends Exception {

    private static final long serialVersionUID = 1L;

    FullException(int waiting) {
      super(waiting + " records wait for Kafka", null, false, false);
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(KafkaRecords.class);

  /** A record without an answer for this time is the start of an outage. */
  private static final Duration STALL = Duration.ofSeconds(5);

  private static final String WAITING = "ecoflowWaiting";

  private final String brokers;
  private final Devices devices;
  private final LongSupplier nanoClock;
  private final int maxWaiting;
  private final Lines lines;
  private final AtomicInteger waiting = new AtomicInteger();
  private final Counter sent;
  private final Map<Reason, Counter> dropped = new EnumMap<>(Reason.class);

  /** The time of the last acknowledgement, or of the first record after all were acknowledged. */
  private volatile long lastProgress;

  private final Object outage = new Object();
  private volatile boolean isOutage;
  private boolean isOutageLogged;
  private long outageStart;
  private double droppedBefore;

  /**
   * @param prefix the prefix of the names of metrics
   * @param maxWaiting maximum number of records that wait for Kafka, each of which needs memory in
   *     addition to the buffer of the producer
   * @param waitingBytes returns the size of the waiting records
   */
  KafkaRecords(
      String brokers,
      String prefix,
      Devices devices,
      MeterRegistry registry,
      int maxWaiting,
      DoubleSupplier waitingBytes,
      LongSupplier nanoClock) {
    this.brokers = brokers;
    this.devices = devices;
    this.maxWaiting = maxWaiting;
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock);
    this.sent =
        Counter.builder(prefix + "_kafka_sent_messages")
            .description("Messages of devices that Kafka has acknowledged")
            .register(registry);
    for (Reason reason : Reason.values()) {
      dropped.put(
          reason,
          Counter.builder(prefix + "_kafka_dropped_messages")
              .description("Messages of devices that were not sent to Kafka")
              .tag("reason", reason.name().toLowerCase(Locale.ROOT))
              .register(registry));
    }
    Gauge.builder(prefix + "_kafka_waiting_messages", waiting, AtomicInteger::get)
        .description("Messages of devices that Kafka has not acknowledged yet")
        .register(registry);
    Gauge.builder(prefix + "_kafka_waiting_bytes", waitingBytes::getAsDouble)
        .description("Memory of the messages of devices that Kafka has not acknowledged yet")
        .register(registry);
  }

  /**
   * Route step: sets the property {@code recordTopic} to the MQTT topic, in which {@code *}
   * replaces the user ID or the account of the keys.
   */
  public void findTopic(Exchange exchange) {
    String topic = exchange.getMessage().getHeader("CamelMqttTopic", String.class);
    exchange.setProperty(
        "recordTopic",
        topic == null ? "payload" : Lines.withoutUser(topic).replace("/***/", "/*/"));
  }

  /**
   * Route step: sets the exchange properties that become headers of the record. One step is cheaper
   * than a bean call in the expression of each header, for which Camel copies the exchange.
   *
   * <ul>
   *   <li>{@code recordTime}: the time of receipt in milliseconds since 1970, which is not in the
   *       future
   *   <li>{@code recordAccount}: the name of the account; empty without a name
   *   <li>{@code recordMode}: the mode of the account; empty for a device of another source
   * </ul>
   */
  public void describe(Exchange exchange) {
    Message message = exchange.getMessage();
    Long received = message.getHeader(Quotas.RECEIVED, Long.class);
    long now = System.currentTimeMillis();
    exchange.setProperty("recordTime", received == null ? now : Math.min(received, now));
    Optional<Account> owner = owner(message.getHeader(Quotas.DEVICE, String.class));
    exchange.setProperty("recordAccount", owner.map(Account::name).orElse(""));
    exchange.setProperty("recordMode", owner.map(account -> account.mode().label()).orElse(""));
  }

  private Optional<Account> owner(String serial) {
    return devices.account(serial == null ? "" : serial);
  }

  /**
   * Route step: counts a record that waits for Kafka.
   *
   * @throws FullException if too many records wait
   */
  public void enqueue(Exchange exchange) throws FullException {
    int before = waiting.get();
    long now = nanoClock.getAsLong();
    if (before == 0) {
      lastProgress = now;
    } else if (!isOutage && now - lastProgress > STALL.toNanos()) {
      begin("no record was acknowledged for " + Lines.seconds(STALL) + " s");
    }
    if (before >= maxWaiting) {
      throw new FullException(before);
    }
    waiting.incrementAndGet();
    exchange.setProperty(WAITING, true);
  }

  /** Route step: handles a record that Kafka has acknowledged. */
  public void sent(Exchange exchange) {
    finish(exchange);
    sent.increment();
    lastProgress = nanoClock.getAsLong();
    if (isOutage) {
      end();
    }
  }

  /** Route step: counts a message that was not sent, and logs the first one of an outage. */
  public void drop(Exchange exchange) {
    finish(exchange);
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    Reason reason = reason(failure);
    dropped.get(reason).increment();
    // The message of an error is only the name of a class.
    String message =
        failure instanceof Exception ? Lines.oneLine(failure.getMessage()) : Lines.root(failure);
    if (reason == Reason.TOO_LARGE || reason == Reason.REJECTED) {
      String device = exchange.getMessage().getHeader(Quotas.DEVICE, "unknown", String.class);
      lines.warn(
          device + " " + reason,
          "Dropped a message of device "
              + Lines.oneLine(device)
              + " that Kafka did not accept: "
              + message
              + "; other messages are not affected");
    } else if (!isOutage) {
      begin(message);
    }
  }

  private void finish(Exchange exchange) {
    if (exchange.removeProperty(WAITING) != null) {
      waiting.decrementAndGet();
    }
  }

  private static Reason reason(Throwable failure) {
    if (failure instanceof FullException || failure instanceof BufferExhaustedException) {
      return Reason.BUFFER_FULL;
    }
    if (failure instanceof RecordTooLargeException) {
      return Reason.TOO_LARGE;
    }
    if (failure instanceof TimeoutException) {
      // The client has no other type for missing metadata.
      return String.valueOf(failure.getMessage()).contains("not present in metadata")
          ? Reason.NO_METADATA
          : Reason.EXPIRED;
    }
    return Reason.REJECTED;
  }

  private void begin(String reason) {
    synchronized (outage) {
      if (isOutage) {
        return;
      }
      isOutage = true;
      outageStart = nanoClock.getAsLong();
      droppedBefore = allDropped();
      isOutageLogged =
          lines.warn(
              "outage",
              "Kafka at "
                  + brokers
                  + " does not accept records: "
                  + reason
                  + "; messages are kept in memory for a limited time, and then dropped and counted"
                  + " in kafka_dropped_messages_total");
    }
  }

  private void end() {
    synchronized (outage) {
      if (!isOutage) {
        return;
      }
      isOutage = false;
      if (isOutageLogged) {
        LOG.info(
            "Kafka accepts records again after {} s; {} messages were dropped",
            Duration.ofNanos(nanoClock.getAsLong() - outageStart).toSeconds(),
            Math.round(allDropped() - droppedBefore));
      }
    }
  }

  private double allDropped() {
    return dropped.values().stream().mapToDouble(Counter::count).sum();
  }

  /** The current problem; empty if Kafka accepts records. */
  Optional<String> problem() {
    return isOutage ? Optional.of("Kafka does not accept records") : Optional.empty();
  }
}
