package ecoflow.meters;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.account.PerAccount;
import ecoflow.config.Settings;
import ecoflow.config.Settings.Mode;
import ecoflow.config.Shard;
import ecoflow.device.Labels;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.config.NamingConvention;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Metrics about the exporter itself. Names, labels and buckets are those of the Python exporter.
 * Counters are from Micrometer, so that routes can increment them ({@code micrometer:counter:...});
 * histograms are from the Prometheus client, because Micrometer adds a {@code _max} series to each.
 */
public final class Meters implements AutoCloseable {

  /** The result of a collection of one device. */
  public enum Scrape {
    SUCCESS("success"),
    OFFLINE("offline"),
    NOT_FOUND("not_found"),
    ERROR("error");

    private final String label;

    Scrape(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }
  }

  private record Command(int func, int id, String outcome) {}

  private static final List<String> CLIENT_TYPES = List.of("mqtt", "device");
  private static final String CLIENT_TYPE = "client_type";
  private static final String ACCOUNT = "account";
  private static final int MAX_COMMAND_PAIRS = 200;
  private static final String OTHER = "other";
  private static final String SINK_MESSAGES = "sink_messages";
  private static final String VALUES_HELD = "normalised_values_held";
  private static final String WEB_REFUSED = "web_requests_refused";
  private static final String RECORDED = "recorded_messages";

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final PrometheusRegistry prometheus = registry.getPrometheusRegistry();
  private final SelectedMeters selected = new SelectedMeters(prometheus);
  private Optional<JvmMeters> jvm = Optional.empty();

  /** The counters of an account that are used for each message. */
  private record MessageCounters(Counter text, Counter protobuf) {}

  private final Accounts accounts;

  /** The value of the label client_type without an account. */
  private final String defaultClient;

  private final String prefix;
  private final Set<String> ownNames = ConcurrentHashMap.newKeySet();
  private final Set<String> commandPairs = ConcurrentHashMap.newKeySet();
  private final Histogram httpDuration;
  private final Histogram authDuration;
  private final DeviceMeters devices;

  // Stored, to avoid a lookup in the registry for each message.
  private final PerAccount<MessageCounters> messages =
      new PerAccount<>(account -> messages(account.name(), account.mode().label()));
  private final MessageCounters otherMessages;
  private final Map<Command, Counter> commands = new ConcurrentHashMap<>();
  private final Map<String, Counter> conflicts = new ConcurrentHashMap<>();

  public Meters(Settings settings, Accounts accounts, String version) {
    this.accounts = accounts;
    Mode mode = settings.mode();
    // These counters stay at 0 in mode REST.
    this.defaultClient = mode.usesMqtt() ? mode.label() : CLIENT_TYPES.get(0);
    this.prefix = settings.page().prefix() + "_";
    // The names are valid Prometheus names already. The registry's naming convention does not allow
    // ":".
    registry.config().namingConvention(NamingConvention.identity);
    // Camel's micrometer endpoint adds this label to all counters.
    registry.config().meterFilter(MeterFilter.ignoreTags("camelContext"));
    if (!accounts.areNamed()) {
      registry.config().meterFilter(MeterFilter.ignoreTags(ACCOUNT));
    } else {
      // Calls in progress end after their account was removed.
      registry.config().meterFilter(MeterFilter.deny(this::isOfRemovedAccount));
    }
    Histogram scrapeDuration =
        histogram(
            "scrape_duration_seconds",
            "Time to collect the values of a device",
            DeviceMeters.labelNames(),
            .1,
            .25,
            .5,
            1,
            2.5,
            5,
            10,
            30,
            60);
    httpDuration =
        histogram(
            "http_request_duration_seconds",
            "Time of one HTTPS request to EcoFlow",
            new String[] {"endpoint"},
            .01,
            .025,
            .05,
            .1,
            .25,
            .5,
            1,
            2.5,
            5,
            10,
            30);
    authDuration =
        histogram(
            "auth_duration_seconds",
            "Time of a login with the call for MQTT credentials",
            new String[] {CLIENT_TYPE},
            .1,
            .25,
            .5,
            1,
            2.5,
            5,
            10,
            30);
    Gauge metricsCollected =
        Gauge.builder()
            .name(own("metrics_collected"))
            .help("Current number of series of the device")
            .labelNames(DeviceMeters.labelNames())
            .withoutExemplars()
            .register(prometheus);
    devices =
        new DeviceMeters(registry, prefix + "scrape_requests", scrapeDuration, metricsCollected);
    Info.builder()
        .name(own("exporter_build_info"))
        .help("Version of the exporter")
        .labelNames("version", "mode")
        .register(prometheus)
        .setLabelValues(version, accounts.areNamed() ? "accounts" : mode.label());
    registerShard(settings);
    for (String name :
        List.of("online", "device_last_update_timestamp_seconds", "mqtt_connected")) {
      own(name);
    }
    registerCounters(settings.page().metrics().areNormalised());
    for (String name :
        List.of(
            "http_requests",
            "cache_operations",
            "quota_requests",
            "auth_requests",
            "mqtt_messages",
            "mqtt_reconnections",
            "mqtt_message_errors",
            "mqtt_messages_dropped")) {
      ownCounter(name);
    }
    if (accounts.areNamed()) {
      accountChangeErrors();
    } else {
      registerCounters(accounts.all().get(0));
    }
    otherMessages = messages("", defaultClient);
    if (settings.page().info()) {
      List.of("device_info", "circuit_info", "state").forEach(this::own);
    }
    if (settings.page().jvmMetrics()) {
      jvm = Optional.of(new JvmMeters(prometheus));
    }
  }

