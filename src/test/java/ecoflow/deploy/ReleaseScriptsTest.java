package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The scripts of deploy/release, and the version that they release. */
class ReleaseScriptsTest {

  private static final Path SCRIPTS = Path.of("deploy/release").toAbsolutePath();
  private static final String PASSPHRASE = "of a key that is thrown away";

  /** One keyring for all tests, because creating a key takes time. */
  @TempDir private static Path ring;

  private static boolean hasKey;

  @TempDir Path directory;
  private Path files;

  @BeforeEach
  void makeFiles() throws IOException {
    files = Files.createDirectory(directory.resolve("files"));
    Files.writeString(files.resolve("a.jar"), "a");
    Files.writeString(files.resolve("b.tar.gz"), "b");
  }

  /** Gpg leaves an agent running. */
  @AfterAll
  static void endAgent() {
    if (hasKey) {
      ChildProcess.run(
          ring, ring.resolve("output"), "gpgconf", "--homedir", ring.toString(), "--kill", "all");
    }
  }

  private ChildProcess start(Map<String, String> variables, String... command) {
    Map<String, String> all = new HashMap<>(variables);
    all.putIfAbsent("RELEASE_SIGNING_KEY", "");
    all.putIfAbsent("RELEASE_SIGNING_USER", "");
    ChildProcess process =
        ChildProcess.start(files, directory.resolve("output"), all, List.of(command));
    process.exitCode();
    return process;
  }

  /** Runs a command that must succeed, and returns its output. */
  private List<String> run(Map<String, String> variables, String... command) {
    try (ChildProcess process = start(variables, command)) {
      assertEquals(0, process.exitCode(), () -> String.join(" ", command) + process.lines());
      return process.lines();
    }
  }

  private List<String> sign(Map<String, String> variables) {
    return run(variables, SCRIPTS.resolve("checksums.sh").toString(), files.toString());
  }

  /** Runs gpg with the keyring of this test. */
  private List<String> gpg(String... arguments) {
    List<String> command =
        new ArrayList<>(List.of("gpg", "--homedir", ring.toString(), "--batch", "--quiet"));
    command.addAll(List.of("--pinentry-mode", "loopback", "--passphrase", PASSPHRASE));
    command.addAll(List.of(arguments));
    return run(Map.of(), command.toArray(String[]::new));
  }

  private void makeKey() {
    assumeTrue(Programs.find("gpg").isPresent(), "gpg is not installed");
    if (hasKey) {
      return;
    }
    assertTrue(ring.toFile().setReadable(false, false) && ring.toFile().setReadable(true));
    hasKey = true;
    gpg("--quick-generate-key", "Release <release@example.com>", "ed25519", "sign", "1d");
  }

  private boolean isSigned() {
    return Files.exists(files.resolve("SHA256SUMS.asc"));
  }

  @Test
  void theChecksumsDetectChangedFiles() throws IOException {
    List<String> said = sign(Map.of());

    assertEquals(List.of("checksums.sh: no key, so SHA256SUMS is not signed"), said);
    assertFalse(isSigned());
    assertEquals(
        List.of("a.jar: OK", "b.tar.gz: OK"), run(Map.of(), "sha256sum", "-c", "SHA256SUMS"));
    Files.writeString(files.resolve("b.tar.gz"), "c");
    try (ChildProcess check = start(Map.of(), "sha256sum", "-c", "SHA256SUMS")) {
      assertEquals(1, check.exitCode());
    }
  }

