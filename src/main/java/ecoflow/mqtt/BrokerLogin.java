package ecoflow.mqtt;

import java.time.Duration;

/**
 * Address and credentials of the broker.
 *
 * @param life validity of these credentials from now on
 */
public record BrokerLogin(
    String host,
    int port,
    String user,
    String password,
    String userId,
    String clientId,
    Duration life) {
  @Override
  public String toString() {
    return "BrokerLogin[" + host + ":" + port + "]";
  }
}
