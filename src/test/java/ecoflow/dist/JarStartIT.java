package ecoflow.dist;

import static ecoflow.cloud.ApiPath.ACCOUNT_DEVICES;
import static ecoflow.cloud.ApiPath.CERTIFICATION;
import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.testkit.Frames.frame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.TestFrames;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ExporterJar;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The start of the packaged jar, its commands, and its exit codes. */
class JarStartIT {

  private static final String SERIAL = "R331JAR000000001";

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice(SERIAL, "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81, "pd.wattsOutSum", 0));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);
  @RegisterExtension final ExporterJar jar = new ExporterJar(clouds);
  @TempDir Path directory;

  @Test
  void theJarRunsWithoutOtherFilesAndEndsOnASignal() {
    jar.start("rest");

    jar.awaitSeries(SERIAL, "pd_watts_out_sum");
    assertEquals(
        1,
        jar.page()
            .own(
                "exporter_build_info",
                "mode=rest",
                "version=" + System.getProperty("exporter.version")));

    assertEquals(143, jar.terminate());
    assertEquals(List.of(), jar.log(" WARN "), "no failure");
    assertEquals(List.of(), jar.log(" ERROR "), "no failure");
  }

  /**
   * Libraries read their version from the manifest of their jar, which here is the jar of the
   * exporter.
   */
  @ParameterizedTest
  @ValueSource(strings = {"INFO", "DEBUG"})
  void theLogContainsTheVersions(String level) {
    String camel = System.getProperty("exporter.camel");
    jar.start("rest", "LOG_LEVEL=" + level);
    jar.awaitSeries(SERIAL, "pd_soc");
    jar.terminate();

    String first = jar.log().get(0);
    assertTrue(
        first.contains(
            " INFO EcoflowExporter - Starting ecoflow-exporter "
                + System.getProperty("exporter.version")
                + " on Apache Camel "
                + camel
                + " and Java "
                + Runtime.version()
                + ": mode rest,"),
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

  /** As on a platform without native code in the jar. */
  @Test
  void mqttWorksWithTheTlsOfJava() {
    jar.start(jar.variables("device"), "-Dio.netty.handler.ssl.noOpenSsl=true");

    jar.awaitSeries(SERIAL, "pd_watts_out_sum");
    assertEquals(List.of(), jar.log(" WARN "), "Java's TLS is not a failure");
  }

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
    Path classes = directory.resolve("classes");
    jar.start(jar.variables("rest"), "-Xlog:class+load:file=" + classes);
    jar.awaitSeries(SERIAL, "pd_soc");
    jar.terminate();
    assertEquals(0, loaded(classes, "picocli."));
    assertEquals(0, loaded(classes, "ecoflow.command."));
    assertEquals(WEB_LIMITS, webClasses(classes));
    assertEquals(0, loaded(classes, "ecoflow.passwords."));
    assertEquals(0, loaded(classes, "org.mindrot."));
    assertTrue(loaded(classes, "org.apache.camel.impl.") > 0);

    for (String command : List.of("config", "--help", "--version")) {
      Map<String, String> variables = jar.variables("rest");
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
    Map<String, String> good = jar.variables("device");
    assertEquals(0, jar.run(good, "devices"));
    assertTrue(jar.lastLine().startsWith(SERIAL + "  Garage  "), () -> "" + jar.log());
    assertEquals(0, jar.run(good, "check"), () -> "" + jar.log());
    assertEquals(0, jar.run(good, "config"));

    Map<String, String> wrong = jar.variables("device", "ECOFLOW_ACCOUNT_PASSWORD=wrong");
    assertEquals(1, jar.run(wrong, "devices"));
    assertEquals(1, jar.log().size(), () -> "" + jar.log());
    assertEquals(1, jar.run(wrong, "check"));

    for (String command : List.of("devices", "check", "config")) {
      assertEquals(2, jar.run(jar.variables("rest", "LOG_LEVEL=loud"), command));
      assertEquals(1, jar.log().size(), () -> "" + jar.log());
    }
    assertEquals(2, jar.run(good, "dance"));
    assertEquals(
        List.of("ecoflow-exporter: unknown command 'dance'; see ecoflow-exporter --help"),
        jar.log());
  }

  @Test
  void theJarReplaysARecording() throws IOException {
    String frame = HexFormat.of().formatHex(TestFrames.recorded("delta3-254-21.hex"));
    Path record =
        Files.writeString(
            directory.resolve("record.jsonl"),
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
  void badConfigurationIsOneLineAndExitCode2() {
    jar.start("rest", "COLLECTING_INTERVAL=often");

    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of(
            "ecoflow-exporter: COLLECTING_INTERVAL=often is not valid:"
                + " expected seconds from 0.1 to 86400"),
        jar.log());
  }

  @Test
  void aRegistryWithoutItsJarIsOneLineAndExitCode2() {
    jar.start("rest", "ECOFLOW_MICROMETER_REGISTRIES=otlp");

    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of(
            "ecoflow-exporter: ECOFLOW_MICROMETER_REGISTRIES=otlp requires a further jar: put"
                + " io.micrometer:micrometer-registry-otlp and its dependencies"
                + " into ECOFLOW_LIB_DIR (ecoflow-exporter lib add micrometer-registry-otlp)"),
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
    jar.start("mqtt", "ECOFLOW_ACCOUNT_PASSWORD=wrong", "ESTABLISH_ATTEMPTS=2");

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
    assertTrue(errors.get(0).endsWith("attempt 2 of 2, exiting"), errors.get(0));
  }

  @Test
  void anUnknownAccountIsReportedAsAWrongUserAfterTwoRetries() {
    clouds.cloud().faults().always(LOGIN, Fault.code("2026", "The account doesn't exist"));
    jar.start("mqtt", "ESTABLISH_ATTEMPTS=4", "RETRY_TIMEOUT=0.4", "MAX_RECONNECT_DELAY=1");

    assertEquals(1, jar.exitCode());
    String answer =
        "Cannot connect to EcoFlow: login: code 2026 (The account doesn't exist) on " + LOGIN;
    String wrong = ": ECOFLOW_ACCOUNT_USER is wrong, unless EcoFlow has an outage; attempt ";
    String outage = ", which can be caused by an outage of EcoFlow; attempt ";
    assertEquals(
        List.of(
            answer + outage + "1 of 4, next attempt in 0.4 s",
            answer + outage + "2 of 4, next attempt in 0.8 s",
            answer + wrong + "3 of 4, next attempt in 1 s",
            answer + wrong + "4 of 4, exiting"),
        jar.log().stream()
            .filter(line -> line.contains(answer))
            .map(line -> line.substring(line.indexOf(answer)))
            .toList());
  }

  /**
   * The list is requested several times; with an account, after half a minute, which is shorter
   * here. SerialNumbersTest covers mode mqtt.
   */
  @ParameterizedTest
  @ValueSource(strings = {"rest", "open", "device"})
  void aSerialNumberOfAnotherAccountIsOneLine(String mode) {
    String typo = "R331JAR000000010";
    jar.start(
        jar.variables(mode, "ECOFLOW_DEVICE_SN=" + SERIAL.toLowerCase(Locale.ROOT) + "," + typo),
        "-Decoflow.list.check.tick=2s");
    String line =
        "Device " + typo + " is not in the device list of this account; the list has 1 device";
    jar.awaitLine(line);
    jar.awaitAtLeast(3, "scrape_requests_total", "device=" + typo, "status=not_found");
    assertEquals(
        1, jar.log().stream().filter(found -> found.endsWith(line)).count(), () -> "" + jar.log());
    assertEquals(1, jar.log(" WARN ").size(), () -> "" + jar.log());
    assertEquals(143, jar.terminate());
  }

  @Test
  void aKeyWithQuotesIsOneLineAndExitCode2() {
    jar.start("rest", "ECOFLOW_SECRET_KEY=\"" + clouds.cloud().account().secretKey() + "\"");

    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of("ecoflow-exporter: ECOFLOW_SECRET_KEY=*** has quotes around it: remove them"),
        jar.log());
  }

  /** A file of another user, such as a container secret that only root can read. */
  @Test
  void aSecretFileOfAnotherUserIsOneLineWithBothUsers() throws Exception {
    Path directory = jar.file().getParent();
    boolean isRoot = (int) Files.getAttribute(directory, "unix:uid") == 0;
    assumeTrue(isRoot && Files.isExecutable(Path.of("/usr/bin/setpriv")), "needs another user");
    Path secret = Files.writeString(directory.resolve("secret"), "s3cret");
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Map<String, String> variables =
        jar.variables("rest", "ECOFLOW_SECRET_KEY_FILE=" + secret, "ECOFLOW_SECRET_KEY=");
    try (ChildProcess process =
        ChildProcess.start(
            directory,
            directory.resolve("log"),
            variables,
            List.of(
                "/usr/bin/setpriv",
                "--reuid=65534",
                "--clear-groups",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                jar.file().toString()))) {
      assertEquals(2, process.exitCode());
      assertEquals(
          List.of(
              "ecoflow-exporter: ECOFLOW_SECRET_KEY_FILE="
                  + secret
                  + " is not valid: expected a file with the secret, but it is not readable for"
                  + " user ID 65534 (owner: user ID 0, mode 600)"),
          process.lines());
    }
  }

  @Test
  void unknownVariablesAreOneLineEachWithoutTheirValues() {
    jar.start("rest", "ECOFLOW_METRIC=s3cret", "ECOFLOW_XYZ=s3cret", "ECOFLOW_METRICS=raw");
    jar.awaitLine("Metrics are at ");
    assertEquals(
        List.of(
            "EcoflowExporter - ECOFLOW_METRIC is unknown; did you mean ECOFLOW_METRICS?",
            "EcoflowExporter - ECOFLOW_XYZ is unknown and has no effect"),
        jar.log(" WARN "));
    assertEquals(List.of(), jar.log("s3cret"));
    assertEquals(143, jar.terminate());
  }

  @Test
  void aPasswordWithQuotesIsOneLineAndExitCode2() {
    jar.start("mqtt", "ECOFLOW_ACCOUNT_PASSWORD='wrong'");

    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of("ecoflow-exporter: ECOFLOW_ACCOUNT_PASSWORD=*** has quotes around it: remove them"),
        jar.log());
  }

  @Test
  void anUnresponsiveCloudEndsTheProcessWithOneLine() {
    clouds.cloud().faults().always(DEVICE_LIST, Fault.status(503));
    jar.start("rest", "ESTABLISH_ATTEMPTS=2", "HTTP_RETRIES=1");

    assertEquals(1, jar.exitCode());
    assertTrue(
        jar.lastLine()
            .endsWith(
                "Cannot get the device list from EcoFlow: HTTP 503 on "
                    + DEVICE_LIST
                    + "; attempt 2 of 2, exiting"),
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
    clouds.cloud().faults().always(path, Fault.status(404));
    jar.start("mqtt", "ESTABLISH_ATTEMPTS=2");

    assertEquals(1, jar.exitCode());
    String reason = "Cannot connect to EcoFlow: " + name + ": HTTP 404 on " + path;
    List<String> lines = jar.log().stream().filter(line -> line.contains(reason)).toList();
    assertEquals(2, lines.size(), () -> "" + jar.log());
    assertTrue(
        lines.get(0).endsWith(reason + "; attempt 1 of 2, next attempt in 0.5 s"), lines.get(0));
    assertTrue(lines.get(1).endsWith(reason + "; attempt 2 of 2, exiting"), lines.get(1));
  }

  @Test
  void aPortInUseIsOneLineAndExitCode1() throws IOException {
    try (ServerSocket taken = new ServerSocket(jar.port(), 1, InetAddress.getByName("0.0.0.0"))) {
      jar.start("rest");

      assertEquals(1, jar.exitCode());
      assertEquals(
          "EXPORTER_PORT=" + taken.getLocalPort() + " is in use: choose another port",
          jar.lastLine().replaceFirst(".* - ", ""));
    }
  }
}
