package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.Distribution;
import ecoflow.testkit.SourceCopy;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The files of a release, built a second time from a copy of the sources. */
class ReleaseIT {

  private static final long BUILD_SECONDS = 300;
  private static final String VERSION = System.getProperty("exporter.version");
  private static final Path JAR = Path.of(System.getProperty("exporter.jar"));
  private static final Path ARCHIVE = Path.of(System.getProperty("exporter.distribution"));

  /** SPDX identifiers of licences that allow redistribution with this exporter. */
  private static final Set<String> LICENCES =
      Set.of(
          "Apache-2.0",
          "BSD-2-Clause",
          "BSD-3-Clause",
          "CC0-1.0",
          "EPL-1.0",
          "EPL-2.0",
          "GPL-2.0-with-classpath-exception",
          "ISC",
          "MIT");

  /** Group, name, version and, for some, platform. */
  private static final Pattern PURL =
      Pattern.compile("^pkg:maven/([^/]+)/([^@]+)@([^?]+)\\?(?:classifier=([^&]+)&)?type=jar$");

  /** The group:name:version of each line. */
  private static final Pattern LIBRARY =
      Pattern.compile("(?m)^ +((?:\\([^()]+\\) )+).*\\(([^():]+):([^:]+):([^: ]+) - [^()]+\\)$");

  @TempDir private static Path directory;
  private static Path second;
  private static Distribution distribution;

  @BeforeAll
  static void buildAgain() {
    Path sources = SourceCopy.to(directory.resolve("elsewhere")).directory();
    List<String> command = new ArrayList<>(List.of("./mvnw", "-B", "-q", "-Prelease"));
    command.addAll(List.of("-Drevision=" + VERSION, "-DskipTests", "-Dspotless.check.skip=true"));
    String repository = System.getProperty("localRepository");
    if (repository != null) {
      command.add("-Dmaven.repo.local=" + repository);
    }
    command.add("package");
    Map<String, String> variables = new HashMap<>();
    variables.put("JAVA_HOME", System.getProperty("java.home"));
    // The files must not depend on the directory or the time.
    variables.put("TZ", "Asia/Tokyo");
    variables.put("LC_ALL", "C");
    try (ChildProcess build =
        ChildProcess.start(sources, directory.resolve("output"), variables, command)) {
      assertEquals(0, build.exitCode(BUILD_SECONDS), () -> "" + build.lines());
    }
    second = sources.resolve("target");
    distribution = Distribution.unpackedIn(directory);
  }

  /** A different file is detected by its content: "clean" removes obsolete classes. */
  @Test
  void theSameSourcesResultInTheSameBytes() throws IOException {
    for (Path first :
        List.of(JAR, JAR.resolveSibling("ecoflow-exporter-tests.jar"), thinJar(), ARCHIVE)) {
      Path again = second.resolve(first.getFileName());
      if (first.toString().endsWith(".jar")) {
        Set<String> differ = entries(again);
        differ.removeAll(entries(first));
        assertEquals(Set.of(), differ, first.toString());
      }
      assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(again), first.toString());
    }
  }

  private static Path thinJar() {
    return JAR.resolveSibling("ecoflow-exporter-thin.jar");
  }

  private static Set<String> entries(Path jar) throws IOException {
    Set<String> entries = new TreeSet<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : zip.stream().toList()) {
        try (InputStream content = zip.getInputStream(entry)) {
          entries.add(
              entry.getName()
                  + " "
                  + entry.getTimeLocal()
                  + " "
                  + Arrays.hashCode(content.readAllBytes()));
        }
      }
    }
    return entries;
  }

  /**
   * The libraries of the distribution as name-version.jar, and unpacked native libraries as
   * name-version-platform.jar.
   */
  private static Set<String> shipped() throws IOException {
    Set<String> shipped = new TreeSet<>();
    for (Path jar : Distribution.files(distribution.directory().resolve("lib"))) {
      String name = jar.getFileName().toString();
      if (name.endsWith(".jar") && !name.equals("ecoflow-exporter.jar")) {
        shipped.add(name);
      }
    }
    distribution.classPath().stream()
        .filter(name -> name.startsWith(Distribution.NATIVE_LIBRARY_PREFIX))
        .forEach(shipped::add);
    Stream.of("lib/fleet", "lib/tools")
        .flatMap(name -> Distribution.files(distribution.directory().resolve(name)).stream())
        .map(file -> file.getFileName().toString())
        .filter(name -> !name.startsWith("ecoflow-"))
        .forEach(shipped::add);
    return shipped;
  }

  @Test
  void theSbomListsEachLibraryWithItsLicenceAndChecksum() throws IOException {
    JsonNode parts =
        new ObjectMapper().readTree(second.resolve("ecoflow-exporter-sbom.json").toFile());

    assertEquals("CycloneDX", parts.path("bomFormat").asText());
    assertTrue(parts.path("metadata").path("timestamp").isMissingNode(), "not from the sources");
    JsonNode whole = parts.path("metadata").path("component");
    assertEquals("application", whole.path("type").asText());
    assertEquals(VERSION, whole.path("version").asText());
    assertEquals("pkg:maven/ecoflow/ecoflow-exporter@" + VERSION + "?type=jar", purl(whole));
    Set<String> named = new TreeSet<>();
    for (JsonNode part : parts.path("components")) {
      MatchResult purl = PURL.matcher(purl(part)).results().findFirst().orElseThrow();
      assertEquals(part.path("group").asText(), purl.group(1));
      assertEquals(part.path("name").asText(), purl.group(2));
      assertEquals(part.path("version").asText(), purl.group(3));
      String platform = purl.group(4) == null ? "" : "-" + purl.group(4);
      String jar = purl.group(2) + "-" + purl.group(3) + platform + ".jar";
      named.add(jar);
      assertFalse(part.path("licenses").isEmpty(), jar);
      assertTrue(
          part.path("hashes").findValuesAsText("alg").contains("SHA-256"),
          () -> "" + part.path("hashes"));
    }
    assertEquals(shipped(), named);
  }

  private static String purl(JsonNode part) {
    return part.path("purl").asText();
  }

  @Test
  void theDistributionListsTheLicencesOfAllItsLibraries() throws IOException {
    String text = Files.readString(distribution.directory().resolve("THIRD-PARTY.txt"));
    Set<String> listed = new TreeSet<>();
    for (MatchResult line : LIBRARY.matcher(text).results().toList()) {
      listed.add(line.group(3) + "-" + line.group(4) + ".jar");
      for (String licence : line.group(1).replaceAll("^\\(|\\) $", "").split("\\) \\(")) {
        assertTrue(LICENCES.contains(licence), line.group());
      }
    }
    Set<String> expected =
        shipped().stream()
            .map(
                name ->
                    name.startsWith(Distribution.NATIVE_LIBRARY_PREFIX)
                        ? name.replaceFirst("-linux-.*", ".jar")
                        : name)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(expected, listed);
  }

  /**
   * The pom in the jar has the version in place of its placeholder, as Maven repositories require.
   */
  @Test
  void thePomOfTheReleaseContainsItsVersion() throws IOException {
    String pom = Files.readString(second.resolve("ecoflow-exporter.pom"));
    assertTrue(pom.contains("\n  <version>" + VERSION + "</version>\n"), pom);
  }
}
