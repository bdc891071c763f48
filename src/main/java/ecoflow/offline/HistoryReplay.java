package ecoflow.offline;

import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.config.AccountSettings;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.config.Settings.LogLevel;
import ecoflow.config.Settings.Mode;
import ecoflow.device.Devices;
import ecoflow.device.Labels;
import ecoflow.quota.Quotas;
import ecoflow.role.History;
import ecoflow.role.Roles;
import ecoflow.runtime.Logging;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.camel.ProducerTemplate;

/**
 * Sends the messages in Kafka to the packaged routes, and returns the resulting series. All
 * messages are processed as if they were received now.
 */
public final class HistoryReplay {

  private static final List<String> ROUTES =
      List.of("payload", "quotas", "open-messages", "unexpected-errors");

  private final Settings settings;
  private final Accounts accounts;
  private final Devices devices;
  private final ProducerTemplate routes;
  private final ObjectMapper json;
  private final Consumer<String> problem;
  private final Map<Mode, Account> accountOf = new EnumMap<>(Mode.class);

  private HistoryReplay(Settings settings, QuietContext context, Consumer<String> problem) {
    this.settings = settings;
    this.accounts = context.beans().accounts();
    this.devices = context.beans().devices();
    this.routes = context.camel().createProducerTemplate();
    this.json =
        context.camel().getRegistry().lookupByNameAndType("messageJson", ObjectMapper.class);
    this.problem = problem;
    Account placeholder = accounts.all().get(0);
    accountOf.put(placeholder.mode(), placeholder);
  }

  /** See {@link ecoflow.command.Commands.History}. */
  public static List<String> series(
      Map<String, String> variables,
      ExporterBeans.Factory factory,
      Duration age,
      Consumer<String> problem)
      throws ConfigException, IOException {
    Logging.level(LogLevel.WARN);
    Settings server = Settings.from(variables);
    if (!server.isServer()) {
      throw new ConfigException(
          "replay --from-kafka requires ECOFLOW_ROLE=serve, and the variables of servers");
    }
    History history = Roles.history(server.kafka());
    Settings settings = settings(variables);
    try (QuietContext context = new QuietContext(settings, factory)) {
      Replay.start(context, ROUTES);
      HistoryReplay replay = new HistoryReplay(settings, context, problem);
      Map<String, Labels> labels = history.devices(problem);
      history.read(age, message -> replay.send(message, labels.get(message.serial())), problem);
      return Replay.result(replay.routes, settings);
    }
  }

  /** A placeholder account whose mode needs the routes of all other modes. */
  private static Settings settings(Map<String, String> variables) throws ConfigException {
    Map<String, String> all = new HashMap<>(variables);
    all.keySet()
        .removeIf(
            name ->
                name.matches(
                    "ECOFLOW_(ROLE|REPLAY|KAFKA_.*|ACCOUNTS?_.*|RECORD_DIR|SHARD"
                        + "|(ACCESS|SECRET)_KEY_FILE)"));
    all.put("ECOFLOW_ACCESS_KEY", "none");
    all.put("ECOFLOW_SECRET_KEY", "none");
    all.put("ECOFLOW_API_TYPE", Mode.OPEN.label());
    all.put("ECOFLOW_DEVICE_SN", "all");
    return Settings.from(all);
  }

  /**
   * @param labels null for a device without a record
   */
  private void send(History.Message message, Labels labels) {
    String serial = message.serial();
    if (!devices.isServed(serial)) {
      if (message.mode().isPresent()) {
        Account account = accountOf.computeIfAbsent(message.mode().get(), this::add);
        devices.serve(account, labels == null ? devices.unlistedLabels(account, serial) : labels);
      } else if (labels == null) {
        devices.adopt(serial, null, null);
      } else {
        devices.adopt(serial, labels.deviceName(), labels.productName());
      }
    }
    if (message.isPayload()) {
      routes.sendBodyAndHeaders("direct:payload", message.value(), message.headers());
      return;
    }
    Map<?, ?> values;
    try {
      values = json.readValue(message.value(), Map.class);
    } catch (IOException e) {
      problem.accept("a response for device " + serial + " is not a JSON object");
      return;
    }
    if (Quotas.REST.equals(message.headers().get(Quotas.SOURCE))) {
      devices.listed(serial, true, devices.now());
    }
    if (message.mode().orElse(null) == Mode.OPEN) {
      routes.sendBodyAndHeaders("direct:open-packs", values, message.headers());
    }
    routes.sendBodyAndHeaders("direct:quotas", values, message.headers());
  }

  private Account add(Mode mode) {
    Settings ofMode = settings.ofServedAccount(mode);
    return accounts.add(List.of(new AccountSettings("", Map.of(), ofMode))).get(0);
  }
}
