package ecoflow.role;

import ecoflow.config.Settings.Mode;
import ecoflow.device.Labels;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The messages of devices that are still in Kafka. */
public interface History {

  /**
   * A message.
   *
   * @param mode of its account; empty for a device of another source
   * @param headers the headers for routes
   * @param isPayload whether the value is a payload; otherwise it is a JSON object of raw keys and
   *     values
   */
  record Message(
      String serial,
      Optional<Mode> mode,
      Map<String, Object> headers,
      byte[] value,
      boolean isPayload) {}

  /**
   * Reads the labels of all devices, by serial number.
   *
   * @param problem receives a line for each record that is not valid
   * @throws IOException if Kafka does not answer; the message is a line for the user
   */
  Map<String, Labels> devices(Consumer<String> problem) throws IOException;

  /**
   * Reads all messages up to now, in the order of each device.
   *
   * @param age the age of the oldest message
   * @param problem receives a line for each record that is not valid
   * @throws IOException if Kafka does not answer; the message is a line for the user
   */
  void read(Duration age, Consumer<Message> messages, Consumer<String> problem) throws IOException;
}
