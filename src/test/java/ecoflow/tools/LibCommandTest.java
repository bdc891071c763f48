package ecoflow.tools;

import static ecoflow.tools.MavenRepository.dependencies;
import static ecoflow.tools.MavenRepository.requires;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.CommandRun;
import ecoflow.config.ConfigException;
import ecoflow.testkit.Distribution;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command lib with a Maven repository on this machine. */
class LibCommandTest {

  private static final ExporterVersions VERSIONS = ExporterVersions.read();
  private static final String PUMP = "com.example:pump:1.2";
  private static final String VALVE = "com.example:valve:3.0";

  @TempDir private Path directory;
  private Path lib;
  private MavenRepository repository;
  private List<String> lines;

  @BeforeEach
  void startRepository() {
    lib = directory.resolve("lib");
    repository = new MavenRepository(directory.resolve("repository"));
  }

  @AfterEach
  void stopRepository() {
    repository.close();
  }

  private int run(String... arguments) {
    return run(Map.of(), arguments);
  }

  private int run(Map<String, String> more, String... arguments) {
    Map<String, String> variables = new HashMap<>();
    variables.put("ECOFLOW_LIB_DIR", lib.toString());
    variables.put("ECOFLOW_MAVEN_MIRROR", repository.url());
    variables.putAll(more);
    StringWriter output = new StringWriter();
    String[] all = new String[arguments.length + 1];
    all[0] = "lib";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    int code = CommandRun.run(variables, Clock.systemUTC(), output, output, all);
    lines = output.toString().lines().toList();
    return code;
  }

  private void assertRuns(String... arguments) {
    assertEquals(0, run(arguments), () -> "" + lines);
  }

  /** All files in the directory, such as one-1.0.jar. */
  private List<String> files() {
    return Distribution.files(lib).stream().map(file -> file.getFileName().toString()).toList();
  }

  private void assertJars(String... jars) {
    assertEquals(List.of(jars), files().stream().filter(n -> !n.equals("added.txt")).toList());
  }

  private void assertFails(int code, String line, String... arguments) {
    List<String> before = files();
    assertEquals(code, run(arguments), () -> "" + lines);
    assertEquals(List.of("ecoflow-exporter: " + line), lines);
    assertEquals(before, files());
  }

  @Test
  void theDirectoryIsRequired() {
    assertEquals(2, run(Map.of("ECOFLOW_LIB_DIR", " "), "list"));
    assertEquals(
        List.of("ecoflow-exporter: lib requires ECOFLOW_LIB_DIR, the directory of the jars"),
        lines);
  }

  @Test
  void anArtifactIsAddedWithTheArtifactsThatItRequires() throws IOException {
    repository
        .pom(
            "com.example:parent:7",
            "<packaging>pom</packaging><properties><valves>3.0</valves></properties>"
                + "<dependencyManagement>"
                + dependencies(requires("com.example:valve:${valves}"))
                + "</dependencyManagement>")
        .jar(
            PUMP,
            "<parent><groupId>com.example</groupId><artifactId>parent</artifactId>"
                + "<version>7</version></parent>"
                + dependencies(
                    requires("com.example:valve"),
                    requires("com.example:test:1", "<scope>test</scope>"),
                    requires("com.example:container:1", "<scope>provided</scope>"),
                    requires("com.example:rare:1", "<optional>true</optional>")))
        .jar(
            VALVE,
            dependencies(
                requires(
                    "com.example:pipe:1",
                    "<exclusions><exclusion><groupId>com.example</groupId>"
                        + "<artifactId>rust</artifactId></exclusion></exclusions>")))
        .jar("com.example:pipe:1", dependencies(requires("com.example:rust:1")));

    assertRuns("add", PUMP);

    assertJars("pipe-1.jar", "pump-1.2.jar", "valve-3.0.jar");
    assertEquals(PUMP, Files.readString(lib.resolve("pump-1.2.jar")));
    assertEquals(
        List.of(
            "added    pump-1.2.jar  1 kB",
            "added    valve-3.0.jar  1 kB",
            "added    pipe-1.jar  1 kB",
            "3 jars, 1 kB in " + lib),
        lines);
    assertRuns("list");
    assertEquals(List.of(PUMP + "  3 jars, 1 kB", "3 jars, 1 kB in " + lib), lines);
  }

  /** The exporter's own versions, in libraries.txt and exporter.pom, apply to all artifacts. */
  @Test
  void versionsAreThoseOfTheExporter() throws ConfigException {
    String added = VERSIONS.parse("camel-valve").getVersion();
    String jackson =
        VERSIONS.parse("com.fasterxml.jackson.dataformat:jackson-dataformat-xml").getVersion();
    repository
        .jar(
            "org.apache.camel:camel-valve:" + added,
            dependencies(
                requires("org.apache.camel:camel-support:4.18.0"),
                requires("io.netty:netty-buffer:9.2.0.Final"),
                requires("com.fasterxml.jackson.dataformat:jackson-dataformat-xml:2.9.0")))
        .jar("com.fasterxml.jackson.dataformat:jackson-dataformat-xml:2.9.0")
        .jar("com.fasterxml.jackson.dataformat:jackson-dataformat-xml:" + jackson);

    assertRuns("add", "camel-valve");

    assertJars("camel-valve-" + added + ".jar", "jackson-dataformat-xml-" + jackson + ".jar");
    assertTrue(
        lines.contains(
            "warning  io.netty:netty-buffer:9.2.0.Final is required, but the exporter contains"
                + " version "
                + contained("io.netty:netty-buffer")),
        () -> "" + lines);
    assertTrue(
        repository.requests().stream().noneMatch(path -> path.contains("camel-support")),
        () -> "" + repository.requests());
  }

