package ecoflow.values;

import static ecoflow.testkit.Eventually.eventually;
import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.message;
import static ecoflow.testkit.Frames.nested;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.ProtobufWriter;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.DevicePool;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.Promtool;
import ecoflow.testkit.StrictPage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Versions, names of circuits and states as information series (ECOFLOW_INFO), with messages in
 * JSON and protobuf and with polls. Each test has its own device.
 */
class InfoTest {

  private static final String DELTA_2 = "R331";
  private static final String DELTA_3 = "P231";
  private static final String ALTERNATOR = "F371";
  private static final String HOME_PANEL = "SP10";
  private static final String HOME_PANEL_2 = "HD31";
  private static final String HOME_PANEL_3 = "HR62";
  private static final String POWER_OCEAN = "HJ31";

  private static final List<String> DEVICE_LABELS =
      List.of("device", "device_name", "product_name", "device_general_key");

  private static final Map<String, DevicePool> DEVICES =
      DevicePool.ofModels(
          "ZINF",
          4,
          DELTA_2,
          DELTA_3,
          ALTERNATOR,
          HOME_PANEL,
          HOME_PANEL_2,
          HOME_PANEL_3,
          POWER_OCEAN);

  private static final SimulatedDevice STREAM =
      new SimulatedDevice("BK11ZINF00000001", "Balcony", "STREAM Ultra", WireFormat.JSON);

  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.mqtt(
              "ECOFLOW_INFO=true",
              "ECOFLOW_METRICS=both",
              "MQTT_TIMEOUT=3600",
              DevicePool.setting(DEVICES.values()))
          .startedAtOnce();

  @RegisterExtension
  static final ExporterExtension polls =
      ExporterExtension.rest("ECOFLOW_INFO=true", "COLLECTING_INTERVAL=1")
          .with(STREAM)
          .startedAtOnce();

  @TempDir private static Path directory;

  private final Page page = exporter.page();

  @BeforeAll
  static void connect() {
    exporter.page().eventuallyConnected(1);
  }

  private static SimulatedDevice json(String model) {
    return online(DEVICES.get(model).next(exporter.cloud(), WireFormat.JSON));
  }

  private static SimulatedDevice protobuf(String model) {
    return online(DEVICES.get(model).next(exporter.cloud(), WireFormat.PROTOBUF_PLAIN));
  }

  /** Sends a number, because a text does not show that the device is online. */
  private static SimulatedDevice online(SimulatedDevice device) {
    exporter.settle(device);
    return device;
  }

  private static void push(SimulatedDevice device, Map<String, ?> values) {
    device.push(values);
    exporter.settle(device);
  }

  private static void send(SimulatedDevice device, int cmdFunc, int cmdId, ProtobufWriter message) {
    device.publish(frame(cmdFunc, cmdId, message));
    exporter.settle(device);
  }

  /** The labels of the device's info series, except for the usual labels of a device. */
  private List<Map<String, String>> versions(SimulatedDevice device) {
    return page.series("device_info", "device=" + device.serial()).stream()
        .map(
            series -> {
              Map<String, String> labels = new HashMap<>(series.labels());
              labels.keySet().removeAll(DEVICE_LABELS);
              return labels;
            })
        .toList();
  }

  /** The names of circuits by number. */
  private Map<String, String> circuits(SimulatedDevice device) {
    return page.series("circuit_info", "device=" + device.serial()).stream()
        .collect(
            Collectors.toMap(
                series -> series.labels().get("circuit"), series -> series.labels().get("name")));
  }

  /** The states with value 1. */
  private static List<String> states(Page of, SimulatedDevice device, String what) {
    return of.series("state", "device=" + device.serial(), "what=" + what).stream()
        .filter(series -> series.value() == 1)
        .map(series -> series.labels().get("state"))
        .toList();
  }

