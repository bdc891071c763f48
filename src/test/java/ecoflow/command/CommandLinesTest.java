package ecoflow.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.routes.RouteFiles;
import ecoflow.testkit.RoutesDirectory;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands that do not call the cloud, and errors of the command line. */
class CommandLinesTest {

  /** An exporter whose cloud must not be called. */
  private static final class NoCloud implements Commands.Exporter {
    @Override
    public List<String> versions() {
      return List.of("one", "two");
    }

    @Override
    public List<String> routeFiles() {
      return RoutesDirectory.packaged();
    }

    @Override
    public InputStream openRouteFile(String name) {
      return RouteFiles.open(name);
    }

    @Override
    public Commands.Cloud open(Settings settings) {
      throw new AssertionError("no cloud");
    }
  }

  @TempDir private Path directory;
  private final Map<String, String> variables = new HashMap<>();
  private final List<Path> validated = new ArrayList<>();
  private List<String> files = List.of();
  private List<String> warnings = List.of();
  private List<String> problems = List.of();
  private String error;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private Commands.RouteReport validate(Path routes) throws ConfigException {
    validated.add(routes);
    if (error != null) {
      throw new ConfigException(error);
    }
    return new Commands.RouteReport(files, warnings, problems);
  }

  @Test
  void replayReadsEitherFileOrKafka() {
    assertEquals(2, run("replay"));
    assertError("Expected either FILE or --from-kafka; see ecoflow-exporter replay --help");
    assertEquals(2, run("replay", "--from-kafka", "unknown.jsonl"));
    assertEquals(2, run("replay", "--from-kafka", "--since", "2 hours"));
    assertError(
        "Invalid value for --since: expected a number and s, m, h or d, such as 2h; see ecoflow-exporter replay --help");
    assertEquals(0, run("replay", "--from-kafka", "--since", "2h"));
    assertEquals("# PT2H" + System.lineSeparator(), out.toString());
  }

  private int run(String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return new Commands(
            variables,
            new NoCloud(),
            this::validate,
            (file, problem) -> List.of(),
            (age, problem) -> List.of("# " + age),
            Clock.systemUTC(),
            new PrintWriter(out, true),
            new PrintWriter(err, true))
        .run(arguments);
  }

  private void assertError(String line) {
    assertEquals("", out.toString());
    assertEquals("ecoflow-exporter: " + line + System.lineSeparator(), err.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "-h",
        "config --help",
        "devices --help",
        "check -h",
        "validate --help",
        "routes --help",
        "routes export --help"
      })
  void helpFitsTerminalWidth(String line) {
    assertEquals(0, run(line.split(" ")));
    assertEquals("", err.toString());
    String text = out.toString();
    assertTrue(text.startsWith("Usage: ecoflow-exporter "), text);
    text.lines().forEach(shown -> assertTrue(shown.matches("[ -~]{0,80}"), shown));
  }

