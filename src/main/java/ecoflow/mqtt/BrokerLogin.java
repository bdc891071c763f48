package ecoflow.mqtt;

import java.time.Duration;

/**
 * Where and as whom to connect.
 *
 * @param life how long from now these credentials serve
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
