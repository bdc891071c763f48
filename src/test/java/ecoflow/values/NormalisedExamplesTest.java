package ecoflow.values;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.TestFrames;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The normalised series of very different devices. Frames are recorded; the quotas of JSON devices
 * are derived from values that such devices display.
 */
class NormalisedExamplesTest {

  private static final String OPEN_METRICS = "application/openmetrics-text";

  private static final SimulatedDevice DELTA_PRO = json("DCABZTEST0000001");
  private static final SimulatedDevice DELTA_2 = json("R331TEST00000001");
  private static final SimulatedDevice DELTA_3 = json("P231TEST00000001");
  private static final SimulatedDevice DELTA_3_PLUS = frames("P351TEST00000001");
  private static final SimulatedDevice POWERSTREAM = frames("HW51TEST00000001");
  private static final SimulatedDevice POWEROCEAN = frames("R374TEST00000001");
  private static final SimulatedDevice STREAM_5000 = frames("ES21TEST00000001");
  private static final SimulatedDevice RIVER_3 = json("R651TEST00000001");
  private static final SimulatedDevice UNKNOWN = json("XX99TEST00000001");

  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.mqtt(
              "ECOFLOW_METRICS=both",
              // Each value is sent only once.
              "MQTT_TIMEOUT=3600",
              "ECOFLOW_DEVICE_SN="
                  + String.join(
                      ",",
                      List.of(
                          DELTA_PRO.serial(),
                          DELTA_2.serial(),
                          DELTA_3.serial(),
                          DELTA_3_PLUS.serial(),
                          POWERSTREAM.serial(),
                          POWEROCEAN.serial(),
                          STREAM_5000.serial(),
                          RIVER_3.serial(),
                          UNKNOWN.serial())))
          .with(
              DELTA_PRO,
              DELTA_2,
              DELTA_3,
              DELTA_3_PLUS,
              POWERSTREAM,
              POWEROCEAN,
              STREAM_5000,
              RIVER_3,
              UNKNOWN)
          .startedAtOnce();

  private static final Page page = exporter.page();

  private static SimulatedDevice json(String serial) {
    return new SimulatedDevice(serial, null, null, WireFormat.JSON);
  }

  private static SimulatedDevice frames(String serial) {
    return new SimulatedDevice(serial, null, null, WireFormat.PROTOBUF_PLAIN);
  }

