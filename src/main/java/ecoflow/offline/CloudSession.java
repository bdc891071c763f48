package ecoflow.offline;

import ecoflow.account.Account;
import ecoflow.api.CloudException;
import ecoflow.command.CallFailure;
import ecoflow.command.Commands;
import ecoflow.command.DayEnergy;
import ecoflow.command.HistoryDevice;
import ecoflow.command.ListedDevice;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.decode.Frames;
import ecoflow.device.DeviceView;
import ecoflow.device.Labels;
import ecoflow.device.Listing;
import ecoflow.history.HistoryAnswer;
import ecoflow.history.HistoryRequest;
import ecoflow.login.Logins;
import ecoflow.rest.RestMode;
import ecoflow.text.ClockOffset;
import ecoflow.text.Lines;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;

/**
 * The packaged routes for a command. Calls have the same signatures, limits and errors as in the
 * exporter. Timers and the web server are not started.
 */
public final class CloudSession implements Commands.Cloud {

  private static final List<String> REST_ROUTES =
      List.of(
          "cloud-call",
          "http-redelivery",
          "energy-history",
          "rest-device-list",
          "rest-device-values",
          "quotas",
          "unexpected-errors");
  private static final List<String> ACCOUNT_ROUTES =
      List.of(
          "cloud-call",
          "account-login",
          "account-messages",
          "account-requests",
          "payload",
          "quotas",
          "unexpected-errors");

  private static final List<String> OPEN_ROUTES = List.of("open-login", "open-messages", "payload");

  private final Settings settings;
  private final boolean withAccount;
  private final QuietContext context;
  private final ProducerTemplate calls;
  private final Account account;
  private final Set<String> devicesWithValues = new HashSet<>();

  /**
   * @throws ConfigException if a file named in the settings cannot be used
   */
  public CloudSession(Settings settings, ExporterBeans.Factory factory) throws ConfigException {
    this.settings = settings;
    this.withAccount = settings.mode().usesAccount();
    this.context = new QuietContext(settings.standalone(), factory);
    context.beans().connectOnce();
    List<String> names = new ArrayList<>(withAccount ? ACCOUNT_ROUTES : REST_ROUTES);
    if (isOpen()) {
      names.addAll(OPEN_ROUTES);
    }
    try {
      context.start(names);
    } catch (Exception e) {
      context.close();
      throw new IllegalStateException("Failed to start the packaged routes: " + Lines.root(e), e);
    }
    this.calls = context.camel().createProducerTemplate();
    this.account = context.beans().accounts().all().get(0);
  }

  private boolean isOpen() {
    return settings.mode() == Settings.Mode.OPEN;
  }

  @Override
  public void login() throws CallFailure {
    if (withAccount) {
      call("direct:account-login");
    }
  }

  @Override
  public List<ListedDevice> devices() throws CallFailure {
    Object data =
        call(withAccount ? "direct:account-devices" : "direct:device-list-call").getBody();
    Map<String, Listing> list;
    if (isOpen()) {
      // The MQTT connection subscribes to the devices of this list.
      call(
          "bean:restPolls?method=acceptDeviceList",
          exchange -> exchange.getMessage().setBody(data));
    }
    try {
      list = withAccount ? Logins.devices(data) : RestMode.devices(data);
    } catch (CloudException e) {
      throw CallAdvice.failure(e, null);
    }
    return list.entrySet().stream().map(entry -> device(entry.getKey(), entry.getValue())).toList();
  }

  private ListedDevice device(String serial, Listing listing) {
    Labels labels = context.beans().devices().labels(account, serial, listing);
    return new ListedDevice(
        serial, labels.deviceName(), labels.productName(), listing.online(), decoder(serial));
  }

  /** The value of the column DECODER. */
  private String decoder(String serial) {
    if (!withAccount) {
      return "JSON";
    }
    return context.beans().devices().isModelKnown(serial) || Frames.hasSerialCondition(serial)
        ? "known"
        : "unknown model";
  }

