package ecoflow.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.testkit.Readme;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The variables in the output of the command config. */
class VariablesTest {

  /** A row of a table: the variables of the first cell, the default in the second. */
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| ((?:`[A-Z][A-Z0-9_]+`(?:, )?)+) \\| ([^|]*) \\|");

  private static final Pattern NAME = Pattern.compile("`([A-Z][A-Z0-9_]+)`");
  private static final String SECRET = "s3cret-value";

  @TempDir Path directory;

  private static Map<String, String> with(Map<String, String> variables, String... more) {
    Map<String, String> all = new HashMap<>(variables);
    for (int i = 0; i < more.length; i += 2) {
      all.put(more[i], more[i + 1]);
    }
    return all;
  }

  private static Map<String, String> account(String... more) {
    return with(
        Map.of(
            "ECOFLOW_ACCOUNT_USER", "me@example.com",
            "ECOFLOW_ACCOUNT_PASSWORD", SECRET,
            "ECOFLOW_DEVICE_SN", "R331A"),
        more);
  }

  private static Map<String, Variable> explain(Map<String, String> variables)
      throws ConfigException {
    return Settings.explain(variables).stream()
        .collect(Collectors.toMap(Variable::name, variable -> variable));
  }

  private static String shown(Map<String, String> variables, String name) throws ConfigException {
    Variable variable = explain(variables).get(name);
    return variable.value() + " from " + variable.source();
  }

  @Test
  void everyDocumentedVariableIsListedWithItsDefault() throws ConfigException {
    Map<String, String> readme = new TreeMap<>();
    for (MatchResult row : ROW.matcher(new Readme().text()).results().toList()) {
      String byDefault = row.group(2).replace("`", "").replaceFirst(" s$", "");
      Matcher names = NAME.matcher(row.group(1));
      while (names.find()) {
        readme.put(names.group(1), byDefault);
      }
    }
    assertTrue(readme.size() > 30, () -> "" + readme);
    Map<String, Variable> explained = explain(account());
    assertEquals(readme.keySet(), new TreeMap<>(explained).keySet());
    Set<String> given = account().keySet();
    readme.keySet().removeAll(given);
    Map<String, String> defaults = new TreeMap<>();
    readme.keySet().forEach(name -> defaults.put(name, explained.get(name).value()));
    assertEquals(readme, defaults);
    readme.keySet().forEach(name -> assertEquals("default", explained.get(name).source(), name));
  }

  @Test
  void everyValueHasSource() throws ConfigException {
    assertEquals("20 from environment", shown(account("MQTT_TIMEOUT", " 20 "), "MQTT_TIMEOUT"));
    assertEquals("60 from default", shown(account("MQTT_TIMEOUT", ""), "MQTT_TIMEOUT"));
    assertEquals("mqtt from default", shown(account(), "ECOFLOW_API_TYPE"));
    assertEquals(
        "device from environment",
        shown(account("ECOFLOW_API_TYPE", "device"), "ECOFLOW_API_TYPE"));
    Map<String, String> keys =
        Map.of(
            "ECOFLOW_ACCESS_KEY",
            SECRET,
            "ECOFLOW_SECRET_KEY",
            SECRET,
            "ECOFLOW_API_TYPE",
            "device",
            "ECOFLOW_DEVICE_SN",
            "all");
    assertEquals("rest from derived: developer keys are set", shown(keys, "ECOFLOW_API_TYPE"));
    assertEquals("all from environment", shown(keys, "ECOFLOW_DEVICE_SN"));
    Map<String, String> open = with(keys, "ECOFLOW_API_TYPE", "open");
    assertEquals("open from environment", shown(open, "ECOFLOW_API_TYPE"));
    assertEquals("derived from the account from default", shown(open, "ECOFLOW_MQTT_CLIENT_ID"));
  }

  @Test
  void secretsAreMasked() throws Exception {
    Path file = Files.writeString(directory.resolve("password"), SECRET);
    Map<String, String> variables =
        with(
            Map.of("ECOFLOW_ACCOUNT_USER", SECRET, "ECOFLOW_DEVICE_SN", "all"),
            "ECOFLOW_ACCOUNT_PASSWORD_FILE",
            file.toString(),
            "ECOFLOW_JAVA_OPTS",
            "-Xmx256m -XX:TieredStopAtLevel=4 -Djavax.net.ssl.trustStorePassword="
                + SECRET
                + " -javaagent:agent.jar=key="
                + SECRET);
    assertEquals("*** from environment", shown(variables, "ECOFLOW_ACCOUNT_USER"));
    assertEquals(
        "*** from environment, file " + file, shown(variables, "ECOFLOW_ACCOUNT_PASSWORD"));
    assertEquals(
        "-Xmx256m -XX:TieredStopAtLevel=4 -Djavax.net.ssl.trustStorePassword=*** -javaagent:***"
            + " from environment",
        shown(variables, "ECOFLOW_JAVA_OPTS"));
    String all = Settings.explain(variables).toString();
    for (int length = 4; length <= SECRET.length(); length++) {
      assertFalse(all.contains(SECRET.substring(0, length)), all);
    }
  }

  @Test
  void proxyIsShownWithoutItsLogin() throws ConfigException {
    Map<String, String> variables =
        account(
            "https_proxy",
            "http://me:" + SECRET + "@proxy:3128",
            "HTTPS_PROXY",
            "http://other:1",
            "HTTP_PROXY",
            "socks5://" + SECRET + "@proxy:1080",
            "no_proxy",
            "localhost, 10.0.0.0/8");
    assertEquals(
        "http://***@proxy:3128 from environment, https_proxy", shown(variables, "HTTPS_PROXY"));
    assertEquals("socks5://***@proxy:1080 from environment", shown(variables, "HTTP_PROXY"));
    assertEquals("localhost, 10.0.0.0/8 from environment, no_proxy", shown(variables, "NO_PROXY"));
    assertFalse(Settings.explain(variables).toString().contains(SECRET));
  }

  @Test
  void mavenMirrorIsShownWithoutItsLogin() throws ConfigException {
    Map<String, String> variables =
        account("ECOFLOW_MAVEN_MIRROR", "https://me:" + SECRET + "@nexus.example.com/maven");

    assertEquals(
        "https://***@nexus.example.com/maven from environment",
        shown(variables, "ECOFLOW_MAVEN_MIRROR"));
    assertFalse(Settings.explain(variables).toString().contains(SECRET));
  }
}
