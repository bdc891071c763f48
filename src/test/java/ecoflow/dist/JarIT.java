package ecoflow.dist;

import static ecoflow.cloud.ApiPath.ACCOUNT_DEVICES;
import static ecoflow.cloud.ApiPath.CERTIFICATION;
import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.cloud.ApiPath.QUOTA;
import static ecoflow.testkit.Eventually.eventually;
import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.header;
import static ecoflow.testkit.Frames.message;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.TestFrames;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ComponentJar;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.RoutesFolder;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The packaged jar, copied to an empty directory and started like by a user. */
class JarIT {

  private static final String SERIAL = "R331JAR000000001";
  private static final String PUT = "${body.put('pd.edit', ${variable.edit})}";
  private static final Duration PATIENCE = Duration.ofSeconds(180);

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice(SERIAL, "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81, "pd.wattsOutSum", 0));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);

  @TempDir Path folder;
  private SimulatedCloud cloud;
  private ExporterJar jar;

  @BeforeEach
  void copyJar() {
    cloud = clouds.cloud();
    jar = new ExporterJar(folder);
  }

  @AfterEach
  void endProcess() {
    jar.close();
  }

  /** Starts the jar in a mode: rest, mqtt or device. */
  private void start(String mode, String... variables) {
    jar.start(Variables.of(cloud, mode, variables));
  }

  @Test
  void theJarRunsWithoutOtherFilesAndEndsOnASignal() {
    start("rest");

    jar.awaitSeries(SERIAL, "pd_watts_out_sum");
    assertEquals(
        1,
        jar.page()
            .own(
                "exporter_build_info",
                "mode=rest",
                "version=" + System.getProperty("exporter.version")));

    assertEquals(143, jar.terminate());
    assertEquals(List.of(), jar.log(" WARN "), "a quiet life");
    assertEquals(List.of(), jar.log(" ERROR "), "a quiet life");
  }

  /**
   * Libraries read their version from the manifest of their jar, which here is the jar of the
   * exporter.
   */
  @ParameterizedTest
  @ValueSource(strings = {"INFO", "DEBUG"})
  void theLogContainsTheVersions(String level) {
    String camel = System.getProperty("exporter.camel");
    start("rest", "LOG_LEVEL=" + level);
    jar.awaitSeries(SERIAL, "pd_soc");
    jar.terminate();

    String first = jar.log().get(0);
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
            .matcher(String.join("\n", jar.log()))
            .results()
            .map(claim -> claim.group(1))
            .toList();
    // At DEBUG, Camel logs its version as well.
    assertEquals(level.equals("DEBUG"), claims.size() > 1, () -> "" + jar.log());
    assertEquals(Set.of(camel), Set.copyOf(claims), () -> "" + jar.log());
  }

  @Test
  void theJarDoesNotContainTheSimulatedCloud() throws IOException {
    try (JarFile content = new JarFile(jar.file().toFile())) {
      assertTrue(content.stream().anyMatch(entry -> entry.getName().equals("devices.json")));
      assertTrue(
          content.stream()
              .noneMatch(
                  entry ->
                      entry.getName().startsWith("ecoflow/cloud")
                          || entry.getName().startsWith("io/moquette")
                          || entry.getName().startsWith("org/bouncycastle")));
    }
  }

  @Test
  void noSecretIsLoggedAtDebugInAnyMode() {
    String password = cloud.account().password();
    for (String mode : List.of("rest", "mqtt", "device")) {
      if (mode.equals("device")) {
        // Failures are logged with their topic.
        cloud.refuseSubscriptions(topic -> topic.endsWith("/get_reply"));
      }
      start(mode, "LOG_LEVEL=DEBUG");
      if (mode.equals("mqtt")) {
        jar.awaitOwn(1, "mqtt_connected", "client_type=mqtt");
        DEVICE.pushAll();
      }
      if (mode.equals("device")) {
        jar.awaitLine(" The broker refused the subscription of /app/***/" + SERIAL);
        cloud.refuseSubscriptions(topic -> false);
        jar.awaitLine(" The broker now allows the subscription of /app/***/" + SERIAL);
      }
      jar.awaitSeries(SERIAL, "pd_soc");
      jar.terminate();

      String log = String.join("\n", jar.log());
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

  /** As on a platform without native code in the jar. */
  @Test
  void mqttWorksWithTheTlsOfJava() {
    jar.start(Variables.of(cloud, "device"), "-Dio.netty.handler.ssl.noOpenSsl=true");

    jar.awaitSeries(SERIAL, "pd_watts_out_sum");
    assertEquals(List.of(), jar.log(" WARN "), "it is no news");
  }

  @Test
  void debugLogsEachMessageInOneLine() {
    start("device", "LOG_LEVEL=DEBUG", "QUOTA_REQUEST_INTERVAL=3600");
    // The value is from the reply to the only request.
    jar.awaitSeries(SERIAL, "pd_watts_out_sum");
    // pow_in_sum_w and pow_out_sum_w
    byte[] powerIn = header(254, 21, message().real(3, 2));
    byte[] powerOut = header(254, 21, message().real(4, 8));
    byte[] broken = Arrays.copyOf(powerIn, 3);
    byte[] frame = frame(powerIn, header(60, 1, message().integer(1, 7)), broken, powerOut);
    Map<byte[], String> pushes = new LinkedHashMap<>();
    pushes.put(
        utf8(
            """
            {"params": {"pd.soc": 82, "pd.list": [1]}}
            """),
        "JSON, values taken: 2");
    pushes.put(
        utf8(
            """
            {"params": {}}
            """),
        "JSON, values taken: 0");
    pushes.put(
        utf8(
            """
            {"params": null}
            """),
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
        utf8(
            """
            {"params": {"pd_soc": 5, "online": 1, "pd.x": 1, "pd_x": 2}}
            """),
        "JSON, values taken: 3, same_name conflicts: 2 (first pd_soc),"
            + " own_metric conflicts: 1 (first online)");
    String off =
        """
        {"params": {"status": 0}}
        """;

    pushes.keySet().forEach(DEVICE::publish);
    DEVICE.publishStatus(off);
    jar.awaitOwn(0, "online", "device=" + SERIAL);
    jar.terminate();

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
            + off.length()
            + " bytes, JSON, the device is off, values taken: 0");
    assertEquals(
        expected,
        jar.log(" DEBUG MessageTrace - ").stream()
            .map(line -> line.replaceFirst("(get_reply: )[0-9]{2,}", "$1N"))
            .map(line -> line.replaceFirst("\\([A-Z][^()]{10,}\\)", "(REASON)"))
            .toList());
    assertEquals(
        List.of(), jar.log(" DEBUG Payloads - "), "no second line about what was left out");
    assertEquals(
        List.of(
            "Dropped a push of device "
                + SERIAL
                + ": params is null instead of an object; the next message is awaited"),
        jar.log(" WARN Payloads - ").stream().filter(line -> line.contains("push")).toList());
    assertEquals(
        List.of(
            LOGIN + ": HTTP 200 after N ms, attempt 1",
            CERTIFICATION + ": HTTP 200 after N ms, attempt 1",
            ACCOUNT_DEVICES + ": HTTP 200 after N ms, attempt 1"),
        attempts());
  }

  @Test
  void debugLogsEachAttemptOfACallInOneLine() {
    cloud.faults().next(DEVICE_LIST, Fault.status(503));
    cloud
        .faults()
        .next(
            QUOTA,
            Fault.code("8521", "signature is wrong"),
            Fault.delay(Duration.ofSeconds(60)),
            Fault.status(502));
    start("rest", "LOG_LEVEL=DEBUG", "COLLECTING_INTERVAL=3600", "HTTP_TIMEOUT=2");
    jar.awaitSeries(SERIAL, "pd_soc");
    jar.terminate();

    String call = QUOTA + " of device " + SERIAL + ": ";
    assertEquals(
        List.of(
            DEVICE_LIST + ": HTTP 503 after N ms, attempt 1",
            DEVICE_LIST + ": HTTP 200 after N ms, attempt 2",
            call
                + "HTTP 200 after N ms, attempt 1: code 8521 (signature is wrong):"
                + " check the clock of this machine and ECOFLOW_SECRET_KEY",
            call + "no status after N ms, attempt 2: no answer in time",
            call + "HTTP 502 after N ms, attempt 3",
            call + "HTTP 200 after N ms, attempt 4"),
        attempts());
    assertEquals(List.of(), jar.log(" DEBUG MessageTrace - "), "no message came over MQTT");
  }

  private List<String> attempts() {
    return jar.log(" DEBUG CloudCall - ").stream()
        .map(line -> line.replaceFirst("after [0-9]+ ms", "after N ms"))
        .toList();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  // Commands

  /**
   * The limits of connections, requests and responses always apply, so their classes are loaded
   * even without ECOFLOW_WEB_CONFIG_FILE. The classes for the file, passwords and TLS are not.
   */
  private static final Set<String> WEB_LIMITS =
      Set.of(
          "Connection",
          "Connections",
          "Guard",
          "GuardedServer",
          "Limits",
          "Protection",
          "Requests",
          "StrictDecoder");

  /**
   * The exporter must not load the classes of commands, and commands that only read the settings
   * must not load Camel.
   */
  @Test
  void unusedClassesAreNotLoaded() throws IOException {
    Path classes = folder.resolve("classes");
    jar.start(Variables.of(cloud, "rest"), "-Xlog:class+load:file=" + classes);
    jar.awaitSeries(SERIAL, "pd_soc");
    jar.terminate();
    assertEquals(0, loaded(classes, "picocli."));
    assertEquals(0, loaded(classes, "ecoflow.command."));
    assertEquals(WEB_LIMITS, webClasses(classes));
    assertEquals(0, loaded(classes, "ecoflow.passwords."));
    assertEquals(0, loaded(classes, "org.mindrot."));
    assertTrue(loaded(classes, "org.apache.camel.impl.") > 0);

    for (String command : List.of("config", "--help", "--version")) {
      Map<String, String> variables = Variables.of(cloud, "rest");
      variables.put("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=" + classes);
      assertEquals(0, jar.run(variables, command), () -> "" + jar.log());
      assertTrue(loaded(classes, "picocli.") > 0, command);
      assertEquals(0, loaded(classes, "org.apache.camel.impl."), command);
    }
    assertEquals(
        List.of(
            "ecoflow-exporter " + System.getProperty("exporter.version"),
            "Apache Camel " + System.getProperty("exporter.camel"),
            "Java " + Runtime.version()),
        jar.log().subList(1, 4));
  }

  /**
   * The loaded classes of the package ecoflow.web; a nested or generated class counts as its outer
   * one.
   */
  private static Set<String> webClasses(Path classes) throws IOException {
    Pattern web = Pattern.compile("] ecoflow\\.web\\.(\\w+)");
    try (Stream<String> lines = Files.lines(classes)) {
      return lines
          .map(web::matcher)
          .filter(Matcher::find)
          .map(matcher -> matcher.group(1))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static long loaded(Path classes, String start) throws IOException {
    try (Stream<String> lines = Files.lines(classes)) {
      return lines.filter(line -> line.contains("] " + start)).count();
    }
  }

  @Test
  void commandsReportTheirResultByExitCode() {
    Map<String, String> good = Variables.of(cloud, "device");
    assertEquals(0, jar.run(good, "devices"));
    assertTrue(jar.lastLine().startsWith(SERIAL + "  Garage  "), () -> "" + jar.log());
    assertEquals(0, jar.run(good, "check"), () -> "" + jar.log());
    assertEquals(0, jar.run(good, "config"));

    Map<String, String> wrong = Variables.of(cloud, "device", "ECOFLOW_ACCOUNT_PASSWORD=wrong");
    assertEquals(1, jar.run(wrong, "devices"));
    assertEquals(1, jar.log().size(), () -> "" + jar.log());
    assertEquals(1, jar.run(wrong, "check"));

    for (String command : List.of("devices", "check", "config")) {
      assertEquals(2, jar.run(Variables.of(cloud, "rest", "LOG_LEVEL=loud"), command));
      assertEquals(1, jar.log().size(), () -> "" + jar.log());
    }
    assertEquals(2, jar.run(good, "dance"));
    assertEquals(
        List.of("ecoflow-exporter: unknown command 'dance'; see ecoflow-exporter --help"),
        jar.log());
  }

  @Test
  void theJarExportsItsRoutes() {
    Path routes = folder.resolve("new/routes");
    assertEquals(0, jar.run(Map.of(), "routes", "export", routes.toString()));
    assertEquals(RoutesFolder.packaged(), new RoutesFolder(routes).names());
    assertEquals(RoutesFolder.packaged().size(), jar.log("wrote  ").size());
  }

  // Components

  @Test
  void theJarReplaysARecording() throws IOException {
    String frame = HexFormat.of().formatHex(TestFrames.recorded("delta3-254-21.hex"));
    Path record =
        Files.writeString(
            folder.resolve("record.jsonl"),
            "{\"device\":\"P231XXXXXXXXXXXX\",\"source\":\"push\",\"frame\":\"" + frame + "\"}\n");
    assertEquals(0, jar.run(Map.of(), "replay", record.toString()), () -> "" + jar.log());
    assertTrue(
        jar.log().stream().anyMatch(line -> line.startsWith("ecoflow_battery_charge_ratio{")),
        () -> "" + jar.log());
    assertEquals("# no unknown messages", jar.lastLine());
    Files.writeString(record, "x\n");
    assertEquals(1, jar.run(Map.of(), "replay", record.toString()));
    assertEquals(2, jar.run(Map.of(), "replay"));
  }

  @Test
  void aFloodOfMessagesIsOneLine() {
    start("mqtt");
    jar.awaitOwn(1, "mqtt_connected", "client_type=mqtt");
    String line =
        "Device " + SERIAL + " sends messages faster than they can be processed: the oldest";
    StringBuilder keys = new StringBuilder("{\"params\":{\"pd.soc\":1");
    for (int i = 0; i < 4_000; i++) {
      keys.append(",\"k.").append(i).append("\":1");
    }
    String message = keys.append("}}").toString();
    for (int i = 0; i < 500; i++) {
      DEVICE.publish(message);
    }
    jar.awaitLine(line);
    DEVICE.publish("{\"params\":{\"pd.soc\":2}}");
    eventually(() -> assertEquals(2, jar.page().of(SERIAL, "pd_soc")));
    assertEquals(1, jar.log(line).size(), () -> "" + jar.log());
    assertEquals(143, jar.terminate());
  }

  @Test
  void routesCanUseComponentsInTheLibDirectory() {
    Path lib = folder.resolve("my lib");
    ComponentJar.makeIn(lib);
    String pattern = ComponentJar.writeRoute(folder.resolve("routes"));
    start("rest", "ECOFLOW_LIB_DIR=" + lib, "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=" + pattern);
    jar.awaitLine(ComponentJar.LINE);
    assertEquals(143, jar.terminate());
  }

  @Test
  void aMissingLibDirectoryIsOneLine() {
    start("rest", "ECOFLOW_LIB_DIR=/nowhere");
    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of(
            "ecoflow-exporter: ECOFLOW_LIB_DIR=/nowhere is not valid:"
                + " expected a readable folder with jars"),
        jar.log());
  }

  @Test
  void editedRoutesReplaceThePackagedOnes() {
    String script =
        """
              - script:
                  expression:
                    simple:
                      expression: "${body.remove('pd.soc')}"
        """;
    RoutesFolder routes =
        RoutesFolder.copyTo(folder.resolve("routes")).putFirst("quotas.camel.yaml", script);
    start("rest", "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=" + routes.pattern());

    jar.awaitSeries(SERIAL, "pd_watts_out_sum");
    assertEquals(List.of(), jar.page().lines("pd_soc"), () -> "log: " + jar.log());
  }

  @Test
  void routesLogAndLibrariesDoNot() {
    String steps =
        """
              - log:
                  message: "step ${header.EcoflowDevice}"
              - to:
                  uri: log
                  parameters:
                    loggerName: my-values
        """;
    RoutesFolder routes =
        RoutesFolder.copyTo(folder.resolve("routes")).putFirst("quotas.camel.yaml", steps);
    start("rest", "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=" + routes.pattern());

    jar.awaitSeries(SERIAL, "pd_soc");
    assertTrue(jar.log().stream().anyMatch(line -> line.endsWith("INFO quotas - step " + SERIAL)));
    assertTrue(jar.log().stream().anyMatch(line -> line.contains("INFO my-values - Exchange[")));
    assertEquals(List.of(), jar.log("apache"), "libraries");
  }

  private void eventuallyReady() {
    await()
        .atMost(PATIENCE)
        .ignoreException(UncheckedIOException.class)
        .until(() -> jar.http().get("/-/ready").statusCode() == 200);
  }

  private void assertEndsOutOfMemory() {
    assertEquals(3, jar.exitCode());
    List<String> lines = jar.log("ecoflow-exporter: out of memory (");
    assertEquals(1, lines.size(), () -> "" + jar.log());
    assertTrue(lines.get(0).endsWith("); the process ends with exit code 3"), lines.get(0));
    assertEquals(List.of(), jar.log("\tat "), "no stack traces");
  }

  /** A page of more than 64 MB in a heap of that size. */
  @Test
  void aScrapeThatRunsOutOfMemoryEndsTheProcess() {
    try (SimulatedCloud large = SimulatedCloud.start()) {
      for (int i = 0; i < 120; i++) {
        large.add(
            new SimulatedDevice("R331ZLARGE%06d".formatted(i), "x", "DELTA 2", WireFormat.JSON)
                .set(Map.of("pd.soc", 1)));
      }
      // Gauges of devices are written as the scraper reads them; metrics of the exporter are not.
      String prefix = "n".repeat(30_000);
      jar.start(Variables.of(large, "rest", "METRICS_PREFIX=" + prefix), "-Xmx64m");
      eventuallyReady();
      assertTrue(jar.isAlive(), "the values alone fit");

      await().atMost(PATIENCE).until(() -> jar.page().text().isEmpty());

      assertEndsOutOfMemory();
    }
  }

  /**
   * The error occurs at the next allocation: in routes, the HTTP client, the web server or timers.
   */
  @ParameterizedTest
  @ValueSource(strings = {"rest", "device"})
  void tooManyValuesForTheMemoryEndTheProcess(String mode) {
    try (SimulatedCloud large = SimulatedCloud.start()) {
      for (int i = 0; i < 80; i++) {
        large.add(
            new SimulatedDevice("R331ZLARGE%06d".formatted(i), "x", "DELTA 2", WireFormat.JSON)
                .set(Map.of("bms.cells", Collections.nCopies(5000, 1))));
      }
      jar.start(Variables.of(large, mode), "-Xmx48m");

      assertEndsOutOfMemory();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "rest, quotas.camel.yaml",
    "device, quotas.camel.yaml",
    "mqtt, device-collection.camel.yaml",
    "device, account-requests.camel.yaml",
    "rest, metrics-page.camel.yaml",
    "mqtt, account-login.camel.yaml"
  })
  void aRouteThatRunsOutOfMemoryEndsTheProcess(String mode, String file) {
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
    RoutesFolder routes = RoutesFolder.copyTo(folder.resolve("routes")).putFirst(file, tooMuch);
    start(mode, "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=" + routes.pattern());
    if (file.startsWith("metrics-page")) {
      eventuallyReady();
      assertEquals("", jar.page().text());
    }

    assertEndsOutOfMemory();
  }

  @Test
  void anInvalidRouteFileIsOneLineAndExitCode2() throws IOException {
    Path routes = Files.createDirectory(folder.resolve("routes"));
    Path file = routes.resolve("mine.camel.yaml");
    Files.writeString(
        file,
        "- route:\n    id: mine\n    from:\n      uri: sedda:changes-mine\n      steps:\n        - log: x\n");
    start("rest", "ECOFLOW_ROUTES_DIR=" + routes);

    assertEquals(2, jar.exitCode());
    assertEquals(1, jar.log("Routes from " + routes + ": mine.camel.yaml").size());
    assertEquals(1, jar.log(" ERROR ").size(), () -> "" + jar.log());
    assertTrue(
        jar.lastLine().contains("The routes do not start: " + file + ":4: there is no component "),
        jar.lastLine());
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
  }

  @Test
  void eachErrorInRouteFilesIsOneLine() throws IOException {
    Path routes = Files.createDirectory(folder.resolve("routes"));
    Path file = routes.resolve("mine.camel.yaml");
    Files.writeString(
        file,
        """
        - route:
            id: mine
            from:
              uri: timer:x?perid=5
              steps:
                - lgo: x
                - to: direct:nowhere
        """);
    start("rest", "ECOFLOW_ROUTES_DIR=" + routes);

    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of(
            file + ":4: 'perid' is not an option of timer; did you mean 'period'?",
            file + ":6: 'lgo' is unknown in steps; did you mean 'log'?",
            file + ":7: no route starts with direct:nowhere"),
        jar.log("The routes do not start: ").stream()
            .map(line -> line.replaceFirst(".*The routes do not start: ", ""))
            .toList());
    assertEquals(3, jar.log(" ERROR ").size(), () -> "" + jar.log());
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
  }

  @Test
  void aStepThatFailsAtStartupIsOneLine() throws IOException {
    Path routes = Files.createDirectory(folder.resolve("routes"));
    Path file = routes.resolve("mine.camel.yaml");
    Files.writeString(
        file,
        """
        - route:
            id: mine
            from:
              uri: timer:x
              steps:
                - log: x
                - convertBodyTo:
                    type: com.example.Nothing
        """);
    start("rest", "ECOFLOW_ROUTES_DIR=" + routes);

    assertEquals(2, jar.exitCode());
    assertTrue(
        jar.lastLine().contains("The routes do not start: " + file + ":7: route mine: "),
        jar.lastLine());
    assertEquals(1, jar.log(" ERROR ").size(), () -> "" + jar.log());
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
  }

  @Test
  void errorsInUsersRoutesAreOneLineEach() throws IOException {
    Path routes = Files.createDirectory(folder.resolve("routes"));
    Files.writeString(
        routes.resolve("mine.camel.yaml"),
        """
        - route:
            id: mine
            from:
              uri: timer:x?delay=0&repeatCount=1
              steps:
                - throwException:
                    exceptionType: java.lang.IllegalStateException
                    message: too bad
        - route:
            id: caller
            from:
              uri: timer:y?delay=0&repeatCount=1
              steps:
                - to: direct:called
                - log: not reached
        - route:
            id: called
            from:
              uri: direct:called
              steps:
                - throwException:
                    exceptionType: java.lang.IllegalStateException
                    message: worse
        - route:
            id: catching
            from:
              uri: timer:z?delay=0&repeatCount=1
              steps:
                - doTry:
                    steps:
                      - to: direct:called
                    doCatch:
                      - exception: [java.lang.IllegalStateException]
                        steps:
                          - log: caught ${exception.message}
        """);
    start("rest", "ECOFLOW_ROUTES_DIR=" + routes);

    jar.awaitLine("Route mine failed: ");
    jar.awaitLine("Route caller failed: ");
    jar.awaitLine("caught worse");
    assertEquals(143, jar.terminate());
    assertEquals(2, jar.log(" ERROR ").size(), () -> "" + jar.log());
    assertEquals(List.of(), jar.log("not reached"));
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
  }

  /** A valid edit, broken ones, a valid one again, an edit of all routes, and the original. */
  @Test
  void routesFollowTheirFiles() throws IOException {
    Path routes = Files.createDirectory(folder.resolve("routes"));
    Path quotas = routes.resolve("quotas.camel.yaml");
    Path mine = routes.resolve("mine.camel.yaml");
    start("mqtt", "ECOFLOW_ROUTES_DIR=" + routes, "ECOFLOW_ROUTES_RELOAD=true");
    jar.awaitOwn(1, "mqtt_connected", "client_type=mqtt");

    Files.writeString(quotas, quotasWith(PUT, 1));
    eventuallyShowsOfPushes("pd_edit", 1);

    Files.writeString(quotas, quotasWith(PUT, 2).replace("script", "scirpt"));
    jar.awaitLine("Routes stay as they were: " + quotas + ":19: 'scirpt' is unknown in steps");
    eventuallyShowsOfPushes("pd_edit", 1);

    Files.writeString(quotas, quotasWith(PUT, 3));
    eventuallyShowsOfPushes("pd_edit", 3);

    Files.writeString(
        mine,
        """
        - route:
            id: mine
            from:
              uri: paho:mine?brokerUrl=tcp://localhost:1
              steps:
                - log: x
        """);
    jar.awaitLine("Routes stay as they were: mine.camel.yaml: ConnectException: ");
    eventuallyShowsOfPushes("pd_edit", 3);

    Files.writeString(
        mine,
        """
        - routeConfiguration:
            interceptFrom:
              - interceptFrom:
                  uri: direct:quotas
                  steps:
                    - setVariable:
                        name: mine
                        constant: {expression: "4", resultType: java.lang.Integer}
        - route:
            id: mine
            from:
              uri: seda:changes-mine
              steps:
                - log: "mine has ${body}"
        """);
    Files.writeString(quotas, quotasWith(PUT.replace("edit}", "mine}"), 5));
    eventuallyShowsOfPushes("pd_edit", 4);
    jar.awaitLine("mine has {pd.edit=4");

    Files.delete(mine);
    Files.delete(quotas);
    eventually(
        () -> {
          DEVICE.publish("{\"params\": {\"pd.edit\": 9}}");
          assertEquals(9, jar.page().of(SERIAL, "pd_edit"), () -> "" + jar.log());
        });
    assertEquals(List.of(), jar.log(" ERROR "));
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
    assertEquals(143, jar.terminate());
  }

  private static String quotasWith(String expression, int value) throws IOException {
    String steps =
        """
              steps:
                - setVariable:
                    name: edit
                    constant:
                      expression: "VALUE"
                      resultType: java.lang.Integer
                - script:
                    simple: "EXPRESSION"
        """
            .replace("EXPRESSION", expression)
            .replace("VALUE", "" + value);
    return Files.readString(Path.of("src/main/resources/routes/quotas.camel.yaml"))
        .replaceFirst(" {6}steps:\n", Matcher.quoteReplacement(steps));
  }

  private void eventuallyShowsOfPushes(String name, double value) {
    eventually(
        () -> {
          // Publish only the message, without changing the state of the device, which other tests
          // use.
          DEVICE.publish("{\"params\": {\"pd.soc\": 17}}");
          assertEquals(value, jar.page().of(SERIAL, name), () -> name + jar.log());
        });
  }

  @Test
  void anExporterWithoutRoutesEnds() throws IOException {
    Path routes = Files.createDirectory(folder.resolve("routes"));
    start("rest", "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=file:" + routes + "/*.camel.yaml");

    assertEquals(1, jar.exitCode());
    assertTrue(jar.lastLine().contains("0 of 0 routes run"), jar.lastLine());
    assertEquals(List.of(), jar.log("Metrics are at"));
  }

  @Test
  void badConfigurationIsOneLineAndExitCode2() {
    start("rest", "COLLECTING_INTERVAL=often");

    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of(
            "ecoflow-exporter: COLLECTING_INTERVAL=often is not valid:"
                + " expected seconds from 0.1 to 86400"),
        jar.log());
  }

  @Test
  void aRegistryWithoutItsJarIsOneLineAndExitCode2() {
    start("rest", "ECOFLOW_MICROMETER_REGISTRIES=otlp");

    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of(
            "ecoflow-exporter: ECOFLOW_MICROMETER_REGISTRIES=otlp requires an additional jar:"
                + " put io.micrometer:micrometer-registry-otlp and its dependencies"
                + " into ECOFLOW_LIB_DIR"),
        jar.log());
  }

  @Test
  void missingCredentialsAreOneLineAndExitCode2() {
    jar.start(Map.of("ECOFLOW_DEVICE_SN", "A"));

    assertEquals(2, jar.exitCode());
    assertEquals(1, jar.log().size(), () -> "one line: " + jar.log());
    assertTrue(
        jar.log().get(0).startsWith("ecoflow-exporter: no credentials: set ECOFLOW_ACCESS_KEY"));
  }

  @Test
  void wrongCredentialsAreReportedAfterTheLastAttempt() {
    start("mqtt", "ECOFLOW_ACCOUNT_PASSWORD=wrong", "ESTABLISH_ATTEMPTS=2");

    assertEquals(1, jar.exitCode());
    List<String> errors = jar.log(" ERROR ");
    assertEquals(1, errors.size(), () -> "one line: " + jar.log());
    assertTrue(
        errors
            .get(0)
            .contains(
                "Cannot connect to EcoFlow: login: code 2026"
                    + " (The account does not exist or the password is wrong) on "
                    + LOGIN
                    + ":"
                    + " ECOFLOW_ACCOUNT_USER or ECOFLOW_ACCOUNT_PASSWORD is wrong"),
        errors.get(0));
    assertTrue(errors.get(0).endsWith("attempt 2 of 2, giving up"), errors.get(0));
  }

  @Test
  void anUnknownAccountIsReportedAsAWrongUserAfterTwoRetries() {
    cloud.faults().always(LOGIN, Fault.code("2026", "The account doesn't exist"));
    start("mqtt", "ESTABLISH_ATTEMPTS=4", "RETRY_TIMEOUT=0.4", "MAX_RECONNECT_DELAY=1");

    assertEquals(1, jar.exitCode());
    String answer =
        "Cannot connect to EcoFlow: login: code 2026 (The account doesn't exist) on " + LOGIN;
    String wrong = ": ECOFLOW_ACCOUNT_USER is wrong, unless EcoFlow has an outage; attempt ";
    String outage = ", as during an outage of EcoFlow; attempt ";
    assertEquals(
        List.of(
            answer + outage + "1 of 4, next attempt in 0.4 s",
            answer + outage + "2 of 4, next attempt in 0.8 s",
            answer + wrong + "3 of 4, next attempt in 1 s",
            answer + wrong + "4 of 4, giving up"),
        jar.log().stream()
            .filter(line -> line.contains(answer))
            .map(line -> line.substring(line.indexOf(answer)))
            .toList());
  }

  /**
   * The list is requested several times; with an account, after half a minute. SerialNumbersTest
   * covers mode mqtt.
   */
  @ParameterizedTest
  @ValueSource(strings = {"rest", "open", "device"})
  void aSerialNumberOfAnotherAccountIsOneLine(String mode) {
    String typo = "R331JAR000000010";
    start(mode, "ECOFLOW_DEVICE_SN=" + SERIAL.toLowerCase(Locale.ROOT) + "," + typo);
    String line =
        "Device " + typo + " is not in the device list of this account; the list has 1 device";
    jar.awaitLine(line);
    jar.awaitOwn(3, "scrape_requests_total", "device=" + typo, "status=not_found");
    assertEquals(
        1, jar.log().stream().filter(found -> found.endsWith(line)).count(), () -> "" + jar.log());
    assertEquals(1, jar.log(" WARN ").size(), () -> "" + jar.log());
    assertEquals(143, jar.terminate());
  }

  @Test
  void aKeyWithQuotesIsOneLineAndExitCode2() {
    start("rest", "ECOFLOW_SECRET_KEY=\"" + cloud.account().secretKey() + "\"");

    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of(
            "ecoflow-exporter: ECOFLOW_SECRET_KEY=*** is not valid: it has quotes around it;"
                + " remove them"),
        jar.log());
  }

