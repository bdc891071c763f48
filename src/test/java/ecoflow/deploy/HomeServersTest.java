package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Home Assistant add-on, and the stack file for systems with Docker Compose. */
class HomeServersTest {

  private static final Path ADD_ON = Path.of("deploy/home-assistant/ecoflow-exporter");

  /** With characters that a shell would interpret. */
  private static final String PASSWORD = "a'b\"c $(id) `id` \\ d";

  @TempDir Path directory;

  @Test
  void theOptionsOfTheAddOnAreVariables() throws Exception {
    YamlFile config = YamlFile.read(ADD_ON.resolve("config.yaml"));
    Set<String> unknown = new TreeSet<>();
    config.map("schema").keySet().forEach(name -> unknown.add(name.toString()));
    assertTrue(unknown.containsAll(config.map("options").keySet()));
    unknown.removeAll(Deployed.known());
    assertEquals(Set.of(), unknown);
    Map<String, String> defaults = new TreeMap<>();
    config.map("options").forEach((name, value) -> defaults.put(name.toString(), value.toString()));
    Deployed.accepts(
        defaults, Map.of("ECOFLOW_ACCOUNT_USER", "a", "ECOFLOW_ACCOUNT_PASSWORD", "b"));
  }

  @Test
  void theVersionsAreThoseOfTheExporter() throws Exception {
    String revision =
        Files.readString(Path.of("pom.xml")).replaceFirst("(?s).*<revision>([^<-]*).*", "$1");
    assertEquals(revision, YamlFile.read(ADD_ON.resolve("config.yaml")).text("version"));
    String dockerfile = Files.readString(ADD_ON.resolve("Dockerfile"));
    assertTrue(dockerfile.contains("/ecoflow-exporter:" + revision + " AS exporter\n"), dockerfile);
  }

  @Test
  void theAddOnPassesItsOptionsUnchanged() throws Exception {
    assumeTrue(Programs.find("jq").isPresent(), "jq is not installed");
    Path options = directory.resolve("options.json");
    new ObjectMapper()
        .writeValue(
            options.toFile(),
            Map.of(
                "ECOFLOW_ACCOUNT_PASSWORD", PASSWORD,
                "ECOFLOW_DEVICE_SN", "all",
                "ECOFLOW_ACCESS_KEY", ""));
    Path launcher = directory.resolve("launcher");
    Files.writeString(launcher, "#!/bin/sh\nenv | grep ^ECOFLOW_ | sort\n");
    assertTrue(launcher.toFile().setExecutable(true));
    try (ChildProcess run =
        ChildProcess.start(
            directory,
            directory.resolve("output"),
            Map.of("OPTIONS", options.toString(), "COMMAND", launcher.toString()),
            List.of("sh", ADD_ON.resolve("run.sh").toAbsolutePath().toString()))) {
      assertEquals(0, run.exitCode(), () -> "" + run.lines());
      assertEquals(
          List.of("ECOFLOW_ACCOUNT_PASSWORD=" + PASSWORD, "ECOFLOW_DEVICE_SN=all"), run.lines());
    }
  }

  @Test
  void theStackIsHardenedAndItsVariablesAreValid() throws Exception {
    YamlFile stack = YamlFile.read(Path.of("deploy/stack/stack.yaml"));
    YamlFile service = new YamlFile(stack.get("services", "ecoflow-exporter"));
    assertEquals(true, service.get("read_only"));
    assertEquals(List.of("ALL"), service.get("cap_drop"));
    assertEquals(List.of("no-new-privileges:true"), service.get("security_opt"));
    Map<String, String> variables = new TreeMap<>();
    service
        .map("environment")
        .forEach(
            (name, value) ->
                variables.put(
                    name.toString(),
                    value
                        .toString()
                        .replaceFirst("\\$\\{[A-Z_]+:\\?.*}", "x")
                        .replaceFirst("\\$\\{[A-Z_]+:-(.*)}", "$1")));
    Set<String> unknown = new TreeSet<>(variables.keySet());
    unknown.removeAll(Deployed.known());
    assertEquals(Set.of(), unknown);
    Deployed.accepts(variables, Map.of());
  }
}
