package ecoflow.cloud;

import java.nio.charset.StandardCharsets;
import java.time.Instant;

/** One MQTT message that a client published. */
public record ReceivedMessage(Instant time, String clientId, String topic, byte[] payload) {

  public String text() {
    return new String(payload, StandardCharsets.UTF_8);
  }
}
