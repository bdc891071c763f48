package ecoflow.sink;

import static ecoflow.testkit.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sinks: their messages, and their independence of gauges and other sinks. */
class SinksTest {

  /** A message to a sink; removed values are null. */
  private record Told(Map<String, Double> values, Map<String, Object> headers) {}

  private static final String DEVICE = "EcoflowDevice";

  private final SimulatedDevice delta =
      new SimulatedDevice("R331ZSINKS000001", "Garage", "DELTA 2", WireFormat.JSON);
  private final SimulatedDevice river =
      new SimulatedDevice("R601ZSINKS000002", "Van", null, WireFormat.JSON);

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.mqtt().with(delta, river);

  private final CountDownLatch release = new CountDownLatch(1);

  @BeforeEach
  void start() {
    exporter.start();
    exporter.page().eventuallyConnected(1);
  }

  @AfterEach
  void release() {
    release.countDown();
  }

  private void route(String from, Processor processor) throws Exception {
    exporter
        .camelContext()
        .addRoutes(
            new RouteBuilder() {
              @Override
              public void configure() {
                from(from).routeId(from.replaceAll("[:?=]", "-")).process(processor);
              }
            });
  }

  private BlockingQueue<Told> take(String from) throws Exception {
    BlockingQueue<Told> told = new LinkedBlockingQueue<>();
    route(from, exchange -> told.add(told(exchange.getMessage())));
    return told;
  }

  private static Told told(Message message) {
    Map<String, Double> values = new HashMap<>();
    Map<?, ?> body = message.getBody(Map.class);
    body.forEach((key, value) -> values.put((String) key, (Double) value));
    return new Told(values, Map.copyOf(message.getHeaders()));
  }

  private static Map<String, Double> next(BlockingQueue<Told> told) throws Exception {
    Told next = told.poll(30, TimeUnit.SECONDS);
    return next == null ? Map.of() : next.values();
  }

  @Test
  void changesContainOnlyChangedValues() throws Exception {
    BlockingQueue<Told> told = take("seda:changes-test");

    delta.push(Map.of("pd.soc", 81, "pd.watts", 5));
    assertEquals(Map.of("pd.soc", 81.0, "pd.watts", 5.0), next(told));
    delta.push(Map.of("pd.soc", 81, "pd.watts", 5));
    delta.push(Map.of("pd.soc", 81, "pd.watts", 6, "pd.new", true));
    assertEquals(Map.of("pd.watts", 6.0, "pd.new", 1.0), next(told));
    delta.push(Map.of("pd.watts", "none"));
    assertEquals(Collections.singletonMap("pd.watts", null), next(told));
    delta.push(Map.of("pd.watts", 6, "cells", List.of(3, 4)));
    assertEquals(Map.of("pd.watts", 6.0, "cells[0]", 3.0, "cells[1]", 4.0), next(told));
    delta.push(Map.of("cells", List.of(3)));
    assertEquals(Collections.singletonMap("cells[1]", null), next(told));
  }

  @Test
  void changesHaveTheHeadersOfTheirDevice() throws Exception {
    BlockingQueue<Told> told = take("seda:changes-test");

    river.push(Map.of("pd.soc", 7));

    Told first = told.poll(30, TimeUnit.SECONDS);
    assertEquals(
        Map.of(
            "EcoflowDevice", "R601ZSINKS000002",
            "EcoflowDeviceName", "Van",
            "EcoflowProductName", "RIVER 2",
            "EcoflowOnline", true),
        without(first.headers(), "EcoflowUpdated"));
    long updated = (long) first.headers().get("EcoflowUpdated");
    assertEquals(
        exporter.page().lastUpdate(river), updated / 1000.0, 0.001, "milliseconds since 1970");
  }

  private static Map<String, Object> without(Map<String, Object> headers, String header) {
    Map<String, Object> others = new HashMap<>(headers);
    others.remove(header);
    return others;
  }

  @Test
  void changesReportAnOfflineDevice() throws Exception {
    delta.push(Map.of("pd.soc", 81));
    exporter.page().eventuallyShows(delta, "pd_soc", 81);
    BlockingQueue<Told> told = take("seda:changes-test");
    assertEquals(Map.of("pd.soc", 81.0), next(told), "the first time all that is known");

    delta.publishStatus("{\"params\":{\"status\":0}}");

    Told gone = told.poll(30, TimeUnit.SECONDS);
    assertEquals(Collections.singletonMap("pd.soc", null), gone.values());
    assertEquals(false, gone.headers().get("EcoflowOnline"));
    delta.push(Map.of("pd.soc", 81));
    assertEquals(Map.of("pd.soc", 81.0), next(told));
  }

