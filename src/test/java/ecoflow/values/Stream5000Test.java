package ecoflow.values;

import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.header;
import static ecoflow.testkit.Frames.list;
import static ecoflow.testkit.Frames.message;
import static ecoflow.testkit.Frames.nested;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.TestFrames;
import ecoflow.testkit.DevicePool;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Frames;
import ecoflow.testkit.Page;
import ecoflow.testkit.Series;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * 254/39 of STREAM 5000 and STREAM AC 5000: 23 payloads of real devices, and the values that
 * another decoder read from them (frames/es2x, with masked serial numbers).
 */
class Stream5000Test {

  /** The series of each field, by its path on the wire. */
  private static final Map<String, String> SERIES = series();

  private static final Pattern ITEM = Pattern.compile("(\\d+[.]1)\\[(\\d+)][.](\\d+)");

  private static final Map<String, DevicePool> DEVICES =
      DevicePool.ofModels("ZLAY", 60, "ES21", "ES22");

  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.mqtt(
              "MQTT_TIMEOUT=3600", "ECOFLOW_METRICS=both", DevicePool.setting(DEVICES.values()))
          .startedAtOnce();

  private static final Page page = exporter.page();

  @BeforeAll
  static void connect() {
    page.eventuallyConnected(1);
  }

  /**
   * @param values by path on the wire, such as 11.4 or 50.1[0].3
   */
  private record Capture(String file, String model, Map<String, JsonNode> values) {

    boolean has(String path) {
      return values.containsKey(path);
    }

    double number(String path) {
      return has(path) ? values.get(path).asDouble() : 0;
    }

    byte[] frame() {
      return read(file);
    }

    static byte[] read(String file) {
      return Frames.frame(header(254, 39, TestFrames.recorded("es2x/" + file)));
    }
  }

  private static List<Capture> captures() throws IOException {
    List<Capture> captures = new ArrayList<>();
    for (JsonNode capture : new ObjectMapper().readTree(TestFrames.resource("es2x/index.json"))) {
      Map<String, JsonNode> values = new TreeMap<>();
      capture.get("values").properties().forEach(v -> values.put(v.getKey(), v.getValue()));
      captures.add(
          new Capture(capture.get("file").asText(), capture.get("model").asText(), values));
    }
    return captures;
  }

  @Test
  void everyCapturedValueIsOnThePage() throws IOException {
    List<Capture> captures = captures();
    assertEquals(23, captures.size());
    int compared = 0;
    for (Capture capture : captures) {
      SimulatedDevice device = device(capture.model());
      send(device, capture.frame());
      List<Series> shown = page.linesOf(device.serial()).stream().map(Series::read).toList();
      for (Map.Entry<String, JsonNode> value : capture.values().entrySet()) {
        compared += compare(shown, capture, value.getKey(), value.getValue());
      }
    }
    assertTrue(compared > 450, "" + compared);
  }

  private static int compare(List<Series> shown, Capture capture, String path, JsonNode value) {
    Matcher item = ITEM.matcher(path);
    boolean isItem = item.matches();
    String field = isItem ? item.group(1) + "." + item.group(3) : path;
    String name = SERIES.get(field);
    String serialField = field.startsWith("38.") ? "17" : "1";
    if (isItem && item.group(3).equals(serialField)) {
      return 0;
    }
    // The meaning of the temperatures of 38.1 depends on the firmware.
    boolean isLeftOut = field.matches("38[.]1[.]1[1-4]");
    assertEquals(isLeftOut, name == null, path);
    if (isLeftOut) {
      return 0;
    }
    String serial =
        isItem
            ? capture
                .values()
                .get(item.group(1) + "[" + item.group(2) + "]." + serialField)
                .asText()
            : null;
    List<Double> found =
        shown.stream()
            .filter(series -> series.name().equals("ecoflow_" + name))
            .filter(series -> Objects.equals(serial, series.labels().get("index_0")))
            .map(Series::value)
            .toList();
    String what = capture.file() + " " + path + " " + found;
    // NaN is not a value.
    assertEquals(value.isTextual() ? 0 : 1, found.size(), what);
    if (!value.isTextual()) {
      assertEquals(value.asDouble(), found.get(0), 1e-4, what);
    }
    return 1;
  }