  @Test
  void versionPrintsAllVersions() {
    assertEquals(0, run("--version"));
    assertEquals(List.of("one", "two"), out.toString().lines().toList());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "dance | unknown command 'dance'; see ecoflow-exporter --help",
        "--dance | unknown option '--dance'; see ecoflow-exporter --help",
        "config all | unknown argument 'all'; see ecoflow-exporter config --help",
        "check --now | unknown option '--now'; see ecoflow-exporter check --help",
        "routes | routes requires a command: export; see ecoflow-exporter routes --help",
        "routes import | unknown command 'import'; see ecoflow-exporter routes --help",
        "routes export | Missing required parameter: 'DIR';"
            + " see ecoflow-exporter routes export --help",
        "check --seconds soon | Invalid value for option '--seconds': 'soon' is not an int;"
            + " see ecoflow-exporter check --help"
      })
  void invalidCommandLineIsReportedInOneLine(String line, String message) {
    assertEquals(2, run(line.split(" ")));
    assertError(message);
  }

  @Test
  void exportWritesEachFileOnce() throws IOException {
    Path routes = directory.resolve("a/b");
    assertEquals(0, run("routes", "export", routes.toString()));
    assertEquals(RoutesDirectory.packaged().size(), out.toString().lines().count());
    for (String file : RoutesDirectory.packaged()) {
      assertEquals(
          -1,
          Files.mismatch(Path.of("src/main/resources/routes", file), routes.resolve(file)),
          file);
      assertTrue(out.toString().contains("wrote  " + routes.resolve(file)));
    }

    Path edited = Files.writeString(routes.resolve("quotas.camel.yaml"), "mine");
    Files.delete(routes.resolve("payload.camel.yaml"));
    assertEquals(1, run("routes", "export", routes.toString()));
    assertEquals("mine", Files.readString(edited));
    assertTrue(out.toString().contains("kept   " + edited + ": it already exists"));
    assertTrue(out.toString().contains("wrote  " + routes.resolve("payload.camel.yaml")));

    assertEquals(0, run("routes", "export", "--force", routes.toString()));
    assertEquals(
        -1, Files.mismatch(Path.of("src/main/resources/routes/quotas.camel.yaml"), edited));
  }

  @Test
  void exportReportsWriteFailure() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    assertEquals(1, run("routes", "export", file.toString()));
    assertError(file + " is not a directory");
    assertEquals(1, run("routes", "export", file.resolve("below").toString()));
    assertEquals(1, err.toString().lines().count(), err.toString());
  }

  @Test
  void validatePrintsErrorsAndSetsExitCode() {
    assertEquals(0, run("validate", directory.toString()));
    assertEquals("No errors in the route files of " + directory, out.toString().strip());

    files = List.of("a.camel.yaml: route a");
    warnings = List.of("c.yaml is ignored");
    assertEquals(0, run("validate", directory.toString()));
    assertEquals(
        List.of(
            "Read a.camel.yaml: route a",
            "Warning: c.yaml is ignored",
            "No errors in the route files of " + directory),
        out.toString().lines().toList());
    validated.clear();
    validated.add(directory);

    files = List.of();
    warnings = List.of();
    problems = List.of("a.camel.yaml:3: one", "b.camel.yaml:7: two");
    variables.put("ECOFLOW_ROUTES_DIR", " " + directory + " ");
    assertEquals(1, run("validate"));
    assertEquals(problems, out.toString().lines().toList());
    assertEquals(List.of(directory, directory), validated);
    assertEquals("", err.toString());

    error = "no credentials";
    assertEquals(2, run("validate"));
    assertError("no credentials");
  }

  @Test
  void validateRequiresDirectory() {
    assertEquals(2, run("validate"));
    assertError(
        "validate requires a directory, as DIR or in ECOFLOW_ROUTES_DIR;"
            + " see ecoflow-exporter validate --help");
    assertEquals(2, run("validate", "/nowhere"));
    assertError("/nowhere is not a directory; see ecoflow-exporter validate --help");
    assertEquals(List.of(), validated);
  }

  @Test
  void configPrintsTheAccountsOfTheFile() throws IOException {
    String secret = "s3cret-value";
    Path password = Files.writeString(directory.resolve("password"), secret);
    Path file =
        Files.writeString(
            directory.resolve("accounts.yml"),
            """
            accounts:
              - name: berlin
                user: %1$s
                password_file: password
                labels: {tenant: acme, site: Berlin}
                mqtt_timeout: 90
              - name: keys
                access_key: %1$s
                secret_key: %1$s
                mode: open
                devices: [R331A, R331B]
            """
                .formatted(secret));
    variables.put("ECOFLOW_ACCOUNTS_FILE", file.toString());
    List<String> berlin =
        List.of(
            "berlin mode mqtt derived: user is set",
            "berlin user *** FILE:3",
            "berlin password *** FILE:4, file " + password,
            "berlin labels site=Berlin, tenant=acme FILE:5",
            "berlin mqtt_timeout 90 FILE:6");
    List<String> keys =
        List.of(
            "keys access_key *** FILE:8",
            "keys secret_key *** FILE:9",
            "keys mode open FILE:10",
            "keys devices R331A,R331B FILE:11");

    assertEquals(0, run("config"));
    List<String> lines = shown(file);
    assertTrue(lines.contains("ECOFLOW_ACCOUNTS_FILE FILE environment"), "" + lines);
    assertTrue(lines.contains("ECOFLOW_ACCOUNT_USER - derived: set per account"), "" + lines);
    assertTrue(lines.contains("MQTT_TIMEOUT 60 default"), "" + lines);
    int start = lines.indexOf("ACCOUNT SETTING VALUE FROM");
    assertEquals(
        Stream.concat(berlin.stream(), keys.stream()).toList(),
        lines.subList(start + 1, lines.size()));
    assertFalse(out.toString().contains(secret), out::toString);

    assertEquals(0, run("config", "--account", "keys"));
    lines = shown(file);
    assertEquals(
        keys, lines.subList(lines.indexOf("ACCOUNT SETTING VALUE FROM") + 1, lines.size()));

    assertEquals(2, run("config", "--account", "key"));
    assertError("unknown account 'key'; did you mean 'keys'?");
    assertEquals(2, run("config", "--account", "other"));
    assertError("unknown account 'other'");

    // Shard 5 serves "keys", and shard 6 serves "berlin".
    variables.put("ECOFLOW_SHARD", "5/8");
    assertEquals(0, run("config"));
    lines = shown(file);
    assertTrue(lines.contains("ECOFLOW_SHARD 5/8 environment"), "" + lines);
    assertEquals(
        keys, lines.subList(lines.indexOf("ACCOUNT SETTING VALUE FROM") + 1, lines.size()));
    assertEquals(2, run("config", "--account", "berlin"));
    assertError("account 'berlin' belongs to shard 6/8, and this is shard 5/8");
    variables.put("ECOFLOW_SHARD", "0/8");
    assertEquals(0, run("config"));
    assertFalse(shown(file).contains("ACCOUNT SETTING VALUE FROM"));
    variables.remove("ECOFLOW_SHARD");

    Files.writeString(file, "accounts: [{name: a}]\nother: 1");
    assertEquals(2, run("config"));
    assertError(file + ":2: unknown field other; expected accounts");
    variables.remove("ECOFLOW_ACCOUNTS_FILE");
    assertEquals(2, run("config", "--account", "keys"));
    assertError("unknown account 'keys': ECOFLOW_ACCOUNTS_FILE is not set");
  }

  /** The output with runs of spaces collapsed, and without the path of the file. */
  private List<String> shown(Path file) {
    assertEquals("", err.toString());
    return out.toString()
        .lines()
        .map(line -> line.replaceAll(" +", " ").replace(file.toString(), "FILE"))
        .toList();
  }
}
