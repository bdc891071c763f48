package ecoflow.deploy;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.ImageStore;
import ecoflow.testkit.Page;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Series;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The container images, built from the Dockerfile and run with hardening options. */
class ImageIT {

  private static final String IMAGE = "localhost/ecoflow-exporter:latest";
  private static final String DEMO = "localhost/ecoflow-exporter-demo:latest";
  private static final String FLEET = "localhost/ecoflow-exporter-fleet:latest";
  private static final List<String> HARDENED =
      List.of(
          "--read-only",
          "--cap-drop=ALL",
          "--security-opt=no-new-privileges",
          "--memory=192m",
          "--pull=never");

  private static final long MAX_BYTES = 180_000_000;

  /** The entry point. The image does not contain a shell. */
  private static final Set<String> PROGRAMS = Set.of("env");

  /** A line of tar: type and permissions, owner, size, date, time and name. */
  private static final Pattern ENTRY =
      Pattern.compile("(.)(.{9}) (\\S+)/(\\S+) +\\S+ \\S+ \\S+ (\\S+).*");

  private static final String JAVA = "/app/jre/bin/java";
  private static final int END_BY_SIGNAL = 143;

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice("R331IMAGE0000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);

  @TempDir(cleanup = CleanupMode.ALWAYS)
  private static Path directory;

  private static ImageStore images;

  private final int port = Ports.next();
  private final Page page = ExporterJar.pageAt(port);

  @BeforeAll
  static void build() throws IOException {
    assumeTrue(
        ImageStore.isSupported(),
        "images are built as root on Debian, with buildah, podman, runc and mmdebstrap");
    images = new ImageStore(directory);
    List<String> printed = images.build();
    printed.stream().filter(line -> line.startsWith("localhost/")).forEach(System.out::println);
    // The CA file of the cloud is readable only by its owner.
    Files.writeString(
        Files.createDirectories(directory.resolve("open")).resolve("ca.pem"),
        Files.readString(clouds.cloud().caFile()));
  }

  @AfterAll
  static void clean() {
    if (images != null) {
      images.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"device", "rest"})
  void theExporterServesItsPageAndIsHealthy(String mode) throws IOException {
    start("exporter-" + mode, mode);

    eventually(() -> assertEquals(81, page.of(DEVICE, "pd_soc"), () -> log("exporter-" + mode)));
    assertEquals(0, images.exitCode("healthcheck", "run", "exporter-" + mode));
    isTheUsersProcessWithItsArchive("exporter-" + mode, "ecoflow-exporter");
    images.podman("stop", "exporter-" + mode);
    assertEquals(
        Integer.toString(END_BY_SIGNAL), inspect("exporter-" + mode, "{{.State.ExitCode}}"));
  }

  @Test
  void theHealthCheckReportsAnUnhealthyExporter() {
    // Another program uses the port of the health check, and the exporter uses another port.
    List<String> exporter = options("device", "-e", "EXPORTER_PORT=" + cloudPort());
    exporter.addAll(List.of("--entrypoint", "env", IMAGE, "EXPORTER_PORT=" + port));
    exporter.addAll(List.of(JAVA, "@/app/java.options", "ecoflow.EcoflowExporter"));
    images.start("unwell", exporter);
    eventually(() -> assertEquals(1, page.own("exporter_build_info", "mode=device")));

    assertEquals(1, images.exitCode("healthcheck", "run", "unwell"));
  }

  @Test
  void theDemoDoesNotRequireAnAccount() {
    List<String> options = new ArrayList<>(HARDENED);
    options.remove("--memory=192m");
    options.addAll(List.of("--tmpfs", "/tmp", "-e", "EXPORTER_PORT=" + port, DEMO));
    images.start("demo", options);

    eventually(() -> assertEquals(5, page.series("online").size(), () -> log("demo")));
    assertEquals(0, images.exitCode("healthcheck", "run", "demo"));
  }

  /** Kafka does not run, which the collector reports in its log. */
  @Test
  void theFleetImageHasTheRoles() throws IOException {
    List<String> options =
        options(
            "mqtt",
            "-e",
            "EXPORTER_PORT=" + port,
            "-e",
            "ECOFLOW_ROLE=collect",
            "-e",
            "ECOFLOW_KAFKA_BROKERS=127.0.0.1:1");
    options.add(FLEET);
    images.start("collector", options);

    eventually(
        () ->
            assertEquals(
                1,
                page.series("mqtt_connected").stream().mapToDouble(Series::value).sum(),
                () -> log("collector")));
    assertTrue(log("collector").contains("Kafka at 127.0.0.1:1 does not answer"));
    isTheUsersProcessWithItsArchive("collector", "ecoflow-fleet");
    images.podman("stop", "collector");
  }

  /** Only root can write, except to the directory for temporary files. */
  @Test
  void allFilesAreReadOnlyAndTheImageHasNoShell() throws IOException {
    images.podman("create", "--pull=never", "--name", "content", IMAGE);
    Path archive = directory.resolve("content.tar");
    images.podman("export", "--output", archive.toString(), "content");
    images.podman("rm", "content");
    Path list = directory.resolve("content");
    ChildProcess.run(directory, list, "tar", "--numeric-owner", "-tvf", archive.toString());
    Files.delete(archive);
    Set<String> programs = new TreeSet<>();
    for (String line : Files.readAllLines(list)) {
      Matcher entry = ENTRY.matcher(line);
      assertTrue(entry.matches(), line);
      String name = entry.group(5);
      assertEquals("0", entry.group(3), line);
      boolean open = entry.group(2).charAt(7) == 'w' || entry.group(2).charAt(4) == 'w';
      assertTrue(!open || entry.group(1).equals("l") || name.equals("tmp/"), line);
      if (name.matches("usr/s?bin/.+")) {
        programs.add(name.replaceFirst(".*/", ""));
      }
    }
    assertEquals(PROGRAMS, programs);
  }

  @Test
  void theCommandsWork() {
    String version = "ecoflow-exporter " + System.getProperty("exporter.version");
    List<String> options = new ArrayList<>(HARDENED);
    options.addAll(List.of(IMAGE, "--version"));
    assertEquals(version, images.run(options.toArray(String[]::new)).get(0));
    List<String> devices = options("rest");
    devices.addAll(List.of(IMAGE, "devices"));
    List<String> lines = images.run(devices.toArray(String[]::new));
    assertTrue(lines.stream().anyMatch(line -> line.contains(DEVICE.serial())), lines::toString);
    assertEquals(
        List.of("0 jars, 0 kB in /app/lib/components"),
        images.run("--pull=never", IMAGE, "lib", "list"));
  }

  /** As in a shell, the variable contains words and quotes. */
  @Test
  void furtherOptionsOfJavaTakePrecedence() {
    String options = "-Xmx64m '-Dexample=a b' -XX:+PrintFlagsFinal";
    List<String> lines =
        images.run("--pull=never", "-e", "ECOFLOW_JAVA_OPTS=" + options, IMAGE, "--version");
    assertTrue(
        lines.stream().anyMatch(line -> line.matches(".*\\bMaxHeapSize += 67108864 .*")),
        lines::toString);
  }

  @Test
  void theImageHasLabels() {
    String labels = inspectImage("{{json .Labels}}");
    assertTrue(
        labels.contains(
            "\"org.opencontainers.image.version\":\"" + System.getProperty("exporter.version")),
        labels);
    assertTrue(
        Pattern.compile("image.revision\":\"([0-9a-f]{40}|unknown)\"").matcher(labels).find(),
        labels);
    assertTrue(labels.contains("\"org.opencontainers.image.licenses\":\"MIT\""), labels);
    assertEquals("1000:1000", inspectImage("{{.Config.User}}"));
    assertEquals("SIGTERM", inspectImage("{{.Config.StopSignal}}"));
    String health = inspectImage("{{json .HealthCheck.Test}}");
    assertTrue(health.startsWith("[\"CMD\",\"/app/jre/bin/java\""), health);
    assertFalse(health.contains("sh"), health);
    long bytes = Long.parseLong(inspectImage("{{.Size}}"));
    System.out.println("The image has " + bytes + " bytes");
    assertTrue(bytes < MAX_BYTES, () -> "" + bytes);
  }

  private void start(String name, String mode) {
    List<String> options = options(mode, "-e", "EXPORTER_PORT=" + port);
    options.add(IMAGE);
    images.start(name, options);
  }

  /** The options of a container that uses the simulated cloud. */
  private static List<String> options(String mode, String... more) {
    List<String> options = new ArrayList<>(HARDENED);
    options.addAll(List.of("-v", directory.resolve("open") + ":/etc/ecoflow:ro"));
    Variables.of(clouds.cloud(), mode, "ECOFLOW_CA_FILE=/etc/ecoflow/ca.pem")
        .forEach((name, value) -> options.addAll(List.of("-e", name + "=" + value)));
    options.addAll(List.of(more));
    return options;
  }

  private static int cloudPort() {
    return Integer.parseInt(clouds.cloud().apiHost().replaceFirst(".*:", ""));
  }

  private static void isTheUsersProcessWithItsArchive(String container, String archive)
      throws IOException {
    Path process = Path.of("/proc", inspect(container, "{{.State.Pid}}"));
    String command = Files.readString(process.resolve("cmdline"));
    assertTrue(command.startsWith(JAVA + "\0"), command);
    assertTrue(
        Files.readString(process.resolve("status")).contains("\nUid:\t1000\t1000\t"), container);
    // The archive is mapped, so it is used: the runtime does not map an invalid archive.
    String files = Files.readString(process.resolve("maps"));
    assertTrue(files.contains("/app/cache/" + archive + "-"), files);
  }

  private static String log(String container) {
    return images.podman("logs", container).toString();
  }

  private static String inspect(String container, String format) {
    return images.podman("inspect", "--format", format, container).get(0);
  }

  private static String inspectImage(String format) {
    return images.podman("image", "inspect", "--format", format, IMAGE).get(0);
  }
}