  /** The version of a library of the exporter. */
  private static String contained(String name) {
    return VERSIONS.contained(new DefaultArtifact(name + ":0")).orElseThrow().getVersion();
  }

  @Test
  void artifactsThatAreAddedOneAfterTheOtherUseTheSameVersions() {
    repository
        .jar(PUMP, dependencies(requires("com.example:pipe:1")))
        .jar(VALVE, dependencies(requires("com.example:seal:1"), requires("com.example:pipe:2")))
        .jar("com.example:seal:1", dependencies(requires("com.example:pipe:3")))
        .jar("com.example:pipe:1")
        .jar("com.example:pipe:2")
        .pom("com.example:pipe:3", "");
    assertRuns("add", VALVE);
    assertJars("pipe-2.jar", "seal-1.jar", "valve-3.0.jar");
    int before = repository.requests().size();

    assertRuns("add", PUMP);

    assertJars("pipe-2.jar", "pump-1.2.jar", "seal-1.jar", "valve-3.0.jar");
    assertTrue(
        repository.requests().stream()
            .skip(before)
            .noneMatch(path -> path.contains("valve-3.0.jar")),
        "jars that exist are not downloaded again");
    assertRuns("remove", "valve");
    assertJars("pipe-2.jar", "pump-1.2.jar");
    assertEquals("removed  seal-1.jar", lines.get(0));
    assertRuns("add", "com.example:pipe:1");
    assertJars("pipe-1.jar", "pump-1.2.jar");
    assertRuns("remove", PUMP, "com.example:pipe");
    assertJars();
  }

  @Test
  void anotherVersionReplacesTheFirst() {
    repository.jar(PUMP).jar("com.example:pump:1.3");
    assertRuns("add", PUMP);

    assertRuns("add", "com.example:pump:1.3");

    assertJars("pump-1.3.jar");
    assertRuns("list");
    assertEquals("com.example:pump:1.3  1 jar, 1 kB", lines.get(0));
  }

  @Test
  void otherJarsAreNotChanged() throws IOException {
    Files.createDirectories(lib);
    Files.writeString(lib.resolve("own.jar"), "own");
    repository.jar(PUMP);
    assertRuns("add", PUMP);
    assertRuns("remove", "pump");

    assertJars("own.jar");
  }

  @Test
  void aMissingJarIsReportedAndAddedAgain() throws IOException {
    repository.jar(PUMP);
    assertRuns("add", PUMP);
    Files.delete(lib.resolve("pump-1.2.jar"));

    assertEquals(1, run("list"));
    assertEquals("missing  pump-1.2.jar: add the artifact again", lines.get(1));

    assertRuns("add", PUMP);
    assertJars("pump-1.2.jar");
  }

  @ParameterizedTest
  @ValueSource(strings = {"pom", "jar"})
  void aFileWithoutAMatchingChecksumChangesNothing(String extension) throws IOException {
    repository.jar(VALVE).jar(PUMP, dependencies(requires(VALVE)));
    Path checksum = repository.path(VALVE, extension + ".sha1");
    String correct = Files.readString(checksum);

    Files.writeString(checksum, "0".repeat(40));
    assertFails(1, VALVE + " does not match its checksum" + inRepository(), "add", PUMP);
    Files.delete(checksum);
    assertFails(1, VALVE + " has no checksum" + inRepository(), "add", PUMP);

    Files.writeString(checksum, correct);
    assertRuns("add", PUMP);
  }

  @Test
  void sha512TakesPrecedenceOverSha1() throws IOException {
    repository.jar(PUMP);
    Files.writeString(repository.path(PUMP, "jar.sha512"), "0".repeat(128));

    assertFails(1, PUMP + " does not match its checksum" + inRepository(), "add", PUMP);
  }

  /** MD5 is not sufficient. */
  @Test
  void md5IsIgnored() throws Exception {
    repository.jar(PUMP);
    Files.delete(repository.path(PUMP, "jar.sha1"));
    byte[] md5 =
        MessageDigest.getInstance("MD5").digest(Files.readAllBytes(repository.path(PUMP, "jar")));
    Files.writeString(repository.path(PUMP, "jar.md5"), HexFormat.of().formatHex(md5));

    assertFails(1, PUMP + " has no checksum" + inRepository(), "add", PUMP);
  }

  private String inRepository() {
    return " in the repository " + repository.url();
  }

