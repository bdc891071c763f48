package ecoflow.page;

import ecoflow.config.PageSettings;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.normal.Normalised;
import ecoflow.quota.Quotas;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.spi.Registry;

/** The metrics page and the health pages. */
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
   * Adds a condition to the health pages. Without values, the exporter is not ready, and the page
   * shows the current problems.
   *
   * @param problem the current problem; empty if the condition is met
   */
  public void watch(String name, Supplier<Optional<String>> problem) {
    health.watch(name, problem);
  }

  /**
   * Like {@link #watch}, for problems that do not prevent the display of values.
   *
   * @param problem the current problem; empty if the condition is met
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
