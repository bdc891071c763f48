package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.Fleet;
import ecoflow.cloud.FleetCloud;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.config.Configuration;
import ecoflow.testkit.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The consistency of compose.yaml with the files that it mounts. */
class ComposeTest {

  private static final YamlFile COMPOSE = YamlFile.read(Path.of("compose.yaml"));
  private static final Pattern VARIABLE = Pattern.compile("(?m)^([A-Z_]+)=(.*)$");
  private static final Pattern USED = Pattern.compile("\\$\\{([A-Z_]+)");
  private static final Pattern PINNED = Pattern.compile("[a-z]+/[a-z]+:v?\\d+\\.\\d+\\.\\d+");
  private static final Set<String> OWN_IMAGES =
      Set.of("ecoflow-exporter", "ecoflow-exporter-demo", "ecoflow-exporter-fleet");

  private static Map<?, ?> services() {
    return COMPOSE.map("services");
  }

  private static Map<String, String> example() throws IOException {
    Matcher lines = VARIABLE.matcher(Files.readString(Path.of(".env.example")));
    return lines.results().collect(Collectors.toMap(line -> line.group(1), line -> line.group(2)));
  }

  @Test
  void theExporterGetsAllVariables() {
    assertEquals(
        List.of(Map.of("path", ".env", "required", false)),
        COMPOSE.list("services", "ecoflow-exporter", "env_file"));
  }

  @Test
  void eachVariableOfTheExampleIsUsed() throws Exception {
    Set<String> unused = new TreeSet<>(example().keySet());
    assertTrue(unused.remove("COMPOSE_PROFILES"), "compose itself reads it");
    unused.removeAll(Deployed.known());
    USED.matcher(Files.readString(Path.of("compose.yaml")))
        .results()
        .forEach(use -> unused.remove(use.group(1)));
    assertEquals(Set.of(), unused);
  }

  @Test
  void theExampleContainsAllRequiredVariables() throws Exception {
    assertEquals("exporter", example().get("COMPOSE_PROFILES"));
    Deployed.accepts(
        example(),
        Map.of("ECOFLOW_ACCOUNT_USER", "me@example.com", "ECOFLOW_ACCOUNT_PASSWORD", "x"));
  }

  @Test
  void theDemoReplacesTheExporter() {
    assertEquals(List.of("exporter"), COMPOSE.list("services", "ecoflow-exporter", "profiles"));
    assertEquals(List.of("demo"), COMPOSE.list("services", "demo", "profiles"));
    assertEquals(
        List.of("ecoflow-exporter"),
        COMPOSE.list("services", "demo", "networks", "default", "aliases"));
    assertTrue(COMPOSE.find("services", "demo", "env_file").isEmpty(), "no account reaches it");
    assertTrue(COMPOSE.find("services", "demo", "environment").isEmpty(), "no account reaches it");
    assertEquals("demo", COMPOSE.text("services", "demo", "build", "target"));
    for (Object name : List.of("prometheus", "alertmanager", "grafana")) {
      assertTrue(COMPOSE.find("services", name, "profiles").isEmpty(), name + " is always there");
    }
  }

  @Test
  void imagesAreBuiltHereOrPinned() throws IOException {
    for (Object name : services().keySet()) {
      String image = COMPOSE.text("services", name, "image");
      boolean isOwn = OWN_IMAGES.contains(image);
      assertEquals(isOwn, COMPOSE.find("services", name, "build").isPresent(), image);
      assertTrue(isOwn || PINNED.matcher(image).matches(), image);
    }
    String dockerfile = Files.readString(Path.of("Dockerfile"));
    for (Object name : List.of("ecoflow-exporter", "demo", "cloud", "collector-1", "server")) {
      String target = COMPOSE.text("services", name, "build", "target");
      assertTrue(dockerfile.contains(" AS " + target + "\n"), target);
    }
  }

