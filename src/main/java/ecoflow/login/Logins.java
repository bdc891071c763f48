package ecoflow.login;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.api.Api;
import ecoflow.api.CloudException;
import ecoflow.device.Devices;
import ecoflow.device.Listing;
import ecoflow.meters.Meters;
import ecoflow.mqtt.BrokerLogin;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.camel.Exchange;
import org.apache.camel.spi.Registry;

/**
 * The logins for MQTT connections, bean {@code login}, and requests for all values of a device.
 * Developer keys have a separate account at the broker.
 */
public final class Logins implements Login, AutoCloseable {

  private final Api api;
  private final Devices devices;
  private final LongSupplier nanoClock;
  private final AccountLogin accountLogin;
  private final OpenLogin openLogin;
  private final LoginFiles files;
  private QuotaRequests requests;

  /**
   * @param stateDir the directory for logins; empty to store none
   */
  public Logins(
      Api api,
      Accounts accounts,
      Devices devices,
      Meters meters,
      Optional<Path> stateDir,
      LongSupplier nanoClock) {
    this.files = new LoginFiles(stateDir, accounts::isServed, LoginFiles.writer(), nanoClock);
    this.api = api;
    this.devices = devices;
    this.nanoClock = nanoClock;
    this.accountLogin = new AccountLogin(devices, meters, files, nanoClock);
    this.openLogin = new OpenLogin(meters, files, nanoClock);
  }

  /**
   * Binds {@code login}, {@code accountLogin}, {@code openLogin} and {@code quotaRequests}.
   *
   * @param connected whether the connection of an account is open
   */
  public void bind(Registry registry, Predicate<Account> connected) {
    registry.bind("login", this);
    registry.bind("accountLogin", accountLogin);
    registry.bind("openLogin", openLogin);
    requests = new QuotaRequests(devices, connected, nanoClock);
    registry.bind("quotaRequests", requests);
  }

  private Login of(Account account) {
    return account.mode().usesAccount() ? accountLogin : openLogin;
  }

  @Override
  public boolean isComplete(Account account) {
    return of(account).isComplete(account);
  }

  @Override
  public BrokerLogin brokerLogin(Account account) {
    return of(account).brokerLogin(account);
  }

  @Override
  public void failed(Exchange exchange) {
    Account account = Account.of(exchange);
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    api.recordRefusal(account, failure);
    of(account).failed(exchange);
  }

  @Override
  public boolean isRefused(Account account) {
    return of(account).isRefused(account);
  }

  @Override
  public String failure(Exchange exchange) {
    return of(Account.of(exchange)).failure(exchange);
  }

  @Override
  public void forget(Account account) {
    of(account).forget(account);
  }

  @Override
  public void forgetDevices(Account account) {
    of(account).forgetDevices(account);
  }

  /** Forgets a device that is no longer served. */
  public void remove(String serial) {
    requests.remove(serial);
  }

  /** Completes the changes of stored logins. */
  @Override
  public void close() {
    files.close();
  }

  /**
   * Parses the device list of an app account.
   *
   * @throws CloudException if the data is not a device list
   */
  public static Map<String, Listing> devices(Object data) throws CloudException {
    return AccountLogin.devices(data);
  }
}
