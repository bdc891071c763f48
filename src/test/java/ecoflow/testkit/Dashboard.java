package ecoflow.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A dashboard of {@code deploy/grafana/dashboards}. */
public record Dashboard(String name, JsonNode json) {

  private static final Path DIRECTORY = Path.of("deploy/grafana/dashboards");
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
