package ecoflow.modes;

import static ecoflow.cloud.ApiPath.QUOTA;
import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages that mark a device online although it sends little or rarely. */
class SignsOfLifeTest {

  private static final String PHASE = "{\"vol\":229.5,\"amp\":2,\"actPwr\":-459}";

  @RegisterExtension
  final ExporterExtension exporter = ExporterExtension.rest("ECOFLOW_METRICS=both");

  private final Page page = exporter.page();

  private SimulatedDevice device(String serial, String product, Map<String, ?> quotas) {
    SimulatedDevice device =
        new SimulatedDevice(serial, serial, product, WireFormat.JSON).set(quotas);
    exporter.cloud().add(device);
    return device;
  }

  private SimulatedDevice powerKit() {
    // A BMS and a battery of a Power Kit, with published keys and values.
    return device(
        "M106ZTEXTS000001",
        "Power Kits",
        Map.of(
            "bbcout",
            "{\"M109ZSIM00000001\": {\"dsgEnergy\": 78219, \"ldOutCurr\": 3625,"
                + " \"ldOutWatts\": 95, \"workMode\": 2, \"errCode\": 15000}}",
            "bp5000",
            "{\"M102ZSIM00000002\": {\"soc\": 80, \"vol\": 51200, \"amp\": -1850,"
                + " \"inWatts\": 0, \"outWatts\": -95, \"totalSoc\": 80}}"));
  }

  @Test
  void aPollWithOnlyStringsMarksTheDeviceOnline() {
    SimulatedDevice kit = powerKit();
    exporter.start();
    page.eventuallyShows(kit, "battery_charge_ratio", 0.8);
    assertEquals(0.8, page.of(kit, "battery_pack_charge_ratio", "pack=1"));
    assertEquals(95, page.of(kit, "port_output_power_watts", "port=dc_out"));
    assertTrue(page.lastUpdate(kit) > 0);
  }

  @Test
  void withRawMetricsTheDeviceIsOnlineWithoutValues() {
    SimulatedDevice kit = powerKit();
    exporter.start("ECOFLOW_METRICS=raw");
    eventually(() -> assertTrue(page.lastUpdate(kit) > 0));
    assertEquals(List.of(), page.namesOf(kit));
    assertEquals(1, page.of(kit, "online"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"both", "raw"})
  void aPushWithOnlyStringsMarksTheDeviceOnline(String metrics) {
    SimulatedDevice ocean = device("HJ31ZTEXTS000001", "PowerOcean", Map.of());
    SimulatedDevice words = device("HJ31ZTEXTS000002", "PowerOcean", Map.of());
    exporter.startIn("mqtt", "ECOFLOW_METRICS=" + metrics, "MQTT_TIMEOUT=3600");
    page.eventuallyConnected(1);
    eventually(
        () -> {
          words.push(Map.of("version", "1.2", "empty", "{}", "names", "{\"a\":\"b\",\"c\":null}"));
          ocean.push(Map.of("pcsAPhase", PHASE));
          assertEquals(1, page.of(ocean, "online"));
        });
    double expected = metrics.equals("raw") ? Double.NaN : 229.5;
    assertEquals(expected, page.of(ocean, "grid_phase_voltage_volts", "phase=a"));
    assertEquals(0, page.of(words, "online"), "strings without values");
  }

  @Test
  void aStringWithValuesReplacesADroppedBody() {
    SimulatedDevice ocean = device("HJ31ZTEXTS000001", "PowerOcean", Map.of());
    exporter.startIn("mqtt", "MQTT_TIMEOUT=3600");
    page.eventuallyConnected(1);
    String text = PHASE.replace("\"", "\\\"");
    eventually(
        () -> {
          ocean.publish("{\"params\":[],\"pcsAPhase\":\"" + text + "\"}");
          assertEquals(229.5, page.of(ocean, "grid_phase_voltage_volts", "phase=a"));
        });
    assertEquals(0, page.mqttErrors());
  }

  /** Polls of these devices return {}, and each push contains only changes. */
  @ParameterizedTest
  @ValueSource(strings = {"BK01ZSELDOM00001", "R351ZSELDOM00001"})
  void rarePushesRemainIfPollsReturnNothing(String serial) {
    SimulatedDevice micro = device(serial, "", Map.of());
    exporter.startIn("open", "MQTT_TIMEOUT=0.1");
    page.eventuallyConnected(1);
    eventually(
        () -> {
          micro.publishOpen(
              "{\"powGetPv\":120,\"powGetPv2\":110,\"gridConnectionPower\":228,\"type\":\"x\"}");
          assertEquals(120, page.of(micro, "pow_get_pv"));
        });
    // Longer than MQTT_TIMEOUT and three polls.
    int polls = exporter.cloud().requests(QUOTA, micro).size();
    eventually(() -> assertTrue(exporter.cloud().requests(QUOTA, micro).size() > polls + 6));

    micro.publishOpen("{\"powGetPv\":121}");
    page.eventuallyShows(micro, "pow_get_pv", 121);
    assertEquals(110, page.of(micro, "pow_get_pv2"));
    assertEquals(228, page.of(micro, "grid_connection_power"));
    assertEquals(1, page.of(micro, "online"));

    micro.setOnline(false);
    page.eventuallyShows(micro, "online", 0);
    assertEquals(List.of(), page.namesOf(micro));
  }

  @Test
  void aConnectionIsNotIdleWhileSilenceIsNormal() {
    SimulatedDevice wallbox = device("C101ZSELDOM00001", "", Map.of());
    exporter.startIn("mqtt", "MQTT_TIMEOUT=0.3", "IDLE_CHECK_INTERVAL=0.1");
    page.eventuallyConnected(1);
    eventually(
        () -> {
          wallbox.push(Map.of("charge_power", 7000));
          assertEquals(7000, page.of(wallbox, "charge_power"));
        });
    // The collection interval is 0.3 s.
    page.eventuallyScrapes(wallbox, "success", page.scrapes(wallbox, "success") + 5);
    assertEquals(1, exporter.cloud().connects().size());
    assertEquals(7000, page.of(wallbox, "charge_power"));

    wallbox.publishStatus("{\"params\":{\"status\":0}}");
    page.eventuallyShows(wallbox, "online", 0);
    assertFalse(page.text().contains("charge_power"));
    eventually(() -> assertTrue(exporter.cloud().connects().size() > 1, "no online device"));
  }
}
