package ecoflow.routefiles;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.Beans;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.offline.RouteCheck;
import ecoflow.testkit.ExporterExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The user's route files in addition to the packaged ones, and the output of validate for them. */
class RoutesDirTest {

  private static final String TAP =
      """
      - route:
          id: tap
          from:
            uri: seda
            parameters:
              name: changes-tap
            steps:
              - log:
                  message: "${body}"
      """;

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.mqtt();

  @TempDir private Path directory;

  private void write(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name + ".camel.yaml"), text);
  }

  private List<String> problems() throws Exception {
    return RouteCheck.report(Map.of(), Beans::new, directory).problems().stream()
        .map(line -> line.replace(directory + "/", ""))
        .toList();
  }

  @Test
  void filesAddRoutesAndReplacePackagedOnes() throws Exception {
    SimulatedDevice device = exporter.addDevice(Map.of());
    write("tap", TAP);
    String quotas = Files.readString(Path.of("src/main/resources/routes/quotas.camel.yaml"));
    String step =
        """
              steps:
                - script:
                    expression:
                      simple:
                        expression: "${body.remove('pd.hidden')}"
        """;
    write("quotas", quotas.replaceFirst(" {6}steps:\n", Matcher.quoteReplacement(step)));
    exporter.start("ECOFLOW_ROUTES_DIR=" + directory);
    exporter.page().eventuallyConnected(1);

    device.push(Map.of("pd.soc", 5, "pd.hidden", 6));

    exporter.page().eventuallyShows(device, "pd_soc", 5);
    assertEquals(List.of(), exporter.page().lines("pd_hidden"));
    eventually(
        () ->
            assertEquals(
                1, exporter.page().own("sink_messages_total", "sink=changes-tap", "result=taken")));
    assertEquals(List.of(), problems());
  }

  @Test
  void anEmptyDirectoryChangesNothing() throws Exception {
    SimulatedDevice device = exporter.addDevice(Map.of());
    exporter.start("ECOFLOW_ROUTES_DIR=" + directory);
    exporter.page().eventuallyConnected(1);

    device.push(Map.of("pd.soc", 5));

    exporter.page().eventuallyShows(device, "pd_soc", 5);
    assertEquals(List.of(), problems());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "uri: seda | uri: sedda | unknown component sedda: put org.apache.camel:camel-sedda",
        "- log: | - lgo: | tap.camel.yaml:8: 'lgo' is unknown in steps; did you mean 'log'?",
        "name: changes-tap | nam: changes-tap | tap.camel.yaml:6: 'nam' is not an option of seda; did you mean 'name'?",
        "${body} | ${body | tap.camel.yaml:9: invalid Simple expression: ",
        "id: tap | id: quotas | duplicate route id quotas, see ",
        "message: | message: [ | tap.camel.yaml:",
        "- log: | - bean: {ref: nothing}\\n        - log: | tap.camel.yaml:8: unknown bean nothing",
        "changes-tap | changes-{{nothing}} | tap.camel.yaml:6: {{nothing}} is not defined",
      })
  void anErrorIsALineWithTheFile(String text, String mistake, String words) throws Exception {
    write("tap", TAP.replace(text, mistake.replace("\\n", "\n")));

    List<String> problems = problems();

    assertTrue(problems.stream().anyMatch(line -> line.contains(words)), problems::toString);
    assertTrue(
        problems.stream().allMatch(line -> line.contains("tap.camel.yaml")), problems::toString);
    assertEquals(1, problems.size(), problems::toString);
  }

  @Test
  void aMissingConsumerIsReported() throws Exception {
    write(
        "tap",
        TAP
            + """
                    - to:
                        uri: direct
                        parameters:
                          name: nowhere
            """);

    assertEquals(List.of("tap.camel.yaml:11: no route starts with direct:nowhere"), problems());
  }
}
