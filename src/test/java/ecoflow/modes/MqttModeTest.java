package ecoflow.modes;

import static ecoflow.cloud.ApiPath.ACCOUNT_DEVICES;
import static ecoflow.cloud.ApiPath.CERTIFICATION;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.testkit.Eventually.eventually;
import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.header;
import static ecoflow.testkit.Frames.message;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.ProtobufWriter;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.DevicePool;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The effect of pushes on /metrics. All tests share an exporter; each has its own devices. */
class MqttModeTest {

  private static final DevicePool DEVICES = new DevicePool("R331ZMQTT", 120);
  private static final String SHED = DEVICES.serial(1);
  private static final String VAN = DEVICES.serial(2);

  /**
   * Series are removed only because of a message, never because of MQTT_TIMEOUT. Silence is checked
   * continuously: one message of any device must be sufficient.
   */
  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.mqtt(
              "ECOFLOW_DEVICE_SN=" + DEVICES.serials(),
              "ECOFLOW_DEVICE_NAME=%s=Shed, behind \"B\",%s=Van".formatted(SHED, VAN),
              "ECOFLOW_PRODUCT_NAME=%s=Solar box".formatted(SHED),
              "ECOFLOW_DEVICE_GENERAL_KEY=%s=solar_box".formatted(SHED),
              "MQTT_TIMEOUT=3600",
              "IDLE_CHECK_INTERVAL=0.1")
          .startedAtOnce();

  private static final Page page = exporter.page();

  private static SimulatedDevice unnamed;
  private static SimulatedDevice shed;
  private static SimulatedDevice van;

  /** Devices for the payloads of a parameterized test. */
  private static List<SimulatedDevice> wrongBodyDevices;

  @BeforeAll
  static void connect() {
    unnamed = device(WireFormat.JSON);
    shed = device(WireFormat.JSON);
    van = device(WireFormat.JSON);
    wrongBodyDevices = Stream.generate(() -> device(WireFormat.JSON)).limit(3).toList();
    page.eventuallyConnected(1);
  }

  /** In all tests of this class, the exporter uses a single connection and does not publish. */
  @AfterAll
  static void stop() {
    exporter.stop();
    SimulatedCloud cloud = exporter.cloud();
    assertEquals(1, cloud.connects().size());
    assertEquals(1, cloud.maxOpenConnections());
    assertEquals(List.of(), cloud.messages());
    List<String> serials = List.of(DEVICES.serials().split(","));
    assertEquals(
        Stream.of("/app/device/property/", "/app/device/status/")
            .flatMap(topic -> serials.stream().map(serial -> topic + serial))
            .toList(),
        cloud.subscriptions().stream().sorted().toList());
    List<String> calls = cloud.requests().stream().map(CloudRequest::path).toList();
    assertEquals(List.of(LOGIN, CERTIFICATION), calls.subList(0, 2));
    // After half a minute, the exporter requests the list because some devices have not sent
    // anything.
    assertTrue(
        List.of(List.of(), List.of(ACCOUNT_DEVICES)).contains(calls.subList(2, calls.size())),
        calls::toString);
  }

  private static SimulatedDevice device(WireFormat format) {
    return DEVICES.next(exporter.cloud(), format);
  }

  /** pow_in_sum_w has number 3 in a DisplayPropertyUpload, pow_out_sum_w number 4. */
  private static ProtobufWriter powIn(float watts) {
    return message().real(3, watts);
  }

