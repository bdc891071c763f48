package ecoflow.deploy;

import static ecoflow.testkit.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import ecoflow.testkit.Dashboard;
import ecoflow.testkit.Dashboard.Query;
import ecoflow.testkit.PrometheusServer;
import ecoflow.testkit.PrometheusServer.Sample;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Evaluates the rules and the dashboard of the fleet in a real Prometheus, which scrapes pages like
 * those of a collector and two servers.
 */
class FleetQueriesIT {

  private static final int MOVES = 6;
  private static final long START = System.nanoTime();

  /** Two scrapes and an evaluation of the rules. */
  private static final double MOVE_SECONDS = 4;

  private static final String COLLECTOR =
      """
      # TYPE ecoflow_kafka_topic_partitions gauge
      ecoflow_kafka_topic_partitions 12
      # TYPE ecoflow_kafka_sent_messages_total counter
      ecoflow_kafka_sent_messages_total %1$d
      # TYPE ecoflow_kafka_dropped_messages_total counter
      ecoflow_kafka_dropped_messages_total{reason="expired"} 7
      # TYPE ecoflow_kafka_waiting_messages gauge
      ecoflow_kafka_waiting_messages 2
      # TYPE ecoflow_kafka_waiting_bytes gauge
      ecoflow_kafka_waiting_bytes 2048
      """;

  private static final String SERVER =
      """
      # TYPE ecoflow_kafka_partitions gauge
      ecoflow_kafka_partitions 6
      # TYPE ecoflow_kafka_lag_records gauge
      ecoflow_kafka_lag_records 3
      # TYPE ecoflow_kafka_replaying_partitions gauge
      ecoflow_kafka_replaying_partitions 0
      # TYPE ecoflow_kafka_received_messages_total counter
      ecoflow_kafka_received_messages_total %1$d
      # TYPE ecoflow_kafka_rejected_messages_total counter
      ecoflow_kafka_rejected_messages_total{reason="value"} 0
      # TYPE ecoflow_kafka_message_age_seconds histogram
      ecoflow_kafka_message_age_seconds_bucket{le="0.05"} %1$d
      ecoflow_kafka_message_age_seconds_bucket{le="0.1"} %1$d
      ecoflow_kafka_message_age_seconds_bucket{le="+Inf"} %1$d
      """;

  private static final String DEVICE =
      """
      # TYPE ecoflow_online gauge
      ecoflow_online{device="R331",device_name="Garage"} 1
      # TYPE ecoflow_output_power_watts gauge
      ecoflow_output_power_watts{device="R331",device_name="Garage"} 100
      # TYPE ecoflow_input_power_watts gauge
      ecoflow_input_power_watts{device="R331",device_name="Garage"} 0
      # TYPE ecoflow_battery_charge_ratio gauge
      ecoflow_battery_charge_ratio{device="R331",device_name="Garage"} 0.15
      # TYPE ecoflow_output_energy_joules_total counter
      ecoflow_output_energy_joules_total{device="R331",device_name="Garage",origin="device"} %1$d
      """;

  /** A page whose counters increase by 100 per second. */
  private static final class PageServer implements AutoCloseable {

    private final HttpServer server;
    private volatile String page;

