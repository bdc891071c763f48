package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.Programs;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * The workflows of the repository: they use existing files, and have only the permissions that they
 * need.
 */
class WorkflowsTest {

  private static final Path DIRECTORY = Path.of(".github/workflows");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The write permissions of jobs. */
  private static final Map<String, Map<String, String>> WRITERS =
      Map.of(
          "image.yml publish",
              Map.of("packages", "write", "id-token", "write", "attestations", "write"),
          "release.yml attest", Map.of("id-token", "write", "attestations", "write"),
          "release.yml image",
              Map.of(
                  "contents",
                  "read",
                  "packages",
                  "write",
                  "id-token",
                  "write",
                  "attestations",
                  "write"),
          "release.yml publish", Map.of("contents", "write"));

  /** Actions from outside GitHub, which must not run in a job with write permissions. */
  private static final Set<String> OTHERS = Set.of("google/osv-scanner-action/osv-scanner-action");

  /** A tag can be moved to another commit. Dependabot also updates the comment. */
  private static final Pattern PINNED =
      Pattern.compile("([\\w./-]+)@([0-9a-f]{40}) # v[0-9]+\\.[0-9]+\\.[0-9]+");

  private static final Pattern EXPRESSION = Pattern.compile("\\$\\{\\{ *(.*?) *\\}\\}");

  /** File names of this repository in a script. */
  private static final Pattern FILE =
      Pattern.compile("(?<![\\w./$}-])(\\./mvnw|(?:\\.ci|deploy|src|docs|bench)/[\\w./-]+)");

  @TempDir Path directory;

  static List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static JsonNode read(String file) throws IOException {
    // YAML 1.2, in which "on" is a string and not true.
    return JSON.valueToTree(
        new Load(LoadSettings.builder().setAllowDuplicateKeys(false).build())
            .loadFromString(Files.readString(DIRECTORY.resolve(file))));
  }

