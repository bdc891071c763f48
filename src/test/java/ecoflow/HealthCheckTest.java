package ecoflow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.net.httpserver.HttpServer;
import ecoflow.testkit.Certificates;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The result of the image's HEALTHCHECK for responses of the exporter. */
class HealthCheckTest {

  private static final Certificates AUTHORITY = new Certificates("Test CA");

  private static final String USERS =
      """
      basic_auth_users:
        alice: $2y$05$ucUAOEqlIr/YW6m5uY6uSef6ldXfiNa2bdxCtJR89RIMm094OIKHW
      """;

  private static final String TLS =
      """
      tls_server_config:
        cert_file: server.crt
        key_file: server.key
      """;

  private static final String CLIENTS =
      TLS
          + """
            client_auth_type: RequireAndVerifyClientCert
            client_ca_file: ca.crt
          """;

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.rest();

  @TempDir Path directory;
  private final AtomicInteger status = new AtomicInteger(200);
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/-/healthy",
        exchange -> {
          exchange.sendResponseHeaders(status.get(), 0);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void end() {
    server.stop(0);
  }

  private static int check(String port) {
    return HealthCheck.run(Map.of("EXPORTER_PORT", port));
  }

  @Test
  void succeedsForAHealthyExporter() {
    String port = Integer.toString(server.getAddress().getPort());
    assertEquals(0, check(port));
    assertEquals(0, check(" " + port + " "), "as the exporter reads it");
  }

  @ParameterizedTest
  @ValueSource(ints = {404, 500, 503})
  void failsForOtherResponses(int code) {
    status.set(code);
    assertEquals(1, check(Integer.toString(server.getAddress().getPort())));
  }

  @Test
  void failsWithoutResponse() {
    assertEquals(1, check(Integer.toString(Ports.next())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "0", "65536", "-1"})
  void failsForAnInvalidPort(String port) {
    assertEquals(1, check(port));
  }

  /** The image does not contain a password or a certificate. */
  @Test
  void requiresNeitherPasswordNorCertificate() throws IOException {
    for (String yaml : new String[] {USERS, USERS + TLS, CLIENTS}) {
      AUTHORITY
          .issue("localhost")
          .writeTo(directory.resolve("server.crt"), directory.resolve("server.key"));
      AUTHORITY.writeAuthority(directory.resolve("ca.crt"));
      String webConfig = "" + Files.writeString(directory.resolve("web.yml"), yaml);
      exporter.start("ECOFLOW_WEB_CONFIG_FILE=" + webConfig);
      String port = Integer.toString(exporter.http().port());
      Map<String, String> variables =
          Map.of("EXPORTER_PORT", port, "ECOFLOW_WEB_CONFIG_FILE", webConfig);
      assertEquals(0, HealthCheck.run(variables), yaml);
      exporter.stop();
      assertEquals(1, HealthCheck.run(variables), yaml);
    }
  }

  /** The connection is reset before the alert of the server arrives. */
  @ParameterizedTest
  @CsvSource({"RequireAndVerifyClientCert, 0", "'', 1"})
  void acceptsAResetOfServersThatRequireACertificate(String clients, int expected)
      throws Exception {
    Path webConfig = directory.resolve("web.yml");
    Files.writeString(webConfig, clients.isEmpty() ? TLS : CLIENTS);
    SSLContext keys = AUTHORITY.client(AUTHORITY.issue("localhost"));
    try (ServerSocket server =
        keys.getServerSocketFactory().createServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CompletableFuture<Void> reset =
          CompletableFuture.runAsync(
              () -> {
                try (SSLSocket accepted = (SSLSocket) server.accept()) {
                  accepted.startHandshake();
                  accepted.setSoLinger(true, 0);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      Map<String, String> variables =
          Map.of(
              "EXPORTER_PORT",
              "" + server.getLocalPort(),
              "ECOFLOW_WEB_CONFIG_FILE",
              "" + webConfig);
      assertEquals(expected, HealthCheck.run(variables));
      reset.join();
    }
    assertEquals(
        1,
        HealthCheck.run(
            Map.of("EXPORTER_PORT", "" + Ports.next(), "ECOFLOW_WEB_CONFIG_FILE", "" + webConfig)),
        "closed port");
  }

  @Test
  void usesTheListenAddress() {
    exporter.start("ECOFLOW_LISTEN_ADDRESS=127.0.0.2");
    String port = "" + exporter.http().port();
    assertEquals(1, check(port));
    assertEquals(
        0, HealthCheck.run(Map.of("EXPORTER_PORT", port, "ECOFLOW_LISTEN_ADDRESS", "127.0.0.2")));
  }
}
