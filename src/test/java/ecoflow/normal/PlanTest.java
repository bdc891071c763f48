package ecoflow.normal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Series from raw values of a device, rule by rule, with rows of the packaged table. */
class PlanTest {

  private static final Table TABLE = PackagedTable.load();
  private static final List<Row> ROWS = PackagedTable.rows();

  /**
   * The series of a device.
   *
   * @param raw words such as {@code pd.soc=80}
   */
  private static Map<String, Double> of(String serial, String raw) {
    Map<String, Double> values = new TreeMap<>();
    for (String word : raw.split("\\s+")) {
      int equals = word.lastIndexOf('=');
      values.put(word.substring(0, equals), Double.valueOf(word.substring(equals + 1)));
    }
    return of(serial, values);
  }

  private static Map<String, Double> of(String serial, Map<String, Double> raw) {
    return of(TABLE.family(serial, "").orElseThrow(), raw);
  }

  private static Map<String, Double> of(Table.Family family, Map<String, Double> raw) {
    String[] keys = raw.keySet().toArray(String[]::new);
    Plan plan = Plan.of(TABLE, family, "AB12", keys);
    double[] cells = raw.values().stream().mapToDouble(value -> value).toArray();
    double[] values = plan.values(cells);
    Map<String, Double> found = new HashMap<>();
    for (int i = 0; i < values.length; i++) {
      if (!Double.isNaN(values[i])) {
        Series series = plan.series()[i];
        found.put(series.name().name() + new TreeMap<>(series.labels()), values[i]);
      }
    }
    return found;
  }

  @Test
  void factorsProduceExactDecimals() {
    assertEquals(
        Map.of(
            "battery_pack_charge_ratio{pack=main}", 0.378,
            "battery_pack_voltage_volts{pack=main}", 49.285,
            "battery_pack_remaining_capacity_coulombs{pack=main}", 65350.8),
        of(
            "R331",
            """
            bms_bmsStatus.f32ShowSoc=37.8
            bms_bmsStatus.vol=49285
            bms_bmsStatus.remainCap=18153
            """));
  }

  @Test
  void fallbackIsUsedOnlyWithoutBetterValue() {
    String ratio = "battery_charge_ratio{}";
    assertEquals(Map.of(ratio, 0.8), of("R331", "pd.soc=80"));
    assertEquals(Map.of(ratio, 0.81), of("R331", "pd.soc=80 bms_emsStatus.f32LcdShowSoc=81"));
  }

  @Test
  void firstKeyIsPreferredToAllOthers() {
    assertEquals(
        Map.of("battery_charge_ratio{}", 0.5),
        of("HW51", "bat_soc=54 heartbeat_type2.new_psdr_heartbeat.f32_show_soc=50"));
  }

  @Test
  void netAddsInputAndSubtractsOutput() {
    String power = "battery_pack_power_watts{pack=1}";
    assertEquals(100.0, of("DCA", "bmsSlave1.inputWatts=120 bmsSlave1.outputWatts=20").get(power));
    assertEquals(-20.0, of("DCA", "bmsSlave1.outputWatts=20").get(power));
  }

  @Test
  void splitSeparatesTwoDirections() {
    Map<String, Double> in = of("P231", "pow_get_dcp=30");
    assertEquals(30.0, in.get("port_input_power_watts{port=extra_battery_1}"));
    assertEquals(0.0, in.get("port_output_power_watts{port=extra_battery_1}"));
    Map<String, Double> out = of("P231", "pow_get_dcp=-30");
    assertEquals(0.0, out.get("port_input_power_watts{port=extra_battery_1}"));
    assertEquals(30.0, out.get("port_output_power_watts{port=extra_battery_1}"));
  }

  @Test
  void magnitudesHaveNoSign() {
    assertEquals(
        Map.of("port_output_power_watts{port=ac_out}", 195.0), of("P231", "pow_get_ac_out=-195"));
    assertEquals(
        Map.of("port_output_power_watts{port=ac_out}", 195.0), of("P231", "pow_get_ac_out=195"));
  }

  @Test
  void zeroCanMeanNotMeasured() {
    assertEquals(Map.of(), of("R331", "bms_bmsStatus.soh=0 pd.wifiRssi=0"));
    assertEquals(Map.of("wifi_signal_dbm{}", -52.0), of("R331", "pd.wifiRssi=-52"));
  }

