package ecoflow.values;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.TestFrames;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.Promtool;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Series;
import ecoflow.testkit.StrictPage;
import ecoflow.testkit.Variables;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Normalised metrics on the page, through the real routes. */
class NormalisedPageTest {

  private static final Path NAMES = Path.of("src/main/resources/ecoflow/normal/names.csv");

  private final SimulatedDevice deltaPro =
      new SimulatedDevice("DCABZNORMAL00001", "Cellar", "DELTA Pro", WireFormat.JSON);
  private final SimulatedDevice delta2 =
      new SimulatedDevice("R331ZNORMAL00002", "Garage", "DELTA 2", WireFormat.JSON);
  private final SimulatedDevice delta3 =
      new SimulatedDevice("P231ZNORMAL00003", "Van", "DELTA 3", WireFormat.PROTOBUF_XOR);
  private final SimulatedDevice powerStream =
      new SimulatedDevice("HW51ZNORMAL00004", "Balcony", "PowerStream", WireFormat.PROTOBUF_XOR);
  private final SimulatedDevice powerOcean =
      new SimulatedDevice("R374ZNORMAL00005", "House", "PowerOcean Plus", WireFormat.PROTOBUF_XOR);

  @RegisterExtension
  final CloudExtension clouds =
      new CloudExtension(deltaPro, delta2, delta3, powerStream, powerOcean);

  private final List<RunningExporter> exporters = new ArrayList<>();

  private Page start(String metrics) {
    RunningExporter exporter =
        RunningExporter.start(Variables.of(clouds.cloud(), "mqtt", "ECOFLOW_METRICS=" + metrics));
    exporters.add(exporter);
    exporter.page().eventuallyConnected(1);
    return exporter.page();
  }

  @AfterEach
  void end() {
    exporters.forEach(RunningExporter::close);
  }

  /** All normalised series of a device except counters, by name and labels. */
  private static Map<String, Double> normalised(Page page, SimulatedDevice device)
      throws Exception {
    Map<String, Double> found = new TreeMap<>();
    for (String name : names()) {
      for (Series series : page.series(name, "device=" + device.serial())) {
        Map<String, String> own = new TreeMap<>(series.labels());
        own.keySet()
            .removeAll(List.of("device", "device_name", "product_name", "device_general_key"));
        found.put(name + (own.isEmpty() ? "" : own), series.value());
      }
    }
    return found;
  }

  private static List<String> names() throws Exception {
    return Files.readAllLines(NAMES).stream().skip(1).map(line -> line.split(",")[0]).toList();
  }

  private static void assertHas(Map<String, Double> expected, Map<String, Double> found) {
    Map<String, Double> there = new TreeMap<>(found);
    there.keySet().retainAll(expected.keySet());
    assertEquals(new TreeMap<>(expected), there, () -> "of " + found);
  }

  /** Quotas that are derived from the displayed values of a discharging DELTA Pro. */
  @Test
  void aDeltaPro() throws Exception {
    Page page = start("both");
    deltaPro.push(
        Map.ofEntries(
            Map.entry("ems.f32LcdShowSoc", 37.8),
            Map.entry("ems.dsgRemainTime", 240),
            Map.entry("ems.chgRemainTime", 5999),
            Map.entry("ems.maxChargeSoc", 100),
            Map.entry("ems.minDsgSoc", 5),
            Map.entry("bmsMaster.vol", 49285),
            Map.entry("bmsMaster.amp", -4591),
            Map.entry("bmsMaster.soh", 0),
            Map.entry("bmsMaster.remainCap", 18153),
            Map.entry("bmsMaster.fullCap", 48000),
            Map.entry("pd.wattsInSum", 0),
            Map.entry("pd.wattsOutSum", 155),
            Map.entry("inv.invOutVol", 230_200),
            Map.entry("inv.outputWatts", 155),
            Map.entry("mppt.inWatts", 0),
            Map.entry("mppt.inVol", 48),
            Map.entry("pd.chgSunPower", 37_064),
            Map.entry("pd.dsgPowerAc", 411_377),
            Map.entry("pd.wifiRssi", 0)));
    page.eventuallyShows(deltaPro, "battery_charge_ratio", 0.378);
    Map<String, Double> found = normalised(page, deltaPro);
    assertHas(
        Map.ofEntries(
            Map.entry("battery_charge_ratio", 0.378),
            Map.entry("battery_power_watts", -226.267435),
            Map.entry("battery_time_to_empty_seconds", 14_400.0),
            Map.entry("battery_charge_limit_ratio", 1.0),
            Map.entry("battery_discharge_limit_ratio", 0.05),
            Map.entry("battery_pack_voltage_volts{pack=main}", 49.285),
            Map.entry("battery_pack_current_amperes{pack=main}", -4.591),
            Map.entry("battery_pack_remaining_capacity_coulombs{pack=main}", 65_350.8),
            Map.entry("battery_pack_full_capacity_coulombs{pack=main}", 172_800.0),
            Map.entry("input_power_watts", 0.0),
            Map.entry("output_power_watts", 155.0),
            Map.entry("port_voltage_volts{port=ac_out}", 230.2),
            Map.entry("port_voltage_volts{port=solar_1}", 4.8),
            Map.entry("port_output_power_watts{port=ac_out}", 155.0),
            Map.entry("solar_power_watts", 0.0),
            Map.entry("solar_energy_joules_total{origin=device}", 37_064 * 3600.0),
            Map.entry(
                "port_output_energy_joules_total{origin=device, port=ac_out}", 411_377 * 3600.0)),
        found);
    assertFalse(found.containsKey("battery_time_to_full_seconds"), "parked");
    assertFalse(found.containsKey("battery_pack_health_ratio{pack=main}"), "not measured");
    assertFalse(found.containsKey("wifi_signal_dbm"), "not measured");
    assertFalse(found.containsKey("solar_energy_joules_total{origin=computed}"));
  }

