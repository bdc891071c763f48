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
import ecoflow.testkit.ComponentJar;
import ecoflow.testkit.Distribution;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.Ports;
import ecoflow.testkit.RoutesDirectory;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The distribution, unpacked and started by its launcher. Its cloud is not reachable. */
class LauncherIT {

  private static final Pattern LOG_LINE =
      Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\S+ (INFO|WARN) .*");
  private static final String FIRST_START = "ecoflow-exporter: creating the start-up archive in ";
  private static final String BAD_SETTING = "COLLECTING_INTERVAL=often is not valid:";
  private static final int TERMINATED = 143;

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice("R331LAUNCHER0001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);

  @TempDir private static Path parent;
  private static Distribution distribution;

  @TempDir private Path directory;
  private final int port = Ports.next();
  private ChildProcess process;

  @BeforeAll
  static void unpack() {
    distribution = Distribution.unpackedIn(parent);
  }

  @AfterEach
  void end() {
    if (process != null) {
      process.close();
    }
  }

  private Map<String, String> variables(Map<String, String> more) {
    Map<String, String> all = new HashMap<>();
    all.put("EXPORTER_PORT", Integer.toString(port));
    all.put("ECOFLOW_DEVICE_SN", "R331LAUNCHER0001");
    all.put("ECOFLOW_API_TYPE", "device");
    all.put("ECOFLOW_ACCOUNT_USER", "nobody");
    all.put("ECOFLOW_ACCOUNT_PASSWORD", "nothing");
    all.put("ECOFLOW_API_HOST", "127.0.0.1:1");
    all.putAll(more);
    return all;
  }

  private void start(Map<String, String> more) {
    process = distribution.start(directory.resolve("log"), variables(more));
  }

  private void awaitPage() {
    eventually(
        () ->
            assertEquals(
                1,
                ExporterJar.pageAt(port).own("exporter_build_info", "mode=device"),
                () -> "" + process.lines()));
  }

  private void terminate() {
    process.signal("TERM");
    assertEquals(TERMINATED, process.exitCode(), () -> "" + process.lines());
  }

  private List<String> otherThanLog() {
    return process.lines().stream().filter(line -> !LOG_LINE.matcher(line).matches()).toList();
  }

  private void train(Map<String, String> variables) {
    process =
        distribution.start(
            directory.resolve("log"), variables, distribution.launcher().toString(), "train");
    assertEquals(0, process.exitCode(), () -> "" + process.lines());
    assertEquals(List.of(), process.lines());
  }

  /**
   * Ensures that the distribution has a complete archive, which is created only once because it
   * takes time.
   */
  private Path archive() throws IOException {
    Path kept = parent.resolve("kept");
    if (!Files.exists(kept)) {
      distribution.deleteArchives();
      train(Map.of());
      Path made = distribution.archives().get(0);
      Files.copy(made, Files.createDirectory(kept).resolve(made.getFileName()));
    }
    distribution.deleteArchives();
    Path archive = Distribution.files(kept).get(0);
    return Files.copy(
        archive, distribution.directory().resolve("cache").resolve(archive.getFileName()));
  }

  private static FileChannel open(Path archive) throws IOException {
    Files.setPosixFilePermissions(archive, PosixFilePermissions.fromString("rw-r--r--"));
    return FileChannel.open(archive, StandardOpenOption.WRITE);
  }

  private void assertStartsQuietly(Map<String, String> variables) {
    Path log = directory.resolve("classes");
    assertFalse(isUsed(variables, log), "the classes come from the jars");
  }

  private void assertUsesAnArchive(Map<String, String> variables) {
    Path log = directory.resolve("classes");
    assertTrue(isUsed(variables, log), "the classes come from the archive");
  }

  /** Starts the exporter, awaits the page and stops. Only the exporter's log is printed. */
  private boolean isUsed(Map<String, String> variables, Path classes) {
    Map<String, String> all = new HashMap<>(variables);
    all.put("ECOFLOW_JAVA_OPTS", classLog(classes));
    start(all);
    awaitPage();
    terminate();
    assertEquals(List.of(), otherThanLog());
    return isFromArchive(classes);
  }

  private static String classLog(Path file) {
    return "-Xlog:class+load:file=" + file;
  }

  private static boolean isFromArchive(Path classes) {
    List<String> exporter = loaded(classes, "ecoflow.EcoflowExporter");
    assertEquals(1, exporter.size());
    return exporter.get(0).contains("shared objects file");
  }

  /** The lines of the class log for a class. */
  private static List<String> loaded(Path classes, String name) {
    try (Stream<String> lines = Files.lines(classes)) {
      return lines.filter(line -> line.contains(" " + name + " source: ")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isThere(String program) {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }

  @Nested
  class Archives {

    @Test
    void trainingIsQuietAndTheNextStartUsesItsArchive() throws IOException {
      archive();
      assertUsesAnArchive(Map.of());
    }

    @Test
    void aStartWithoutAnArchiveCreatesItFirst() {
      distribution.deleteArchives();

      start(Map.of());
      awaitPage();
      terminate();
      assertEquals(1, distribution.archives().size());
      assertEquals(
          List.of(
              FIRST_START
                  + distribution.directory().resolve("cache")
                  + "; this takes a few seconds, only once"),
          otherThanLog());

      assertUsesAnArchive(Map.of());
    }

    @Test
    void aSignalAbortsTheCreationOfAnArchive() {
      distribution.deleteArchives();

      start(Map.of());
      process.awaitLine(FIRST_START);
      terminate();

      assertEquals(List.of(), distribution.archives(), "nothing is left behind");
    }

    @Test
    void theArchiveCanBeDisabled() {
      distribution.deleteArchives();

      assertStartsQuietly(Map.of("ECOFLOW_ARCHIVE", "off"));

      assertEquals(List.of(), distribution.archives());
    }

    /** The runtime would crash with such an archive. */
    @Test
    void aTruncatedArchiveIsReplaced() throws IOException {
      Path archive = archive();
      try (FileChannel file = open(archive)) {
        file.truncate(file.size() / 2);
      }

      start(Map.of());
      awaitPage();
      terminate();

      assertEquals(1, otherThanLog().size(), () -> "" + process.lines());
      assertUsesAnArchive(Map.of());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 20, 50, 95})
    void anArchiveWithWrongBytesIsNotUsed(int percent) throws IOException {
      byte[] wrong = new byte[4096];
      Arrays.fill(wrong, (byte) 0x5a);
      try (FileChannel file = open(archive())) {
        file.write(ByteBuffer.wrap(wrong), file.size() * percent / 100);
      }

      assertStartsQuietly(Map.of());
    }

    @Test
    void anArchiveOfAnotherPathIsNotUsed() throws IOException {
      Path archive = archive();
      Path moved = Files.createDirectory(directory.resolve("moved"));
      Distribution other = Distribution.unpackedIn(moved);
      Path cache = Files.createDirectory(other.directory().resolve("cache"));
      Files.copy(archive, cache.resolve(archive.getFileName()));
      Path log = directory.resolve("classes");

      process =
          other.start(
              directory.resolve("log"), variables(Map.of("ECOFLOW_JAVA_OPTS", classLog(log))));
      awaitPage();
      terminate();

      assertEquals(1, otherThanLog().size(), "it made one of its own");
      assertFalse(Files.exists(cache.resolve(archive.getFileName())));
      assertTrue(isFromArchive(log));
    }

    @Test
    void startsWithoutArchiveIfNoDirectoryIsWritable() throws IOException {
      // Even root cannot create a directory below a file.
      Path file = Files.createFile(directory.resolve("file"));

      assertStartsQuietly(Map.of("ECOFLOW_CACHE_DIR", file.resolve("cache").toString()));

      process =
          distribution.start(
              directory.resolve("log"),
              Map.of("ECOFLOW_CACHE_DIR", file + "/cache"),
              distribution.launcher().toString(),
              "train");
      assertEquals(1, process.exitCode());
      assertEquals(
          List.of(
              "ecoflow-exporter: no directory for the start-up archive is writable:"
                  + " set ECOFLOW_CACHE_DIR"),
          process.lines());
    }

    @Test
    void aReadOnlyDistributionUsesItsArchive() throws IOException {
      Path archive = archive();
      Path cache = archive.getParent();
      Files.setPosixFilePermissions(archive, PosixFilePermissions.fromString("r--r--r--"));
      Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("r-xr-xr-x"));
      try {
        assertUsesAnArchive(Map.of());
        assertEquals(List.of(archive), distribution.archives());
      } finally {
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxr-xr-x"));
      }
    }

    @Test
    void aReadOnlyDistributionCreatesItsArchiveInTheUsersCache() throws IOException {
      distribution.deleteArchives();
      Path cache = distribution.directory().resolve("cache");
      Files.deleteIfExists(cache);
      Files.createFile(cache);
      try {
        Map<String, String> home = Map.of("XDG_CACHE_HOME", directory.resolve("users").toString());
        train(home);
        assertUsesAnArchive(home);
        assertEquals(1, Distribution.files(directory.resolve("users/ecoflow-exporter")).size());
      } finally {
        Files.delete(cache);
        Files.createDirectory(cache);
      }
    }

    /** A newer runtime has a different archive format. */
    @Test
    void anotherRuntimeCreatesItsOwnArchive() throws IOException {
      String newer =
          Stream.of(Path.of("/usr/lib/jvm"), Path.of(System.getProperty("java.home")).getParent())
              .flatMap(jvms -> Distribution.files(jvms).stream())
              .filter(jvm -> release(jvm) >= 25 && release(jvm) != Runtime.version().feature())
              .map(Path::toString)
              .findFirst()
              .orElse(null);
      assumeTrue(newer != null, "no Java 25 or newer in addition to that of the tests");
      Path archive = archive();
      Map<String, String> runtime = Map.of("JAVA_HOME", newer);

      train(runtime);
      assertUsesAnArchive(runtime);
      assertFalse(Files.exists(archive), "one archive is enough");
      distribution.deleteArchives();
      assertStartsQuietly(Map.of("JAVA_HOME", newer, "ECOFLOW_ARCHIVE", "off"));
    }

    private static int release(Path jvm) {
      try (Stream<String> lines = Files.lines(jvm.resolve("release"))) {
        return lines
            .filter(line -> line.startsWith("JAVA_VERSION="))
            .map(line -> Runtime.Version.parse(line.replaceAll(".*=|\"", "")).feature())
            .findFirst()
            .orElse(0);
      } catch (IOException | UncheckedIOException e) {
        return 0;
      }
    }
  }

  @Nested
  class Errors {

    @ParameterizedTest
    @ValueSource(strings = {"sh", "dash", "busybox sh", "bash", "mksh"})
    void runsInAllShellsAndReturnsTheExitCodeOfTheExporter(String shell) throws IOException {
      assumeTrue(isThere(shell.split(" ")[0]), shell + " is not installed");
      List<String> command =
          Stream.concat(Stream.of(shell.split(" ")), Stream.of(distribution.launcher().toString()))
              .toList();
      for (String archive : List.of("off", "")) {
        archive();
        process =
            distribution.start(
                directory.resolve("log"),
                variables(Map.of("COLLECTING_INTERVAL", "often", "ECOFLOW_ARCHIVE", archive)),
                command.toArray(String[]::new));
        assertEquals(2, process.exitCode());
        assertEquals(1, process.lines().size(), () -> "" + process.lines());
        assertTrue(process.lines().get(0).startsWith("ecoflow-exporter: " + BAD_SETTING));
      }
    }

    @Test
    void theScriptPassesShellcheck() {
      assumeTrue(isThere("shellcheck"), "shellcheck is not installed");
      ChildProcess.run(
          directory, directory.resolve("log"), "shellcheck", distribution.launcher().toString());
    }

    @Test
    void aMissingOrOldJavaIsOneLine() throws IOException {
      assertEndsWith("JAVA_HOME=/nowhere has no bin/java", Map.of("JAVA_HOME", "/nowhere"));

      Path old = Files.createDirectories(directory.resolve("old/bin"));
      Path java = old.resolve("java");
      Files.writeString(java, "#!/bin/sh\necho 'openjdk version \"1.8.0_352\"' >&2\n");
      java.toFile().setExecutable(true);
      String home = directory.resolve("old").toString();
      String advice = ": install Java 17 or newer, or set JAVA_HOME";
      assertEndsWith(java + " is Java 1.8.0_352" + advice, Map.of("JAVA_HOME", home));

      Files.writeString(directory.resolve("old/release"), "JAVA_VERSION=\"11.0.25\"\n");
      assertEndsWith(java + " is Java 11.0.25" + advice, Map.of("JAVA_HOME", home));

      Path empty = Files.createDirectory(directory.resolve("empty"));
      assertEndsWith(
          "no java on the PATH" + advice,
          Map.of("JAVA_HOME", "", "PATH", empty.toString()),
          "/bin/sh",
          distribution.launcher().toString());
    }

    @Test
    void argumentsAreCommandsOfTheExporter() throws IOException {
      distribution.deleteArchives();
      assertEquals(0, run(Map.of(), "--help"));
      assertTrue(process.lines().stream().anyMatch(line -> line.startsWith("  train ")));
      assertTrue(process.lines().stream().allMatch(line -> line.length() <= 80));
      assertEquals(0, run(Map.of(), "routes", "export", directory.resolve("my routes").toString()));
      assertEquals(
          RoutesDirectory.packaged(), new RoutesDirectory(directory.resolve("my routes")).names());
      assertEquals(2, run(Map.of(), "dance", "-x"));
      assertEquals(1, process.lines().size(), () -> "" + process.lines());
      assertEquals(List.of(), distribution.archives(), "a command makes no archive");
      assertEndsWith(
          "\"train\" does not accept arguments",
          Map.of(),
          distribution.launcher().toString(),
          "train",
          "now");

      archive();
      Path log = directory.resolve("classes");
      assertEquals(0, run(Map.of("ECOFLOW_JAVA_OPTS", classLog(log)), "config"));
      assertTrue(isFromArchive(log));
    }

    @Test
    void printsOptionsForSystemsWithoutAShell() throws IOException {
      archive();
      assertEquals(0, run(Map.of(), "options"));
      Path options = Files.write(directory.resolve("java.options"), process.lines());
      Path java = Path.of(System.getProperty("java.home"), "bin", "java");
      Path log = directory.resolve("classes");
      List<String> command =
          List.of(java + "", "@" + options, classLog(log), "ecoflow.EcoflowExporter", "--version");
      process = ChildProcess.start(directory, directory.resolve("log"), Map.of(), command);
      assertEquals(0, process.exitCode(), () -> "" + process.lines());
      assertTrue(isFromArchive(log));
    }

    /** Components are appended to the class path of the archive. */
    @Test
    void theArchiveRemainsValidWithComponentsInTheLibDirectory() throws IOException {
      archive();
      Path beside = distribution.directory().resolve("lib/components");
      Path chosen = directory.resolve("my lib");
      String pattern = ComponentJar.writeRoute(directory.resolve("routes"));
      for (Path lib : List.of(beside, chosen)) {
        ComponentJar.createIn(lib);
        Path log = directory.resolve("classes");
        Map<String, String> more = new HashMap<>();
        more.put("CAMEL_MAIN_ROUTES_INCLUDE_PATTERN", pattern);
        more.put("ECOFLOW_JAVA_OPTS", classLog(log));
        if (lib.equals(chosen)) {
          more.put("ECOFLOW_LIB_DIR", chosen.toString());
        }
        start(more);
        process.awaitLine(ComponentJar.LINE);
        terminate();
        assertTrue(isFromArchive(log));
        Files.delete(lib.resolve("camel-greeting.jar"));
        Files.delete(lib);
      }
      assertEndsWith(
          "ECOFLOW_LIB_DIR=" + chosen + " is not valid: expected a readable directory with jars",
          Map.of("ECOFLOW_LIB_DIR", chosen.toString()));
    }

    /** As in a container: Java would decode the name as ASCII. */
    @Test
    void variablesAreReadAsUtf8WithoutLocale() {
      process =
          distribution.start(
              directory.resolve("log"),
              variables(
                  Map.of("LC_ALL", "", "LC_CTYPE", "", "LANG", "", "ECOFLOW_DEVICE_SN", "R331A")),
              "sh",
              "-c",
              "ECOFLOW_DEVICE_NAME=$(printf 'B\\303\\274ro') exec \"$0\" config",
              distribution.launcher().toString());
      assertEquals(0, process.exitCode());
      process.awaitLine("B\u00FCro");
    }

    private int run(Map<String, String> more, String... arguments) {
      String[] command =
          Stream.concat(Stream.of(distribution.launcher().toString()), Stream.of(arguments))
              .toArray(String[]::new);
      process = distribution.start(directory.resolve("log"), variables(more), command);
      return process.exitCode();
    }

    private void assertEndsWith(String line, Map<String, String> variables, String... command) {
      process = distribution.start(directory.resolve("log"), variables(variables), command);
      assertEquals(2, process.exitCode());
      assertEquals(List.of("ecoflow-exporter: " + line), process.lines());
    }
  }

  @Nested
  class NativeTls {

    /**
     * The native code is in the distribution, so it does not need a writable temporary directory.
     */
    @Test
    void mqttUsesTheNativeTlsOfTheDistribution() {
      assumeTrue(System.getProperty("os.name").equals("Linux"));
      assumeTrue(Set.of("amd64", "aarch64").contains(System.getProperty("os.arch")));
      Path classes = directory.resolve("classes");
      Map<String, String> variables = new HashMap<>(Variables.of(clouds.cloud(), "device"));
      variables.put("EXPORTER_PORT", Integer.toString(port));
      variables.put("ECOFLOW_ARCHIVE", "off");
      variables.put("ECOFLOW_JAVA_OPTS", classLog(classes) + " -Djava.io.tmpdir=/no-such-folder");

      process = distribution.start(directory.resolve("log"), variables);

      eventually(() -> assertEquals(81, ExporterJar.pageAt(port).of(DEVICE, "pd_soc")));
      assertEquals(1, loaded(classes, "io.netty.handler.ssl.ReferenceCountedOpenSslEngine").size());
      assertEquals(List.of(), otherThanLog());
    }
  }

  @Nested
  class Content {

    @Test
    void itContainsNoTestsAndSeparateNativeCode() throws IOException {
      Set<String> files =
          Distribution.files(distribution.directory()).stream()
              .map(file -> file.getFileName().toString())
              .filter(name -> !name.equals("cache"))
              .collect(Collectors.toSet());
      assertEquals(
          Set.of(
              "bin",
              "lib",
              "CHANGELOG.md",
              "LICENSE",
              "README.md",
              "THIRD-PARTY.txt",
              "devices.json",
              "docs"),
          files);
      Set<String> listed =
          distribution.classPath().stream()
              .filter(name -> !name.startsWith(Distribution.NATIVE_LIBRARY_PREFIX))
              .collect(Collectors.toSet());
      listed.add("ecoflow-exporter.jar");
      assertEquals(
          List.of("libnetty_tcnative_linux_aarch_64.so", "libnetty_tcnative_linux_x86_64.so"),
          Distribution.files(distribution.directory().resolve("lib/META-INF/native")).stream()
              .map(file -> file.getFileName().toString())
              .toList());
      List<Path> jars =
          Distribution.files(distribution.directory().resolve("lib")).stream()
              .filter(file -> !file.toString().matches(".*/(META-INF|fleet|tools)"))
              .toList();
      assertEquals(
          listed,
          jars.stream().map(jar -> jar.getFileName().toString()).collect(Collectors.toSet()));
      for (Path file : jars) {
        try (JarFile jar = new JarFile(file.toFile())) {
          List<String> unwanted =
              jar.stream()
                  .map(entry -> entry.getName())
                  .filter(
                      name ->
                          name.matches(
                              "(ecoflow/(cloud|testkit)|io/moquette|org/bouncycastle|org/junit)/.*"
                                  + "|.*\\.(so|jnilib|dll|dylib)"))
                  .toList();
          assertEquals(List.of(), unwanted, file.toString());
        }
      }
    }
  }
}
