package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.testkit.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The rules for Prometheus and the example for Alertmanager, checked with promtool and amtool. */
class PrometheusRulesTest {

  private static final Path DIRECTORY = Path.of("deploy/prometheus");

  /** Situations in which no alert may fire without a cause. Names of tests begin with them. */
  private static final List<String> SITUATIONS =
      List.of("Fresh install", "Prometheus restart", "New device", "Device silent at night");

  private static final Pattern METRIC = Pattern.compile("\\b(?:ecoflow[\\w:]+|up\\b)");
  private static final Pattern DOCUMENTED =
      Pattern.compile("^\\| `(EcoFlow\\w+)` \\| (\\w+) \\| \\S", Pattern.MULTILINE);

  @Test
  void promtoolAcceptsTheRulesAndTheirTestsPass() throws Exception {
    tool("promtool", "check", "config", "prometheus.yml", "fleet.yml");
    List<String> command = new ArrayList<>(List.of("promtool", "test", "rules"));
    command.addAll(testFiles());
    tool(command.toArray(String[]::new));
  }

  @Test
  void amtoolAcceptsTheExample() throws Exception {
    tool("amtool", "check-config", "../alertmanager/alertmanager.yml");
  }

  @Test
  void eachAlertHasATestThatFiresAndOneThatDoesNot() throws IOException {
    Set<String> fires = new HashSet<>();
    Set<String> silent = new HashSet<>();
    for (Object test : tests()) {
      for (Object check : optionalList(test, "alert_rule_test")) {
        String alert = (String) ((Map<?, ?>) check).get("alertname");
        (list(check, "exp_alerts").isEmpty() ? silent : fires).add(alert);
      }
    }
    assertEquals(alerts().keySet(), fires);
    assertEquals(alerts().keySet(), silent);
  }

  /** The input of such a test contains a metric of the alert: otherwise, the test cannot fail. */
  @ParameterizedTest
  @FieldSource("SITUATIONS")
  void eachAlertIsTestedInEachSituation(String situation) throws IOException {
    Map<String, Set<String>> metrics = metricsOfAlerts();
    Set<String> tested = new TreeSet<>();
    for (Object test : tests()) {
      if (!((Map<?, ?>) test).get("name").toString().startsWith(situation)) {
        continue;
      }
      Set<String> input =
          list(test, "input_series").stream()
              .map(series -> metrics(((Map<?, ?>) series).get("series")))
              .flatMap(Set::stream)
              .collect(Collectors.toSet());
      for (Object check : optionalList(test, "alert_rule_test")) {
        String alert = (String) ((Map<?, ?>) check).get("alertname");
        if (metrics.containsKey(alert) && !Collections.disjoint(metrics.get(alert), input)) {
          tested.add(alert);
        }
      }
    }
    assertEquals(new TreeSet<>(alerts().keySet()), tested);
  }

  /** The metrics of each alert, including those of its recorded values, by name of the alert. */
  private static Map<String, Set<String>> metricsOfAlerts() throws IOException {
    Map<Object, Set<String>> recorded = new HashMap<>();
    for (Object rule : rules("rules/recording.yaml")) {
      recorded.put(((Map<?, ?>) rule).get("record"), metrics(((Map<?, ?>) rule).get("expr")));
    }
    Map<String, Set<String>> found = new HashMap<>();
    for (Object rule : rules("rules/alerts.yaml")) {
      Set<String> metrics = metrics(((Map<?, ?>) rule).get("expr"));
      for (String name : List.copyOf(metrics)) {
        metrics.addAll(recorded.getOrDefault(name, Set.of()));
      }
      found.put((String) ((Map<?, ?>) rule).get("alert"), metrics);
    }
    return found;
  }

  /** The names of metrics in an expression, without the values of labels. */
  private static Set<String> metrics(Object expression) {
    return METRIC
        .matcher(expression.toString().replaceAll("\"[^\"]*\"", ""))
        .results()
        .map(MatchResult::group)
        .collect(Collectors.toCollection(TreeSet::new));
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

  private static List<Object> tests() throws IOException {
    List<Object> tests = new ArrayList<>();
    for (String file : testFiles()) {
      tests.addAll(list(yaml(file), "tests"));
    }
    return tests;
  }

  private static List<String> testFiles() throws IOException {
    try (Stream<Path> files = Files.list(DIRECTORY.resolve("tests"))) {
      return files.map(file -> "tests/" + file.getFileName()).sorted().toList();
    }
  }

  private static List<Object> optionalList(Object node, String key) {
    return ((Map<?, ?>) node).containsKey(key) ? list(node, key) : List.of();
  }

  private static List<Object> list(Object node, String key) {
    return List.copyOf((List<?>) ((Map<?, ?>) node).get(key));
  }

  private static Object yaml(String file) throws IOException {
    return new Load(LoadSettings.builder().build())
        .loadFromString(Files.readString(DIRECTORY.resolve(file)));
  }

  static void tool(String... command) throws Exception {
    assumeTrue(Programs.find(command[0]).isPresent(), command[0] + " is not installed");
    Process process =
        new ProcessBuilder(command).directory(DIRECTORY.toFile()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
  }
}
