package ecoflow.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.Certificates;
import ecoflow.testkit.ExporterExtension;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The web server supports only HTTP/1.1, also for clients that request HTTP/2. */
class HttpVersionTest {

  private static final Certificates AUTHORITY = new Certificates("Test CA");

  /** The preface of an HTTP/2 client and an empty SETTINGS frame (RFC 9113, 3.4 and 6.5). */
  private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";

  /** The content of the web config file. */
  private enum Web {
    NO_FILE,
    HEADERS,
    TLS
  }

  @RegisterExtension
  final ExporterExtension exporter =
      ExporterExtension.rest()
          .with(
              new SimulatedDevice("R331ZWEB00000001", "Garage", "DELTA 2", WireFormat.JSON)
                  .set(Map.of("pd.soc", 81)));

  @TempDir Path directory;

  private void start(Web web) throws IOException {
    if (web == Web.NO_FILE) {
      exporter.start();
      return;
    }
    AUTHORITY
        .issue("localhost")
        .writeTo(directory.resolve("server.crt"), directory.resolve("server.key"));
    Path file =
        Files.writeString(
            directory.resolve("web.yml"),
            web == Web.TLS
                ? "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
                    + "http_server_config: {http2: true}\n"
                : "http_server_config: {http2: true, headers: {X-Frame-Options: deny}}\n");
    exporter.start("ECOFLOW_WEB_CONFIG_FILE=" + file);
  }

  /** Without TLS, the client sends the header of an upgrade to h2c; with TLS, it offers h2. */
  @ParameterizedTest
  @EnumSource(Web.class)
  void upgradesAreIgnored(Web web) throws Exception {
    start(web);
    HttpClient client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_2)
            .sslContext(AUTHORITY.client())
            .build();
    String scheme = web == Web.TLS ? "https" : "http";
    HttpResponse<String> response =
        client.send(
            HttpRequest.newBuilder(
                    URI.create(scheme + "://localhost:" + exporter.http().port() + "/metrics"))
                .build(),
            BodyHandlers.ofString());
    assertEquals(200, response.statusCode());
    assertEquals(HttpClient.Version.HTTP_1_1, response.version());
    assertTrue(response.body().contains("ecoflow_exporter_build_info"), response.body());
  }

  @ParameterizedTest
  @EnumSource(Web.class)
  void aClientThatStartsWithHttp2IsRejected(Web web) throws Exception {
    start(web);
    String answer = answer(web, PREFACE);
    // A status line as text, not a SETTINGS frame.
    assertTrue(answer.startsWith("HTTP/2.0 501 "), answer);
    answer = answer(web, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
  }

  @ParameterizedTest
  @EnumSource(Web.class)
  void allRequestsOfALongPipelineAreAnswered(Web web) throws Exception {
    start(web);
    String request = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n";
    String last = request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    String answers = answer(web, request.repeat(199) + last);
    assertEquals(200, Pattern.compile("HTTP/1\\.1 200 ").matcher(answers).results().count());
  }

  /** Reads until the server closes the connection. */
  private String answer(Web web, String request) throws IOException {
    int port = exporter.http().port();
    try (Socket socket =
        web == Web.TLS
            ? AUTHORITY.client().getSocketFactory().createSocket("localhost", port)
            : new Socket("localhost", port)) {
      socket.setSoTimeout(30_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.getOutputStream().flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }
}