    PageServer(String page) throws IOException {
      this.page = page;
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext(
          "/metrics",
          exchange -> {
            long count = 5_000_000 + (System.nanoTime() - START) / 10_000_000;
            byte[] body = this.page.formatted(count).getBytes(UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
          });
      server.start();
    }

    String address() {
      return "127.0.0.1:" + server.getAddress().getPort();
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }

  @TempDir private Path directory;
  private PageServer collector;
  private List<PageServer> servers;
  private PrometheusServer prometheus;

  @BeforeEach
  void start() throws IOException {
    assumeTrue(PrometheusServer.isInstalled(), "prometheus is not installed");
    collector = new PageServer(COLLECTOR);
    servers = List.of(new PageServer(SERVER + DEVICE), new PageServer(SERVER));
    String targets =
        List.of(collector, servers.get(0), servers.get(1)).stream()
            .map(page -> "'" + page.address() + "'")
            .collect(Collectors.joining(", "));
    prometheus =
        PrometheusServer.start(
            directory,
            "scrape_configs:\n  - {job_name: ecoflow, static_configs: [{targets: [%s]}]}\n"
                .formatted(targets));
  }

  @AfterEach
  void stop() {
    if (prometheus != null) {
      prometheus.close();
      collector.close();
      servers.forEach(PageServer::close);
    }
  }

  @Test
  void eachPanelOfTheDashboardHasValues() {
    eventually(
        () -> {
          Set<String> empty = new TreeSet<>();
          for (Query query : Dashboard.named("ecoflow-kafka").queries()) {
            if (query(query).isEmpty()) {
              empty.add(query.panel());
            }
          }
          assertEquals(Set.of(), empty);
        });
    assertEquals(1, number("Collectors"));
    assertEquals(2, number("Servers"));
    assertEquals(0, number("Partitions without a server"));
    assertEquals(1, number("Devices"));
    assertEquals(6, number("Lag"));
    assertEquals(
        Map.of(servers.get(0).address(), 1.0),
        query(panel("Devices by server")).stream()
            .collect(Collectors.toMap(sample -> sample.labels().get("instance"), Sample::value)));

    servers.get(1).page = "";
    eventually(() -> assertEquals(6, number("Partitions without a server")));
    servers.get(0).page = "";
    eventually(() -> assertEquals(12, number("Partitions without a server")));
  }

  private static Query panel(String title) {
    return Dashboard.named("ecoflow-kafka").queries().stream()
        .filter(query -> query.panel().equals(title))
        .findFirst()
        .orElseThrow();
  }

  private double number(String title) {
    List<Sample> samples = query(panel(title));
    assertEquals(1, samples.size(), title);
    return samples.get(0).value();
  }

  private List<Sample> query(Query query) {
    return prometheus.query(
        query.expression().replace("$__rate_interval", "5s").replace("$job", ".*"));
  }

  /** Prometheus scrapes the device at its new server before it scrapes the old one again. */
  @Test
  void aDeviceThatMovesHasOneValueAtAnyTime() throws Exception {
    prometheus.awaitSeries(1, "ecoflow:out:watts");
    double start = System.currentTimeMillis() / 1000.0;
    for (int move = 0; move < MOVES; move++) {
      PageServer from = servers.get(move % 2);
      PageServer to = servers.get(1 - move % 2);
      to.page = SERVER + DEVICE;
      String both = "count(ecoflow_output_power_watts) == 2";
      prometheus.awaitSeries(1, both);
      from.page = SERVER;
      prometheus.awaitSeries(
          1, "ecoflow_output_power_watts{instance=\"%s\"}".formatted(to.address()));
      prometheus.awaitSeries(
          0, "ecoflow_output_power_watts{instance=\"%s\"}".formatted(from.address()));
    }
    double end = System.currentTimeMillis() / 1000.0 - MOVE_SECONDS;
    double both = 0;
    for (double time = start; time < end; time += 0.2) {
      for (String sum : List.of("ecoflow:out:watts", "sum by (device) (ecoflow:out:watts)")) {
        List<Sample> samples = prometheus.query(sum, time);
        assertEquals(List.of(100.0), samples.stream().map(Sample::value).toList(), sum);
      }
      both += prometheus.query("count(ecoflow_output_power_watts) == 2", time).size();
    }
    assertTrue(both > 0, "the test has a time with two series");
    // A move back does not count the energy again.
    int seconds = (int) (System.currentTimeMillis() / 1000.0 - start);
    String increase = "increase(ecoflow:output:joules_total[%ds])".formatted(seconds);
    assertEquals(100, prometheus.query(increase).get(0).value() / seconds, 15);
    // The comparison of input and output failed with two series.
    eventually(
        () -> assertEquals(1, prometheus.query("ALERTS{alertname=\"EcoFlowBatteryLow\"}").size()));
    assertFalse(
        Files.readString(directory.resolve("prometheus.log")).contains("Evaluating rule failed"));
  }
}
