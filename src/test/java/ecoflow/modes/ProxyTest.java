package ecoflow.modes;

import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.CommandRun;
import ecoflow.cloud.CloudOptions;
import ecoflow.cloud.ServerCertificate;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Tinyproxy;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The exporter behind a forward proxy, Tinyproxy. */
class ProxyTest {

  private static final String SOC = "pd_soc";
  private static final String PASSWORD = "s3cret-value";
  private static final String LOGIN = "BasicAuth reader " + PASSWORD;

  /** Disables BoringSSL, which MQTT uses on most platforms. */
  private static final String JAVA_TLS = "-Dio.netty.handler.ssl.noOpenSsl=true";

  private final SimulatedDevice device =
      new SimulatedDevice("R331ZPROXY000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 71));

  @RegisterExtension
  final ExporterExtension exporter =
      ExporterExtension.device("MAX_RECONNECT_DELAY=1", "HTTP_RETRIES=0").with(device);

  @TempDir private Path directory;
  private final Page page = exporter.page();
  private SimulatedCloud cloud;
  private Tinyproxy proxy;
  private ChildProcess process;

  @BeforeAll
  static void needsTinyproxy() {
    assumeTrue(Tinyproxy.isInstalled(), "tinyproxy is not installed");
  }

  @BeforeEach
  void prepare() {
    cloud = exporter.cloud();
    proxy = new Tinyproxy(directory);
  }

  @AfterEach
  void stop() {
    exporter.stop();
    if (process != null) {
      process.close();
    }
    proxy.close();
  }

  private String https() {
    return "localhost:" + cloud.httpPort();
  }

  private String mqtt() {
    return "localhost:" + cloud.mqttPort();
  }

  private String variable(String name) {
    return name + "=http://" + proxy.address();
  }

  private void eventuallyShows(int soc) {
    device.set(Map.of("pd.soc", soc));
    page.eventuallyShows(device, SOC, soc);
  }

  /** Ignores the proxy variables of this machine. */
  private ChildProcess process(String mode, List<String> options, List<String> more) {
    List<String> all = new ArrayList<>(List.of("EXPORTER_PORT=" + Ports.next(), "no_proxy="));
    all.addAll(more);
    process =
        ChildProcess.exporter(
            directory,
            directory.resolve("log"),
            Variables.of(cloud, mode, all.toArray(String[]::new)),
            options);
    return process;
  }

  private List<String> warnings() {
    return process.lines().stream()
        .filter(line -> line.contains(" WARN "))
        .map(line -> line.replaceFirst("^.* - ", ""))
        .toList();
  }

  /** Asserts that the log has neither stack traces nor the password. */
  private void assertCleanLog() {
    process
        .lines()
        .forEach(
            line -> {
              assertTrue(line.matches("\\d{4}-\\d\\d-\\d\\dT.*"), () -> "" + process.lines());
              assertFalse(line.contains(PASSWORD), () -> "" + process.lines());
            });
  }

  @Nested
  class ThroughTheProxy {

    @ParameterizedTest
    @ValueSource(strings = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"})
    void callsWithDeveloperKeysUseTheProxy(String name) {
      proxy.start();
      exporter.startIn("rest", variable(name));
      page.eventuallyShows(device, SOC, 71);
      eventuallyShows(72);
      assertEquals(Set.of(https()), Set.copyOf(proxy.connects()));
    }

    @Test
    void callsFailWithoutTheProxyAndSucceedAfterItReturns() {
      proxy.start();
      exporter.startIn("rest", variable("HTTPS_PROXY"));
      page.eventuallyShows(device, SOC, 71);
      proxy.stop();
      int before = cloud.requests().size();
      page.eventuallyScrapes(device, "error", 3);
      assertEquals(before, cloud.requests().size(), "no call without the proxy");
      proxy.start();
      eventuallyShows(73);
      assertEquals(Set.of(https()), Set.copyOf(proxy.connects()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mqtt", "device", "open"})
    void callsAndMqttUseTheProxy(String mode) {
      proxy.start();
      exporter.startIn(mode, variable("HTTPS_PROXY"));
      page.eventuallyConnected(1);
      eventually(
          () -> {
            device.push(Map.of("pd.soc", 74));
            assertEquals(74, page.of(device, SOC));
          });
      assertEquals(Set.of(https(), mqtt()), Set.copyOf(proxy.connects()));
      assertEquals(1, cloud.connects().size());

      proxy.stop();
      page.eventuallyConnected(0);
      double reconnections = page.reconnections();
      eventually(() -> assertTrue(page.reconnections() >= reconnections + 2));
      assertEquals(1, cloud.connects().size(), "no connection without the proxy");
      proxy.start();
      page.eventuallyConnected(1);
      eventually(
          () -> {
            device.push(Map.of("pd.soc", 75));
            assertEquals(75, page.of(device, SOC));
          });
      assertTrue(proxy.connects().contains(mqtt()), () -> "" + proxy.connects());
    }

    @Test
    void theTlsOfJavaWorksBehindTheProxy() {
      proxy.start();
      process("device", List.of(JAVA_TLS), List.of(variable("HTTPS_PROXY")));
      process.awaitLine("Connected to MQTT broker " + mqtt());
      process.awaitLine(
          "Connections to EcoFlow use the proxy " + proxy.address() + " (HTTPS_PROXY)");
      assertEquals(Set.of(https(), mqtt()), Set.copyOf(proxy.connects()));
    }
  }

  @Nested
  class NoProxyList {

    @ParameterizedTest
    @CsvSource({
      "NO_PROXY, localhost, false, false",
      "no_proxy, *, false, false",
      "NO_PROXY, 'example.com,localhost:HTTPS', false, true",
      "NO_PROXY, localhost:MQTT, true, false",
      "NO_PROXY, '127.0.0.0/8,host', true, true"
    })
    void noProxyBypassesTheProxy(String name, String list, boolean https, boolean mqtt) {
      proxy.start();
      String ports =
          list.replace("HTTPS", "" + cloud.httpPort()).replace("MQTT", "" + cloud.mqttPort());
      exporter.start(variable("HTTPS_PROXY"), name + "=" + ports);
      page.eventuallyShows(device, SOC, 71);
      assertEquals(https, proxy.connects().contains(https()), () -> "" + proxy.connects());
      assertEquals(mqtt, proxy.connects().contains(mqtt()), () -> "" + proxy.connects());
    }
  }

  @Nested
  class Tls {

    @ParameterizedTest
    @EnumSource(value = ServerCertificate.class, names = "TRUSTED", mode = EnumSource.Mode.EXCLUDE)
    void certificatesAreCheckedBehindTheProxy(ServerCertificate certificate) {
      String[] oneAttempt = {variable("HTTPS_PROXY"), "ESTABLISH_ATTEMPTS=1"};
      proxy.start();
      cloud = exporter.moveTo(CloudOptions.DEFAULT.withMqttCertificate(certificate));
      exporter.startIn("mqtt", oneAttempt);
      assertEquals(1, exporter.exitCode());
      assertEquals(List.of(), cloud.connects());
      assertTrue(proxy.connects().contains(mqtt()), () -> "" + proxy.connects());

      cloud = exporter.moveTo(CloudOptions.DEFAULT.withHttpCertificate(certificate));
      exporter.startIn("rest", oneAttempt);
      assertEquals(1, exporter.exitCode());
      assertEquals(List.of(), cloud.requests());
      assertTrue(proxy.connects().contains(https()), () -> "" + proxy.connects());
    }

    @Test
    void theTlsOfJavaChecksTheNameOfTheBroker() {
      proxy.start();
      cloud =
          exporter.moveTo(CloudOptions.DEFAULT.withMqttCertificate(ServerCertificate.WRONG_NAME));
      process("mqtt", List.of(JAVA_TLS), List.of(variable("HTTPS_PROXY")));
      process.awaitLine("Cannot connect to EcoFlow: the certificate of the host is not trusted");
      assertEquals(List.of(), cloud.connects());
      assertTrue(proxy.connects().contains(mqtt()), () -> "" + proxy.connects());
    }
  }

  @Nested
  class Logins {

    @ParameterizedTest
    @ValueSource(strings = {"rest", "device"})
    void theLoginIsSentToTheProxy(String mode) {
      proxy.start(LOGIN);
      exporter.startIn(mode, "HTTPS_PROXY=http://reader:s3cret%2Dvalu%65@" + proxy.address());
      page.eventuallyShows(device, SOC, 71);
      eventuallyShows(72);
      assertEquals(
          mode.equals("rest") ? Set.of(https()) : Set.of(https(), mqtt()),
          Set.copyOf(proxy.connects()));
    }

    @Test
    void aLoginThatTheProxyRejectsIsOneLine() {
      proxy.start(LOGIN);
      process(
          "rest",
          List.of(),
          List.of(
              "https_proxy=http://reader:wrong-" + PASSWORD + "@" + proxy.address(),
              "ESTABLISH_ATTEMPTS=2",
              "RETRY_TIMEOUT=0.1"));
      assertEquals(1, process.exitCode());
      assertEquals(
          List.of(
              "Cannot get the device list from EcoFlow: the proxy "
                  + proxy.address()
                  + " (https_proxy) rejected the user or the password (HTTP 401) on "
                  + DEVICE_LIST
                  + "; attempt 1 of 2, next attempt in 0.1 s"),
          warnings());
      assertCleanLog();
      assertEquals(List.of(), cloud.requests());
    }
  }

  @Nested
  class Refusals {

    @Test
    void aCallRefusedByTheProxyIsNotAnErrorOfEcoFlow() {
      proxy.start();
      process("rest", List.of(), List.of(variable("HTTPS_PROXY")));
      String refused =
          "the proxy " + proxy.address() + " (HTTPS_PROXY) refused the connection to " + https();
      process.awaitLine("New devices: ");
      proxy.stop();
      process.awaitLine(
          "no connection through the proxy "
              + proxy.address()
              + " (HTTPS_PROXY): connection refused or host unreachable");
      proxy.start("ConnectPort 1");
      process.awaitLine(refused + " (HTTP 403)");
      assertEquals(Set.of(https()), Set.copyOf(proxy.connects()));
      proxy.stop();
      int before = cloud.requests().size();
      proxy.start();
      eventually(() -> assertTrue(cloud.requests().size() > before, () -> "" + process.lines()));
      assertTrue(
          process.lines().stream().noneMatch(line -> line.contains("requests a pause")),
          () -> "" + process.lines());
    }

    @Test
    void aRefusedBrokerIsReportedAndRetried() {
      proxy.start("ConnectPort " + cloud.httpPort());
      String login = "reader:" + PASSWORD + "@";
      process(
          "device",
          List.of(),
          List.of("HTTPS_PROXY=http://" + login + proxy.address(), "ESTABLISH_ATTEMPTS=1000"));
      process.awaitLine("attempt 2 of 1000");
      assertTrue(
          warnings()
              .contains(
                  "Cannot connect to EcoFlow: the proxy "
                      + proxy.address()
                      + " (HTTPS_PROXY) refused the connection to "
                      + mqtt()
                      + " (HTTP 403); attempt 1 of 1000, next attempt in 0.5 s"),
          () -> "" + process.lines());
      proxy.stop();
      process.awaitLine("no connection through the proxy " + proxy.address());
      proxy.start();
      process.awaitLine("Connected to MQTT broker " + mqtt());
      proxy.stop();
      process.awaitLine(
          "No MQTT connection: no connection through the proxy "
              + proxy.address()
              + " (HTTPS_PROXY): connection refused or host unreachable; next attempt in ");
      proxy.start(LOGIN + "x");
      process.awaitLine(
          "No MQTT connection: the proxy "
              + proxy.address()
              + " (HTTPS_PROXY) rejected the user or the password (HTTP 401); next attempt in ");
      proxy.stop();
      proxy.start(LOGIN);
      process.awaitLine("MQTT connection restored after ");
      assertCleanLog();
    }

    /** The server accepts connections, and then does not respond or closes them. */
    @ParameterizedTest
    @CsvSource({
      "true, 'it closed the connection, or does not respond like a proxy'",
      "false, no response in time"
    })
    void aServerThatIsNotAProxyIsReported(boolean closes, String reason) throws IOException {
      try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
        if (closes) {
          Thread thread = new Thread(() -> closeAll(server), "closing-server");
          thread.setDaemon(true);
          thread.start();
        }
        String address = "localhost:" + server.getLocalPort();
        String failure = "no connection through the proxy " + address + " (HTTPS_PROXY): " + reason;
        String[] variables = {
          "HTTPS_PROXY=" + address, "HTTP_TIMEOUT=2", "ESTABLISH_ATTEMPTS=1000"
        };
        exporter.startIn("rest", variables);
        eventuallyLastFailure("the device list from EcoFlow: " + failure + " on " + DEVICE_LIST);
        exporter.startIn("mqtt", variables[0], variables[1], variables[2], "NO_PROXY=" + https());
        eventuallyLastFailure("Cannot connect to EcoFlow: " + failure);
      }
    }

    /** Sends each connection a text, and then another one until the connection is closed. */
    private static ServerSocket answering(String start, String again) throws IOException {
      ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
      Thread thread = new Thread(() -> answerAll(server, start, again), "answering-server");
      thread.setDaemon(true);
      thread.start();
      return server;
    }

    private static void answerAll(ServerSocket server, String start, String again) {
      byte[] more = again.getBytes(StandardCharsets.US_ASCII);
      while (!server.isClosed()) {
        try (Socket client = server.accept()) {
          assertTrue(client.getInputStream().read() >= 0);
          client.getOutputStream().write(start.getBytes(StandardCharsets.US_ASCII));
          while (more.length > 0) {
            client.getOutputStream().write(more);
          }
        } catch (IOException e) {
          // closed by the client, or by the end of the test
        }
      }
    }

    @Test
    void aResponseThatIsNotHttpIsReported() throws IOException {
      try (ServerSocket server = answering("SSH-2.0-server\r\n\r\n", "")) {
        String address = "localhost:" + server.getLocalPort();
        exporter.startIn(
            "mqtt",
            "HTTPS_PROXY=" + address,
            "HTTP_TIMEOUT=5",
            "ESTABLISH_ATTEMPTS=1000",
            "NO_PROXY=" + https());
        eventuallyLastFailure(
            "no connection through the proxy "
                + address
                + " (HTTPS_PROXY): it closed the connection, or does not respond like a proxy");
      }
    }

    /** Without a limit, they would fill the memory before the timeout of the call. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void endlessHeadersAreAborted(boolean lines) throws IOException {
      String header = "X-Header: " + "a".repeat(1000) + (lines ? "\r\n" : "");
      try (ServerSocket server = answering("HTTP/1.1 200 OK\r\nX: ", header.repeat(100))) {
        process(
            "rest",
            List.of("-Xmx64m"),
            List.of(
                "HTTPS_PROXY=localhost:" + server.getLocalPort(),
                "HTTP_TIMEOUT=3600",
                "ESTABLISH_ATTEMPTS=2"));
        assertEquals(1, process.exitCode(), () -> "" + process.lines());
        process.awaitLine(
            "(HTTPS_PROXY): the headers of the response are too long on " + DEVICE_LIST);
        assertCleanLog();
      }
    }

    @Test
    void theShutdownDoesNotWaitForASilentProxy() throws IOException {
      try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
        process(
            "mqtt",
            List.of(),
            List.of("HTTPS_PROXY=localhost:" + server.getLocalPort(), "NO_PROXY=" + https()));
        try (Socket client = server.accept()) {
          assertTrue(client.getInputStream().read() >= 0);
          process.signal("TERM");
          assertEquals(143, process.exitCode());
        }
        assertCleanLog();
        assertEquals(List.of(), warnings());
      }
    }

    private void eventuallyLastFailure(String words) {
      eventually(
          () -> {
            String body = exporter.http().get("/").body();
            assertTrue(body.contains(words), body);
          });
    }

    private static void closeAll(ServerSocket server) {
      while (!server.isClosed()) {
        try (Socket client = server.accept()) {
          // Read the request, so that the connection is closed without a reset.
          assertTrue(client.getInputStream().read() >= 0);
        } catch (IOException e) {
          // closed by the client, or by the end of the test
        }
      }
    }
  }

  @Nested
  class CommandsAndConfiguration {

    /** The lines of the command with one space between words. */
    private List<String> check(int exitCode, String mode, String... variables) {
      StringWriter out = new StringWriter();
      List<String> all = new ArrayList<>(List.of("EXPORTER_PORT=" + Ports.next()));
      all.addAll(List.of(variables));
      int code =
          CommandRun.run(
              Variables.of(cloud, mode, all.toArray(String[]::new)),
              Clock.systemUTC(),
              out,
              out,
              "check");
      assertEquals(exitCode, code, out::toString);
      assertFalse(out.toString().contains(PASSWORD), out::toString);
      return out.toString().lines().map(line -> line.replaceAll(" +", " ")).toList();
    }

    private static void assertContains(List<String> lines, String line) {
      assertTrue(lines.contains(line), () -> line + " is not in " + lines);
    }

    @Test
    void checkReportsTheProxy() {
      proxy.start(LOGIN);
      String url = "HTTPS_PROXY=http://reader:" + PASSWORD + "@" + proxy.address();
      String label = proxy.address() + " (HTTPS_PROXY)";
      List<String> all = check(0, "device", url);
      assertContains(all, "ok proxy " + label + " is used for localhost");
      assertContains(all, "ok broker " + mqtt() + " accepts the login, through the proxy " + label);
      assertEquals(Set.of(https(), mqtt()), Set.copyOf(proxy.connects()));

      assertContains(
          check(0, "device", url, "NO_PROXY=" + mqtt()),
          "ok broker "
              + mqtt()
              + " accepts the login, without the proxy "
              + label
              + " because of NO_PROXY");
      assertContains(
          check(0, "rest", url, "NO_PROXY=localhost"),
          "ok proxy " + label + " is not used for localhost because of NO_PROXY");
    }

    @Test
    void checkReportsAFailureOfTheProxy() {
      proxy.start(LOGIN);
      assertContains(
          check(1, "rest", variable("HTTPS_PROXY")),
          "FAILED https localhost: the proxy "
              + proxy.address()
              + " (HTTPS_PROXY) requires a user and a password (HTTP 407); check the network, a"
              + " firewall, and HTTPS_PROXY");
      assertContains(
          check(1, "rest", "http_proxy=nowhere.invalid:3128"),
          "FAILED dns unknown host nowhere.invalid: check http_proxy and the name servers of this machine");
      String reader = "HTTPS_PROXY=reader:" + PASSWORD + "@" + proxy.address();
      proxy.stop();
      proxy.start(LOGIN, "ConnectPort " + cloud.httpPort());
      assertContains(
          check(1, "device", reader),
          "FAILED broker the proxy "
              + proxy.address()
              + " (HTTPS_PROXY) refused the connection to "
              + mqtt()
              + " (HTTP 403): check HTTPS_PROXY and the proxy");
    }

    @Test
    void anInvalidProxyEndsTheStartWithOneLine() {
      process(
          "rest", List.of(), List.of("HTTPS_PROXY=socks5://reader:" + PASSWORD + "@proxy:1080"));
      assertEquals(2, process.exitCode());
      assertEquals(
          List.of(
              "ecoflow-exporter: HTTPS_PROXY=socks5://***@proxy:1080 is not valid: expected"
                  + " http://host:port or http://user:password@host:port, with special characters of"
                  + " both percent-encoded"),
          process.lines());
    }

    @Test
    void withoutAProxyItsClassesAreNotLoaded() throws IOException {
      Path classes = directory.resolve("classes");
      process("device", List.of("-Xlog:class+load:file=" + classes), List.of("NO_PROXY=localhost"));
      process.awaitLine("Connected to MQTT broker " + mqtt());
      List<String> loaded = Files.readAllLines(classes);
      assertTrue(loaded.stream().anyMatch(line -> line.contains("ecoflow.config.ProxySettings ")));
      assertEquals(
          List.of(),
          loaded.stream()
              .map(line -> line.replaceFirst("^(\\[.*?])+ ", ""))
              .filter(CommandsAndConfiguration::isForProxies)
              .toList());
    }

    /** Vert.x always loads some of Netty's classes for proxies. */
    private static boolean isForProxies(String line) {
      return Stream.of(
              "ecoflow.api.ProxyRoute",
              "ecoflow.mqtt.BrokerProxy",
              "ecoflow.config.NoProxy",
              "ecoflow.config.ProxyUrl",
              "ecoflow.text.ProxyException")
          .anyMatch(line::startsWith);
    }
  }
}