  @Test
  void quotesAroundAPasswordAreOneLine() {
    start("mqtt", "ECOFLOW_ACCOUNT_PASSWORD='wrong'", "ESTABLISH_ATTEMPTS=1");

    assertEquals(1, jar.exitCode());
    assertEquals(1, jar.log(" WARN ").size(), () -> "" + jar.log());
    assertTrue(
        jar.log(" WARN ").get(0).contains("ECOFLOW_ACCOUNT_PASSWORD=*** has quotes around it"),
        () -> "" + jar.log());
  }

  @Test
  void anUnresponsiveCloudEndsTheProcessWithOneLine() {
    cloud.faults().always(DEVICE_LIST, Fault.status(503));
    start("rest", "ESTABLISH_ATTEMPTS=2", "HTTP_RETRIES=1");

    assertEquals(1, jar.exitCode());
    assertTrue(
        jar.lastLine()
            .endsWith(
                "Cannot get the device list from EcoFlow: HTTP 503 on "
                    + DEVICE_LIST
                    + "; attempt 2 of 2, giving up"),
        () -> "" + jar.log());
    assertTrue(jar.log().stream().noneMatch(line -> line.contains("\tat ")), () -> "" + jar.log());
  }

  @ParameterizedTest
  @CsvSource({
    LOGIN + ", login",
    CERTIFICATION + ", certification",
    ACCOUNT_DEVICES + ", device list"
  })
  void theLogNamesTheFailedCall(String path, String name) {
    cloud.faults().always(path, Fault.status(404));
    start("mqtt", "ESTABLISH_ATTEMPTS=2");

    assertEquals(1, jar.exitCode());
    String reason = "Cannot connect to EcoFlow: " + name + ": HTTP 404 on " + path;
    List<String> lines = jar.log().stream().filter(line -> line.contains(reason)).toList();
    assertEquals(2, lines.size(), () -> "" + jar.log());
    assertTrue(
        lines.get(0).endsWith(reason + "; attempt 1 of 2, next attempt in 0.5 s"), lines.get(0));
    assertTrue(lines.get(1).endsWith(reason + "; attempt 2 of 2, giving up"), lines.get(1));
  }

  @Test
  void aPortInUseIsOneLineAndExitCode1() throws IOException {
    try (ServerSocket taken = new ServerSocket(jar.port(), 1, InetAddress.getByName("0.0.0.0"))) {
      start("rest");

      assertEquals(1, jar.exitCode());
      assertEquals(
          "EXPORTER_PORT=" + taken.getLocalPort() + " is in use: choose another port",
          jar.lastLine().replaceFirst(".* - ", ""));
    }
  }
}
