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
import ecoflow.runtime.Logging;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.camel.ProducerTemplate;

/**
 * Sends messages to the packaged routes, without an account or a connection, and returns the
 * resulting series. All messages are processed as if they were received now.
 */
final class MessageReplay implements AutoCloseable {

  private static final List<String> ROUTES =
      List.of("payload", "quotas", "open-messages", "unexpected-errors");

  /** The starts of the names of exporter metrics with device labels, which are omitted. */
  private static final List<String> EXPORTER_METRICS =
      List.of("online", "metrics_collected", "device_last_update", "scrape_");

  private final Settings settings;
  private final QuietContext context;
  private final Accounts accounts;
  private final Devices devices;
  private final ProducerTemplate routes;
  private final ObjectMapper json;
  private final Consumer<String> problem;
  private final Map<Mode, Account> accountOf = new EnumMap<>(Mode.class);

  private MessageReplay(Settings settings, QuietContext context, Consumer<String> problem) {
    this.settings = settings;
    this.context = context;
    this.accounts = context.beans().accounts();
    this.devices = context.beans().devices();
    this.routes = context.camel().createProducerTemplate();
    this.json =
        context.camel().getRegistry().lookupByNameAndType("messageJson", ObjectMapper.class);
    this.problem = problem;
    Account placeholder = accounts.all().get(0);
    accountOf.put(placeholder.mode(), placeholder);
  }

  /**
   * @param problem receives a line for each message that cannot be processed
   */
  static MessageReplay open(
      Map<String, String> variables, ExporterBeans.Factory factory, Consumer<String> problem)
      throws ConfigException {
    Logging.level(LogLevel.WARN);
    Settings settings = settings(variables);
    QuietContext context = new QuietContext(settings, factory);
    try {
      context.start(ROUTES);
    } catch (Exception e) {
      context.close();
      throw new IllegalStateException("Failed to start the packaged routes", e);
    }
    return new MessageReplay(settings, context, problem);
  }

  /** A placeholder account whose mode needs the routes of all other modes. */
  private static Settings settings(Map<String, String> variables) throws ConfigException {
    Map<String, String> all = new HashMap<>(variables);
    all.keySet()
        .removeIf(
            name ->
                name.matches(
                    "ECOFLOW_(ROLE|REPLAY|KAFKA_.*|ACCOUNTS?_.*|RECORD(_DIR)?|SHARD"
                        + "|(ACCESS|SECRET)_KEY_FILE)"));
    all.put("ECOFLOW_ACCESS_KEY", "none");
    all.put("ECOFLOW_SECRET_KEY", "none");
    all.put("ECOFLOW_API_TYPE", Mode.OPEN.label());
    all.put("ECOFLOW_DEVICE_SN", "all");
    return Settings.from(all);
  }

  /**
   * @param labels null for a device with unknown labels
   */
  void send(History.Message message, Labels labels) {
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

  /** The series on the metrics page, and the messages without a decoder. */
  List<String> result() {
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

  @Override
  public void close() {
    context.close();
  }
}
