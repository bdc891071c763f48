package ecoflow;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.net.httpserver.HttpServer;
import ecoflow.testkit.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The result of the image's HEALTHCHECK for responses of the exporter. */
class HealthCheckTest {

  private final AtomicInteger status = new AtomicInteger(200);
  private HttpServer exporter;

  @BeforeEach
  void start() throws IOException {
    exporter = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    exporter.createContext(
        "/-/healthy",
        exchange -> {
          exchange.sendResponseHeaders(status.get(), 0);
          exchange.close();
        });
    exporter.start();
  }

  @AfterEach
  void end() {
    exporter.stop(0);
  }

  private static int check(String port) {
    return HealthCheck.run(Map.of("EXPORTER_PORT", port));
  }

  @Test
  void succeedsForAHealthyExporter() {
    String port = Integer.toString(exporter.getAddress().getPort());
    assertEquals(0, check(port));
    assertEquals(0, check(" " + port + " "), "as the exporter reads it");
  }

  @ParameterizedTest
  @ValueSource(ints = {404, 500, 503})
  void failsForOtherResponses(int code) {
    status.set(code);
    assertEquals(1, check(Integer.toString(exporter.getAddress().getPort())));
  }

  @Test
  void failsWithoutResponse() {
    assertEquals(1, check(Integer.toString(Ports.next())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "0", "65536", "-1"})
  void failsForAnInvalidPort(String port) {
    assertEquals(1, check(port));
  }
}