  /** Quotas that are derived from the displayed values of a DELTA 2. */
  @Test
  void aDelta2() throws Exception {
    Page page = start("both");
    delta2.push(
        Map.ofEntries(
            Map.entry("bms_emsStatus.f32LcdShowSoc", 85.0),
            Map.entry("bms_emsStatus.dsgRemainTime", 1765),
            Map.entry("bms_emsStatus.maxChargeSoc", 50),
            Map.entry("bms_bmsStatus.vol", 52_990),
            Map.entry("bms_bmsStatus.amp", -450),
            Map.entry("bms_bmsStatus.maxCellVol", 3312),
            Map.entry("bms_bmsStatus.soh", 100),
            Map.entry("bms_bmsStatus.cycles", 4),
            Map.entry("pd.bpPowerSoc", 40),
            Map.entry("inv.acInVol", 228_700),
            Map.entry("inv.outputWatts", 43),
            Map.entry("inv.invOutAmp", 344),
            Map.entry("mppt.inVol", 1400),
            Map.entry("mppt.inWatts", 0),
            Map.entry("pd.chgSunPower", 0)));
    page.eventuallyShows(delta2, "battery_charge_ratio", 0.85);
    Map<String, Double> found = normalised(page, delta2);
    assertHas(
        Map.ofEntries(
            Map.entry("battery_charge_ratio", 0.85),
            Map.entry("battery_power_watts", -23.8455),
            Map.entry("battery_time_to_empty_seconds", 105_900.0),
            Map.entry("battery_charge_limit_ratio", 0.5),
            Map.entry("battery_backup_reserve_ratio", 0.4),
            Map.entry("battery_pack_cell_voltage_max_volts{pack=main}", 3.312),
            Map.entry("battery_pack_health_ratio{pack=main}", 1.0),
            Map.entry("battery_pack_cycles_total{pack=main}", 4.0),
            Map.entry("port_voltage_volts{port=ac_in}", 228.7),
            Map.entry("port_current_amperes{port=ac_out}", 0.344),
            Map.entry("port_voltage_volts{port=solar_1}", 1.4),
            Map.entry("solar_power_watts", 0.0),
            Map.entry("solar_energy_joules_total{origin=computed}", 0.0)),
        found);
    assertFalse(found.containsKey("solar_energy_joules_total{origin=device}"));
  }

  /** Recorded frames of a PowerOcean Plus: solar + grid = home + battery. */
  @Test
  void aPowerOceanPlus() throws Exception {
    Page page = start("both");
    powerOcean.publish(TestFrames.recorded("powerocean-plus-get-all.hex"));
    page.eventuallyShows(powerOcean, "grid_power_watts", -3770);
    Map<String, Double> found = normalised(page, powerOcean);
    assertHas(
        Map.ofEntries(
            Map.entry("solar_power_watts", 4160.0),
            Map.entry("grid_power_watts", -3770.0),
            Map.entry("home_load_power_watts", 390.0),
            Map.entry("battery_power_watts", 0.0)),
        found);
    assertEquals(
        found.get("solar_power_watts") + found.get("grid_power_watts"),
        found.get("home_load_power_watts") + found.get("battery_power_watts"));
    assertEquals(2156, found.get("port_input_power_watts{port=solar_1}"), 0.5);
    assertEquals(237.35, found.get("grid_phase_voltage_volts{phase=a}"), 0.01);
    assertEquals(1221, found.get("inverter_phase_power_watts{phase=a}"), 0.5);
    assertEquals(49.99, found.get("port_frequency_hertz{port=grid}"), 0.005);
    assertFalse(
        found.containsKey("battery_charge_energy_joules_total{origin=device}"), "sent as zero");
  }