  private void registerShard(Settings settings) {
    String name = own("shard_info");
    if (settings.shard().isPresent()) {
      Shard shard = settings.shard().get();
      Info.builder()
          .name(name)
          .help("Number of this shard and number of shards")
          .labelNames("shard", "shards")
          .register(prometheus)
          .setLabelValues(Integer.toString(shard.number()), Integer.toString(shard.count()));
    }
  }

  private boolean isOfRemovedAccount(Meter.Id meter) {
    String account = meter.getTag(ACCOUNT);
    return account != null
        && !account.isEmpty()
        && meter.getName().startsWith(prefix)
        && isOwn(meter.getName().substring(prefix.length()))
        && accounts.find(account).isEmpty();
  }

  /** Creates the counters of the account with the value 0. */
  private void registerCounters(Account account) {
    Mode mode = account.mode();
    for (String endpoint :
        mode.usesAccount()
            ? List.of("/auth/login", "/iot-auth/app/certification", "/iot-service/user/device")
            : mode.usesMqtt()
                ? List.of(
                    "/iot-open/sign/device/list",
                    "/iot-open/sign/device/quota/all",
                    "/iot-open/sign/certification")
                : List.of("/iot-open/sign/device/list", "/iot-open/sign/device/quota/all")) {
      registerRequests(account, endpoint);
    }
    if (!mode.usesAccount() && account.settings().devices().historyInterval().isPresent()) {
      registerRequests(account, "/iot-open/sign/device/quota/data");
    }
    for (String result : List.of("hit", "miss")) {
      counter("cache_operations", "Lookups in the cached device list", "result", result);
    }
    for (String status : List.of("sent", "skipped", "error")) {
      counter("quota_requests", "Requests for all values of a device", "status", status);
    }
    for (String client :
        mode == Mode.OPEN ? List.of("mqtt", "device", mode.label()) : CLIENT_TYPES) {
      for (String status : List.of("success", "error")) {
        auth("", client, status);
      }
      messages("", client);
      reconnections("", client);
      messageErrors("", client);
      droppedMessages("", client);
    }
  }

  private void registerRequests(Account account, String endpoint) {
    httpDuration.initLabelValues(endpoint);
    for (String status : List.of("success", "error", "timeout")) {
      httpRequests(account, endpoint, status);
    }
  }