  /** A frame without a load has the load 0, because the group omits zeros. */
  @Test
  void thePowersBalance() throws IOException {
    int balanced = 0;
    for (Capture capture : captures()) {
      if (capture.values().keySet().stream().noneMatch(path -> path.startsWith("11."))) {
        continue;
      }
      SimulatedDevice device = device(capture.model());
      send(device, capture.frame());
      double home = page.of(device, "home_load_power_watts");
      double grid = page.of(device, "grid_power_watts");
      double solar = page.of(device, "solar_power_watts");
      double battery = page.of(device, "battery_power_watts");

      assertEquals(grid + solar - battery, home, 2, capture.file());
      assertEquals(capture.number("11.1"), home, capture.file());
      assertEquals(capture.number("11.2"), grid, capture.file());
      assertEquals(capture.number("11.4"), battery, capture.file());
      assertEquals(capture.number("11.3") + capture.number("11.9"), solar, capture.file());
      assertEquals(capture.number("11.5") / 100, page.of(device, "battery_charge_ratio"), 1e-9);
      balanced++;
    }
    assertEquals(16, balanced);
  }

  @Test
  void twoUnitsAreTwoSeriesAndOneSystem() {
    SimulatedDevice device = device("ES22");

    send(device, Capture.read("43.hex"));

    assertEquals(
        41.453064, page.of(device, "solar_strings_battery_power", "index_0=ES22TESTUNITAAAA"));
    assertEquals(
        420.1188, page.of(device, "solar_strings_battery_power", "index_0=ES22TESTUNITBBBB"));
    assertEquals(459, page.of(device, "battery_power_watts"));
    // 0.87 of this unit and 0.65 of the other one
    assertEquals(0.76, page.of(device, "battery_charge_ratio"), 1e-9);
    assertEquals(-141, page.of(device, "grid_phase_power_watts", "phase=a"));
    assertEquals(0, page.of(device, "home_load_source_power_watts", "source=solar"));
  }

  @Test
  void aMeterWithoutEnergyHasNoCounters() {
    SimulatedDevice device = device("ES22");

    send(device, Capture.read("43.hex"));
    assertEquals(List.of(), page.series("grid_meter_import_energy", "device=" + device.serial()));
    assertEquals(List.of(), grid(device, "import", "device"), "NaN is not an energy of the device");
    assertEquals(List.of(), grid(device, "export", "device"));

    // import_energy 12.5 kWh and export_energy 3.25 kWh
    SimulatedDevice other = device("ES22");
    send(other, frame(254, 39, nested(16, message().real(13, 12.5f).real(14, 3.25f))));
    assertEquals(List.of(45_000_000.0), grid(other, "import", "device"));
    assertEquals(List.of(11_700_000.0), grid(other, "export", "device"));
    assertEquals(List.of(), grid(other, "import", "computed"));
  }

  private static List<Double> grid(SimulatedDevice device, String direction, String origin) {
    return page
        .series(
            "grid_" + direction + "_energy_joules_total",
            "device=" + device.serial(),
            "origin=" + origin)
        .stream()
        .map(Series::value)
        .toList();
  }

  @Test
  void theSocketIsAPortAndSignsAreUnchanged() {
    SimulatedDevice device = device("ES21");

    // device: pv1_power 300, battery_power -625, backup_power 120; ac_socket: enabled
    send(
        device,
        frame(
            254,
            39,
            nested(14, message().integer(1, 300).integer(5, zigzag(-625)).integer(8, zigzag(120)))
                .message(19, message().integer(1, 1))));

    assertEquals(120, page.of(device, "port_output_power_watts", "port=ac_out"));
    assertEquals(1, page.of(device, "port_enabled", "port=ac_out"));
    assertEquals(300, page.of(device, "port_input_power_watts", "port=solar_1"));
    assertEquals(-625, page.of(device, "device_battery_power"));
    assertEquals(0, page.series("system_home_load_half_watts").size());
  }

