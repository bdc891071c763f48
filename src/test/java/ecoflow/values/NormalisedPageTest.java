package ecoflow.values;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
  private final SimulatedDevice powerOcean =
      new SimulatedDevice("R374ZNORMAL00005", "House", "PowerOcean Plus", WireFormat.PROTOBUF_XOR);

  @RegisterExtension final CloudExtension clouds = new CloudExtension(deltaPro, delta2, powerOcean);

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