  @Test
  void aKeyOfTheCiSignsTheChecksums() throws IOException {
    makeKey();
    String secret = String.join("\n", gpg("--armor", "--export-secret-keys"));
    Map<String, String> variables =
        Map.of("RELEASE_SIGNING_KEY", secret, "RELEASE_SIGNING_PASSPHRASE", PASSPHRASE);
    sign(variables);

    gpg("--verify", "SHA256SUMS.asc", "SHA256SUMS");
    Files.writeString(files.resolve("SHA256SUMS"), "forged");
    try (ChildProcess check =
        start(
            Map.of(),
            "gpg",
            "--homedir",
            ring.toString(),
            "--verify",
            "SHA256SUMS.asc",
            "SHA256SUMS")) {
      assertEquals(1, check.exitCode(), () -> "" + check.lines());
    }

    // Again: existing checksums are not signed, neither as a file nor by their content.
    sign(variables);
    gpg("--verify", "SHA256SUMS.asc", "SHA256SUMS");
    assertEquals(2, Files.readAllLines(files.resolve("SHA256SUMS")).size());

    sign(Map.of());
    assertFalse(isSigned(), "the signature of other checksums");
  }

  @Test
  void aKeyOfTheUsersKeyringSignsTheChecksums() throws IOException {
    makeKey();
    sign(
        Map.of(
            "GNUPGHOME",
            ring.toString(),
            "RELEASE_SIGNING_USER",
            "release@example.com",
            "RELEASE_SIGNING_PASSPHRASE",
            PASSPHRASE));

    gpg("--verify", "SHA256SUMS.asc", "SHA256SUMS");
  }

  @Test
  void aKeyThatDoesNotSignIsAnError() throws IOException {
    makeKey();
    String secret = String.join("\n", gpg("--armor", "--export-secret-keys"));
    for (Map<String, String> variables :
        List.of(
            Map.of("RELEASE_SIGNING_KEY", secret, "RELEASE_SIGNING_PASSPHRASE", "wrong"),
            Map.of("RELEASE_SIGNING_KEY", "no key"),
            Map.of("GNUPGHOME", ring.toString(), "RELEASE_SIGNING_USER", "nobody@example.com"))) {
      try (ChildProcess process =
          start(variables, SCRIPTS.resolve("checksums.sh").toString(), files.toString())) {
        assertEquals(2, process.exitCode(), () -> "" + process.lines());
        assertFalse(isSigned());
        assertFalse(process.lines().toString().contains("PRIVATE KEY"));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2.0.0, '2.0.0 (unreleased)', marks 2.0.0 as unreleased",
    "2.0.0, '1.0.0 (2026-01-01)', 'starts with \"1.0.0 (2026-01-01)\", not with 2.0.0'",
    "2.0.0-rc.1, '2.0.1 (unreleased)', 'not with 2.0.0-rc.1'",
    "2.0, '2.0 (2026-01-01)', 2.0 is not a version",
    "02.0.0, '02.0.0', 02.0.0 is not a version",
    "2.0.0 -x, '2.0.0', 2.0.0 -x is not a version",
  })
  void anInvalidVersionIsNotBuilt(String version, String heading, String said) throws IOException {
    try (ChildProcess build = build(heading, version)) {
      assertEquals(2, build.exitCode(), () -> "" + build.lines());
      assertTrue(build.lines().get(0).contains(said), () -> "" + build.lines());
      assertEquals(1, build.lines().size());
    }
  }

  /** With a Maven that creates only the given files. */
  @ParameterizedTest
  @CsvSource({
    "2.0.0, '2.0.0'",
    "2.0.0, '2.0.0 (2026-01-01)'",
    "2.0.0-rc.1, '2.0.0 (unreleased)'",
    "2.0.0-rc.1, '2.0.0 (2026-01-01)'",
  })
  void aVersionIsBuilt(String version, String heading) throws IOException {
    try (ChildProcess build = build(heading, version)) {
      assertEquals(0, build.exitCode(), () -> "" + build.lines());
    }
    assertBuilt(version);
    assertEquals("- What is new.\n", Files.readString(files.resolve("target/release-notes.md")));
  }

  @Test
  void theVersionIsThatOfTheTag() throws IOException {
    assumeTrue(Programs.find("git").isPresent(), "git is not installed");
    checkout("3.1.4 (2026-01-01)");
    Files.writeString(files.resolve(".gitignore"), "target/\n");
    git("init", "--quiet");
    git("add", ".");
    git("commit", "--quiet", "--message", "Release");
    assertRefused("this commit has no tag such as v1.2.3");

    git("tag", "v3.1.4");
    Files.writeString(files.resolve("CHANGELOG.md"), "## 3.1.4 (2026-01-01)\n- More.\n");
    assertRefused("the working tree has changes that are not in the tag v3.1.4");

    git("checkout", "--quiet", "CHANGELOG.md");
    run(Map.of(), files.resolve("deploy/release/build.sh").toString());
    assertBuilt("3.1.4");
  }

  private void assertRefused(String why) {
    try (ChildProcess build = start(Map.of(), files + "/deploy/release/build.sh")) {
      assertEquals(2, build.exitCode(), () -> "" + build.lines());
      assertTrue(build.lines().get(0).contains(why), () -> "" + build.lines());
    }
  }

  private void git(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of("git", "-c", "user.name=Test", "-c", "user.email=test@example.com"));
    command.addAll(List.of("-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"));
    command.addAll(List.of(arguments));
    run(Map.of(), command.toArray(String[]::new));
  }

