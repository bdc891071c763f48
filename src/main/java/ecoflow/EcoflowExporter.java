package ecoflow;

import ecoflow.config.ConfigException;
import ecoflow.config.Configuration;
import ecoflow.config.DeviceSettings;
import ecoflow.config.KafkaSettings;
import ecoflow.config.PageSettings;
import ecoflow.config.ProxySettings;
import ecoflow.config.Settings;
import ecoflow.config.Shard;
import ecoflow.offline.RouteReload;
import ecoflow.routes.RouteFiles;
import ecoflow.routes.RouteLint;
import ecoflow.routes.RouteProblem;
import ecoflow.runtime.ComponentJars;
import ecoflow.runtime.Logging;
import ecoflow.runtime.OutOfMemory;
import ecoflow.runtime.RouteWatch;
import ecoflow.text.Lines;
import java.net.BindException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.camel.CamelConfiguration;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.main.Main;
import org.apache.camel.main.MainHelper;
import org.apache.camel.main.SimpleMainShutdownStrategy;
import org.apache.camel.spi.ShutdownAware;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The process of the exporter: reads the settings, runs Camel with the routes, and stops. */
public final class EcoflowExporter implements AutoCloseable {

  private static final int EXIT_FAILED = 1;
  private static final int EXIT_BAD_CONFIGURATION = 2;

  /** Longer than camel.main.shutdownTimeout, after which Camel interrupts the routes. */
  private static final long ROUTES_STOP_SECONDS = 5;

  /**
   * Time for packaged routes to finish a poll or a push, which can be lost because they are
   * repeated. An unanswered call or a pause between two attempts would take much longer.
   */
  private static final long PACKAGED_ROUTES_STOP_MILLIS = 300;

  /**
   * Time for a server of a fleet to leave its consumer group, so that other servers continue at
   * once. Normally, this takes less than a second.
   */
  private static final long CONSUMERS_STOP_MILLIS = 4_500;

  /**
   * Time for the main thread to begin the shutdown; only a reload of routes can delay it further.
   */
  private static final long LEAVE_SECONDS = 1;

  private static final long STOP_SECONDS = 10;
  private static final String NO_START = "Failed to start the routes: ";

  private final Configuration configuration;
  private final Settings settings;
  private final List<String> unknownVariables;
  private final Logger log;
  private final AtomicInteger exitCode = new AtomicInteger();
  private final CountDownLatch end = new CountDownLatch(1);
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final RouteFiles routes;
  private final Main main;
  private final Beans beans;
  private volatile boolean isStarted;
  private List<String> routeProblems = List.of();
  private RouteWatch watch;
  private Optional<RouteReload> reload = Optional.empty();

  /**
   * @param variables the environment
   * @throws ConfigException with a single line for the user
   */
  public EcoflowExporter(Map<String, String> variables) throws ConfigException {
    configuration = Configuration.from(variables);
    settings = configuration.process();
    unknownVariables = Configuration.unknownVariables(variables);
    Logging.level(settings.logLevel());
    ComponentJars.load(settings.libDir());
    log = LoggerFactory.getLogger(EcoflowExporter.class);
    routes = RouteFiles.of(settings);
    beans = new Beans(configuration);
    beans.onContactFailure(() -> end(EXIT_FAILED));
    // After the log is configured, because Camel classes create their loggers when they are loaded.
    main = new Main();
    // Camel's own hook would stop the routes a second time, and wait for routes that hang.
    main.setShutdownStrategy(new SimpleMainShutdownStrategy());
    main.configure().addConfiguration(beans);
    // Before Camel reads the files, and after their beans are bound.
    if (settings.routesDir().isPresent()) {
      main.configure().addConfiguration(new CheckedRoutes());
    }
    CamelSettings.main(settings, routes).forEach(main::addInitialProperty);
  }

