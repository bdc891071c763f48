package ecoflow.sink;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.HomeAssistant;
import ecoflow.testkit.KafkaBroker;
import ecoflow.testkit.Mosquitto;
import ecoflow.testkit.PostgresServer;
import ecoflow.testkit.RedisServer;
import ecoflow.testkit.SinkRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * The sinks of examples/routes with real servers, in the packaged jar. Each starts while its server
 * is down, and then sees it start, stop and start again.
 */
class SinkServersIT {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String GARAGE = "R331ZSINKS000001";

  private final SimulatedDevice garage =
      new SimulatedDevice(GARAGE, "Gar\\age, \"A\" = 1", "DELTA 2", WireFormat.JSON);

  @RegisterExtension final CloudExtension clouds = new CloudExtension(garage);

  @TempDir private Path directory;
  private SinkRun run;
  private AutoCloseable server = () -> {};

  private void sink(String name) {
    run = new SinkRun(directory, clouds.cloud(), name);
  }

  @AfterEach
  void end() throws Exception {
    try {
      if (run != null) {
        run.close();
      }
    } finally {
      server.close();
    }
  }

  /** Waits for the gauge, which a missing server must not delay. */
  private void push(double soc) {
    garage.push(Map.of("pd.soc", soc));
    run.jar().page().eventuallyShows(garage, "pd_soc", soc);
  }

  private void pushOffline() {
    garage.publishStatus("{\"params\":{\"status\":0}}");
  }

  private void assertNoSecret(String secret) {
    assertFalse(String.join("\n", run.jar().log()).contains(secret));
  }

  private static String last(List<String> lines) {
    return lines.get(lines.size() - 1);
  }

  @Nested
  class HomeAssistantSink {

    private HomeAssistant homeAssistant(Mosquitto broker) throws Exception {
      return new HomeAssistant(broker.port(), "house", "house");
    }

    private static String id(String key) {
      return "ecoflow_" + GARAGE + "_" + key;
    }

    private void awaitState(HomeAssistant house, String key, String state) {
      eventually(() -> assertEquals(Optional.of(state), house.state(id(key))));
    }

