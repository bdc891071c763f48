package ecoflow.page;

import ecoflow.config.PageSettings;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.normal.Normalised;
import ecoflow.quota.Quotas;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.spi.Registry;

/** What the exporter shows: the metrics page, the health pages, and its gauges about devices. */
public final class Page {

  private final MetricsPage metricsPage;
  private final CollectDevices collectDevices;
  private final Health health;

  public Page(
      PageSettings settings, Devices devices, Quotas quotas, Normalised normalised, Meters meters) {
    this.metricsPage = new MetricsPage(settings, devices, quotas, normalised, meters);
    this.collectDevices = new CollectDevices(devices, meters);
    this.health = new Health(devices);
  }

  /**
   * Makes a condition part of the health pages.
   *
   * @param problem what is wrong now, empty if nothing is
   */
  public void watch(String name, Supplier<Optional<String>> problem) {
    health.watch(name, problem);
  }

  /**
   * As {@link #watch}, for what does not keep values from being shown.
   *
   * @param problem what is wrong now, empty if nothing is
   */
  public void remark(String name, Supplier<Optional<String>> problem) {
    health.remark(name, problem);
  }

  /** Binds {@code metricsPage}, {@code collectDevices}, {@code health} and Camel's checks. */
  public void bind(Registry registry) {
    registry.bind("metricsPage", metricsPage);
    registry.bind("collectDevices", collectDevices);
    registry.bind("health", health);
    health.camelChecks().forEach(registry::bind);
  }
}