  @BeforeAll
  static void push() {
    page.eventuallyConnected(1);
    DELTA_PRO.push(
        """
        {"bmsMaster.f32ShowSoc": 37.82, "bmsMaster.soc": 38, "bmsMaster.soh": 0,
         "bmsMaster.vol": 49285, "bmsMaster.amp": -4591, "bmsMaster.temp": 27,
         "bmsMaster.minCellTemp": 26, "bmsMaster.maxCellTemp": 27, "bmsMaster.minCellVol": 3279,
         "bmsMaster.maxCellVol": 3286, "bmsMaster.cycles": 34, "bmsMaster.remainCap": 18153,
         "bmsMaster.fullCap": 48000, "bmsMaster.designCap": 80000,
         "ems.f32LcdShowSoc": 37.8, "ems.lcdShowSoc": 38, "ems.chgRemainTime": 5999,
         "ems.dsgRemainTime": 240, "ems.maxChargeSoc": 100, "ems.minDsgSoc": 5,
         "inv.inputWatts": 0, "inv.outputWatts": 155, "inv.acInVol": 0, "inv.acInAmp": 0,
         "inv.acInFreq": 0, "inv.invOutVol": 230200, "inv.invOutAmp": 1390,
         "inv.invOutFreq": 50, "inv.outTemp": 29, "inv.cfgAcEnabled": 1,
         "mppt.inWatts": 0, "mppt.inVol": 48, "mppt.inAmp": 0, "mppt.mpptTemp": 25,
         "mppt.carOutWatts": 0, "pd.wattsInSum": 0, "pd.wattsOutSum": 155, "pd.soc": 38,
         "pd.chgPowerAc": 444762, "pd.chgPowerDc": 0, "pd.chgSunPower": 37064,
         "pd.dsgPowerAc": 411377, "pd.dsgPowerDc": 508, "pd.wifiRssi": 0}
        """);
    DELTA_2.push(
        """
        {"bms_bmsStatus.f32ShowSoc": 85.02, "bms_bmsStatus.soh": 100, "bms_bmsStatus.vol": 52990,
         "bms_bmsStatus.amp": -450, "bms_bmsStatus.temp": 27, "bms_bmsStatus.minCellTemp": 25,
         "bms_bmsStatus.maxCellTemp": 27, "bms_bmsStatus.minCellVol": 3312,
         "bms_bmsStatus.maxCellVol": 3312, "bms_bmsStatus.cycles": 4,
         "bms_bmsStatus.remainCap": 17141, "bms_bmsStatus.fullCap": 20000,
         "bms_emsStatus.f32LcdShowSoc": 85, "bms_emsStatus.lcdShowSoc": 86,
         "bms_emsStatus.chgRemainTime": 5999, "bms_emsStatus.dsgRemainTime": 1765,
         "bms_emsStatus.maxChargeSoc": 50, "bms_emsStatus.minDsgSoc": 0, "inv.inputWatts": 0,
         "inv.outputWatts": 43, "inv.acInVol": 228700, "inv.acInFreq": 50, "inv.invOutVol": 229100,
         "inv.invOutAmp": 344, "inv.invOutFreq": 50, "inv.outTemp": 39, "mppt.inWatts": 0,
         "mppt.inVol": 1400, "mppt.mpptTemp": 32, "pd.bpPowerSoc": 40, "pd.wattsInSum": 0,
         "pd.wattsOutSum": 43, "pd.chgPowerAC": 0, "pd.dsgPowerAC": 0, "pd.chgSunPower": 0}
        """);
    DELTA_3.push(
        """
        {"f32ShowSoc": 99.1, "soh": 100, "vol": 53245, "amp": -43, "temp": 32, "minCellTemp": 31,
         "maxCellTemp": 32, "minCellVol": 3326, "maxCellVol": 3330, "cycles": 3,
         "remainCap": 19821, "fullCap": 20000, "inputWatts": 0, "outputWatts": 2,
         "accuChgEnergy": 3329, "accuDsgEnergy": 2054, "cmsBattSoc": 99.1,
         "cmsBattFullEnergy": 1024, "cmsChgRemTime": 5939, "cmsDsgRemTime": 5939,
         "cmsMaxChgSoc": 100, "cmsMinDsgSoc": 0, "backupReverseSoc": 100, "powGetBms": -2.0,
         "powInSumW": 198, "powOutSumW": 198, "powGetAcIn": 198.4, "powGetAcOut": -198.4,
         "plugInInfoAcInVol": 118.1, "plugInInfoAcInAmp": 0.354, "plugInInfoAcInFeq": 60,
         "plugInInfoAcOutVol": 0.0, "plugInInfoAcOutAmp": 0.0, "powGetPv": 0, "powGetPv2": 0,
         "tempPcsAc": 37, "tempPcsDc": 35, "tempPv": 35, "tempPv2": 36, "flowInfoAcOut": 14}
        """);
    DELTA_3_PLUS.publish(TestFrames.recorded("delta3plus-get-reply.hex"));
    POWERSTREAM.publish(TestFrames.recorded("powerstream-20-1.hex"));
    POWEROCEAN.publish(TestFrames.recorded("powerocean-plus-get-all.hex"));
    STREAM_5000.publish(TestFrames.recorded("stream5000-32-2.hex"));
    STREAM_5000.publish(TestFrames.recorded("stream5000-32-50.hex"));
    STREAM_5000.publish(TestFrames.recorded("stream5000-254-39.hex"));
    RIVER_3.push(
        """
        {"cmsBattSoc": 38.2, "powGetBms": -41.7, "bmsBattVol": 25250, "bmsBattAmp": -1650,
         "powOutSumW": 38, "powGetAcOut": -38, "flowInfoAcOut": 14, "cmsDsgRemTime": 130,
         "v1p0": {"maxChargeSoc": 100}, "displayStatisticsSum": {"listInfo": [
             {"statisticsObject": 2, "statisticsContent": 44137},
             {"statisticsObject": 6, "statisticsContent": 355}]}}
        """);
    UNKNOWN.push("{\"pd.soc\": 50, \"inv.outputWatts\": 3}");
    // Messages are processed in order.
    exporter.settle(UNKNOWN);
  }

  /** Each line contains a name, its labels, and the value, or "-" for an absent series. */
  private static void assertShows(SimulatedDevice device, String lines) {
    lines
        .lines()
        .forEach(
            line -> {
              String[] words = line.strip().split(" +");
              String[] labels = Arrays.copyOfRange(words, 1, words.length - 1);
              String value = words[words.length - 1];
              assertEquals(
                  value.equals("-") ? Double.NaN : Double.parseDouble(value),
                  page.of(device, words[0], labels),
                  1e-6,
                  line);
            });
  }