  /** A message and the collection can find changes at the same time. */
  @Test
  void accumulatedChangesEqualTheSnapshot() throws Exception {
    BlockingQueue<Told> told = take("seda:changes-test?size=10000");

    for (int i = 1; i <= 500; i++) {
      delta.push(Map.of("pd.soc", i, "pd.k" + i % 7, i));
    }

    Map<String, Double> all = new HashMap<>();
    double last = 0;
    while (last < 500) {
      Map<String, Double> changes = next(told);
      assertFalse(changes.isEmpty(), "the last change never came");
      all.putAll(changes);
      assertTrue(all.get("pd.soc") >= last, "an older value after a newer one");
      last = all.get("pd.soc");
    }
    assertEquals(8, all.size());
    BlockingQueue<Told> pictures = take("seda:pictures-test");
    eventually(() -> assertEquals(all, pictureOf(delta, pictures).values()));
  }

  private static Told pictureOf(SimulatedDevice device, BlockingQueue<Told> pictures)
      throws Exception {
    Told picture;
    do {
      picture = pictures.poll(30, TimeUnit.SECONDS);
    } while (!device.serial().equals(picture.headers().get("EcoflowDevice")));
    return picture;
  }

  @Test
  void snapshotsAreSentOncePerCollection() throws Exception {
    delta.push(Map.of("pd.soc", 81, "pd.cells", List.of(1, 2)));
    exporter.page().eventuallyShows(delta, "pd_soc", 81);
    BlockingQueue<Told> pictures = take("seda:pictures-test");

    Map<String, Double> expected = Map.of("pd.soc", 81.0, "pd.cells[0]", 1.0, "pd.cells[1]", 2.0);
    assertEquals(expected, pictureOf(delta, pictures).values());
    assertEquals(expected, pictureOf(delta, pictures).values(), "again, though nothing changed");
    Told silent = pictureOf(river, pictures);
    assertEquals(Map.of(), silent.values());
    assertEquals(
        Map.of(
            "EcoflowDevice", "R601ZSINKS000002",
            "EcoflowDeviceName", "Van",
            "EcoflowProductName", "RIVER 2",
            "EcoflowOnline", false,
            "EcoflowUpdated", 0L),
        silent.headers());
  }

  private void replay(Map<String, ?> values) {
    send(values, Map.of("EcoflowReplay", "true"));
  }

