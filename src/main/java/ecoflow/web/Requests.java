package ecoflow.web;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.Locale;
import java.util.regex.Pattern;

/** Checks of requests before they are processed. */
final class Requests {

  private static final Pattern HOST =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?");

  /**
   * Characters of RFC 3986; a query can also contain brackets, which many clients do not encode.
   */
  private static final Pattern PATH =
      Pattern.compile("(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*+");

  private static final Pattern QUERY =
      Pattern.compile("(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\\[\\]-]|%[0-9A-Fa-f]{2})*+");
  private static final Pattern ABSOLUTE = Pattern.compile("https?://[^/?#]*(?=[/?])");

  private static final Pattern LOOPBACK =
      Pattern.compile(
          "(?:localhost|.+\\.localhost|127(?:\\.[0-9]{1,3}){3}|\\[::1])(?::[0-9]{1,5})?");

  private Requests() {}

  static boolean isWellFormed(HttpServerRequest request) {
    return hasOneHost(request) && isUri(request.uri());
  }

  private static boolean hasOneHost(HttpServerRequest request) {
    int hosts = request.headers().getAll("Host").size();
    return hosts == 0
        ? request.version() == HttpVersion.HTTP_1_0
        : hosts == 1 && HOST.matcher(request.getHeader("Host")).matches();
  }

  private static boolean isUri(String uri) {
    String relative = uri.startsWith("/") ? uri : ABSOLUTE.matcher(uri).replaceFirst("");
    int query = relative.indexOf('?');
    return relative.startsWith("/")
        && PATH.matcher(query < 0 ? relative : relative.substring(0, query)).matches()
        && (query < 0 || QUERY.matcher(relative.substring(query + 1)).matches());
  }

  /**
   * Whether the header Host names this machine. With DNS rebinding, a browser sends the name of
   * another site.
   */
  static boolean isForLoopback(HttpServerRequest request) {
    String host = request.getHeader("Host");
    return host == null || LOOPBACK.matcher(host.toLowerCase(Locale.ROOT)).matches();
  }

  /** Whether the body is a multipart form, whose files Vert.x would write to a directory. */
  static boolean isUpload(HttpServerRequest request) {
    String type = request.getHeader("Content-Type");
    return type != null && type.strip().toLowerCase(Locale.ROOT).startsWith("multipart/");
  }

  /**
   * The length of the body; 0 without a body, {@code unknown} if the client does not send the
   * length.
   */
  static long body(HttpServerRequest request, long unknown) {
    if (request.headers().contains("Transfer-Encoding")) {
      return unknown;
    }
    String length = request.getHeader("Content-Length");
    // Netty has already rejected invalid numbers.
    return length == null || length.isBlank() ? 0 : Long.parseLong(length.strip());
  }
}
