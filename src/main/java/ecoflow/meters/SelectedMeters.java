package ecoflow.meters;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/** The meters of some accounts and of their devices, as a registry. */
final class SelectedMeters extends PrometheusRegistry {

  private final PrometheusRegistry all;
  private final Set<String> accounts;
  private final Set<String> serials;

  /**
   * @param accounts the selected values of the label account
   * @param serials the selected values of the label device, for meters without the label account
   */
  SelectedMeters(PrometheusRegistry all, Set<String> accounts, Set<String> serials) {
    this.all = all;
    this.accounts = accounts;
    this.serials = serials;
  }

  @Override
  public MetricSnapshots scrape() {
    MetricSnapshots.Builder found = MetricSnapshots.builder();
    for (MetricSnapshot family : all.scrape()) {
      of(family).ifPresent(found::metricSnapshot);
    }
    return found.build();
  }

  /** The selected series of a metric family; empty without any. */
  private Optional<MetricSnapshot> of(MetricSnapshot family) {
    if (family instanceof CounterSnapshot counter) {
      return copy(counter, counter.getDataPoints(), CounterSnapshot::new);
    }
    if (family instanceof GaugeSnapshot gauge) {
      return copy(gauge, gauge.getDataPoints(), GaugeSnapshot::new);
    }
    if (family instanceof HistogramSnapshot histogram) {
      return copy(histogram, histogram.getDataPoints(), HistogramSnapshot::new);
    }
    if (family instanceof SummarySnapshot summary) {
      return copy(summary, summary.getDataPoints(), SummarySnapshot::new);
    }
    if (family instanceof InfoSnapshot info) {
      return copy(info, info.getDataPoints(), InfoSnapshot::new);
    }
    return Optional.empty();
  }

  private <P extends DataPointSnapshot> Optional<MetricSnapshot> copy(
      MetricSnapshot family,
      List<P> points,
      BiFunction<MetricMetadata, List<P>, MetricSnapshot> create) {
    List<P> found = points.stream().filter(point -> isSelected(point.getLabels())).toList();
    return found.isEmpty()
        ? Optional.empty()
        : Optional.of(create.apply(family.getMetadata(), found));
  }

  private boolean isSelected(Labels labels) {
    String account = labels.get("account");
    String device = labels.get("device");
    return account == null
        ? device != null && serials.contains(device)
        : accounts.contains(account);
  }
}