  @Test
  void onlyTheCurrentFirmwareIsShown() {
    SimulatedDevice device = json(DELTA_2);
    push(
        device,
        Map.of(
            "pd.sysVer", 0x0102_004E, "bms_bmsStatus.hwVersion", List.of(86, 48, 46, 49, 46, 50)));
    assertEquals(List.of(Map.of("firmware", "1.2.0.78", "hardware", "V0.1.2")), versions(device));
    push(device, Map.of("pd.sysVer", 0x0102_0052));
    assertEquals(List.of(Map.of("firmware", "1.2.0.82", "hardware", "V0.1.2")), versions(device));
    // 0 and the highest number mean unknown.
    push(device, Map.of("pd.sysVer", 0, "bms_bmsStatus.hwVersion", List.of(0, 0)));
    assertEquals(List.of(), versions(device));
    push(device, Map.of("pd.sysVer", 0xFFFF_FFFFL));
    assertEquals(List.of(), versions(device));
  }

  @Test
  void versionsInProtobufMessages() {
    SimulatedDevice device = protobuf(DELTA_3);
    // pd_firm_ver
    send(device, 254, 22, message().integer(176, 0x0102_033E));
    assertEquals(List.of(Map.of("firmware", "1.2.3.62")), versions(device));
    // hw_ver of the main pack and of an extra battery
    send(device, 32, 50, message().integer(1, 0).text(36, "V1.0.1").integer(7, 53_000));
    send(device, 32, 50, message().integer(1, 1).text(36, "V2.0.0"));
    assertEquals(List.of(Map.of("firmware", "1.2.3.62", "hardware", "V1.0.1")), versions(device));
    send(device, 32, 50, message().integer(1, 0).text(36, "V0.0.0"));
    assertEquals(List.of(Map.of("firmware", "1.2.3.62")), versions(device));
  }

  private static ProtobufWriter circuit(int number, String name) {
    // load_incre_info: hall1_incre_info: ch1_info to ch12_info: ch_name
    return nested(81, nested(1, nested(29 + number, message().text(4, name))));
  }

  @Test
  void aRenamedCircuitHasOneSeries() {
    SimulatedDevice panel = protobuf(HOME_PANEL_2);
    send(panel, 12, 32, circuit(1, "Kitchen"));
    send(panel, 12, 32, circuit(12, "Heat pump"));
    assertEquals(Map.of("1", "Kitchen", "12", "Heat pump"), circuits(panel));
    // Texts are not values: the device has sent nothing else than the marker.
    assertEquals(1, page.of(panel, "metrics_collected"));
    send(panel, 12, 32, circuit(1, "Garage"));
    assertEquals(Map.of("1", "Garage", "12", "Heat pump"), circuits(panel));
    send(panel, 12, 32, circuit(1, " \u0007 "));
    assertEquals(Map.of("12", "Heat pump"), circuits(panel));
  }

  @Test
  void circuitsOfAShorterListDisappear() {
    SimulatedDevice panel = json(HOME_PANEL);
    List<Integer> bytes = new ArrayList<>();
    for (byte value : "Küche im Erdgeschoss".getBytes(StandardCharsets.UTF_8)) {
      bytes.add(value & 0xFF);
    }
    bytes.addAll(List.of(0, 0, 0));
    push(
        panel,
        Map.of(
            "loadChInfo.info",
            List.of(
                Map.of("chName", bytes, "iconNum", 3),
                Map.of("chName", "Hall", "iconNum", 4),
                Map.of("chName", List.of(0, 0, 0)))));
    assertEquals(Map.of("1", "Küche im Erdgeschoss", "2", "Hall"), circuits(panel));
    push(panel, Map.of("loadChInfo.info", List.of(Map.of("chName", bytes))));
    assertEquals(Map.of("1", "Küche im Erdgeschoss"), circuits(panel));
  }