  @Test
  void recordedFramesOfOtherModels() throws Exception {
    Page page = start("both");
    powerStream.publish(TestFrames.recorded("powerstream-20-1.hex"));
    delta3.publish(TestFrames.recorded("delta3-254-21.hex"));
    eventually(
        () -> {
          assertFalse(normalised(page, powerStream).isEmpty());
          assertFalse(normalised(page, delta3).isEmpty());
        });
    Map<String, Double> stream = normalised(page, powerStream);
    assertEquals(
        stream.get("solar_power_watts"),
        stream.get("port_input_power_watts{port=solar_1}")
            + stream.get("port_input_power_watts{port=solar_2}"));
    assertTrue(stream.get("battery_charge_ratio") <= 1);
    Map<String, Double> van = normalised(page, delta3);
    assertTrue(van.get("battery_charge_ratio") <= 1);
  }

  @Test
  void normalisedValuesFollowRawValues() throws Exception {
    Page page = start("both");
    delta2.push(Map.of("pd.soc", 80, "mppt.inWatts", 100));
    page.eventuallyShows(delta2, "battery_charge_ratio", 0.8);
    delta2.push(Map.of("pd.soc", 81));
    page.eventuallyShows(delta2, "battery_charge_ratio", 0.81);
    delta2.publish("{\"params\":{\"pd.soc\":null}}");
    eventually(() -> assertEquals(Double.NaN, page.of(delta2, "battery_charge_ratio")));
    assertEquals(100, page.of(delta2, "solar_power_watts"));
    delta2.publishStatus("{\"params\":{\"status\":0}}");
    eventually(() -> assertEquals(Map.of(), normalised(page, delta2)));
    delta2.push(Map.of("pd.soc", 82));
    page.eventuallyShows(delta2, "battery_charge_ratio", 0.82);
    assertEquals(Double.NaN, page.of(delta2, "solar_power_watts"));
  }

  @Test
  void theSettingSelectsTheMetrics() throws Exception {
    assertEquals(List.of("pd_soc"), namesWith("raw"));
    assertEquals(List.of("pd_soc", "battery_charge_ratio"), namesWith("both"));
    assertEquals(List.of("battery_charge_ratio"), namesWith("normalised"));
  }

  private List<String> namesWith(String metrics) {
    Page page = start(metrics);
    delta2.push(Map.of("pd.soc", 80));
    eventually(() -> assertEquals(1, page.of(delta2, "metrics_collected")));
    assertEquals(1, page.of(delta2, "online"));
    List<String> names = page.namesOf(delta2);
    exporters.remove(0).close();
    return names;
  }

  /** A custom route can add any key, but a page must contain each family only once. */
  @Test
  void aRawKeyWithANormalisedNameIsRejected() throws Exception {
    Map<String, Integer> values =
        Map.of("solar.powerWatts", 1, "inputEnergy_joules", 2, "pd.soc", 80, "mppt.inWatts", 3);
    Page page = start("both");
    delta2.push(values);
    page.eventuallyShows(delta2, "battery_charge_ratio", 0.8);
    assertEquals(3, page.of(delta2, "solar_power_watts"));
    assertEquals(2, page.conflicts("own_metric"));
    StrictPage.read(page.text(), false);
    exporters.remove(0).close();
    page = start("raw");
    delta2.push(values);
    page.eventuallyShows(delta2, "solar_power_watts", 1);
    assertEquals(2, page.of(delta2, "input_energy_joules"));
    assertEquals(0, page.conflicts("own_metric"));
  }

  @Test
  void bothFormatsAreWellFormed() throws Exception {
    Page page = start("both");
    deltaPro.push(Map.of("pd.soc", 80, "pd.dsgPowerAc", 5, "bmsMaster.cycles", 3));
    page.eventuallyShows(deltaPro, "battery_charge_ratio", 0.8);
    RunningExporter exporter = exporters.get(0);
    String text = exporter.http().get("/metrics").body();
    StrictPage.read(text, false);
    assertTrue(text.contains("# TYPE ecoflow_battery_pack_cycles_total counter\n"));
    assertTrue(text.contains("# TYPE ecoflow_battery_charge_ratio gauge\n"));
    String open =
        exporter
            .http()
            .get("/metrics", "Accept", "application/openmetrics-text; version=1.0.0")
            .body();
    StrictPage.read(open, true);
    assertTrue(open.contains("# TYPE ecoflow_battery_pack_cycles counter\n"));
    assertTrue(open.contains("\necoflow_battery_pack_cycles_total{"));
    assertTrue(open.endsWith("# EOF\n"));
  }

  @Test
  void promtoolReportsNoProblem(@TempDir Path directory) throws Exception {
    Promtool.assumeInstalled();
    Page page = start("normalised");
    powerOcean.publish(TestFrames.recorded("powerocean-plus-get-all.hex"));
    deltaPro.push(Map.of("pd.soc", 80, "pd.dsgPowerAc", 5, "bmsMaster.cycles", 3));
    page.eventuallyShows(deltaPro, "battery_charge_ratio", 0.8);
    page.eventuallyShows(powerOcean, "grid_power_watts", -3770);
    assertEquals(new Promtool.Result(0, ""), Promtool.check(directory, page.text()));
  }
}
