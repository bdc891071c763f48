package ecoflow.web;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.Certificates;
import ecoflow.testkit.ExporterExtension;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Access to the pages: ECOFLOW_WEB_CONFIG_FILE and ECOFLOW_LISTEN_ADDRESS. */
class ProtectionTest {

  /** Created with htpasswd -nbB -C 5. */
  private static final String S3CRET =
      "$2y$05$ucUAOEqlIr/YW6m5uY6uSef6ldXfiNa2bdxCtJR89RIMm094OIKHW";

  private static final String PAESS =
      "$2y$05$BhvONjzS33u7uTuq7dSKye6ELiF.Ms7PWx7AIoLkqm8cFLgK1sHku";

  /** Created with htpasswd -nbB -C 14: a check takes about a second. */
  private static final String SLOW_S3CRET =
      "$2y$14$aYMMHDW5nVEwVD1cy6u8LOptydUZSuOrw607uY8VKX714koQG2ZGy";

  private static final String USERS =
      """
      basic_auth_users:
        alice: %s
        bob: %s
      """
          .formatted(S3CRET, PAESS);

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

  private static final Certificates AUTHORITY = new Certificates("Test CA");

  @RegisterExtension
  final ExporterExtension exporter =
      ExporterExtension.rest()
          .with(
              new SimulatedDevice("R331ZWEB00000001", "Garage", "DELTA 2", WireFormat.JSON)
                  .set(Map.of("pd.soc", 81)));

  @TempDir Path directory;
  private Path webConfig;

  private void start(String yaml) throws IOException {
    webConfig = Files.writeString(directory.resolve("web.yml"), yaml);
    exporter.start("ECOFLOW_WEB_CONFIG_FILE=" + webConfig);
  }

  /** A certificate for localhost as server.crt, with its key. */
  private Certificates.Pair newCertificate() {
    Certificates.Pair pair = AUTHORITY.issue("localhost");
    pair.writeTo(directory.resolve("server.crt"), directory.resolve("server.key"));
    return pair;
  }

  private static String basic(String login) {
    return "Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
  }

  private HttpResponse<String> get(String path, String login) {
    return login == null
        ? exporter.http().get(path)
        : exporter.http().get(path, "Authorization", basic(login));
  }

  private HttpClient client(SSLContext tls) {
    return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(tls).build();
  }

  private HttpRequest request(String path) {
    return HttpRequest.newBuilder(URI.create("https://localhost:" + exporter.http().port() + path))
        .build();
  }

  private HttpResponse<String> get(SSLContext tls, String path)
      throws IOException, InterruptedException {
    return client(tls).send(request(path), BodyHandlers.ofString());
  }