  @Test
  void textsAreLimitedAndEscaped() {
    SimulatedDevice panel = json(HOME_PANEL_3);
    double before = page.conflicts("limit");
    Map<String, Object> names = new LinkedHashMap<>();
    for (int i = 1; i <= 51; i++) {
      names.put("load_ch" + i + "_sta", Map.of("ch_name", "Circuit " + i));
    }
    push(panel, names);
    assertEquals(50, circuits(panel).size());
    assertEquals(before + 1, page.conflicts("limit"));
    // Removed texts do not count towards the limit.
    push(panel, Map.of("load_ch1_sta", "none", "load_ch2_sta", "none"));
    assertEquals(48, circuits(panel).size());
    push(
        panel,
        Map.of(
            "load_ch1_sta", Map.of("ch_name", "x".repeat(99) + "\uD83D\uDD0C!"),
            "load_ch2_sta", Map.of("ch_name", "a\n\"b\"\\\u0000\u2028\u202Ec", "set_amp", 16)));
    Map<String, String> circuits = circuits(panel);
    assertEquals(50, circuits.size());
    assertEquals("x".repeat(99) + "\uD83D\uDD0C", circuits.get("1"));
    assertEquals("a\"b\"\\c", circuits.get("2"));
    // A message without the name does not remove it.
    push(panel, Map.of("load_ch2_sta", Map.of("set_amp", 20)));
    assertEquals("a\"b\"\\c", circuits(panel).get("2"));
    // null removes a name.
    Map<String, Object> none = new HashMap<>();
    none.put("ch_name", null);
    push(panel, Map.of("load_ch2_sta", none));
    assertFalse(circuits(panel).containsKey("2"));
  }

  @Test
  void exactlyOneStateIsOne() {
    SimulatedDevice charger = protobuf(ALTERNATOR);
    // sp_charger_chg_mode
    send(charger, 254, 21, message().integer(581, 1));
    assertEquals(List.of("driving_charge"), states(page, charger, "charger_mode"));
    assertEquals(4, page.series("state", "device=" + charger.serial()).size());
    send(charger, 254, 21, message().integer(581, 3));
    assertEquals(List.of("parking_charge"), states(page, charger, "charger_mode"));
    // An unknown number
    send(charger, 254, 21, message().integer(581, 9));
    assertEquals(List.of(), page.series("state", "device=" + charger.serial()));
    assertEquals(9, page.of(charger, "sp_charger_chg_mode"));
  }

  @Test
  void twoChargersHaveSeparateStates() {
    SimulatedDevice house = protobuf(POWER_OCEAN);
    // EVChargingParamReport: ev_sn, charging_status
    send(house, 209, 8, message().text(1, "AC31TEST00000002").integer(6, 3));
    send(house, 209, 8, message().text(1, "AC31TEST00000001").integer(6, 1));
    assertEquals(List.of("available"), states(page, house, "ev_charging_1"));
    assertEquals(List.of("charging"), states(page, house, "ev_charging_2"));
    // An unknown number, and a charger that has not sent its status: the others keep their numbers.
    send(house, 209, 8, message().text(1, "AC31TEST00000001").integer(6, 42));
    assertEquals(List.of(), states(page, house, "ev_charging_1"));
    assertEquals(List.of("charging"), states(page, house, "ev_charging_2"));
    send(house, 209, 8, message().text(1, "AC31TEST00000000").real(8, 1500));
    assertEquals(List.of("charging"), states(page, house, "ev_charging_3"));
    assertFalse(page.lines("state").toString().contains("AC31TEST"));
  }

  @Test
  void nothingIsLeftOfAnOfflineDevice() {
    SimulatedDevice panel = json(HOME_PANEL_2);
    push(
        panel,
        Map.of(
            "load_incre_info.hall1_incre_info.ch3_info.ch_name", "Attic",
            "pd_firm_ver", 0x0100_0001,
            "user_temp_unit", 1));
    assertEquals(Map.of("3", "Attic"), circuits(panel));
    assertEquals(List.of(Map.of("firmware", "1.0.0.1")), versions(panel));
    assertEquals(List.of("celsius"), states(page, panel, "temperature_unit"));
    panel.publishStatus("{\"params\": {\"status\": 0}}");
    page.eventuallyShows(panel, "online", 0);
    assertEquals(List.of("ecoflow_online"), namesOf(panel));
    push(panel, Map.of("load_info.hall1_watt", List.of(5)));
    assertEquals(Map.of(), circuits(panel));
    assertEquals(List.of(), versions(panel));
  }

