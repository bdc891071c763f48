package ecoflow.deploy;

import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.NpmPackages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The schemas of Kubernetes, the Prometheus operator and KEDA, from npm. Unlike {@link Kinds}, they
 * contain all fields and accept unknown ones.
 */
final class KubernetesSchemas {

  /** Kinds of Camel K and Strimzi. */
  private static final Set<String> WITHOUT_SCHEMA =
      Set.of("unknown: Integration", "unknown: KafkaTopic");

  private KubernetesSchemas() {}

  /** The errors in the objects, one per line. Skips the test if the schemas are not available. */
  static List<String> problems(Path directory, List<YamlFile> objects) throws IOException {
    Path modules =
        NpmPackages.install(
            "kubernetes",
            "kubernetes-models@4.5.1",
            "@kubernetes-models/prometheus-operator@6.0.0",
            "@kubernetes-models/keda@0.4.2");
    Path file = Files.createTempFile(directory, "objects", ".json");
    Files.writeString(
        file, new ObjectMapper().writeValueAsString(objects.stream().map(YamlFile::root).toList()));
    try (ChildProcess node =
        ChildProcess.start(
            directory,
            directory.resolve("schemas.log"),
            Map.of(),
            List.of(
                "node",
                Path.of("src/test/resources/deploy/validate.js").toAbsolutePath().toString(),
                modules.toString(),
                file.toString()))) {
      if (node.exitCode() != 0) {
        throw new IllegalStateException("" + node.lines());
      }
      return node.lines().stream().filter(line -> !WITHOUT_SCHEMA.contains(line)).toList();
    }
  }
}
