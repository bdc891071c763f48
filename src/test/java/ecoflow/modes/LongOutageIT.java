package ecoflow.modes;

import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.ServerCertificate;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.ExporterJar;
import ecoflow.testkit.Mosquitto;
import ecoflow.testkit.Page;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The broker is not available for minutes, and the exporter has its default backoff. */
class LongOutageIT {

  private static final String USER = "app-user";
  private static final String PASSWORD = "password";
  private static final String CONNECTED = "mqtt_connected";
  private static final Duration OUTAGE = Duration.ofSeconds(150);

  /**
   * The maximum time to reconnect after such an outage is 17 s: a tenth of the outage, half a
   * second until the next check of the clock, and the connection. A slow machine needs more time
   * for the start of the broker, the TLS handshake and the scrapes of this test.
   */
  private static final Duration WAY_BACK = Duration.ofSeconds(17).plusSeconds(5);

  private final SimulatedDevice device =
      new SimulatedDevice("R331ZREAL0000002", "Garage", "DELTA 2", WireFormat.JSON);

  @RegisterExtension final CloudExtension clouds = new CloudExtension(device);

  @TempDir private Path directory;

  @Test
  void dataReturnsSoonAfterAnOutage() throws IOException {
    assumeTrue(Mosquitto.isInstalled(), "mosquitto is not installed");
    SimulatedCloud cloud = clouds.cloud();
    try (Mosquitto broker =
            new Mosquitto(directory.resolve("broker"), cloud, ServerCertificate.TRUSTED);
        ExporterJar jar = new ExporterJar(Files.createDirectory(directory.resolve("exporter")))) {
      broker.setPassword(USER, PASSWORD);
      cloud.setBroker("localhost", broker.port(), USER, PASSWORD);
      broker.start();
      jar.start(Variables.of(cloud, "mqtt"));
      Page page = jar.page();
      jar.awaitOwn(1, CONNECTED);
      eventuallyShows(1, broker, page);

      broker.kill();
      jar.awaitOwn(0, CONNECTED);
      Awaitility.await()
          .pollDelay(OUTAGE)
          .atMost(OUTAGE.plusMinutes(1))
          .untilAsserted(() -> assertEquals(0, page.own(CONNECTED)));
      assertEquals(200, jar.http().get("/-/healthy").statusCode());
      assertEquals(0, page.of(device, "online"));
      assertEquals(List.of(), page.lines("pd_soc"));

      broker.start();
      Awaitility.await().atMost(WAY_BACK).untilAsserted(() -> assertEquals(1, page.own(CONNECTED)));
      eventuallyShows(2, broker, page);
      assertEquals(1, cloud.requests(LOGIN).size());
      assertEquals(List.of(), cloud.connects(), "the broker is another one");
    }
  }

  private void eventuallyShows(int soc, Mosquitto broker, Page page) {
    eventually(
        () -> {
          broker.publish(
              USER,
              PASSWORD,
              "/app/device/property/" + device.serial(),
              "{\"params\": {\"pd.soc\": %d}}".formatted(soc));
          assertEquals(soc, page.of(device, "pd_soc"));
        });
  }
}
