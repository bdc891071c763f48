package ecoflow.page;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A page that is too large to be sent in one piece. */
class LargePageTest {

  private static final int SERIES = 4_000;
  private static final SimulatedDevice LARGE =
      new SimulatedDevice("LARGE1", "Large", "RIVER 2", WireFormat.JSON).set(quotas());

  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.rest(
              "ECOFLOW_DEVICE_SN=LARGE1", "COLLECTING_INTERVAL=3600", "DEVICE_LIST_CACHE_TTL=3600")
          .with(LARGE)
          .startedAtOnce();

  private static Map<String, Object> quotas() {
    Map<String, Object> quotas = new LinkedHashMap<>();
    for (int i = 0; i < SERIES; i++) {
      quotas.put("pd.value" + i, i / 8.0);
    }
    return quotas;
  }

  @BeforeEach
  void polled() {
    eventually(() -> assertEquals(1, exporter.page().scrapes(LARGE, "success")));
  }

  @Test
  void isCompleteInAllFormats() throws IOException {
    HttpResponse<String> plain = exporter.http().get("/metrics");
    assertTrue(plain.body().length() > 400_000);
    assertTrue(plain.headers().firstValue("Content-Length").isEmpty());
    assertEquals(
        SERIES, plain.body().lines().filter(line -> line.startsWith("ecoflow_pd_value")).count());
    assertTrue(plain.body().endsWith("} " + 999 / 8.0 + "\n"));
    HttpResponse<byte[]> zipped =
        exporter
            .http()
            .send("GET", "/metrics", BodyHandlers.ofByteArray(), "Accept-Encoding", "gzip");
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(zipped.body()))) {
      assertEquals(plain.body(), new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
    HttpResponse<String> openMetrics =
        exporter.http().get("/metrics", "Accept", "application/openmetrics-text; version=1.0.0");
    assertTrue(openMetrics.body().endsWith("\n# EOF\n"));
    HttpResponse<String> head = exporter.http().send("HEAD", "/metrics", BodyHandlers.ofString());
    assertEquals(200, head.statusCode());
    assertEquals("", head.body());
  }

  @Test
  void concurrentClientsReceiveTheSamePage() throws Exception {
    String expected = exporter.http().get("/metrics").body();
    ExecutorService clients = Executors.newFixedThreadPool(10);
    try {
      List<Future<String>> pages =
          IntStream.range(0, 30)
              .mapToObj(i -> clients.submit(() -> exporter.http().get("/metrics").body()))
              .toList();
      for (Future<String> page : pages) {
        assertEquals(expected, page.get());
      }
    } finally {
      clients.shutdownNow();
    }
  }

  @Test
  void aDisconnectedClientDoesNotAffectOthers() throws IOException {
    // More clients than worker threads.
    for (int i = 0; i < 30; i++) {
      try (Socket socket = new Socket("localhost", exporter.http().port())) {
        // Unread bytes fill the buffers of the connection, so that the transfer blocks.
        socket.setReceiveBufferSize(1024);
        socket
            .getOutputStream()
            .write(
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
        assertEquals('H', socket.getInputStream().read());
      }
    }
    assertEquals(200, exporter.http().get("/metrics").statusCode());
  }
}
