package ecoflow;

import ecoflow.account.AccountLink;
import ecoflow.account.AccountLogin;
import ecoflow.account.AccountSteps;
import ecoflow.account.ApiHost;
import ecoflow.account.Cooldown;
import ecoflow.account.Establishment;
import ecoflow.account.HttpBounds;
import ecoflow.account.HttpCalls;
import ecoflow.account.MqttLink;
import ecoflow.account.QuotaRequests;
import ecoflow.account.Redelivery;
import ecoflow.account.RestPolls;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.config.Tls;
import ecoflow.decode.BoundedJson;
import ecoflow.decode.MessageDecoder;
import ecoflow.decode.Payloads;
import ecoflow.device.Catalogue;
import ecoflow.device.Devices;
import ecoflow.memory.OutOfMemory;
import ecoflow.memory.WatchedSteps;
import ecoflow.metrics.Collection;
import ecoflow.metrics.Health;
import ecoflow.metrics.MetricsPage;
import ecoflow.metrics.SelfMetrics;
import ecoflow.quota.QuotaStore;
import ecoflow.quota.RecordQuotas;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLContext;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainHelper;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The exporter: reads its settings, makes the beans that the routes name, and runs Camel with the
 * routes of {@code routes/*.camel.yaml}.
 */
public final class EcoflowExporter implements AutoCloseable {

  private static final int EXIT_FAILED = 1;
  private static final int EXIT_BAD_CONFIGURATION = 2;
  private static final long STOP_SECONDS = 10;

  private final Settings settings;
  private final Logger log;
  private final LongSupplier nanoClock = System::nanoTime;
  private final AtomicInteger exitCode = new AtomicInteger();
  private final CountDownLatch end = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Main main;
  private MqttLink link;
  private HttpBounds bounds;
  private RouteWatch watch;

  /**
   * @param variables the environment
   * @throws ConfigException with a single line for the user
   */
  public EcoflowExporter(Map<String, String> variables) throws ConfigException {
    settings = Settings.from(variables);
    Logging.level(settings.logLevel());
    log = LoggerFactory.getLogger(EcoflowExporter.class);
    // After the log is set up: Camel's classes make their loggers when they are loaded.
    main = new Main();
    bind(Tls.context(settings.caFile()));
  }

  public static void main(String[] args) {
    OutOfMemory.watchProcess();
    System.exit(run(System.getenv()));
  }

  private static int run(Map<String, String> variables) {
    EcoflowExporter exporter;
    try {
      exporter = new EcoflowExporter(variables);
    } catch (ConfigException e) {
      System.err.println("ecoflow-exporter: " + e.getMessage());
      return EXIT_BAD_CONFIGURATION;
    }
    Runtime.getRuntime().addShutdownHook(new Thread(exporter::stopOnSignal, "shutdown"));
    try {
      exporter.start();
      return exporter.awaitEnd();
    } catch (StartException e) {
      exporter.log.error("{}", e.getMessage());
      return EXIT_FAILED;
    } catch (OutOfMemoryError e) {
      // Before anything is stopped.
      OutOfMemory.endIf(e);
      throw e;
    } finally {
      exporter.close();
    }
  }

  /** The exporter cannot start; the message is one line for the user. */
  public static final class StartException extends Exception {

    private static final long serialVersionUID = 1L;

    StartException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** Starts all routes and returns. */
  public void start() throws StartException {
    log.info(
        "ecoflow-exporter {} on Apache Camel {} and Java {} starts: mode {}, devices {}, cloud {}",
        version(),
        new MainHelper().getVersion(),
        Runtime.version(),
        settings.mode().label(),
        settings.serials().isEmpty() ? "all" : String.join(",", settings.serials()),
        settings.apiHosts().get(0));
    settings.notes().forEach(note -> log.warn("{}", note));
    // Camel's server only warns when its port is taken and would run on without /metrics.
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress(settings.exporterPort()));
    } catch (IOException e) {
      throw new StartException(
          "EXPORTER_PORT=" + settings.exporterPort() + " is in use: choose another port", e);
    }
    try {
      main.start();
    } catch (Exception e) {
      OutOfMemory.endIf(e);
      throw new StartException("The routes do not start: " + rootMessage(e), e);
    }
    watch = new RouteWatch(main.getCamelContext(), () -> end(EXIT_FAILED));
    log.info("Metrics are at http://localhost:{}/metrics", settings.exporterPort());
  }

  /** Waits for the end that a signal or a failure brings, and returns the exit code. */
  public int awaitEnd() {
    try {
      end.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return exitCode.get();
  }

  /** The Camel context, for tests that look at routes. */
  public CamelContext camelContext() {
    return main.getCamelContext();
  }

  @Override
  public void close() {
    end(0);
    if (watch != null) {
      watch.close();
    }
    // First, so that no route waits for an answer of the broker while it is stopped.
    if (link != null) {
      link.close();
    }
    main.stop();
    bounds.close();
    stopped.countDown();
  }

  private void end(int code) {
    exitCode.compareAndSet(0, code);
    end.countDown();
  }

  private void stopOnSignal() {
    end(0);
    try {
      if (!stopped.await(STOP_SECONDS, TimeUnit.SECONDS)) {
        log.warn("Stopping took longer than {} s", STOP_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Everything that a route can name is bound here. */
  private void bind(SSLContext tls) throws ConfigException {
    Catalogue catalogue =
        Catalogue.load(
            settings.devicesFile().path(),
            settings.devicesFile().explicit(),
            line -> log.warn("{}", line));
    SelfMetrics metrics = new SelfMetrics(settings, version());
    Devices devices = new Devices(settings, catalogue, nanoClock);
    QuotaStore store =
        new QuotaStore(
            metrics::isOwn,
            (kind, serial, name) -> metrics.conflict(kind.name().toLowerCase(Locale.ROOT)),
            nanoClock,
            settings.maxSeriesPerDevice());
    RecordQuotas record =
        new RecordQuotas(devices, store, settings.timing().seriesTtl(), nanoClock);
    Establishment establishment =
        new Establishment(
            settings.establishAttempts(),
            settings.timing().retryTimeout(),
            nanoClock,
            () -> end(EXIT_FAILED));

    main.bind("watchedSteps", new WatchedSteps());
    bind("logUnexpected", this::logUnexpected);
    main.bind("metricsRegistry", metrics.registry());
    main.bind("recordQuotas", record);
    main.bind(
        "collectDevices",
        new Collection(settings.mode(), devices, store, record, metrics, nanoClock));
    main.bind(
        "metricsPage", new MetricsPage(settings.metricsPrefix(), devices, store, record, metrics));

    Health health = new Health(devices);
    bind("healthyPage", health::healthy);
    bind("readyPage", health::ready);
    health.watch(
        "cloud",
        () ->
            establishment.isEstablished()
                ? Optional.empty()
                : Optional.of("EcoFlow has not answered yet"));

    // The reader of JSON has the closer limit, and says more of what is wrong.
    bounds = new HttpBounds(settings.timing().httpTimeout(), 2 * Payloads.LARGEST_PAYLOAD);
    main.bind("httpBounds", bounds);
    main.bind("cloudTls", sslParameters(tls));
    AccountLogin login =
        settings.mode().usesAccount()
            ? new AccountLogin(
                settings.credentials(),
                clientIdSeed(),
                settings.mqttClientId(),
                settings.timing().credentialsLife(),
                nanoClock)
            : null;
    ApiHost host = new ApiHost(settings.apiHosts());
    Cooldown cooldown = new Cooldown(settings.timing().retryTimeout(), nanoClock);
    HttpCalls calls = new HttpCalls(settings, login, host, cooldown, metrics, nanoClock);
    main.bind("apiHost", host);
    main.bind("boundedJson", BoundedJson.mapper());
    bind("checkAnswer", calls::check);
    bind("recordCall", calls::record);
    if (login == null) {
      RestPolls polls =
          new RestPolls(settings, devices, establishment, cooldown, host, metrics, nanoClock);
      bindRest(calls, polls, new Redelivery(cooldown, host));
    } else {
      bindAccount(login, calls, devices, establishment, metrics, tls);
      health.watch(
          "login", () -> login.isComplete() ? Optional.empty() : Optional.of("not logged in"));
      health.watch(
          "link", () -> link.isConnected() ? Optional.empty() : Optional.of("no MQTT connection"));
    }
    health.camelChecks().forEach(main::bind);
    properties();
  }

  private void logUnexpected(Exchange exchange) {
    Throwable failure = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
    log.error(
        "Route {} failed: {}; it goes on with its next message",
        exchange.getFromRouteId(),
        rootMessage(failure));
    log.debug("What failed", failure);
  }

  private void bindRest(HttpCalls calls, RestPolls polls, Redelivery redelivery) {
    main.bind("restPolls", polls);
    main.bind("redelivery", redelivery);
    bind("noteFailedCall", redelivery::noteFailure);
    bind("signCall", calls::sign);
    bind("acceptDeviceList", polls::acceptDeviceList);
    bind("deviceListFailed", polls::deviceListFailed);
    bind("beginPoll", polls::begin);
    bind("pollSucceeded", polls::succeeded);
    bind("pollFailed", polls::failed);
    bind("takeAnswerData", AccountSteps::takeData);
  }

  private void bindAccount(
      AccountLogin login,
      HttpCalls calls,
      Devices devices,
      Establishment establishment,
      SelfMetrics metrics,
      SSLContext tls) {
    try {
      link =
          new MqttLink(
              () -> devices.all().stream().map(device -> device.serial()).toList(),
              tls,
              settings.timing().mqttKeepalive(),
              settings.timing().httpTimeout(),
              nanoClock);
    } catch (MqttException e) {
      throw new IllegalStateException("an MQTT client can be made without a connection", e);
    }
    metrics.followConnection(link::isConnected);
    AccountLink accountLink =
        new AccountLink(settings, link, login, establishment, metrics, nanoClock);
    AccountSteps steps = new AccountSteps(login, accountLink, devices, metrics, nanoClock);
    QuotaRequests requests =
        new QuotaRequests(
            devices,
            link,
            settings.timing().quotaRequestInterval(),
            metrics::quotaRequestSkipped,
            nanoClock);
    main.bind("mqttLink", link);
    main.bind("accountLink", accountLink);
    main.bind("accountLogin", login);
    main.bind("quotaRequests", requests);
    bind("prepareLogin", calls::prepareLogin);
    bind("prepareCertification", calls::prepareCertification);
    bind("authorizeCall", calls::authorize);
    bind("beginLogin", steps::begin);
    bind("acceptLogin", steps::acceptLogin);
    bind("acceptCertification", steps::acceptCertification);
    bind("acceptAccountDevices", steps::acceptDevices);
    bind("connectLink", steps::connect);
    bind("linkFailed", steps::linkFailed);
    bind("subscribeNewDevices", steps::subscribeNewDevices);
    bind("accountDevicesFailed", steps::devicesFailed);
    bind("addressRequest", requests::address);
    bind("requestFailed", requests::failed);
    bind("noteFullPicture", requests::note);
    Payloads payloads = new Payloads(MessageDecoder.load(), metrics, nanoClock);
    bind("identifyPayload", payloads::identify);
    bind("takeJsonQuotas", payloads::takeJsonQuotas);
    bind("decodeHeader", payloads::decodeHeader);
    bind("decodeBase64", payloads::decodeBase64);
    bind("dropPayload", payloads::drop);
  }

  private void bind(String name, Processor step) {
    main.bind(name, step);
  }

  private void properties() {
    Settings.Timing timing = settings.timing();
    property("ecoflow.mode", settings.mode().label());
    property("ecoflow.discover", Boolean.toString(settings.serials().isEmpty()));
    property("ecoflow.metrics.prefix", settings.metricsPrefix());
    property("ecoflow.collecting.interval", timing.collectingInterval().toMillis());
    property("ecoflow.http.retries", settings.httpRetries());
    property("ecoflow.http.backoff", timing.httpBackoff().toMillis());
    property("camel.server.enabled", "true");
    property("camel.server.port", settings.exporterPort());
    for (String component : new String[] {"http", "https"}) {
      String http = "camel.component." + component + ".";
      property(http + "connect-timeout", timing.httpTimeout().toMillis());
      property(http + "connection-request-timeout", timing.httpTimeout().toMillis());
      property(http + "response-timeout", timing.httpTimeout().toMillis());
      property(http + "so-timeout", timing.httpTimeout().toMillis());
      // HttpClient would retry 503 on its own, with the nonce of the attempt before.
      property(http + "automatic-retries-disabled", "true");
      property(http + "http-client-configurer", "#httpBounds");
      property(http + "ssl-context-parameters", "#cloudTls");
      property(http + "copy-headers", "false");
    }
  }

  /** A default that the variables CAMEL_... can override. */
  private void property(String name, Object value) {
    main.addInitialProperty(name, String.valueOf(value));
  }

  // What tells two exporters of one account apart.
  private String clientIdSeed() {
    return settings.mode().label() + "\n" + String.join(",", settings.serials());
  }

  private static SSLContextParameters sslParameters(SSLContext tls) {
    return new SSLContextParameters() {
      @Override
      public SSLContext createSSLContext(CamelContext context) {
        return tls;
      }
    };
  }

  private static String rootMessage(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null && cause.getCause() != cause) {
      cause = cause.getCause();
    }
    return cause.getClass().getSimpleName() + ": " + cause.getMessage();
  }

  private static String version() {
    String version = EcoflowExporter.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
