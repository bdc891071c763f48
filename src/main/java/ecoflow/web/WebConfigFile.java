package ecoflow.web;

import ecoflow.config.ConfigException;
import ecoflow.config.Fingerprint;
import ecoflow.config.TimeLimit;
import ecoflow.passwords.Passwords;
import ecoflow.text.Lines;
import ecoflow.web.Guard.Rules;
import ecoflow.web.WebConfig.ClientAuth;
import ecoflow.web.WebConfig.Tls;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file ECOFLOW_WEB_CONFIG_FILE and the files that it refers to. Changes of these files are
 * applied; while a file is invalid, the previous configuration remains active.
 */
final class WebConfigFile {

  // The logger name of the package.
  private static final Logger LOG = LoggerFactory.getLogger(Protection.class);
  private static final String VARIABLE = "ECOFLOW_WEB_CONFIG_FILE";
  private static final long CHECK_MILLIS = 2_000;
  private static final long UPDATE_TIMEOUT_SECONDS = 30;

  /** The content of all files. */
  private record State(WebConfig config, Optional<WebTls> tls) {

    private ClientAuth clientAuth() {
      return tls.map(WebTls::clientAuth).orElse(ClientAuth.NONE);
    }
  }

  private final Path file;
  private final LongSupplier nanoClock;
  private final List<HttpServer> servers = new CopyOnWriteArrayList<>();
  private volatile State state;

  /** The files of the last configuration that could be read, even if it was rejected. */
  private List<Path> watched;

  /** The fingerprints of the watched files, from before they were read. */
  private List<Fingerprint> fingerprints;

  private Guard guard;
  private Optional<Passwords> passwords = Optional.empty();

  /** A separate thread, because a read from an unresponsive network share can block forever. */
  private final ScheduledThreadPoolExecutor watcher =
      new ScheduledThreadPoolExecutor(1, WebConfigFile::thread);

  private WebConfigFile(Path file, LongSupplier nanoClock) throws WebConfigException {
    this.file = file;
    this.nanoClock = nanoClock;
    this.watched = List.of(file);
    this.fingerprints = fingerprints(watched);
    this.state = read();
  }

  /**
   * @throws ConfigException with a single line for the user
   */
  static WebConfigFile open(Path file, LongSupplier nanoClock) throws ConfigException {
    try {
      return within(TimeLimit.START, () -> new WebConfigFile(file, nanoClock));
    } catch (WebConfigException e) {
      throw new ConfigException(
          VARIABLE + "=" + Lines.oneLine(file.toString()) + " is not valid: " + e.getMessage());
    }
  }

  /**
   * @throws WebConfigException if the content is invalid, or if reading exceeds the time limit
   */
  static <T> T within(TimeLimit patience, Callable<T> read) throws WebConfigException {
    try {
      return patience.read(read);
    } catch (TimeoutException e) {
      throw new WebConfigException("the file, or a file that it refers to, " + patience);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof WebConfigException invalid) {
        throw invalid;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task, "web-config");
    thread.setDaemon(true);
    return thread;
  }

  /** Whether the server uses HTTPS. */
  boolean usesTls() {
    return state.tls().isPresent();
  }

  /** The rules of the guard at the start. */
  synchronized Rules rules() {
    if (state.config().users().isEmpty() && state.clientAuth() == ClientAuth.NONE) {
      LOG.warn(
          "{} requires neither a password nor a client certificate: any client can access the pages",
          VARIABLE);
    }
    warnOfWeakCiphers(state.config());
    return rules(state.config());
  }

  private static void warnOfWeakCiphers(WebConfig config) {
    List<String> weak = config.tls().map(Tls::weakCiphers).orElse(List.of());
    if (!weak.isEmpty()) {
      LOG.warn(
          "{}: cipher_suites contains CBC suites for TLS 1.2, which are weaker than GCM: {}",
          VARIABLE,
          String.join(", ", weak));
    }
  }

  /** Starts to watch the files, and to apply changes to the guard and to the servers. */
  void watch(Guard newGuard) {
    guard = newGuard;
    watcher.scheduleWithFixedDelay(
        this::checkOrWarn, CHECK_MILLIS, CHECK_MILLIS, TimeUnit.MILLISECONDS);
  }

