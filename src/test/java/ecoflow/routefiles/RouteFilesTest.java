package ecoflow.routefiles;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.testkit.SinkFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The packaged routes, which integrators read first: each has a description. */
class RouteFilesTest {

  private static final Path DIRECTORY = Path.of("src/main/resources/routes");
  private static final Path FLEET = Path.of("src/main/resources/routes-fleet");

  /** Beans that routes of integrators can call, and that the examples call. */
  private static final Set<String> ENTRY_POINTS = Set.of("normalised", "quotas");

  private static final Path JAVA_CALLS = Path.of("src/test/resources/routes/java-calls.csv");

  /**
   * The methods that return values for routes. Before you add a method, verify that neither it nor
   * the methods that it calls count, log, store or send anything; otherwise make it a step. The
   * exception is {@code normalised.addTo}: like a scrape, the first call after a message counts an
   * implausible value, and further calls do not.
   */
  private static final Set<String> ASKING =
      Set.of(
          "accountLogin.loginBody",
          "accountLogin.token",
          "accountLogin.userId",
          "accountsPage.list",
          "accountsPage.targets",
          "cloudCall.host",
          "documents.html",
          "energyHistory.due",
          "health.startupProblems",
          "health.remarks",
          "health.stoppedRoutes",
          "landingPage.html",
          "landingPage.query",
          "landingPage.view",
          "login.brokerLogin",
          "login.failure",
          "mqttLink.device",
          "normalised.addTo",
          "payloads.fromBase64",
          "payloads.headers",
          "quotaRequests.devices",
          "quotaRequests.frame",
          "quotaRequests.id",
          "quotas.currentValue",
          "quotas.picture",
          "restPolls.due",
          "signature.accessKey",
          "signature.nonce",
          "signature.sign",
          "signature.timestamp",
          "sinks.deviceName",
          "sinks.devices",
          "sinks.isOnline",
          "sinks.productName",
          "sinks.updated",
          "unknownMessages.list");

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(DIRECTORY);
        Stream<Path> fleet = Files.list(FLEET)) {
      return Stream.concat(files, fleet).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void aFileStartsWithItsInputAndOutput(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);

    assertTrue(file.toString().endsWith(".camel.yaml"), "the name ends in .camel.yaml");
    assertTrue(lines.get(0).startsWith("# In: "), lines.get(0));
    assertTrue(lines.get(1).startsWith("# Out: "), lines.get(1));
    assertFalse(lines.get(2).startsWith("#"), "the head has two comment lines");
  }

  @ParameterizedTest
  @MethodSource("files")
  void everyRouteHasAnIdAndADescriptionAndCanonicalEndpoints(Path file) throws IOException {
    int routes = 0;
    for (Object item : (List<?>) load(file)) {
      if (((Map<?, ?>) item).get("route") instanceof Map<?, ?> route) {
        routes++;
        assertTrue(route.get("id") instanceof String, "id");
        assertTrue(route.get("description") instanceof String, "description of " + route.get("id"));
      } else {
        assertTrue(((Map<?, ?>) item).get("routeConfiguration") instanceof Map, "a route file");
        routes++;
      }
      checkUris(item);
    }
    assertTrue(routes > 0);
  }

  @Test
  void routeIdsAreUnique() throws IOException {
    Set<Object> ids = new HashSet<>();
    int routes = 0;
    List<Path> all = new ArrayList<>(files());
    sinks().forEach(sink -> all.add(sink.path()));
    for (Path file : all) {
      for (Object item : (List<?>) load(file)) {
        if (((Map<?, ?>) item).values().iterator().next() instanceof Map<?, ?> content) {
          ids.add(content.get("id"));
          routes++;
        }
      }
    }
    assertEquals(routes, ids.size());
  }

  /**
   * Compares the calls of Java in each file with a checked-in table, so that a review shows each
   * change.
   */
  @Test
  void callsOfJavaAreThoseInTheTable() throws IOException {
    StringBuilder table = new StringBuilder("file,steps,bean,value,question,direct\n");
    long[] totals = new long[5];
    for (Path file : files()) {
      RouteFile routes = RouteFile.read(file);
      long[] counts = {
        routes.steps().size(),
        routes.count(RouteFile.Use.STEP),
        routes.count(RouteFile.Use.VALUE),
        routes.count(RouteFile.Use.QUESTION),
        routes.jumps().stream().filter(jump -> jump.step().equals("to")).count()
      };
      Arrays.setAll(totals, i -> totals[i] + counts[i]);
      table.append(row(file.getFileName().toString().replace(".camel.yaml", ""), counts));
    }
    table.append(row("all", totals));
    System.out.print(table);
    Path found = Path.of("target/java-calls.csv");
    Files.writeString(found, table);
    assertEquals(
        Files.readString(JAVA_CALLS), table.toString(), "copy " + found + " to " + JAVA_CALLS);
  }

  private static String row(String name, long[] counts) {
    return name
        + ","
        + Arrays.stream(counts).mapToObj(Long::toString).collect(Collectors.joining(","))
        + "\n";
  }

  @Test
  void predicatesAndValuesHaveNoSideEffects() throws IOException {
    Set<String> values = new TreeSet<>();
    Set<String> asked = new HashSet<>();
    Set<String> acts = new HashSet<>();
    for (Path file : Stream.concat(files().stream(), examples()).toList()) {
      for (RouteFile.Call call : RouteFile.read(file).calls()) {
        if (file.startsWith("examples") && !ENTRY_POINTS.contains(call.bean())) {
          continue;
        }
        switch (call.use()) {
          case STEP -> acts.add(call.name());
          case QUESTION -> {
            asked.add(call.name());
            assertTrue(call.method().matches("(is|needs)[A-Z].*"), file + ": " + call.name());
          }
          case VALUE -> {
            asked.add(call.name());
            values.add(call.name());
          }
        }
      }
    }
    assertEquals(new TreeSet<>(ASKING), values);
    assertFalse(asked.isEmpty() || acts.isEmpty());
    asked.retainAll(acts);
    assertEquals(Set.of(), asked, "called both as a step and for a value");
  }

  private static Stream<Path> examples() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("examples/routes"))) {
      return files
          .filter(file -> file.toString().endsWith(".camel.yaml"))
          .sorted()
          .toList()
          .stream();
    }
  }

  static List<SinkFile> sinks() {
    return SinkFile.all();
  }

  @ParameterizedTest
  @MethodSource("sinks")
  void aSinkDescribesItsRequirementsAndItsUse(SinkFile sink) {
    List<String> lines = sink.lines();
    assertTrue(lines.get(0).startsWith("# In: "), lines.get(0));
    assertTrue(lines.get(1).startsWith("# Out: "), lines.get(1));
    List<String> body = lines.stream().dropWhile(line -> line.startsWith("#")).toList();
    // Visual editors drop all other comments.
    assertEquals(List.of(), body.stream().filter(line -> line.strip().startsWith("#")).toList());
    String needs = sink.head("Needs");
    boolean isAlone = needs.equals("only the exporter.");
    assertTrue(
        isAlone
            || needs.matches(
                "org\\.apache\\.camel:camel-.*; ECOFLOW_LIB_DIR=/etc/ecoflow/lib"
                    + " bin/ecoflow-exporter lib add .*"),
        needs);
    String run = sink.head("Run");
    assertEquals(!isAlone, run.contains("ECOFLOW_LIB_DIR=/etc/ecoflow/lib "), run);
    assertTrue(run.startsWith("ECOFLOW_ROUTES_DIR=/etc/ecoflow/routes "), run);
    assertTrue(run.endsWith(" java -jar ecoflow-exporter.jar"), run);
    String variables = sink.head("Variables");
    Matcher used =
        Pattern.compile("\\{\\{env:([A-Z_]+)(?::([^}]*))?}}").matcher(String.join("\n", body));
    Set<String> names = new HashSet<>();
    while (used.find()) {
      names.add(used.group(1));
      String without = used.group(2) == null || used.group(2).isEmpty() ? "none" : used.group(2);
      assertTrue(
          Pattern.compile("\\b" + used.group(1) + "\\b[^(]*\\(" + Pattern.quote(without))
              .matcher(variables)
              .find(),
          used.group() + " in " + variables);
    }
    Matcher told = Pattern.compile("\\b[A-Z]+_[A-Z_]+").matcher(variables);
    Set<String> others = told.results().map(MatchResult::group).collect(Collectors.toSet());
    others.removeAll(names);
    others.remove("COLLECTING_INTERVAL");
    assertEquals(Set.of(), others, "unused variables");
  }

  /** Sinks use entry points only, not internal routes or beans. */
  @ParameterizedTest
  @MethodSource("sinks")
  void aSinkUsesOnlyEntryPoints(SinkFile sink) throws IOException {
    Set<Object> own = new HashSet<>();
    Set<Object> froms = new HashSet<>();
    Set<Object> configurations = new HashSet<>();
    for (Object item : (List<?>) load(sink.path())) {
      Map<?, ?> entry = (Map<?, ?>) item;
      if (entry.get("beans") instanceof List<?> beans) {
        beans.forEach(bean -> own.add(((Map<?, ?>) bean).get("name")));
      } else if (entry.get("routeConfiguration") instanceof Map<?, ?> configuration) {
        assertTrue(configurations.add(configuration.get("id")));
      } else {
        Map<?, ?> route = (Map<?, ?>) entry.get("route");
        assertTrue(
            ((String) route.get("id")).startsWith(sink.name().split("-")[0]), "it has an id");
        assertTrue(route.get("description") instanceof String, "description of " + route.get("id"));
        Map<?, ?> from = (Map<?, ?>) route.get("from");
        froms.add(from.get("uri") + ":" + ((Map<?, ?>) from.get("parameters")).get("name"));
        Object configuration = route.get("routeConfigurationId");
        assertEquals(
            from.get("uri").equals("direct"), configuration == null, "it handles failures");
        assertTrue(configuration == null || configurations.contains(configuration));
      }
      checkUris(item);
    }
    assertTrue(
        froms.stream().anyMatch(from -> from.toString().matches("seda:(changes|pictures)-.*")));
    RouteFile file = RouteFile.read(sink.path());
    // A bean that docs/MANUAL.md documents.
    own.add("normalised");
    assertEquals(
        List.of(),
        file.beans().filter(bean -> !bean.startsWith("class:") && !own.contains(bean)).toList());
    Set<String> directs = new HashSet<>();
    Matcher to =
        Pattern.compile("uri: direct\\s+parameters:\\s+name: (\\S+)")
            .matcher(String.join("\n", sink.lines()));
    while (to.find()) {
      directs.add("direct:" + to.group(1));
    }
    assertTrue(froms.containsAll(directs), directs::toString);
  }

  @Test
  void theManualListsEachSink() throws IOException {
    String readme = Files.readString(Path.of("docs/MANUAL.md"));
    for (SinkFile sink : sinks()) {
      assertTrue(readme.contains("| `" + sink.path().getFileName() + "` |"), sink::name);
    }
  }

  private static Object load(Path file) throws IOException {
    return new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
  }

  /** In canonical YAML, uri contains only the scheme, and everything else is under parameters. */
  private static void checkUris(Object node) {
    if (node instanceof Map<?, ?> map) {
      if (map.get("uri") instanceof String uri) {
        assertFalse(uri.contains(":") || uri.contains("?"), "not canonical: " + uri);
      }
      map.values().forEach(RouteFilesTest::checkUris);
    } else if (node instanceof List<?> list) {
      list.forEach(RouteFilesTest::checkUris);
    }
  }
}