  private void registerCounters(boolean areNormalised) {
    own("scrape_requests_total");
    own("scrape_requests_created");
    own(SINK_MESSAGES + "_total");
    own(SINK_MESSAGES + "_created");
    own(WEB_REFUSED + "_total");
    own(WEB_REFUSED + "_created");
    own(RECORDED + "_total");
    own(RECORDED + "_created");
    own(VALUES_HELD + "_total");
    own(VALUES_HELD + "_created");
    if (accounts.isAny(mode -> mode == Mode.OPEN)) {
      for (String by : List.of("type_code", "addr", "command", "module_type", "pack")) {
        unknownPushes(by, OTHER);
      }
    }
    for (String outcome : List.of("decoded", "unknown", "empty", "broken")) {
      protobufMessages("254", "21", outcome);
    }
    for (String reason : List.of("type", "place", "no_place")) {
      protobufFieldsDropped("254", "21", reason);
    }
    for (String kind : List.of("same_name", "shape", "own_metric", "limit", "long_key")) {
      conflicts(kind);
    }
    if (areNormalised) {
      for (String reason : List.of("step", "fall", "power", "range")) {
        valuesHeld(reason);
      }
    }
  }

  /** The registry for counters of routes, bean {@code metricsRegistry}. */
  public PrometheusMeterRegistry registry() {
    return registry;
  }

  /**
   * Whether an exporter metric has this name, without the prefix. Device values must not use such a
   * name.
   */
  public boolean isOwn(String name) {
    return ownNames.contains(name);
  }

  /**
   * Adds the gauges for the number of accounts by state, and the info metric of each account, and
   * reserves the name of the info metric of devices, which the page writes.
   *
   * @param host returns the API host of an account
   */
  public void registerAccounts(
      Supplier<Map<String, Integer>> counts, Function<Account, String> host) {
    own("device_info");
    own("account_info");
    String info = prefix + "account";
    prometheus.register(
        () ->
            AccountInfo.snapshot(info, "Mode, API host and labels of the account", accounts, host));
    GaugeWithCallback.builder()
        .name(own("accounts"))
        .help("Accounts by state")
        .labelNames("state")
        .callback(callback -> counts.get().forEach((state, count) -> callback.call(count, state)))
        .register(prometheus);
  }

  /** Receives the values of a gauge for the energy that EcoFlow counted. */
  public interface ReportedEnergy {

    /**
     * @param what the kind of energy, such as solar
     * @param day today or yesterday
     */
    void accept(Labels labels, String what, String day, double joules);
  }

  /**
   * Adds the gauge for the energy that EcoFlow counted, and the counter of values that are not
   * shown.
   *
   * @param values passes the current values on each scrape
   */
  public void registerReportedEnergy(Consumer<ReportedEnergy> values) {
    List<String> names = new ArrayList<>(List.of(DeviceMeters.labelNames()));
    names.addAll(List.of("what", "period", "day"));
    GaugeWithCallback.builder()
        .name(own("reported_energy_joules"))
        .help("Energy of a day that EcoFlow counted, in joules")
        .labelNames(names.toArray(String[]::new))
        .callback(
            callback ->
                values.accept(
                    (labels, what, day, joules) ->
                        callback.call(
                            joules,
                            labels.device(),
                            labels.deviceName(),
                            labels.productName(),
                            labels.generalKey(),
                            what,
                            "day",
                            day)))
        .register(prometheus);
    List.of("unit", "index", "value").forEach(this::reportedEnergyRejections);
  }

  /** Counts a value of EcoFlow's energy history that is not shown. */
  public void reportedEnergyRejected(String reason) {
    reportedEnergyRejections(reason).increment();
  }

  private Counter reportedEnergyRejections(String reason) {
    return counter(
        "reported_energy_rejected",
        "Values of EcoFlow's energy history that are not shown",
        "reason",
        reason);
  }

  /** Adds the gauges for the state of the MQTT connections. */
  public void registerConnections(Predicate<Account> connected) {
    boolean areNamed = accounts.areNamed();
    GaugeWithCallback.builder()
        .name(own("mqtt_connected"))
        .help("1 while the MQTT connection is up")
        .labelNames(areNamed ? new String[] {CLIENT_TYPE, ACCOUNT} : new String[] {CLIENT_TYPE})
        .callback(
            callback -> {
              for (Account account : accounts.all()) {
                if (account.mode().usesMqtt()) {
                  String client = account.mode().label();
                  callback.call(
                      connected.test(account) ? 1 : 0,
                      areNamed ? new String[] {client, account.name()} : new String[] {client});
                }
              }
            })
        .register(prometheus);
  }

