package ecoflow.mqtt;

import java.time.Duration;

/**
 * Address and credentials of the broker.
 *
 * @param lifetime remaining validity of the credentials
 */
public record BrokerLogin(
    String host,
    int port,
    String user,
    String password,
    String userId,
    String clientId,
    Duration lifetime) {
  /** A copy with another client ID and lifetime. */
  public BrokerLogin with(String newClientId, Duration newLifetime) {
    return new BrokerLogin(host, port, user, password, userId, newClientId, newLifetime);
  }

  @Override
  public String toString() {
    return "BrokerLogin[" + host + ":" + port + "]";
  }
}
