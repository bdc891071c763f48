package ecoflow.offline;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.device.Labels;
import ecoflow.role.History;
import ecoflow.role.Roles;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Replays the messages in Kafka, see {@link MessageReplay}. */
public final class HistoryReplay {

  private HistoryReplay() {}

  /** See {@link ecoflow.command.Commands.History}. */
  public static List<String> series(
      Map<String, String> variables,
      ExporterBeans.Factory factory,
      Duration age,
      Consumer<String> problem)
      throws ConfigException, IOException {
    Settings server = Settings.from(variables);
    if (!server.isServer()) {
      throw new ConfigException(
          "replay --from-kafka requires ECOFLOW_ROLE=serve, and the variables of servers");
    }
    History history = Roles.history(server.kafka());
    try (MessageReplay replay = MessageReplay.open(variables, factory, problem)) {
      Map<String, Labels> labels = history.devices(problem);
      history.read(age, message -> replay.send(message, labels.get(message.serial())), problem);
      return replay.result();
    }
  }
}
