package ecoflow.values;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.testkit.RouteKit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Values on the page while some of their inputs have not arrived or were removed. */
class OrderOfMessagesTest {

  private static final String RIVER_3 = "R653ZORDER000001";
  private static final String WAVE_2 = "KT21ZORDER000001";
  private static final String DELTA_PRO_ULTRA = "Y711ZORDER000001";
  private static final String STREAM = "BK11ZORDER000001";
  private static final String METER = "BK21ZORDER000001";
  private static final String DELTA_PRO = "DCABZORDER000001";
  private static final String HOME_PANEL = "SP10ZORDER000001";

  private final AtomicLong clock = new AtomicLong(TimeUnit.DAYS.toNanos(1));

  private final RouteKit routes =
      RouteKit.load("quotas")
          .device(RIVER_3)
          .device(WAVE_2)
          .device(DELTA_PRO_ULTRA)
          .device(STREAM)
          .device(METER)
          .device(DELTA_PRO)
          .device(HOME_PANEL)
          .variable("MQTT_TIMEOUT", "86400")
          .clock(clock::get)
          .with("direct:full-pictures")
          .start();

  @AfterEach
  void end() {
    routes.close();
  }

  private void pass(long seconds) {
    clock.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
  }

  private void poll(String serial, Map<String, ?> values) {
    routes.send(
        "direct:quotas",
        values,
        Map.of("EcoflowDevice", serial, "EcoflowSource", "rest", "EcoflowFull", true));
  }

  /** NaN for an absent series. */
  private double shown(String serial, String name, String... labels) {
    return routes.page().of(serial, name, labels);
  }

  @Test
  void aCurrentWhoseUnitIsUnknownIsNotShown() {
    routes.send(RIVER_3, Map.of("bms_batt_amp", -1_650, "bms_batt_soc", 71));
    assertEquals(Double.NaN, shown(RIVER_3, "battery_pack_current_amperes", "pack=main"));
    assertEquals(Double.NaN, shown(RIVER_3, "battery_power_watts"));

    routes.send(RIVER_3, Map.of("bms_batt_vol", 25_250));
    assertEquals(-1.65, shown(RIVER_3, "battery_pack_current_amperes", "pack=main"));
    assertEquals(-41.6625, shown(RIVER_3, "battery_power_watts"));
  }

  @Test
  void aTemperatureWhoseUnitIsUnknownIsNotShown() {
    routes.send(WAVE_2, Map.of("pd.envTemp", 63.5));
    assertEquals(Double.NaN, shown(WAVE_2, "temperature_celsius", "sensor=ambient"));

    routes.send(WAVE_2, Map.of("pd.tempSys", 1));
    assertEquals(17.5, shown(WAVE_2, "temperature_celsius", "sensor=ambient"));

    routes.send(WAVE_2, Map.of("pd.tempSys", 0, "pd.envTemp", 17.5));
    assertEquals(17.5, shown(WAVE_2, "temperature_celsius", "sensor=ambient"));
  }

  @Test
  void theSumOfDeltaProUltraPacksIsNotAddedToEachPack() {
    routes.send(
        DELTA_PRO_ULTRA,
        Map.of(
            "bp_info[1].bp_no", 1,
            "bp_info[1].bp_pwr", -120,
            "bp_info[2].bp_no", 2,
            "bp_info[2].bp_pwr", -80));
    assertEquals(-200, shown(DELTA_PRO_ULTRA, "battery_power_watts"));

    routes.send(DELTA_PRO_ULTRA, Map.of("backend.bat_vol", 100, "backend.bat_amp", -2.1));
    assertEquals(-210, shown(DELTA_PRO_ULTRA, "battery_power_watts"));

    routes.send(
        DELTA_PRO_ULTRA, Map.of("backend.bms_input_watts", 0, "backend.bms_output_watts", 215));
    assertEquals(-215, shown(DELTA_PRO_ULTRA, "battery_power_watts"));
  }

  @Test
  void theBatteryPowerOfAHomePanelIsCounted() {
    routes.send(
        HOME_PANEL,
        Map.of(
            "heartbeat.energyInfos[0].stateBean.isConnect", 1,
            "heartbeat.energyInfos[0].batteryPercentage", 62,
            "heartbeat.energyInfos[0].lcdInputWatts", 0,
            "heartbeat.energyInfos[0].outputPower", 500,
            "heartbeat.energyInfos[1].stateBean.isConnect", 0,
            "heartbeat.energyInfos[1].lcdInputWatts", 0,
            "heartbeat.energyInfos[1].outputPower", 300));
    assertEquals(-500, shown(HOME_PANEL, "battery_power_watts"));
    pass(60);
    assertEquals(
        30_000, shown(HOME_PANEL, "battery_discharge_energy_joules_total", "origin=computed"));

    routes.send(HOME_PANEL, Map.of("heartbeat.energyInfos[0].stateBean.isConnect", 0));
    assertEquals(Double.NaN, shown(HOME_PANEL, "battery_power_watts"));
    pass(600);
    routes.send(HOME_PANEL, Map.of("heartbeat.energyInfos[0].stateBean.isConnect", 1));
    assertEquals(-500, shown(HOME_PANEL, "battery_power_watts"));
    assertEquals(
        30_000, shown(HOME_PANEL, "battery_discharge_energy_joules_total", "origin=computed"));
  }

