package ecoflow.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

/**
 * Simulates Home Assistant on a broker: it finds sensors by their discovery payloads, and reads
 * their states with the two kinds of templates that the sink writes.
 */
public final class HomeAssistant implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern CONFIG =
      Pattern.compile("homeassistant/sensor/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/config");
  private static final String KEY = "'((?:[^'\\\\]|\\\\.)*)'";
  private static final Pattern VALUE =
      Pattern.compile("\\{\\{ value_json\\[" + KEY + "] \\| default }}");
  private static final Pattern AVAILABILITY =
      Pattern.compile(
          "\\{\\{ 'online' if "
              + KEY
              + " in value_json(?<charge> and \\(value_json\\['[^']+'] or not"
              + " value_json\\['battery_charge_ratio'] \\| default\\(1\\)\\))? else 'offline' }}");

  private final MqttClient client;
  private final Map<String, String> retained = new ConcurrentHashMap<>();
  private final Map<String, Integer> counts = new ConcurrentHashMap<>();

  /**
   * Connects and subscribes to all topics, as Home Assistant does: retained messages arrive first.
   */
  public HomeAssistant(int port, String user, String password) throws MqttException {
    client = new MqttClient("tcp://127.0.0.1:" + port, "homeassistant", new MemoryPersistence());
    client.setTimeToWait(10_000);
    MqttConnectOptions options = new MqttConnectOptions();
    options.setUserName(user);
    options.setPassword(password.toCharArray());
    client.connect(options);
    client.subscribe(
        "#",
        1,
        (topic, message) -> {
          retained.put(topic, new String(message.getPayload(), UTF_8));
          counts.merge(topic, 1, Integer::sum);
        });
  }

  public String payload(String topic) {
    return retained.getOrDefault(topic, "");
  }

  /** Number of messages on a topic. */
  public int count(String topic) {
    return counts.getOrDefault(topic, 0);
  }

  /** The discovery payload of each sensor, by unique ID. */
  public Map<String, JsonNode> sensors() {
    Map<String, JsonNode> sensors = new TreeMap<>();
    retained.forEach(
        (topic, payload) -> {
          if (topic.startsWith("homeassistant/")) {
            if (!CONFIG.matcher(topic).matches()) {
              throw new AssertionError("not a discovery topic: " + topic);
            }
            JsonNode sensor = json(payload);
            if (sensors.put(sensor.path("unique_id").asText(), sensor) != null) {
              throw new AssertionError("duplicate unique_id: " + payload);
            }
          }
        });
    return sensors;
  }

  /** The state of a sensor, or "unavailable"; empty if the sensor or its value is not known. */
  public Optional<String> state(String uniqueId) {
    JsonNode sensor = sensors().get(uniqueId);
    if (sensor == null) {
      return Optional.empty();
    }
    for (JsonNode entry : sensor.path("availability")) {
      String payload = payload(entry.path("topic").asText());
      String template = entry.path("value_template").asText("");
      String state = template.isEmpty() ? payload : availability(template, payload);
      if (!state.equals("online")) {
        return Optional.of("unavailable");
      }
    }
    String payload = payload(sensor.path("state_topic").asText());
    JsonNode value = json(payload).path(key(VALUE, sensor.path("value_template").asText()));
    return value.isMissingNode() ? Optional.empty() : Optional.of(value.asText());
  }

  private static String availability(String template, String payload) {
    JsonNode values = payload.isEmpty() ? JSON.createObjectNode() : json(payload);
    JsonNode value = values.path(key(AVAILABILITY, template));
    Matcher form = AVAILABILITY.matcher(template);
    boolean isUnknownCharge =
        form.matches()
            && form.group("charge") != null
            && value.asDouble() == 0
            && values.path("battery_charge_ratio").asDouble(1) != 0;
    return value.isMissingNode() || isUnknownCharge ? "offline" : "online";
  }

  private static String key(Pattern form, String template) {
    Matcher matcher = form.matcher(template);
    if (!matcher.matches()) {
      throw new AssertionError("unexpected template: " + template);
    }
    return matcher.group(1).replaceAll("\\\\(.)", "$1");
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new AssertionError(text, e);
    }
  }

  @Override
  public void close() throws MqttException {
    client.disconnectForcibly(0, 1000);
    client.close(true);
  }
}