  private void send(Map<String, ?> values, Map<String, ?> more) {
    Map<String, Object> headers = new HashMap<>(more);
    headers.put("EcoflowDevice", delta.serial());
    headers.put("EcoflowSource", "push");
    headers.put("EcoflowReceived", System.currentTimeMillis() - 5_000);
    try (ProducerTemplate template = exporter.camelContext().createProducerTemplate()) {
      template.sendBodyAndHeaders("direct:quotas", new HashMap<>(values), headers);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sinks have received these messages from the exporter that processed them first. */
  @Test
  void aReplayIsNotSentToSinks() throws Exception {
    BlockingQueue<Told> told = take("seda:changes-test");

    replay(Map.of("pd.soc", 80, "pd.watts", 5));
    replay(Map.of("pd.soc", 81));
    exporter.page().eventuallyShows(delta, "pd_soc", 81);
    delta.push(Map.of("pd.temp", 20));

    assertEquals(
        Map.of("pd.soc", 81.0, "pd.watts", 5.0, "pd.temp", 20.0),
        next(told),
        "all values, as for a new device");
    delta.push(Map.of("pd.soc", 82));
    assertEquals(Map.of("pd.soc", 82.0), next(told));
  }

  @Test
  void theFirstMessageAfterAReplayIncludesRemovedValues() throws Exception {
    BlockingQueue<Told> told = take("seda:changes-test");
    send(Map.of("pd.soc", 80, "pd.watts", 5), Map.of());
    assertEquals(Map.of("pd.soc", 80.0, "pd.watts", 5.0), next(told));

    replay(Map.of("pd.watts", "none"));
    // A message without values ends the replay of a device that is silent.
    send(Map.of(), Map.of());

    Map<String, Double> all = new HashMap<>(Map.of("pd.soc", 80.0));
    all.put("pd.watts", null);
    assertEquals(all, next(told));
  }

  @Test
  void snapshotsDuringAReplayAreNotSent() throws Exception {
    replay(Map.of("pd.soc", 81));
    BlockingQueue<Told> pictures = take("seda:pictures-test");

    for (int i = 0; i < 4; i++) {
      assertEquals(river.serial(), pictures.poll(30, TimeUnit.SECONDS).headers().get(DEVICE));
    }
    send(Map.of(), Map.of());
    assertEquals(Map.of("pd.soc", 81.0), pictureOf(delta, pictures).values());
  }

  @Test
  void aHangingSinkLosesOnlyItsOwnMessages() throws Exception {
    CountDownLatch hangs = new CountDownLatch(1);
    route(
        "seda:changes-hangs?size=2",
        exchange -> {
          hangs.countDown();
          release.await();
        });
    BlockingQueue<Told> other = take("seda:changes-other?size=10000");

    delta.push(Map.of("pd.soc", 1));
    assertTrue(hangs.await(30, TimeUnit.SECONDS));
    for (int i = 2; i <= 50; i++) {
      delta.push(Map.of("pd.soc", i));
    }

    exporter.page().eventuallyShows(delta, "pd_soc", 50);
    double seen = 0;
    while (seen < 50) {
      seen = next(other).getOrDefault("pd.soc", 50.0);
    }
    assertEquals(0, sink("changes-other", "dropped"));
    // One message is being processed, and two are waiting.
    assertEquals(3, sink("changes-hangs", "taken"));
    assertEquals(sink("changes-other", "taken") - 3, sink("changes-hangs", "dropped"));
    String ready = exporter.http().get("/-/ready").body();
    assertEquals(
        "ready; sink changes-hangs is too slow, %.0f messages dropped%n"
            .formatted(sink("changes-hangs", "dropped")),
        ready);
    assertEquals(200, exporter.http().get("/-/ready").statusCode());

    release.countDown();
    eventually(
        () -> {
          delta.push(Map.of("pd.soc", System.nanoTime() % 1000));
          assertEquals("ready\n", exporter.http().get("/-/ready").body());
        });
  }

  private double sink(String name, String result) {
    return exporter
        .page()
        .series("sink_messages_total", "sink=" + name, "result=" + result)
        .stream()
        .mapToDouble(series -> series.value())
        .sum();
  }

  @Test
  void aFailingSinkLosesOnlyTheFailedMessages() throws Exception {
    BlockingQueue<Told> told = new LinkedBlockingQueue<>();
    route(
        "seda:changes-fails",
        exchange -> {
          Told one = told(exchange.getMessage());
          if (one.values().containsValue(13.0)) {
            throw new IllegalStateException("13");
          }
          told.add(one);
        });

    for (int i = 12; i <= 14; i++) {
      delta.push(Map.of("pd.soc", i));
      exporter.page().eventuallyShows(delta, "pd_soc", i);
    }

    assertEquals(Map.of("pd.soc", 12.0), next(told));
    assertEquals(Map.of("pd.soc", 14.0), next(told));
  }

  /** The CA and the limits of EcoFlow's calls do not apply to other receivers. */
  @Test
  void aRouteCanCallAnyReceiver() throws Exception {
    BlockingQueue<String> received = new LinkedBlockingQueue<>();
    HttpServer receiver = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    receiver.createContext(
        "/hook",
        call -> {
          received.add(
              call.getRequestHeaders().getFirst("EcoflowDevice")
                  + new String(call.getRequestBody().readAllBytes(), UTF_8));
          call.sendResponseHeaders(204, -1);
          call.close();
        });
    receiver.start();
    try {
      String uri = "http://127.0.0.1:" + receiver.getAddress().getPort() + "/hook";
      exporter
          .camelContext()
          .addRoutes(
              new RouteBuilder() {
                @Override
                public void configure() {
                  from("seda:changes-hook").routeId("hook").marshal().json().to(uri);
                }
              });

      delta.push(Map.of("pd.soc", 81));

      assertEquals("R331ZSINKS000001{\"pd.soc\":81.0}", received.poll(30, TimeUnit.SECONDS));
    } finally {
      receiver.stop(0);
    }
  }
}
