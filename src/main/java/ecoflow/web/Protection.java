package ecoflow.web;

import ecoflow.config.ConfigException;
import ecoflow.passwords.PasswordChecks;
import ecoflow.text.Lines;
import ecoflow.web.Guard.Rules;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.spi.transport.Transport;
import io.vertx.ext.web.Router;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Protects the web server: limits connections and memory and, with ECOFLOW_WEB_CONFIG_FILE,
 * authenticates clients. Without that file, no class for TLS or passwords is loaded.
 */
public final class Protection implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Protection.class);

  /** In bytes. The operating system reports progress only when a third of the buffer is free. */
  private static final int SEND_BUFFER = 1 << 16;

  /**
   * The endpoint of a path.
   *
   * @param methods the supported HTTP methods; empty for all
   * @param acceptsBody whether a request may have a body
   */
  public record Endpoint(Set<String> methods, boolean acceptsBody) {}

  private final Optional<WebConfigFile> file;
  private final Limits limits;
  private final LongSupplier nanoClock;
  private final Lines lines;
  private Connections connections;
  private Guard guard;
  private volatile Throwable listenFailure;

  Protection(Optional<WebConfigFile> file, Limits limits, LongSupplier nanoClock) {
    this.file = file;
    this.limits = limits;
    this.nanoClock = nanoClock;
    this.lines = new Lines(LOG, nanoClock);
  }

  /**
   * @param file the value of ECOFLOW_WEB_CONFIG_FILE
   * @throws ConfigException with a single line for the user
   */
  public static Protection open(Optional<Path> file, LongSupplier nanoClock)
      throws ConfigException {
    return new Protection(
        file.isPresent()
            ? Optional.of(WebConfigFile.open(file.get(), nanoClock))
            : Optional.empty(),
        Limits.standard(),
        nanoClock);
  }

  /** Whether the server uses HTTPS. */
  public boolean usesTls() {
    return file.isPresent() && file.get().usesTls();
  }

  /** Why the server does not listen; empty if it listens or has not started yet. */
  public Optional<Throwable> listenFailure() {
    return Optional.ofNullable(listenFailure);
  }

  /**
   * The transport of the Vert.x instance for {@link #guard}.
   *
   * @param rejections receives the reason for each connection and request that is rejected
   */
  public Transport transport(Consumer<String> rejections) {
    connections = new Connections(limits, lines, nanoClock, rejections);
    return connections.transport();
  }

  /**
   * Returns a Vert.x instance for the web server, which delegates to the given one.
   *
   * @param vertx an instance with the transport of this object
   * @param endpoints returns the endpoint of a path
   * @param rejections receives the reason for each request that is rejected
   */
  public Vertx guard(
      Vertx vertx, Function<String, Optional<Endpoint>> endpoints, Consumer<String> rejections) {
    Rules rules =
        file.isPresent()
            ? file.get().rules()
            : new Rules(Map.of(), Optional.empty(), Optional.empty());
    Optional<PasswordChecks> checks =
        file.isPresent() ? Optional.of(new PasswordChecks(nanoClock)) : Optional.empty();
    guard = new Guard(rules, connections, endpoints, checks, lines, rejections);
    if (file.isPresent()) {
      file.get().watch(guard);
    }
    return new GuardedServer(vertx, new Customizer());
  }

  /** Replaces the response of a server to requests for unknown paths. */
  public static void customizeNotFound(Router router) {
    // Not a method reference, which would load the class at start.
    router.errorHandler(404, context -> NotFound.respond(context));
  }

  private final class Customizer implements GuardedServer.Customizer {

    @Override
    public void configure(HttpServerOptions options) {
      // By default, clients can select HTTP/2 without TLS. With TLS, it requires ALPN, which is
      // disabled.
      options.setHttp2ClearTextEnabled(false);
      options.setHandle100ContinueAutomatically(false);
      // Netty's handler for WebSocket compression would fail at the 129th pipelined request.
      options.setPerMessageWebSocketCompressionSupported(false);
      options.setPerFrameWebSocketCompressionSupported(false);
      // With a larger buffer, slow clients cannot be distinguished from clients that do not read.
      options.setSendBufferSize(SEND_BUFFER);
      if (file.isPresent()) {
        file.get().configure(options);
      }
    }

    @Override
    public void serverCreated(HttpServer server, HttpServerOptions options) {
      server.connectionHandler(connection -> Connection.of(connection).open(options));
      server.invalidRequestHandler(guard::rejectMalformed);
      if (file.isPresent()) {
        file.get().add(server);
      }
    }

    @Override
    public Handler<HttpServerRequest> before(Handler<HttpServerRequest> next) {
      return guard.before(next);
    }

    @Override
    public void beforeListen(String host) {
      try {
        guard.checkHost(InetAddress.getByName(host).isLoopbackAddress());
      } catch (UnknownHostException e) {
        // The server reports the invalid address.
        guard.checkHost(false);
      }
    }

    @Override
    public void listenFailed(Throwable cause) {
      listenFailure = cause;
    }
  }

  @Override
  public void close() {
    if (file.isPresent()) {
      file.get().close();
    }
    if (guard != null) {
      guard.close();
    }
  }
}
