package ecoflow.offline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.config.Settings.LogLevel;
import ecoflow.quota.Quotas;
import ecoflow.runtime.Logging;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.camel.CamelContext;
import org.apache.camel.ProducerTemplate;

/**
 * Sends recorded messages to the route {@code payload}, without an account or a connection, and
 * returns the resulting series.
 */
public final class Replay {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> ROUTES = List.of("payload", "quotas", "unexpected-errors");

  /** The starts of the names of exporter metrics with device labels, which are omitted. */
  private static final List<String> EXPORTER_METRICS =
      List.of("online", "metrics_collected", "device_last_update", "scrape_");

  private record Message(String device, String source, byte[] frame) {}

  private Replay() {}

  /** See {@link ecoflow.command.Commands.Replay}. */
  public static List<String> series(
      Map<String, String> variables,
      ExporterBeans.Factory factory,
      Path file,
      Consumer<String> problem)
      throws ConfigException, IOException {
    Logging.level(LogLevel.WARN);
    List<Message> messages = read(file, problem);
    if (messages.isEmpty()) {
      return List.of();
    }
    Settings settings = settings(variables, messages);
    try (QuietContext context = new QuietContext(settings.standalone(), factory)) {
      start(context, ROUTES);
      return send(context.camel(), settings, messages);
    }
  }

  static void start(QuietContext context, List<String> names) {
    try {
      context.start(names);
    } catch (Exception e) {
      throw new IllegalStateException("Failed to start the packaged routes", e);
    }
  }

  private static List<String> send(CamelContext camel, Settings settings, List<Message> messages) {
    ProducerTemplate routes = camel.createProducerTemplate();
    for (Message message : messages) {
      routes.sendBodyAndHeaders(
          "direct:payload",
          message.frame(),
          Map.of(Quotas.DEVICE, message.device(), Quotas.SOURCE, message.source()));
    }
    return result(routes, settings);
  }

  /** The series on the metrics page, and the messages without a decoder. */
  static List<String> result(ProducerTemplate routes, Settings settings) {
    String start = settings.page().prefix() + "_";
    byte[] page = routes.requestBody("bean:metricsPage?method=answer", "", byte[].class);
    List<String> lines = new ArrayList<>();
    new String(page, StandardCharsets.UTF_8)
        .lines()
        .filter(line -> line.startsWith(start) && line.contains("{device=\""))
        .filter(line -> EXPORTER_METRICS.stream().noneMatch(name -> line.startsWith(start + name)))
        .forEach(lines::add);
    routes
        .requestBody("bean:unknownMessages?method=list", (Object) null, String.class)
        .lines()
        .forEach(line -> lines.add("# " + line));
    return lines;
  }

  /** The settings of the environment with a placeholder account. */
  private static Settings settings(Map<String, String> variables, List<Message> messages)
      throws ConfigException {
    Map<String, String> all = new HashMap<>(variables);
    all.keySet().removeIf(name -> name.matches("ECOFLOW_(ACCESS|SECRET)_KEY(_FILE)?"));
    all.keySet()
        .removeIf(name -> name.matches("ECOFLOW_ACCOUNTS?_.*|ECOFLOW_RECORD_DIR|ECOFLOW_SHARD"));
    all.put("ECOFLOW_ACCOUNT_USER", "none");
    all.put("ECOFLOW_ACCOUNT_PASSWORD", "none");
    all.put("ECOFLOW_API_TYPE", Settings.Mode.MQTT.label());
    Set<String> devices = new TreeSet<>();
    messages.forEach(message -> devices.add(message.device()));
    all.put("ECOFLOW_DEVICE_SN", String.join(",", devices));
    return Settings.from(all);
  }

  private static List<Message> read(Path file, Consumer<String> problem) throws IOException {
    List<Message> messages = new ArrayList<>();
    List<String> lines = Files.readAllLines(file);
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).isBlank()) {
        continue;
      }
      try {
        JsonNode line = JSON.readTree(lines.get(i));
        byte[] frame = HexFormat.of().parseHex(line.path("frame").asText());
        String device = line.path("device").asText();
        if (frame.length == 0 || !device.matches("[A-Za-z0-9_-]{1,64}")) {
          throw new IllegalArgumentException();
        }
        String source = line.path("source").asText(Quotas.PUSH);
        messages.add(new Message(device, source, frame));
      } catch (JsonProcessingException | IllegalArgumentException e) {
        problem.accept(
            file + ":" + (i + 1) + ": not a record: expected JSON with \"device\" and \"frame\"");
      }
    }
    return messages;
  }
}
