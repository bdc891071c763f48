package ecoflow.dist;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ComponentJar;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.RoutesDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Custom routes and components of the packaged jar. */
class JarRoutesIT {

  private static final String SERIAL = "R331JAR000000003";
  private static final String PUT = "${body.put('pd.edit', ${variable.edit})}";

  private static final SimulatedDevice DEVICE =
      new SimulatedDevice(SERIAL, "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81, "pd.wattsOutSum", 0));

  @RegisterExtension static final CloudExtension clouds = new CloudExtension(DEVICE);
  @RegisterExtension final ExporterJar jar = new ExporterJar(clouds);
  @TempDir Path directory;

  /** Starts the jar in mode REST with one user file, and returns this file. */
  private Path startWithRouteFile(String yaml) throws IOException {
    Path routes = Files.createDirectory(directory.resolve("routes"));
    Path file = Files.writeString(routes.resolve("mine.camel.yaml"), yaml);
    jar.start("rest", "ECOFLOW_ROUTES_DIR=" + routes);
    return file;
  }

  @Test
  void theJarExportsItsRoutes() {
    Path routes = directory.resolve("new/routes");
    assertEquals(0, jar.run(Map.of(), "routes", "export", routes.toString()));
    assertEquals(RoutesDirectory.packaged(), new RoutesDirectory(routes).names());
    assertEquals(RoutesDirectory.packaged().size(), jar.log("wrote  ").size());
  }

  @Test
  void routesCanUseComponentsInTheLibDirectory() {
    Path lib = directory.resolve("my lib");
    ComponentJar.createIn(lib);
    String pattern = ComponentJar.writeRoute(directory.resolve("routes"));
    jar.start("rest", "ECOFLOW_LIB_DIR=" + lib, "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=" + pattern);
    jar.awaitLine(ComponentJar.LINE);
    assertEquals(143, jar.terminate());
  }

  @Test
  void aMissingLibDirectoryIsOneLine() {
    jar.start("rest", "ECOFLOW_LIB_DIR=/nowhere");
    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of(
            "ecoflow-exporter: ECOFLOW_LIB_DIR=/nowhere is not valid:"
                + " expected a readable directory with jars"),
        jar.log());
  }

  @Test
  void editedRoutesReplaceThePackagedOnes() {
    String script =
        """
              - script:
                  expression:
                    simple:
                      expression: "${body.remove('pd.soc')}"
        """;
    RoutesDirectory routes =
        RoutesDirectory.copyTo(directory.resolve("routes"))
            .insertFirst("quotas.camel.yaml", script);
    jar.start("rest", "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=" + routes.pattern());

    jar.awaitSeries(SERIAL, "pd_watts_out_sum");
    assertEquals(List.of(), jar.page().lines("pd_soc"), () -> "log: " + jar.log());
  }

  @Test
  void routesLogAndLibrariesDoNot() {
    String steps =
        """
              - log:
                  message: "step ${header.EcoflowDevice}"
              - to:
                  uri: log
                  parameters:
                    loggerName: my-values
        """;
    RoutesDirectory routes =
        RoutesDirectory.copyTo(directory.resolve("routes")).insertFirst("quotas.camel.yaml", steps);
    jar.start("rest", "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=" + routes.pattern());

    jar.awaitSeries(SERIAL, "pd_soc");
    assertTrue(jar.log().stream().anyMatch(line -> line.endsWith("INFO quotas - step " + SERIAL)));
    assertTrue(jar.log().stream().anyMatch(line -> line.contains("INFO my-values - Exchange[")));
    assertEquals(List.of(), jar.log("apache"), "libraries");
  }

  @Test
  void anInvalidRouteFileIsOneLineAndExitCode2() throws IOException {
    Path file =
        startWithRouteFile(
            "- route:\n    id: mine\n    from:\n      uri: sedda:changes-mine\n      steps:\n       "
                + " - log: x\n");

    assertEquals(2, jar.exitCode());
    assertEquals(1, jar.log("Routes from " + file.getParent() + ": mine.camel.yaml").size());
    assertEquals(1, jar.log(" ERROR ").size(), () -> "" + jar.log());
    assertTrue(
        jar.lastLine().contains("Failed to start the routes: " + file + ":4: unknown component "),
        jar.lastLine());
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
  }

