package ecoflow.values;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A PowerOcean sends its packs as JSON strings, one per serial number. They are normalised, and do
 * not have raw series.
 */
class NormalisedTextsTest {

  private static final String SERIAL = "HJ31TEXTS0000001";
  private static final String FIRST = "bp_addr.HJ32TEXTS0000001";
  private static final String SECOND = "bp_addr.HJ32TEXTS0000002";

  private static final SimulatedDevice BOTH = newDevice();
  private static final SimulatedDevice RAW = newDevice();

  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.rest("ECOFLOW_METRICS=both", "COLLECTING_INTERVAL=1")
          .with(BOTH)
          .startedAtOnce();

  @RegisterExtension
  static final ExporterExtension rawExporter =
      ExporterExtension.rest("ECOFLOW_METRICS=raw", "COLLECTING_INTERVAL=1")
          .with(RAW)
          .startedAtOnce();

  private static SimulatedDevice newDevice() {
    return new SimulatedDevice(SERIAL, "House", "PowerOcean", WireFormat.JSON);
  }

  private void set(Map<String, ?> values) {
    BOTH.set(values);
    RAW.set(values);
  }

  private static String pack(double soc, double watts) {
    return "{\"bpSn\":\"HJ32\",\"bpPwr\":%s,\"bpSoc\":%s,\"bpVol\":52.5,\"bpAmp\":2,\"bpSoh\":99,"
            .formatted(watts, soc)
        + "\"bpRemainWatth\":2500,\"bpCycles\":12,\"bpErrCode\":0,\"bpCellMaxVol\":3300,"
        + "\"bpTemp\":[21,22.5],\"bpAccuChgEnergy\":1000}";
  }

  private static double pack(Page page, String name, String pack) {
    return page.of(SERIAL, "battery_pack_" + name, "pack=" + pack);
  }

  /** Without ECOFLOW_INFO; {@link InfoTest} tests these keys with the setting. */
  @Test
  void versionsAndStatesAreOffByDefaultAndTheirNamesAreNotReserved() {
    BOTH.setOnline(true);
    set(Map.of("gridConnectionSta", 1, "pdFirmVer", 0x0102_004E, "state", 7));
    Page page = exporter.page();
    page.eventuallyShows(SERIAL, "pd_firm_ver", 0x0102_004E);
    assertEquals(List.of(), page.lines("device_info"));
    assertEquals(7, page.of(SERIAL, "state"));
  }

  @Test
  void packsAreNormalisedAndTheRawPageIsUnchanged() {
    set(Map.of("bpSoc", 80, "bpPwr", 105, "bp_addr.updateTime", "2024-01-01 10:00:00"));
    set(Map.of(FIRST, pack(81, 105), SECOND, pack(79, -20.5)));
    // Not a pack, so it does not get a number.
    set(Map.of("bp_addr.HJ30TEXTS0000000", "{\"emsMode\":1}"));
    Page page = exporter.page();
    Page rawPage = rawExporter.page();
    page.eventuallyShows(SERIAL, "battery_pack_power_watts", 105, "pack=1");
    assertEquals(-20.5, pack(page, "power_watts", "2"));
    assertEquals(0.81, pack(page, "charge_ratio", "1"), 1e-9);
    assertEquals(0.79, pack(page, "charge_ratio", "2"), 1e-9);
    assertEquals(0.99, pack(page, "health_ratio", "1"), 1e-9);
    assertEquals(52.5, pack(page, "voltage_volts", "1"));
    assertEquals(9e6, pack(page, "remaining_energy_joules", "1"));
    assertEquals(12, pack(page, "cycles_total", "1"));
    assertEquals(3.3, pack(page, "cell_voltage_max_volts", "2"), 1e-9);
    assertEquals(3.6e6, pack(page, "charge_energy_joules_total", "1"));
    rawPage.eventuallyShows(SERIAL, "bp_soc", 80);
    assertEquals(rawNames(rawPage, RAW), rawNames(page, BOTH));
    assertTrue(rawNames(page, BOTH).contains("bp_soc"));
    assertEquals(List.of(), page.series("battery_pack_power_watts", "pack=3"));

    // Updated and removed together with the string.
    set(Map.of(FIRST, pack(82, 0)));
    page.eventuallyShows(SERIAL, "battery_pack_power_watts", 0, "pack=1");
    assertEquals(-20.5, pack(page, "power_watts", "2"));
    Map<String, Object> none = new HashMap<>();
    none.put(SECOND, null);
    set(none);
    eventually(
        () -> assertEquals(1, page.series("battery_pack_power_watts", "device=" + SERIAL).size()));
    BOTH.setOnline(false);
    eventually(
        () -> assertEquals(0, page.series("battery_pack_power_watts", "device=" + SERIAL).size()));
  }

  /** The lines of both pages, without normalised metrics. */
  private static List<String> rawNames(Page page, SimulatedDevice device) {
    return page.namesOf(device).stream().filter(name -> name.startsWith("bp_")).toList();
  }
}
