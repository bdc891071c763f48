package ecoflow.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.Certificates;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ComponentJar;
import ecoflow.testkit.Distribution;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Tinyproxy;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The command lib of the launcher, and the start of the exporter with the added jars. */
class LibIT {

  private static final String GREETING = "com.example:camel-greeting:1.0";
  private static final SimulatedDevice DEVICE =
      new SimulatedDevice("R331LIBRARY00001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);

  @TempDir private static Path parent;
  private static Distribution distribution;
  private static Path component;

  @TempDir private Path directory;
  private MavenRepository repository;
  private ChildProcess process;

  @BeforeAll
  static void unpack() {
    distribution = Distribution.unpackedIn(parent);
    ComponentJar.createIn(parent.resolve("component"));
    component = parent.resolve("component/camel-greeting.jar");
  }

  @BeforeEach
  void startRepository() throws IOException {
    repository = new MavenRepository(directory.resolve("repository")).jar(GREETING, component);
  }

  @AfterEach
  void stopRepository() {
    repository.close();
    if (process != null) {
      process.close();
    }
  }

  private int lib(Map<String, String> variables, String... arguments) {
    Map<String, String> all = new HashMap<>(variables);
    all.putIfAbsent("ECOFLOW_MAVEN_MIRROR", repository.url());
    String[] command = new String[arguments.length + 2];
    command[0] = distribution.launcher().toString();
    command[1] = "lib";
    System.arraycopy(arguments, 0, command, 2, arguments.length);
    process = distribution.start(directory.resolve("log"), all, command);
    return process.exitCode();
  }

  /** The jars are copied to another machine, which has only the executable jar. */
  @Test
  void theExporterUsesAddedAndCopiedJars() throws IOException {
    Path components = distribution.directory().resolve("lib/components");
    assertEquals(0, lib(Map.of(), "add", GREETING), () -> "" + process.lines());
    assertTrue(
        process.lines().get(0).startsWith("added    camel-greeting-1.0.jar  "),
        () -> "" + process.lines());
    assertEquals(
        List.of("added.txt", "camel-greeting-1.0.jar"),
        Distribution.files(components).stream().map(f -> f.getFileName().toString()).toList());
    assertEquals(List.of(), distribution.archives(), "a command makes no archive");
    String pattern = ComponentJar.writeRoute(directory.resolve("routes"));
    Map<String, String> variables = new HashMap<>(Variables.of(clouds.cloud(), "rest"));
    variables.put("CAMEL_MAIN_ROUTES_INCLUDE_PATTERN", pattern);
    variables.put("EXPORTER_PORT", Integer.toString(Ports.next()));
    variables.put("ECOFLOW_ARCHIVE", "off");
    process = distribution.start(directory.resolve("log"), variables);
    process.awaitLine(ComponentJar.LINE);
    process.close();

    Path copy = Files.createDirectory(directory.resolve("copy"));
    for (Path file : Distribution.files(components)) {
      Files.copy(file, copy.resolve(file.getFileName()));
    }
    variables.put("ECOFLOW_LIB_DIR", copy.toString());
    try (ExporterJar jar = new ExporterJar(Files.createDirectory(directory.resolve("jar")))) {
      jar.start(variables);
      jar.awaitLine(ComponentJar.LINE);
    }
    assertEquals(0, lib(Map.of(), "remove", "camel-greeting"), () -> "" + process.lines());
    assertFalse(Files.exists(components.resolve("camel-greeting-1.0.jar")));
  }

  /** As in a company network: HTTPS with a private CA, a proxy, and a login for each of them. */
  @Test
  void proxyCertificateAndLoginAreUsedAndNoSecretIsPrinted() {
    assumeTrue(Tinyproxy.isInstalled(), "tinyproxy is not installed");
    Certificates authority = new Certificates("Company CA");
    Path ca = directory.resolve("ca.pem");
    authority.writeAuthority(ca);
    try (MavenRepository company =
            MavenRepository.withLogin(
                directory.resolve("repository"), authority, "me", "p@ss word");
        Tinyproxy proxy = new Tinyproxy(directory)) {
      proxy.start("BasicAuth someone secret");
      Map<String, String> variables = new HashMap<>();
      variables.put("ECOFLOW_LIB_DIR", directory.resolve("lib").toString());
      variables.put("ECOFLOW_CA_FILE", ca.toString());
      variables.put("HTTPS_PROXY", "http://someone:secret@" + proxy.address());
      variables.put("no_proxy", "");
      String place = "localhost:" + company.port() + "/maven2";
      variables.put("ECOFLOW_MAVEN_MIRROR", "https://me:p%40ss%20word@" + place);

      assertEquals(0, lib(variables, "add", GREETING), () -> "" + process.lines());
      assertEquals(
          List.of("localhost:" + company.port()), proxy.connects().stream().distinct().toList());

      variables.put("ECOFLOW_MAVEN_MIRROR", "https://me:wr0ng@" + place);
      variables.put("ECOFLOW_LIB_DIR", directory.resolve("other").toString());
      assertEquals(1, lib(variables, "add", GREETING));
      assertEquals(
          List.of(
              "ecoflow-exporter: cannot read "
                  + GREETING
                  + " in the repository https://"
                  + place
                  + " through the proxy "
                  + proxy.address()
                  + " (HTTPS_PROXY): HTTP 401"),
          process.lines());
      variables.remove("ECOFLOW_CA_FILE");
      assertEquals(1, lib(variables, "add", GREETING));
      assertEquals(1, process.lines().size(), () -> "" + process.lines());
    }
  }

  @Test
  void onlyOneCommandChangesADirectory() throws IOException {
    Path lib = directory.resolve("lib");
    Files.createDirectories(lib.resolve(".work"));
    Files.writeString(lib.resolve(".work/part.jar"), "of a command that was killed");
    try (FileChannel channel =
        FileChannel.open(
            lib.resolve(".work/lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.lock();
      assertEquals(1, lib(Map.of("ECOFLOW_LIB_DIR", lib.toString()), "add", GREETING));
      assertEquals(
          List.of("ecoflow-exporter: another command is changing " + lib), process.lines());
    }
    assertEquals(0, lib(Map.of("ECOFLOW_LIB_DIR", lib.toString()), "add", GREETING));
    assertFalse(Files.exists(lib.resolve(".work")));
  }

  @Test
  void theExecutableJarRefersToTheDistribution() {
    try (ExporterJar jar = new ExporterJar(directory)) {
      assertEquals(2, jar.run(Map.of(), "lib", "list"));
      assertEquals(
          List.of("ecoflow-exporter: lib requires the directory lib/tools of the distribution"),
          jar.log());
    }
  }

  /** Only the command needs these jars. */
  @Test
  void theExporterDoesNotContainTheTools() throws IOException {
    Path lib = distribution.directory().resolve("lib");
    for (Path file :
        List.of(Path.of(System.getProperty("exporter.jar")), lib.resolve("ecoflow-exporter.jar"))) {
      try (JarFile jar = new JarFile(file.toFile())) {
        assertEquals(
            List.of(),
            jar.stream()
                .map(entry -> entry.getName())
                .filter(
                    name -> name.matches("(ecoflow/tools|org/apache/maven|org/eclipse/aether)/.*"))
                .toList());
      }
    }
    Set<String> tools =
        Distribution.files(lib.resolve("tools")).stream()
            .map(file -> file.getFileName().toString())
            .collect(Collectors.toSet());
    assertTrue(tools.contains("ecoflow-tools.jar"), () -> "" + tools);
    tools.retainAll(distribution.classPath());
    assertEquals(Set.of(), tools);
  }
}
