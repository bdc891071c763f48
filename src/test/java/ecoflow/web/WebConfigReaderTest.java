package ecoflow.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.web.WebConfig.ClientAuth;
import ecoflow.web.WebConfig.Tls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The format: files for other exporters must work unchanged. */
class WebConfigReaderTest {

  private static final String HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG";
  private static final Path DIRECTORY = Path.of("/etc/web");

  private static WebConfig read(String yaml) throws WebConfigException {
    return WebConfigReader.read(yaml, DIRECTORY);
  }

  private static String problem(String yaml) {
    return assertThrows(WebConfigException.class, () -> read(yaml)).getMessage();
  }

  @Test
  void allFieldsAreSupported() throws WebConfigException {
    WebConfig config =
        read(
            """
            tls_server_config:
              cert_file: server.crt
              key_file: /keys/server.key
              client_auth_type: RequireAndVerifyClientCert
              client_ca_file: ca.crt
              client_allowed_sans: [prometheus, 10.0.0.1]
              min_version: TLS12
              max_version: TLS13
              cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]
              prefer_server_cipher_suites: true
              curve_preferences: [X25519, CurveP256]
            http_server_config:
              http2: true
              headers:
                Content-Security-Policy: default-src 'none'
                X-Frame-Options: deny
                X-Content-Type-Options: nosniff
                X-XSS-Protection: "0"
                Strict-Transport-Security: max-age=31536000
            basic_auth_users:
              alice: %s
              007: %s
            rate_limit:
              interval: 1m1.5s
              burst: 20
            """
                .formatted(HASH, HASH));
    Tls tls = config.tls().orElseThrow();
    assertEquals(
        List.of(
            DIRECTORY.resolve("server.crt"),
            Path.of("/keys/server.key"),
            DIRECTORY.resolve("ca.crt")),
        tls.files());
    assertEquals(ClientAuth.REQUIRE_AND_VERIFY, tls.clientAuth());
    assertEquals(List.of("prometheus", "10.0.0.1"), tls.allowedSans());
    assertEquals(List.of("TLSv1.2", "TLSv1.3"), tls.protocols());
    // The file cannot select the suites of TLS 1.3.
    assertEquals("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", tls.ciphers().get(0));
    assertTrue(tls.ciphers().contains("TLS_AES_128_GCM_SHA256"));
    assertEquals(5, config.headers().size());
    assertEquals("0", config.headers().get("X-XSS-Protection"));
    assertEquals(2, config.users().size());
    assertEquals(HASH, config.users().get("alice"));
    assertEquals(Duration.ofMillis(61_500), config.rate().orElseThrow().interval());
    assertEquals(20, config.rate().orElseThrow().burst());
    assertFalse(config.toString().contains("alice"));
  }

  @Test
  void readmeExampleIsValid() throws Exception {
    Matcher example =
        Pattern.compile("(?s)```yaml\n(tls_server_config:.*?)```")
            .matcher(Files.readString(Path.of("docs/MANUAL.md")));
    assertTrue(example.find());
    WebConfig config = read(example.group(1));
    assertEquals(ClientAuth.REQUIRE_AND_VERIFY, config.tls().orElseThrow().clientAuth());
    assertEquals(Map.of("prometheus", HASH), config.users());
  }