  void configure(HttpServerOptions options) {
    state.tls().ifPresent(tls -> tls.configure(options));
  }

  void add(HttpServer server) {
    servers.add(server);
  }

  private Rules rules(WebConfig config) {
    return new Rules(
        config.headers(),
        passwords(config.users()),
        config.rate().map(rate -> new RateLimit(rate, nanoClock)));
  }

  private synchronized Optional<Passwords> passwords(Map<String, String> users) {
    passwords =
        users.isEmpty()
            ? Optional.empty()
            : Optional.of(
                passwords.isPresent() ? passwords.get().with(users) : new Passwords(users));
    return passwords;
  }

  /** Catches all exceptions, which would cancel the periodic task. */
  private void checkOrWarn() {
    try {
      check();
    } catch (RuntimeException e) {
      LOG.warn("{} cannot be reloaded: {}", VARIABLE, Lines.root(e));
    }
  }

  private synchronized void check() {
    List<Fingerprint> now = fingerprints(watched);
    if (now.equals(fingerprints)) {
      return;
    }
    fingerprints = now;
    try {
      apply(read());
      LOG.info("{} reloaded", VARIABLE);
    } catch (WebConfigException e) {
      LOG.warn(
          "{}={} has changed and is not valid: {}; the previous configuration remains active",
          VARIABLE,
          file,
          e.getMessage());
    }
  }

  private void apply(State next) throws WebConfigException {
    if (next.tls().isPresent() != state.tls().isPresent()) {
      throw new WebConfigException("enabling or disabling TLS requires a restart");
    }
    if (next.clientAuth() != state.clientAuth()) {
      throw new WebConfigException("a change of client_auth_type requires a restart");
    }
    if (!next.config().tls().equals(state.config().tls())) {
      warnOfWeakCiphers(next.config());
    }
    if (next.tls().isPresent()) {
      for (HttpServer server : servers) {
        update(server, next.tls().get());
      }
    }
    if (!next.config().users().equals(state.config().users())
        || !next.config().headers().equals(state.config().headers())
        || !next.config().rate().equals(state.config().rate())) {
      guard.setRules(rules(next.config()));
    }
    state = next;
  }

  private static void update(HttpServer server, WebTls tls) throws WebConfigException {
    try {
      server
          .updateSSLOptions(tls.options())
          .toCompletionStage()
          .toCompletableFuture()
          .get(UPDATE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new WebConfigException("TLS cannot be configured (" + Lines.root(e) + ")");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WebConfigException("the exporter is shutting down");
    }
  }

  private synchronized State read() throws WebConfigException {
    checkFile(file);
    // Before the file is read, so that a change during the read is detected.
    Fingerprint before = Fingerprint.of(file);
    String yaml;
    try {
      yaml = Files.readString(file);
    } catch (MalformedInputException e) {
      throw new WebConfigException("the file is not UTF-8 text");
    } catch (IOException e) {
      throw new WebConfigException(Lines.unreadable(file.toString()));
    }
    WebConfig config = WebConfigReader.read(yaml, file.toAbsolutePath().getParent());
    List<Path> files = new ArrayList<>(List.of(file));
    config.tls().ifPresent(tls -> files.addAll(tls.files()));
    watched = List.copyOf(files);
    fingerprints = fingerprints(watched);
    fingerprints.set(0, before);
    Optional<WebTls> tls = Optional.empty();
    if (config.tls().isPresent()) {
      tls = Optional.of(WebTls.load(config.tls().get()));
    }
    return new State(config, tls);
  }

  /** Rejects special files, because reading from a pipe without a writer blocks. */
  static void checkFile(Path path) throws WebConfigException {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new WebConfigException(Lines.oneLine(path.toString()) + " is not a regular file");
    }
  }

  void close() {
    watcher.shutdownNow();
  }

  private static List<Fingerprint> fingerprints(List<Path> files) {
    List<Fingerprint> result = new ArrayList<>();
    files.forEach(path -> result.add(Fingerprint.of(path)));
    return result;
  }
}