  @ParameterizedTest
  @ValueSource(strings = {"pom", "jar"})
  void aMissingFileChangesNothing(String extension) throws IOException {
    repository.jar(VALVE).jar(PUMP, dependencies(requires("com.example:valve:3.0")));
    assertRuns("add", VALVE);
    assertRuns("remove", "valve");
    Files.delete(repository.path(VALVE, extension));

    assertFails(1, VALVE + " does not exist" + inRepository(), "add", PUMP);
  }

  @Test
  void aRepositoryThatDoesNotAnswerChangesNothing() {
    repository.close();

    assertEquals(1, run("add", PUMP));
    assertEquals(1, lines.size(), () -> "" + lines);
    assertTrue(
        lines
            .get(0)
            .startsWith(
                "ecoflow-exporter: cannot read " + PUMP + " in the repository " + repository.url()),
        () -> "" + lines);
    assertEquals(List.of(), files());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ../../etc      | ../../etc is not valid: expected camel-NAME, micrometer-registry-NAME, GROUP:ARTIFACT or GROUP:ARTIFACT:VERSION
          com.example:a  | com.example:a requires a version: com.example:a:VERSION
          camel-http     | org.apache.camel:camel-http is part of the exporter, version {camel}
          com.example:a:LATEST | com.example:a:LATEST is not valid: expected a number as the version
          org.apache.camel:camel-kafka:4.99.0 | org.apache.camel:camel-kafka:4.99.0 does not match the exporter: expected version {camel}, or an older version with the same major version
          org.apache.camel:camel-kafka:3.22.0 | org.apache.camel:camel-kafka:3.22.0 does not match the exporter: expected version {camel}, or an older version with the same major version
          io.micrometer:micrometer-registry-otlp:1.99.0 | io.micrometer:micrometer-registry-otlp:1.99.0 does not match the exporter: expected version {micrometer}, or an older version with the same major version
          """)
  void invalidArtifactsAreRejectedWithoutRequests(String argument, String line) {
    assertFails(
        2,
        line.replace("{camel}", contained("org.apache.camel:camel-api"))
            .replace("{micrometer}", contained("io.micrometer:micrometer-core")),
        "add",
        argument);
    assertEquals(List.of(), repository.requests());
  }

  /** Without TLS, the checksums could be changed together with the files. */
  @ParameterizedTest
  @CsvSource({
    "http://me:s3cret@nexus.example.com/maven, http://***@nexus.example.com/maven",
    "https://me:s3cret@nexus.example.com/maven?a=1, https://***@nexus.example.com/maven?a=1",
    "ftp://me:s3cret@nexus.example.com, ftp://***@nexus.example.com",
    "https:///maven, https://***",
    "nexus.example.com, nexus.example.com"
  })
  void aRepositoryThatIsNotSafeIsRejected(String url, String shown) {
    assertEquals(2, run(Map.of("ECOFLOW_MAVEN_MIRROR", url), "add", PUMP));
    assertEquals(
        List.of(
            "ecoflow-exporter: ECOFLOW_MAVEN_MIRROR="
                + shown
                + " is not valid: expected https://HOST/PATH or https://USER:PASSWORD@HOST/PATH;"
                + " http only for localhost"),
        lines);
  }

  @Test
  void quotesAroundTheRepositoryAreRejected() {
    assertEquals(2, run(Map.of("ECOFLOW_MAVEN_MIRROR", "'https://me:s3cret@nexus'"), "add", PUMP));
    assertEquals(
        List.of("ecoflow-exporter: ECOFLOW_MAVEN_MIRROR=*** has quotes around it: remove them"),
        lines);
  }

  @Test
  void aDirectoryThatCannotBeCreatedIsReported() throws IOException {
    lib = Files.writeString(directory.resolve("file"), "").resolve("lib");

    assertFails(
        2,
        "ECOFLOW_LIB_DIR="
            + lib
            + " is not valid: expected a writable directory, or the path of a new one",
        "add",
        PUMP);
  }

  /** The names in the record are deleted files, so that they must not be paths. */
  @ParameterizedTest
  @ValueSource(strings = {"nothing", "com.example:pump:1.2 ../own.jar", "com.example:pump:1.2"})
  void anInvalidRecordIsReported(String line) throws IOException {
    Files.createDirectories(lib);
    Files.writeString(lib.resolve("added.txt"), "# heading\n" + line + "\n");

    for (String[] arguments : List.of(new String[] {"remove", PUMP}, new String[] {"list"})) {
      assertFails(
          2,
          lib.resolve("added.txt")
              + ":2 is not valid: expected GROUP:ARTIFACT:VERSION and the names of its jars; delete"
              + " the file and its jars, and add the artifacts again",
          arguments);
    }
  }

  @Test
  void onlyAddedArtifactsCanBeRemoved() {
    assertFails(
        2,
        PUMP + " is not an added artifact: expected nothing, no artifact was added",
        "remove",
        PUMP);
    repository.jar(PUMP);
    assertRuns("add", PUMP);
    assertFails(2, "pum is not an added artifact: expected " + PUMP, "remove", "pum");
  }
}