  @Test
  void thePowerOfAHomeIsShownAndCountedImmediately() {
    routes.send(
        STREAM, Map.of("cms_batt_soc", 50, "pow_get_sys_grid", 26_000, "pow_get_sys_load", 26_000));
    assertEquals(26_000, shown(STREAM, "grid_power_watts"));
    assertEquals(26_000, shown(STREAM, "home_load_power_watts"));
    routes.send(METER, Map.of("pow_get_sys_grid", 43_000));
    assertEquals(43_000, shown(METER, "grid_power_watts"));
    pass(10);
    assertEquals(260_000, shown(STREAM, "grid_import_energy_joules_total", "origin=computed"));
    assertEquals(430_000, shown(METER, "grid_import_energy_joules_total", "origin=computed"));
  }

  @Test
  void anUnchangedPollDoesNotConfirmAValue() {
    Map<String, Number> glitch =
        Map.of("pd.chgPowerAc", 4_000_000, "pd.wattsInSum", 12_500, "pd.wifiRssi", -50);
    routes.send(
        DELTA_PRO, Map.of("pd.chgPowerAc", 444_762, "pd.wattsInSum", 300, "pd.wifiRssi", -50));
    // A poll soon after a push does not replace its values.
    pass(3_600);
    for (int i = 0; i < 3; i++) {
      poll(DELTA_PRO, glitch);
      assertEquals(
          444_762 * 3600.0,
          shown(DELTA_PRO, "port_input_energy_joules_total", "port=ac_in"),
          "poll " + i);
      assertEquals(Double.NaN, shown(DELTA_PRO, "input_power_watts"), "poll " + i);
    }
    poll(DELTA_PRO, Map.of("pd.chgPowerAc", 444_770, "pd.wattsInSum", 310, "pd.wifiRssi", -50));
    assertEquals(
        444_770 * 3600.0, shown(DELTA_PRO, "port_input_energy_joules_total", "port=ac_in"));
    assertEquals(310, shown(DELTA_PRO, "input_power_watts"));

    // A poll with other values is a second message.
    poll(DELTA_PRO, Map.of("pd.chgPowerAc", 4_000_000, "pd.wifiRssi", -50));
    poll(DELTA_PRO, Map.of("pd.chgPowerAc", 4_000_000, "pd.wifiRssi", -51));
    assertEquals(
        4_000_000 * 3600.0, shown(DELTA_PRO, "port_input_energy_joules_total", "port=ac_in"));
  }

  @Test
  void aLeaderBecomesAMemberAndLeadsAgain() {
    Map<String, Integer> leads =
        Map.of(
            "cms_batt_soc", 50,
            "bms_batt_soc", 48,
            "pow_get_bp_cms", -400,
            "pow_get_sys_grid", 100,
            "pow_get_sys_load", 500,
            "pow_get_pv_sum", 0);
    Map<String, Integer> follows =
        Map.of(
            "cms_batt_soc", 0,
            "bms_batt_soc", 47,
            "pow_get_bp_cms", 0,
            "pow_get_sys_grid", 0,
            "pow_get_sys_load", 0,
            "pow_get_pv_sum", 0);
    for (int i = 0; i < 2; i++) {
      routes.send(STREAM, leads);
      assertEquals(0.5, shown(STREAM, "battery_charge_ratio"));
      assertEquals(-400, shown(STREAM, "battery_power_watts"));
      assertEquals(100, shown(STREAM, "grid_power_watts"));
      assertEquals(0, shown(STREAM, "solar_power_watts"));
      pass(10);
      routes.send(STREAM, follows);
      assertEquals(0.47, shown(STREAM, "battery_charge_ratio"));
      for (String name :
          List.of(
              "battery_power_watts",
              "grid_power_watts",
              "home_load_power_watts",
              "solar_power_watts",
              "grid_import_energy_joules_total",
              "battery_time_to_empty_seconds")) {
        assertEquals(Double.NaN, shown(STREAM, name), name);
      }
      pass(600);
    }
    routes.send(STREAM, leads);
    // 100 W for 10 s, twice, and nothing while another unit was the leader.
    assertEquals(2_000, shown(STREAM, "grid_import_energy_joules_total", "origin=computed"));
  }

  @Test
  void countersContinueWhenAPackReturns() {
    Map<String, Integer> pack =
        Map.of(
            "bmsMaster.vol", 50_000,
            "bmsMaster.amp", 2_000,
            "bmsSlave1.vol", 50_000,
            "bmsSlave1.amp", 4_000,
            "bmsSlave1.f32ShowSoc", 60,
            "bmsSlave1.cycles", 31);
    routes.send(DELTA_PRO, pack);
    assertEquals(300, shown(DELTA_PRO, "battery_power_watts"), "before the condition arrives");
    routes.send(DELTA_PRO, Map.of("ems.bms1Online", 0));
    assertEquals(100, shown(DELTA_PRO, "battery_power_watts"));
    assertTrue(
        routes.page().linesOf(DELTA_PRO).stream().noneMatch(line -> line.contains("pack=\"1\"")));
    pass(60);
    routes.send(DELTA_PRO, Map.of("ems.bms1Online", 3));
    assertEquals(300, shown(DELTA_PRO, "battery_power_watts"));
    assertEquals(31, shown(DELTA_PRO, "battery_pack_cycles_total", "pack=1"));
    assertEquals(6_000, shown(DELTA_PRO, "battery_charge_energy_joules_total", "origin=computed"));
    // A string in place of the condition removes it; a boolean is a number.
    routes.send(DELTA_PRO, Map.of("ems.bms1Online", false));
    assertEquals(100, shown(DELTA_PRO, "battery_power_watts"));
    routes.send(DELTA_PRO, Map.of("ems.bms1Online", true));
    assertEquals(300, shown(DELTA_PRO, "battery_power_watts"));
  }
}