  @Test
  void fileCanContainPem() throws WebConfigException {
    Tls tls = read("tls_server_config: {cert: C, key: K, max_version: TLS12}").tls().orElseThrow();
    assertEquals(List.of(), tls.files());
    assertEquals("C", tls.certificate().text());
    assertEquals(List.of("TLSv1.2"), tls.protocols());
    assertFalse(tls.toString().contains("text"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "# nothing",
        "tls_server_config:",
        "tls_server_config: {min_version: TLS13}",
        "rate_limit: {interval: 0, burst: 0}"
      })
  void emptyConfigurationProtectsNothing(String yaml) throws WebConfigException {
    assertEquals(new WebConfig(Optional.empty(), Map.of(), Map.of(), Optional.empty()), read(yaml));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tls_config: {} | unknown field tls_config",
        "tls_server_config: {cert_file: a, key_file: b, certfile: c} | tls_server_config: unknown field certfile",
        "tls_server_config: {cert_file: a} | tls_server_config: key_file is not set",
        "tls_server_config: {client_auth_type: NoClientCert} | tls_server_config: cert_file is not set",
        "tls_server_config: {cert: a, cert_file: a, key: b} | tls_server_config: cert and cert_file are both set",
        "tls_server_config: {cert: a, key: b, client_ca: c} | tls_server_config: client_ca_file requires a client_auth_type that requests certificates",
        "tls_server_config: {cert: a, key: b, client_auth_type: Maybe} | tls_server_config.client_auth_type: expected NoClientCert, RequestClientCert, RequireAndVerifyClientCert, RequireAnyClientCert, RequireClientCert, VerifyClientCertIfGiven",
        "tls_server_config: {cert: a, key: b, client_allowed_sans: [x]} | tls_server_config: client_allowed_sans requires client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert",
        "tls_server_config: {min_version: SSL3} | tls_server_config.min_version: expected TLS10, TLS11, TLS12, TLS13",
        "tls_server_config: {min_version: TLS13, max_version: TLS12} | tls_server_config: min_version is higher than max_version",
        "tls_server_config: {cipher_suites: [ROT13]} | tls_server_config.cipher_suites: ROT13 is not supported by Java",
        "tls_server_config: {cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]} | tls_server_config.cipher_suites: TLS_RSA_WITH_AES_128_GCM_SHA256 is not allowed: for TLS 1.2, expected ECDHE with AES-GCM, ChaCha20-Poly1305 or AES-CBC-SHA",
        "tls_server_config: {cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256]} | tls_server_config.cipher_suites: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 is not allowed: for TLS 1.2, expected ECDHE with AES-GCM, ChaCha20-Poly1305 or AES-CBC-SHA",
        "tls_server_config: {cipher_suites: [TLS_DHE_RSA_WITH_AES_256_GCM_SHA384]} | tls_server_config.cipher_suites: TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 is not allowed: for TLS 1.2, expected ECDHE with AES-GCM, ChaCha20-Poly1305 or AES-CBC-SHA",
        "tls_server_config: {curve_preferences: [Flat]} | tls_server_config.curve_preferences: expected CurveP256, CurveP384, CurveP521, X25519",
        "tls_server_config: {cert_file: [a]} | tls_server_config.cert_file: expected a string",
        "tls_server_config: yes | tls_server_config: expected a mapping",
        "http_server_config: {http2: maybe} | http_server_config.http2: expected false, true",
        "http_server_config: {headers: {Server: x}} | headers: unknown field Server",
        "http_server_config: {headers: {X-Frame-Options: allow}} | headers.X-Frame-Options: expected deny, sameorigin",
        "basic_auth_users: {alice: s3cret} | basic_auth_users.alice: expected a bcrypt hash, such as the output of htpasswd -nB",
        "basic_auth_users: [alice] | basic_auth_users: expected a mapping",
        "rate_limit: {interval: 1s} | rate_limit.burst: expected 1 or more, because 0 would reject all requests",
        "rate_limit: {interval: soon, burst: 1} | rate_limit.interval: expected a duration such as 500ms or 1s",
        "basic_auth_users: {a: b | line 1: expected ',' or '}', but got <stream end>",
      })
  void errorsAreReported(String yaml, String problem) {
    assertEquals(problem, problem(yaml));
  }

  /** The exporter toolkit accepts these suites. */
  @Test
  void cbcWithEcdheIsAcceptedAsWeak() throws WebConfigException {
    Tls tls =
        read("tls_server_config: {cert: C, key: K, cipher_suites: ["
                + "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}")
            .tls()
            .orElseThrow();
    assertEquals(List.of("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"), tls.weakCiphers());
  }

  @Test
  void errorsDoNotContainHashes() {
    assertFalse(problem("basic_auth_users: {alice: " + HASH + "x}").contains(HASH));
  }
}
