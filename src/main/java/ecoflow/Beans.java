package ecoflow;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.account.Schedules;
import ecoflow.api.Api;
import ecoflow.config.AccountsFile;
import ecoflow.config.ConfigException;
import ecoflow.config.Configuration;
import ecoflow.config.HttpSettings;
import ecoflow.config.KafkaSettings.Role;
import ecoflow.config.Settings;
import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.history.EnergyHistory;
import ecoflow.landing.Landing;
import ecoflow.login.AccountStates;
import ecoflow.login.Logins;
import ecoflow.meters.Meters;
import ecoflow.mqtt.Mqtt;
import ecoflow.normal.Info;
import ecoflow.normal.Normalised;
import ecoflow.offline.ExporterBeans;
import ecoflow.page.Page;
import ecoflow.payload.Payloads;
import ecoflow.quota.Quotas;
import ecoflow.registries.Registries;
import ecoflow.rest.RestMode;
import ecoflow.role.FleetRole;
import ecoflow.role.Parts;
import ecoflow.role.Roles;
import ecoflow.routes.UserRouteErrors;
import ecoflow.runtime.EventLoops;
import ecoflow.runtime.OutOfMemory;
import ecoflow.runtime.Pools;
import ecoflow.runtime.UnexpectedErrors;
import ecoflow.sink.Sinks;
import ecoflow.text.Lines;
import ecoflow.unknown.MessageRecording;
import ecoflow.unknown.UnknownMessages;
import ecoflow.web.Protection;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.camel.AsyncProducer;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.spi.Registry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates the beans of all packages and binds them in the registry of the Camel context. Any Camel
 * context can use this class, so the Camel CLI and Camel K can run the routes with this jar on the
 * class path: {@code camel.main.configurationClasses=ecoflow.Beans}.
 */
public final class Beans implements ExporterBeans {

  private static final String CONNECT = "direct:connect";
  private static final int MAX_REFUSALS = 5;

  private final Settings settings;
  private final Optional<AccountsFile> accountsFile;
  private final Accounts accounts;
  private final TrustManagerFactory trust;
  private final Registries registries;
  private final LongSupplier nanoClock;

  /** Empty in role all, in which a lambda with the type as a parameter would load its class. */
  private final Optional<FleetRole> role;

  private final Protection protection;

  private Runnable exit = () -> {};
  private boolean reconnects = true;
  private Meters meters;
  private Devices devices;
  private Api api;
  private Vertx vertx;
  private Mqtt mqtt;

  /** Null without developer keys. */
  private EnergyHistory energyHistory;

  private Optional<Logins> logins = Optional.empty();
  private Optional<AccountsReload> reload = Optional.empty();

  /**
   * Reads the settings from the environment.
   *
   * @throws ConfigException with a single line for the user
   */
  public Beans() throws ConfigException {
    this(Configuration.from(System.getenv()));
  }

  /**
   * @throws ConfigException if a file or a registry named in the settings cannot be used
   */
  public Beans(Settings settings) throws ConfigException {
    this(settings, System::nanoTime);
  }

  /**
   * @throws ConfigException if a file or a registry named in the settings cannot be used
   */
  public Beans(Configuration configuration) throws ConfigException {
    this(configuration, System::nanoTime);
  }

  /**
   * For tests with their own clock.
   *
   * @param nanoClock monotonic, in nanoseconds; read by several threads
   * @throws ConfigException if a file or a registry named in the settings cannot be used
   */
  public Beans(Settings settings, LongSupplier nanoClock) throws ConfigException {
    this(Configuration.of(settings), nanoClock);
  }

  private Beans(Configuration configuration, LongSupplier nanoClock) throws ConfigException {
    this.settings = configuration.process();
    this.accountsFile = configuration.file();
    this.accounts = new Accounts(configuration.accounts());
    this.nanoClock = nanoClock;
    this.trust = settings.http().trust();
    this.protection = Protection.open(settings.page().webConfig(), nanoClock);
    this.registries = Registries.open(settings.registries());
    this.role =
        settings.kafka().role() == Role.ALL
            ? Optional.empty()
            : Optional.of(Roles.load(settings.kafka()));
  }

