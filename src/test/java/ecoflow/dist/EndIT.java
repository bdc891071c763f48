package ecoflow.dist;

import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.cloud.ApiPath.QUOTA;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.RawBroker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * SIGTERM stops the packaged jar quickly, whatever it is waiting for. The project requires 1.5 s;
 * the limit in the test is higher for slow machines.
 */
class EndIT {

  private static final Duration BOUND = Duration.ofSeconds(5);
  private static final Duration FOREVER = Duration.ofMinutes(5);

  private final SimulatedDevice device =
      new SimulatedDevice("R331END000000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension final CloudExtension clouds = new CloudExtension(device);

  @RegisterExtension final ExporterJar jar = new ExporterJar(clouds);

  @TempDir private Path directory;
  private SimulatedCloud cloud;

  @BeforeEach
  void note() {
    cloud = clouds.cloud();
  }

  private void awaitRequest(String path) {
    await().atMost(Duration.ofMinutes(1)).until(() -> !cloud.requests(path).isEmpty());
  }

  private void assertEndsAtOnce(String when) {
    long started = System.nanoTime();
    assertEquals(143, jar.terminate(), () -> "" + jar.log());
    Duration took = Duration.ofNanos(System.nanoTime() - started);
    System.out.printf("SIGTERM %s: %d ms%n", when, took.toMillis());
    assertTrue(took.compareTo(BOUND) < 0, () -> when + ": " + took + jar.log());
    assertEquals(List.of(), jar.log(" ERROR "));
    assertEquals(List.of(), jar.log("\tat "), "a stack trace");
  }

  @Test
  void duringTheStart() {
    jar.start("device");
    jar.awaitLine(" Starting ecoflow-exporter ");
    assertEndsAtOnce("at the start");
  }

  /** A server that accepts connections and never responds, not even to the TLS handshake. */
  @ParameterizedTest
  @ValueSource(strings = {"rest", "open", "mqtt", "device"})
  void inAHandshakeWithTheCloud(String mode) throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      jar.start(mode, "ECOFLOW_API_HOST=localhost:" + silent.getLocalPort(), "HTTP_TIMEOUT=300");
      jar.awaitLine("Metrics are at");
      silent.accept();
      assertEndsAtOnce("in a handshake, mode " + mode);
    }
  }

  @Test
  void inALoginWithoutResponse() {
    cloud.faults().always(LOGIN, Fault.delay(FOREVER));
    jar.start("device", "HTTP_TIMEOUT=300");
    awaitRequest(LOGIN);
    jar.awaitLine("Metrics are at");
    assertEndsAtOnce("in a login");
  }

  @Test
  void inAListCallWithoutResponse() {
    cloud.faults().always(DEVICE_LIST, Fault.delay(FOREVER));
    jar.start("rest", "HTTP_TIMEOUT=300");
    awaitRequest(DEVICE_LIST);
    jar.awaitLine("Metrics are at");
    assertEndsAtOnce("in a list call");
  }

  @Test
  void inASlowResponse() {
    cloud.faults().always(LOGIN, Fault.drip(1, Duration.ofSeconds(10)));
    jar.start("device", "HTTP_TIMEOUT=300");
    awaitRequest(LOGIN);
    jar.awaitLine("Metrics are at");
    assertEndsAtOnce("in an answer that drips");
  }

  @Test
  void inAPollWithoutResponse() {
    jar.start("rest", "HTTP_TIMEOUT=300");
    jar.awaitSeries(device.serial(), "pd_soc");
    cloud.faults().always(QUOTA, Fault.delay(FOREVER));
    int before = cloud.requests(QUOTA).size();
    await().until(() -> cloud.requests(QUOTA).size() > before);
    assertEndsAtOnce("in a poll");
  }

  /** During the pause between attempts of a call. */
  @Test
  void inAPauseBeforeTheCallIsRepeated() {
    cloud.faults().always(DEVICE_LIST, Fault.status(503));
    jar.start("rest", "HTTP_BACKOFF_FACTOR=60", "HTTP_RETRIES=5");
    awaitRequest(DEVICE_LIST);
    jar.awaitLine("Metrics are at");
    assertEndsAtOnce("in a pause before a retry");
  }

  @Test
  void inAPauseRequestedByTheCloud() {
    jar.start("rest", "HTTP_BACKOFF_FACTOR=60", "HTTP_RETRIES=5");
    jar.awaitSeries(device.serial(), "pd_soc");
    cloud.faults().always(QUOTA, Fault.status(429).withHeader("Retry-After", "60"));
    int before = cloud.requests(QUOTA).size();
    await().until(() -> cloud.requests(QUOTA).size() > before);
    assertEndsAtOnce("in a pause that the cloud asked for");
  }

  /** During the pause before the first success, with an account and with developer keys. */
  @ParameterizedTest
  @ValueSource(strings = {"rest", "device"})
  void inAPauseBetweenAttempts(String mode) {
    cloud.faults().always(DEVICE_LIST, Fault.status(404));
    cloud.faults().always(LOGIN, Fault.status(404));
    jar.start(mode, "RETRY_TIMEOUT=60", "HTTP_RETRIES=1");
    jar.awaitLine("next attempt in 60 s");
    jar.awaitLine("Metrics are at");
    assertEndsAtOnce("in a pause between attempts, mode " + mode);
  }

  @Test
  void inAnMqttHandshake() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      cloud.setBroker("localhost", silent.getLocalPort(), "user", "password");
      jar.start("device", "HTTP_TIMEOUT=300");
      jar.awaitLine("Metrics are at");
      silent.accept();
      assertEndsAtOnce("in an MQTT handshake");
    }
  }

  @Test
  void inAnMqttLoginWithoutResponse() throws IOException {
    try (RawBroker broker = new RawBroker(cloud, directory, session -> session.readPacket())) {
      jar.start("device", "HTTP_TIMEOUT=300");
      jar.awaitLine("Metrics are at");
      await().until(() -> broker.connections() == 1);
      assertEndsAtOnce("in an MQTT login");
    }
  }

  @Test
  void inASubscriptionWithoutResponse() throws IOException {
    try (RawBroker broker = new RawBroker(cloud, directory, session -> session.acceptLogin())) {
      jar.start("device", "HTTP_TIMEOUT=300");
      jar.awaitLine("Metrics are at");
      await().until(() -> broker.connections() == 1);
      assertEndsAtOnce("in a subscription");
    }
  }

  @Test
  void inAPauseBeforeTheNextConnection() {
    jar.start("device", "MAX_RECONNECT_DELAY=300");
    jar.awaitOwn(1, "mqtt_connected", "client_type=device");
    cloud.stopBroker();
    jar.awaitLine("No MQTT connection: ");
    assertEndsAtOnce("in a pause before the next connection");
  }
}
