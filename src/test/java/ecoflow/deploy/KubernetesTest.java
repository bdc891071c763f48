package ecoflow.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.config.Configuration;
import ecoflow.config.KafkaSettings;
import ecoflow.testkit.ChildProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The manifests in deploy/kubernetes and deploy/camel-k, as applied to a cluster. */
class KubernetesTest {

  private static final Path KUBERNETES = Path.of("deploy/kubernetes");
  private static final String FLEET_KAFKA = "deploy/kubernetes/overlays/fleet-kafka";
  private static final Kinds USED = Kinds.used();
  private static final Map<String, String> CREDENTIALS =
      Map.of("ECOFLOW_ACCOUNT_USER", "me@example.com", "ECOFLOW_ACCOUNT_PASSWORD", "x");

  @TempDir private static Path temporary;

  /** If this test fails, run deploy/kubernetes/copies.sh. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "deploy/kubernetes/base/devices.json",
        "deploy/kubernetes/components/prometheus-rule/prometheusrule.yaml",
        "deploy/kubernetes/components/routes/look.camel.yaml",
        "deploy/camel-k/look.camel.yaml"
      })
  void theCopyIsUpToDate(String file) throws IOException {
    Path checkout = checkout("copies-of-" + file.replace('/', '-'));
    Files.delete(checkout.resolve(file));
    copy(checkout);
    assertEquals(Files.readString(checkout.resolve(file)), Files.readString(Path.of(file)), file);
  }

  @Test
  void rulesOfSeveralFilesAreMerged() throws IOException {
    Path checkout = checkout("rules");
    Path rules = checkout.resolve("deploy/prometheus/rules");
    for (String name : List.of("a", "b")) {
      Files.writeString(
          rules.resolve("0" + name + ".yaml"),
          """
          # A remark.
          groups:
            - name: %s
              rules:
                - alert: A
                  expr: |

                    up == 0
          """
              .formatted(name));
    }
    copy(checkout);
    YamlFile rule =
        YamlFile.read(
            checkout.resolve("deploy/kubernetes/components/prometheus-rule/prometheusrule.yaml"));
    assertEquals("a", rule.text("spec", "groups", 0, "name"));
    assertEquals("b", rule.text("spec", "groups", 1, "name"));
    assertEquals("\nup == 0\n", rule.text("spec", "groups", 1, "rules", 0, "expr"));
    assertEquals(List.of(), USED.problems(rule));
  }

  private static Path checkout(String name) throws IOException {
    Path checkout = Files.createDirectories(temporary.resolve(name));
    for (String part : List.of("deploy", "devices.json", "examples")) {
      ChildProcess.run(
          Path.of("").toAbsolutePath(),
          temporary.resolve("output"),
          "cp",
          "-r",
          part,
          checkout.toString());
    }
    return checkout;
  }

  private static void copy(Path checkout) {
    ChildProcess.run(checkout, temporary.resolve("output"), "sh", "deploy/kubernetes/copies.sh");
  }

  /** The output of kubectl for the directories. */
  @Nested
  class Built {

    @BeforeAll
    static void needsKubectl() throws IOException {
      boolean installed =
          Stream.of(System.getenv("PATH").split(":"))
              .anyMatch(path -> Files.isExecutable(Path.of(path, "kubectl")));
      assumeTrue(installed, "kubectl is not installed");
      Path version = temporary.resolve("version");
      ChildProcess.run(temporary, version, "kubectl", "version", "--client");
      assumeTrue(
          Files.readString(version).contains("Kustomize Version: v5."),
          "kubectl is older than 1.27, or much newer");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "deploy/kubernetes/base",
          "deploy/kubernetes/overlays/demo",
          "deploy/kubernetes/overlays/home",
          "deploy/kubernetes/overlays/accounts",
          "deploy/kubernetes/overlays/fleet",
          "deploy/kubernetes/overlays/fleet-kafka",
          "deploy/kubernetes/overlays/fleet-kafka/topics",
          "deploy/camel-k"
        })
    void eachObjectMatchesItsSchema(String directory) throws IOException {
      fitTheirSchemas(build(directory));
    }

