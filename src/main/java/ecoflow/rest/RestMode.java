package ecoflow.rest;

import ecoflow.account.Account;
import ecoflow.api.Api;
import ecoflow.api.CloudException;
import ecoflow.device.Devices;
import ecoflow.device.Listing;
import ecoflow.meters.Meters;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.camel.spi.Registry;

/** Access with developer keys: the device list, and polls of its devices. */
public final class RestMode {

  private RestMode() {}

  /**
   * Binds {@code signature} and {@code restPolls}.
   *
   * @return forgets the device list and the quarantines of an account with other credentials
   */
  public static Consumer<Account> bind(
      Registry registry, Api api, Devices devices, Meters meters, LongSupplier nanoClock) {
    registry.bind("signature", new Signature());
    RestPolls polls = new RestPolls(devices, api, meters, nanoClock);
    registry.bind("restPolls", polls);
    return polls::forget;
  }

  /**
   * The devices in the data of a device list.
   *
   * @throws CloudException if the data is not an array
   */
  public static Map<String, Listing> devices(Object data) throws CloudException {
    return RestPolls.deviceList(data);
  }
}