    @Test
    void homeAssistantFindsEachSeriesAndFollowsIt() throws Exception {
      assumeTrue(Mosquitto.isInstalled(), "mosquitto is not installed");
      Mosquitto broker = Mosquitto.plain(directory.resolve("mosquitto"));
      server = broker;
      String password = "p&ss+word 100%";
      broker.setPassword("house", "house");
      broker.setPassword("ecoflow", password);
      sink("home-assistant-mqtt");
      run.start(
          "HOME_ASSISTANT_BROKER=tcp://127.0.0.1:" + broker.port(),
          "HOME_ASSISTANT_USER=ecoflow",
          "HOME_ASSISTANT_PASSWORD=" + password,
          "HOME_ASSISTANT_DISCOVERY=1000");
      push(81);

      broker.start();
      try (HomeAssistant house = homeAssistant(broker)) {
        awaitState(house, "pd-soc", "81.0");
        push(80);
        awaitState(house, "pd-soc", "80.0");
        // The charge of an absent battery, in addition to a known one of the device.
        garage.push(Map.of("bms_slave.soc", 0, "bms_emsStatus.f32LcdShowSoc", 80));
        awaitState(house, "bms_slave-soc", "unavailable");
        garage.push(Map.of("bms_emsStatus.f32LcdShowSoc", 0));
        awaitState(house, "bms_slave-soc", "0.0");
        garage.push(
            Map.of(
                "pd.wattsOutSum",
                5,
                "bms_bmsStatus.temp",
                21,
                "bms_bmsStatus.cellVol",
                List.of(3300, 3301),
                "it's",
                1,
                "mppt.inWatts",
                1234,
                "pd.chgSocMax",
                90));
        awaitState(house, "bms_bmsStatus-cellVol-1-", "3301.0");
        awaitState(house, "it-s", "1.0");

        JsonNode sensor = house.sensors().get(id("pd-soc"));
        assertEquals(
            JSON.readTree(
                """
              {"name": "pd.soc", "unique_id": "ecoflow_SN_pd-soc",
               "state_topic": "ecoflow/SN/state",
               "value_template": "{{ value_json['pd.soc'] | default }}",
               "availability": [
                 {"topic": "ecoflow/SN/availability"},
                 {"topic": "ecoflow/SN/state",
                  "value_template": "{{ 'online' if 'pd.soc' in value_json and \
              (value_json['pd.soc'] or not value_json['battery_charge_ratio'] | default(1)) \
              else 'offline' }}"}],
               "availability_mode": "all", "expire_after": 60, "state_class": "measurement",
               "device_class": "battery", "unit_of_measurement": "%",
               "device": {"identifiers": "ecoflow_SN", "name": "Gar\\\\age, \\"A\\" = 1",
                 "model": "DELTA 2", "manufacturer": "EcoFlow", "serial_number": "SN"}}
              """
                    .replace("SN", GARAGE)),
            sensor);
        awaitState(house, "output_power_watts", "5.0");
        assertEquals("power W", kind(house, "output_power_watts"));
        assertEquals(
            "temperature °C", kind(house, "battery_pack_temperature_celsius-pack--main--"));
        String energy = "output_energy_joules_total-origin--computed--";
        assertEquals("energy J", kind(house, energy));
        JsonNode counter = house.sensors().get(id(energy));
        assertEquals("total_increasing", counter.path("state_class").asText());
        assertEquals("power W", kind(house, "pd-wattsOutSum"));
        assertEquals("temperature °C", kind(house, "bms_bmsStatus-temp"));
        assertEquals("voltage mV", kind(house, "bms_bmsStatus-cellVol-0-"));
        assertEquals(" ", kind(house, "mppt-inWatts"));
        assertEquals(" ", kind(house, "pd-chgSocMax"));

        garage.push(Collections.singletonMap("pd.wattsOutSum", null));
        awaitState(house, "pd-wattsOutSum", "unavailable");
        assertEquals(Optional.of("80.0"), house.state(id("pd-soc")));
        pushOffline();
        awaitState(house, "pd-soc", "unavailable");
        eventually(
            () -> assertEquals("offline", house.payload("ecoflow/" + GARAGE + "/availability")));
        push(79);
        awaitState(house, "pd-soc", "79.0");
      }
      // After a restart, Home Assistant only gets the retained messages of the broker.
      try (HomeAssistant house = homeAssistant(broker)) {
        awaitState(house, "pd-soc", "79.0");
      }

      // Without persistence, the broker loses all retained messages.
      broker.kill();
      push(78);
      broker.start();
      try (HomeAssistant house = homeAssistant(broker)) {
        awaitState(house, "pd-soc", "78.0");
      }
      run.terminateCleanly();
      assertNoSecret(password);
    }

    private static String kind(HomeAssistant house, String key) {
      JsonNode sensor = house.sensors().get(id(key));
      return sensor.path("device_class").asText()
          + " "
          + sensor.path("unit_of_measurement").asText();
    }
  }

  @Nested
  class PostgresqlSink {

    private static final String ROWS =
        "SELECT device, key, value FROM ecoflow ORDER BY time, value IS NULL, key";

    @Test
    void postgresqlHasARowForEachChange() {
      assumeTrue(PostgresServer.isInstalled(), "postgresql is not installed");
      PostgresServer postgres = new PostgresServer();
      server = postgres;
      sink("postgresql");
      String[] variables = {
        "POSTGRES_URL=" + postgres.url(),
        "POSTGRES_USER=" + PostgresServer.USER,
        "POSTGRES_PASSWORD=" + PostgresServer.PASSWORD
      };
      assertEquals("exit code 0", last(run.validate(variables)));
      run.start(variables);
      push(81);
      postgres.start();
      List<String> rows = new ArrayList<>(List.of(GARAGE + "|pd.soc|81"));
      awaitRows(postgres, rows);

      garage.push(Map.of("it's a \"key\", = {1}", -1.5, "cells", List.of(3, 4)));
      rows.add(GARAGE + "|cells[0]|3");
      rows.add(GARAGE + "|cells[1]|4");
      rows.add(GARAGE + "|it's a \"key\", = {1}|-1.5");
      awaitRows(postgres, rows);
      assertEquals(
          run.jar().page().lastUpdate(garage),
          Double.parseDouble(
              postgres.query("SELECT extract(epoch FROM max(time)) FROM ecoflow").get(0)),
          0.001);
      garage.push(Collections.singletonMap("cells", null));
      rows.add(GARAGE + "|cells[0]|");
      rows.add(GARAGE + "|cells[1]|");
      awaitRows(postgres, rows);

      postgres.stop();
      push(80);
      postgres.start();
      rows.add(GARAGE + "|pd.soc|80");
      awaitRows(postgres, rows);
      run.terminateCleanly();
      assertNoSecret(PostgresServer.PASSWORD);
    }

