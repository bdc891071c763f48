package ecoflow.dist;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.Fleet;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Distribution;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.Page;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Readme;
import ecoflow.testkit.RoutesDirectory;
import ecoflow.testkit.SourceCopy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs each command of the README and the manual. A command that the test does not know fails. */
class ReadmeIT {

  /** The beginnings of commands that are not run here, with the reason. */
  private static final Map<String, String> NOT_RUN =
      Map.of(
          "./mvnw -B verify", "is what runs this test",
          "docker ", "needs a container engine and its images, which build machines may lack",
          "git clone ", "needs the address of a published repository",
          "cd ecoflow-exporter", "follows git clone");

  private static final int CTRL_C = 130;
  private static final long BUILD_SECONDS = 300;
  private static final String ROUTES = "/etc/ecoflow/routes";

  private static final Readme README = new Readme();

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice("R331README000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81, "pd.wifiRssi", -52));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);

  /** Shared by all commands that build, so that later ones reuse the compiled classes. */
  @TempDir private static Path checkout;

  private static SourceCopy sources;

  @TempDir private Path directory;
  private final int port = Ports.next();
  private final Page page = ExporterJar.pageAt(port);

  /** The last process that the test started. */
  private ChildProcess process;

  @AfterEach
  void end() {
    if (process != null) {
      process.close();
    }
  }

  static Stream<String> commands() {
    return README.commands().stream()
        .filter(command -> NOT_RUN.keySet().stream().noneMatch(command::startsWith));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("commands")
  void theCommandWorks(String command) throws IOException {
    if (command.endsWith(" java -jar target/ecoflow-exporter.jar")) {
      startsTheJar(command);
    } else if (command.startsWith("tar ")) {
      unpacksTheDistribution();
    } else if (command.endsWith("/bin/ecoflow-exporter train")) {
      trains(command);
    } else if (command.endsWith("/bin/ecoflow-exporter")) {
      startsTheDistribution(command);
    } else if (command.startsWith("cp -r ")) {
      copiesTheRoutes();
    } else if (command.endsWith(" java -jar ecoflow-exporter.jar")) {
      copiesTheRoutes();
      startsWithCopiedRoutes(command);
    } else if (command.startsWith("java -jar target/ecoflow-exporter.jar ")) {
      runsACommand(command);
    } else if (command.contains("/bin/ecoflow-exporter lib add ")) {
      addsComponents(command);
    } else if (command.endsWith("./mvnw -Pdemo")) {
      startsTheDemo(command);
    } else if (command.equals("./mvnw spotless:apply")) {
      formats(command);
    } else if (command.equals("./mvnw -q -Psoak")) {
      soaks(command);
    } else {
      fail("no test runs " + command);
    }
  }

  @Test
  void excludedCommandsAreInTheReadme() {
    NOT_RUN.forEach(
        (start, reason) ->
            assertTrue(
                README.commands().stream().anyMatch(command -> command.startsWith(start)), start));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("demoModes")
  void theDemoRunsInEachMode(String assignment) {
    // Runs the class of the profile "demo". The build itself is the same in all modes.
    startShell(
        Path.of(""),
        Map.of(),
        "%s java -cp '%s' ecoflow.cloud.Demo '%s'"
            .formatted(
                assignment,
                System.getProperty("java.class.path"),
                System.getProperty("exporter.jar")));
    assertDemoRuns(assignment.replace("DEMO_MODE=", ""));
  }

  /** Reads the modes in "DEMO_MODE=rest (or mqtt or open)". */
  static Stream<String> demoModes() {
    Matcher modes =
        Pattern.compile("`(DEMO_MODE=)(\\w+)` \\(or `(\\w+)` or `(\\w+)`\\)")
            .matcher(README.text());
    assertTrue(modes.find(), "no modes of the demo in the README");
    return IntStream.of(2, 3, 4).mapToObj(mode -> modes.group(1) + modes.group(mode));
  }

  /** The example in "Edit a route". */
  @Test
  void theEditedRouteHidesTheWifiSignal() {
    String lines =
        README.blocks("yaml").stream()
            .filter(block -> block.contains("pd.wifiRssi"))
            .findFirst()
            .orElseThrow();
    copiesTheRoutes().replaceLines("quotas.camel.yaml", lines);
    startExporter(only(" java -jar ecoflow-exporter.jar"));
    eventuallyShowsSoc();
    assertEquals(List.of(), page.lines("pd_wifi_rssi"));
    endByCtrlC();
  }

  // What the commands do

  private void startsTheJar(String command) {
    startExporter(command);
    if (command.contains("=mqtt ")) {
      eventually(
          () -> {
            DEVICE.pushAll();
            assertEquals(81, page.of(DEVICE, "pd_soc"), () -> "" + process.lines());
          });
    }
    eventuallyShowsSoc();
    String mode =
        Stream.of("mqtt", "device", "open")
            .filter(m -> command.contains("=" + m + " "))
            .findFirst()
            .orElse("rest");
    assertEquals(1, page.own("exporter_build_info", "mode=" + mode));
    endByCtrlC();
  }

  /** Uses a directory target, as in a checkout. */
  private void unpacksTheDistribution() throws IOException {
    Path built = Path.of(System.getProperty("exporter.distribution"));
    Files.createDirectory(directory.resolve("target"));
    Files.copy(built, directory.resolve("target").resolve(built.getFileName()));
    startShell(directory, Map.of(), only("tar "));
    assertEquals(0, process.exitCode(), () -> "" + process.lines());
  }

  private Path unpacked() {
    String name = Path.of(System.getProperty("exporter.distribution")).getFileName().toString();
    return directory.resolve(name.replace(".tar.gz", ""));
  }

  private void trains(String command) throws IOException {
    unpacksTheDistribution();
    startShell(directory, Map.of(), command);
    assertEquals(0, process.exitCode(), () -> "" + process.lines());
    assertEquals(List.of(), process.lines());
    assertEquals(1, Distribution.files(unpacked().resolve("cache")).size());
  }

  private void startsTheDistribution(String command) throws IOException {
    unpacksTheDistribution();
    startExporter(directory, command);
    eventuallyShowsSoc();
    assertTrue(process.lines().get(0).contains("start-up archive"), "the first start creates it");
    endByCtrlC();
  }

  private void runsACommand(String command) {
    startExporter(command);
    assertEquals(0, process.exitCode(), () -> "" + process.lines());
    String words = command.replaceFirst(".*\\.jar ", "");
    String shown =
        switch (words.split(" ")[0]) {
          case "check" -> "ok +values +" + DEVICE.serial() + " sent values after .*";
          case "devices" -> DEVICE.serial() + " +Garage +DELTA 2 +yes +JSON";
          case "config" -> "ECOFLOW_SECRET_KEY +\\*\\*\\* +environment";
          // EcoFlow has no energy history of this model.
          case "history" -> "# EOF";
          case "routes" -> "wrote +.*/routes/quotas.camel.yaml";
          case "--help" -> "Usage: ecoflow-exporter .*";
          default -> fail("no test for " + words);
        };
    assertTrue(
        process.lines().stream().anyMatch(line -> line.matches(shown)),
        () -> shown + process.lines());
  }

  private void addsComponents(String command) throws IOException {
    Path lib = directory.resolve("lib");
    unpacksTheDistribution();
    startShell(directory, Map.of(), command.replace("/etc/ecoflow/lib", lib.toString()));
    assertEquals(0, process.exitCode(), () -> "" + process.lines());
    Set<String> added = names(Distribution.files(lib));
    assertTrue(added.contains("camel-sql-4.18.0.jar"), () -> "" + added);
    assertTrue(added.contains("postgresql-42.7.8.jar"), () -> "" + added);
    Set<String> contained = names(Distribution.files(unpacked().resolve("lib")));
    assertEquals(Set.of(), common(added, contained), "libraries of the exporter are not added");

    // Camel finds the component and its dependencies.
    Path routes = Files.createDirectory(directory.resolve("sql"));
    Files.writeString(
        routes.resolve("sql.camel.yaml"),
        // Not a text block: another test breaks the indentation of this file, and the formatter
        // does not restore that of text blocks.
        String.join(
            "\n",
            "- beans:",
            "    - name: base",
            "      type: org.postgresql.ds.PGSimpleDataSource",
            "      properties:",
            "        url: \"jdbc:postgresql://127.0.0.1:1/none\"",
            "- route:",
            "    id: sql",
            "    from:",
            "      uri: timer",
            "      parameters:",
            "        timerName: sql",
            "        repeatCount: 1",
            "      steps:",
            "        - to:",
            "            uri: sql",
            "            parameters:",
            "              query: select 1",
            "              dataSource: \"#base\"",
            ""));
    startExporter(
        directory,
        "ECOFLOW_LIB_DIR="
            + lib
            + " CAMEL_MAIN_ROUTES_INCLUDE_PATTERN='file:"
            + routes
            + "/*.camel.yaml' ecoflow-exporter-*/bin/ecoflow-exporter");
    process.awaitLine("Connection to 127.0.0.1:1 refused");
    endByCtrlC();
  }

  private static Set<String> names(List<Path> files) {
    return files.stream().map(file -> file.getFileName().toString()).collect(Collectors.toSet());
  }

  private static Set<String> common(Set<String> one, Set<String> other) {
    return one.stream().filter(other::contains).collect(Collectors.toSet());
  }

  private RoutesDirectory copiesTheRoutes() {
    RoutesDirectory routes = new RoutesDirectory(directory.resolve("routes"));
    startShell(Path.of(""), Map.of(), only("cp -r "));
    assertEquals(0, process.exitCode(), () -> "" + process.lines());
    assertEquals(RoutesDirectory.packaged(), routes.names());
    return routes;
  }

  private void startsWithCopiedRoutes(String command) {
    startExporter(command);
    eventuallyShowsSoc();
    assertEquals(-52, page.of(DEVICE, "pd_wifi_rssi"));
    endByCtrlC();
  }

  private void startsTheDemo(String command) {
    startBuild(command.replaceAll("EXPORTER_PORT=\\d+", "EXPORTER_PORT=" + port));
    assertDemoRuns("device");
  }

  private void assertDemoRuns(String mode) {
    process.awaitLine("http://localhost:" + port + "/", BUILD_SECONDS);
    eventually(
        () ->
            assertFalse(
                Double.isNaN(page.of(Fleet.DELTA_2, "pd_soc")), () -> "" + process.lines()));
    assertEquals(1, page.own("exporter_build_info", "mode=" + mode));
    endByCtrlC();
    assertEquals("", page.text(), "the exporter stops with the demo");
  }

  private void formats(String command) throws IOException {
    Path file = sources().directory().resolve("src/test/java/ecoflow/dist/ReadmeIT.java");
    String formatted = Files.readString(file);
    Files.writeString(file, formatted.replace("\n  ", "\n\t "));
    assertNotEquals(formatted, Files.readString(file));
    build(command);
    assertEquals(formatted, Files.readString(file));
  }

  /** Runs for a short time only. */
  private void soaks(String command) {
    Set<String> options =
        Pattern.compile("`-D(soak\\.\\w+)=")
            .matcher(README.text())
            .results()
            .map(option -> option.group(1))
            .collect(Collectors.toSet());
    assertEquals(Set.of("soak.minutes", "soak.mode", "soak.seed", "soak.accounts"), options);
    List<String> lines =
        build(command + " -Dsoak.minutes=0.05 -Dsoak.mode=mqtt -Dsoak.seed=7 -Dsoak.calm=15");
    assertTrue(
        lines.contains("Soak: mode mqtt, 0.05 minutes of faults, seed 7, one account"),
        () -> "" + lines);
    assertTrue(lines.contains("violations 0"), () -> "" + lines);
  }

  // Steps

  /** The only command that starts or ends with these words. */
  private static String only(String words) {
    List<String> found =
        README.commands().stream()
            .filter(command -> command.startsWith(words) || command.endsWith(words))
            .toList();
    assertEquals(1, found.size(), () -> words + found);
    return found.get(0);
  }

  /**
   * Starts an exporter with the simulated cloud, in the directory where the command finds its jar.
   */
  private void startExporter(String command) {
    Path jar = Path.of(System.getProperty("exporter.jar"));
    startExporter(
        command.contains(" target/") ? jar.getParent().getParent() : jar.getParent(), command);
  }

  private void startExporter(Path start, String command) {
    SimulatedCloud cloud = clouds.cloud();
    Map<String, String> variables = new HashMap<>();
    variables.put("ECOFLOW_API_HOST", cloud.apiHost());
    variables.put("ECOFLOW_CA_FILE", cloud.caFile().toString());
    if (!command.contains("ECOFLOW_DEVICE_SN=")) {
      // The README omits variables of preceding commands.
      CloudAccount account = cloud.account();
      variables.put("ECOFLOW_DEVICE_SN", "all");
      variables.put("ECOFLOW_ACCESS_KEY", account.accessKey());
      variables.put("ECOFLOW_SECRET_KEY", account.secretKey());
    }
    startShell(start, variables, withCredentials(command, cloud.account()));
  }

  private static String withCredentials(String command, CloudAccount account) {
    Map<String, String> values =
        Map.of(
            "ECOFLOW_ACCESS_KEY", account.accessKey(),
            "ECOFLOW_SECRET_KEY", account.secretKey(),
            "ECOFLOW_ACCOUNT_USER", account.email(),
            "ECOFLOW_ACCOUNT_PASSWORD", account.password());
    return Pattern.compile("(\\w+)=\\.\\.\\.")
        .matcher(command)
        .replaceAll(place -> place.group(1) + "='" + values.get(place.group(1)) + "'");
  }

  private static SourceCopy sources() {
    if (sources == null) {
      sources = SourceCopy.to(checkout.resolve("ecoflow-exporter"));
    }
    return sources;
  }

  private void startBuild(String command) {
    Map<String, String> variables = new HashMap<>();
    String repository = System.getProperty("localRepository");
    if (repository != null) {
      String arguments = System.getenv().getOrDefault("MAVEN_ARGS", "");
      variables.put("MAVEN_ARGS", arguments + " -Dmaven.repo.local=" + repository);
    }
    startShell(sources().directory(), variables, command);
  }

  /** Runs a build that must succeed, and returns its output. */
  private List<String> build(String command) {
    startBuild(command);
    assertEquals(0, process.exitCode(BUILD_SECONDS), () -> command + process.lines());
    return process.lines();
  }

  private void startShell(Path start, Map<String, String> variables, String command) {
    Map<String, String> all = new HashMap<>(variables);
    // The port of a command must come from the command.
    all.put("EXPORTER_PORT", command.contains("EXPORTER_PORT=") ? "0" : Integer.toString(port));
    process =
        ChildProcess.shell(
            start.toAbsolutePath(),
            directory.resolve("output"),
            all,
            command.replace(ROUTES, directory.resolve("routes").toString()));
  }

  private void eventuallyShowsSoc() {
    eventually(() -> assertEquals(81, page.of(DEVICE, "pd_soc"), () -> "" + process.lines()));
  }

  private void endByCtrlC() {
    process.interrupt();
    assertEquals(CTRL_C, process.exitCode(), () -> "" + process.lines());
  }
}
