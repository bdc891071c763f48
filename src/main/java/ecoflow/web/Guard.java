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

/** Checks each request before it is processed, and rejects requests without permission. */
final class Guard implements AutoCloseable {

  private static final String NOSNIFF = "X-Content-Type-Options";
  private static final String BASIC = "basic ";

  /** The delay of responses to an address with many wrong passwords. */
  private static final long SLOW_MILLIS = 1_000;

  /**
   * The time to discard the rest of a body before the connection is closed. If it were closed at
   * once, the client could lose the error response.
   */
  private static final long LINGER_MILLIS = 1_000;

  /** Estimated memory in bytes of a response until its length is known: see PageStream. */
  private static final long ANSWER_BYTES = 1 << 18;

  private static final Set<String> HEALTH = Set.of("/-/healthy", "/-/ready");

  /**
   * The rules of the guard. A new configuration replaces them as a whole.
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

  /** Empty if no rules can require a password. */
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

  void follow(Rules newRules) {
    rules = newRules;
  }

  /**
   * @param next the handler for accepted requests
   */
  Handler<HttpServerRequest> before(Handler<HttpServerRequest> next) {
    return request -> handle(request, next);
  }

  /**
   * @param checks whether the header Host must name this machine; for servers that listen only on a
   *     loopback address
   */
  void checkHost(boolean checks) {
    checksHost = checks;
  }

  /** Rejects a request that is not valid HTTP or exceeds a size limit. */
  void malformed(HttpServerRequest request) {
    refused.accept("malformed");
    warn("malformed", request, "is malformed");
    request.response().putHeader(NOSNIFF, "nosniff");
    HttpServerRequest.DEFAULT_INVALID_REQUEST_HANDLER.handle(request);
  }

  private void handle(HttpServerRequest request, Handler<HttpServerRequest> next) {
    if (Connection.of(request.connection()).isEnding()) {
      return;
    }
    Rules current = rules;
    request.response().putHeader(NOSNIFF, "nosniff");
    current.headers().forEach(request.response()::putHeader);
    if (!Requests.isWellFormed(request)) {
      warn("malformed", request, "is malformed");
      refuseAndClose(request, 400, "malformed", "Bad request");
    } else if (checksHost && !Requests.isForLoopback(request)) {
      warn("host", request, "has a header Host that is not a loopback address or localhost");
      refuseAndClose(request, 403, "host", "Host is not a loopback address or localhost");
    } else if (current.rate().isPresent() && !current.rate().get().take()) {
      refuse(request, 429, "rate_limit", "Too many requests");
    } else if (mayBeAnswered(request)) {
      identify(request, next, current);
    }
  }

  /**
   * Whether the path supports the method and the body of the request. Otherwise it sends an error
   * response.
   */
  private boolean mayBeAnswered(HttpServerRequest request) {
    Optional<Endpoint> endpoint = endpoints.apply(request.path());
    Set<String> methods = endpoint.map(Endpoint::methods).orElse(Set.of());
    long body = body(request);
    boolean isTaken =
        endpoint.map(Endpoint::takesBody).orElse(false)
            && body <= connections.limits().body()
            && !Requests.isUpload(request);
    if (body > 0 && !isTaken) {
      warn("body", request, "has a body that its path does not take, or that is too long");
      refuseAndClose(request, 413, "body", "No such body is taken here");
      return false;
    }
    if (!methods.isEmpty() && !methods.contains(request.method().name())) {
      request.response().putHeader("Allow", String.join(", ", new TreeSet<>(methods)));
      answer(request, 405, "Method not allowed");
      return false;
    }
    return true;
  }

  private long body(HttpServerRequest request) {
    return Requests.body(request, connections.limits().body());
  }