  /** The number of requests that were refused for a reason. */
  private double refused(String reason) {
    String name = "ecoflow_web_requests_refused_total{reason=\"" + reason + "\"} ";
    return get("/metrics", "alice:s3cret")
        .body()
        .lines()
        .filter(line -> line.startsWith(name))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/metrics", "/-/healthy", "/-/ready", "/", "/nowhere"})
  void allPathsRequireAPassword(String path) throws IOException {
    start(USERS);
    int open = get(path, "alice:s3cret").statusCode();
    assertTrue(open != 401, () -> path + " " + open);
    for (String login : new String[] {null, "alice:s3cre", "mallory:s3cret", "alice", ":", ""}) {
      HttpResponse<String> answer = get(path, login);
      assertEquals(401, answer.statusCode(), login);
      assertTrue(answer.headers().firstValue("WWW-Authenticate").orElse("").startsWith("Basic "));
      assertEquals("Unauthorized\n", answer.body());
    }
    assertEquals(401, exporter.http().get(path, "Authorization", "Bearer x").statusCode());
    assertEquals(401, exporter.http().get(path, "Authorization", "Basic %%%").statusCode());
  }

  @Test
  void eachUserHasAccessAndRefusalsAreCounted() throws IOException {
    start(USERS);
    assertEquals(0, refused("wrong_password"));
    assertEquals(200, get("/metrics", "bob:p\u00e4:ss").statusCode());
    assertEquals(401, get("/metrics", "bob:s3cret").statusCode());
    assertEquals(401, get("/metrics", "bob:s3cret").statusCode());
    assertEquals(401, get("/metrics", null).statusCode());
    assertEquals(2, refused("wrong_password"));
    assertEquals(1, refused("no_password"));
  }

  @Test
  void aBodyIsRejectedWithAndWithoutPassword() throws Exception {
    start(USERS);
    HttpRequest post =
        HttpRequest.newBuilder(
                URI.create("http://localhost:" + exporter.http().port() + "/metrics"))
            .header("Authorization", basic("alice:s3cret"))
            .POST(HttpRequest.BodyPublishers.ofString("x".repeat(1_000_000)))
            .build();
    HttpClient client = HttpClient.newHttpClient();
    assertEquals(413, client.send(post, BodyHandlers.ofString()).statusCode());
    assertEquals(200, get("/metrics", "alice:s3cret").statusCode());
  }

  @Test
  void aPasswordCheckDoesNotDelayOthers() throws Exception {
    start(USERS + "  carol: " + SLOW_S3CRET + "\n");
    assertEquals(200, get("/metrics", "alice:s3cret").statusCode());
    HttpRequest slow =
        HttpRequest.newBuilder(
                URI.create("http://localhost:" + exporter.http().port() + "/metrics"))
            .header("Authorization", basic("carol:s3cret"))
            .build();
    CompletableFuture<HttpResponse<String>> answer =
        HttpClient.newHttpClient().sendAsync(slow, BodyHandlers.ofString());
    boolean overtook = false;
    while (!answer.isDone()) {
      assertEquals(200, get("/-/healthy", "alice:s3cret").statusCode());
      overtook = overtook || !answer.isDone();
    }
    assertEquals(200, answer.join().statusCode());
    assertTrue(overtook, "response during a password check");
  }

  @Test
  void guessesOfOneAddressDoNotBlockAnother() throws Exception {
    start(USERS + "  carol: " + SLOW_S3CRET + "\n");
    List<Socket> guesses = new ArrayList<>();
    List<Socket> more = new ArrayList<>();
    try {
      for (int i = 0; i < 80; i++) {
        guesses.add(guess(i));
      }
      // All checks are busy, so some guesses are refused without a check.
      eventually(() -> assertTrue(answered(guesses) > 0));
      assertEquals(200, get("/metrics", "alice:s3cret").statusCode());
      assertTrue(answered(guesses) < 40, "before the guesses are checked");

      // Refusals are delayed, so that clients that guess again at once do not use all CPU time.
      for (int i = 0; i < 5; i++) {
        more.add(guess(i));
      }
      for (int i = 0; i < 3; i++) {
        assertEquals(200, get("/-/healthy", "alice:s3cret").statusCode());
      }
      assertEquals(0, answered(more));
      eventually(() -> assertTrue(answered(more) > 0));
    } finally {
      for (Socket socket : guesses) {
        socket.close();
      }
      for (Socket socket : more) {
        socket.close();
      }
    }
  }

  private Socket guess(int number) throws IOException {
    Socket socket = new Socket();
    socket.bind(new InetSocketAddress("127.0.0.3", 0));
    socket.connect(new InetSocketAddress("127.0.0.1", exporter.http().port()));
    String request =
        "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: "
            + basic("carol:guess" + number)
            + "\r\n\r\n";
    socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  private static long answered(List<Socket> sockets) {
    return sockets.stream()
        .filter(
            socket -> {
              try {
                return socket.getInputStream().available() > 0;
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            })
        .count();
  }

  /** Nothing writes to the pipe, as for a file on an unresponsive share. */
  @Test
  void anUnreadableFileBlocksNeitherPagesNorShutdown() throws Exception {
    newCertificate();
    start(TLS + USERS);
    for (String name : new String[] {"server.key", "web.yml"}) {
      Path file = directory.resolve(name);
      byte[] content = Files.readAllBytes(file);
      Path pipe = directory.resolve("pipe");
      assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
      Files.move(pipe, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      // Longer than two checks of the files: a changed file after it proves that the checks
      // continue.
      for (int i = 0; i < 100; i++) {
        assertEquals(401, get(AUTHORITY.client(), "/metrics").statusCode());
      }
      Files.write(directory.resolve("next"), content);
      Files.move(
          directory.resolve("next"), file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }
    Certificates.Pair second = newCertificate();
    eventually(() -> assertEquals(second.certificate().getSerialNumber(), served()));
  }

  @Test
  void requestsOverTheLimitAreRefused() throws IOException {
    start("rate_limit: {interval: 1h, burst: 3}\n");
    for (int i = 0; i < 3; i++) {
      assertEquals(200, get("/-/healthy", null).statusCode());
    }
    assertEquals(429, get("/-/healthy", null).statusCode());
  }

  @Test
  void allResponsesHaveTheHeaders() throws IOException {
    start("http_server_config: {headers: {X-Frame-Options: deny}}\n" + USERS);
    for (String login : new String[] {null, "alice:s3cret"}) {
      for (String path : new String[] {"/metrics", "/nowhere"}) {
        assertEquals(
            "deny", get(path, login).headers().firstValue("X-Frame-Options").orElse(""), path);
      }
    }
  }

  @Test
  void thePagesAreOnlyServedWithHttps() throws Exception {
    newCertificate();
    start(TLS);
    HttpResponse<String> answer = get(AUTHORITY.client(), "/metrics");
    assertEquals(200, answer.statusCode());
    assertTrue(answer.body().contains("ecoflow_exporter_build_info"));
    assertEquals("TLSv1.3", answer.sslSession().orElseThrow().getProtocol());
    assertThrows(UncheckedIOException.class, () -> get("/metrics", null));
    assertThrows(
        SSLException.class, () -> get(new Certificates("Another CA").client(), "/metrics"));
  }

  @Test
  void versionsAndCiphersFollowTheFile() throws Exception {
    newCertificate();
    start(
        TLS
            + "  max_version: TLS12\n"
            + "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n");
    HttpResponse<String> answer = get(AUTHORITY.client(), "/-/healthy");
    assertEquals("TLSv1.2", answer.sslSession().orElseThrow().getProtocol());
    assertEquals(
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        answer.sslSession().orElseThrow().getCipherSuite());
  }

  private SSLSocket connect(String cipher) throws IOException {
    SSLSocket socket =
        (SSLSocket)
            AUTHORITY.client().getSocketFactory().createSocket("localhost", exporter.http().port());
    socket.setEnabledProtocols(new String[] {"TLSv1.2"});
    socket.setEnabledCipherSuites(new String[] {cipher});
    return socket;
  }

  @Test
  void ciphersWithoutForwardSecrecyOrWithCbcAreNotOffered() throws IOException {
    AUTHORITY
        .issue("localhost", "RSA", 2048, "SHA256")
        .writeTo(directory.resolve("server.crt"), directory.resolve("server.key"));
    start(TLS);
    for (String cipher :
        new String[] {
          "TLS_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
          "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"
        }) {
      try (SSLSocket socket = connect(cipher)) {
        assertThrows(SSLException.class, socket::startHandshake, cipher);
      }
    }
    try (SSLSocket socket = connect("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")) {
      socket.startHandshake();
    }
  }

  /** Java reads the property at its first handshake, so the build sets it for all tests. */
  @Test
  void renegotiationIsRejected() throws IOException {
    String property = "jdk.tls.rejectClientInitiatedRenegotiation";
    assertEquals("true", System.clearProperty(property), "set by the build");
    newCertificate();
    start(TLS);
    assertEquals("true", System.getProperty(property), "set by the exporter");
    try (SSLSocket socket = connect("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")) {
      socket.startHandshake();
      socket.startHandshake();
      assertThrows(IOException.class, () -> socket.getInputStream().read());
    }
  }

  @Test
  void aClientRequiresACertificateOfTheAuthority() throws Exception {
    newCertificate();
    AUTHORITY.writeAuthority(directory.resolve("ca.crt"));
    start(CLIENTS);
    assertEquals(
        200, get(AUTHORITY.client(AUTHORITY.issue("prometheus")), "/metrics").statusCode());
    assertThrows(IOException.class, () -> get(AUTHORITY.client(), "/metrics"));
    Certificates others = new Certificates("Test CA");
    assertThrows(
        IOException.class, () -> get(AUTHORITY.client(others.issue("prometheus")), "/metrics"));
  }

  @Test
  void aClientRequiresAnAllowedName() throws Exception {
    newCertificate();
    AUTHORITY.writeAuthority(directory.resolve("ca.crt"));
    start(CLIENTS + "  client_allowed_sans: [prometheus, 10.0.0.1]\n");
    assertEquals(
        200, get(AUTHORITY.client(AUTHORITY.issue("prometheus")), "/metrics").statusCode());
    assertThrows(
        IOException.class, () -> get(AUTHORITY.client(AUTHORITY.issue("grafana")), "/metrics"));
  }

  private BigInteger served() {
    try (SSLSocket socket =
        (SSLSocket)
            AUTHORITY
                .client()
                .getSocketFactory()
                .createSocket("localhost", exporter.http().port())) {
      socket.startHandshake();
      return ((X509Certificate) socket.getSession().getPeerCertificates()[0]).getSerialNumber();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Without a request, because a client that does not trust the old certificate does not send one.
   */
  @Test
  void aNewCertificateIsUsedWithoutARestart() throws Exception {
    Certificates.Pair first = newCertificate();
    start(TLS);
    assertEquals(first.certificate().getSerialNumber(), served());

    // A new key does not match the certificate: the previous pair stays in use.
    AUTHORITY
        .issue("localhost")
        .writeTo(directory.resolve("unused.crt"), directory.resolve("server.key"));
    Certificates.Pair second = AUTHORITY.issue("localhost");
    assertEquals(first.certificate().getSerialNumber(), served());

    second.writeTo(directory.resolve("server.crt"), directory.resolve("server.key"));
    eventually(() -> assertEquals(second.certificate().getSerialNumber(), served()));
    assertEquals(200, get(AUTHORITY.client(), "/metrics").statusCode());
  }

  @Test
  void changedUsersAreAppliedAndAnInvalidFileIsIgnored() throws IOException {
    start(USERS);
    assertEquals(200, get("/metrics", "alice:s3cret").statusCode());
    Files.writeString(webConfig, "basic_auth_users: {bob: " + PAESS + "}\n");
    eventually(() -> assertEquals(401, get("/metrics", "alice:s3cret").statusCode()));
    assertEquals(200, get("/metrics", "bob:p\u00e4:ss").statusCode());

    // The change after the invalid file proves that the exporter read the invalid file.
    Files.writeString(webConfig, "basic_auth_user: {}\n");
    Path next = directory.resolve("next.yml");
    Files.writeString(next, USERS);
    assertEquals(401, get("/metrics", null).statusCode());
    Files.move(next, webConfig, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    eventually(() -> assertEquals(200, get("/metrics", "alice:s3cret").statusCode()));
  }

  @Test
  void withoutTheFileThePagesAreOpen() {
    exporter.start();
    HttpResponse<String> answer = get("/metrics", null);
    assertEquals(200, answer.statusCode());
    assertFalse(answer.body().contains("_password"));
  }

  @Test
  void theServerCanListenOnOneAddress() throws IOException {
    exporter.start("ECOFLOW_LISTEN_ADDRESS=127.0.0.2");
    int port = exporter.http().port();
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress("127.0.0.2", port));
    }
    try (Socket socket = new Socket()) {
      assertThrows(
          ConnectException.class, () -> socket.connect(new InetSocketAddress("127.0.0.1", port)));
    }
  }

  @Test
  void anAddressOfAnotherMachineIsOneLine() {
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class, () -> exporter.start("ECOFLOW_LISTEN_ADDRESS=192.0.2.1"));
    assertEquals(
        "ECOFLOW_LISTEN_ADDRESS=192.0.2.1 is not an address of this machine",
        e.getCause().getMessage());
  }
}
