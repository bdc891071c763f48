package ecoflow.page;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.config.PageSettings;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import ecoflow.normal.Normalised;
import ecoflow.quota.Quotas;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.camel.spi.Registry;

/** The metrics page, the health pages and the pages about accounts. */
public final class Page {

  private final MetricsPage metricsPage;
  private final ScrapeCounter scrapeCounter;
  private final Health health;
  private final Accounts accounts;
  private final Devices devices;

  /**
   * @param showsDevices whether the metrics page contains the metrics of devices
   */
  public Page(
      PageSettings settings,
      boolean showsDevices,
      Accounts accounts,
      Devices devices,
      Quotas quotas,
      Normalised normalised,
      Meters meters) {
    this.metricsPage =
        new MetricsPage(settings, showsDevices, accounts, devices, quotas, normalised, meters);
    this.scrapeCounter = new ScrapeCounter(devices, meters);
    this.health = new Health(devices);
    this.accounts = accounts;
    this.devices = devices;
  }

  /**
   * Adds a condition for readiness. The exporter is ready once a device has sent values; until
   * then, the page shows the current problems.
   *
   * @param problem returns the current problem; empty if the condition is met
   */
  public void watch(String name, Supplier<Optional<String>> problem) {
    health.watch(name, problem);
  }

  /**
   * Adds a condition for readiness whose problem is the cause of other problems. After a device has
   * sent values, the page shows the problem, but it does not affect readiness.
   *
   * @param problem returns the current problem; empty if the condition is met
   */
  public void watchFirst(String name, Supplier<Optional<String>> problem) {
    health.watchFirst(name, problem);
  }

  /**
   * Readiness does not depend on values of devices, because the process can have devices that are
   * all offline.
   */
  public void ignoreValues() {
    health.ignoreValues();
  }

  /**
   * Adds a condition for readiness that must also be met after a device has sent values.
   *
   * @param problem returns the current problem; empty if the condition is met
   */
  public void require(String name, Supplier<Optional<String>> problem) {
    health.require(name, problem);
  }

  /**
   * Adds a condition that does not affect readiness.
   *
   * @param problem returns the current problem; empty if the condition is met
   */
  public void remark(String name, Supplier<Optional<String>> problem) {
    health.remark(name, problem);
  }

  /**
   * Binds {@code accountsPage}.
   *
   * @param state returns the state of an account
   */
  public void bindAccounts(Registry registry, Function<Account, String> state) {
    registry.bind("accountsPage", new AccountsPage(accounts, devices, state));
  }

  /** Binds {@code metricsPage}, {@code scrapeCounter}, {@code health} and Camel's checks. */
  public void bind(Registry registry) {
    registry.bind("metricsPage", metricsPage);
    registry.bind("scrapeCounter", scrapeCounter);
    registry.bind("health", health);
    health.camelChecks().forEach(registry::bind);
  }
}
