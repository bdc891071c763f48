package ecoflow.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A dashboard of {@code deploy/grafana/dashboards}. */
public record Dashboard(String name, JsonNode json) {

  private static final Path DIRECTORY = Path.of("deploy/grafana/dashboards");
  private static final Pattern METRIC_NAMES = Pattern.compile("__name__=~\"([^\"]+)\"");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** An expression of a panel, with variables of Grafana. */
  public record Query(String board, String panel, String expression) {}

  public static List<Dashboard> all() {
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      return files.sorted().map(Dashboard::read).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static Dashboard named(String uid) {
    return read(DIRECTORY.resolve(uid + ".json"));
  }

  private static Dashboard read(Path file) {
    try {
      return new Dashboard(file.getFileName().toString(), JSON.readTree(file.toFile()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public List<JsonNode> panels() {
    List<JsonNode> panels = new ArrayList<>();
    json.path("panels").forEach(panels::add);
    return panels;
  }

  public JsonNode variable(String variable) {
    for (JsonNode candidate : json.path("templating").path("list")) {
      if (candidate.path("name").asText().equals(variable)) {
        return candidate;
      }
    }
    throw new IllegalArgumentException(variable);
  }

  /** The names of metrics that are values of a variable. */
  public Pattern metricsOf(String variable) {
    Matcher names = METRIC_NAMES.matcher(variable(variable).path("definition").asText());
    if (!names.find()) {
      throw new IllegalArgumentException(variable);
    }
    return Pattern.compile(names.group(1));
  }

  /** All references to a data source: panels, their queries, variables, annotations. */
  public List<JsonNode> datasources() {
    return json.findValues("datasource");
  }

  public List<Query> queries() {
    List<Query> queries = new ArrayList<>();
    for (JsonNode panel : panels()) {
      for (JsonNode target : panel.path("targets")) {
        queries.add(new Query(name, panel.path("title").asText(), target.path("expr").asText()));
      }
    }
    return queries;
  }

  @Override
  public String toString() {
    return name;
  }
}
