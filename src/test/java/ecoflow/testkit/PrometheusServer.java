package ecoflow.testkit;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Prometheus as a child process with the rules of {@code deploy/prometheus}. It scrapes and
 * evaluates once per second.
 */
public final class PrometheusServer implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final int port = Ports.next();
  private final ChildProcess process;

  /** One series of an answer: its labels, and its value at that time. */
  public record Sample(Map<String, String> labels, double value) {}

  /**
   * @param directory an empty directory
   * @param targets local ports by the name of the job
   */
  public static PrometheusServer start(Path directory, Map<String, Integer> targets) {
    try {
      return new PrometheusServer(directory, targets);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * @param directory an empty directory
   * @param scrapeConfigs the YAML with the key scrape_configs
   */
  public static PrometheusServer start(Path directory, String scrapeConfigs) {
    try {
      return new PrometheusServer(directory, scrapeConfigs);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private PrometheusServer(Path directory, Map<String, Integer> targets) throws IOException {
    this(directory, scrapeConfigs(targets));
  }

  private PrometheusServer(Path directory, String scrapeConfigs) throws IOException {
    try (Stream<Path> rules = Files.list(Path.of("deploy/prometheus/rules"))) {
      for (Path file : rules.toList()) {
        // A minute for each rule is too long for a test.
        String text = Files.readString(file).replaceAll("(?m)^    interval: .*\n", "");
        Files.writeString(directory.resolve(file.getFileName()), text);
      }
    }
    Path file =
        Files.writeString(
            directory.resolve("prometheus.yml"),
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: ['*.yaml']\n"
                + scrapeConfigs);
    process =
        ChildProcess.start(
            directory,
            directory.resolve("prometheus.log"),
            Map.of(),
            List.of(
                Programs.get("prometheus"),
                "--config.file=" + file,
                "--storage.tsdb.path=" + directory.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port));
    process.awaitLine("Server is ready to receive web requests");
  }

  private static String scrapeConfigs(Map<String, Integer> targets) {
    StringBuilder config = new StringBuilder("scrape_configs:\n");
    targets.forEach(
        (job, target) ->
            config.append(
                "  - {job_name: %s, static_configs: [{targets: ['127.0.0.1:%d']}]}%n"
                    .formatted(job, target)));
    return config.toString();
  }

  public static boolean isInstalled() {
    return Programs.find("prometheus").isPresent();
  }

  /**
   * The answer to an instant query.
   *
   * @param seconds the evaluation time, since 1970
   * @throws AssertionError if Prometheus rejects the expression
   */
  public List<Sample> query(String expression, double seconds) {
    String path =
        "/api/v1/query?time=%.3f&query=%s"
            .formatted(seconds, URLEncoder.encode(expression, StandardCharsets.UTF_8));
    try {
      JsonNode answer = JSON.readTree(new LocalHttp(port).get(path).body());
      assertEquals("success", answer.path("status").asText(), () -> expression + ": " + answer);
      JsonNode result = answer.path("data").path("result");
      assertNotNull(result, expression);
      List<Sample> samples = new ArrayList<>();
      for (JsonNode series : result) {
        Map<String, String> labels = new HashMap<>();
        series
            .path("metric")
            .properties()
            .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
        samples.add(new Sample(labels, Double.parseDouble(series.path("value").get(1).asText())));
      }
      return samples;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The answer to an instant query for the current time. */
  public List<Sample> query(String expression) {
    return query(expression, System.currentTimeMillis() / 1000.0);
  }

  /** Waits until the expression has this number of series. */
  public void awaitSeries(int count, String expression) {
    eventually(() -> assertEquals(count, query(expression).size(), expression));
  }

  @Override
  public void close() {
    process.close();
  }
}