  /**
   * Sets the action after the last failed attempt to reach EcoFlow at start. By default nothing
   * happens.
   */
  void onContactFailure(Runnable action) {
    exit = action;
  }

  @Override
  public void connectOnce() {
    reconnects = false;
  }

  /** Whether the pages use HTTPS. */
  boolean isTls() {
    return protection.usesTls();
  }

  /** Customizes the web server, which the start of Camel has created. */
  void configureServer(CamelContext camel) {
    camel
        .getRegistry()
        .findByType(VertxPlatformHttpRouter.class)
        .forEach(Protection::customizeNotFound);
  }

  /** The reason why the server of the pages is not listening; empty if it is. */
  Optional<Throwable> listenFailure() {
    return protection.listenFailure();
  }

  @Override
  public Accounts accounts() {
    return accounts;
  }

  @Override
  public Devices devices() {
    return devices;
  }

  @Override
  public EnergyHistory energyHistory() {
    return energyHistory;
  }

  @Override
  public void configure(CamelContext camel) {
    boolean areNamed = accounts.areNamed();
    Logger log = LoggerFactory.getLogger(Beans.class);
    Registry registry = camel.getRegistry();
    meters = new Meters(settings, accounts, version());
    devices = new Devices(settings, accounts, line -> log.warn("{}", line), nanoClock);
    meters.registerDevices(devices::overLimit, devices::invalidSerials, devices::ofOtherAccounts);
    Quotas quotas =
        new Quotas(
            settings.devices(),
            devices,
            Normalised.ownNames(settings.page()).or(meters::isOwn),
            meters::conflict,
            settings.page().metrics().areNormalised(),
            Api::objectIn,
            settings.page().info() ? Info::isText : key -> false,
            nanoClock);
    Normalised normalised =
        new Normalised(
            settings.page(), settings.messagesDir(), devices, quotas, meters::valueHeld, nanoClock);
    devices.setSilences(normalised::silence);
    Page page =
        new Page(
            settings.page(),
            settings.kafka().role() != Role.COLLECT,
            accounts,
            devices,
            quotas,
            normalised,
            meters);
    SSLContext tls = HttpSettings.tls(trust);
    api = new Api(settings.http(), accounts, tls, meters, nanoClock, () -> exit.run());
    registries.publish(camel, settings.page().prefix(), devices, quotas, meters.registry());
    Landing landing =
        new Landing(
            version() + (areNamed ? "" : ", mode " + settings.mode().label()),
            devices,
            normalised,
            quotas,
            settings.devices().collectingInterval(),
            nanoClock,
            () ->
                api.lastFailure()
                    .map(last -> new Landing.Failure(last.message(), last.epochMillis())),
            meters::unknownMessages);
    landing.groupBy(DeviceView::account);
    landing.explain(this::failure);
    landing.alert(this::refusals);
    page.watchFirst(
        "credentials",
        () -> Optional.of(String.join("; ", refusals())).filter(text -> !text.isEmpty()));
    if (!areNamed) {
      Account account = accounts.all().get(0);
      page.watch(
          "cloud",
          problem(
              () -> api.isContactMade(account) || api.isRefused(account),
              "EcoFlow has not answered yet"));
      landing.show("EcoFlow", cloudProblem(account), "answers");
    }

    // Camel's web server finds a Vert.x by its type, and does not close one that it did not create.
    Consumer<String> refusals = meters.webRefusals(settings.page().webConfig().isPresent());
    boolean isServer = settings.isServer();
    boolean usesMqtt = !isServer && (areNamed || accounts.isAny(Settings.Mode::usesMqtt));
    vertx = EventLoops.open(usesMqtt ? 2 : 1, protection.transport(refusals));
    registry.bind("vertx", protection.guard(vertx, new HttpEndpoints(camel), refusals));
    registry.bind("metricsRegistry", meters.registry());
    UnknownMessages unknown =
        new UnknownMessages(settings.recording().directory(), devices, Clock.systemUTC());
    registry.bind("unknownMessages", unknown);
    MessageRecording recording =
        new MessageRecording(
            settings.recording().allDirectory(),
            devices,
            Clock.systemUTC(),
            settings.recording().isAll() ? meters.recordings() : result -> {});
    registry.bind("messageRecording", recording);
    registry.bind("quotas", quotas);
    registry.bind("normalised", normalised);
    registry.bind("unexpectedErrors", new UnexpectedErrors());
    if (settings.routesDir().isPresent()) {
      registry.bind("userRouteErrors", new UserRouteErrors((ModelCamelContext) camel));
    }
    OutOfMemory.watchSteps(camel);
    Pools.configure(camel, areNamed);
    api.bind(
        registry,
        settings.devices().maxValues(),
        skipped -> meters.conflicts(Quotas.LIMIT, skipped));
    registry.bind("accounts", accounts);
    Schedules schedules = new Schedules(accounts, nanoClock);
    schedules.bind(registry);
    Consumer<Account> forgetPolls = account -> {};
    if (!isServer && (areNamed || accounts.isAny(mode -> !mode.usesAccount()))) {
      forgetPolls = RestMode.bind(registry, api, devices, meters, nanoClock);
      energyHistory =
          new EnergyHistory(
              devices,
              api,
              meters,
              normalised::family,
              settings.historyInterval(),
              Clock.systemDefaultZone(),
              nanoClock);
      registry.bind("energyHistory", energyHistory);
    }
    List<Consumer<String>> forget = new ArrayList<>();
    if (isServer || usesMqtt) {
      forget.add(
          Payloads.bind(
              registry, settings.messagesDir(), devices, unknown, recording, meters, nanoClock));
    }
    if (usesMqtt) {
      Logins created = new Logins(api, accounts, devices, meters, settings.stateDir(), nanoClock);
      logins = Optional.of(created);
      mqtt =
          new Mqtt(
              settings,
              accounts,
              vertx,
              trust,
              devices,
              api,
              meters,
              Payloads::kind,
              nanoClock,
              account -> connect(camel, account),
              created::forget);
      api.setNeedsLogin(account -> account.mode().usesMqtt() && !created.isComplete(account));
      created.bind(registry, mqtt::isConnected);
      mqtt.bind(registry);
      forget.add(created::remove);
      if (!areNamed) {
        showConnection(accounts.all().get(0), page, landing, created);
      }
    }
    devices.onRemoved(
        labels -> {
          String serial = labels.device();
          quotas.remove(serial);
          normalised.remove(serial);
          forget.forEach(one -> one.accept(serial));
        });
    if (isServer) {
      // The accounts are in the records of devices, without their API hosts and states.
      meters.registerAccounts(Map::of, account -> "");
    } else if (areNamed) {
      AccountStates states = new AccountStates(accounts, api, account -> mqtt.isConnected(account));
      meters.registerAccounts(states::counts, api::host);
      page.bindAccounts(registry, account -> states.of(account).label());
      landing.linkAccounts();
      Supplier<Optional<String>> problem = () -> accountsProblem(states);
      page.watch("accounts", problem);
      page.remark("accounts", problem);
      landing.show("Accounts", problem, "connected");
      if (accountsFile.isPresent()) {
        reload =
            Optional.of(
                new AccountsReload(
                    accountsFile.get(),
                    accounts,
                    schedules,
                    api,
                    mqtt,
                    logins.orElseThrow()::forget,
                    forgetPolls.andThen(logins.orElseThrow()::forgetDevices),
                    devices,
                    meters));
        page.watch("accounts-file", () -> reload.flatMap(AccountsReload::problem));
        page.remark("accounts-file", () -> reload.flatMap(AccountsReload::problem));
      }
    }
    landing.bind(registry);
    Sinks sinks = new Sinks(camel, devices, quotas, meters::sinkMessage);
    registry.bind("sinks", sinks);
    page.remark("sinks", sinks::problem);
    if (role.isPresent()) {
      role.get()
          .bind(
              new Parts(
                  camel,
                  settings,
                  settings.page().prefix(),
                  accounts,
                  devices,
                  quotas,
                  meters,
                  unknown,
                  page,
                  nanoClock));
    }
    page.bind(registry);
    CamelSettings.configure(camel, settings, accounts);
  }