    private static void awaitRows(PostgresServer postgres, List<String> rows) {
      eventually(
          () -> {
            assertEquals(List.of("t"), postgres.query("SELECT to_regclass('ecoflow') IS NOT NULL"));
            assertEquals(rows, postgres.query(ROWS));
          });
    }
  }

  @Nested
  class RedisSink {

    @Test
    void redisHasAHashForEachDeviceAndPublishesChanges() {
      assumeTrue(RedisServer.isInstalled(), "redis-server is not installed");
      RedisServer redis = new RedisServer(directory);
      server = redis;
      sink("redis");
      String[] variables = {
        "REDIS_HOST=127.0.0.1",
        "REDIS_PORT=" + redis.port(),
        "REDIS_PASSWORD=" + RedisServer.PASSWORD
      };
      assertEquals("exit code 0", last(run.validate(variables)));
      run.start(variables);
      garage.push(Map.of("pd.soc", 81, "it's a \"key\"", 1));
      run.jar().page().eventuallyShows(garage, "pd_soc", 81);
      redis.start();
      String hash = "ecoflow:" + GARAGE;
      eventually(
          () -> {
            assertEquals(List.of("81.0"), redis.execute("HGET", hash, "pd.soc"));
            assertEquals(List.of("1.0"), redis.execute("HGET", hash, "it's a \"key\""));
          });
      long seconds = Long.parseLong(redis.execute("TTL", hash).get(0));
      assertTrue(seconds > 0 && seconds <= 60, "" + seconds);

      ChildProcess subscriber = redis.subscribe("ecoflow:changes");
      push(80);
      eventually(
          () -> {
            JsonNode change = JSON.readTree(subscriber.lines().get(subscriber.lines().size() - 1));
            assertEquals(GARAGE, change.path("device").asText());
            assertEquals(JSON.readTree("{\"pd.soc\":80.0}"), change.path("values"));
          });
      garage.push(Collections.singletonMap("it's a \"key\"", null));
      eventually(
          () ->
              assertEquals(
                  List.of("pd.soc", "80.0"), redis.execute("HGETALL", hash), "one was removed"));
      pushOffline();
      eventually(() -> assertEquals(List.of("0"), redis.execute("EXISTS", hash)));

      redis.kill();
      push(79);
      redis.start();
      eventually(() -> assertEquals(List.of("79.0"), redis.execute("HGET", hash, "pd.soc")));
      run.terminateCleanly();
      assertNoSecret(RedisServer.PASSWORD);
    }
  }

  @Nested
  class KafkaSink {

    @Test
    void kafkaHasARecordForEachChange() {
      KafkaBroker kafka = new KafkaBroker(directory);
      server = kafka;
      sink("kafka");
      String[] variables = {"KAFKA_BROKERS=" + kafka.address(), "KAFKA_TOPIC=power"};
      assertEquals("exit code 0", last(run.validate(variables)));
      run.start(variables);
      push(81);
      kafka.start();
      push(80);
      pushOffline();
      ChildProcess consumer = kafka.consume("power");
      eventually(() -> assertEquals(3, records(consumer).size()));
      JsonNode first = value(consumer, 0);
      assertEquals("R331ZSINKS000001", first.path("device").asText());
      assertEquals("Gar\\age, \"A\" = 1", first.path("name").asText());
      assertEquals(Map.of("pd.soc", 81.0), JSON.convertValue(first.path("values"), Map.class));
      assertTrue(value(consumer, 2).path("values").path("pd.soc").isNull());
      assertFalse(value(consumer, 2).path("online").asBoolean());

      kafka.kill();
      push(79);
      kafka.start();
      ChildProcess again = kafka.consume("power");
      eventually(() -> assertEquals(4, records(again).size()));
      assertEquals(79, value(again, 3).path("values").path("pd.soc").asDouble());
      run.terminateCleanly();
    }

    /** The headers, key and value of each record; a consumer also prints its log. */
    private static List<String> records(ChildProcess consumer) {
      return consumer.lines().stream().filter(line -> line.contains("\t")).toList();
    }

    private static JsonNode value(ChildProcess consumer, int number) {
      String[] parts = records(consumer).get(number).split("\t");
      assertEquals(List.of("NO_HEADERS", GARAGE), List.of(parts).subList(0, 2));
      try {
        return JSON.readTree(parts[2]);
      } catch (java.io.IOException e) {
        throw new AssertionError(parts[2], e);
      }
    }
  }
}