  /** Adds the gauges for devices in the newest lists that are not served. */
  public void registerDevices(
      IntSupplier overLimit, IntSupplier invalidSerials, IntSupplier ofOtherAccounts) {
    GaugeWithCallback.builder()
        .name(own("devices_left_out"))
        .help("Devices in the newest device list that are not served")
        .labelNames("reason")
        .callback(
            callback -> {
              callback.call(overLimit.getAsInt(), "limit");
              callback.call(invalidSerials.getAsInt(), "serial_number");
              if (accounts.areNamed()) {
                callback.call(ofOtherAccounts.getAsInt(), "other_account");
              }
            })
        .register(prometheus);
  }

  public void httpRequest(Account account, String endpoint, String status, Duration took) {
    httpRequests(account, endpoint, status).increment();
    httpDuration.labelValues(endpoint).observe(seconds(took));
  }

  public void authentication(Account account, boolean successful, Duration took) {
    String client = account.mode().label();
    auth(account.name(), client, successful ? "success" : "error").increment();
    authDuration.labelValues(client).observe(seconds(took));
  }

  /**
   * Counts a payload as text (JSON) or as a frame.
   *
   * @param account of the device; empty for a device of another source
   */
  public void mqttMessage(Optional<Account> account, boolean text) {
    MessageCounters counters = account.isPresent() ? messages.of(account.get()) : otherMessages;
    (text ? counters.text() : counters.protobuf()).increment();
  }

  /** Counts a change of an account in the accounts file that could not be applied. */
  public void accountChangeFailed() {
    accountChangeErrors().increment();
  }

  private Counter accountChangeErrors() {
    return counter(
        "account_change_errors", "Changes of accounts in the file that could not be applied");
  }

  public void reconnecting(Account account) {
    reconnections(account.name(), account.mode().label()).increment();
  }

  /**
   * @param account of the device; empty for a device of another source
   */
  public void messageError(Optional<Account> account) {
    messageErrors(name(account), client(account)).increment();
  }

  /**
   * Counts a message that was dropped because its device sends too fast.
   *
   * @param account of the device; empty for a device of another source
   */
  public void messageDropped(Optional<Account> account) {
    droppedMessages(name(account), client(account)).increment();
  }

  private static String name(Optional<Account> account) {
    return account.map(Account::name).orElse("");
  }

  private String client(Optional<Account> account) {
    return account.map(known -> known.mode().label()).orElse(defaultClient);
  }

  private MessageCounters messages(String account, String client) {
    return new MessageCounters(
        messages(account, client, "text"), messages(account, client, "protobuf"));
  }

  private Counter reconnections(String account, String client) {
    return clientCounter(
        "mqtt_reconnections", "Attempts to connect to MQTT again", account, client);
  }

  private Counter messageErrors(String account, String client) {
    return clientCounter(
        "mqtt_message_errors", "MQTT messages that could not be processed", account, client);
  }

  private Counter droppedMessages(String account, String client) {
    return clientCounter(
        "mqtt_messages_dropped",
        "MQTT messages dropped because their device sends too fast",
        account,
        client);
  }

  /**
   * Counts a message for a sink.
   *
   * @param taken whether it was added to the queue of the sink, which can be full
   */
  public void sinkMessage(String sink, boolean taken) {
    counter(
            SINK_MESSAGES,
            "Messages for sinks by result",
            "sink",
            sink,
            "result",
            taken ? "taken" : "dropped")
        .increment();
  }

