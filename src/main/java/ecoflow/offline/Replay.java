package ecoflow.offline;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings.Mode;
import ecoflow.quota.Quotas;
import ecoflow.role.History.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Replays a recording, see {@link MessageReplay}. */
public final class Replay {

  private static final ObjectMapper JSON = new ObjectMapper();

  private Replay() {}

  /** See {@link ecoflow.command.Commands.Replay}. */
  public static List<String> series(
      Map<String, String> variables,
      ExporterBeans.Factory factory,
      Path file,
      Consumer<String> problem)
      throws ConfigException, IOException {
    List<Message> messages = read(file, problem);
    if (messages.isEmpty()) {
      return List.of();
    }
    Map<String, String> withoutLabels = new HashMap<>(variables);
    // The labels of the settings belong to serial numbers that are not in the recording.
    withoutLabels
        .keySet()
        .removeIf(name -> name.matches("ECOFLOW_(DEVICE_NAME|PRODUCT_NAME|DEVICE_GENERAL_KEY)"));
    try (MessageReplay replay = MessageReplay.open(withoutLabels, factory, problem)) {
      messages.forEach(message -> replay.send(message, null));
      return replay.result();
    }
  }

  private static List<Message> read(Path file, Consumer<String> problem) throws IOException {
    List<Message> messages = new ArrayList<>();
    // A line that is not complete can end within a character.
    List<String> lines = new String(Files.readAllBytes(file), UTF_8).lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).isBlank()) {
        continue;
      }
      try {
        messages.add(message(JSON.readTree(lines.get(i))));
      } catch (JsonProcessingException | IllegalArgumentException e) {
        problem.accept(
            file
                + ":"
                + (i + 1)
                + ": not a record: expected JSON with \"device\", and \"frame\" or \"json\"");
      }
    }
    return messages;
  }

  private static Message message(JsonNode line) throws JsonProcessingException {
    String device = line.path("device").asText();
    String source = line.path("source").asText(Quotas.PUSH);
    // Records of unknown messages do not contain the mode.
    Mode mode = Mode.valueOf(line.path("mode").asText(Mode.MQTT.label()).toUpperCase(Locale.ROOT));
    boolean isJson = line.path("json").isObject();
    byte[] value =
        isJson
            ? JSON.writeValueAsBytes(line.path("json"))
            : HexFormat.of().parseHex(line.path("frame").asText());
    if (value.length == 0 || !device.matches("[A-Za-z0-9_-]{1,64}")) {
      throw new IllegalArgumentException();
    }
    boolean isPayload = !isJson || !source.equals(Quotas.REST);
    return new Message(
        device,
        Optional.of(mode),
        Map.of(Quotas.DEVICE, device, Quotas.SOURCE, source),
        value,
        isPayload);
  }
}
