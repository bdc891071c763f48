package ecoflow.rest;

import ecoflow.api.Api;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.meters.Meters;
import java.util.function.LongSupplier;
import org.apache.camel.spi.Registry;

/** The way to the data with developer keys: a device list, and polls of the devices in it. */
public final class RestMode {

  private RestMode() {}

  /** Binds {@code signature} and {@code restPolls}. */
  public static void bind(
      Registry registry,
      Settings settings,
      Api api,
      Devices devices,
      Meters meters,
      LongSupplier nanoClock) {
    registry.bind("signature", new Signature(settings.credentials()));
    registry.bind("restPolls", new RestPolls(settings, devices, api, meters, nanoClock));
  }
}
