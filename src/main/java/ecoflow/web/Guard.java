package ecoflow.web;

import ecoflow.text.Lines;
import ecoflow.web.Passwords.Known;
import io.vertx.core.Context;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Stands before everything that the server answers, and lets through who may see it. */
final class Guard implements AutoCloseable {

  private static final String BASIC = "basic ";
  private static final int MAX_WAITING = 64;
  private static final int IDLE_SECONDS = 5;

  /**
   * What the guard goes by; replaced as a whole.
   *
   * @param passwords empty if none is asked for
   */
  record Rules(
      Map<String, String> headers, Optional<Passwords> passwords, Optional<RateLimit> rate) {}

  private record Login(String user, String password) {}

  private final Lines lines;
  private final Consumer<String> refused;
  private final ExecutorService checks;
  private volatile Rules rules;

  /**
   * @param refused takes the reason of each refusal
   */
  Guard(Rules rules, Lines lines, Consumer<String> refused) {
    this.rules = rules;
    this.lines = lines;
    this.refused = refused;
    // One thread, so that who guesses passwords can take one core at most.
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            1,
            1,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MAX_WAITING),
            task -> {
              Thread thread = new Thread(task, "passwords");
              thread.setDaemon(true);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    this.checks = pool;
  }

  void follow(Rules newRules) {
    rules = newRules;
  }

  /**
   * @param next what answers a request that may pass
   */
  Handler<HttpServerRequest> before(Handler<HttpServerRequest> next) {
    return request -> handle(request, next);
  }

  private void handle(HttpServerRequest request, Handler<HttpServerRequest> next) {
    Rules current = rules;
    if (current.rate().isPresent() && !current.rate().get().take()) {
      refuse(request, 429, "rate_limit", "Too many requests");
      return;
    }
    current.headers().forEach(request.response()::putHeader);
    if (current.passwords().isEmpty()) {
      next.handle(request);
      return;
    }
    Login login = login(request.getHeader("Authorization"));
    if (login == null) {
      unauthorized(request, "no_password");
      return;
    }
    Passwords passwords = current.passwords().get();
    switch (passwords.known(login.user(), login.password())) {
      case RIGHT -> next.handle(request);
      case WRONG -> wrongPassword(request);
      default -> check(request, next, passwords, login);
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
          // The same password may have waited in front of this one.
          Known known = passwords.known(login.user(), login.password());
          boolean right =
              known == Known.UNKNOWN
                  ? passwords.check(login.user(), login.password())
                  : known == Known.RIGHT;
          loop.runOnContext(unused -> checked(request, next, right));
        };
    try {
      checks.execute(check);
    } catch (RejectedExecutionException e) {
      request.resume();
      refuse(request, 503, "busy", "Too many passwords to check");
    }
  }

  private void checked(
      HttpServerRequest request, Handler<HttpServerRequest> next, boolean isRight) {
    request.resume();
    if (request.response().closed()) {
      return;
    }
    if (isRight) {
      next.handle(request);
    } else {
      wrongPassword(request);
    }
  }

  private void wrongPassword(HttpServerRequest request) {
    // Not the name: it can be the password, in the wrong field.
    lines.warn(
        "wrong password",
        "A wrong user or password for the pages came from "
            + request.remoteAddress().hostAddress());
    unauthorized(request, "wrong_password");
  }

  private void unauthorized(HttpServerRequest request, String reason) {
    request.response().putHeader("WWW-Authenticate", "Basic realm=\"ecoflow-exporter\"");
    refuse(request, 401, reason, "Unauthorized");
  }

  private void refuse(HttpServerRequest request, int status, String reason, String words) {
    refused.accept(reason);
    request
        .response()
        .setStatusCode(status)
        .putHeader("Content-Type", "text/plain; charset=utf-8")
        .end(words + "\n");
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
    checks.shutdownNow();
  }
}
