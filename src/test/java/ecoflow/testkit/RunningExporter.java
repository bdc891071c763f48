package ecoflow.testkit;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.EcoflowExporter;
import ecoflow.config.ConfigException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.CamelContext;

/** The exporter with its real routes in this JVM. */
public final class RunningExporter implements AutoCloseable {

  private final EcoflowExporter exporter;
  private final LocalHttp http;
  private final Page page;
  private final String clientType;
  private final CompletableFuture<Integer> end = new CompletableFuture<>();

  private RunningExporter(EcoflowExporter exporter, LocalHttp http, String clientType) {
    this.exporter = exporter;
    this.http = http;
    this.clientType = clientType;
    this.page = new Page(() -> http.get("/metrics").body(), () -> clientType);
    // Like the main thread of the process.
    Thread main = new Thread(() -> end.complete(exporter.awaitEnd()), "exporter-main");
    main.setDaemon(true);
    main.start();
  }

  /** Starts with the given variables; without EXPORTER_PORT on a free port. */
  public static RunningExporter start(Map<String, String> variables) {
    Map<String, String> all = new HashMap<>(variables);
    String port = all.computeIfAbsent("EXPORTER_PORT", unused -> "" + Ports.next());
    try {
      EcoflowExporter exporter = new EcoflowExporter(all);
      exporter.start();
      return new RunningExporter(
          exporter,
          new LocalHttp(Integer.parseInt(port)),
          all.getOrDefault("ECOFLOW_API_TYPE", "rest"));
    } catch (ConfigException | EcoflowExporter.StartException e) {
      throw new IllegalStateException(e);
    }
  }

  public LocalHttp http() {
    return http;
  }

  public Page page() {
    return page;
  }

  /** The mode, as in metrics. */
  String clientType() {
    return clientType;
  }

  public CamelContext camelContext() {
    return exporter.camelContext();
  }

  /** Waits without a limit until the exporter ends, and returns its exit code. */
  public int awaitEnd() {
    return end.join();
  }

  /** Waits until the exporter exits on its own, and returns its exit code. */
  public int exitCode() {
    eventually(() -> assertTrue(end.isDone(), "the exporter is still running"));
    return end.join();
  }

  @Override
  public void close() {
    exporter.close();
  }
}
