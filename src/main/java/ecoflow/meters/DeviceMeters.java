package ecoflow.meters;

import ecoflow.device.Labels;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/**
 * The meters with the labels of a device. They are created when the device is first seen; when its
 * labels change, those with the old labels are removed.
 */
final class DeviceMeters {

  private static final String[] LABELS = {
    "device", "device_name", "product_name", "device_general_key"
  };

  private final MeterRegistry registry;
  private final String scrapeRequests;
  private final Histogram scrapeDuration;
  private final Gauge metricsCollected;
  private final Map<String, Labels> known = new ConcurrentHashMap<>();

  /**
   * @param scrapeRequests the name of the counter
   * @param scrapeDuration with the labels of {@link #labelNames}, like {@code metricsCollected}
   */
  DeviceMeters(
      MeterRegistry registry,
      String scrapeRequests,
      Histogram scrapeDuration,
      Gauge metricsCollected) {
    this.registry = registry;
    this.scrapeRequests = scrapeRequests;
    this.scrapeDuration = scrapeDuration;
    this.metricsCollected = metricsCollected;
  }

  static String[] labelNames() {
    return LABELS.clone();
  }

  synchronized void scraped(Labels labels, Meters.Scrape result, Duration took) {
    scraped(labels, result);
    scrapeDuration.labelValues(values(labels)).observe(Meters.seconds(took));
  }

  synchronized void scraped(Labels labels, Meters.Scrape result) {
    updateLabels(labels);
    scrapes(labels, result).increment();
  }

  synchronized void collected(Labels labels, int series) {
    updateLabels(labels);
    metricsCollected.labelValues(values(labels)).set(series);
  }

  private void updateLabels(Labels labels) {
    Labels before = known.put(labels.device(), labels);
    if (labels.equals(before)) {
      return;
    }
    if (before != null) {
      removeMeters(before);
    }
    for (Meters.Scrape result : Meters.Scrape.values()) {
      scrapes(labels, result);
    }
    scrapeDuration.initLabelValues(values(labels));
    metricsCollected.initLabelValues(values(labels));
  }

  /** Removes the meters of a device that is no longer served. */
  synchronized void remove(String serial) {
    Labels labels = known.remove(serial);
    if (labels != null) {
      removeMeters(labels);
    }
  }

  /** Removes the meters of devices that are no longer served. */
  synchronized void retain(Predicate<String> isServed) {
    List.copyOf(known.keySet()).stream().filter(isServed.negate()).forEach(this::remove);
  }

  private void removeMeters(Labels labels) {
    for (Meters.Scrape result : Meters.Scrape.values()) {
      registry.remove(scrapes(labels, result));
    }
    scrapeDuration.remove(values(labels));
    metricsCollected.remove(values(labels));
  }

  private Counter scrapes(Labels labels, Meters.Scrape result) {
    return Counter.builder(scrapeRequests)
        .description("Collections of a device by result")
        .tags(tags(labels).and("status", result.label()))
        .register(registry);
  }

  private static Tags tags(Labels labels) {
    String[] values = values(labels);
    Tags tags = Tags.empty();
    for (int i = 0; i < LABELS.length; i++) {
      tags = tags.and(LABELS[i], values[i]);
    }
    return tags;
  }

  private static String[] values(Labels labels) {
    return new String[] {
      labels.device(), labels.deviceName(), labels.productName(), labels.generalKey()
    };
  }
}
