package ecoflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.routes.RouteFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The route files that each mode loads. */
class CamelSettingsTest {

  private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{\\??([^}:]+)");

  private static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/main/resources/routes"))) {
      return files.sorted().toList();
    }
  }

  private static List<?> load(Path file) throws IOException {
    return (List<?>)
        new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rest", "open", "mqtt", "device"})
  void eachModeLoadsTheFilesThatItUses(String mode) throws Exception {
    List<String> loaded = loadedFiles(mode);
    assertEquals(loaded.size(), new HashSet<>(loaded).size(), loaded::toString);
    Set<Object> configurations = new HashSet<>();
    Set<Object> used = new HashSet<>();
    for (Path file : files()) {
      boolean isLoaded = loaded.remove("classpath:routes/" + file.getFileName());
      for (Object item : load(file)) {
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
    variables.put("ECOFLOW_HISTORY_INTERVAL", "900");
    if (mode.equals("rest") || mode.equals("open")) {
      variables.put("ECOFLOW_API_TYPE", mode);
      variables.putAll(Map.of("ECOFLOW_ACCESS_KEY", "key", "ECOFLOW_SECRET_KEY", "secret"));
    } else {
      variables.put("ECOFLOW_API_TYPE", mode);
      variables.putAll(Map.of("ECOFLOW_ACCOUNT_USER", "u", "ECOFLOW_ACCOUNT_PASSWORD", "p"));
    }
    Settings settings = Settings.from(variables);
    String pattern =
        CamelSettings.main(settings, RouteFiles.of(settings))
            .get("camel.main.routesIncludePattern");
    return new ArrayList<>(List.of(pattern.split(",")));
  }

  private static boolean isFor(String mode, Object precondition) {
    return precondition == null
        || switch (String.valueOf(precondition)) {
          case "{{ecoflow.keys}}", "{{ecoflow.history}}" -> List.of("rest", "open").contains(mode);
          case "{{ecoflow.open}}", "{{ecoflow.open.connections}}" -> mode.equals("open");
          case "{{ecoflow.account}}" -> List.of("mqtt", "device").contains(mode);
          case "{{ecoflow.requests}}" -> mode.equals("device");
          case "{{ecoflow.accounts.named}}" -> false;
          case "{{ecoflow.mqtt}}" -> !mode.equals("rest");
          default -> throw new AssertionError("unknown precondition: " + precondition);
        };
  }

  /** Camel resolves {{ecoflow.some.name}} with the environment variable ECOFLOW_SOME_NAME first. */
  @Test
  void noPlaceholderHasTheNameOfVariable() throws Exception {
    Set<String> variables = new HashSet<>();
    Settings.explain(
            Map.of(
                "ECOFLOW_ACCESS_KEY", "k", "ECOFLOW_SECRET_KEY", "s", "ECOFLOW_DEVICE_SN", "all"))
        .forEach(variable -> variables.add(variable.name()));
    Set<String> found = new HashSet<>();
    List<Path> all = new ArrayList<>(files());
    all.add(Path.of("src/main/resources/routes-fleet/kafka-collect.camel.yaml"));
    all.add(Path.of("src/main/resources/routes-fleet/kafka-serve.camel.yaml"));
    for (Path file : all) {
      PLACEHOLDER
          .matcher(Files.readString(file))
          .results()
          .map(match -> match.group(1).toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_"))
          .forEach(found::add);
    }
    assertTrue(found.contains("ECOFLOW_ACCOUNTS_NAMED"), found::toString);
    found.retainAll(variables);
    assertEquals(Set.of(), found);
  }
}
