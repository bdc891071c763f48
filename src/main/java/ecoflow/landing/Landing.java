package ecoflow.landing;

import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.normal.Normalised;
import ecoflow.quota.Quotas;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.camel.spi.Registry;

/** The landing page: devices, conditions of the exporter, and the last failure. */
public final class Landing {

  private final LandingPage page;

  /**
   * A failure to show on the page.
   *
   * @param message the text of the log line
   * @param epochMillis time of the failure, in milliseconds since 1970
   */
  public record Failure(String message, long epochMillis) {}

  /**
   * @param about the version and the mode
   * @param interval the collection interval
   * @param failure returns the last failure
   * @param unknownMessages returns the number of messages without a decoder
   */
  public Landing(
      String about,
      Devices devices,
      Normalised normalised,
      Quotas quotas,
      Duration interval,
      LongSupplier nanoClock,
      Supplier<Optional<Failure>> failure,
      LongSupplier unknownMessages) {
    Readings readings = new Readings(normalised, quotas);
    this.page =
        new LandingPage(
            about,
            devices::all,
            readings::of,
            interval,
            nanoClock,
            System::currentTimeMillis,
            failure,
            unknownMessages);
  }

  /**
   * Adds a condition to the page.
   *
   * @param problem returns the current problem; empty if the condition is met
   * @param okText the text to show if the condition is met
   */
  public void show(String name, Supplier<Optional<String>> problem, String okText) {
    page.show(name, problem, okText);
  }

  /**
   * Groups the devices by account. Without this call, the page has no groups.
   *
   * @param accountOf returns the name of the account of a device; empty for a device without an
   *     account
   */
  public void groupBy(Function<DeviceView, String> accountOf) {
    page.groupBy(accountOf);
  }

  /**
   * Shows lines at the top of the page.
   *
   * @param alerts returns failures that the user must fix; empty without such failures
   */
  public void alert(Supplier<List<String>> alerts) {
    page.alert(alerts);
  }

  /**
   * Shows failures of single devices on their cards.
   *
   * @param failureOf returns the failure of a device by its serial number; empty without a failure
   */
  public void explain(Function<String, String> failureOf) {
    page.explain(failureOf);
  }

  /** Adds a link to the page with the accounts. */
  public void linkAccounts() {
    page.linkAccounts();
  }

  /** Binds {@code landingPage} and {@code documents}. */
  public void bind(Registry registry) {
    registry.bind("landingPage", page);
    registry.bind("documents", new Documents());
  }
}