  @Test
  void eachErrorInRouteFilesIsOneLine() throws IOException {
    Path file =
        startWithRouteFile(
            """
        - route:
            id: mine
            from:
              uri: timer:x?perid=5
              steps:
                - lgo: x
                - to: direct:nowhere
        """);

    assertEquals(2, jar.exitCode());
    assertEquals(
        List.of(
            file + ":4: 'perid' is not an option of timer; did you mean 'period'?",
            file + ":6: 'lgo' is unknown in steps; did you mean 'log'?",
            file + ":7: no route starts with direct:nowhere"),
        jar.log("Failed to start the routes: ").stream()
            .map(line -> line.replaceFirst(".*Failed to start the routes: ", ""))
            .toList());
    assertEquals(3, jar.log(" ERROR ").size(), () -> "" + jar.log());
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
  }

  @Test
  void aStepThatFailsAtStartupIsOneLine() throws IOException {
    Path file =
        startWithRouteFile(
            """
        - route:
            id: mine
            from:
              uri: timer:x
              steps:
                - log: x
                - convertBodyTo:
                    type: com.example.Nothing
        """);

    assertEquals(2, jar.exitCode());
    assertTrue(
        jar.lastLine().contains("Failed to start the routes: " + file + ":7: route mine: "),
        jar.lastLine());
    assertEquals(1, jar.log(" ERROR ").size(), () -> "" + jar.log());
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
  }

  @Test
  void errorsInUsersRoutesAreOneLineEach() throws IOException {
    Path routes = Files.createDirectory(directory.resolve("routes"));
    Files.writeString(
        routes.resolve("mine.camel.yaml"),
        """
        - route:
            id: mine
            from:
              uri: timer:x?delay=0&repeatCount=1
              steps:
                - throwException:
                    exceptionType: java.lang.IllegalStateException
                    message: too bad
        - route:
            id: caller
            from:
              uri: timer:y?delay=0&repeatCount=1
              steps:
                - to: direct:called
                - log: not reached
        - route:
            id: called
            from:
              uri: direct:called
              steps:
                - throwException:
                    exceptionType: java.lang.IllegalStateException
                    message: worse
        - route:
            id: catching
            from:
              uri: timer:z?delay=0&repeatCount=1
              steps:
                - doTry:
                    steps:
                      - to: direct:called
                    doCatch:
                      - exception: [java.lang.IllegalStateException]
                        steps:
                          - log: caught ${exception.message}
        """);
    jar.start("rest", "ECOFLOW_ROUTES_DIR=" + routes);

    Path file = routes.resolve("mine.camel.yaml");
    jar.awaitLine("Route mine failed at " + file + ":6: IllegalStateException: too bad; ");
    jar.awaitLine("Route caller failed at " + file + ":21: IllegalStateException: worse; ");
    jar.awaitLine("caught worse");
    assertEquals(143, jar.terminate());
    assertEquals(2, jar.log(" ERROR ").size(), () -> "" + jar.log());
    assertEquals(List.of(), jar.log("not reached"));
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
  }

  private static final String FAILING_STEP =
      """
      - routeConfiguration:
          interceptFrom:
            - interceptFrom:
                uri: direct:quotas
                steps:
                  - filter:
                      simple: "${body.containsKey('pd.soc')}"
                      steps:
                        - script:
                            simple: "${body.nothing('pd.soc')}"
      """;

  /** The failure is not one of the poll, whose path it must not contain. */
  @Test
  void aFailedStepOfAPollIsReportedWithFileAndLine() throws IOException {
    Path file = startWithRouteFile(FAILING_STEP);

    jar.awaitLine(
        "Lost the values of device "
            + SERIAL
            + ": the step at "
            + file
            + ":9 failed: MethodNotFound");
    jar.awaitAtLeast(2, "scrape_requests_total", "device=" + SERIAL, "status=error");
    assertEquals(143, jar.terminate());
    assertEquals(List.of(), jar.log("/iot-open"), () -> "" + jar.log());
    assertEquals(1, jar.log(" failed: ").size(), () -> "" + jar.log());
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
  }

  @Test
  void aFailedStepOfAPushIsReportedWithFileAndLine() throws IOException {
    Path routes = Files.createDirectory(directory.resolve("routes"));
    Path file = Files.writeString(routes.resolve("mine.camel.yaml"), FAILING_STEP);
    jar.start("mqtt", "ECOFLOW_ROUTES_DIR=" + routes);
    jar.awaitOwn(1, "mqtt_connected", "client_type=mqtt");

    for (int i = 1; i <= 3; i++) {
      int errors = i;
      eventually(
          () -> {
            DEVICE.publish("{\"params\": {\"pd.soc\": 17}}");
            double counted = jar.page().own("mqtt_message_errors_total", "client_type=mqtt");
            assertTrue(counted >= errors, () -> "" + jar.log());
          });
    }

    assertEquals(143, jar.terminate());
    List<String> lines = jar.log("Dropped a push of device " + SERIAL + ": ");
    assertEquals(1, lines.size(), () -> "" + jar.log());
    assertTrue(
        lines.get(0).startsWith("the step at " + file + ":9 failed: MethodNotFound"), lines.get(0));
  }