  @Override
  public List<HistoryDevice> historyDevices() throws CallFailure {
    Object data = call("direct:device-list-call").getBody();
    call("bean:restPolls?method=acceptDeviceList", exchange -> exchange.getMessage().setBody(data));
    return context.beans().devices().all(account).stream().map(this::historyDevice).toList();
  }

  private HistoryDevice historyDevice(DeviceView device) {
    Labels labels = device.labels();
    return new HistoryDevice(
        device.serial(),
        labels.deviceName(),
        labels.productName(),
        labels.generalKey(),
        device.absence(),
        context.beans().energyHistory().codes(device.serial()));
  }

  @Override
  public DayEnergy energy(String serial, String code, LocalDate day) throws CallFailure {
    HistoryRequest request = new HistoryRequest(serial, code, day);
    Object data =
        call("direct:history-call", exchange -> exchange.getMessage().setBody(request)).getBody();
    try {
      HistoryAnswer answer = HistoryAnswer.of(data, code);
      return new DayEnergy(
          answer.joules(), answer.problems().stream().map(HistoryAnswer.Problem::text).toList());
    } catch (CloudException e) {
      throw CallAdvice.failure(e, null);
    }
  }

  @Override
  public Optional<Instant> time() throws IOException {
    Exchange exchange =
        calls.send(
            "cloud://"
                + account.settings().http().hosts().get(0)
                + "?throwExceptionOnFailure=false",
            call -> call.getMessage().setHeader(Exchange.HTTP_METHOD, "HEAD"));
    if (exchange.getException() != null) {
      throw new IOException(exchange.getException());
    }
    return ClockOffset.time(exchange.getMessage().getHeader("Date", String.class));
  }

  @Override
  public String host() {
    return ask("bean:cloudCall?method=host").getBody(String.class);
  }

  @Override
  public String connect() throws CallFailure {
    call(isOpen() ? "direct:open-certification" : "direct:account-certification");
    Object login = ask("bean:login?method=brokerLogin").getBody();
    call("bean:linkKeeper?method=connect", exchange -> exchange.getMessage().setBody(login));
    // The string form of the login contains only the address.
    return login.toString().replaceAll("^\\w+\\[|\\]$", "");
  }

  @Override
  public boolean isConnected() {
    return ask("bean:mqttLink?method=isConnected").getBody(Boolean.class);
  }

  @Override
  public Set<String> refusedDevices() {
    Set<String> serials = new TreeSet<>();
    for (Object serial : ask("bean:mqttLink?method=refusedDevices").getBody(Set.class)) {
      serials.add(serial.toString());
    }
    return serials;
  }

  @Override
  public void request(String serial) throws CallFailure {
    if (settings.mode() == Settings.Mode.DEVICE) {
      call("direct:account-requests");
    } else if (!withAccount
        && call("direct:quota-call", exchange -> exchange.setProperty("apiDevice", serial))
                .getBody()
            instanceof Map<?, ?> values
        && !values.isEmpty()) {
      devicesWithValues.add(serial);
    }
  }

  @Override
  public boolean hasValues(String serial) {
    return devicesWithValues.contains(serial)
        || context
            .beans()
            .devices()
            .find(serial)
            .map(DeviceView::lastUpdateMillis)
            .filter(OptionalLong::isPresent)
            .isPresent();
  }

  private Message ask(String question) {
    return calls
        .send(question, exchange -> exchange.setVariable(Account.VARIABLE, account))
        .getMessage();
  }

  private Message call(String route) throws CallFailure {
    return call(route, exchange -> {});
  }

  private Message call(String endpoint, Processor prepare) throws CallFailure {
    // InOnly, like from a timer: with InOut, Camel loses the number of redeliveries.
    Exchange exchange =
        calls.send(
            endpoint,
            created -> {
              created.setVariable(Account.VARIABLE, account);
              prepare.process(created);
            });
    Exception failure = exchange.getException();
    if (failure != null) {
      throw CallAdvice.failure(failure, exchange.getProperty("apiPath", String.class));
    }
    return exchange.getMessage();
  }

  @Override
  public void close() {
    context.close();
  }
}