  private void showConnection(Account account, Page page, Landing landing, Logins logins) {
    Supplier<Optional<String>> link =
        problem(() -> mqtt.isConnected(account), "no MQTT connection");
    if (account.mode().usesAccount()) {
      Supplier<Optional<String>> login = problem(() -> logins.isComplete(account), "not logged in");
      page.watch("login", login);
      page.watch("link", link);
      landing.show("Login", login, "logged in");
    } else {
      // Polls continue without a connection.
      page.remark("link", link);
    }
    landing.show("Connection", link, "up");
  }

  /** The refusals of the credentials of all accounts, which are not repeated for each account. */
  private List<String> refusals() {
    List<String> refused = new ArrayList<>();
    int others = 0;
    for (Account account : accounts.all()) {
      Optional<String> refusal = api.refusal(account);
      if (refusal.isPresent() && refused.size() < MAX_REFUSALS) {
        refused.add(account.prefix() + refusal.get());
      } else if (refusal.isPresent()) {
        others++;
      }
    }
    if (others > 0) {
      refused.add("EcoFlow refuses the credentials of " + others + " other accounts");
    }
    return refused;
  }

  /** The failure of a single device; empty without a failure. */
  private String failure(String serial) {
    return mqtt != null && mqtt.isRefused(serial)
        ? "the broker refused a subscription: check that the device belongs to this account"
        : devices.failure(serial);
  }