  @Test
  void deltaPro() {
    assertShows(
        DELTA_PRO,
        """
        battery_charge_ratio 0.378
        battery_power_watts -226.267435
        battery_pack_charge_ratio pack=main 0.3782
        battery_pack_voltage_volts pack=main 49.285
        battery_pack_current_amperes pack=main -4.591
        battery_pack_temperature_celsius pack=main 27
        battery_pack_cell_temperature_min_celsius pack=main 26
        battery_pack_cell_temperature_max_celsius pack=main 27
        battery_pack_cell_voltage_min_volts pack=main 3.279
        battery_pack_cell_voltage_max_volts pack=main 3.286
        battery_pack_health_ratio -
        battery_pack_cycles_total pack=main 34
        battery_pack_remaining_capacity_coulombs pack=main 65350.8
        battery_pack_full_capacity_coulombs pack=main 172800
        battery_time_to_full_seconds -
        battery_time_to_empty_seconds 14400
        battery_charge_limit_ratio 1
        battery_discharge_limit_ratio 0.05
        input_power_watts 0
        output_power_watts 155
        port_input_power_watts port=ac_in 0
        port_voltage_volts port=ac_in 0
        port_frequency_hertz port=ac_in 0
        port_output_power_watts port=ac_out 155
        port_voltage_volts port=ac_out 230.2
        port_current_amperes port=ac_out 1.39
        port_frequency_hertz port=ac_out 50
        port_enabled port=ac_out 1
        port_input_power_watts port=solar_1 0
        port_voltage_volts port=solar_1 4.8
        solar_power_watts 0
        temperature_celsius sensor=inverter 29
        temperature_celsius sensor=mppt_1 25
        wifi_signal_dbm -
        port_input_energy_joules_total port=ac_in origin=device 1601143200
        port_input_energy_joules_total port=dc_in -
        solar_energy_joules_total origin=device 133430400
        port_output_energy_joules_total port=ac_out origin=device 1480957200
        port_output_energy_joules_total port=dc_out origin=device 1828800
        """);
  }

  @Test
  void delta2() {
    assertShows(
        DELTA_2,
        """
        battery_charge_ratio 0.85
        battery_power_watts -23.8455
        battery_pack_voltage_volts pack=main 52.99
        battery_pack_current_amperes pack=main -0.45
        battery_pack_temperature_celsius pack=main 27
        battery_pack_cell_temperature_min_celsius pack=main 25
        battery_pack_health_ratio pack=main 1
        battery_pack_cycles_total pack=main 4
        battery_pack_remaining_capacity_coulombs pack=main 61707.6
        battery_pack_full_capacity_coulombs pack=main 72000
        battery_time_to_full_seconds -
        battery_time_to_empty_seconds 105900
        battery_charge_limit_ratio 0.5
        battery_discharge_limit_ratio 0
        battery_backup_reserve_ratio 0.4
        port_voltage_volts port=ac_in 228.7
        port_frequency_hertz port=ac_in 50
        port_output_power_watts port=ac_out 43
        port_voltage_volts port=ac_out 229.1
        port_current_amperes port=ac_out 0.344
        port_voltage_volts port=solar_1 1.4
        solar_power_watts 0
        temperature_celsius sensor=inverter 39
        temperature_celsius sensor=mppt_1 32
        port_input_energy_joules_total port=ac_in origin=device -
        port_output_energy_joules_total port=ac_out origin=device -
        """);
  }

  @Test
  void delta3() {
    assertShows(
        DELTA_3,
        """
        battery_charge_ratio 0.991
        battery_power_watts -2
        battery_pack_power_watts pack=main -2
        battery_pack_voltage_volts pack=main 53.245
        battery_pack_current_amperes pack=main -0.043
        battery_pack_cell_voltage_max_volts pack=main 3.33
        battery_pack_remaining_capacity_coulombs pack=main 71355.6
        battery_full_energy_joules 3686400
        battery_time_to_full_seconds -
        battery_time_to_empty_seconds -
        battery_backup_reserve_ratio 1
        input_power_watts 198
        output_power_watts 198
        port_input_power_watts port=ac_in 198.4
        port_voltage_volts port=ac_in 118.1
        port_frequency_hertz port=ac_in 60
        port_output_power_watts port=ac_out 198.4
        port_voltage_volts port=ac_out -
        port_current_amperes port=ac_out -
        port_enabled port=ac_out 1
        port_input_power_watts port=solar_1 0
        port_input_power_watts port=solar_2 0
        solar_power_watts 0
        temperature_celsius sensor=inverter 37
        temperature_celsius sensor=inverter_dc 35
        temperature_celsius sensor=mppt_1 35
        temperature_celsius sensor=mppt_2 36
        battery_pack_charge_energy_joules_total pack=main origin=device 11984400
        battery_pack_discharge_energy_joules_total pack=main origin=device 7394400
        """);
  }

