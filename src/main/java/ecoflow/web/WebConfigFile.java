package ecoflow.web;

import ecoflow.config.ConfigException;
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
import java.nio.file.attribute.BasicFileAttributes;
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
 * The file ECOFLOW_WEB_CONFIG_FILE and the files that it names. Applies changes of these files.
 * While a file is invalid, the previous configuration remains active.
 */
final class WebConfigFile {

  // Keep the logger name of older versions, which users may have configured.
  private static final Logger LOG = LoggerFactory.getLogger(Protection.class);
  private static final String VARIABLE = "ECOFLOW_WEB_CONFIG_FILE";
  private static final long LOOK_MILLIS = 2_000;
  private static final long PATIENCE_SECONDS = 30;

  /** The content of all files at one time. */
  private record State(WebConfig config, Optional<WebTls> tls) {

    private ClientAuth clientAuth() {
      return tls.map(WebTls::clientAuth).orElse(ClientAuth.NONE);
    }
  }

  private final Path file;
  private final LongSupplier nanoClock;
  private final List<HttpServer> servers = new CopyOnWriteArrayList<>();
  private volatile State state;

  /** The files of the last readable configuration, even if it was rejected. */
  private List<Path> watched;

  /** The fingerprints of the watched files before they were read. */
  private List<String> looks;

  private Guard guard;
  private Optional<Passwords> passwords = Optional.empty();

  /** Uses its own thread, because a read from an unresponsive network share can block forever. */
  private final ScheduledThreadPoolExecutor looker =
      new ScheduledThreadPoolExecutor(1, WebConfigFile::thread);

  private WebConfigFile(Path file, LongSupplier nanoClock) throws WebConfigException {
    this.file = file;
    this.nanoClock = nanoClock;
    this.watched = List.of(file);
    this.looks = looks(watched);
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
   * @throws WebConfigException if the content is invalid, or reading takes too long
   */
  static <T> T within(TimeLimit patience, Callable<T> read) throws WebConfigException {
    try {
      return patience.read(read);
    } catch (TimeoutException e) {
      throw new WebConfigException("the file, or one that it names, " + patience);
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
  boolean isTls() {
    return state.tls().isPresent();
  }

  /** The rules of the guard until the first change of a file. */
  synchronized Rules rules() {
    if (state.config().users().isEmpty() && state.clientAuth() == ClientAuth.NONE) {
      LOG.warn("{} asks nobody for a password or a certificate: all may see the pages", VARIABLE);
    }
    warnOfWeakCiphers(state.config());
    return rules(state.config());
  }

  private static void warnOfWeakCiphers(WebConfig config) {
    List<String> weak = config.tls().map(Tls::weakCiphers).orElse(List.of());
    if (!weak.isEmpty()) {
      LOG.warn(
          "{}: cipher_suites enables CBC for TLS 1.2, which is weaker than GCM: {}",
          VARIABLE,
          String.join(", ", weak));
    }
  }

  /** Starts to apply changes to the guard and to the servers. */
  void follow(Guard follower) {
    guard = follower;
    looker.scheduleWithFixedDelay(
        this::lookOrWarn, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
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

  /** Catches all failures, because an exception would cancel the periodic task. */
  private void lookOrWarn() {
    try {
      look();
    } catch (RuntimeException e) {
      LOG.warn("{} cannot be read again: {}", VARIABLE, Lines.root(e));
    }
  }

  /** Applies changes since the last check. */
  private synchronized void look() {
    List<String> now = looks(watched);
    if (now.equals(looks)) {
      return;
    }
    looks = now;
    try {
      take(read());
      LOG.info("{} was read again", VARIABLE);
    } catch (WebConfigException e) {
      LOG.warn(
          "{}={} has changed and is not valid: {}; the pages stay protected as before",
          VARIABLE,
          file,
          e.getMessage());
    }
  }

  private void take(State fresh) throws WebConfigException {
    if (fresh.tls().isPresent() != state.tls().isPresent()) {
      throw new WebConfigException("to have TLS or not takes a restart");
    }
    if (fresh.clientAuth() != state.clientAuth()) {
      throw new WebConfigException("another client_auth_type takes a restart");
    }
    if (!fresh.config().tls().equals(state.config().tls())) {
      warnOfWeakCiphers(fresh.config());
    }
    if (fresh.tls().isPresent()) {
      for (HttpServer server : servers) {
        update(server, fresh.tls().get());
      }
    }
    if (!fresh.config().users().equals(state.config().users())
        || !fresh.config().headers().equals(state.config().headers())
        || !fresh.config().rate().equals(state.config().rate())) {
      guard.follow(rules(fresh.config()));
    }
    state = fresh;
  }

  private static void update(HttpServer server, WebTls tls) throws WebConfigException {
    try {
      server
          .updateSSLOptions(tls.options())
          .toCompletionStage()
          .toCompletableFuture()
          .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new WebConfigException("TLS cannot be set up (" + Lines.root(e) + ")");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new WebConfigException("the exporter ends");
    }
  }

  private synchronized State read() throws WebConfigException {
    checkFile(file);
    // Taken before the file is read, so that a change during the read is detected.
    String look = look(file);
    String yaml;
    try {
      yaml = Files.readString(file);
    } catch (MalformedInputException e) {
      throw new WebConfigException("it is not a text in UTF-8");
    } catch (IOException e) {
      throw new WebConfigException("it cannot be read");
    }
    WebConfig config = WebConfigReader.read(yaml, file.toAbsolutePath().getParent());
    List<Path> files = new ArrayList<>(List.of(file));
    config.tls().ifPresent(tls -> files.addAll(tls.files()));
    watched = List.copyOf(files);
    looks = looks(watched);
    looks.set(0, look);
    Optional<WebTls> tls = Optional.empty();
    if (config.tls().isPresent()) {
      tls = Optional.of(WebTls.load(config.tls().get()));
    }
    return new State(config, tls);
  }

  /** Rejects special files: reading from a pipe without a writer would block. */
  static void checkFile(Path path) throws WebConfigException {
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new WebConfigException(Lines.oneLine(path.toString()) + " is not a regular file");
    }
  }

  void close() {
    looker.shutdownNow();
  }

  private static List<String> looks(List<Path> files) {
    List<String> found = new ArrayList<>();
    files.forEach(path -> found.add(look(path)));
    return found;
  }

  /**
   * A fingerprint of a file that also changes if a symbolic link points to another file, as in
   * Kubernetes.
   */
  private static String look(Path path) {
    try {
      BasicFileAttributes is = Files.readAttributes(path, BasicFileAttributes.class);
      return is.lastModifiedTime() + " " + is.size() + " " + is.fileKey();
    } catch (IOException e) {
      return "away";
    }
  }
}
