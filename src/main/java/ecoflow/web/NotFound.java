package ecoflow.web;

import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The response to a request for an unknown path: a page for browsers, otherwise one line. */
final class NotFound {

  /** The hash of the page's style. */
  private static final String POLICY =
      "default-src 'none'; style-src 'sha256-OSkYVemBNcIA6J7LmsAoycC4acAQI4OxrWZbppyhuNc='; img-src data:; base-uri 'none';"
          + " form-action 'none'; frame-ancestors 'self'";

  /** Limits the size of the page. */
  private static final int MAX_DEPTH = 10;

  private NotFound() {}

  static void respond(RoutingContext context) {
    String accept = context.request().getHeader("Accept");
    HttpServerResponse response = context.response().setStatusCode(404);
    response.putHeader("Vary", "Accept");
    if (accept != null && accept.contains("text/html")) {
      response
          .putHeader("Content-Type", "text/html; charset=utf-8")
          .putHeader("Content-Security-Policy", POLICY)
          .putHeader("Referrer-Policy", "no-referrer")
          .end(page(root(context.request().path())));
    } else {
      response
          .putHeader("Content-Type", "text/plain; charset=utf-8")
          .end("Not found. The metrics are at /metrics.\n");
    }
  }

  /** The relative address of the landing page, because a proxy can add a prefix to all paths. */
  private static String root(String path) {
    long depth = path.chars().filter(character -> character == '/').count() - 1;
    if (depth > MAX_DEPTH) {
      return "/";
    }
    return depth <= 0 ? "./" : "../".repeat((int) depth);
  }

  private static String page(String root) {
    try (InputStream in = NotFound.class.getResourceAsStream("404.html")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("{{root}}", root);
    } catch (IOException e) {
      throw new UncheckedIOException("404.html", e);
    }
  }
}
