package ecoflow.config;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The settings of the MQTT connection.
 *
 * @param clientId the configured client ID
 * @param credentialsLife maximum age of a login; the exporter then logs in again
 * @param requestInterval interval of the requests for all values of a device
 */
public record MqttSettings(
    Optional<String> clientId,
    Duration keepalive,
    Duration idleCheckInterval,
    Duration maxReconnectDelay,
    Duration credentialsLife,
    Duration requestInterval) {

  static final String CLIENT_ID = "ECOFLOW_MQTT_CLIENT_ID";

  private static final Pattern CLIENT_ID_PATTERN = Pattern.compile("[A-Za-z0-9_-]{1,128}");

  static MqttSettings read(Environment env) throws ConfigException {
    return new MqttSettings(
        mqttClientId(env),
        env.seconds("MQTT_KEEPALIVE", "60", "1", "65535"),
        env.seconds("IDLE_CHECK_INTERVAL", "30", "0.1", "86400"),
        env.seconds("MAX_RECONNECT_DELAY", "300", "1", "86400"),
        env.seconds("ECOFLOW_CREDENTIALS_TTL", "72000", "1", "8640000"),
        env.seconds("QUOTA_REQUEST_INTERVAL", "30", "0.1", "86400"));
  }

  private static Optional<String> mqttClientId(Environment env) throws ConfigException {
    Optional<String> value = env.note(CLIENT_ID, "derived from the account");
    if (value.isPresent() && !CLIENT_ID_PATTERN.matcher(value.get()).matches()) {
      throw env.invalid(CLIENT_ID, value.get(), "up to 128 letters, digits, _ and -");
    }
    return value;
  }
}
