package ecoflow.cloud;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An account of a simulated cloud, with its devices, its broker logins and the faults that affect
 * only this account.
 */
public final class SimulatedAccount {

  private final SimulatedCloud cloud;
  private final DeveloperSignature signature;
  private final Faults faults = new Faults();
  private final Map<String, SimulatedDevice> devices = new ConcurrentHashMap<>();

  private volatile CloudAccount login;
  private volatile MqttCredentials credentials = newCredentials("app-");
  private volatile MqttCredentials openCredentials = newCredentials("open-");
  private volatile boolean openRefused;
  private volatile boolean brokerRefused;
  private volatile boolean connectionsClosed;

  SimulatedAccount(SimulatedCloud cloud, CloudAccount login) {
    this.cloud = cloud;
    this.login = login;
    this.signature = new DeveloperSignature(login.accessKey(), login.secretKey());
  }

  public CloudAccount login() {
    return login;
  }

  public SimulatedCloud cloud() {
    return cloud;
  }

  /** Adds devices; a device can belong to several accounts of the cloud. */
  public SimulatedAccount add(SimulatedDevice... added) {
    for (SimulatedDevice device : added) {
      cloud.connect(device, this);
      devices.put(device.serial(), device);
    }
    return this;
  }

  public void remove(String serial) {
    devices.remove(serial);
  }

  public Collection<SimulatedDevice> devices() {
    return List.copyOf(devices.values());
  }

  public Optional<SimulatedDevice> device(String serial) {
    return serial == null ? Optional.empty() : Optional.ofNullable(devices.get(serial));
  }

  /** The faults of requests of this account; they precede those of the cloud. */
  public Faults faults() {
    return faults;
  }

  /** Changes the password of the app account; tokens and connections stay. */
  public void setPassword(String password) {
    login =
        new CloudAccount(
            login.email(), password, login.userId(), login.accessKey(), login.secretKey());
  }

  /** Rejects all tokens issued so far to this account. */
  public void expireTokens() {
    cloud.expireTokens(this);
  }

  public String certificateAccount() {
    return credentials.account();
  }

  public String certificatePassword() {
    return credentials.password();
  }

  /** Changes the broker login; connected clients stay until they are kicked. */
  public void rotateCredentials() {
    setCredentials(newCredentials("app-"));
  }

  /** The account name at the broker for developer keys. */
  public String openAccount() {
    return openCredentials.account();
  }

  /** Changes the broker login for developer keys; connected clients stay until they are kicked. */
  public void rotateOpenCredentials() {
    openCredentials = newCredentials("open-");
    cloud.addBrokerUsers(this);
  }

  /** Whether the broker refuses the login from the certification of developer keys. */
  public void setOpenRefused(boolean openRefused) {
    this.openRefused = openRefused;
  }

  /** Whether the broker refuses all logins of this account. */
  public void setBrokerRefused(boolean brokerRefused) {
    this.brokerRefused = brokerRefused;
  }

  /** Whether the broker closes each connection of this account after its first subscription. */
  public void setConnectionsClosed(boolean connectionsClosed) {
    this.connectionsClosed = connectionsClosed;
  }

  /** Closes the connections of this account. */
  public void kickClients() {
    cloud.kickClients(this);
  }

  DeveloperSignature signature() {
    return signature;
  }

  MqttCredentials credentials() {
    return credentials;
  }

  void setCredentials(MqttCredentials changed) {
    credentials = changed;
    cloud.addBrokerUsers(this);
  }

  MqttCredentials openCredentials() {
    return openCredentials;
  }

  boolean closesConnections() {
    return connectionsClosed;
  }

  /**
   * Whether the broker accepts a login.
   *
   * @param appClient whether the client ID is one of the app for this account
   */
  boolean accepts(String clientId, MqttCredentials presented, boolean appClient) {
    if (brokerRefused) {
      return false;
    }
    return presented.equals(openCredentials)
        ? !openRefused && !clientId.isEmpty()
        : presented.equals(credentials) && appClient;
  }

  private static MqttCredentials newCredentials(String start) {
    return new MqttCredentials(
        start + UUID.randomUUID().toString().replace("-", ""), UUID.randomUUID().toString());
  }
}
