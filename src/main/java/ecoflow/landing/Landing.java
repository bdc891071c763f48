package ecoflow.landing;

import ecoflow.device.Devices;
import ecoflow.normal.Normalised;
import ecoflow.quota.Quotas;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.camel.spi.Registry;

/** The page at /, and what it shows besides devices. */
public final class Landing {

  private final LandingPage page;

  /**
   * A failure that users may want to know of.
   *
   * @param words as in the log
   * @param epochMillis when it was
   */
  public record Trouble(String words, long epochMillis) {}

  /**
   * @param about version and mode
   * @param interval between two looks at all devices
   * @param trouble the last failure
   * @param unknownMessages how many messages of devices were not understood
   */
  public Landing(
      String about,
      Devices devices,
      Normalised normalised,
      Quotas quotas,
      Duration interval,
      LongSupplier nanoClock,
      Supplier<Optional<Trouble>> trouble,
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
            trouble,
            unknownMessages);
  }

  /**
   * Shows a condition.
   *
   * @param problem what is wrong now, empty if nothing is
   * @param fine what is said then
   */
  public void show(String name, Supplier<Optional<String>> problem, String fine) {
    page.show(name, problem, fine);
  }

  /** Binds {@code landingPage}. */
  public void bind(Registry registry) {
    registry.bind("landingPage", page);
  }
}