  @Test
  void servicesAreHardenedAndOnLoopback() {
    for (Object name : services().keySet()) {
      boolean isKafka = COMPOSE.text("services", name, "image").startsWith("apache/kafka:");
      assertEquals(
          !isKafka, COMPOSE.find("services", name, "read_only").isPresent(), name::toString);
      assertEquals(
          List.of("no-new-privileges:true"),
          COMPOSE.list("services", name, "security_opt"),
          name::toString);
      assertEquals(List.of("ALL"), COMPOSE.list("services", name, "cap_drop"), name::toString);
      COMPOSE
          .find("services", name, "ports")
          .map(ports -> (List<?>) ports)
          .orElse(List.of())
          .forEach(port -> assertTrue(port.toString().startsWith("127.0.0.1:"), port::toString));
    }
  }

  @Test
  void mountedFilesExist() {
    List<String> missing = new ArrayList<>();
    List<String> mounted = new ArrayList<>();
    for (Object name : services().keySet()) {
      COMPOSE
          .find("services", name, "volumes")
          .map(volumes -> (List<?>) volumes)
          .orElse(List.of())
          .forEach(volume -> mounted.add(volume.toString()));
    }
    for (String volume : mounted) {
      String source = volume.split(":")[0];
      boolean isThere =
          source.startsWith("./")
              ? Files.isDirectory(Path.of(source))
              : COMPOSE.map("volumes").containsKey(source);
      if (!isThere) {
        missing.add(volume);
      }
    }
    assertEquals(List.of(), missing);
    assertFalse(mounted.isEmpty());
  }

  @Test
  void grafanaReadsTheMountedFiles() {
    YamlFile dashboards =
        YamlFile.read(Path.of("deploy/grafana/provisioning/dashboards/dashboards.yaml"));
    String directory = dashboards.text("providers", 0, "options", "path");
    assertTrue(
        COMPOSE
            .list("services", "grafana", "volumes")
            .contains("./deploy/grafana/dashboards:" + directory + ":ro"),
        directory);
    YamlFile sources =
        YamlFile.read(Path.of("deploy/grafana/provisioning/datasources/datasources.yaml"));
    for (int i = 0; i < sources.list("datasources").size(); i++) {
      isAService(sources.text("datasources", i, "url").replaceFirst("^http://", ""));
    }
  }

  @Test
  void prometheusScrapesServicesByTheirPorts() {
    YamlFile prometheus = YamlFile.read(Path.of("deploy/prometheus/prometheus.yml"));
    for (int i = 0; i < prometheus.list("scrape_configs").size(); i++) {
      isAService(prometheus.text("scrape_configs", i, "static_configs", 0, "targets", 0));
    }
    isAService(prometheus.text("alerting", "alertmanagers", 0, "static_configs", 0, "targets", 0));
  }

  /** The profile is separate, and the other profiles do not start its services. */
  @Test
  void theFleetHasTwoCollectorsAndThreeServers() {
    for (String name :
        List.of("cloud", "kafka", "topics", "collector-1", "collector-2", "server")) {
      assertEquals(List.of("fleet"), COMPOSE.list("services", name, "profiles"), name);
    }
    assertEquals(3, COMPOSE.get("services", "server", "deploy", "replicas"));
    YamlFile prometheus = YamlFile.read(Path.of("deploy/prometheus/fleet.yml"));
    assertEquals(
        YamlFile.read(Path.of("deploy/prometheus/prometheus.yml"))
            .text("scrape_configs", 0, "job_name"),
        prometheus.text("scrape_configs", 0, "job_name"));
    List<String> collectors = new ArrayList<>();
    for (String name : List.of("collector-1", "collector-2")) {
      String network = COMPOSE.text("services", name, "network_mode").replace("service:", "");
      assertTrue(services().containsKey(network), network);
      collectors.add(
          network + ":" + COMPOSE.text("services", name, "environment", "EXPORTER_PORT"));
    }
    assertEquals(collectors, prometheus.list("scrape_configs", 0, "static_configs", 0, "targets"));
    assertEquals(
        List.of("server"), prometheus.list("scrape_configs", 0, "dns_sd_configs", 0, "names"));
    assertEquals(
        COMPOSE.text("services", "server", "environment", "EXPORTER_PORT"),
        prometheus.text("scrape_configs", 0, "dns_sd_configs", 0, "port"));
  }

