package ecoflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The packaged routes are what integrators read first: each says what it does. */
class RouteFilesTest {

  private static final Path FOLDER = Path.of("src/main/resources/routes");

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void aFileStartsWithWhatGoesInAndWhatComesOut(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);

    assertTrue(file.toString().endsWith(".camel.yaml"), "name ends in .camel.yaml");
    assertTrue(lines.get(0).startsWith("# In: "), lines.get(0));
    assertTrue(lines.get(1).startsWith("# Out: "), lines.get(1));
    assertFalse(lines.get(2).startsWith("#"), "the head has two lines");
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
  void routeIdsAreUniqueOverAllFiles() throws IOException {
    Set<Object> ids = new HashSet<>();
    int routes = 0;
    for (Path file : files()) {
      for (Object item : (List<?>) load(file)) {
        Map<?, ?> content = (Map<?, ?>) ((Map<?, ?>) item).values().iterator().next();
        ids.add(content.get("id"));
        routes++;
      }
    }
    assertEquals(routes, ids.size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"rest", "mqtt", "device"})
  void eachModeLoadsTheFilesThatItHasAUseFor(String mode) throws Exception {
    List<String> loaded = loadedFiles(mode);
    assertEquals(loaded.size(), new HashSet<>(loaded).size(), loaded::toString);
    Set<Object> configurations = new HashSet<>();
    Set<Object> used = new HashSet<>();
    for (Path file : files()) {
      boolean isLoaded = loaded.remove("classpath:routes/" + file.getFileName());
      for (Object item : (List<?>) load(file)) {
        if (((Map<?, ?>) item).get("route") instanceof Map<?, ?> route) {
          if (isLoaded) {
            used.add(route.get("routeConfigurationId"));
          } else {
            assertFalse(isFor(mode, route.get("precondition")), file + " " + route.get("id"));
          }
        } else if (isLoaded) {
          configurations.add(((Map<?, ?>) ((Map<?, ?>) item).get("routeConfiguration")).get("id"));
        }
      }
    }
    assertEquals(List.of(), loaded);
    used.remove(null);
    assertEquals(used, configurations);
  }

  private static List<String> loadedFiles(String mode) throws ConfigException {
    Map<String, String> variables = new HashMap<>(Map.of("ECOFLOW_DEVICE_SN", "R331"));
    if (mode.equals("rest")) {
      variables.putAll(Map.of("ECOFLOW_ACCESS_KEY", "key", "ECOFLOW_SECRET_KEY", "secret"));
    } else {
      variables.put("ECOFLOW_API_TYPE", mode);
      variables.putAll(Map.of("ECOFLOW_ACCOUNT_USER", "u", "ECOFLOW_ACCOUNT_PASSWORD", "p"));
    }
    String pattern =
        CamelSettings.main(Settings.from(variables)).get("camel.main.routesIncludePattern");
    return new ArrayList<>(List.of(pattern.split(",")));
  }

  private static boolean isFor(String mode, Object precondition) {
    String text = String.valueOf(precondition);
    return !(text.contains("!= '" + mode + "'")
        || (text.contains("{{ecoflow.mode}}' == '") && !text.contains("== '" + mode + "'")));
  }

  /** What a reader cannot see: at most a fifth of all steps calls Java. */
  @Test
  void theRoutesShowTheWork() throws IOException {
    int all = 0;
    int opaque = 0;
    StringBuilder table = new StringBuilder("| file | steps | of them opaque |\n");
    for (Path file : files()) {
      List<String> steps = RouteFile.read(file).steps();
      long hidden = steps.stream().filter(RouteFile.OPAQUE::contains).count();
      all += steps.size();
      opaque += hidden;
      table.append("| %s | %d | %d |%n".formatted(file.getFileName(), steps.size(), hidden));
    }
    table.append("| all | %d | %d, %.1f %% |%n".formatted(all, opaque, 100.0 * opaque / all));
    System.out.print(table);
    assertTrue(opaque * 5 <= all, table.toString());
  }

  /** Methods that only ask have names that ask, and are never a step. */
  @Test
  void questionsOnlyAsk() throws IOException {
    Set<String> asked = new HashSet<>();
    Set<String> acts = new HashSet<>();
    for (Path file : files()) {
      RouteFile routes = RouteFile.read(file);
      for (RouteFile.Call call : routes.questions().toList()) {
        asked.add(call.bean() + "." + call.method());
        assertTrue(
            call.method().matches("(is|needs)[A-Z].*|due|devices|headers"),
            file + ": " + call.bean() + "." + call.method());
      }
      routes.calls().stream()
          .filter(call -> RouteFile.OPAQUE.contains(call.where()))
          .forEach(call -> acts.add(call.bean() + "." + call.method()));
    }
    assertFalse(asked.isEmpty() || acts.isEmpty());
    asked.retainAll(acts);
    assertEquals(Set.of(), asked, "both asked and done");
  }

  private static Object load(Path file) throws IOException {
    return new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
  }

  /** Canonical YAML: the scheme alone in uri, everything else under parameters. */
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
