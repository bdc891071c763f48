package ecoflow.dist;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Distribution;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.KafkaBroker;
import ecoflow.testkit.Page;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Programs;
import ecoflow.testkit.RoutesDirectory;
import ecoflow.testkit.Series;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The roles of a fleet in the packaged jar and in the distribution, with a real Kafka broker. */
class FleetIT {

  private static final int TERMINATED = 143;

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice("R331FLEETDIST001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);

  @TempDir private static Path parent;
  private static Distribution distribution;
  private static KafkaBroker kafka;

  @TempDir private Path directory;
  private final int port = Ports.next();
  private final Page page = ExporterJar.pageAt(port);
  private ChildProcess process;

  @BeforeAll
  static void unpack() {
    distribution = Distribution.unpackedIn(parent);
    kafka = new KafkaBroker(parent);
    kafka.start();
  }

  @AfterEach
  void end() {
    if (process != null) {
      process.close();
    }
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  private Map<String, String> variables(String... more) {
    Map<String, String> all = new HashMap<>(Variables.of(clouds.cloud(), "mqtt", more));
    all.put("EXPORTER_PORT", Integer.toString(port));
    all.put("ECOFLOW_KAFKA_BROKERS", kafka.address());
    all.put("ECOFLOW_KAFKA_TOPICS", "dist");
    return all;
  }

  private void start(Map<String, String> variables) {
    process = distribution.start(directory.resolve("log"), variables);
  }

  private static Set<String> entries(Path file) throws IOException {
    try (JarFile jar = new JarFile(file.toFile())) {
      return jar.stream()
          .map(entry -> entry.getName())
          .filter(name -> !name.endsWith("/"))
          .collect(Collectors.toSet());
    }
  }

  @Test
  void onlyTheFleetJarUsesKafka() throws IOException {
    Path lib = distribution.directory().resolve("lib");
    for (Path jar :
        List.of(Path.of(System.getProperty("exporter.jar")), lib.resolve("ecoflow-exporter.jar"))) {
      assertEquals(
          Set.of(),
          entries(jar).stream()
              .filter(
                  name ->
                      name.matches(
                          "(ecoflow/fleet|routes-fleet|org/apache/kafka"
                              + "|org/apache/camel/component/kafka)/.*"))
              .collect(Collectors.toSet()),
          jar.toString());
    }
    assertEquals(
        Set.of(),
        entries(lib.resolve("fleet/ecoflow-fleet.jar")).stream()
            .filter(name -> !name.matches("(ecoflow/fleet|routes-fleet|META-INF)/.*"))
            .collect(Collectors.toSet()));
    assertEquals(
        List.of("camel-kafka", "ecoflow-fleet", "kafka-clients"),
        Distribution.files(lib.resolve("fleet")).stream()
            .map(file -> file.getFileName().toString().replaceFirst("(-[0-9.]+)?\\.jar$", ""))
            .toList());
    String licences = Files.readString(distribution.directory().resolve("THIRD-PARTY.txt"));
    assertTrue(licences.contains("org.apache.kafka:kafka-clients"), licences);
  }

  @ParameterizedTest
  @ValueSource(strings = {"collect", "serve"})
  void theExecutableJarHasNoRoles(String role) {
    try (ExporterJar jar = new ExporterJar(directory)) {
      assertEquals(2, jar.run(variables("ECOFLOW_ROLE=" + role)));
      assertEquals(
          List.of(
              "ecoflow-exporter: ECOFLOW_ROLE="
                  + role
                  + " requires the jars of lib/fleet: start bin/ecoflow-exporter of the"
                  + " distribution, or use the image ecoflow-exporter-fleet"),
          jar.log());
    }
  }

  @Test
  void roleAllLoadsNoClassOfKafka() throws IOException {
    Path classes = directory.resolve("classes");
    start(
        variables(
            "ECOFLOW_ARCHIVE=off", "ECOFLOW_JAVA_OPTS=-Xlog:class+load:file=" + classes + ":none"));

    page.eventuallyShows(DEVICE, "online", 0);
    assertEquals(
        List.of(),
        Files.readAllLines(classes).stream()
            .filter(line -> line.contains("kafka") || line.contains("ecoflow.role"))
            .filter(line -> !line.contains("ecoflow.config."))
            .toList());
  }

  @Test
  void missingTopicEndsTheStartWithItsCommand() {
    start(variables("ECOFLOW_ROLE=collect", "ECOFLOW_ARCHIVE=off"));

    assertEquals(2, process.exitCode());
    List<String> lines = process.lines();
    assertTrue(
        lines
            .get(lines.size() - 1)
            .endsWith(
                "Kafka has no topic dist.raw: create it, for example with kafka-topics.sh --bootstrap-server "
                    + kafka.address()
                    + " --create --topic dist.raw --partitions 12 --config retention.ms=3600000 --config segment.ms=600000"),
        lines::toString);
    assertEquals(2, lines.size(), lines::toString);
  }

  @Test
  void aCollectorRunsWithItsOwnArchiveAndLogsAnOutageOnce() throws Exception {
    kafka.ensureStarted();
    kafka.createTopics(3, "outage.raw", "outage.devices");
    Map<String, String> variables = variables("ECOFLOW_ROLE=collect");
    variables.put("ECOFLOW_KAFKA_TOPICS", "outage");
    start(variables);
    eventually(() -> assertEquals(1, own("mqtt_connected"), () -> "" + process.lines()));
    assertTrue(
        distribution.archives().stream()
            .anyMatch(file -> file.getFileName().toString().startsWith("ecoflow-fleet-")));
    assertFalse(
        process.lines().stream().anyMatch(line -> line.contains("did not create")),
        () -> "" + process.lines());
    DEVICE.pushAll();
    eventually(() -> assertEquals(1, own("kafka_sent_messages_total")));

    kafka.kill();
    eventually(
        () -> {
          DEVICE.pushAll();
          assertEquals(1, log("Kafka at ").size());
        });
    kafka.start();
    eventually(
        () -> {
          DEVICE.pushAll();
          assertEquals(1, log("Kafka accepts records again").size());
        });
    process.signal("TERM");
    assertEquals(TERMINATED, process.exitCode());
    List<String> others =
        process.lines().stream()
            .filter(line -> !line.matches(".*(creating the start-up archive| INFO ).*"))
            .toList();
    assertEquals(log("Kafka at "), others);
  }

  /** The heap is that of the launcher, and each waiting message also needs other memory. */
  @Test
  void anOutageWithManySmallMessagesDoesNotExhaustTheMemory() throws Exception {
    kafka.ensureStarted();
    kafka.createTopics(3, "memory.raw", "memory.devices");
    List<SimulatedDevice> devices =
        IntStream.range(0, 20)
            .mapToObj(
                number ->
                    new SimulatedDevice(
                        "R331FLEETMANY%03d".formatted(number), "", "DELTA 2", WireFormat.JSON))
            .toList();
    devices.forEach(clouds.cloud()::add);
    Map<String, String> variables = variables("ECOFLOW_ROLE=collect");
    variables.put("ECOFLOW_KAFKA_TOPICS", "memory");
    start(variables);
    eventually(() -> assertEquals(1, own("mqtt_connected"), () -> "" + process.lines()));
    devices.get(0).publish("{\"params\":{\"a\":1}}");
    eventually(() -> assertEquals(1, own("kafka_sent_messages_total")));

    kafka.kill();
    eventually(
        () -> {
          for (int round = 0; round < 50; round++) {
            devices.forEach(device -> device.publish("{\"params\":{\"a\":1}}"));
          }
          assertTrue(own("kafka_dropped_messages_total", "reason=buffer_full") > 0);
        });
    assertEquals(1, log("Kafka at ").size(), () -> "" + process.lines());
    process.signal("TERM");
    assertEquals(TERMINATED, process.exitCode());
    assertEquals(
        log("Kafka at "),
        process.lines().stream()
            .filter(line -> !line.matches(".*(creating the start-up archive| INFO ).*"))
            .toList());
  }

  /** Without leaving the group, the partitions would move after the session timeout. */
  @Test
  void aStoppedServerLeavesTheGroupAtOnce() throws Exception {
    kafka.ensureStarted();
    kafka.createTopics(3, "servers.raw", "servers.devices", "servers.unknown");
    Path properties = Files.writeString(directory.resolve("kafka"), "session.timeout.ms=300000");
    Map<String, String> collector = variables("ECOFLOW_ROLE=collect");
    collector.put("ECOFLOW_KAFKA_TOPICS", "servers");
    start(collector);
    int firstPort = Ports.next();
    int secondPort = Ports.next();
    Page firstPage = ExporterJar.pageAt(firstPort);
    Page secondPage = ExporterJar.pageAt(secondPort);
    try (ChildProcess first = startServer(firstPort, properties)) {
      eventually(
          () -> {
            DEVICE.pushAll();
            assertEquals(81, firstPage.of(DEVICE, "pd_soc"), () -> "" + first.lines());
          });
      try (ChildProcess second = startServer(secondPort, properties)) {
        eventually(() -> assertTrue(partitions(secondPage) > 0, () -> "" + second.lines()));
        first.signal("TERM");
        assertEquals(TERMINATED, first.exitCode());
        assertEquals(
            List.of(),
            first.lines().stream()
                .filter(line -> !line.matches(".*(creating the start-up archive| INFO ).*"))
                .toList());
        eventually(
            () -> {
              DEVICE.pushAll();
              assertEquals(3, partitions(secondPage));
              assertEquals(81, secondPage.of(DEVICE, "pd_soc"), () -> "" + second.lines());
            });
      }
    }
  }

  /** Collectors and servers use the same directory with all files. */
  @Test
  void exportedRouteFilesCanBeEdited() throws IOException {
    kafka.ensureStarted();
    kafka.createTopics(3, "edited.raw", "edited.devices", "edited.unknown");
    RoutesDirectory routes = new RoutesDirectory(directory.resolve("routes"));
    assertEquals(List.of(), command("serve", "routes", "export", routes.directory().toString()));
    assertEquals(
        Stream.concat(
                RoutesDirectory.packaged().stream(),
                Stream.of("kafka-collect.camel.yaml", "kafka-serve.camel.yaml"))
            .sorted()
            .toList(),
        routes.names());

    routes.insertFirst("kafka-serve.camel.yaml", "- lgo: {message: x}");
    List<String> problems = command("serve", "validate", routes.directory().toString());
    assertFalse(problems.isEmpty());
    assertEquals(
        List.of(),
        problems.stream()
            .filter(
                line -> !line.matches(".*kafka-serve.camel.yaml:\\d+: 'lgo' is unknown in steps.*"))
            .toList());
    for (String file : List.of("kafka-collect.camel.yaml", "kafka-serve.camel.yaml")) {
      Files.copy(
          Path.of("src/main/resources/routes-fleet", file),
          routes.directory().resolve(file),
          StandardCopyOption.REPLACE_EXISTING);
      routes.insertFirst(file, "- log: {message: \"Edited ${routeId}\"}");
    }
    for (String role : List.of("collect", "serve")) {
      assertEquals(List.of(), command(role, "validate", routes.directory().toString()));
    }

    String routesDir = routes.directory().toString();
    Map<String, String> collector = variables("ECOFLOW_ROLE=collect", "ECOFLOW_ARCHIVE=off");
    collector.put("ECOFLOW_KAFKA_TOPICS", "edited");
    collector.put("ECOFLOW_ROUTES_DIR", routesDir);
    start(collector);
    eventually(() -> assertEquals(1, own("mqtt_connected"), () -> "" + process.lines()));
    DEVICE.pushAll();
    eventually(() -> assertEquals(1, own("kafka_sent_messages_total")));
    assertFalse(log("Edited kafka-payload").isEmpty());
    List<String> files = log("Routes from ");
    assertEquals(1, files.size());
    assertTrue(
        files
            .get(0)
            .contains(
                "kafka-collect.camel.yaml (replaces the packaged one),"
                    + " kafka-serve.camel.yaml (not used in role collect),"),
        files::toString);
    process.close();

    int serverPort = Ports.next();
    Map<String, String> more =
        Map.of(
            "ECOFLOW_ROUTES_DIR", routesDir,
            "ECOFLOW_KAFKA_TOPICS", "edited",
            "ECOFLOW_ARCHIVE", "off",
            "MQTT_TIMEOUT", "600");
    try (ChildProcess server =
        startServer(serverPort, Files.createFile(directory.resolve("kafka")), more)) {
      eventually(
          () ->
              assertEquals(
                  81,
                  ExporterJar.pageAt(serverPort).of(DEVICE, "pd_soc"),
                  () -> "" + server.lines()));
      assertTrue(
          server.lines().stream().anyMatch(line -> line.contains("Edited kafka-raw-records")));
    }
  }

  /** Runs a command and returns its lines, except those of a success. */
  private List<String> command(String role, String... arguments) {
    Map<String, String> variables = Map.of("ECOFLOW_ROLE", role, "ECOFLOW_ARCHIVE", "off");
    try (ChildProcess command =
        distribution.start(directory.resolve("command"), variables, arguments)) {
      command.exitCode();
      return command.lines().stream()
          .filter(line -> !line.matches("(wrote  |Read |No errors in the route files of ).*"))
          .toList();
    }
  }

  @Test
  void theExecutableJarExportsOnlyItsOwnRoutes() {
    try (ExporterJar jar = new ExporterJar(directory)) {
      String target = directory.resolve("routes").toString();
      assertEquals(2, jar.run(Map.of("ECOFLOW_ROLE", "serve"), "routes", "export", target));
      assertEquals(
          List.of(
              "ecoflow-exporter: ECOFLOW_ROLE=serve requires the jars of lib/fleet: start"
                  + " bin/ecoflow-exporter of the distribution, or use the image"
                  + " ecoflow-exporter-fleet"),
          jar.log());
      assertFalse(Files.exists(Path.of(target)));
    }
  }

  private ChildProcess startServer(int serverPort, Path properties) {
    return startServer(serverPort, properties, Map.of());
  }

  private ChildProcess startServer(int serverPort, Path properties, Map<String, String> more) {
    Map<String, String> all = new HashMap<>(more);
    all.put("ECOFLOW_ROLE", "serve");
    all.put("EXPORTER_PORT", Integer.toString(serverPort));
    all.put("ECOFLOW_KAFKA_BROKERS", kafka.address());
    all.putIfAbsent("ECOFLOW_KAFKA_TOPICS", "servers");
    // A killed server of another test remains in its group until the session timeout.
    all.put("ECOFLOW_KAFKA_GROUP", all.get("ECOFLOW_KAFKA_TOPICS"));
    all.put("ECOFLOW_KAFKA_PROPERTIES", properties.toString());
    return distribution.start(directory.resolve("log-" + serverPort), all);
  }

  private static double partitions(Page server) {
    return server.series("kafka_partitions").stream().mapToDouble(Series::value).sum();
  }

  @Test
  void theExampleConsumerPrintsRecords() {
    assumeTrue(Programs.find("kcat").isPresent(), "kcat is not installed");
    kafka.ensureStarted();
    kafka.createTopics(1, "example.raw", "example.devices");
    Map<String, String> variables = variables("ECOFLOW_ROLE=collect");
    variables.put("ECOFLOW_KAFKA_TOPICS", "example");
    start(variables);
    eventually(() -> assertEquals(1, own("mqtt_connected"), () -> "" + process.lines()));
    DEVICE.pushAll();
    eventually(() -> assertEquals(1, own("kafka_sent_messages_total")));

    try (ChildProcess consumer =
        ChildProcess.shell(
            Path.of("").toAbsolutePath(),
            directory.resolve("consumer"),
            Map.of(),
            "examples/fleet/consumer.sh " + kafka.address() + " example.raw -e")) {
      assertEquals(0, consumer.exitCode());
      assertEquals(1, consumer.lines().size());
      String line = consumer.lines().get(0);
      assertTrue(
          line.matches("\\d{13} R331FLEETDIST001 .*EcoflowSource=push.* \\{.*\"pd.soc\":81.*}"),
          line);
    }
  }

  private double own(String name, String... labels) {
    return page.series(name, labels).stream().mapToDouble(Series::value).sum();
  }

  private List<String> log(String text) {
    return process.lines().stream().filter(line -> line.contains(text)).toList();
  }
}