  private List<String> namesOf(SimulatedDevice device) {
    return page.linesOf(device.serial()).stream()
        .map(line -> line.replaceAll("\\{.*", ""))
        .toList();
  }

  @Test
  void textsWithOtherKeysAreNotShown() {
    SimulatedDevice device = protobuf(DELTA_3);
    // bms_main_sn, module_wifi_ssid, country_code, utc_timezone_id
    send(
        device,
        254,
        21,
        message()
            .text(392, "SECRETSERIAL")
            .text(986, "Secret Wi-Fi")
            .integer(728, 49)
            .text(134, "Secret/Zone"));
    // A version and a name under keys of other models or with other types
    push(
        json(DELTA_3),
        Map.of(
            "load_ch1_sta", Map.of("ch_name", "Secret circuit"),
            "pd.sysVer", "Secret version",
            "wifi_mac", "Secret"));
    assertFalse(page.text().contains("Secret"), page::text);
    assertFalse(page.text().contains("SECRET"), page::text);
  }

  @Test
  void pollsWithNumbersAndNames() {
    STREAM.set(Map.of("cmsBattSoc", 50, "gridConnectionSta", "PANEL_FEED_GRID"));
    Page of = polls.page();
    eventually(() -> assertEquals(List.of("feed_grid"), states(of, STREAM, "grid_connection")));
    STREAM.set(Map.of("gridConnectionSta", 1));
    eventually(() -> assertEquals(List.of("grid_in"), states(of, STREAM, "grid_connection")));
    assertEquals(1, of.of(STREAM, "grid_connection_sta"));
    STREAM.set(Map.of("distributedDeviceStatus", "MASTER", "cloudMetter.model", "CT_EF_01"));
    eventually(() -> assertEquals(List.of("master"), states(of, STREAM, "distributed_role")));
    assertEquals(List.of("ef_ct01"), states(of, STREAM, "meter_model"));
    STREAM.set(
        Map.of(
            "gridConnectionSta",
            "PANEL_SOMETHING",
            "distributedDeviceStatus",
            "NEW",
            "cloudMetter.model",
            "NEW"));
    eventually(() -> assertEquals(List.of(), of.series("state")));
  }

  @Test
  void bothFormatsAreValid() throws Exception {
    SimulatedDevice panel = json(HOME_PANEL_3);
    push(
        panel,
        Map.of(
            "load_ch1_sta", Map.of("ch_name", "Kitchen"),
            "load_ch2_sta", Map.of("ch_name", "B\"\\"),
            "pd_firm_ver", 0x0100_0001,
            "grid_connection_sta", 1,
            "state", 5,
            "circuit", 6));
    String open =
        exporter
            .http()
            .get("/metrics", "Accept", "application/openmetrics-text; version=1.0.0")
            .body();
    Map<String, StrictPage.Family> families = StrictPage.read(open, true);
    assertEquals("info", families.get("ecoflow_device").type());
    assertEquals("info", families.get("ecoflow_circuit").type());
    assertEquals("gauge", families.get("ecoflow_state").type());
    assertTrue(families.get("ecoflow_circuit").series().stream().allMatch(s -> s.value() == 1));
    assertEquals("gauge", StrictPage.read(page.text(), false).get("ecoflow_circuit_info").type());
    assertEquals(List.of("grid_in"), states(page, panel, "grid_connection"), "not the raw value 5");
    Promtool.assumeInstalled();
    Promtool.Result result = Promtool.check(directory, page.text());
    assertEquals(0, result.exitCode(), result.output());
  }
}