  private void identify(HttpServerRequest request, Handler<HttpServerRequest> next, Rules current) {
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
      case RIGHT -> rightPassword(request, next, login);
      case WRONG -> wrongPassword(request);
      default -> check(request, next, passwords, login);
    }
  }

  private void admit(HttpServerRequest request, Handler<HttpServerRequest> next) {
    boolean isAdmitted =
        HEALTH.contains(request.path())
            || Connection.of(request.connection()).admit(request, body(request), ANSWER_BYTES);
    if (isAdmitted) {
      next.handle(request);
      return;
    }
    lines.warn(
        "answers",
        "As many pages as the exporter has memory for wait for their clients: others are refused");
    request.response().putHeader("Retry-After", "5");
    if (body(request) > 0) {
      refuseAndClose(request, 503, "answers", "Too many pages under way");
    } else {
      refuse(request, 503, "answers", "Too many pages under way");
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
          // A check of the same password may have finished while this one was waiting.
          Known known = passwords.known(login.user(), login.password());
          boolean right =
              known == Known.UNKNOWN
                  ? passwords.check(login.user(), login.password())
                  : known == Known.RIGHT;
          loop.runOnContext(unused -> checked(request, next, login, right));
        };
    boolean isTaken =
        checks
            .get()
            .add(
                passwords.isUser(login.user()) ? Optional.of(login.user()) : Optional.empty(),
                address(request),
                Connection.of(request.connection()).failures(),
                check);
    if (!isTaken) {
      request.resume();
      slowly(
          request,
          () -> {
            request.response().putHeader("Retry-After", "5");
            refuse(request, 503, "busy", "Too many passwords to check");
          });
    }
  }

  private void checked(
      HttpServerRequest request, Handler<HttpServerRequest> next, Login login, boolean isRight) {
    request.resume();
    if (request.response().closed()) {
      return;
    }
    if (isRight) {
      rightPassword(request, next, login);
    } else {
      wrongPassword(request);
    }
  }

  private void rightPassword(
      HttpServerRequest request, Handler<HttpServerRequest> next, Login login) {
    checks.get().succeeded(login.user(), address(request));
    admit(request, next);
  }

  private void wrongPassword(HttpServerRequest request) {
    // Do not log the user name: users sometimes enter the password in its field.
    lines.warn(
        "wrong password", "A wrong user or password for the pages came from " + address(request));
    checks.get().failed(address(request));
    Connection.of(request.connection()).failed();
    slowly(request, () -> unauthorized(request, "wrong_password"));
  }

  private void slowly(HttpServerRequest request, Runnable answer) {
    if (checks.get().isSlow(address(request))) {
      Vertx.currentContext()
          .owner()
          .setTimer(
              SLOW_MILLIS,
              timer -> {
                if (!request.response().closed()) {
                  answer.run();
                }
              });
    } else {
      answer.run();
    }
  }

  private static String address(HttpServerRequest request) {
    return request.remoteAddress().hostAddress();
  }

  private void unauthorized(HttpServerRequest request, String reason) {
    request.response().putHeader("WWW-Authenticate", "Basic realm=\"ecoflow-exporter\"");
    refuse(request, 401, reason, "Unauthorized");
  }

  private void refuse(HttpServerRequest request, int status, String reason, String words) {
    refused.accept(reason);
    answer(request, status, words);
  }

  private static Future<Void> answer(HttpServerRequest request, int status, String words) {
    return request
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", "text/plain; charset=utf-8")
        .end(words + "\n");
  }

  /** Rejects a request and closes the connection. Further input is discarded. */
  private void refuseAndClose(HttpServerRequest request, int status, String reason, String words) {
    refused.accept(reason);
    HttpConnection connection = request.connection();
    Connection.of(connection).end();
    request.response().putHeader("Connection", "close");
    Context loop = Vertx.currentContext();
    answer(request, status, words)
        .onComplete(
            sent -> {
              if (request.isEnded()) {
                connection.close();
              } else {
                request.endHandler(ended -> connection.close());
                loop.owner().setTimer(LINGER_MILLIS, timer -> connection.close());
              }
            });
  }

  private void warn(String reason, HttpServerRequest request, String what) {
    lines.warn(
        reason,
        "A request to the pages was refused: it " + what + " (from " + address(request) + ")");
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
    // A method reference would load the class even without passwords.
    if (checks.isPresent()) {
      checks.get().close();
    }
  }
}
