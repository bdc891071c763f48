package ecoflow.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnknownVariablesTest {

  @TempDir private Path directory;

  private static List<String> lines(String... variables) {
    return Configuration.unknownVariables(map(variables));
  }

  private static Map<String, String> map(String... variables) {
    Map<String, String> all = new HashMap<>();
    for (int i = 0; i < variables.length; i += 2) {
      all.put(variables[i], variables[i + 1]);
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({
    "ECOFLOW_METRIC, ECOFLOW_METRICS",
    "ECOFLOW_ACCESSKEY, ECOFLOW_ACCESS_KEY",
    "ECOFLOW_ACCESS_KEYFILE, ECOFLOW_ACCESS_KEY_FILE",
    "ECOFLOW_DEVCIE_SN, ECOFLOW_DEVICE_SN",
    "ECOFLOW_DEVICES_SN, ECOFLOW_DEVICE_SN",
    "ECOFLOW_SERIESTTL, ECOFLOW_SERIES_TTL",
    "ECOFLOW_ARCHIV, ECOFLOW_ARCHIVE",
    "ECOFLOW_KAFKA_BROKER, ECOFLOW_KAFKA_BROKERS",
    "ecoflow_metrics, ECOFLOW_METRICS",
    "Ecoflow_Api_Typ, ECOFLOW_API_TYPE",
    // Variables of the Python exporter have no prefix.
    "ECOFLOW_LOG_LEVEL, LOG_LEVEL",
    "ECOFLOW_LOGLEVEL, LOG_LEVEL",
    "ECOFLOW_MQTT_TIMEOUT, MQTT_TIMEOUT",
    "ECOFLOW_EXPORTER_PORT, EXPORTER_PORT",
    // The start of a name
    "ECOFLOW_STATE, ECOFLOW_STATE_DIR",
    "ECOFLOW_ROUTES, ECOFLOW_ROUTES_DIR",
  })
  void theNearestKnownNameIsSuggested(String name, String nearest) {
    assertEquals(List.of(name + " is unknown; did you mean " + nearest + "?"), lines(name, "9090"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ECOFLOW_X", "ECOFLOW_GRAFANA_FOLDER", "ECOFLOW_", "ECOFLOW_WATTS"})
  void otherNamesHaveNoSuggestion(String name) {
    assertEquals(List.of(name + " is unknown and has no effect"), lines(name, "s3cret"));
  }

  @Test
  void linesAreSortedAndPrintable() {
    assertEquals(
        List.of(
            "ECOFLOW_A?? is unknown and has no effect",
            "ECOFLOW_B is unknown and has no effect",
            "ecoflow_api_host is unknown; did you mean ECOFLOW_API_HOST?"),
        lines("ECOFLOW_B", "x", "ecoflow_api_host", "x", "ECOFLOW_A\u001b\n", "x").stream()
            .map(line -> line.replaceAll("[^ -~]", "?"))
            .map(line -> line.replaceFirst("ECOFLOW_A\\W+is", "ECOFLOW_A?? is"))
            .toList());
  }

  @Test
  void emptyAndOtherVariablesAreIgnored() {
    assertEquals(
        List.of(),
        lines("ECOFLOW_METRIC", " ", "ECOFLOW", "x", "MY_ECOFLOW_X", "x", "LOG_LEVLE", "x"));
  }

  /** Kubernetes sets them in each container of the namespace, and Docker in linked containers. */
  @Test
  void variablesOfKubernetesServicesAreIgnored() {
    for (String service : List.of("ECOFLOW", "ECOFLOW_EXPORTER", "ECOFLOW_EXPORTER_2_A")) {
      assertEquals(
          List.of(),
          lines(
              service + "_SERVICE_HOST", "10.0.0.1",
              service + "_SERVICE_PORT", "9090",
              service + "_SERVICE_PORT_HTTP_METRICS", "9090",
              service + "_PORT", "tcp://10.0.0.1:9090",
              service + "_PORT_9090_TCP", "tcp://10.0.0.1:9090",
              service + "_PORT_9090_TCP_PROTO", "tcp",
              service + "_PORT_9090_TCP_PORT", "9090",
              service + "_PORT_9090_TCP_ADDR", "10.0.0.1"));
    }
  }

  @Test
  void variablesThatRouteFilesReadAreKnown() throws IOException {
    Files.writeString(
        directory.resolve("influx.camel.yaml"),
        """
        # ECOFLOW_IN_COMMENT
        - route:
            from: {uri: "direct:x?a={{env:ECOFLOW_INFLUX_URL:http://x}}"}
            steps:
              - log: "${env:ECOFLOW_SIMPLE} ${env.ecoflow_lower} {{?ecoflow.place-holder:x}}"
              - log: "{{ecoflow_battery_watts}} ecoflow_metric_name"
        """);
    Files.write(directory.resolve("binary"), new byte[] {(byte) 0xff, 0});
    assertEquals(
        List.of(
            "ECOFLOW_INFLUX_URI is unknown; did you mean ECOFLOW_INFLUX_URL?",
            "ECOFLOW_METRIC_NAME is unknown and has no effect"),
        lines(
            "ECOFLOW_ROUTES_DIR", directory.toString(),
            "ECOFLOW_IN_COMMENT", "x",
            "ECOFLOW_INFLUX_URL", "x",
            "ECOFLOW_INFLUX_URI", "x",
            "ECOFLOW_SIMPLE", "x",
            "ECOFLOW_LOWER", "x",
            "ECOFLOW_PLACE_HOLDER", "x",
            "ECOFLOW_METRIC_NAME", "x"));
    // The exporter itself reports the directory.
    assertEquals(1, lines("ECOFLOW_ROUTES_DIR", "/nowhere", "ECOFLOW_X", "x").size());
  }

  @ParameterizedTest
  @CsvSource({
    "ECOFLOW_ACCESSKEY",
    "ECOFLOW_APP_KEY",
    "ECOFLOW_SECRET",
    "ECOFLOW_EMAIL",
    "ECOFLOW_USERNAME",
    "ECOFLOW_ACCOUNT_USERNAME",
    "ECOFLOW_PASSWORD",
    "ECO_FLOW_PASSWORD",
    "ecoflow_access_key",
    "ACCESS_KEY",
    "ACCOUNT_PASSWORD",
  })
  void missingCredentialsNameWhatLooksLikeThem(String name) {
    String error = error(map("ECOFLOW_DEVICE_SN", "all", name, "s3cret"));
    assertTrue(error.startsWith("no credentials: set ECOFLOW_ACCESS_KEY and "), error);
    assertTrue(error.endsWith(" for the modes mqtt and device; you set " + name), error);
  }

  @Test
  void otherVariablesDoNotLookLikeCredentials() {
    String error =
        error(map("ECOFLOW_DEVICE_SN", "all", "AWS_ACCESS_KEY", "x", "ECOFLOW_METRIC", "x"));
    assertTrue(error.endsWith(" for the modes mqtt and device"), error);
  }

  @Test
  void aMissingVariableNamesWhatLooksLikeIt() {
    assertEquals(
        "ECOFLOW_SECRET_KEY is not set, but ECOFLOW_ACCESS_KEY is: set both or neither; you set"
            + " ECOFLOW_SECRETKEY",
        error(map("ECOFLOW_ACCESS_KEY", "a", "ECOFLOW_SECRETKEY", "b", "ECOFLOW_EMAIL", "c")));
    String error =
        error(
            map("ECOFLOW_ACCESS_KEY", "a", "ECOFLOW_SECRET_KEY", "b", "ECOFLOW_DEVICES_SN", "all"));
    assertTrue(error.endsWith("; you set ECOFLOW_DEVICES_SN"), error);
  }

  private static String error(Map<String, String> variables) {
    return assertThrows(ConfigException.class, () -> Settings.from(variables)).getMessage();
  }

  /** Every variable that the exporter, its launcher, its image or its manifests use is known. */
  @ParameterizedTest
  @ValueSource(strings = {"src/main", "deploy", "README.md", "docs/MANUAL.md"})
  void variablesOfTheProjectAreKnown(String path) throws IOException {
    Pattern variable = Pattern.compile("(?<!\\w)ECOFLOW_[A-Z0-9_]*[A-Z0-9](?![\\w*?])");
    TreeSet<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.walk(Path.of(path))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.endsWith("UnknownVariables.java")) {
          Matcher found =
              variable.matcher(
                  Files.readString(file, java.nio.charset.StandardCharsets.ISO_8859_1));
          while (found.find()) {
            names.add(found.group());
          }
        }
      }
    }
    assertTrue(names.size() > 5, () -> "" + names);
    names.removeIf(name -> lines(name, "x").isEmpty());
    assertEquals(List.of(), List.copyOf(names));
  }
}