  private void assertBuilt(String version) throws IOException {
    String name = "ecoflow-exporter-" + version;
    assertEquals(
        List.of(
            name + "-sbom.json",
            name + "-tests.jar",
            name + ".jar",
            name + ".pom",
            name + ".tar.gz"),
        Files.readAllLines(files.resolve("target/release/SHA256SUMS")).stream()
            .map(line -> line.replaceFirst("^[0-9a-f]{64} [ *]", ""))
            .sorted()
            .toList());
    assertEquals(
        "-B -Prelease -Drevision=" + version + " verify\n",
        Files.readString(files.resolve("target/ecoflow-exporter.jar")));
  }

  private ChildProcess build(String heading, String version) throws IOException {
    checkout(heading);
    return start(Map.of(), files.resolve("deploy/release/build.sh").toString(), version);
  }

  private void checkout(String heading) throws IOException {
    Path scripts = Files.createDirectories(files.resolve("deploy/release"));
    for (String script : List.of("build.sh", "checksums.sh")) {
      Files.copy(SCRIPTS.resolve(script), scripts.resolve(script));
    }
    Files.writeString(
        files.resolve("CHANGELOG.md"),
        "# Changelog\n\n## " + heading + "\n- What is new.\n## 0.0.1\n- What was.\n");
    Path maven = files.resolve("mvnw");
    Files.writeString(
        maven,
        """
        #!/bin/sh
        mkdir target && cd target
        for file in ecoflow-exporter.jar ecoflow-exporter.pom ecoflow-exporter-tests.jar \\
            ecoflow-exporter-sbom.json "ecoflow-exporter-${3#*=}.tar.gz"; do
          echo "$*" > "$file"
        done
        """);
    assertTrue(maven.toFile().setExecutable(true));
  }

  @ParameterizedTest
  @ValueSource(strings = {"build.sh", "checksums.sh"})
  void theScriptsPassShellcheck(String script) {
    assumeTrue(Programs.find("shellcheck").isPresent(), "shellcheck is not installed");
    run(Map.of(), "shellcheck", SCRIPTS.resolve(script).toString());
  }

  /** A build between releases has the version at the top of the changelog, as a snapshot. */
  @Test
  void thePomHasTheVersionOfTheChangelog() throws IOException {
    Matcher heading =
        Pattern.compile("(?m)^## (\\S+)").matcher(Files.readString(Path.of("CHANGELOG.md")));
    Matcher revision =
        Pattern.compile("<revision>(.*)</revision>").matcher(Files.readString(Path.of("pom.xml")));
    assertTrue(heading.find() && revision.find());
    assertEquals(heading.group(1) + "-SNAPSHOT", revision.group(1));
  }
}