  private static ProtobufWriter powOut(float watts) {
    return message().real(4, watts);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void jsonPushesBecomeGauges() {
    SimulatedDevice device = device(WireFormat.JSON);
    device.push(
        """
        {
          "pd.soc": 71,
          "inv.inputWatts": 0,
          "inv.acInFreq": 49.98,
          "mppt.carState": true,
          "mppt.beep": false,
          "ems.name": "not a number",
          "bms.minTemp": -7,
          "bms.cells": [[3301, 0], [true], {"volMax": 3304}]
        }
        """);

    String serial = device.serial();
    page.eventuallyShows(serial, "pd_soc", 71);
    assertEquals(0, page.of(serial, "inv_input_watts"));
    assertEquals(49.98, page.of(serial, "inv_ac_in_freq"));
    assertEquals(1, page.of(serial, "mppt_car_state"));
    assertEquals(0, page.of(serial, "mppt_beep"));
    assertEquals(-7, page.of(serial, "bms_min_temp"));
    assertEquals(3301, page.of(serial, "bms_cells", "index_0=0", "index_1=0"));
    assertEquals(0, page.of(serial, "bms_cells", "index_0=0", "index_1=1"));
    assertEquals(1, page.of(serial, "bms_cells", "index_0=1", "index_1=0"));
    assertEquals(3304, page.of(serial, "bms_cells_vol_max", "index_0=2"));
    assertFalse(page.text().contains("ecoflow_ems_name"));
    assertEquals(1, page.of(serial, "online"));
    page.eventuallyShows(serial, "metrics_collected", 10);
  }

  @ParameterizedTest
  @EnumSource(names = "JSON", mode = EnumSource.Mode.EXCLUDE)
  void protobufPushesBecomeGauges(WireFormat format) {
    SimulatedDevice device = device(format);
    device.push(
        """
        {
          "powInSumW": 100.5,
          "powOutSumW": 0,
          "bmsMinCellTemp": -4,
          "enBeep": true,
          "pvDcChgSettingList": {
            "listInfo": [
              {"pvPlugIndex": 1, "pvChgVolSpec": 12, "pvChgAmpLimit": 8},
              {"pvPlugIndex": 2, "pvChgVolSpec": 24, "pvChgAmpLimit": 0}
            ]
          }
        }
        """);

    String serial = device.serial();
    page.eventuallyShows(serial, "pow_in_sum_w", 100.5);
    assertEquals(0, page.of(serial, "pow_out_sum_w"));
    assertEquals(-4, page.of(serial, "bms_min_cell_temp"));
    assertEquals(1, page.of(serial, "en_beep"));
    String limit = "pv_dc_chg_setting_list_list_info_pv_chg_amp_limit";
    assertEquals(8, page.of(serial, limit, "index_0=0"));
    assertEquals(0, page.of(serial, limit, "index_0=1"));

    device.push(Map.of("powInSumW", 0f, "powOutSumW", 7.25f));
    page.eventuallyShows(serial, "pow_out_sum_w", 7.25);
    assertEquals(0, page.of(serial, "pow_in_sum_w"), "a zero that was sent");
    assertEquals(-4, page.of(serial, "bms_min_cell_temp"), "not in the second push");
  }

  @ParameterizedTest
  @EnumSource(names = "JSON", mode = EnumSource.Mode.EXCLUDE)
  void pushedBundlesBecomeGauges(WireFormat format) {
    SimulatedDevice device = device(format);
    device
        .set(
            """
            {"powInSumW": 5, "powOutSumW": 6, "bmsBattSoc": 55.5}
            """)
        .pushAll();
    page.eventuallyShows(device, "bms_batt_soc", 55.5);
    assertEquals(5, page.of(device, "pow_in_sum_w"));
    assertEquals(6, page.of(device, "pow_out_sum_w"));
  }

  @Test
  void jsonValuesMoveAndReachZero() {
    SimulatedDevice device = device(WireFormat.JSON);
    device.push(Map.of("pd.watts", 5, "pd.soc", 50));
    page.eventuallyShows(device, "pd_watts", 5);
    device.push(Map.of("pd.watts", 8));
    page.eventuallyShows(device, "pd_watts", 8);
    device.push(Map.of("pd.watts", 0));
    page.eventuallyShows(device, "pd_watts", 0);
    assertEquals(50, page.of(device, "pd_soc"));
  }

  @Test
  void severalDevicesAreSeparate() {
    SimulatedDevice json = device(WireFormat.JSON);
    SimulatedDevice other = device(WireFormat.JSON);
    SimulatedDevice protobuf = device(WireFormat.PROTOBUF_XOR);
    json.push(Map.of("pow.in.sumW", 1));
    other.push(Map.of("pow.in.sumW", 2));
    protobuf.push(Map.of("powInSumW", 3f));
    page.eventuallyShows(json, "pow_in_sum_w", 1);
    page.eventuallyShows(other, "pow_in_sum_w", 2);
    page.eventuallyShows(protobuf, "pow_in_sum_w", 3);
  }

  @Test
  void aConfiguredDeviceIsNamedAfterTheCatalogue() {
    unnamed.push(Map.of("pd.soc", 10));
    page.eventuallyShows(unnamed, "pd_soc", 10, "device_name=DELTA 2-0000", "product_name=DELTA 2");
  }

  @Test
  void configuredNamesTakePrecedence() {
    shed.push(Map.of("pd.soc", 11));
    van.push(Map.of("pd.soc", 12));
    page.eventuallyShows(
        shed,
        "pd_soc",
        11,
        "device_name=Shed, behind \"B\"",
        "product_name=Solar box",
        "device_general_key=solar_box");
    page.eventuallyShows(van, "pd_soc", 12, "device_name=Van", "product_name=DELTA 2");
  }

  @Test
  void aDeviceWithoutMessagesIsOffline() {
    SimulatedDevice device = device(WireFormat.JSON);
    page.eventuallyShows(device, "online", 0);
    assertEquals(List.of(), page.namesOf(device));
    assertTrue(Double.isNaN(page.lastUpdate(device)));
    eventually(() -> assertTrue(page.scrapes(device, "offline") > 0));
    assertEquals(0, page.scrapes(device, "success"));
  }

  static Stream<String> emptyPushes() {
    return """
        {}
        {"params": {}}
        {"id": 17, "version": "1.0", "timestamp": 1700000000000, "moduleType": 1, "params": {}}
        {"id": 17, "param": {}, "params": {}, "data": {"param": {}, "params": {}}}
        {"id": 17, "version": "1.0", "timestamp": 1700000000000, "moduleType": 1}
        {"data": 17}
        {"params": {"pd.soc": null, "pd.name": "x", "pd.list": []}}
        {"sn": "R331", "name": "x"}
        {"params": {"": 1, "..": 2}}
        """
        .lines();
  }

  @ParameterizedTest
  @MethodSource("emptyPushes")
  void aPushWithoutValuesDoesNotMarkTheDeviceOnline(String payload) {
    double text = page.mqttMessages("text");
    double errors = page.mqttErrors();
    SimulatedDevice empty = device(WireFormat.JSON);
    SimulatedDevice other = device(WireFormat.JSON);
    empty.publish(payload);
    exporter.settle(other);
    assertEquals(0, page.of(empty, "online"));
    assertEquals(List.of(), page.namesOf(empty));
    assertEquals(text + 2, page.mqttMessages("text"));
    assertEquals(errors, page.mqttErrors(), "nothing is wrong with an empty message");

    double update = pushAndNoteUpdate(empty);
    empty.publish(payload);
    exporter.settle(other);
    assertEquals(update, page.lastUpdate(empty));
  }

  /** Each wrong body at three positions. */
  static Stream<String> wrongBodies() {
    String places =
        """
        {"params": WRONG}
        {"id": 17, "version": "1.0", "timestamp": 1700000000000, "param": WRONG, "params": {}}
        {"sn": "R331", "data": {"params": WRONG}}
        """;
    return """
        null
        "x"
        ""
        5
        true
        []
        [{"pd.soc": 9}]
        """
        .lines()
        .flatMap(wrong -> places.replace("WRONG", wrong).lines());
  }

  @ParameterizedTest
  @MethodSource("wrongBodies")
  void aPushWithAnInvalidBodyIsOnlyCounted(String payload) {
    SimulatedDevice unheard = wrongBodyDevices.get(0);
    SimulatedDevice device = wrongBodyDevices.get(1);
    SimulatedDevice other = wrongBodyDevices.get(2);
    double update = pushAndNoteUpdate(device);
    double errors = page.mqttErrors();

    unheard.publish(payload);
    device.publish(payload);
    exporter.settle(other);
    assertEquals(errors + 2, page.mqttErrors());
    assertEquals(0, page.of(unheard, "online"));
    assertEquals(List.of(), page.namesOf(unheard));
    assertEquals(List.of("pd_soc"), page.namesOf(device), "the values before it stay");
    assertEquals(update, page.lastUpdate(device));

    device.push(Map.of("pd.soc", 51));
    page.eventuallyShows(device, "pd_soc", 51);
  }

  @Test
  void aStatusMessageWithAnInvalidBodyIsOnlyCounted() {
    SimulatedDevice device = device(WireFormat.JSON);
    double update = pushAndNoteUpdate(device);
    double errors = page.mqttErrors();
    List<String> wrong =
        """
        null
        "off"
        0
        false
        []
        [{"status": 0}]
        """
            .lines()
            .toList();
    for (String params : wrong) {
      device.publishStatus(
          """
          {"params": %s}
          """
              .formatted(params));
    }
    device.publishStatus(
        """
        {"params": {}}
        """);
    device.publishStatus("{}");
    // Topics are processed independently: await the last status message.
    device.publishStatus("not even JSON");
    eventually(() -> assertEquals(errors + wrong.size() + 1, page.mqttErrors()));
    assertEquals(1, page.of(device, "online"));
    assertEquals(List.of("pd_soc"), page.namesOf(device));
    assertEquals(update, page.lastUpdate(device));

    device.publishStatus(
        """
        {"params": {}, "param": {"status": 0}}
        """);
    page.eventuallyShows(device, "online", 0);
    assertEquals(List.of(), page.namesOf(device));
    assertEquals(errors + wrong.size() + 1, page.mqttErrors());
  }

  /** Pushes a value of the device and returns the time of its last update, in seconds. */
  private static double pushAndNoteUpdate(SimulatedDevice device) {
    device.push(Map.of("pd.soc", 50));
    page.eventuallyShows(device, "pd_soc", 50);
    // Ensure that the next update has a different time.
    long millis = System.currentTimeMillis();
    eventually(() -> assertTrue(System.currentTimeMillis() > millis));
    return page.lastUpdate(device);
  }

  static Stream<String> textPayloads() {
    String params =
        """
        {"params": {"pd.soc": 42}}""";
    return Stream.concat(
        Stream.of(" \t\r\n" + params + "\r\n ", "\ufeff" + params),
        """
        {"params": {"pd.soc": 42}}
        {"param": {"pd.soc": 42}}
        {"pd.soc": 42, "id": 7, "timestamp": 8, "cmdFunc": 9}
        {"params": {"pd": {"soc": 42}}}
        {"data": {"online": 1, "quotaMap": {"pd.soc": 42}}}
        {"params": {}, "param": {"pd.soc": 42}}
        {"params": {"pd.soc": 42}, "param": {}}
        {"params": 7, "param": {"pd.soc": 42}}
        {"params": {"pd.soc": 7}, "param": {"pd.soc": 42}}
        {"id": 7, "data": {"param": {"pd.soc": 42}}}
        {"id": 7, "params": {}, "data": {"params": {"pd.soc": 42}}}
        {"id": 7, "params": {}, "pd.soc": 42}
        {"id": 7, "params": 7, "param": [7], "pd.soc": 42}
        """
            .lines());
  }

  @ParameterizedTest
  @MethodSource("textPayloads")
  void jsonIsReadInAllFormats(String payload) {
    double text = page.mqttMessages("text");
    double protobuf = page.mqttMessages("protobuf");
    SimulatedDevice device = device(WireFormat.JSON);
    device.publish(payload);
    page.eventuallyShows(device, "pd_soc", 42);
    assertEquals(List.of("pd_soc"), page.namesOf(device));
    assertEquals(text + 1, page.mqttMessages("text"));
    assertEquals(protobuf, page.mqttMessages("protobuf"));
  }

  static Stream<byte[]> framePayloads() {
    byte[] frame = frame(254, 21, powIn(2));
    String base64 = Base64.getEncoder().encodeToString(frame);
    return Stream.of(frame, utf8(base64), utf8(" \r\n" + base64 + "\n"));
  }

  @ParameterizedTest
  @MethodSource("framePayloads")
  void framesAreReadInAllFormats(byte[] payload) {
    double text = page.mqttMessages("text");
    double protobuf = page.mqttMessages("protobuf");
    SimulatedDevice device = device(WireFormat.PROTOBUF_PLAIN);
    device.publish(payload);
    page.eventuallyShows(device, "pow_in_sum_w", 2);
    assertEquals(text, page.mqttMessages("text"));
    assertEquals(protobuf + 1, page.mqttMessages("protobuf"));
  }

  @Test
  void aFrameThatIsValidTextIsReadAsAFrame() {
    double text = page.mqttMessages("text");
    double protobuf = page.mqttMessages("protobuf");
    double errors = page.mqttErrors();
    // The length of the header equals the character code of a brace.
    byte[] frame = frame(header(60, 1, new byte['{' - 10]));
    assertEquals("\n{", new String(frame, 0, 2, StandardCharsets.US_ASCII));
    assertEquals(
        Arrays.toString(frame), Arrays.toString(utf8(new String(frame, StandardCharsets.UTF_8))));
    SimulatedDevice device = device(WireFormat.PROTOBUF_PLAIN);
    device.publish(frame);
    exporter.settle(device);
    assertEquals(protobuf + 1, page.mqttMessages("protobuf"));
    assertEquals(text + 1, page.mqttMessages("text"), "the marker alone");
    assertEquals(errors, page.mqttErrors());
    assertEquals(1, page.protobufMessages(60, 1, "unknown"));
  }

  static Stream<Arguments> badPayloads() {
    byte[] random = new byte[300];
    new Random(20260101).nextBytes(random);
    byte[] frame = frame(254, 21, powIn(2));
    String deep = "{\"params\":" + "[".repeat(10_000) + "]".repeat(10_000) + "}";
    String deepMaps = "{\"a\":".repeat(10_000) + "1" + "}".repeat(10_000);
    return Stream.concat(
        Stream.of(
            Arguments.of("empty", new byte[0]),
            Arguments.of("random bytes", random),
            Arguments.of("truncated frame", Arrays.copyOf(frame, frame.length - 1)),
            Arguments.of("not UTF-8", new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'}),
            Arguments.of("deep arrays", utf8(deep)),
            Arguments.of("deep objects", utf8(deepMaps))),
        """
        JSON array   | [{"params": {"pd.soc": 1}}]
        broken JSON  | {"params": {"pd.soc": 1
        only a brace | {
        null         | null
        number       | 17
        text         | "online"
        nan          | {"params": {"pd.soc": nan}}
        """
            .lines()
            .map(line -> line.split("\\|"))
            .map(columns -> Arguments.of(columns[0].strip(), utf8(columns[1].strip()))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badPayloads")
  void badPayloadsAreOnlyCounted(String name, byte[] payload) {
    SimulatedDevice device = device(WireFormat.JSON);
    device.push(Map.of("pd.watts", 3));
    page.eventuallyShows(device, "pd_watts", 3);
    double errors = page.mqttErrors();

    device.publish(payload);
    exporter.settle(device);
    assertEquals(errors + 1, page.mqttErrors());
    assertEquals(List.of("pd_watts", "test_marker"), page.namesOf(device));
    assertEquals(1, page.connected());
  }

  static Stream<Arguments> noFiniteNumbers() {
    return Stream.of(
        Arguments.of("NaN", "NaN"),
        Arguments.of("Infinity", "Infinity"),
        Arguments.of("-Infinity", "-Infinity"),
        Arguments.of("1e999", "1e999"),
        Arguments.of("-1e999", "-1e999"),
        Arguments.of("10^400", "1" + "0".repeat(400)),
        Arguments.of("more digits than are read", "9".repeat(5_000)),
        Arguments.of("minus more digits than are read", "-" + "9".repeat(5_000)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("noFiniteNumbers")
  void otherNumbersOnlyRemoveTheirOwnSeries(String name, String token) {
    SimulatedDevice device = device(WireFormat.JSON);
    String serial = device.serial();
    String cells = "bms_cells";
    double errors = page.mqttErrors();
    device.push(
        """
        {"pd.odd": 1, "bms.cells": [1, 2, 3], "pd.watts": 1, "pd.soc": 9}
        """);
    page.eventuallyShows(serial, "pd_odd", 1);

    device.publish(
        """
        {"params": {"pd.odd": %1$s, "bms.cells": [4, %1$s, 6], "pd.watts": 2}}
        """
            .formatted(token));
    page.eventuallyShows(serial, "pd_watts", 2);
    assertEquals(List.of(cells, "pd_soc", "pd_watts"), page.namesOf(device));
    assertEquals(4, page.of(serial, cells, "index_0=0"));
    assertEquals(Double.NaN, page.of(serial, cells, "index_0=1"), "it has no series");
    assertEquals(6, page.of(serial, cells, "index_0=2"));
    assertEquals(2, page.series(cells, "device=" + serial).size());
    assertEquals(errors, page.mqttErrors());

    device.push(Map.of("pd.odd", 3));
    page.eventuallyShows(serial, "pd_odd", 3);
  }

  @Test
  void aMessageWithOnlyNaNDoesNotMarkTheDeviceOnline() {
    SimulatedDevice device = device(WireFormat.JSON);
    double update = pushAndNoteUpdate(device);
    device.publish(
        """
        {"params": {"pd.soc": NaN}}
        """);
    page.eventuallyShows(device, "pd_soc", Double.NaN);
    assertEquals(List.of(), page.namesOf(device));
    assertEquals(update, page.lastUpdate(device));
  }

  @Test
  void aBrokenHeaderDoesNotAffectOtherHeaders() {
    double errors = page.mqttErrors();
    double broken = page.protobufMessages(254, 21, "broken");
    SimulatedDevice device = device(WireFormat.PROTOBUF_PLAIN);
    device.publish(
        frame(
            header(254, 21, powIn(2)),
            // powOut without its last two bytes
            header(254, 21, Arrays.copyOf(powOut(8).toByteArray(), 3)),
            header(254, 21, powOut(8))));
    page.eventuallyShows(device, "pow_out_sum_w", 8);
    assertEquals(2, page.of(device, "pow_in_sum_w"));
    assertEquals(errors + 1, page.mqttErrors());
    assertEquals(broken + 1, page.protobufMessages(254, 21, "broken"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"null", "\"off\"", "\"\"", "\"12\""})
  void aValueThatIsNoLongerANumberIsRemoved(String value) {
    SimulatedDevice device = device(WireFormat.JSON);
    device.push(Map.of("pd.soc", 50, "pd.watts", 1));
    page.eventuallyShows(device, "pd_soc", 50);
    device.publish(
        """
        {"params": {"pd.soc": %s}}
        """
            .formatted(value));
    page.eventuallyShows(device, "pd_soc", Double.NaN);
    assertEquals(List.of("pd_watts"), page.namesOf(device));
  }

  @Test
  void aShorterArrayLosesItsLastElements() {
    SimulatedDevice device = device(WireFormat.JSON);
    String cells = "bms_cells";
    device.push(Map.of("bms.cells", List.of(1, 2, 3, 4)));
    page.eventuallyShows(device, cells, 4, "index_0=3");
    device.push(Map.of("bms.cells", List.of(5, 6)));
    page.eventuallyShows(device, cells, 6, "index_0=1");
    assertEquals(5, page.of(device, cells, "index_0=0"));
    assertTrue(Double.isNaN(page.of(device, cells, "index_0=2")));
    assertTrue(Double.isNaN(page.of(device, cells, "index_0=3")));
    device.push(Map.of("bms.cells", List.of()));
    eventually(() -> assertEquals(List.of(), page.namesOf(device)));
  }

  @Test
  void otherDevicesAreIgnored() {
    SimulatedDevice wanted = device(WireFormat.JSON);
    SimulatedDevice stranger =
        new SimulatedDevice("R331STRANGER0001", "Other", "DELTA 2", WireFormat.JSON);
    exporter.cloud().add(stranger);
    stranger.push(Map.of("pd.soc", 1));
    exporter.settle(wanted);
    assertFalse(page.text().contains(stranger.serial()));
  }

  @Test
  void devicesCannotSetMetricsOfTheExporter() {
    SimulatedDevice device = device(WireFormat.JSON);
    device.push(Map.of("online", 17, "mqtt.connected", 18, "pd.soc", 19));
    page.eventuallyShows(device, "pd_soc", 19);
    assertEquals(1, page.of(device, "online"));
    assertEquals(1, page.connected());
  }
}