  /** The keys of the developer API are in camel case. */
  @Test
  void river3AsJson() {
    assertShows(
        RIVER_3,
        """
        battery_charge_ratio 0.382
        battery_power_watts -41.7
        battery_pack_voltage_volts pack=main 25.25
        battery_pack_current_amperes pack=main -1.65
        battery_time_to_empty_seconds 7800
        battery_charge_limit_ratio 1
        output_power_watts 38
        port_output_power_watts port=ac_out 38
        port_enabled port=ac_out 1
        port_output_energy_joules_total port=ac_out origin=device 158893200
        port_input_energy_joules_total port=ac_in origin=device 1278000
        """);
  }

  @Test
  void delta3PlusFrames() {
    assertShows(
        DELTA_3_PLUS,
        """
        battery_power_watts -57
        battery_pack_power_watts pack=main -61
        battery_pack_voltage_volts pack=main 53.031
        battery_pack_current_amperes pack=main -1.167
        battery_pack_charge_ratio pack=main 0.986114
        battery_charge_ratio 0.98775
        battery_time_to_full_seconds -
        battery_time_to_empty_seconds 61080
        port_output_power_watts port=ac_out 36.056633
        port_enabled port=usb 0
        port_enabled port=ac_out 1
        output_power_watts 37
        battery_pack_charge_energy_joules_total pack=main origin=device 49356000
        """);
  }

  @Test
  void powerStreamFrames() {
    assertShows(
        POWERSTREAM,
        """
        battery_charge_ratio 0.31
        battery_power_watts 0
        battery_pack_voltage_volts pack=main 52.3
        battery_pack_temperature_celsius pack=main 21
        port_input_power_watts port=solar_1 6
        port_input_power_watts port=solar_2 18
        port_voltage_volts port=solar_1 29.8
        port_current_amperes port=solar_2 0.5
        solar_power_watts 24
        grid_power_watts 0
        port_output_power_watts port=ac_out 24
        port_voltage_volts port=ac_out 231.9
        port_current_amperes port=ac_out 0.353
        port_frequency_hertz port=ac_out 49.9
        battery_charge_limit_ratio 1
        battery_discharge_limit_ratio 0
        temperature_celsius sensor=llc 31
        temperature_celsius sensor=inverter -
        temperature_celsius sensor=radio 40
        port_power_rated_watts port=ac_out 800
        wifi_signal_dbm -39
        """);
  }

  @Test
  void powerOceanFrames() {
    assertShows(
        POWEROCEAN,
        """
        battery_charge_ratio -
        battery_power_watts 0
        battery_pack_voltage_volts -
        port_input_power_watts port=solar_1 2155.974
        port_input_power_watts port=solar_2 1070.4059
        port_input_power_watts port=solar_3 882.91724
        solar_power_watts 4160
        grid_power_watts -3770
        home_load_power_watts 390
        grid_phase_voltage_volts phase=a 237.34962
        grid_phase_voltage_volts phase=c 236.75435
        grid_phase_power_watts -
        inverter_phase_power_watts phase=a 1221.4094
        inverter_phase_power_watts phase=b 1256.0803
        inverter_phase_power_watts phase=c 1250.6113
        port_frequency_hertz port=grid 49.99
        temperature_celsius sensor=mppt_1 57.458332
        temperature_celsius sensor=mppt_3 55.46154
        battery_discharge_limit_ratio 0
        battery_charge_limit_ratio -
        battery_charge_energy_joules_total origin=device -
        battery_discharge_energy_joules_total origin=device -
        """);
  }

  /** Solar + grid = home + battery, with the signs of normalised metrics. */
  @Test
  void powersAddUp() {
    assertEquals(
        page.of(POWEROCEAN, "solar_power_watts") + page.of(POWEROCEAN, "grid_power_watts"),
        page.of(POWEROCEAN, "home_load_power_watts") + page.of(POWEROCEAN, "battery_power_watts"));
    assertEquals(
        page.of(POWERSTREAM, "solar_power_watts"),
        page.of(POWERSTREAM, "port_output_power_watts", "port=ac_out")
            + page.of(POWERSTREAM, "battery_power_watts"));
  }

  @Test
  void anUnknownModelHasOnlyRawSeries() {
    assertEquals(List.of("inv_output_watts", "pd_soc", "test_marker"), page.namesOf(UNKNOWN));
  }
}
