package ecoflow.rest;

import ecoflow.api.Api;
import ecoflow.api.CloudException;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.device.Listing;
import ecoflow.meters.Meters;
import java.util.Map;
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

  /**
   * The devices in the data of a device list.
   *
   * @throws CloudException if it is something else
   */
  public static Map<String, Listing> devices(Object data) throws CloudException {
    return RestPolls.deviceList(data);
  }
}
