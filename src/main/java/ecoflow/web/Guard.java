package ecoflow.web;

import ecoflow.passwords.PasswordChecks;
import ecoflow.passwords.Passwords;
import ecoflow.passwords.Passwords.Known;
import ecoflow.text.Lines;
import ecoflow.web.Protection.Endpoint;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;

/** Checks each request before it is processed, and rejects invalid and unauthorized requests. */
final class Guard implements AutoCloseable {

  private static final String NOSNIFF = "X-Content-Type-Options";
  private static final String BASIC = "basic ";

  /** The delay of responses to an address that has sent many wrong passwords. */
  private static final long DELAY_MILLIS = 1_000;

  /**
   * How long the rest of a body is discarded before the connection is closed. If it were closed
   * immediately, the client could lose the error response.
   */
  private static final long DISCARD_MILLIS = 1_000;

  /** Estimated memory in bytes of a response until its length is known, see PageStream. */
  private static final long RESPONSE_BYTES = 1 << 18;

  private static final Set<String> HEALTH = Set.of("/-/healthy", "/-/ready");

  /**
   * The configurable rules. A changed configuration replaces all of them at once.
   *
   * @param passwords empty if no password is required
   */
  record Rules(
      Map<String, String> headers, Optional<Passwords> passwords, Optional<RateLimit> rate) {}

  private record Login(String user, String password) {}

  private final Connections connections;
  private final Function<String, Optional<Endpoint>> endpoints;
  private final Lines lines;
  private final Consumer<String> refused;

  /** Empty if the rules cannot require a password. */
  private final Optional<PasswordChecks> checks;

  private volatile Rules rules;
  private volatile boolean checksHost;

  /**
   * @param endpoints returns the endpoint of a path
   * @param refused receives the reason for each rejection
   */
  Guard(
      Rules rules,
      Connections connections,
      Function<String, Optional<Endpoint>> endpoints,
      Optional<PasswordChecks> checks,
      Lines lines,
      Consumer<String> refused) {
    this.rules = rules;
    this.connections = connections;
    this.endpoints = endpoints;
    this.lines = lines;
    this.refused = refused;
    this.checks = checks;
  }

  void setRules(Rules newRules) {
    rules = newRules;
  }

  /**
   * @param next the handler for accepted requests
   */
  Handler<HttpServerRequest> before(Handler<HttpServerRequest> next) {
    return request -> handle(request, next);
  }

  /**
   * @param checks whether the header Host must name this machine, for servers that listen only on a
   *     loopback address
   */
  void checkHost(boolean checks) {
    checksHost = checks;
  }

  /** Rejects a request that is not valid HTTP or exceeds a size limit. */
  void rejectMalformed(HttpServerRequest request) {
    refused.accept("malformed");
    warn("malformed", request, "is malformed");
    request.response().putHeader(NOSNIFF, "nosniff");
    HttpServerRequest.DEFAULT_INVALID_REQUEST_HANDLER.handle(request);
  }

  private void handle(HttpServerRequest request, Handler<HttpServerRequest> next) {
    if (Connection.of(request.connection()).isClosing()) {
      return;
    }
    Rules current = rules;
    request.response().putHeader(NOSNIFF, "nosniff");
    current.headers().forEach(request.response()::putHeader);
    if (!Requests.isWellFormed(request)) {
      warn("malformed", request, "is malformed");
      rejectAndClose(request, 400, "malformed", "Bad request");
    } else if (checksHost && !Requests.isForLoopback(request)) {
      warn("host", request, "has a header Host that is not a loopback address or localhost");
      rejectAndClose(request, 403, "host", "Host is not a loopback address or localhost");
    } else if (current.rate().isPresent() && !current.rate().get().tryAcquire()) {
      reject(request, 429, "rate_limit", "Too many requests");
    } else if (isSupported(request)) {
      authenticate(request, next, current);
    }
  }

  /**
   * Whether the path supports the method and the body of the request. If not, sends an error
   * response.
   */
  private boolean isSupported(HttpServerRequest request) {
    Optional<Endpoint> endpoint = endpoints.apply(request.path());
    Set<String> methods = endpoint.map(Endpoint::methods).orElse(Set.of());
    long body = body(request);
    boolean isAccepted =
        endpoint.map(Endpoint::acceptsBody).orElse(false)
            && body <= connections.limits().body()
            && !Requests.isUpload(request);
    if (body > 0 && !isAccepted) {
      warn("body", request, "has a body that is too long or that its path does not accept");
      rejectAndClose(request, 413, "body", "Request body too long or not supported");
      return false;
    }
    if (!methods.isEmpty() && !methods.contains(request.method().name())) {
      request.response().putHeader("Allow", String.join(", ", new TreeSet<>(methods)));
      respond(request, 405, "Method not allowed");
      return false;
    }
    return true;
  }

  private long body(HttpServerRequest request) {
    return Requests.body(request, connections.limits().body());
  }

  private void authenticate(
      HttpServerRequest request, Handler<HttpServerRequest> next, Rules current) {
    if (current.passwords().isEmpty()) {
      admit(request, next);
      return;
    }
    Login login = login(request.getHeader("Authorization"));
    if (login == null) {
      unauthorized(request, "no_password");
      return;
    }
    Passwords passwords = current.passwords().get();
    switch (passwords.known(login.user(), login.password())) {
      case CORRECT -> acceptLogin(request, next, login);
      case WRONG -> rejectLogin(request);
      default -> check(request, next, passwords, login);
    }
  }

