package ecoflow.fleet;

import ecoflow.text.Lines;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts and logs the records that a server cannot process. */
final class Rejections {

  private static final Logger LOG = LoggerFactory.getLogger(Rejections.class);

  private final Lines lines;
  private final Map<Reason, Counter> counters = new EnumMap<>(Reason.class);

  Rejections(String prefix, MeterRegistry registry, LongSupplier nanoClock) {
    lines = new Lines(LOG, nanoClock);
    for (Reason reason : Reason.values()) {
      counters.put(
          reason,
          Counter.builder(prefix + "_kafka_rejected_messages")
              .description("Kafka records that cannot be processed")
              .tag("reason", reason.label())
              .register(registry));
    }
  }

  /**
   * @param topic the last part of its name
   * @param key null for none
   */
  void rejected(RejectedException failure, String topic, String key) {
    counters.get(failure.reason()).increment();
    lines.warn(
        topic + " " + failure.reason(),
        "Skipped a record of the topic "
            + topic
            + " with the key "
            + (key == null ? "null" : Lines.oneLine(key))
            + ": "
            + failure.getMessage()
            + "; other records are not affected");
  }
}
