package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.testkit.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The rules for Prometheus and the example for Alertmanager, checked with promtool and amtool. */
class PrometheusRulesTest {

  private static final Path DIRECTORY = Path.of("deploy/prometheus");
  private static final Pattern DOCUMENTED =
      Pattern.compile("^\\| `(EcoFlow\\w+)` \\| (\\w+) \\| \\S", Pattern.MULTILINE);

  @Test
  void promtoolAcceptsTheRulesAndTheirTestsPass() throws Exception {
    tool("promtool", "check", "config", "prometheus.yml", "fleet.yml");
    tool("promtool", "test", "rules", "tests/recording.yaml", "tests/alerts.yaml");
  }

  @Test
  void amtoolAcceptsTheExample() throws Exception {
    tool("amtool", "check-config", "../alertmanager/alertmanager.yml");
  }

  @Test
  void eachAlertHasATestThatFiresAndOneThatDoesNot() throws IOException {
    Set<String> fires = new HashSet<>();
    Set<String> silent = new HashSet<>();
    for (Object test : list(yaml("tests/alerts.yaml"), "tests")) {
      for (Object check : list(test, "alert_rule_test")) {
        String alert = (String) ((Map<?, ?>) check).get("alertname");
        (list(check, "exp_alerts").isEmpty() ? silent : fires).add(alert);
      }
    }
    assertEquals(alerts().keySet(), fires);
    assertEquals(alerts().keySet(), silent);
  }

  @Test
  void eachAlertIsDescribedAndDocumented() throws IOException {
    Map<String, String> documented =
        DOCUMENTED
            .matcher(Files.readString(Path.of("docs/ALERTS.md")))
            .results()
            .collect(Collectors.toMap(row -> row.group(1), row -> row.group(2)));
    assertEquals(alerts(), documented);
    for (Object rule : rules("rules/alerts.yaml")) {
      Map<?, ?> annotations = (Map<?, ?>) ((Map<?, ?>) rule).get("annotations");
      assertEquals(Set.of("summary", "description"), annotations.keySet(), rule::toString);
    }
  }

  @Test
  void inhibitionsReferToExistingAlerts() throws IOException {
    Set<String> used = new TreeSet<>();
    for (Object rule : list(yaml("../alertmanager/alertmanager.yml"), "inhibit_rules")) {
      for (String side : List.of("source_matchers", "target_matchers")) {
        for (Object matcher : list(rule, side)) {
          if (!matcher.toString().startsWith("alertname")) {
            continue;
          }
          String names = matcher.toString().replaceAll(".*\"(.*)\"", "$1");
          used.addAll(List.of(names.split("\\|")));
        }
      }
    }
    for (String name : used) {
      assertTrue(alerts().keySet().stream().anyMatch(alert -> alert.matches(name)), name);
    }
  }

  /** The devices of other accounts are not affected. */
  @Test
  void lostConnectionOfOneAccountMutesNoAlerts() throws IOException {
    for (Object rule : list(yaml("../alertmanager/alertmanager.yml"), "inhibit_rules")) {
      List<Object> source = list(rule, "source_matchers");
      if (source.toString().contains("EcoFlowLinkDown")) {
        assertTrue(source.contains("account = \"\""), source::toString);
      }
    }
  }

  /** The severity of each alert, by name. */
  private static Map<String, String> alerts() throws IOException {
    return rules("rules/alerts.yaml").stream()
        .map(rule -> (Map<?, ?>) rule)
        .collect(
            Collectors.toMap(
                rule -> (String) rule.get("alert"),
                rule -> (String) ((Map<?, ?>) rule.get("labels")).get("severity")));
  }

  private static List<Object> rules(String file) throws IOException {
    return list(yaml(file), "groups").stream()
        .flatMap(group -> list(group, "rules").stream())
        .toList();
  }

  private static List<Object> list(Object node, String key) {
    return List.copyOf((List<?>) ((Map<?, ?>) node).get(key));
  }

  private static Object yaml(String file) throws IOException {
    return new Load(LoadSettings.builder().build())
        .loadFromString(Files.readString(DIRECTORY.resolve(file)));
  }

  private static void tool(String... command) throws Exception {
    assumeTrue(Programs.find(command[0]).isPresent(), command[0] + " is not installed");
    Process process =
        new ProcessBuilder(command).directory(DIRECTORY.toFile()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
  }
}
