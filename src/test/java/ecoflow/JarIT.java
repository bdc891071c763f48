package ecoflow;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The finished jar, copied to an empty folder and started as a user starts it. */
class JarIT {

  private static final String SERIAL = "R331JAR000000001";
  private static final Duration PATIENCE = Duration.ofSeconds(180);
  private static SimulatedCloud cloud;

  @TempDir Path folder;
  private Process process;
  private int port;

  @BeforeAll
  static void startCloud() {
    cloud = SimulatedCloud.start();
    cloud.add(
        new SimulatedDevice(SERIAL, "Garage", "DELTA 2", WireFormat.JSON)
            .set(Map.of("pd.soc", 81, "pd.wattsOutSum", 0)));
  }

  @AfterAll
  static void stopCloud() {
    cloud.close();
  }

  @BeforeEach
  void copyJar() throws IOException {
    Files.copy(Path.of(System.getProperty("exporter.jar")), folder.resolve("ecoflow-exporter.jar"));
    port = RunningExporter.freePort();
  }

  @AfterEach
  void endProcess() {
    cloud.faults().clear();
    cloud.refuseSubscriptions(topic -> false);
    if (process != null) {
      process.destroyForcibly();
    }
  }

  private void start(Map<String, String> variables, String... jvmOptions) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(jvmOptions));
    command.addAll(List.of("-jar", "ecoflow-exporter.jar"));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.directory(folder.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("ECOFLOW_"));
    builder.environment().put("EXPORTER_PORT", Integer.toString(port));
    builder.environment().putAll(variables);
    builder.redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile());
    process = builder.start();
  }

  private List<String> log() {
    try {
      return Files.readAllLines(folder.resolve("log"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private int exitCode() throws InterruptedException {
    assertTrue(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS), () -> "runs on: " + log());
    return process.exitValue();
  }

  private String metrics() {
    return get("/metrics").map(HttpResponse::body).orElse("");
  }

  /** Empty when there is no answer. */
  private Optional<HttpResponse<String>> get(String path) {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://localhost:" + port + path)).build();
      return Optional.of(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()));
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  private void awaitReady() {
    await()
        .atMost(PATIENCE)
        .until(() -> get("/-/ready").filter(page -> page.statusCode() == 200).isPresent());
  }

  private void awaitLineOfMetrics(String start) {
    await().atMost(PATIENCE).until(() -> metrics().lines().anyMatch(l -> l.startsWith(start)));
  }

  @Test
  void theJarRunsAloneAndEndsOnASignal() throws Exception {
    start(RunningExporter.rest(cloud));

    awaitLineOfMetrics("ecoflow_pd_watts_out_sum{device=\"" + SERIAL + "\"");
    assertTrue(
        metrics()
            .contains(
                "ecoflow_exporter_build_info{mode=\"rest\",version=\""
                    + System.getProperty("exporter.version")
                    + "\"} 1"));
    process.destroy();

    assertEquals(143, exitCode());
    assertTrue(
        log().stream().noneMatch(line -> line.contains(" WARN ") || line.contains(" ERROR ")),
        () -> "a quiet life: " + log());
  }

  /** Libraries read their version from the manifest of their jar, and this is their jar. */
  @ParameterizedTest
  @ValueSource(strings = {"INFO", "DEBUG"})
  void theLogNamesTheVersionsThatRun(String level) throws Exception {
    String camel = System.getProperty("exporter.camel");
    start(RunningExporter.rest(cloud, "LOG_LEVEL", level));
    awaitLineOfMetrics("ecoflow_pd_soc{device=\"" + SERIAL + "\"");
    process.destroy();
    exitCode();

    String first = log().get(0);
    assertTrue(
        first.contains(
            " INFO EcoflowExporter - ecoflow-exporter "
                + System.getProperty("exporter.version")
                + " on Apache Camel "
                + camel
                + " and Java "
                + Runtime.version()
                + " starts: mode rest,"),
        first);
    List<String> claims =
        Pattern.compile("Apache Camel (?:\\(Main\\) )?([0-9]\\S*)")
            .matcher(String.join("\n", log()))
            .results()
            .map(claim -> claim.group(1))
            .toList();
    // At DEBUG Camel speaks too.
    assertEquals(level.equals("DEBUG"), claims.size() > 1, () -> "" + log());
    assertEquals(Set.of(camel), Set.copyOf(claims), () -> "" + log());
  }

  @Test
  void theDemosCloudDoesNotShip() throws IOException {
    try (JarFile jar = new JarFile(folder.resolve("ecoflow-exporter.jar").toFile())) {
      assertTrue(jar.stream().anyMatch(entry -> entry.getName().equals("devices.json")));
      assertTrue(
          jar.stream()
              .noneMatch(
                  entry ->
                      entry.getName().startsWith("ecoflow/cloud")
                          || entry.getName().startsWith("io/moquette")
                          || entry.getName().startsWith("org/bouncycastle")));
    }
  }

  @Test
  void noSecretIsLoggedAtDebugInAnyMode() throws Exception {
    String password = cloud.account().password();
    for (String mode : List.of("rest", "mqtt", "device")) {
      Map<String, String> variables =
          new HashMap<>(
              mode.equals("rest")
                  ? RunningExporter.rest(cloud)
                  : RunningExporter.account(cloud, mode));
      variables.put("LOG_LEVEL", "DEBUG");
      if (mode.equals("device")) {
        // What goes wrong is told with its topic.
        cloud.refuseSubscriptions(topic -> topic.endsWith("/get_reply"));
      }
      start(variables);
      if (mode.equals("mqtt")) {
        awaitLineOfMetrics("ecoflow_mqtt_connected{client_type=\"mqtt\"} 1");
        cloud.device(SERIAL).orElseThrow().pushAll();
      }
      if (mode.equals("device")) {
        awaitLineOfLog(" The broker refused the subscription of /app/***/" + SERIAL);
        cloud.refuseSubscriptions(topic -> false);
        awaitLineOfLog(" The broker now allows the subscription of /app/***/" + SERIAL);
      }
      awaitLineOfMetrics("ecoflow_pd_soc{device=\"" + SERIAL + "\"");
      process.destroy();
      exitCode();

      String log = String.join("\n", log());
      assertTrue(log.contains(" DEBUG "), log);
      Set<String> secrets =
          new HashSet<>(
              List.of(
                  cloud.account().secretKey(),
                  cloud.account().accessKey(),
                  password,
                  Base64.getEncoder().encodeToString(password.getBytes(StandardCharsets.UTF_8)),
                  cloud.account().userId(),
                  cloud.certificatePassword(),
                  "ANDROID_",
                  "Bearer "));
      for (CloudRequest request : cloud.requests()) {
        secrets.add(request.header(mode.equals("rest") ? "sign" : "Authorization"));
      }
      secrets.remove(null);
      assertTrue(secrets.size() > 8, "signatures and tokens are among them");
      for (String secret : secrets) {
        String bare = secret.equals("Bearer ") ? secret : secret.replaceFirst("^Bearer ", "");
        assertFalse(log.contains(bare), () -> mode + " logs " + bare);
      }
    }
  }

  @Test
  void debugTellsEachMessageInOneLine() throws Exception {
    start(
        RunningExporter.account(
            cloud, "device", "LOG_LEVEL", "DEBUG", "QUOTA_REQUEST_INTERVAL", "3600"));
    SimulatedDevice device = cloud.device(SERIAL).orElseThrow();
    // From the answer to the one request.
    awaitLineOfMetrics("ecoflow_pd_watts_out_sum{device=\"" + SERIAL + "\"");
    ByteString powerIn = header(254, 21, 0x1d, 0, 0, 0, 0x40);
    ByteString powerOut = header(254, 21, 0x25, 0, 0, 0, 0x41);
    byte[] frame = frame(powerIn, header(60, 1, 8, 7), powerIn.substring(0, 3), powerOut);
    Map<byte[], String> pushes = new LinkedHashMap<>();
    pushes.put(utf8("{\"params\":{\"pd.soc\":82,\"pd.list\":[1]}}"), "JSON, values taken: 2");
    pushes.put(utf8("{\"params\":{}}"), "JSON, values taken: 0");
    pushes.put(
        utf8("{\"params\":null}"),
        "JSON, dropped: params is null instead of an object, values taken: 0");
    pushes.put(
        utf8("none"), "unknown, dropped: it is neither a JSON object nor a frame, values taken: 0");
    pushes.put(
        frame,
        "frame, 254/21 decoded, 60/1 unknown 0807, a broken header (REASON), 254/21 decoded,"
            + " values taken: 2");
    pushes.put(
        Base64.getEncoder().encode(frame(powerIn)), "base64, 254/21 decoded, values taken: 1");
    pushes.put(
        utf8("{\"params\":{\"pd_soc\":5,\"online\":1,\"pd.x\":1,\"pd_x\":2}}"),
        "JSON, values taken: 3, same_name conflicts: 2 (first pd_soc),"
            + " own_metric conflicts: 1 (first online)");
    byte[] off = utf8("{\"params\":{\"status\":0}}");

    pushes.keySet().forEach(device::push);
    cloud.publish("/app/device/status/" + SERIAL, off);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                metrics()
                    .lines()
                    .anyMatch(
                        line ->
                            line.startsWith("ecoflow_online{device=\"" + SERIAL)
                                && line.endsWith(" 0.0")));
    process.destroy();
    exitCode();

    List<String> expected = new ArrayList<>();
    expected.add(
        "/app/***/" + SERIAL + "/thing/property/get_reply: N bytes, JSON, values taken: 2");
    pushes.forEach(
        (payload, words) ->
            expected.add(
                "/app/device/property/" + SERIAL + ": " + payload.length + " bytes, " + words));
    expected.add(
        "/app/device/status/"
            + SERIAL
            + ": "
            + off.length
            + " bytes, JSON, the device is off, values taken: 0");
    assertEquals(
        expected,
        log(" DEBUG MessageStory - ").stream()
            .map(line -> line.replaceFirst("(get_reply: )[0-9]{2,}", "$1N"))
            .map(line -> line.replaceFirst("\\([A-Z][^()]{10,}\\)", "(REASON)"))
            .toList());
    assertEquals(List.of(), log(" DEBUG Payloads - "), "no second line about what was left out");
    assertEquals(
        List.of(
            "Dropped a push of device "
                + SERIAL
                + ": params is null instead of an object; the next message is awaited"),
        log(" WARN Payloads - ").stream().filter(line -> line.contains("push")).toList());
    assertEquals(
        List.of(
            "/auth/login: HTTP 200 after N ms, attempt 1",
            "/iot-auth/app/certification: HTTP 200 after N ms, attempt 1",
            "/iot-service/user/device: HTTP 200 after N ms, attempt 1"),
        attempts());
  }

  @Test
  void debugTellsEachAttemptOfACallInOneLine() throws Exception {
    String list = "/iot-open/sign/device/list";
    String values = "/iot-open/sign/device/quota/all";
    cloud.faults().next(list, Fault.status(503));
    cloud
        .faults()
        .next(
            values,
            Fault.code("8521", "signature is wrong"),
            Fault.delay(Duration.ofSeconds(60)),
            Fault.status(502));
    start(
        RunningExporter.rest(
            cloud, "LOG_LEVEL", "DEBUG", "COLLECTING_INTERVAL", "3600", "HTTP_TIMEOUT", "2"));
    awaitLineOfMetrics("ecoflow_pd_soc{device=\"" + SERIAL + "\"");
    process.destroy();
    exitCode();

    String call = values + " of device " + SERIAL + ": ";
    assertEquals(
        List.of(
            list + ": HTTP 503 after N ms, attempt 1",
            list + ": HTTP 200 after N ms, attempt 2",
            call
                + "HTTP 200 after N ms, attempt 1: code 8521 (signature is wrong):"
                + " check the clock of this machine and ECOFLOW_SECRET_KEY",
            call + "no status after N ms, attempt 2: no answer in time",
            call + "HTTP 502 after N ms, attempt 3",
            call + "HTTP 200 after N ms, attempt 4"),
        attempts());
    assertEquals(List.of(), log(" DEBUG MessageStory - "), "no message came over MQTT");
  }

  /** What the lines of one logger and level say. */
  private List<String> log(String source) {
    return log().stream()
        .filter(line -> line.contains(source))
        .map(line -> line.substring(line.indexOf(source) + source.length()))
        .toList();
  }

  private List<String> attempts() {
    return log(" DEBUG HttpCalls - ").stream()
        .map(line -> line.replaceFirst("after [0-9]+ ms", "after N ms"))
        .toList();
  }

  private void awaitLineOfLog(String words) {
    await().atMost(PATIENCE).until(() -> log().stream().anyMatch(line -> line.contains(words)));
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static ByteString header(int cmdFunc, int cmdId, int... message) {
    byte[] pdata = new byte[message.length];
    for (int i = 0; i < pdata.length; i++) {
      pdata[i] = (byte) message[i];
    }
    return Header.newBuilder()
        .setPdata(ByteString.copyFrom(pdata))
        .setSrc(2)
        .setCmdFunc(cmdFunc)
        .setCmdId(cmdId)
        .build()
        .toByteString();
  }

  private static byte[] frame(ByteString... headers) {
    return Frame.newBuilder().addAllHeaders(List.of(headers)).build().toByteArray();
  }

  /** The worked example of the README. */
  @Test
  void editedRoutesReplaceThePackagedOnes() throws Exception {
    String script =
        """
              - script:
                  expression:
                    simple:
                      expression: "${body.remove('pd.soc')}"
        """;
    Map<String, String> variables = RunningExporter.rest(cloud);
    putFirst("quotas.camel.yaml", script, variables);
    start(variables);

    awaitLineOfMetrics("ecoflow_pd_watts_out_sum{device=\"" + SERIAL + "\"");
    assertFalse(metrics().contains("ecoflow_pd_soc{"), () -> "log: " + log());
  }

  /**
   * Copies the packaged routes, puts a step at the start of each route in one of the files, and
   * points the exporter at the copy.
   */
  private void putFirst(String file, String step, Map<String, String> variables)
      throws IOException {
    Path routes = Files.createDirectory(folder.resolve("routes"));
    try (Stream<Path> files = Files.list(Path.of("src/main/resources/routes"))) {
      for (Path packaged : files.toList()) {
        Files.copy(packaged, routes.resolve(packaged.getFileName()));
      }
    }
    Path edited = routes.resolve(file);
    String steps = "\n      steps:\n";
    String before = Files.readString(edited);
    assertTrue(before.contains(steps), before);
    Files.writeString(edited, before.replace(steps, steps + step.indent(8 - step.indexOf('-'))));
    variables.put("CAMEL_MAIN_ROUTES_INCLUDE_PATTERN", "file:" + routes + "/*.camel.yaml");
  }

  private void assertEndsOutOfMemory() throws InterruptedException {
    assertEquals(3, exitCode());
    List<String> lines =
        log().stream()
            .filter(line -> line.startsWith("ecoflow-exporter: out of memory ("))
            .toList();
    assertEquals(1, lines.size(), () -> "" + log());
    assertTrue(lines.get(0).endsWith("); the process ends with exit code 3"), lines.get(0));
    assertTrue(log().stream().noneMatch(line -> line.startsWith("\tat ")), () -> "" + log());
  }

  /** A page of 60 MB in a heap of 64 MB, of which everything else needs half. */
  @Test
  void aScrapeThatRunsOutOfMemoryEndsTheProcess() throws Exception {
    try (SimulatedCloud large = SimulatedCloud.start()) {
      large.add(
          new SimulatedDevice(SERIAL, "n".repeat(30_000), "DELTA 2", WireFormat.JSON)
              .set(Map.of("bms.cells", Collections.nCopies(2000, 1))));
      start(RunningExporter.rest(large), "-Xmx64m");
      awaitReady();
      assertTrue(process.isAlive(), "the values alone fit");

      await().atMost(PATIENCE).until(() -> metrics().isEmpty());

      assertEndsOutOfMemory();
    }
  }

  /**
   * The error strikes wherever memory is asked for next: routes, HTTP client, web server, timers.
   */
  @ParameterizedTest
  @ValueSource(strings = {"rest", "device"})
  void moreValuesThanFitIntoMemoryEndTheProcess(String mode) throws Exception {
    try (SimulatedCloud large = SimulatedCloud.start()) {
      for (int i = 0; i < 80; i++) {
        large.add(
            new SimulatedDevice("R331ZLARGE%06d".formatted(i), "x", "DELTA 2", WireFormat.JSON)
                .set(Map.of("bms.cells", Collections.nCopies(5000, 1))));
      }
      start(
          mode.equals("rest") ? RunningExporter.rest(large) : RunningExporter.account(large, mode),
          "-Xmx48m");

      assertEndsOutOfMemory();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "rest, quotas.camel.yaml",
    "device, quotas.camel.yaml",
    "mqtt, device-collection.camel.yaml",
    "device, quota-requests.camel.yaml",
    "rest, metrics-page.camel.yaml",
    "mqtt, account-login.camel.yaml"
  })
  void aRouteThatRunsOutOfMemoryEndsTheProcess(String mode, String file) throws Exception {
    Map<String, String> variables =
        mode.equals("rest") ? RunningExporter.rest(cloud) : RunningExporter.account(cloud, mode);
    String tooMuch =
        """
              - setProperty:
                  name: much
                  expression:
                    constant:
                      expression: much
              - setProperty:
                  name: tooMuch
                  expression:
                    simple:
                      expression: "${exchangeProperty.much.repeat(2147483647)}"
        """;
    putFirst(file, tooMuch, variables);
    start(variables);
    if (file.startsWith("metrics-page")) {
      awaitReady();
      assertEquals("", metrics());
    }

    assertEndsOutOfMemory();
  }

  @Test
  void badConfigurationIsOneLineAndExitCode2() throws Exception {
    start(RunningExporter.rest(cloud, "COLLECTING_INTERVAL", "often"));

    assertEquals(2, exitCode());
    assertEquals(
        List.of(
            "ecoflow-exporter: COLLECTING_INTERVAL=often is not valid:"
                + " it takes seconds from 0.1 to 86400"),
        log());
  }

  @Test
  void noCredentialsAreOneLineAndExitCode2() throws Exception {
    start(Map.of("ECOFLOW_DEVICE_SN", "A"));

    assertEquals(2, exitCode());
    assertEquals(1, log().size(), () -> "one line: " + log());
    assertTrue(log().get(0).startsWith("ecoflow-exporter: no credentials: set ECOFLOW_ACCESS_KEY"));
  }

  @Test
  void wrongCredentialsSaySoAfterTheLastAttempt() throws Exception {
    start(
        RunningExporter.account(
            cloud, "mqtt", "ECOFLOW_ACCOUNT_PASSWORD", "wrong", "ESTABLISH_ATTEMPTS", "2"));

    assertEquals(1, exitCode());
    List<String> errors = log().stream().filter(line -> line.contains(" ERROR ")).toList();
    assertEquals(1, errors.size(), () -> "one line: " + log());
    assertTrue(
        errors
            .get(0)
            .contains(
                "Cannot connect to EcoFlow: login: code 2026"
                    + " (The account does not exist or the password is wrong) on /auth/login:"
                    + " ECOFLOW_ACCOUNT_USER or ECOFLOW_ACCOUNT_PASSWORD is wrong"),
        errors.get(0));
    assertTrue(errors.get(0).endsWith("attempt 2 of 2, giving up"), errors.get(0));
  }

  @Test
  void aCloudThatNeverAnswersEndsTheProcessWithOneLine() throws Exception {
    cloud.faults().always("/iot-open/sign/device/list", Fault.status(503));
    start(RunningExporter.rest(cloud, "ESTABLISH_ATTEMPTS", "2", "HTTP_RETRIES", "1"));

    assertEquals(1, exitCode());
    assertTrue(
        log()
            .get(log().size() - 1)
            .endsWith(
                "Cannot get the device list from EcoFlow: HTTP 503 on /iot-open/sign/device/list;"
                    + " attempt 2 of 2, giving up"),
        () -> "" + log());
    assertTrue(log().stream().noneMatch(line -> line.contains("\tat ")), () -> "" + log());
  }

  @ParameterizedTest
  @CsvSource({
    "/auth/login, login",
    "/iot-auth/app/certification, certification",
    "/iot-service/user/device, device list"
  })
  void theCallThatFailsIsNamed(String path, String name) throws Exception {
    cloud.faults().always(path, Fault.status(404));
    start(RunningExporter.account(cloud, "mqtt", "ESTABLISH_ATTEMPTS", "2"));

    assertEquals(1, exitCode());
    String reason = "Cannot connect to EcoFlow: " + name + ": HTTP 404 on " + path;
    List<String> lines = log().stream().filter(line -> line.contains(reason)).toList();
    assertEquals(2, lines.size(), () -> "" + log());
    assertTrue(
        lines.get(0).endsWith(reason + "; attempt 1 of 2, next attempt in 0.5 s"), lines.get(0));
    assertTrue(lines.get(1).endsWith(reason + "; attempt 2 of 2, giving up"), lines.get(1));
  }

  @Test
  void aPortInUseIsOneLineAndExitCode1() throws Exception {
    try (ServerSocket taken = new ServerSocket(port, 1, InetAddress.getByName("0.0.0.0"))) {
      start(RunningExporter.rest(cloud));

      assertEquals(1, exitCode());
      assertEquals(
          "EXPORTER_PORT=" + taken.getLocalPort() + " is in use: choose another port",
          log().get(log().size() - 1).replaceFirst(".* - ", ""));
    }
  }
}