  private static List<String> names(JsonNode map) {
    List<String> names = new ArrayList<>();
    map.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static List<JsonNode> steps(JsonNode workflow) {
    List<JsonNode> steps = new ArrayList<>();
    workflow.path("jobs").forEach(job -> job.path("steps").forEach(steps::add));
    return steps;
  }

  private static List<String> scripts(String file) throws IOException {
    return steps(read(file)).stream()
        .filter(step -> step.has("run"))
        .map(step -> step.path("run").asText())
        .toList();
  }

  /** All strings below a node. */
  private static List<String> texts(JsonNode node) {
    List<String> texts = new ArrayList<>();
    if (node.isTextual()) {
      texts.add(node.asText());
    }
    node.forEach(child -> texts.addAll(texts(child)));
    return texts;
  }

  @Test
  void theWorkflowsAreExpected() throws IOException {
    assertEquals(List.of("advisories.yml", "ci.yml", "image.yml", "release.yml"), files());
  }

  @ParameterizedTest
  @MethodSource("files")
  void aJobHasARunnerATimeLimitAndItsNeeds(String file) throws IOException {
    JsonNode workflow = read(file);
    assertTrue(
        Set.of("name", "on", "permissions", "concurrency", "jobs").containsAll(names(workflow)),
        () -> "" + names(workflow));
    List<String> jobs = names(workflow.path("jobs"));
    assertFalse(jobs.isEmpty());
    for (String name : jobs) {
      JsonNode job = workflow.path("jobs").path(name);
      JsonNode needs = job.path("needs");
      List<String> needed = needs.isTextual() ? List.of(needs.asText()) : texts(needs);
      assertTrue(jobs.containsAll(needed), () -> name + " needs " + needed);
      if (job.has("uses")) {
        String called = job.path("uses").asText();
        assertTrue(called.startsWith("./.github/workflows/"), called);
        JsonNode call =
            read(called.replaceFirst(".*/", "")).path("on").path("workflow_call").path("inputs");
        assertEquals(names(call), names(job.path("with")), called);
        continue;
      }
      assertTrue(job.path("timeout-minutes").isInt(), () -> name + " has no time limit");
      String machine = job.path("runs-on").asText();
      assertTrue(machine.matches("ubuntu-24\\.04|\\$\\{\\{ matrix\\.machine }}"), machine);
      for (JsonNode step : job.path("steps")) {
        assertTrue(step.has("run") != step.has("uses"), () -> "" + step);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void aJobCanOnlyWriteWhatItPublishes(String file) throws IOException {
    JsonNode workflow = read(file);
    assertEquals("{\"contents\":\"read\"}", workflow.path("permissions").toString());
    workflow
        .path("jobs")
        .properties()
        .forEach(
            job ->
                assertEquals(
                    JSON.valueToTree(WRITERS.getOrDefault(file + " " + job.getKey(), Map.of())),
                    job.getValue().has("permissions")
                        ? job.getValue().path("permissions")
                        : JSON.createObjectNode(),
                    job.getKey()));
  }

  @Test
  void actionsArePinnedToACommit() throws IOException {
    Map<String, String> commits = new HashMap<>();
    for (String file : files()) {
      for (String line : Files.readAllLines(DIRECTORY.resolve(file))) {
        String[] parts = line.strip().replaceFirst("^- ", "").split("uses: ", 2);
        if (parts.length < 2 || !parts[0].isEmpty() || parts[1].startsWith("./")) {
          continue;
        }
        Matcher pin = PINNED.matcher(parts[1]);
        assertTrue(pin.matches(), () -> file + ": " + parts[1]);
        String known = commits.putIfAbsent(pin.group(1), pin.group(2));
        assertTrue(known == null || known.equals(pin.group(2)), () -> file + ": " + parts[1]);
      }
    }
    assertTrue(commits.containsKey("actions/checkout"), commits::toString);
  }

  @ParameterizedTest
  @MethodSource("files")
  void onlyJobsThatReadUseActionsOfOthers(String file) throws IOException {
    JsonNode workflow = read(file);
    for (JsonNode job : workflow.path("jobs")) {
      for (JsonNode step : job.path("steps")) {
        if (!step.has("uses")) {
          continue;
        }
        String action = step.path("uses").asText().replaceFirst("@.*", "");
        boolean readsOnly = OTHERS.contains(action) && !job.has("permissions");
        assertTrue(readsOnly || action.matches("actions/[a-z-]+"), action);
        if (action.equals("actions/checkout")) {
          assertEquals("false", step.path("with").path("persist-credentials").asText(), file);
        }
      }
    }
  }

  @Test
  void theFilesAndTheImagesOfAReleaseAreAttested() throws IOException {
    JsonNode jobs = read("release.yml").path("jobs");
    assertTrue(texts(jobs.path("publish").path("needs")).contains("attest"));
    assertEquals(
        List.of("target/release/*"),
        attestations(jobs.path("attest")).map(with -> with.path("subject-path").asText()).toList());
    List<JsonNode> images = attestations(read("image.yml").path("jobs").path("publish")).toList();
    assertEquals(
        List.of(
            "${{ steps.publish.outputs.name }}@${{ steps.publish.outputs.digest }}",
            "${{ steps.publish.outputs.name-fleet }}@${{ steps.publish.outputs.digest-fleet }}"),
        images.stream()
            .map(
                image ->
                    image.path("subject-name").asText()
                        + "@"
                        + image.path("subject-digest").asText())
            .toList());
    images.forEach(image -> assertTrue(image.path("push-to-registry").asBoolean()));
  }

  /** Runs the script with a docker that prints its arguments. */
  @ParameterizedTest
  @CsvSource({"v1.2.3, latest 1.2", "v1.2.3-rc.1, ''"})
  void aReleasePublishesTheImageOfTheExporterAndThatOfTheFleet(String tag, String moreTags)
      throws IOException {
    JsonNode publish = read("image.yml").path("jobs").path("publish");
    String script =
        texts(publish).stream()
            .filter(text -> text.contains("docker push"))
            .findAny()
            .orElseThrow();
    Path programs = Files.createDirectory(directory.resolve("bin"));
    Path calls = directory.resolve("calls");
    Path docker = programs.resolve("docker");
    Files.writeString(
        docker,
        """
        #!/bin/sh
        echo "$*" >> %s
        case "$*" in *inspect*) echo "sha256:of-$4" ;; esac
        """
            .formatted(calls));
    assertTrue(docker.toFile().setExecutable(true));
    for (String architecture : List.of("amd64", "arm64")) {
      Path image = Files.createDirectory(directory.resolve("image-" + architecture));
      try (OutputStream file = Files.newOutputStream(image.resolve("image.tar.gz"))) {
        new GZIPOutputStream(file).finish();
      }
    }
    Path outputs = directory.resolve("outputs");
    try (ChildProcess process =
        ChildProcess.start(
            directory,
            directory.resolve("log"),
            Map.of(
                "PATH",
                programs + ":" + System.getenv("PATH"),
                "GITHUB_REPOSITORY",
                "Owner/ecoflow-exporter",
                "GITHUB_ACTOR",
                "actor",
                "GITHUB_OUTPUT",
                outputs.toString(),
                "TAG",
                tag,
                "TOKEN",
                "none"),
            List.of("bash", "-euo", "pipefail", "-c", script))) {
      assertEquals(0, process.exitCode(), () -> "" + process.lines());
    }

    String version = tag.substring(1);
    List<String> expected = new ArrayList<>();
    List<String> expectedOutputs = new ArrayList<>();
    for (String suffix : List.of("", "-fleet")) {
      String image = "ghcr.io/owner/ecoflow-exporter" + suffix + ":";
      String tags = "--tag=" + image + version;
      for (String more : moreTags.isEmpty() ? new String[0] : moreTags.split(" ")) {
        tags += " --tag=" + image + more;
      }
      expected.add(
          "buildx imagetools create "
              + tags
              + " "
              + image
              + version
              + "-amd64 "
              + image
              + version
              + "-arm64");
      expectedOutputs.add("name" + suffix + "=ghcr.io/owner/ecoflow-exporter" + suffix);
      expectedOutputs.add("digest" + suffix + "=sha256:of-" + image + version);
    }
    assertEquals(
        expected,
        Files.readAllLines(calls).stream().filter(call -> call.contains(" create ")).toList());
    assertEquals(
        4, Files.readAllLines(calls).stream().filter(call -> call.startsWith("push ")).count());
    assertEquals(expectedOutputs, Files.readAllLines(outputs));
    // The overlay uses the same name.
    assertTrue(
        Files.readString(Path.of("deploy/kubernetes/overlays/fleet-kafka/kustomization.yaml"))
            .contains("newName: ecoflow-exporter-fleet"));
  }

  private static Stream<JsonNode> attestations(JsonNode job) {
    List<JsonNode> found = new ArrayList<>();
    for (JsonNode step : job.path("steps")) {
      if (step.path("uses").asText().startsWith("actions/attest-build-provenance@")) {
        found.add(step.path("with"));
      }
    }
    return found.stream();
  }

  @Test
  void theScanReadsTheSbomAndTheExceptions() throws IOException {
    String arguments = "";
    for (JsonNode step : steps(read("advisories.yml"))) {
      arguments += step.path("with").path("scan-args").asText();
    }
    assertEquals(
        List.of("--config=.github/osv-scanner.toml", "--lockfile=target/libraries.cdx.json"),
        arguments.lines().toList());
    assertTrue(Files.exists(Path.of(".github/osv-scanner.toml")));
    assertTrue(
        scripts("advisories.yml").get(0).contains(" target/libraries.cdx.json"),
        "written before the scan");
  }

  /** The name of a branch or tag would become a part of the script. */
  @ParameterizedTest
  @MethodSource("files")
  void scriptsContainNoExpressionThatOthersControl(String file) throws IOException {
    for (String script : scripts(file)) {
      for (MatchResult found : EXPRESSION.matcher(script).results().toList()) {
        assertTrue(found.group(1).startsWith("matrix."), found.group(1));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void expressionsReferToExistingNames(String file) throws IOException {
    JsonNode workflow = read(file);
    Set<String> inputs =
        new TreeSet<>(names(workflow.path("on").path("workflow_call").path("inputs")));
    Set<String> matrix = new TreeSet<>();
    workflow
        .path("jobs")
        .forEach(
            job ->
                job.path("strategy")
                    .path("matrix")
                    .path("include")
                    .forEach(row -> matrix.addAll(names(row))));
    Set<String> ids = new TreeSet<>();
    steps(workflow).forEach(step -> ids.add(step.path("id").asText()));
    for (String text : texts(workflow)) {
      for (MatchResult found : EXPRESSION.matcher(text).results().toList()) {
        String[] words = found.group(1).split(" ")[0].split("\\.");
        boolean known =
            switch (words[0]) {
              case "inputs" -> inputs.contains(words[1]);
              case "matrix" -> matrix.contains(words[1]);
              case "steps" -> ids.contains(words[1]) && words[2].equals("outputs");
              case "secrets" ->
                  Set.of("GITHUB_TOKEN", "RELEASE_SIGNING_KEY", "RELEASE_SIGNING_PASSPHRASE")
                      .contains(words[1]);
              case "github" ->
                  Set.of("event_name", "ref", "ref_name", "workflow").contains(words[1]);
              default -> false;
            };
        assertTrue(known, found.group());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void scriptsReferToExistingFiles(String file) throws IOException {
    for (String script : scripts(file)) {
      for (MatchResult found : FILE.matcher(script).results().toList()) {
        Path named = Path.of(found.group(1));
        assertTrue(Files.isRegularFile(named), () -> file + ": " + named);
        assertTrue(Files.isExecutable(named), () -> file + ": " + named);
      }
    }
    for (JsonNode path : read(file).path("on").path("pull_request").path("paths")) {
      String start = path.asText().replaceFirst("/\\*\\*$", "");
      assertTrue(Files.exists(Path.of(start)), start);
    }
  }

  @Test
  void theImageIsBuiltWithArgumentsOfTheDockerfile() throws IOException {
    String dockerfile = Files.readString(Path.of("Dockerfile"));
    List<String> arguments =
        scripts("image.yml").stream()
            .flatMap(script -> Pattern.compile("--build-arg \"(\\w+)=").matcher(script).results())
            .map(found -> found.group(1))
            .toList();
    assertEquals(Set.of("MAVEN_ARGS", "REVISION", "VERSION"), Set.copyOf(arguments));
    for (String argument : arguments) {
      assertTrue(
          Pattern.compile("(?m)^ARG " + argument + "=").matcher(dockerfile).find(), argument);
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void scriptsPassShellcheck(String file) throws IOException {
    int number = 0;
    for (String script : scripts(file)) {
      Path written = directory.resolve("script" + number++);
      Files.writeString(
          written, "#!/bin/bash\n" + EXPRESSION.matcher(script).replaceAll("expression"));
      ChildProcess.run(directory, directory.resolve("output"), "bash", "-n", written.toString());
      if (Programs.find("shellcheck").isPresent()) {
        ChildProcess.run(directory, directory.resolve("output"), "shellcheck", written.toString());
      }
    }
    assertTrue(number > 0, file);
  }
}
