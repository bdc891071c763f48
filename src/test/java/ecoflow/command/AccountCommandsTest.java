package ecoflow.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.Beans;
import ecoflow.CommandRun;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.config.ConfigException;
import ecoflow.offline.RouteCheck;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Ports;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The commands with an accounts file. */
class AccountCommandsTest {

  private static final String SERIAL = "R331ZCOMMAND0001";

  private final SimulatedDevice device =
      new SimulatedDevice(SERIAL, "Garage", "DELTA 2", WireFormat.JSON).set(Map.of("pd.soc", 81));

  @RegisterExtension final CloudExtension clouds = new CloudExtension(device);

  @TempDir private Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Map<String, String> variables;

  @BeforeEach
  void writeFile() throws IOException {
    SimulatedCloud cloud = clouds.cloud();
    String host = "\n    api_host: " + cloud.apiHost() + "\n";
    Path file =
        Files.writeString(
            directory.resolve("accounts.yml"),
            "accounts:\n  - name: keys\n    mode: rest"
                + host
                + "    access_key: "
                + cloud.account().accessKey()
                + "\n    secret_key: "
                + cloud.account().secretKey()
                + "\n  - name: wrong\n    mode: rest"
                + host
                + "    access_key: "
                + cloud.account().accessKey()
                + "\n    secret_key: wrong-secret\n  - name: app\n    mode: device"
                + host
                + "    user: "
                + cloud.account().email()
                + "\n    password: "
                + cloud.account().password()
                + "\n    devices: ["
                + SERIAL
                + ", R331ZCOMMAND0002]\n");
    variables = Variables.ofFile(file, "ECOFLOW_CA_FILE=" + cloud.caFile());
    variables.put("EXPORTER_PORT", "" + Ports.next());
  }

  private int run(String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return CommandRun.run(variables, Clock.systemUTC(), out, err, arguments);
  }

  private List<String> lines() {
    return out.toString().lines().map(line -> line.replaceAll(" +", " ")).toList();
  }

  @Test
  void devicesListsTheDevicesOfEachAccount() {
    assertEquals(1, run("devices"));

    assertEquals(
        List.of(
            "Account keys:",
            "SERIAL NAME PRODUCT ONLINE DECODER",
            SERIAL + " Garage DELTA 2 yes JSON",
            "",
            "Account wrong:",
            "",
            "Account app:",
            "SERIAL NAME PRODUCT ONLINE DECODER",
            SERIAL + " Garage DELTA 2 yes known"),
        lines());
    assertTrue(err.toString().startsWith("ecoflow-exporter: account wrong: "), err::toString);
    assertEquals(1, err.toString().lines().count(), err::toString);
  }

  @Test
  void devicesListsTheDevicesOfOneAccount() {
    assertEquals(0, run("devices", "--account", "app"));

    assertEquals("Account app:", lines().get(0));
    assertEquals(3, lines().size());
    assertEquals("", err.toString());
  }

  @Test
  void checkChecksEachAccount() {
    assertEquals(1, run("check", "--seconds", "5"));

    List<String> lines = lines();
    int wrong = lines.indexOf("Account wrong:");
    int app = lines.indexOf("Account app:");
    List<String> ofKeys = lines.subList(0, wrong);
    assertEquals("Account keys:", ofKeys.get(0));
    assertTrue(ofKeys.contains("ok settings mode rest, devices all"), out::toString);
    assertTrue(ofKeys.contains("ok keys EcoFlow accepts the developer keys"), out::toString);
    assertFalse(ofKeys.stream().anyMatch(line -> line.startsWith("FAILED")), out::toString);
    assertTrue(
        lines.subList(wrong, app).stream().anyMatch(line -> line.startsWith("FAILED keys ")),
        out::toString);
    List<String> ofApp = lines.subList(app, lines.size());
    assertTrue(ofApp.contains("ok login EcoFlow accepts the account"), out::toString);
    assertTrue(
        ofApp.stream()
            .anyMatch(
                line ->
                    line.startsWith("FAILED device R331ZCOMMAND0002 is not in")
                        && line.endsWith("; correct devices")),
        out::toString);
    assertEquals("", err.toString());
  }

  @Test
  void aShardWithoutAccountsIsReported() {
    // Of 9 shards, shard 0 serves none of the accounts.
    variables.put("ECOFLOW_SHARD", "0/9");
    for (String command : List.of("check", "devices")) {
      assertEquals(0, run(command));
      assertEquals(List.of("No account of the accounts file belongs to shard 0/9"), lines());
      assertEquals("", err.toString());
    }
    assertEquals(2, run("check", "--account", "app"));
    assertTrue(err.toString().contains("account 'app' belongs to shard "), err::toString);
  }

  @Test
  void checkDoesNotUseStoredLogins() throws IOException {
    Path logins = Files.createDirectory(directory.resolve("logins"));
    variables.put("ECOFLOW_STATE_DIR", logins.toString());

    run("check", "--account", "app", "--seconds", "1");

    assertTrue(lines().contains("ok subscription the broker accepts the subscriptions"));
    try (Stream<Path> files = Files.list(logins)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void checkSucceedsForOneAccount() {
    assertEquals(0, run("check", "--account", "keys"));

    assertFalse(out.toString().contains("wrong"), out::toString);
  }

  @Test
  void otherCommandsDoNotReadTheFile() throws IOException, ConfigException {
    variables.put("ECOFLOW_SHARD", "0/1");
    Path recording =
        Files.writeString(
            directory.resolve("unknown.jsonl"),
            "{\"device\":\"R331ZCOMMAND0001\",\"frame\":\"0a00\"}\n");

    assertEquals(0, run("replay", recording.toString()), err::toString);
    assertEquals(0, run("routes", "export", directory.resolve("routes").toString()));
    assertTrue(Files.exists(directory.resolve("routes/accounts-page.camel.yaml")));
    assertEquals(
        List.of(),
        RouteCheck.report(variables, Beans::new, Files.createDirectory(directory.resolve("empty")))
            .problems());
    assertEquals("", err.toString());
  }

  @Test
  void anUnknownAccountIsAnError() {
    for (String command : List.of("check", "devices", "config")) {
      assertEquals(2, run(command, "--account", "key"));
      assertEquals("", out.toString());
      assertEquals(
          "ecoflow-exporter: unknown account 'key'; did you mean 'keys'?\n", err.toString());
    }
    variables = Variables.of(clouds.cloud(), "rest");
    for (String command : List.of("check", "devices", "config")) {
      assertEquals(2, run(command, "--account", "keys"));
      assertEquals(
          "ecoflow-exporter: unknown account 'keys': ECOFLOW_ACCOUNTS_FILE is not set\n",
          err.toString());
    }
  }
}