    /** Components that are not part of an overlay. */
    @Test
    void optionalComponentsMatchTheirSchemas() throws IOException {
      List<YamlFile> objects = buildWith("others", "service-monitor", "routes");
      fitTheirSchemas(objects);
      List<YamlFile> monitors = of("ServiceMonitor", objects);
      assertEquals(1, monitors.size());
      assertTrue(
          selects(
              monitors.get(0).map("spec", "selector", "matchLabels"),
              of("Service", objects).get(0).map("metadata", "labels")));
      YamlFile deployment = of("Deployment", objects).get(0);
      String mounted = mountOf(deployment, configMap(objects, "ecoflow-routes"));
      assertEquals(mounted, settings(objects).get("ECOFLOW_ROUTES_DIR"));
    }

    /** All objects are in a namespace that the overlay creates, and no operator is required. */
    @ParameterizedTest
    @ValueSource(strings = {"demo", "home", "accounts", "fleet", "fleet-kafka"})
    void anEmptyClusterAcceptsTheOverlay(String overlay) throws IOException {
      List<YamlFile> objects = build("deploy/kubernetes/overlays/" + overlay);
      List<YamlFile> namespaces = of("Namespace", objects);
      assertEquals(1, namespaces.size());
      for (YamlFile object : objects) {
        assertFalse(
            object.text("apiVersion").matches(".*(coreos|keda|strimzi).*"), object.text("kind"));
        assertEquals(
            namespaces.get(0).text("metadata", "name"),
            object.text("kind").equals("Namespace")
                ? object.text("metadata", "name")
                : object.text("metadata", "namespace"));
      }
      for (YamlFile workload : workloads(objects)) {
        String image = workload.text(container("image"));
        assertTrue(image.matches("ecoflow-exporter(-demo|-fleet)?:[0-9.]+"), image);
        assertTrue(
            Files.readString(KUBERNETES.resolve("overlays/" + overlay + "/kustomization.yaml"))
                    .contains("newName: " + image.replaceFirst(":.*", ""))
                || overlay.equals("accounts"),
            image);
      }
      assertEquals(List.of(), KubernetesSchemas.problems(temporary, objects));
    }

    @Test
    void aWrongTypeIsRejected() throws IOException {
      List<YamlFile> objects =
          YamlFile.documents(
              """
              apiVersion: apps/v1
              kind: Deployment
              metadata:
                name: exporter
              spec:
                replicas: two
              ---
              apiVersion: monitoring.coreos.com/v1
              kind: PodMonitor
              metadata:
                name: exporter
              spec:
                podMetricsEndpoints: none
              """);
      assertEquals(
          List.of("Deployment", "PodMonitor"),
          KubernetesSchemas.problems(temporary, objects).stream()
              .map(line -> line.split(" ")[0])
              .distinct()
              .toList());
    }

