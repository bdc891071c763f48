package ecoflow.meters;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Selects the meters of accounts and of devices. The registry can only be read as a whole, so it is
 * read at most once per second: Prometheus can request a page for each of thousands of accounts.
 */
final class SelectedMeters {

  private static final long MAX_AGE = TimeUnit.SECONDS.toNanos(1);

  private record Point(MetricSnapshot family, DataPointSnapshot point) {}

  private final PrometheusRegistry all;
  private Map<String, List<Point>> byAccount = Map.of();
  private Map<String, List<Point>> byDevice = Map.of();
  private boolean isRead;
  private long readAt;

  SelectedMeters(PrometheusRegistry all) {
    this.all = all;
  }

  /**
   * A registry with the selected meters.
   *
   * @param accounts the selected values of the label account
   * @param serials the selected values of the label device, for meters without the label account
   */
  synchronized PrometheusRegistry of(Set<String> accounts, Set<String> serials) {
    if (!isRead || System.nanoTime() - readAt > MAX_AGE) {
      read();
    }
    Map<MetricSnapshot, List<DataPointSnapshot>> families = new IdentityHashMap<>();
    Stream.concat(
            accounts.stream().map(name -> byAccount.getOrDefault(name, List.of())),
            serials.stream().map(serial -> byDevice.getOrDefault(serial, List.of())))
        .flatMap(List::stream)
        .forEach(
            point ->
                families
                    .computeIfAbsent(point.family(), unused -> new ArrayList<>())
                    .add(point.point()));
    MetricSnapshots.Builder selected = MetricSnapshots.builder();
    families.forEach((family, points) -> selected.metricSnapshot(copy(family, points)));
    MetricSnapshots snapshots = selected.build();
    return new PrometheusRegistry() {
      @Override
      public MetricSnapshots scrape() {
        return snapshots;
      }
    };
  }

  private void read() {
    byAccount = new HashMap<>();
    byDevice = new HashMap<>();
    for (MetricSnapshot family : all.scrape()) {
      if (isSupported(family)) {
        for (DataPointSnapshot point : family.getDataPoints()) {
          add(family, point);
        }
      }
    }
    isRead = true;
    readAt = System.nanoTime();
  }

  private void add(MetricSnapshot family, DataPointSnapshot point) {
    Labels labels = point.getLabels();
    String account = labels.get("account");
    String key = account == null ? labels.get("device") : account;
    if (key != null) {
      (account == null ? byDevice : byAccount)
          .computeIfAbsent(key, unused -> new ArrayList<>())
          .add(new Point(family, point));
    }
  }

  private static boolean isSupported(MetricSnapshot family) {
    return family instanceof CounterSnapshot
        || family instanceof GaugeSnapshot
        || family instanceof HistogramSnapshot
        || family instanceof SummarySnapshot
        || family instanceof InfoSnapshot;
  }

  private static MetricSnapshot copy(MetricSnapshot family, List<DataPointSnapshot> points) {
    MetricMetadata metadata = family.getMetadata();
    if (family instanceof CounterSnapshot) {
      return new CounterSnapshot(metadata, cast(CounterDataPointSnapshot.class, points));
    }
    if (family instanceof GaugeSnapshot) {
      return new GaugeSnapshot(metadata, cast(GaugeDataPointSnapshot.class, points));
    }
    if (family instanceof HistogramSnapshot) {
      return new HistogramSnapshot(metadata, cast(HistogramDataPointSnapshot.class, points));
    }
    if (family instanceof SummarySnapshot) {
      return new SummarySnapshot(metadata, cast(SummaryDataPointSnapshot.class, points));
    }
    return new InfoSnapshot(metadata, cast(InfoDataPointSnapshot.class, points));
  }

  private static <P> List<P> cast(Class<P> type, List<DataPointSnapshot> points) {
    return points.stream().map(type::cast).toList();
  }
}