  @Test
  void aRouteThatFailsRepeatedlyLogsOneLineAMinute() throws IOException {
    Path file =
        startWithRouteFile(
            """
            - route:
                id: often
                from:
                  uri: timer:often?delay=0&period=10
                  steps:
                    - throwException:
                        exceptionType: java.lang.IllegalStateException
                        message: too bad
            - route:
                id: later
                from:
                  uri: timer:later?delay=1000&repeatCount=1
                  steps:
                    - log: a second later
            """);

    jar.awaitLine("a second later");
    assertEquals(143, jar.terminate());
    assertEquals(1, jar.log("Route often failed at " + file + ":6: ").size(), () -> "" + jar.log());
  }

  @Test
  void anExporterWithoutRoutesEnds() throws IOException {
    Path routes = Files.createDirectory(directory.resolve("routes"));
    jar.start("rest", "CAMEL_MAIN_ROUTES_INCLUDE_PATTERN=file:" + routes + "/*.camel.yaml");

    assertEquals(1, jar.exitCode());
    assertTrue(jar.lastLine().contains("0 of 0 routes are running"), jar.lastLine());
    assertEquals(List.of(), jar.log("Metrics are at"));
  }

  /** A valid edit, broken ones, a valid one again, an edit of all routes, and the original. */
  @Test
  void routesFollowTheirFiles() throws IOException {
    Path routes = Files.createDirectory(directory.resolve("routes"));
    Path quotas = routes.resolve("quotas.camel.yaml");
    Path mine = routes.resolve("mine.camel.yaml");
    jar.start("mqtt", "ECOFLOW_ROUTES_DIR=" + routes, "ECOFLOW_ROUTES_RELOAD=true");
    jar.awaitOwn(1, "mqtt_connected", "client_type=mqtt");

    Files.writeString(quotas, quotasWith(PUT, 1));
    eventuallyShowsOfPushes("pd_edit", 1);

    Files.writeString(quotas, quotasWith(PUT, 2).replace("script", "scirpt"));
    jar.awaitLine("Routes are not reloaded: " + quotas + ":19: 'scirpt' is unknown in steps");
    eventuallyShowsOfPushes("pd_edit", 1);

    Files.writeString(quotas, quotasWith(PUT, 3));
    eventuallyShowsOfPushes("pd_edit", 3);

    Files.writeString(
        mine,
        """
        - route:
            id: mine
            from:
              uri: paho:mine?brokerUrl=tcp://localhost:1
              steps:
                - log: x
        """);
    jar.awaitLine("Routes are not reloaded: mine.camel.yaml: ConnectException: ");
    eventuallyShowsOfPushes("pd_edit", 3);

    Files.writeString(
        mine,
        """
        - routeConfiguration:
            interceptFrom:
              - interceptFrom:
                  uri: direct:quotas
                  steps:
                    - setVariable:
                        name: mine
                        constant: {expression: "4", resultType: java.lang.Integer}
        - route:
            id: mine
            from:
              uri: seda:changes-mine
              steps:
                - log: "mine has ${body}"
        """);
    Files.writeString(quotas, quotasWith(PUT.replace("edit}", "mine}"), 5));
    eventuallyShowsOfPushes("pd_edit", 4);
    jar.awaitLine("mine has {pd.edit=4");

    Files.delete(mine);
    Files.delete(quotas);
    eventually(
        () -> {
          DEVICE.publish("{\"params\": {\"pd.edit\": 9}}");
          assertEquals(9, jar.page().of(SERIAL, "pd_edit"), () -> "" + jar.log());
        });
    assertEquals(List.of(), jar.log(" ERROR "));
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
    assertEquals(143, jar.terminate());
  }

  private static String quotasWith(String expression, int value) throws IOException {
    String steps =
        """
              steps:
                - setVariable:
                    name: edit
                    constant:
                      expression: "VALUE"
                      resultType: java.lang.Integer
                - script:
                    simple: "EXPRESSION"
        """
            .replace("EXPRESSION", expression)
            .replace("VALUE", "" + value);
    return Files.readString(Path.of("src/main/resources/routes/quotas.camel.yaml"))
        .replaceFirst(" {6}steps:\n", Matcher.quoteReplacement(steps));
  }

  private void eventuallyShowsOfPushes(String name, double value) {
    eventually(
        () -> {
          // Publish only the message, without changing the state of the device, which other tests
          // use.
          DEVICE.publish("{\"params\": {\"pd.soc\": 17}}");
          assertEquals(value, jar.page().of(SERIAL, name), () -> name + jar.log());
        });
  }
}
