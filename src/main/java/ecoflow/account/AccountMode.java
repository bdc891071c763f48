package ecoflow.account;

import ecoflow.api.CloudException;
import ecoflow.config.Settings;
import ecoflow.device.Devices;
import ecoflow.device.Listing;
import ecoflow.meters.Meters;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.apache.camel.spi.Registry;

/**
 * The login for an MQTT connection and, with an app account, requests for all values of a device.
 * Developer keys have a separate account at the broker.
 */
public final class AccountMode {

  private final Settings settings;
  private final Devices devices;
  private final LongSupplier nanoClock;
  private final Login login;

  public AccountMode(Settings settings, Devices devices, Meters meters, LongSupplier nanoClock) {
    this.settings = settings;
    this.devices = devices;
    this.nanoClock = nanoClock;
    this.login =
        settings.mode().usesAccount()
            ? new AccountLogin(settings, devices, meters, nanoClock)
            : new OpenLogin(settings, meters, nanoClock);
  }

  /**
   * Binds {@code login}, which is also {@code accountLogin} or, with developer keys, {@code
   * openLogin}; with an account also {@code quotaRequests}.
   *
   * @param connected whether the connection for requests is open
   */
  public void bind(Registry registry, BooleanSupplier connected) {
    registry.bind("login", login);
    if (settings.mode().usesAccount()) {
      registry.bind("accountLogin", login);
      registry.bind("quotaRequests", new QuotaRequests(settings, devices, connected, nanoClock));
    } else {
      registry.bind("openLogin", login);
    }
  }

  /**
   * Parses the device list of an app account.
   *
   * @throws CloudException if the data is not a device list
   */
  public static Map<String, Listing> devices(Object data) throws CloudException {
    return AccountLogin.devices(data);
  }

  /** Whether the credentials for the next connection are available. */
  public boolean isLoggedIn() {
    return login.isComplete();
  }

  /** Discards the login, so that the next connection logs in again. */
  public void forgetLogin() {
    login.forget();
  }
}