  /**
   * Creates the counters of refused requests for pages, and returns a consumer for the reasons.
   *
   * @param hasWebConfig whether requests can be refused because of passwords or a rate limit
   */
  public Consumer<String> webRefusals(boolean hasWebConfig) {
    Map<String, Counter> counters = new HashMap<>();
    List<String> reasons =
        new ArrayList<>(
            List.of("malformed", "host", "body", "answers", "reader", "pipelined", "connections"));
    if (hasWebConfig) {
      reasons.addAll(List.of("no_password", "wrong_password", "rate_limit", "busy"));
    }
    for (String reason : reasons) {
      counters.put(
          reason,
          counter(
              WEB_REFUSED, "Refused requests for pages and closed connections", "reason", reason));
    }
    return reason -> counters.get(reason).increment();
  }

  /** Adds the counters of recorded messages, and returns a counter by result. */
  public Consumer<String> recordings() {
    Map<String, Counter> counters = new HashMap<>();
    for (String result : List.of("recorded", "limit", "failed")) {
      counters.put(
          result,
          counter(RECORDED, "Messages for the recording of all messages", "result", result));
    }
    return result -> counters.get(result).increment();
  }

  /** Counts a normalised value that is not shown because it is not plausible. */
  public void valueHeld(String reason) {
    valuesHeld(reason).increment();
  }

  private Counter valuesHeld(String reason) {
    return counter(
        VALUES_HELD,
        "Normalised values that are not shown because they are not plausible",
        "reason",
        reason);
  }

  /**
   * Counts a value. Avoids a lookup in the registry, because a message can contain thousands of
   * values.
   */
  public void conflict(String kind) {
    conflicts(kind, 1);
  }

  /** Counts several values. */
  public void conflicts(String kind, long values) {
    conflicts.computeIfAbsent(kind, this::conflicts).increment(values);
  }

  /**
   * Counts a protobuf message. Pairs beyond the first {@value #MAX_COMMAND_PAIRS} are counted as
   * "other", because malformed messages can contain any numbers.
   */
  public void protobufMessage(int cmdFunc, int cmdId, String outcome) {
    Command command = new Command(cmdFunc, cmdId, outcome);
    Counter known = commands.get(command);
    if (known == null) {
      boolean shown = isShown(cmdFunc, cmdId);
      known = protobufMessages(orOther(shown, cmdFunc), orOther(shown, cmdId), outcome);
      if (shown) {
        commands.put(command, known);
      }
    }
    known.increment();
  }

  /** The number of protobuf messages without a decoder. */
  public long unknownMessages() {
    return registry.find(prefix + "protobuf_messages").tag("outcome", "unknown").counters().stream()
        .mapToLong(counter -> (long) counter.count())
        .sum();
  }

  /** Counts a dropped value or list item of a protobuf message. */
  public void protobufFieldDropped(int cmdFunc, int cmdId, String reason) {
    boolean shown = isShown(cmdFunc, cmdId);
    protobufFieldsDropped(orOther(shown, cmdFunc), orOther(shown, cmdId), reason).increment();
  }

  /**
   * Counts a push from an unknown part of a device. Names beyond the first {@value
   * #MAX_COMMAND_PAIRS} are counted as "other".
   *
   * @param by the kind of identifier of the part in the push
   * @param code the identifier
   */
  public void unknownPush(String by, String code) {
    String name = by + " " + code;
    boolean shown =
        commandPairs.contains(name)
            || (commandPairs.size() < MAX_COMMAND_PAIRS && commandPairs.add(name));
    unknownPushes(by, shown ? code : OTHER).increment();
  }

  private Counter unknownPushes(String by, String code) {
    return counter(
        "open_pushes_unknown",
        "Developer pushes from an unknown part of a device",
        "by",
        by,
        "code",
        code);
  }

  private boolean isShown(int cmdFunc, int cmdId) {
    String pair = cmdFunc + "/" + cmdId;
    boolean known = commandPairs.contains(pair);
    return known || (commandPairs.size() < MAX_COMMAND_PAIRS && commandPairs.add(pair));
  }

  private static String orOther(boolean shown, int number) {
    return shown ? Integer.toString(number) : OTHER;
  }

  private Counter protobufFieldsDropped(String cmdFunc, String cmdId, String reason) {
    return counter(
        "protobuf_fields_dropped",
        "Dropped fields and list items of protobuf messages",
        "cmd_func",
        cmdFunc,
        "cmd_id",
        cmdId,
        "reason",
        reason);
  }