  /** With the files that the simulated cloud writes. */
  @Test
  void eachCollectorOfTheFleetHasAnAccount(@TempDir Path directory) throws Exception {
    Path files = Files.createDirectory(directory.resolve("cloud"));
    List<String> accounts = new ArrayList<>();
    try (SimulatedCloud cloud = SimulatedCloud.start()) {
      Fleet fleet = FleetCloud.start(cloud, files);
      assertEquals(fleet.devices().size(), cloud.devices().size());
      for (String name : List.of("collector-1", "collector-2")) {
        List<String> own =
            Configuration.from(variables(name, files)).accounts().stream()
                .map(account -> account.name())
                .toList();
        assertEquals(1, own.size(), name);
        accounts.addAll(own);
      }
    }
    assertEquals(Set.of("house-1", "house-2"), Set.copyOf(accounts));
    assertTrue(
        COMPOSE.list("services", "cloud", "entrypoint").contains(FleetCloud.class.getName()));
    assertEquals(
        "localhost:" + FleetCloud.HTTP_PORT,
        COMPOSE.text("services", "collector-1", "environment", "ECOFLOW_API_HOST"));
    assertTrue(Configuration.from(variables("server", files)).process().isServer());
  }

  private static Map<String, String> variables(String service, Path files) throws Exception {
    Map<String, String> variables = new HashMap<>();
    COMPOSE
        .map("services", service, "environment")
        .forEach(
            (name, value) ->
                variables.put(
                    name.toString(), value.toString().replaceFirst("^/cloud/", files + "/")));
    Set<String> unknown = new TreeSet<>(variables.keySet());
    unknown.removeAll(Deployed.known());
    assertEquals(Set.of(), unknown);
    return variables;
  }

  @Test
  void theTopicsOfTheFleetAreCreated() {
    String command = COMPOSE.text("services", "topics", "command", 0);
    assertTrue(
        command.contains(
                "--topic ecoflow.raw --partitions 12 --config retention.ms=3600000 --config segment.ms=600000\n")
            && command.contains(
                "--topic ecoflow.devices --partitions 12 --config cleanup.policy=compact,delete --config retention.ms=604800000 --config segment.ms=3600000\n"),
        command);
    String broker = COMPOSE.text("services", "server", "environment", "ECOFLOW_KAFKA_BROKERS");
    assertTrue(command.contains("--bootstrap-server " + broker + " "), command);
    assertTrue(
        COMPOSE
            .text("services", "kafka", "environment", "KAFKA_ADVERTISED_LISTENERS")
            .equals("PLAINTEXT://" + broker));
  }

  private static void isAService(String address) {
    String[] parts = address.split(":");
    String name = parts[0].equals("localhost") ? "prometheus" : parts[0];
    assertTrue(services().containsKey(name), address);
    String port = COMPOSE.text("services", name, "ports", 0);
    assertTrue(port.endsWith(":" + parts[1]), address + " " + port);
  }

  @Test
  void amtoolAcceptsTheConfiguration(@TempDir Path directory) throws IOException {
    assumeTrue(isInstalled("amtool"), "amtool is not installed");
    ChildProcess.run(
        Path.of("").toAbsolutePath(),
        directory.resolve("output"),
        "amtool",
        "check-config",
        "deploy/alertmanager/" + example().get("ALERTMANAGER_CONFIG"));
  }

  private static boolean isInstalled(String program) {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
  }
}
