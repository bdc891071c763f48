package ecoflow.accounts;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.LocalHttp;
import ecoflow.testkit.Ports;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two accounts that different shards serve. */
class ShardsTest {

  @TempDir private Path directory;
  private final SimulatedDevice first = device("R331ZSHARD0001");
  private final SimulatedDevice second = device("R331ZSHARD0002");
  private SimulatedCloud cloudOfFirst;
  private SimulatedCloud cloudOfSecond;
  private Path file;
  private Path certificates;

  private static SimulatedDevice device(String serial) {
    return new SimulatedDevice(serial, serial, "DELTA 2", WireFormat.JSON);
  }

  @BeforeEach
  void start() throws IOException {
    cloudOfFirst = SimulatedCloud.start().add(first);
    cloudOfSecond = SimulatedCloud.start().add(second);
    first.set(Map.of("pd.soc", 51));
    second.set(Map.of("pd.soc", 52));
    // Of 3 shards, shard 0 serves "paris" and shard 1 serves "home".
    file =
        Files.writeString(
            directory.resolve("accounts.yml"),
            "accounts:\n"
                + account("paris", "rest", cloudOfFirst)
                + account("home", "open", cloudOfSecond));
    certificates =
        Files.writeString(
            directory.resolve("ca.pem"),
            Files.readString(cloudOfFirst.caFile()) + Files.readString(cloudOfSecond.caFile()));
  }

  private static String account(String name, String mode, SimulatedCloud cloud) {
    return "- {name: %s, mode: %s, api_host: '%s', access_key: %s, secret_key: %s}\n"
        .formatted(
            name, mode, cloud.apiHost(), cloud.account().accessKey(), cloud.account().secretKey());
  }

  private Map<String, String> variables(String shard, String... more) {
    Map<String, String> variables = Variables.ofFile(file, more);
    variables.put("ECOFLOW_CA_FILE", certificates.toString());
    variables.put("ECOFLOW_SHARD", shard);
    return variables;
  }

  private RunningExporter exporter(String shard) {
    return RunningExporter.start(variables(shard));
  }

  @AfterEach
  void stop() {
    cloudOfFirst.close();
    cloudOfSecond.close();
  }

  @Test
  void eachShardServesItsAccounts() {
    for (String shard : List.of("0/3", "1/3")) {
      boolean isFirst = shard.equals("0/3");
      try (RunningExporter exporter = exporter(shard)) {
        exporter.page().eventuallyShows(isFirst ? first : second, "pd_soc", isFirst ? 51 : 52);
        String text = exporter.page().text();
        assertFalse(text.contains((isFirst ? second : first).serial()), text);
        assertTrue(
            text.contains(
                "ecoflow_shard_info{shard=\"%s\",shards=\"3\"} 1\n".formatted(shard.charAt(0))),
            text);
      }
    }
  }

  @Test
  void emptyShardIsReady() {
    int port = Ports.next();
    try (ChildProcess process =
        ChildProcess.exporter(
            directory,
            directory.resolve("log"),
            variables("2/3", "EXPORTER_PORT=" + port),
            List.of())) {
      LocalHttp http = new LocalHttp(port);
      eventually(
          () ->
              assertTrue(
                  process.lines().stream().anyMatch(line -> line.contains("Metrics are at")),
                  () -> process.isAlive() + " " + process.lines()));
      eventually(() -> assertEquals(200, http.get("/-/ready").statusCode()));
      String text = http.get("/metrics").body();
      assertTrue(text.contains("ecoflow_shard_info{shard=\"2\",shards=\"3\"} 1\n"), text);
      assertTrue(text.contains("ecoflow_accounts{state=\"connected\"} 0.0\n"), text);
      assertEquals(200, http.get("/").statusCode());
      List<String> lines =
          process.lines().stream().map(line -> line.replaceFirst("^.* - ", "")).toList();
      assertTrue(lines.get(0).endsWith(": 0 accounts of shard 2/3"), () -> "" + lines);
      assertEquals("No account of the accounts file belongs to shard 2/3", lines.get(1));
      assertEquals(3, lines.size(), () -> "" + lines);
    }
  }

  @Test
  void changedFileIsDividedAgain() throws IOException {
    try (RunningExporter exporter = exporter("2/3")) {
      eventually(() -> assertEquals(200, exporter.http().get("/-/ready").statusCode()));
      // Shard 2 of 3 serves "berlin".
      Files.writeString(
          file,
          "accounts:\n"
              + account("berlin", "rest", cloudOfFirst)
              + account("home", "open", cloudOfSecond));
      exporter.page().eventuallyShows(first, "pd_soc", 51);
      assertFalse(exporter.page().text().contains(second.serial()));
    }
  }

  @Test
  void processWithoutShardHasNoSeries() {
    try (RunningExporter exporter = exporter("")) {
      exporter.page().eventuallyShows(second, "pd_soc", 52);
      assertFalse(exporter.page().text().contains("shard_info"));
    }
  }
}