  private void admit(HttpServerRequest request, Handler<HttpServerRequest> next) {
    boolean isAdmitted =
        HEALTH.contains(request.path())
            || Connection.of(request.connection()).admit(request, body(request), RESPONSE_BYTES);
    if (isAdmitted) {
      next.handle(request);
      return;
    }
    lines.warn(
        "answers", "Too many responses are waiting for their clients: rejecting further requests");
    request.response().putHeader("Retry-After", "5");
    if (body(request) > 0) {
      rejectAndClose(request, 503, "answers", "Too many responses in progress");
    } else {
      reject(request, 503, "answers", "Too many responses in progress");
    }
  }

  private void check(
      HttpServerRequest request,
      Handler<HttpServerRequest> next,
      Passwords passwords,
      Login login) {
    Context loop = Vertx.currentContext();
    request.pause();
    Runnable check =
        () -> {
          if (request.response().closed()) {
            return;
          }
          // The same password may have been checked while this check was waiting.
          Known known = passwords.known(login.user(), login.password());
          boolean isCorrect =
              known == Known.UNKNOWN
                  ? passwords.check(login.user(), login.password())
                  : known == Known.CORRECT;
          loop.runOnContext(unused -> checked(request, next, login, isCorrect));
        };
    boolean isAccepted =
        checks
            .get()
            .submit(
                passwords.isUser(login.user()) ? Optional.of(login.user()) : Optional.empty(),
                address(request),
                Connection.of(request.connection()).passwordFailures(),
                check);
    if (!isAccepted) {
      request.resume();
      // Immediate responses to clients that repeat the request at once would use all CPU time.
      delay(
          request,
          () -> {
            request.response().putHeader("Retry-After", "5");
            reject(request, 503, "busy", "Too many passwords to check");
          });
    }
  }

  private void checked(
      HttpServerRequest request, Handler<HttpServerRequest> next, Login login, boolean isCorrect) {
    request.resume();
    if (request.response().closed()) {
      return;
    }
    if (isCorrect) {
      acceptLogin(request, next, login);
    } else {
      rejectLogin(request);
    }
  }

  private void acceptLogin(
      HttpServerRequest request, Handler<HttpServerRequest> next, Login login) {
    checks.get().succeeded(login.user(), address(request));
    admit(request, next);
  }

  private void rejectLogin(HttpServerRequest request) {
    // The user name is not logged, because users sometimes enter the password as the name.
    lines.warn(
        "wrong password", "Wrong user name or password for the pages from " + address(request));
    checks.get().failed(address(request));
    Connection.of(request.connection()).passwordFailed();
    respondDelayed(request, () -> unauthorized(request, "wrong_password"));
  }

  private void respondDelayed(HttpServerRequest request, Runnable respond) {
    if (checks.get().needsDelay(address(request))) {
      delay(request, respond);
    } else {
      respond.run();
    }
  }

  private static void delay(HttpServerRequest request, Runnable respond) {
    Vertx.currentContext()
        .owner()
        .setTimer(
            DELAY_MILLIS,
            timer -> {
              if (!request.response().closed()) {
                respond.run();
              }
            });
  }

  private static String address(HttpServerRequest request) {
    return request.remoteAddress().hostAddress();
  }

  private void unauthorized(HttpServerRequest request, String reason) {
    request.response().putHeader("WWW-Authenticate", "Basic realm=\"ecoflow-exporter\"");
    reject(request, 401, reason, "Unauthorized");
  }

  private void reject(HttpServerRequest request, int status, String reason, String message) {
    refused.accept(reason);
    respond(request, status, message);
  }

  private static Future<Void> respond(HttpServerRequest request, int status, String message) {
    return request
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", "text/plain; charset=utf-8")
        .end(message + "\n");
  }

  /** Rejects a request and closes the connection. Further input is discarded. */
  private void rejectAndClose(
      HttpServerRequest request, int status, String reason, String message) {
    refused.accept(reason);
    HttpConnection connection = request.connection();
    Connection.of(connection).startClosing();
    request.response().putHeader("Connection", "close");
    Context loop = Vertx.currentContext();
    respond(request, status, message)
        .onComplete(
            sent -> {
              if (request.isEnded()) {
                connection.close();
              } else {
                request.endHandler(ended -> connection.close());
                loop.owner().setTimer(DISCARD_MILLIS, timer -> connection.close());
              }
            });
  }

  private void warn(String reason, HttpServerRequest request, String reasonText) {
    lines.warn(
        reason,
        "Rejected a request to the pages: it " + reasonText + " (from " + address(request) + ")");
  }

  private static Login login(String authorization) {
    if (authorization == null || !authorization.regionMatches(true, 0, BASIC, 0, BASIC.length())) {
      return null;
    }
    String text;
    try {
      byte[] bytes = Base64.getDecoder().decode(authorization.substring(BASIC.length()).strip());
      text = new String(bytes, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return null;
    }
    int colon = text.indexOf(':');
    return colon < 0 ? null : new Login(text.substring(0, colon), text.substring(colon + 1));
  }

  @Override
  public void close() {
    // Not a method reference, which would load the class even without passwords.
    if (checks.isPresent()) {
      checks.get().close();
    }
  }
}