  public static void main(String[] args) {
    OutOfMemory.watchProcess();
    System.exit(args.length == 0 ? run(System.getenv()) : CommandLine.run(System.getenv(), args));
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
      return e.exitCode;
    } catch (OutOfMemoryError e) {
      // Before the stop, which needs memory.
      OutOfMemory.endIf(e);
      throw e;
    } finally {
      exporter.close();
    }
  }

  /** The exporter cannot start. The message is one line for the user. */
  public static final class StartException extends Exception {

    private static final long serialVersionUID = 1L;

    private final int exitCode;

    StartException(int exitCode, String message, Throwable cause) {
      super(message, cause);
      this.exitCode = exitCode;
    }

    int exitCode() {
      return exitCode;
    }
  }

  /** Starts all routes and returns. */
  public void start() throws StartException {
    log.info(
        "Starting ecoflow-exporter {} on Apache Camel {} and Java {}: {}",
        Beans.version(),
        new MainHelper().getVersion(),
        Runtime.version(),
        startLine());
    logProxy();
    settings.notes().forEach(note -> log.warn("{}", note));
    unknownVariables.forEach(line -> log.warn("{}", line));
    if (configuration.accounts().isEmpty() && !settings.isServer()) {
      log.warn("No account of the accounts file belongs to shard {}", shardLabel());
    }
    routes.line().ifPresent(log::info);
    checkPort();
    try {
      beans.checkRole();
    } catch (ConfigException e) {
      throw new StartException(EXIT_BAD_CONFIGURATION, e.getMessage(), e);
    }
    startRoutes();
  }

  /** The part of {@link #start} after the check of the port; tests occupy the port in between. */
  void startRoutes() throws StartException {
    try {
      main.start();
    } catch (Exception e) {
      OutOfMemory.endIf(e);
      if (beans.listenFailure().isPresent()) {
        throw cannotListen(beans.listenFailure().get());
      }
      log.debug("Cause of the failed start", e);
      List<String> lines =
          routeProblems.isEmpty()
              ? List.of(RouteProblem.describe(e, main.getCamelContext()))
              : routeProblems;
      int last = lines.size() - 1;
      lines.subList(0, last).forEach(line -> log.error("{}{}", NO_START, line));
      throw new StartException(EXIT_BAD_CONFIGURATION, NO_START + lines.get(last), e);
    }
    Optional<String> missing = RouteProblem.missingRoutes(main.getCamelContext());
    if (missing.isPresent()) {
      throw new StartException(EXIT_FAILED, missing.get(), null);
    }
    watch = new RouteWatch(main.getCamelContext(), () -> end(EXIT_FAILED));
    if (settings.routesReload()) {
      reload =
          Optional.of(
              new RouteReload(
                  main.getCamelContext(),
                  settings,
                  other -> new Beans(configuration.withProcess(other)),
                  () -> end(EXIT_FAILED)));
    }
    beans.configureServer(main.getCamelContext());
    beans.watchAccounts();
    beans.watchRole(
        line -> {
          log.error("{}", line);
          end(EXIT_BAD_CONFIGURATION);
        });
    isStarted = true;
    String address =
        (beans.isTls() ? "https" : "http")
            + "://"
            + settings
                .page()
                .address()
                .map(host -> host.contains(":") ? "[" + host + "]" : host)
                .orElse("localhost")
            + ":"
            + settings.page().port();
    log.info("Metrics are at {}/metrics, the landing page is at {}/", address, address);
  }

  private String startLine() {
    KafkaSettings kafka = settings.kafka();
    String accounts =
        settings.isServer() ? "" : settings.hasAccountsFile() ? accountsLine() : accountLine();
    return kafka.role() == KafkaSettings.Role.ALL
        ? accounts
        : "role "
            + kafka.role().label()
            + ", Kafka "
            + kafka.brokers()
            + (accounts.isEmpty() ? "" : ", " + accounts);
  }

  private String accountLine() {
    DeviceSettings devices = settings.devices();
    return "mode "
        + settings.mode().label()
        + ", devices "
        + (devices.areAllServed() ? "all" : String.join(",", devices.serials()))
        + ", cloud "
        + settings.http().hosts().get(0);
  }

  private String accountsLine() {
    int number = configuration.accounts().size();
    String accounts =
        number
            + (number == 1 ? " account" : " accounts")
            + (settings.shard().isEmpty() ? "" : " of shard " + shardLabel());
    if (number == 0) {
      return accounts;
    }
    return accounts
        + " in modes "
        + configuration.accounts().stream()
            .map(account -> account.settings().mode().label())
            .distinct()
            .sorted()
            .collect(Collectors.joining(", "));
  }

  private String shardLabel() {
    return settings.shard().map(Shard::label).orElse("");
  }

  private void logProxy() {
    Optional<ProxySettings> proxy = settings.http().proxy();
    if (proxy.isPresent()) {
      log.info(
          "Connections to EcoFlow use the proxy {}{}",
          proxy.get().label(),
          proxy.get().direct().entries().isEmpty() ? "" : ", except to the hosts of NO_PROXY");
    }
  }

  private StartException cannotListen(Throwable cause) {
    log.debug("Cause of the failed bind", cause);
    return new StartException(
        EXIT_FAILED,
        "EXPORTER_PORT="
            + settings.page().port()
            + (cause instanceof BindException
                ? " is in use: choose another port"
                : " cannot be used: " + Lines.root(cause)),
        cause);
  }

  /** Reports a port in use before Camel starts; the server itself checks again. */
  private void checkPort() throws StartException {
    PageSettings page = settings.page();
    if (!page.isAddressHere()) {
      throw new StartException(
          EXIT_BAD_CONFIGURATION,
          "ECOFLOW_LISTEN_ADDRESS=" + page.address().get() + " is not an address of this machine",
          null);
    }
    if (!page.isPortFree()) {
      throw new StartException(
          EXIT_FAILED, "EXPORTER_PORT=" + page.port() + " is in use: choose another port", null);
    }
  }

  private final class CheckedRoutes implements CamelConfiguration {

    @Override
    public void configure(CamelContext camel) throws ConfigException {
      routeProblems = RouteLint.problems(camel, settings);
      if (!routeProblems.isEmpty()) {
        throw new ConfigException(routeProblems.get(0));
      }
    }
  }

  /** Watches the routes until a signal or a failure ends the process, and returns the exit code. */
  public int awaitEnd() {
    try {
      long seconds = reload.isPresent() ? RouteReload.SECONDS : RouteWatch.SECONDS;
      while (!end.await(seconds, TimeUnit.SECONDS)) {
        reload.ifPresent(RouteReload::check);
        watch.check();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return exitCode.get();
  }

  /** The Camel context, for tests that inspect routes. */
  public CamelContext camelContext() {
    return main.getCamelContext();
  }

  @Override
  public void close() {
    end(0);
    stopping.countDown();
    beans.disconnect();
    stopRoutes();
    beans.close();
    stopped.countDown();
  }

  /**
   * Stops the routes with a time limit: Camel waits without a limit for a message that is stuck in
   * a route, for example because a server does not respond.
   */
  private void stopRoutes() {
    CamelContext camel = main.getCamelContext();
    if (camel != null && settings.isServer()) {
      camel.getShutdownStrategy().setTimeUnit(TimeUnit.MILLISECONDS);
      camel.getShutdownStrategy().setTimeout(CONSUMERS_STOP_MILLIS);
    } else if (camel != null && !areUserRoutesBusy(camel)) {
      camel.getShutdownStrategy().setTimeUnit(TimeUnit.MILLISECONDS);
      camel.getShutdownStrategy().setTimeout(PACKAGED_ROUTES_STOP_MILLIS);
    }
    FutureTask<Void> stop = new FutureTask<>(main::stop, null);
    Thread thread = new Thread(stop, "stop");
    thread.setDaemon(true);
    thread.start();
    try {
      stop.get(ROUTES_STOP_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      log.warn("Stopping; these routes did not finish: {}", busyRoutes());
    } catch (ExecutionException e) {
      throw new IllegalStateException("Failed to stop the routes", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether a user's route is processing a message or has messages in its queue. */
  private static boolean areUserRoutesBusy(CamelContext camel) {
    return camel.getRoutes().stream()
        .filter(route -> !RouteFiles.isPackaged(route))
        .anyMatch(
            route ->
                camel.getInflightRepository().size(route.getRouteId()) > 0
                    || (route.getConsumer() instanceof ShutdownAware queue
                        && queue.getPendingExchangesSize() > 0));
  }

  private String busyRoutes() {
    CamelContext camel = main.getCamelContext();
    return camel.getRoutes().stream()
        .map(Route::getId)
        .filter(route -> camel.getInflightRepository().size(route) > 0)
        .collect(Collectors.joining(", "));
  }

  private void end(int code) {
    exitCode.compareAndSet(0, code);
    end.countDown();
  }

  /** Returns when the process may end. */
  private void stopOnSignal() {
    end(0);
    try {
      // The start cannot be interrupted, and processes no messages that must be finished.
      if (!isStarted || !stopping.await(LEAVE_SECONDS, TimeUnit.SECONDS)) {
        return;
      }
      if (!stopped.await(STOP_SECONDS, TimeUnit.SECONDS)) {
        log.warn("Stopping took longer than {} s", STOP_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
