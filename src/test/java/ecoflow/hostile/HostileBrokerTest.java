package ecoflow.hostile;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.RawBroker;
import ecoflow.testkit.RawBroker.Session;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Invalid packets of a broker. The exporter reconnects or ignores them. */
class HostileBrokerTest {

  /** For pushes and for the online state. */
  private static final int SUBSCRIPTIONS = 2;

  @RegisterExtension
  final ExporterExtension exporter =
      ExporterExtension.mqtt("LOG_LEVEL=ERROR", "MAX_RECONNECT_DELAY=1", "HTTP_TIMEOUT=5");

  @TempDir private Path directory;
  private final Page page = exporter.page();
  private SimulatedDevice device;

  @BeforeEach
  void addDevice() {
    device = exporter.addDevice(Map.of());
  }

  private byte[] push(int value) {
    return Session.publish(
        "/app/device/property/" + device.serial(),
        ("{\"params\":{\"pd.soc\":" + value + "}}").getBytes(StandardCharsets.UTF_8));
  }

  /** Sends the packets on the first connection, and behaves correctly on later ones. */
  private RawBroker brokerWith(RawBroker.Script hostile) throws IOException {
    AtomicInteger connections = new AtomicInteger();
    return new RawBroker(
        exporter.cloud(),
        directory,
        session -> {
          session.accept(SUBSCRIPTIONS);
          if (connections.getAndIncrement() == 0) {
            session.write(push(1));
            hostile.run(session);
          } else {
            session.write(push(2));
          }
        });
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "type 0                                | 0000",
        "type 15 in MQTT 3.1.1                 | f000",
        "a CONNECT from the broker             | 100c00044d5154540402003c0000",
        "a second CONNACK                      | 20020000",
        "a refusing CONNACK                    | 20020005",
        "a CONNACK without a body              | 2000",
        "a SUBSCRIBE from the broker           | 82080001000361626300",
        "an UNSUBSCRIBE from the broker        | a20700010003616263",
        "a PINGREQ from the broker             | c000",
        "a DISCONNECT from the broker          | e000",
        "a length of five bytes                | 30ffffffff7f",
        "a length of 268 MB                    | 30ffffff7f0003616263",
        "a PUBLISH of QoS 3                    | 3605000161ffff",
        "a PUBLISH of QoS 1 without packet id  | 3203000161",
        "a PUBLISH of QoS 1 with packet id 0   | 32050001610000",
        "a topic with a wildcard               | 30030001232b",
        "a topic that is not UTF-8             | 30050002c3287b",
        "a topic with a zero                   | 30040001007b7d",
        "no topic                              | 3004000078787878",
        "an unexpected SUBACK                  | 9003ffff01",
        "a SUBACK without an id                | 9000",
        "an unexpected PUBACK                  | 4002ffff",
        "a PUBACK without an id                | 4000",
        "a PUBREC, PUBREL, PUBCOMP             | 50020009620200097002ffff",
        "an unexpected UNSUBACK                | b002ffff",
        "a PINGRESP with a body                | d0020000",
        "flags that must be 0                  | df00",
      })
  void aBadPacketEndsAtMostTheConnection(String name, String packet) throws IOException {
    byte[] bytes = HexFormat.of().parseHex(packet);
    try (RawBroker broker =
        brokerWith(
            session -> {
              session.write(bytes);
              session.write(push(2));
              while (true) {
                session.readPacket();
              }
            })) {
      exporter.start();
      // On the same connection or on the next one.
      page.eventuallyShows(device, "pd_soc", 2);
      page.eventuallyConnected(1);
      assertTrue(broker.connections() <= 2, () -> broker.connections() + " connections");
    }
  }

  /** Further bytes are read as the rest of the packet, so that pings remain without response. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        "an empty PUBLISH               | 3000",
        "a topic longer than its packet | 3004ffff6162",
        "a packet without an end        | 30ffff7f0003616263",
      })
  void anIncompletePacketCountsAsAnIdleConnection(String name, String packet) throws IOException {
    byte[] bytes = HexFormat.of().parseHex(packet);
    try (RawBroker broker =
        brokerWith(
            session -> {
              session.write(bytes);
              readAll(session);
            })) {
      exporter.start("MQTT_KEEPALIVE=1");
      page.eventuallyShows(device, "pd_soc", 2);
      assertTrue(broker.connections() > 1);
    }
  }

  /** 10 MB of repeated small packets. */
  @ParameterizedTest
  @ValueSource(strings = {"d000", "4002ffff", "9003ffff01", "62020009", "c000", "b002ffff"})
  void aFloodOfSmallPacketsIsHarmless(String packet) throws IOException {
    byte[] one = HexFormat.of().parseHex(packet);
    ByteArrayOutputStream flood = new ByteArrayOutputStream();
    while (flood.size() < 200_000) {
      flood.writeBytes(one);
    }
    try (RawBroker broker =
        brokerWith(
            session -> {
              Thread reader = new Thread(() -> readAll(session), "reader");
              reader.setDaemon(true);
              reader.start();
              for (int i = 0; i < 50; i++) {
                session.write(flood.toByteArray());
              }
              session.write(push(2));
            })) {
      exporter.start();
      page.eventuallyShows(device, "pd_soc", 2);
      page.eventuallyConnected(1);
      assertTrue(broker.connections() <= 2, () -> broker.connections() + " connections");
    }
  }

  private static void readAll(Session session) {
    try {
      while (true) {
        session.readPacket();
      }
    } catch (IOException e) {
      // The client has disconnected.
    }
  }

  /** The connection is idle until a packet is complete, so the keep-alive fails. */
  @Test
  void aSlowPacketCountsAsAnIdleConnection() throws IOException {
    byte[] packet = push(2);
    try (RawBroker broker =
        brokerWith(
            session -> {
              for (byte one : packet) {
                session.write(one);
                pause(500);
              }
              readAll(session);
            })) {
      exporter.start("MQTT_KEEPALIVE=1");
      eventually(() -> assertTrue(broker.connections() > 1, "connects again"));
      page.eventuallyShows(device, "pd_soc", 2);
    }
  }

  /** A packet in pieces is read while the broker responds to pings. */
  @Test
  void aPacketInPiecesIsRead() throws IOException {
    byte[] packet = push(2);
    try (RawBroker broker =
        brokerWith(
            session -> {
              for (byte one : packet) {
                session.write(one);
              }
            })) {
      exporter.start();
      page.eventuallyShows(device, "pd_soc", 2);
      assertEquals(1, broker.connections());
    }
  }

  /** Devices of other accounts: nothing is stored for them. */
  @Test
  void messagesOnOtherTopicsAreIgnored() throws IOException {
    byte[] body = "{\"params\":{\"pd.soc\":9}}".getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int i = 0; i < 20_000; i++) {
      all.writeBytes(Session.publish("/app/device/property/MADEUP" + i, body));
      all.writeBytes(Session.publish("/other/" + i, body));
    }
    try (RawBroker broker =
        brokerWith(
            session -> {
              session.write(all.toByteArray());
              session.write(push(2));
            })) {
      exporter.start();
      page.eventuallyShows(device, "pd_soc", 2);
      assertEquals(1, broker.connections());
      assertTrue(page.text().lines().noneMatch(line -> line.contains("MADEUP")));
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Random bytes in place of MQTT packets. */
  @Test
  void randomBytesOnlyEndTheConnection() throws IOException {
    byte[] bytes = new byte[100_000];
    new Random(20261129).nextBytes(bytes);
    List<byte[]> pieces = List.of(Arrays.copyOf(bytes, 3), bytes);
    try (RawBroker broker =
        brokerWith(
            session -> {
              for (byte[] piece : pieces) {
                session.write(piece);
              }
              readAll(session);
            })) {
      exporter.start();
      page.eventuallyShows(device, "pd_soc", 2);
      page.eventuallyConnected(1);
      assertTrue(broker.connections() >= 2);
    }
  }
}
