package ecoflow.web;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.testkit.Certificates;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ExporterJar;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Messages of the packaged jar about ECOFLOW_WEB_CONFIG_FILE. */
class ProtectionIT {

  private static final String USERS =
      "basic_auth_users: {alice: $2y$05$ucUAOEqlIr/YW6m5uY6uSef6ldXfiNa2bdxCtJR89RIMm094OIKHW}\n";

  private static final String TLS =
      "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";

  @RegisterExtension static final CloudExtension clouds = new CloudExtension();

  @RegisterExtension final ExporterJar jar = new ExporterJar(clouds);

  @TempDir Path directory;
  private Path webConfig;

  @BeforeEach
  void nameFile() {
    webConfig = directory.resolve("web.yml");
  }

  private void start() {
    jar.start("rest", "ECOFLOW_WEB_CONFIG_FILE=" + webConfig);
  }

  private void newCertificate() {
    new Certificates("CA")
        .issue("localhost")
        .writeTo(directory.resolve("server.crt"), directory.resolve("server.key"));
  }

  private void assertRejected(String yaml, String problem) throws Exception {
    Files.writeString(webConfig, yaml);
    start();
    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of(
            "ecoflow-exporter: ECOFLOW_WEB_CONFIG_FILE=" + webConfig + " is not valid: " + problem),
        jar.log());
  }

  @Test
  void anInvalidFileIsOneLineAndEndsTheStart() throws Exception {
    assertRejected("basic_auth_user: {}", "unknown field basic_auth_user");
    assertRejected(
        TLS, "cert_file: cannot read " + directory.resolve("server.crt") + ": it does not exist");
    newCertificate();
    new Certificates("CA")
        .issue("localhost")
        .writeTo(directory.resolve("server.crt"), directory.resolve("other.key"));
    assertRejected(TLS, "the key does not match the certificate");
    assertRejected(
        withSuite("TLS_RSA_WITH_AES_128_CBC_SHA"),
        "tls_server_config.cipher_suites: TLS_RSA_WITH_AES_128_CBC_SHA is not allowed: for TLS 1.2,"
            + " expected ECDHE with AES-GCM, ChaCha20-Poly1305 or AES-CBC-SHA");
  }

  private static String withSuite(String suite) {
    return TLS.replace("}", ", cipher_suites: [" + suite + "]}");
  }

  @Test
  void aWeakCipherSuiteIsAWarning() throws Exception {
    newCertificate();
    String suite = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA";
    Files.writeString(webConfig, withSuite(suite) + USERS);
    start();
    String address = "https://localhost:" + jar.port();
    jar.awaitLine(
        "Metrics are at " + address + "/metrics, the landing page is at " + address + "/");
    assertEquals(
        List.of(
            "ECOFLOW_WEB_CONFIG_FILE: cipher_suites contains CBC suites for TLS 1.2, which are weaker than"
                + " GCM: "
                + suite),
        jar.log(" WARN Protection - "));
  }

  @Test
  void anInvalidChangeIsOneLineAndThePagesStayProtected() throws Exception {
    newCertificate();
    Files.writeString(webConfig, TLS + USERS);
    start();
    jar.awaitLine("Metrics are at https://localhost:" + jar.port() + "/metrics");

    Files.writeString(webConfig, "oops");
    jar.awaitLine(" has changed and is not valid: expected a mapping; ");
    Files.writeString(webConfig, USERS);
    jar.awaitLine(
        " is not valid: enabling or disabling TLS requires a restart; the previous configuration");
    Files.writeString(directory.resolve("server.crt"), "nothing");
    Files.writeString(webConfig, TLS + USERS);
    jar.awaitLine(" is not valid: the certificate or the key is not valid PEM (");
    Files.writeString(webConfig, TLS + "  {client_auth_type: x}");
    jar.awaitLine(" is not valid: line 2: ");
    Files.delete(webConfig);
    jar.awaitLine(" is not valid: it does not exist; ");
    assertEquals(5, jar.log(" WARN Protection - ").size(), () -> "" + jar.log());

    // The certificate is written after the file that requires it, as when both are copied.
    Files.writeString(webConfig, TLS + USERS);
    eventually(() -> assertEquals(6, jar.log(" WARN Protection - ").size()));
    newCertificate();
    jar.awaitLine("ECOFLOW_WEB_CONFIG_FILE reloaded");
    assertEquals(143, jar.terminate());
    assertTrue(jar.log(" ERROR ").isEmpty(), () -> "" + jar.log());
  }
}