  private Counter protobufMessages(String cmdFunc, String cmdId, String outcome) {
    return counter(
        "protobuf_messages",
        "Protobuf messages by command pair",
        "cmd_func",
        cmdFunc,
        "cmd_id",
        cmdId,
        "outcome",
        outcome);
  }

  /** A poll of a device has ended. */
  public void scraped(Labels labels, Scrape result, Duration took) {
    devices.scraped(labels, result, took);
  }

  /** A device was checked without a poll. */
  public void scraped(Labels labels, Scrape result) {
    devices.scraped(labels, result);
  }

  public void collected(Labels labels, int series) {
    devices.collected(labels, series);
  }

  /**
   * Writes the meters with the label {@code account} of these accounts, and the meters with the
   * label {@code device} of these devices. They can be one second old.
   *
   * @param contentType of the Prometheus text format or OpenMetrics
   */
  public void scrape(
      OutputStream out, String contentType, Set<String> accountNames, Set<String> serials)
      throws IOException {
    PrometheusRegistry some = selected.of(accountNames, serials);
    // The formats of the client library are not accessible without this class.
    new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, some, Clock.SYSTEM)
        .scrape(out, contentType);
  }

  private Counter messages(String account, String client, String type) {
    return counter(
        "mqtt_messages",
        "MQTT messages received",
        ACCOUNT,
        account,
        CLIENT_TYPE,
        client,
        "type",
        type);
  }

  private Counter httpRequests(Account account, String endpoint, String status) {
    return counter(
        "http_requests",
        "HTTPS requests to EcoFlow",
        ACCOUNT,
        account.name(),
        "endpoint",
        endpoint,
        "status",
        status);
  }

  private Counter auth(String account, String client, String status) {
    return counter(
        "auth_requests",
        "Logins with an app account",
        ACCOUNT,
        account,
        CLIENT_TYPE,
        client,
        "status",
        status);
  }

  private Counter clientCounter(String name, String help, String account, String client) {
    return counter(name, help, ACCOUNT, account, CLIENT_TYPE, client);
  }

  private Counter conflicts(String kind) {
    return counter(
        "quota_conflicts", "Values dropped because of a name conflict or a limit", "kind", kind);
  }

  private Counter counter(String name, String help, String... tags) {
    ownCounter(name);
    return Counter.builder(prefix + name)
        .description(help)
        .tags(tags)
        .register((MeterRegistry) registry);
  }

  /**
   * Removes the meters of devices that are no longer served. Called for each page of all accounts,
   * because a poll can end after its device was removed.
   */
  public void retainDevices(Predicate<String> isServed) {
    devices.retain(isServed);
  }

  /** Removes the counters of accounts that are no longer served. */
  public void remove(Collection<Account> removed) {
    if (removed.isEmpty()) {
      return;
    }
    Set<String> names = removed.stream().map(Account::name).collect(Collectors.toSet());
    // The registry has no index by account.
    for (Meter meter : registry.getMeters()) {
      String account = meter.getId().getTag(ACCOUNT);
      if (account != null && names.contains(account)) {
        registry.remove(meter);
      }
    }
  }

  private void ownCounter(String name) {
    own(name + "_total");
    // OpenMetrics reserves this name as well.
    own(name + "_created");
  }

  private Histogram histogram(String name, String help, String[] labels, double... buckets) {
    for (String suffix : List.of("", "_bucket", "_count", "_sum", "_created")) {
      own(name + suffix);
    }
    return Histogram.builder()
        .name(prefix + name)
        .help(help)
        .labelNames(labels)
        .classicOnly()
        .withoutExemplars()
        .classicUpperBounds(buckets)
        .register(prometheus);
  }

  private String own(String name) {
    ownNames.add(name);
    // The OpenMetrics family of a counter has no suffix, so a gauge with that name would be a
    // duplicate.
    ownNames.add(name.replaceFirst("_(total|info)$", ""));
    return prefix + name;
  }

  /** Ends the listeners of the Java runtime. */
  @Override
  public void close() {
    jvm.ifPresent(JvmMeters::close);
  }

  static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