    private static List<YamlFile> workloads(List<YamlFile> objects) {
      return Stream.concat(of("Deployment", objects).stream(), of("StatefulSet", objects).stream())
          .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "home", "accounts"})
    void theVariablesAreValid(String overlay) throws Exception {
      List<YamlFile> objects = build("deploy/kubernetes/overlays/" + overlay);
      for (YamlFile deployment : of("Deployment", objects)) {
        Map<String, String> variables = variables(objects, deployment);
        Set<String> unknown = new TreeSet<>(variables.keySet());
        unknown.removeAll(Deployed.known());
        assertEquals(Set.of(), unknown);
        assertTrue(variables.containsKey("ECOFLOW_DEVICE_SN"), variables::toString);
        // The catalogue is a file in the container.
        String catalogue = variables.remove("ECOFLOW_DEVICES_JSON");
        assertEquals(
            mountOf(deployment, configMap(objects, nameIn(deployment, "devices")))
                + "/devices.json",
            catalogue);
        Map<String, String> filled = new HashMap<>();
        variables.forEach(
            (name, value) -> {
              if (value.isEmpty()) {
                filled.put(name, CREDENTIALS.getOrDefault(name, "x"));
              }
            });
        Deployed.accepts(variables, filled);
      }
    }

    @Test
    void eachAccountHasItsOwnExporter() throws IOException {
      List<YamlFile> objects = buildWithItsComponents("accounts");
      Set<String> secrets = new TreeSet<>();
      List<YamlFile> deployments = of("Deployment", objects);
      assertEquals(2, deployments.size());
      for (YamlFile deployment : deployments) {
        assertEquals("Recreate", deployment.text("spec", "strategy", "type"));
        assertEquals(1, deployment.get("spec", "replicas"));
        String secret = deployment.text(container("envFrom", 1, "secretRef", "name"));
        assertTrue(secrets.add(secret), secret);
        Map<?, ?> pod = deployment.map("spec", "template", "metadata", "labels");
        assertEquals(1, selecting("PodMonitor", objects, pod).size(), "or it is scraped twice");
        assertEquals(1, selecting("NetworkPolicy", objects, pod).size());
        for (YamlFile other : deployments) {
          assertEquals(
              other == deployment, selects(other.map("spec", "selector", "matchLabels"), pod));
        }
      }
      for (YamlFile service : of("Service", objects)) {
        assertEquals(
            1,
            deployments.stream()
                .map(deployment -> deployment.map("spec", "template", "metadata", "labels"))
                .filter(pod -> selects(service.map("spec", "selector"), pod))
                .count());
      }
    }

    @Test
    void fleetHasOnePodPerShard() throws IOException {
      List<YamlFile> objects = buildWithItsComponents("fleet");
      assertEquals(List.of(), of("Deployment", objects));
      assertEquals(1, of("StatefulSet", objects).size());
      YamlFile fleet = of("StatefulSet", objects).get(0);
      assertEquals("auto/" + fleet.get("spec", "replicas"), settings(objects).get("ECOFLOW_SHARD"));
      assertEquals("RollingUpdate", fleet.text("spec", "updateStrategy", "type"));

      Map<?, ?> pod = fleet.map("spec", "template", "metadata", "labels");
      assertTrue(selects(fleet.map("spec", "selector", "matchLabels"), pod));
      for (String kind : List.of("PodMonitor", "NetworkPolicy", "PodDisruptionBudget")) {
        assertEquals(1, selecting(kind, objects, pod).size(), kind);
      }
      assertEquals(1, of("PodDisruptionBudget", objects).get(0).get("spec", "maxUnavailable"));
      YamlFile service = of("Service", objects).get(0);
      assertTrue(selects(service.map("spec", "selector"), pod));
      assertEquals("None", service.text("spec", "clusterIP"));
      assertEquals(service.text("metadata", "name"), fleet.text("spec", "serviceName"));
    }

    /** With the accounts file and the catalogue at the paths in the container. */
    @Test
    void fleetServesEachAccountOnce() throws Exception {
      List<YamlFile> objects = build("deploy/kubernetes/overlays/fleet");
      YamlFile fleet = of("StatefulSet", objects).get(0);
      assertEquals(1, of("Secret", objects).size(), "the account of the base is not used");
      String secret = named("Secret", objects, "ecoflow-accounts").text("metadata", "name");
      assertEquals("ecoflow-accounts", secret, "a hash would restart the pods after each change");
      assertEquals(
          configMap(objects, "ecoflow-settings").text("metadata", "name"),
          fleet.text(container("envFrom", 0, "configMapRef", "name")));
      Map<String, String> variables = settings(objects);
      Set<String> unknown = new TreeSet<>(variables.keySet());
      unknown.removeAll(Deployed.known());
      assertEquals(Set.of(), unknown);
      assertEquals(
          mountOf(fleet, configMap(objects, nameIn(fleet, "devices"))) + "/devices.json",
          variables.remove("ECOFLOW_DEVICES_JSON"));
      assertEquals(
          mountOf(fleet, "secret", "secretName", secret) + "/accounts.yml",
          variables.get("ECOFLOW_ACCOUNTS_FILE"));
      // The only file system of the container that can be written.
      assertEquals(mountPath(fleet, "state"), variables.remove("ECOFLOW_STATE_DIR"));
      assertEquals("state", fleet.text("spec", "volumeClaimTemplates", 0, "metadata", "name"));
      Path file = temporary.resolve("accounts.yml");
      Files.writeString(file, secret(objects, secret).get("accounts.yml"));
      variables.put("ECOFLOW_ACCOUNTS_FILE", file.toString());
      List<String> served = new ArrayList<>();
      for (int ordinal = 0; ordinal < (int) fleet.get("spec", "replicas"); ordinal++) {
        variables.put("HOSTNAME", fleet.text("metadata", "name") + "-" + ordinal);
        Configuration.from(variables).accounts().forEach(account -> served.add(account.name()));
      }
      served.sort(null);
      assertEquals(List.of("house-1", "house-2"), served);
    }

    @Test
    void collectorsAndServersAreSeparate() throws Exception {
      List<YamlFile> objects = buildWithItsComponents("fleet-kafka");
      YamlFile collectors = of("StatefulSet", objects).get(0);
      YamlFile servers = of("Deployment", objects).get(0);
      Configuration collector = configuration(objects, collectors, "pod-1");
      assertEquals("collect", collector.process().kafka().role().label());
      assertEquals(List.of("house-1"), names(collector));
      assertEquals(
          List.of("house-2"),
          names(configuration(objects, collectors, "pod-0")),
          "the other shard");
      Configuration server = configuration(objects, servers, "pod-abc");
      assertEquals("serve", server.process().kafka().role().label());
      assertEquals(List.of(), server.process().notes(), "no setting without effect");

      for (YamlFile workload : List.of(collectors, servers)) {
        Map<?, ?> pod = workload.map("spec", "template", "metadata", "labels");
        assertTrue(selects(workload.map("spec", "selector", "matchLabels"), pod));
        for (String kind : List.of("PodMonitor", "NetworkPolicy", "PodDisruptionBudget")) {
          assertEquals(1, selecting(kind, objects, pod).size(), kind);
        }
        assertEquals(
            1,
            of("Service", objects).stream()
                .filter(service -> selects(service.map("spec", "selector"), pod))
                .count());
        String policy = selecting("NetworkPolicy", objects, pod).get(0).get("spec").toString();
        assertTrue(policy.contains("9092"), policy);
        // Servers do not connect to EcoFlow.
        assertEquals(workload == collectors, policy.contains("8883"), policy);
      }
      assertFalse(
          selects(
              servers.map("spec", "selector", "matchLabels"),
              collectors.map("spec", "template", "metadata", "labels")));
    }

    /** The topics that the collectors and servers use, and the limit of servers. */
    @Test
    void topicsAndScalingMatchTheSettings() throws Exception {
      List<YamlFile> topics = build(FLEET_KAFKA + "/topics");
      assertEquals(
          List.of("ecoflow.devices", "ecoflow.raw", "ecoflow.unknown"),
          topics.stream().map(topic -> topic.text("metadata", "name")).sorted().toList());
      Object partitions = named("KafkaTopic", topics, "ecoflow.raw").get("spec", "partitions");
      YamlFile devices = named("KafkaTopic", topics, "ecoflow.devices");
      assertEquals(partitions, devices.get("spec", "partitions"));
      assertEquals("compact,delete", devices.get("spec", "config", "cleanup.policy"));
      // Without it, Kafka compacts the records after a week.
      assertEquals(3_600_000, devices.get("spec", "config", "segment.ms"));

      List<YamlFile> objects = buildWithItsComponents("fleet-kafka");
      fitTheirSchemas(objects);
      YamlFile scaled = of("ScaledObject", objects).get(0);
      YamlFile servers = of("Deployment", objects).get(0);
      assertEquals(servers.text("metadata", "name"), scaled.text("spec", "scaleTargetRef", "name"));
      assertEquals(servers.text("metadata", "namespace"), scaled.text("metadata", "namespace"));
      assertTrue(servers.find("spec", "replicas").isEmpty(), "KEDA sets the number");
      assertEquals(partitions, scaled.get("spec", "maxReplicaCount"));
      KafkaSettings kafka = configuration(objects, servers, "pod-abc").process().kafka();
      YamlFile trigger = new YamlFile(scaled.get("spec", "triggers", 0, "metadata"));
      assertEquals(kafka.brokers(), trigger.text("bootstrapServers"));
      assertEquals(kafka.topic("raw"), trigger.text("topic"));
      assertEquals(kafka.group(), trigger.text("consumerGroup"));
    }

    private static List<String> names(Configuration configuration) {
      return configuration.accounts().stream().map(account -> account.name()).toList();
    }

    /** The configuration of a pod, with its files in a directory of this test. */
    private static Configuration configuration(
        List<YamlFile> objects, YamlFile workload, String host) throws Exception {
      Map<String, String> variables = new HashMap<>();
      for (Object source : workload.list(container("envFrom"))) {
        String name = new YamlFile(source).text("configMapRef", "name");
        variables.putAll(data(configMap(objects, name)));
      }
      Set<String> unknown = new TreeSet<>(variables.keySet());
      unknown.removeAll(Deployed.known());
      assertEquals(Set.of(), unknown);
      Path files = Files.createTempDirectory(temporary, "files");
      for (Object volume : workload.list("spec", "template", "spec", "volumes")) {
        YamlFile source = new YamlFile(volume);
        String mount = mountPath(workload, source.text("name"));
        Optional<Object> secret = source.find("secret", "secretName");
        Map<String, String> content =
            secret.isPresent()
                ? secret(objects, secret.get().toString())
                : data(configMap(objects, source.text("configMap", "name")));
        for (Map.Entry<String, String> file : content.entrySet()) {
          Path path = files.resolve(file.getKey());
          Files.writeString(path, file.getValue());
          variables.replaceAll(
              (name, value) -> value.equals(mount + "/" + file.getKey()) ? path + "" : value);
        }
      }
      if (variables.containsKey("ECOFLOW_STATE_DIR")) {
        assertEquals(mountPath(workload, "state"), variables.get("ECOFLOW_STATE_DIR"));
        variables.put("ECOFLOW_STATE_DIR", files.toString());
      }
      variables.put("HOSTNAME", host);
      return Configuration.from(variables);
    }

    private static Object[] container(Object... path) {
      return Stream.concat(Stream.of("spec", "template", "spec", "containers", 0), Stream.of(path))
          .toArray();
    }

    private static List<YamlFile> selecting(String kind, List<YamlFile> objects, Map<?, ?> pod) {
      return of(kind, objects).stream()
          .filter(
              object ->
                  selects(
                      object
                          .find("spec", "selector", "matchLabels")
                          .or(() -> object.find("spec", "podSelector", "matchLabels"))
                          .map(labels -> (Map<?, ?>) labels)
                          .orElseThrow(),
                      pod))
          .toList();
    }

    private static boolean selects(Map<?, ?> labels, Map<?, ?> of) {
      return of.entrySet().containsAll(labels.entrySet());
    }

    /** The requirements of the pod security level "restricted", and further ones. */
    @ParameterizedTest
    @CsvSource({
      "demo, Deployment, ecoflow-exporter-demo:",
      "home, Deployment, ecoflow-exporter:",
      "accounts, Deployment, ecoflow-exporter:",
      "fleet, StatefulSet, ecoflow-exporter:",
      "fleet-kafka, StatefulSet, ecoflow-exporter-fleet:",
      "fleet-kafka, Deployment, ecoflow-exporter-fleet:"
    })
    void podsAreRestricted(String overlay, String kind, String image) throws IOException {
      List<YamlFile> objects = build("deploy/kubernetes/overlays/" + overlay);
      assertEquals(
          "restricted",
          of("Namespace", objects)
              .get(0)
              .text("metadata", "labels", "pod-security.kubernetes.io/enforce"));
      assertFalse(of(kind, objects).isEmpty());
      for (YamlFile workload : of(kind, objects)) {
        YamlFile pod = new YamlFile(workload.get("spec", "template", "spec"));
        assertEquals(true, pod.get("securityContext", "runAsNonRoot"));
        assertEquals(1000, pod.get("securityContext", "runAsUser"));
        assertEquals("RuntimeDefault", pod.get("securityContext", "seccompProfile", "type"));
        assertEquals(false, pod.get("automountServiceAccountToken"));
        YamlFile security = new YamlFile(pod.get("containers", 0, "securityContext"));
        assertEquals(false, security.get("allowPrivilegeEscalation"));
        assertEquals(true, security.get("readOnlyRootFilesystem"));
        assertEquals(List.of("ALL"), security.get("capabilities", "drop"));
        assertTrue(pod.text("containers", 0, "image").startsWith(image), image);
        for (String probe : List.of("startup", "liveness", "readiness")) {
          String path = pod.text("containers", 0, probe + "Probe", "httpGet", "path");
          assertEquals(probe.equals("readiness") ? "/-/ready" : "/-/healthy", path);
        }
      }
    }

    /** Alerts refer to the job in prometheus.yml. */
    @Test
    void monitorsUseTheJobOfTheAlerts() throws IOException {
      String job =
          YamlFile.read(Path.of("deploy/prometheus/prometheus.yml"))
              .text("scrape_configs", 0, "job_name");
      List<YamlFile> objects = new ArrayList<>(buildWith("jobs", "service-monitor", "pod-monitor"));
      objects.addAll(build("deploy/camel-k"));
      List<YamlFile> endpoints = new ArrayList<>();
      for (YamlFile object : objects) {
        object
            .find("spec", "endpoints", 0)
            .or(() -> object.find("spec", "podMetricsEndpoints", 0))
            .ifPresent(endpoint -> endpoints.add(new YamlFile(endpoint)));
      }
      assertEquals(3, endpoints.size());
      for (YamlFile endpoint : endpoints) {
        assertEquals("job", endpoint.text("relabelings", 0, "targetLabel"));
        assertEquals(job, endpoint.text("relabelings", 0, "replacement"));
      }
    }

    @Test
    void filesMountedByCamelKExist() throws Exception {
      List<YamlFile> objects = build("deploy/camel-k");
      YamlFile integration = of("Integration", objects).get(0);
      Set<String> names = new TreeSet<>();
      Map<String, String> variables = new HashMap<>();
      for (Object assignment : integration.list("spec", "traits", "environment", "vars")) {
        String[] parts = assignment.toString().split("=", 2);
        names.add(parts[0]);
        if (parts[1].startsWith("secret:")) {
          String[] secret = parts[1].substring("secret:".length()).split("/");
          assertEquals("", secret(objects, secret[0]).get(secret[1]), "to be filled in");
          variables.put(parts[0], "x");
        } else {
          variables.put(parts[0], parts[1]);
        }
      }
      names.removeAll(Deployed.known());
      assertEquals(Set.of(), names);
      String directory = variables.remove("ECOFLOW_ROUTES_DIR");
      assertEquals(
          List.of("configmap:ecoflow-routes@" + directory),
          integration.list("spec", "traits", "mount", "resources"));
      assertFalse(configMap(objects, "ecoflow-routes").map("data").isEmpty());
      Deployed.accepts(variables, Map.of());
    }

    private static void fitTheirSchemas(List<YamlFile> objects) {
      assertFalse(objects.isEmpty());
      List<String> problems = new ArrayList<>();
      for (YamlFile object : objects) {
        problems.addAll(USED.problems(object));
        Kinds.published()
            .filter(kinds -> kinds.knows(object))
            .ifPresent(kinds -> problems.addAll(kinds.problems(object)));
      }
      assertEquals(List.of(), problems);
    }

    private static List<YamlFile> build(String directory) throws IOException {
      Path output = Files.createTempFile(temporary, "built", ".yaml");
      ChildProcess.run(Path.of("").toAbsolutePath(), output, "kubectl", "kustomize", directory);
      return YamlFile.documents(Files.readString(output));
    }

    /** With the components of an overlay switched on, by removing the comment characters. */
    private static List<YamlFile> buildWithItsComponents(String overlay) throws IOException {
      Path copy = Files.createTempDirectory(temporary, "components").resolve("kubernetes");
      ChildProcess.run(
          temporary,
          temporary.resolve("copied-components"),
          "cp",
          "-r",
          KUBERNETES.toAbsolutePath().toString(),
          copy.toString());
      Path file = copy.resolve("overlays/" + overlay + "/kustomization.yaml");
      String text = Files.readString(file);
      String switchedOn = text.replaceAll("(?m)^# (?=components:|  - )", "");
      assertNotEquals(text, switchedOn);
      Files.writeString(file, switchedOn);
      List<YamlFile> objects = build(file.getParent().toString());
      fitTheirSchemas(objects);
      return objects;
    }

    private static List<YamlFile> buildWith(String name, String... components) throws IOException {
      Path kubernetes = temporary.resolve("with-" + name);
      ChildProcess.run(
          temporary,
          temporary.resolve("copied-" + name),
          "cp",
          "-r",
          KUBERNETES.toAbsolutePath().toString(),
          kubernetes.toString());
      Path overlay = Files.createDirectory(kubernetes.resolve("overlays/mine"));
      List<String> lines =
          new ArrayList<>(
              List.of(
                  "apiVersion: kustomize.config.k8s.io/v1beta1",
                  "kind: Kustomization",
                  "namespace: mine",
                  "resources:",
                  "  - ../../base",
                  "components:"));
      Stream.of(components).forEach(component -> lines.add("  - ../../components/" + component));
      Files.write(overlay.resolve("kustomization.yaml"), lines);
      return build(overlay.toString());
    }

    private static List<YamlFile> of(String kind, List<YamlFile> objects) {
      return objects.stream().filter(object -> object.text("kind").equals(kind)).toList();
    }

    private static YamlFile named(String kind, List<YamlFile> objects, String start) {
      List<YamlFile> found =
          of(kind, objects).stream()
              .filter(object -> object.text("metadata", "name").startsWith(start))
              .toList();
      assertEquals(1, found.size(), start);
      return found.get(0);
    }

    private static YamlFile configMap(List<YamlFile> objects, String name) {
      return named("ConfigMap", objects, name);
    }

    private static Map<String, String> secret(List<YamlFile> objects, String name) {
      Map<String, String> values = new HashMap<>();
      named("Secret", objects, name)
          .map("data")
          .forEach((key, value) -> values.put((String) key, decoded((String) value)));
      return values;
    }

    private static String decoded(String base64) {
      // Kustomize wraps long values.
      return new String(Base64.getMimeDecoder().decode(base64), StandardCharsets.UTF_8);
    }

    private static Map<String, String> settings(List<YamlFile> objects) {
      return data(configMap(objects, "ecoflow-settings"));
    }

    private static Map<String, String> data(YamlFile map) {
      Map<String, String> values = new HashMap<>();
      map.map("data").forEach((key, value) -> values.put((String) key, (String) value));
      return values;
    }

    private static Map<String, String> variables(List<YamlFile> objects, YamlFile deployment) {
      Map<String, String> variables = new HashMap<>();
      variables.putAll(
          data(
              configMap(
                  objects, deployment.text(container("envFrom", 0, "configMapRef", "name")))));
      variables.putAll(
          secret(objects, deployment.text(container("envFrom", 1, "secretRef", "name"))));
      return variables;
    }

    /** The name of the config map of a volume. */
    private static String nameIn(YamlFile deployment, String volume) {
      return deployment.list("spec", "template", "spec", "volumes").stream()
          .map(YamlFile::new)
          .filter(candidate -> candidate.text("name").equals(volume))
          .map(candidate -> candidate.text("configMap", "name"))
          .findFirst()
          .orElseThrow();
    }

    /** The path in the container at which a config map is mounted. */
    private static String mountOf(YamlFile deployment, YamlFile configMap) {
      return mountOf(deployment, "configMap", "name", configMap.text("metadata", "name"));
    }

    /** The path in the container at which the volume with a value in a field is mounted. */
    private static String mountOf(YamlFile deployment, String kind, String field, String name) {
      String volume =
          deployment.list("spec", "template", "spec", "volumes").stream()
              .map(YamlFile::new)
              .filter(candidate -> candidate.find(kind, field).equals(Optional.of(name)))
              .map(candidate -> candidate.text("name"))
              .findFirst()
              .orElseThrow();
      return mountPath(deployment, volume);
    }

    private static String mountPath(YamlFile deployment, String volume) {
      return deployment.list(container("volumeMounts")).stream()
          .map(YamlFile::new)
          .filter(candidate -> candidate.text("name").equals(volume))
          .map(candidate -> candidate.text("mountPath"))
          .findFirst()
          .orElseThrow();
    }
  }
}