  @Test
  void millivoltsAreDetectedByTheirSize() {
    assertEquals(
        Map.of(
            "battery_power_watts{}", -26.6,
            "battery_pack_voltage_volts{pack=main}", 53.2,
            "battery_pack_current_amperes{pack=main}", -0.5),
        of("P231", "bms_batt_vol=53.2 bms_batt_amp=-0.5"));
    assertEquals(
        Map.of(
            "battery_power_watts{}", -30.6,
            "battery_pack_voltage_volts{pack=main}", 20.4,
            "battery_pack_current_amperes{pack=main}", -1.5),
        of("R651", "bms_batt_vol=20400 bms_batt_amp=-1500"));
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 0", "2, 1", "3, 1", "6, 1", "4, 0"})
  void flowIsReadFromBits(double raw, double on) {
    assertEquals(Map.of("port_enabled{port=ac_out}", on), of("P231", "flow_info_ac_out=" + raw));
  }

  @Test
  void reversedBytesAreReordered() {
    Table.Family mini = TABLE.family("", "RIVER mini").orElseThrow();
    Map<String, Double> raw = Map.of("inv.invOutVol", 324403968.0);
    assertEquals(Map.of("port_voltage_volts{port=ac_out}", 218.643), of(mini, raw));
  }

  @Test
  void onlyMatchingItemIsUsed() {
    assertEquals(
        Map.of("port_input_energy_joules_total{origin=device, port=ac_in}", 3.6e6),
        of(
            "R651",
            """
            display_statistics_sum.list_info[0].statistics_object=1
            display_statistics_sum.list_info[0].statistics_content=5
            display_statistics_sum.list_info[1].statistics_object=6
            display_statistics_sum.list_info[1].statistics_content=1000
            """));
  }

  @Test
  void hoursAreAdded() {
    assertEquals(
        Map.of("battery_charge_energy_joules_total{origin=device}", 6 * 3600.0),
        of(
            "HW51",
            """
            watth_item[3].watth[0]=1
            watth_item[3].watth[1]=2
            watth_item[3].watth[10]=3
            """));
  }

  @Test
  void fahrenheitIsConvertedToCelsius() {
    String name = "temperature_celsius{sensor=ambient}";
    assertEquals(17.5, of("KT21", "pd.envTemp=63.5 pd.tempSys=1").get(name), 1e-9);
    assertEquals(21.0, of("KT21", "pd.envTemp=21 pd.tempSys=0").get(name));
    assertEquals(Map.of(), of("KT21", "pd.envTemp=21"), "in an unknown unit");
  }

  @Test
  void impossibleValuesAreNotShown() {
    assertEquals(Map.of(), of("HR51", "dt_pv_pwr_current=6000"));
    assertEquals(
        5000.0, of("HR51", "dt_pv_pwr_current=5000").get("port_input_power_watts{port=solar_1}"));
  }

  @ParameterizedTest
  @CsvSource({"5939", "5999", "143999", "4294967295", "-1"})
  void placeholdersOfTimesAreNotShown(double minutes) {
    assertEquals(Map.of(), of("R331", "bms_emsStatus.dsgRemainTime=" + minutes));
  }

  @Test
  void signOfPowerSelectsTime() {
    Map<String, Double> raw = new HashMap<>();
    raw.put("bms_bmsStatus.vol", 50_000.0);
    raw.put("bms_emsStatus.chgRemainTime", 10.0);
    raw.put("bms_emsStatus.dsgRemainTime", 20.0);
    raw.put("bms_bmsStatus.amp", -1000.0);
    Map<String, Double> out = of("R331", raw);
    assertEquals(-50.0, out.get("battery_power_watts{}"));
    assertEquals(1200.0, out.get("battery_time_to_empty_seconds{}"));
    assertFalse(out.containsKey("battery_time_to_full_seconds{}"));
    raw.put("bms_bmsStatus.amp", 1000.0);
    Map<String, Double> in = of("R331", raw);
    assertEquals(600.0, in.get("battery_time_to_full_seconds{}"));
    assertFalse(in.containsKey("battery_time_to_empty_seconds{}"));
  }

  @Test
  void powersWithoutKeyAreSums() {
    Map<String, Double> found =
        of(
            "R351",
            """
            bms_bmsStatus.vol=53976
            bms_bmsStatus.amp=10807
            bms_slave_bmsSlaveStatus_1.vol=53000
            bms_slave_bmsSlaveStatus_1.amp=-1000
            mppt.inWatts=447
            mppt.pv2InWatts=100
            """);
    assertEquals(53.976 * 10.807 - 53, found.get("battery_power_watts{}"), 1e-6);
    assertEquals(547.0, found.get("solar_power_watts{}"));
  }

  /** A STREAM Microinverter has no sum; other models of its family do. */
  @Test
  void sumsDependOnDeviceRatherThanFamily() {
    assertEquals(
        38.699, of("BK01", "pow_get_pv=19.02 pow_get_pv2=19.679").get("solar_power_watts{}"), 1e-9);
    assertEquals(
        50.0, of("BK11", "pow_get_pv=19.02 pow_get_pv_sum=50").get("solar_power_watts{}"), 1e-9);
    // RIVER 3 with firmware 6.30.49.80 does not send the power of the battery.
    assertEquals(
        -41.6625,
        of("R651", "bms_heartbeat[0].vol=25250 bms_heartbeat[0].amp=-1650")
            .get("battery_power_watts{}"),
        1e-9);
    assertEquals(
        -40.0,
        of("R651", "bms_heartbeat[0].vol=25250 bms_heartbeat[0].amp=-1650 pow_get_bms=-40")
            .get("battery_power_watts{}"));
  }

  @Test
  void packWithoutPowerMakesSumUnknown() {
    Map<String, Double> raw =
        new TreeMap<>(
            Map.of(
                "bms_bmsStatus.vol", 50_000.0,
                "bms_bmsStatus.amp", 1000.0,
                "bms_slave_bmsSlaveStatus_1.vol", 51_000.0));
    assertFalse(of("R351", raw).containsKey("battery_power_watts{}"));
    raw.put("bms_slave_bmsSlaveStatus_1.amp", -1000.0);
    assertEquals(-1.0, of("R351", raw).get("battery_power_watts{}"));
    raw.remove("bms_slave_bmsSlaveStatus_1.vol");
    raw.put("bms_slave_bmsSlaveStatus_1.outputWatts", 51.0);
    assertEquals(-1.0, of("R351", raw).get("battery_power_watts{}"));
  }

  @Test
  void absentPackHasNoSeriesAndIsNotInSum() {
    Map<String, Double> raw = new TreeMap<>();
    raw.put("bms_bmsStatus.vol", 50_000.0);
    raw.put("bms_bmsStatus.amp", 1000.0);
    raw.put("bms_slave_bmsSlaveStatus_1.vol", 51_000.0);
    raw.put("bms_slave_bmsSlaveStatus_1.amp", 1000.0);
    assertEquals(101.0, of("R351", raw).get("battery_power_watts{}"));
    // An empty port, as in kitInfo of replies and of pushes, and a port with a PowerStream.
    raw.put("bms_kitInfo.watts[0].avaFlag", 0.0);
    assertEquals(50.0, of("R351", raw).get("battery_power_watts{}"));
    assertFalse(of("R351", raw).containsKey("battery_pack_voltage_volts{pack=1}"));
    raw.put("bms_kitInfo.watts[0].type", 81.0);
    assertEquals(
        101.0, of("R351", raw).get("battery_power_watts{}"), "a flag of 0 as the only value");
    raw.put("bms_kitInfo.watts[0].avaFlag", 1.0);
    raw.put("bms_kitInfo.watts[0].type", 75.0);
    assertEquals(50.0, of("R351", raw).get("battery_power_watts{}"));
  }

  @Test
  void packsHaveNumbersOfDevice() {
    Map<String, Double> found =
        of("P231", "bms_heartbeat[0].f32_show_soc=90 bms_heartbeat[1].f32_show_soc=80");
    assertEquals(
        Map.of(
            "battery_pack_charge_ratio{pack=main}", 0.9, "battery_pack_charge_ratio{pack=1}", 0.8),
        found);
    assertEquals(
        Map.of("battery_pack_charge_ratio{pack=2}", 0.7), of("R374", "bp_sta[2].bp_soc=70"));
    assertEquals(
        Map.of("battery_pack_charge_ratio{pack=1}", 0.6, "battery_pack_charge_ratio{pack=2}", 0.7),
        of("HC31", "bp_info[\"HJ3B\"].bp_soc=70 bp_info[\"HJ3A\"].bp_soc=60"));
    assertEquals(
        Map.of(
            "battery_pack_voltage_volts{pack=1}", 52.0, "battery_pack_voltage_volts{pack=2}", 53.0),
        of("M106", "bp5000.M106B.vol=53000 bp5000.M106A.vol=52000"));
  }

  @Test
  void stringsPhasesAndCircuitsAreNumbered() {
    assertEquals(
        Map.of("port_input_power_watts{port=solar_2}", 5.0, "solar_power_watts{}", 5.0),
        of("R374", "mppt_heart_beat[0].mppt_pv[1].pwr=5"));
    assertEquals(
        Map.of("grid_phase_voltage_volts{phase=c}", 230.0),
        of("RE11", "inverter.grid.phase[3].volt=230"));
    // 'a' + 65473 is a quotation mark.
    assertEquals(
        Map.of("grid_phase_voltage_volts{phase=65474}", 230.0),
        of("RE11", "inverter.grid.phase[65474].volt=230"));
    assertEquals(
        7.0, of("HD31", "load_info.hall1_watt[2]=7").get("circuit_power_watts{circuit=3}"));
  }

  @Test
  void numberBetweenDotsIsPackNumber() {
    assertEquals(
        Map.of("battery_pack_voltage_volts{pack=3}", 107.25),
        of("Y711", "hs_yj751_bms_slave_addr.3.vol=107250 hs_yj751_bms_slave_addr.x.vol=1"));
    assertEquals(
        Map.of(
            "battery_pack_charge_ratio{pack=2}", 0.45, "battery_pack_charge_ratio{pack=5}", 0.34),
        of(
            "Y711",
            """
            hs_yj751_pd_bp_addr.bpInfo[0].bpSoc=34
            hs_yj751_pd_bp_addr.bpInfo[0].bpNo=5
            hs_yj751_pd_bp_addr.bpInfo[1].bpSoc=45
            hs_yj751_pd_bp_addr.bpInfo[1].bpNo=2
            """));
  }

  @Test
  void oneRawValueCanMeanTrue() {
    String connected = "grid_connected{}";
    assertEquals(Map.of(connected, 1.0), of("HD31", "master_incre_info.grid_sta=0"));
    assertEquals(Map.of(connected, 0.0), of("HD31", "master_incre_info.grid_sta=4"));
    assertEquals(Map.of(), of("HD31", "master_incre_info.grid_sta=5"));
  }

  @Test
  void modelsWithoutFamilyHaveNoSeries() {
    assertTrue(TABLE.family("XX99", "Something").isEmpty());
    assertTrue(TABLE.family("H101", "").isEmpty(), "a BLADE");
    assertEquals("delta2", TABLE.family("XX99", "delta 2").orElseThrow().name());
    assertEquals("powerocean", TABLE.family("HJ3X", "").orElseThrow().name());
  }

  /** Each active row produces its series if only its own keys are present. */
  @Test
  void eachEnabledRowProducesSeries() {
    int on = 0;
    for (Row row : ROWS) {
      // Times depend on the power of the battery, see below.
      if (row.isOn() && !row.metric().startsWith("battery_time_to_")) {
        on++;
        assertTrue(
            of(TABLE.family(row.family()), keysFor(row)).keySet().stream()
                .anyMatch(series -> series.startsWith(row.metric() + "{")),
            row::toString);
      }
    }
    assertTrue(on > 2_000, "almost all rows");
  }

  /** Models that do not send the power of their battery have no times. */
  @Test
  void timesDependOnPowerOfBattery() {
    Map<String, Double> raw = new TreeMap<>(Map.of("cms_dsg_rem_time", 10.0));
    assertEquals(Map.of(), of("P231", raw));
    raw.put("pow_get_bms", 0.0);
    assertEquals(Map.of("battery_power_watts{}", 0.0), of("P231", raw));
    raw.put("pow_get_bms", -1.0);
    assertEquals(600.0, of("P231", raw).get("battery_time_to_empty_seconds{}"));
    assertEquals(Map.of(), of("DC01", "cms_dsg_rem_time=10"));
  }

  private static Map<String, Double> keysFor(Row row) {
    String key =
        row.key()
            .replace("{SN}", "AB12")
            .replace("[N]", "[1]")
            .replace(".N.", ".1.")
            .replace("chN", "ch1")
            .replace("bpX", "bp2000");
    Map<String, Double> raw = new TreeMap<>(Map.of(key, 2.0));
    if (row.has(Rule.WHERE)) {
      Rule.Argument where = row.argument(Rule.WHERE);
      raw.put(key.substring(0, key.lastIndexOf('.') + 1) + where.key(), where.low());
    }
    if (row.has(Rule.FAHRENHEIT_IF)) {
      raw.put(row.argument(Rule.FAHRENHEIT_IF).key(), 0.0);
    }
    if (row.has(Rule.MILLIS_WITH_VOLTAGE)) {
      raw.put(key.replaceAll("amp$", "vol").replaceAll("Amp$", "Vol"), 50.0);
    }
    return raw;
  }

  @Test
  void conditionUsesIndexOfRowKey() {
    assertEquals(
        Map.of("battery_pack_charge_ratio{pack=2}", 0.62),
        of(
            "SP10",
            """
            heartbeat.energyInfos[0].batteryPercentage=0
            heartbeat.energyInfos[0].stateBean.isConnect=0
            heartbeat.energyInfos[1].batteryPercentage=62
            heartbeat.energyInfos[1].stateBean.isConnect=1
            """));
    Row.Parts parts = new Row.Parts(List.of(5, 7), "A1");
    assertEquals("a[5].ch7.[N]", parts.fill("a[N].chN.[N]"));
    assertEquals("a[5].A1.bp7", parts.fill("a[N].{SN}.bpX"));
  }

  @Test
  void powerKitKeysContainBatteryModel() {
    Row row = ROWS.stream().filter(of -> of.key().equals("bpX.{SN}.soc")).findFirst().orElseThrow();
    Matcher matcher = row.pattern().matcher("bp5000.M102.soc");
    assertTrue(matcher.matches());
    assertEquals("bp5000.M102.vol", row.parts(matcher).fill("bpX.{SN}.vol"));
  }
}
