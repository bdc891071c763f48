package ecoflow.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.GZIPInputStream;

/** Receives metrics that registries publish with OTLP over HTTP. */
public final class OtlpReceiver implements AutoCloseable {

  private final List<List<Series>> publications = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer server;

  public OtlpReceiver() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.createContext("/v1/metrics", this::receive);
    server.setExecutor(threads);
    server.start();
  }

  public String url() {
    return "http://localhost:" + server.getAddress().getPort() + "/v1/metrics";
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      InputStream body = exchange.getRequestBody();
      if ("gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"))) {
        body = new GZIPInputStream(body);
      }
      List<Series> series = series(ExportMetricsServiceRequest.parseFrom(body));
      synchronized (publications) {
        publications.add(series);
      }
      exchange.sendResponseHeaders(200, -1);
    } catch (RuntimeException e) {
      byte[] reason = e.toString().getBytes(UTF_8);
      exchange.sendResponseHeaders(400, reason.length);
      exchange.getResponseBody().write(reason);
    }
  }

  private static List<Series> series(ExportMetricsServiceRequest request) {
    List<Series> all = new ArrayList<>();
    request.getResourceMetricsList().stream()
        .flatMap(resource -> resource.getScopeMetricsList().stream())
        .flatMap(scope -> scope.getMetricsList().stream())
        .forEach(
            metric ->
                metric
                    .getGauge()
                    .getDataPointsList()
                    .forEach(point -> all.add(series(metric, point))));
    return all;
  }

  private static Series series(Metric metric, NumberDataPoint point) {
    TreeMap<String, String> labels = new TreeMap<>();
    for (KeyValue attribute : point.getAttributesList()) {
      labels.put(attribute.getKey(), attribute.getValue().getStringValue());
    }
    return new Series(metric.getName(), labels, point.getAsDouble());
  }

  /** The number of publications so far. */
  public int count() {
    synchronized (publications) {
      return publications.size();
    }
  }

  /** All gauges of each later publication, oldest first. */
  public List<List<Series>> after(int publicationsBefore) {
    synchronized (publications) {
      return List.copyOf(publications.subList(publicationsBefore, publications.size()));
    }
  }

  /** All gauges of the newest publication; empty before the first one. */
  public List<Series> latest() {
    synchronized (publications) {
      return publications.isEmpty() ? List.of() : publications.get(publications.size() - 1);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
