package ecoflow.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;

/** A client of an exporter's web server on a local port. */
public record LocalHttp(int port) {

  /** Like Prometheus: without an upgrade to HTTP/2. */
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  /** {@code headers} are pairs of name and value. */
  public HttpResponse<String> get(String path, String... headers) {
    return send("GET", path, BodyHandlers.ofString(), headers);
  }

  /**
   * {@code headers} are pairs of name and value.
   *
   * @throws UncheckedIOException if there is no response
   */
  public <T> HttpResponse<T> send(
      String method, String path, BodyHandler<T> body, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
            .method(method, HttpRequest.BodyPublishers.noBody());
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      return CLIENT.send(request.build(), body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