  /** Without values of the system, those of the units are used. */
  @Test
  void unitsReplaceAnAbsentSystem() {
    SimulatedDevice device = device("ES21");

    // soc, pv_power, battery_power, pv1_power of two units
    send(
        device,
        frame(
            254,
            39,
            nested(
                50,
                list(
                    1,
                    message()
                        .text(1, device.serial())
                        .real(2, 44)
                        .real(3, 200)
                        .real(4, 150)
                        .real(8, -10)
                        .real(9, 200),
                    message()
                        .text(1, "ES21B")
                        .real(2, 60)
                        .real(3, 77)
                        .real(4, -20)
                        .real(8, 30)
                        .real(9, 77)))));

    assertEquals(277, page.of(device, "solar_power_watts"));
    assertEquals(130, page.of(device, "battery_power_watts"));
    // The inputs of the other unit are not ports of this device.
    assertEquals(200, page.of(device, "port_input_power_watts", "port=solar_1"));
    assertEquals(10, page.of(device, "port_output_power_watts", "port=ac_out"));
    assertEquals(0.44, page.of(device, "battery_charge_ratio"), 1e-9);
    assertTrue(Double.isNaN(page.of(device, "home_load_power_watts")));
  }

  private static int zigzag(int value) {
    return value << 1 ^ value >> 31;
  }

  private static SimulatedDevice device(String model) {
    return DEVICES.get(model).next(exporter.cloud(), WireFormat.PROTOBUF_PLAIN);
  }

  private static void send(SimulatedDevice device, byte[] frame) {
    device.publish(frame);
    exporter.settle(device);
  }

  private static Map<String, String> series() {
    Map<String, String> series = new TreeMap<>();
    add(
        series,
        "11.",
        "system_",
        "load_power grid_power pv_power battery_power soc on_grid_power backup_power"
            + " third_party_pv_known_power third_party_pv_unknown_power third_party_pv_exists");
    add(
        series,
        "12.",
        "power_flow_",
        "solar_to_home_mppt solar_to_battery_mppt solar_to_grid_mppt battery_to_home"
            + " battery_to_grid grid_to_home grid_to_battery solar_to_home solar_to_battery"
            + " solar_to_grid");
    add(
        series,
        "14.",
        "device_",
        "pv1_power pv2_power pv3_power pv4_power battery_power state on_grid_power backup_power"
            + " battery_state");
    add(
        series,
        "15.",
        "tibber_meter_",
        "model - net_power phase_a_power phase_b_power phase_c_power");
    add(
        series,
        "16.",
        "grid_meter_",
        "online model - phase_a_power phase_b_power phase_c_power phase_a_volt phase_b_volt"
            + " phase_c_volt phase_a_amp phase_b_amp phase_c_amp import_energy export_energy"
            + " smr_version net_power interval");
    add(
        series,
        "38.1.",
        "battery_info_battery_",
        "soc soh power heating full_energy remain_capacity time_to_empty time_to_full min_cell_vol"
            + " max_cell_vol");
    add(
        series,
        "44.",
        "battery_summary_",
        "soc power heating full_energy remain time_to_empty time_to_full");
    add(
        series,
        "50.1.",
        "solar_strings_",
        "- soc pv_power battery_power state inverter_power on_grid_power backup_power pv1_power"
            + " pv2_power pv3_power pv4_power");
    add(series, "54.1.", "units_unit_", "- soc heating battery_power");
    return series;
  }

  /** The names of the fields from 1 on; "-" for a field that is not a number. */
  private static void add(Map<String, String> series, String path, String start, String fields) {
    String[] names = fields.split(" ");
    for (int i = 0; i < names.length; i++) {
      if (!names[i].equals("-")) {
        series.put(path + (i + 1), start + names[i]);
      }
    }
  }
}