  private Supplier<Optional<String>> cloudProblem(Account account) {
    return () -> {
      if (api.isRefused(account)) {
        return Optional.of("refuses the credentials");
      }
      if (!api.isContactMade(account)) {
        return Optional.of("has not answered yet");
      }
      return api.isPaused(account)
          ? Optional.of("has requested a pause of all calls")
          : Optional.empty();
    };
  }

  private Optional<String> accountsProblem(AccountStates states) {
    List<String> names =
        states.notConnected().stream()
            .map(account -> account.name() + " (" + states.of(account).label() + ")")
            .toList();
    return names.isEmpty()
        ? Optional.empty()
        : Optional.of(
            names.size()
                + " of "
                + accounts.all().size()
                + " accounts not connected: "
                + Lines.abbreviate(names));
  }

  private static Supplier<Optional<String>> problem(BooleanSupplier isOk, String problem) {
    return () -> isOk.getAsBoolean() ? Optional.empty() : Optional.of(problem);
  }

  private void connect(CamelContext camel, Account account) {
    if (reconnects && camel.isStarted()) {
      // The route switches to its own thread pool, so this call does not block.
      Endpoint route = camel.getEndpoint(CONNECT);
      Exchange exchange = route.createExchange();
      exchange.setVariable(Account.VARIABLE, account);
      try {
        AsyncProducer producer = route.createAsyncProducer();
        producer.start();
        producer.process(exchange, unused -> producer.stop());
      } catch (Exception e) {
        throw new IllegalStateException("A direct endpoint always has a producer", e);
      }
    }
  }

  static String version() {
    String version = Beans.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /**
   * Checks the access to Kafka in the roles collect and serve.
   *
   * @throws ConfigException if a topic is missing
   */
  void checkRole() throws ConfigException {
    if (role.isPresent()) {
      role.get().check();
    }
  }

  /**
   * Continues the check of Kafka after the start of the routes.
   *
   * @param unusable receives one line if a topic is missing
   */
  void watchRole(Consumer<String> unusable) {
    if (role.isPresent()) {
      role.get().watch(unusable);
    }
  }

  /** Starts to watch the accounts file, if there is one; after the start of the routes. */
  void watchAccounts() {
    reload.ifPresent(AccountsReload::start);
  }

  @Override
  public void disconnect() {
    reload.ifPresent(AccountsReload::close);
    if (mqtt != null) {
      mqtt.close();
    }
  }

  @Override
  public void close() {
    disconnect();
    registries.close();
    logins.ifPresent(Logins::close);
    if (api != null) {
      api.close();
    }
    if (meters != null) {
      meters.close();
    }
    if (vertx != null) {
      EventLoops.close(vertx);
    }
    protection.close();
    if (role.isPresent()) {
      role.get().close();
    }
  }
}
