package ecoflow;

import static ecoflow.Eventually.eventually;
import static ecoflow.Eventually.eventuallyShows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What pushes of devices do to /metrics. One exporter serves all tests, each has its devices. */
class MqttModeTest {

  private static final int DEVICES = 120;
  private static final AtomicInteger NEXT = new AtomicInteger();

  private static SimulatedCloud cloud;
  private static RunningExporter exporter;
  private static List<SimulatedDevice> wrongBodyDevices;

  @BeforeAll
  static void start() {
    cloud = SimulatedCloud.start();
    exporter =
        RunningExporter.start(
            RunningExporter.account(
                cloud,
                "mqtt",
                "ECOFLOW_DEVICE_SN",
                IntStream.range(0, DEVICES)
                    .mapToObj(MqttModeTest::serial)
                    .collect(Collectors.joining(",")),
                "ECOFLOW_DEVICE_NAME",
                serial(1) + "=Shed, behind \"B\"," + serial(2) + "=Van",
                "ECOFLOW_PRODUCT_NAME",
                serial(1) + "=Solar box",
                "ECOFLOW_DEVICE_GENERAL_KEY",
                serial(1) + "=solar_box",
                // What goes, goes because of a message.
                "MQTT_TIMEOUT",
                "3600",
                // Looks for silence all the time: one message of any device must be enough.
                "IDLE_CHECK_INTERVAL",
                "0.1"));
    NEXT.set(3);
    wrongBodyDevices = Stream.generate(() -> device(WireFormat.JSON)).limit(3).toList();
    eventually(() -> assertEquals(1, connected()));
  }

  /** Over all tests of this class: one connection, never used to send anything. */
  @AfterAll
  static void stop() {
    exporter.close();
    cloud.close();
    assertEquals(1, cloud.connects().size());
    assertEquals(1, cloud.maxOpenConnections());
    assertEquals(List.of(), cloud.messages());
    assertEquals(
        Stream.of("/app/device/property/", "/app/device/status/")
            .flatMap(
                topic -> IntStream.range(0, DEVICES).mapToObj(number -> topic + serial(number)))
            .toList(),
        cloud.subscriptions().stream().sorted().toList());
    assertEquals(
        List.of("/auth/login", "/iot-auth/app/certification"),
        cloud.requests().stream().map(CloudRequest::path).toList(),
        "no device list is needed for known devices");
  }

  private static String serial(int number) {
    return String.format("R331ZMQTT%07d", number);
  }

  private static SimulatedDevice device(int number, WireFormat format) {
    SimulatedDevice device = new SimulatedDevice(serial(number), "Unused", null, format);
    cloud.add(device);
    return device;
  }

  private static SimulatedDevice device(WireFormat format) {
    return device(NEXT.getAndIncrement(), format);
  }

  private static double connected() {
    return exporter.value("ecoflow_mqtt_connected", "client_type=\"mqtt\"").orElseThrow();
  }

  private static double errors() {
    return exporter
        .value("ecoflow_mqtt_message_errors_total", "client_type=\"mqtt\"")
        .orElseThrow();
  }

  private static double messages(String type) {
    return exporter
        .value("ecoflow_mqtt_messages_total", "client_type=\"mqtt\"", "type=\"" + type + "\"")
        .orElseThrow();
  }

  private static double broken() {
    return exporter
        .value("ecoflow_protobuf_messages_total", "cmd_func=\"254\"", "outcome=\"broken\"")
        .orElseThrow();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A header of DisplayPropertyUpload: pow_in_sum_w has number 3 and is a float. */
  private static Header header(byte[] pdata) {
    return Header.newBuilder()
        .setPdata(ByteString.copyFrom(pdata))
        .setSrc(2)
        .setDest(32)
        .setCmdFunc(254)
        .setCmdId(21)
        .build();
  }

  private static byte[] frame(Header... headers) {
    Frame.Builder frame = Frame.newBuilder();
    for (Header header : headers) {
      frame.addHeaders(header.toByteString());
    }
    return frame.build().toByteArray();
  }

  /** Messages come in order: once this is shown, what was pushed before has been dealt with. */
  private static void pushMarker(SimulatedDevice device) {
    int marker = NEXT.get() * 1000 + Math.floorMod(System.nanoTime(), 1000);
    device.push(utf8("{\"params\":{\"test.marker\":" + marker + "}}"));
    eventuallyShows(exporter, device.serial(), "ecoflow_test_marker", marker);
  }

  private static List<String> seriesOf(SimulatedDevice device) {
    return exporter
        .metrics()
        .lines()
        .filter(line -> line.contains("device=\"" + device.serial() + "\""))
        .map(line -> line.substring(0, line.indexOf('{')))
        .filter(name -> !name.startsWith("ecoflow_scrape_"))
        .filter(
            name ->
                !List.of(
                        "ecoflow_online",
                        "ecoflow_metrics_collected",
                        "ecoflow_device_last_update_timestamp_seconds")
                    .contains(name))
        .distinct()
        .toList();
  }

  @Test
  void jsonPushesBecomeGauges() {
    SimulatedDevice device = device(WireFormat.JSON);
    Map<String, Object> quota = new HashMap<>();
    quota.put("pd.soc", 71);
    quota.put("inv.inputWatts", 0);
    quota.put("inv.acInFreq", 49.98);
    quota.put("mppt.carState", true);
    quota.put("mppt.beep", false);
    quota.put("ems.name", "a text is no number");
    quota.put("bms.minTemp", -7);
    quota.put("bms.cells", List.of(List.of(3301, 0), List.of(true), Map.of("volMax", 3304)));
    device.push(quota);

    String serial = device.serial();
    eventuallyShows(exporter, serial, "ecoflow_pd_soc", 71);
    assertEquals(0, exporter.of(serial, "ecoflow_inv_input_watts"));
    assertEquals(49.98, exporter.of(serial, "ecoflow_inv_ac_in_freq"));
    assertEquals(1, exporter.of(serial, "ecoflow_mppt_car_state"));
    assertEquals(0, exporter.of(serial, "ecoflow_mppt_beep"));
    assertEquals(-7, exporter.of(serial, "ecoflow_bms_min_temp"));
    assertEquals(3301, exporter.of(serial, "ecoflow_bms_cells", "index_0=\"0\"", "index_1=\"0\""));
    assertEquals(0, exporter.of(serial, "ecoflow_bms_cells", "index_0=\"0\"", "index_1=\"1\""));
    assertEquals(1, exporter.of(serial, "ecoflow_bms_cells", "index_0=\"1\"", "index_1=\"0\""));
    assertEquals(3304, exporter.of(serial, "ecoflow_bms_cells_vol_max", "index_0=\"2\""));
    assertFalse(exporter.metrics().contains("ecoflow_ems_name"));
    assertEquals(1, exporter.of(serial, "ecoflow_online"));
    eventuallyShows(exporter, serial, "ecoflow_metrics_collected", 10);
  }

  @ParameterizedTest
  @EnumSource(names = "JSON", mode = EnumSource.Mode.EXCLUDE)
  void protobufPushesBecomeGauges(WireFormat format) {
    SimulatedDevice device = device(format);
    device.push(
        Map.of(
            "powInSumW",
            100.5f,
            "powOutSumW",
            0f,
            "bmsMinCellTemp",
            -4,
            "enBeep",
            true,
            "pvDcChgSettingList",
            Map.of(
                "listInfo",
                List.of(
                    Map.of("pvPlugIndex", 1, "pvChgVolSpec", 12, "pvChgAmpLimit", 8),
                    Map.of("pvPlugIndex", 2, "pvChgVolSpec", 24, "pvChgAmpLimit", 0)))));

    String serial = device.serial();
    eventuallyShows(exporter, serial, "ecoflow_pow_in_sum_w", 100.5);
    assertEquals(0, exporter.of(serial, "ecoflow_pow_out_sum_w"));
    assertEquals(-4, exporter.of(serial, "ecoflow_bms_min_cell_temp"));
    assertEquals(1, exporter.of(serial, "ecoflow_en_beep"));
    String limit = "ecoflow_pv_dc_chg_setting_list_list_info_pv_chg_amp_limit";
    assertEquals(8, exporter.of(serial, limit, "index_0=\"0\""));
    assertEquals(0, exporter.of(serial, limit, "index_0=\"1\""));

    device.push(Map.of("powInSumW", 0f, "powOutSumW", 7.25f));
    eventuallyShows(exporter, serial, "ecoflow_pow_out_sum_w", 7.25);
    assertEquals(0, exporter.of(serial, "ecoflow_pow_in_sum_w"), "a zero that was sent");
    assertEquals(-4, exporter.of(serial, "ecoflow_bms_min_cell_temp"), "not in the second push");
  }

  @ParameterizedTest
  @EnumSource(names = "JSON", mode = EnumSource.Mode.EXCLUDE)
  void pushedBundlesBecomeGauges(WireFormat format) {
    SimulatedDevice device = device(format);
    device.set(Map.of("powInSumW", 5f, "powOutSumW", 6f, "bmsBattSoc", 55.5f)).pushAll();
    eventuallyShows(exporter, device.serial(), "ecoflow_bms_batt_soc", 55.5);
    assertEquals(5, exporter.of(device.serial(), "ecoflow_pow_in_sum_w"));
    assertEquals(6, exporter.of(device.serial(), "ecoflow_pow_out_sum_w"));
  }

  @Test
  void jsonValuesMoveAndReachZero() {
    SimulatedDevice device = device(WireFormat.JSON);
    device.push(Map.of("pd.watts", 5, "pd.soc", 50));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_watts", 5);
    device.push(Map.of("pd.watts", 8));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_watts", 8);
    device.push(Map.of("pd.watts", 0));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_watts", 0);
    assertEquals(50, exporter.of(device.serial(), "ecoflow_pd_soc"));
  }

  @Test
  void severalDevicesStayApart() {
    SimulatedDevice json = device(WireFormat.JSON);
    SimulatedDevice other = device(WireFormat.JSON);
    SimulatedDevice protobuf = device(WireFormat.PROTOBUF_XOR);
    json.push(Map.of("pow.in.sumW", 1));
    other.push(Map.of("pow.in.sumW", 2));
    protobuf.push(Map.of("powInSumW", 3f));
    eventuallyShows(exporter, json.serial(), "ecoflow_pow_in_sum_w", 1);
    eventuallyShows(exporter, other.serial(), "ecoflow_pow_in_sum_w", 2);
    eventuallyShows(exporter, protobuf.serial(), "ecoflow_pow_in_sum_w", 3);
  }

  @Test
  void aDeviceOfTheConfigurationIsNamedAfterTheCatalogue() {
    device(0, WireFormat.JSON).push(Map.of("pd.soc", 10));
    eventuallyShows(
        exporter,
        serial(0),
        "ecoflow_pd_soc",
        10,
        "device_name=\"DELTA 2-0000\"",
        "product_name=\"DELTA 2\"");
  }

  @Test
  void theUsersWordsComeFirst() {
    device(1, WireFormat.JSON).push(Map.of("pd.soc", 11));
    device(2, WireFormat.JSON).push(Map.of("pd.soc", 12));
    eventuallyShows(
        exporter,
        serial(1),
        "ecoflow_pd_soc",
        11,
        "device_name=\"Shed, behind \\\"B\\\"\"",
        "product_name=\"Solar box\"",
        "device_general_key=\"solar_box\"");
    eventuallyShows(
        exporter,
        serial(2),
        "ecoflow_pd_soc",
        12,
        "device_name=\"Van\"",
        "product_name=\"DELTA 2\"");
  }

  @Test
  void aDeviceNeverHeardOfIsOffline() {
    SimulatedDevice device = device(WireFormat.JSON);
    eventuallyShows(exporter, device.serial(), "ecoflow_online", 0);
    assertEquals(List.of(), seriesOf(device));
    assertTrue(
        Double.isNaN(exporter.of(device.serial(), "ecoflow_device_last_update_timestamp_seconds")));
    eventually(
        () ->
            assertTrue(
                exporter.of(device.serial(), "ecoflow_scrape_requests_total", "status=\"offline\"")
                    > 0));
    assertEquals(
        0, exporter.of(device.serial(), "ecoflow_scrape_requests_total", "status=\"success\""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"params\":{}}",
        "{\"id\":17,\"version\":\"1.0\",\"timestamp\":1700000000000,\"moduleType\":1,\"params\":{}}",
        "{\"id\":17,\"param\":{},\"params\":{},\"data\":{\"param\":{},\"params\":{}}}",
        "{\"id\":17,\"version\":\"1.0\",\"timestamp\":1700000000000,\"moduleType\":1}",
        "{\"data\":17}",
        "{\"params\":{\"pd.soc\":null,\"pd.name\":\"x\",\"pd.list\":[]}}",
        "{\"sn\":\"R331\",\"name\":\"x\"}",
        "{\"params\":{\"\":1,\"..\":2}}"
      })
  void aPushWithoutValuesIsNoSignOfLife(String payload) {
    double text = messages("text");
    double errors = errors();
    SimulatedDevice empty = device(WireFormat.JSON);
    SimulatedDevice other = device(WireFormat.JSON);
    empty.push(utf8(payload));
    pushMarker(other);
    assertEquals(0, exporter.of(empty.serial(), "ecoflow_online"));
    assertEquals(List.of(), seriesOf(empty));
    assertEquals(text + 2, messages("text"));
    assertEquals(errors, errors(), "nothing is wrong with an empty message");

    double update = pushAndNoteUpdate(empty);
    empty.push(utf8(payload));
    pushMarker(other);
    assertEquals(update, lastUpdate(empty));
  }

  static List<String> wrongBodies() {
    String envelope = "\"id\":17,\"version\":\"1.0\",\"timestamp\":1700000000000,";
    return Stream.of("null", "\"x\"", "\"\"", "5", "true", "[]", "[{\"pd.soc\":9}]")
        .flatMap(
            wrong ->
                Stream.of(
                    "{\"params\":" + wrong + "}",
                    "{" + envelope + "\"param\":" + wrong + ",\"params\":{}}",
                    "{\"sn\":\"R331\",\"data\":{\"params\":" + wrong + "}}"))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("wrongBodies")
  void aPushWhoseBodyIsNoObjectIsCountedAndNoSignOfLife(String payload) {
    SimulatedDevice unheard = wrongBodyDevices.get(0);
    SimulatedDevice device = wrongBodyDevices.get(1);
    SimulatedDevice other = wrongBodyDevices.get(2);
    double update = pushAndNoteUpdate(device);
    double errors = errors();

    unheard.push(utf8(payload));
    device.push(utf8(payload));
    pushMarker(other);
    assertEquals(errors + 2, errors());
    assertEquals(0, exporter.of(unheard.serial(), "ecoflow_online"));
    assertEquals(List.of(), seriesOf(unheard));
    assertEquals(List.of("ecoflow_pd_soc"), seriesOf(device), "the values before it stay");
    assertEquals(update, lastUpdate(device));

    device.push(utf8("{\"params\":{\"pd.soc\":51}}"));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_soc", 51);
  }

  @Test
  void aStatusMessageWhoseBodyIsNoObjectIsCountedAndSaysNothing() {
    SimulatedDevice device = device(WireFormat.JSON);
    double update = pushAndNoteUpdate(device);
    double errors = errors();
    List<String> wrong = List.of("null", "\"off\"", "0", "false", "[]", "[{\"status\":0}]");
    for (String params : wrong) {
      pushStatus(device, "{\"params\":" + params + "}");
    }
    pushStatus(device, "{\"params\":{}}");
    pushStatus(device, "{}");
    // Other topics have an order of their own: the last status message tells when all are through.
    pushStatus(device, "not even JSON");
    eventually(() -> assertEquals(errors + wrong.size() + 1, errors()));
    assertEquals(1, exporter.of(device.serial(), "ecoflow_online"));
    assertEquals(List.of("ecoflow_pd_soc"), seriesOf(device));
    assertEquals(update, lastUpdate(device));

    pushStatus(device, "{\"params\":{},\"param\":{\"status\":0}}");
    eventuallyShows(exporter, device.serial(), "ecoflow_online", 0);
    assertEquals(List.of(), seriesOf(device));
    assertEquals(errors + wrong.size() + 1, errors());
  }

  /** Gives the device a value and returns the time of its last update, in seconds. */
  private static double pushAndNoteUpdate(SimulatedDevice device) {
    device.push(utf8("{\"params\":{\"pd.soc\":50}}"));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_soc", 50);
    // So that an update after this one has another time.
    long millis = System.currentTimeMillis();
    eventually(() -> assertTrue(System.currentTimeMillis() > millis));
    return lastUpdate(device);
  }

  private static double lastUpdate(SimulatedDevice device) {
    return exporter.of(device.serial(), "ecoflow_device_last_update_timestamp_seconds");
  }

  private static void pushStatus(SimulatedDevice device, String payload) {
    cloud.publish("/app/device/status/" + device.serial(), utf8(payload));
  }

  static List<Arguments> textPayloads() {
    return List.of(
        Arguments.of("{\"params\":{\"pd.soc\":42}}"),
        Arguments.of("{\"param\":{\"pd.soc\":42}}"),
        Arguments.of("{\"pd.soc\":42,\"id\":7,\"timestamp\":8,\"cmdFunc\":9}"),
        Arguments.of(" \t\r\n{\"params\":{\"pd.soc\":42}}\r\n "),
        Arguments.of("\ufeff{\"params\":{\"pd.soc\":42}}"),
        Arguments.of("{\"params\":{\"pd\":{\"soc\":42}}}"),
        Arguments.of("{\"data\":{\"online\":1,\"quotaMap\":{\"pd.soc\":42}}}"),
        Arguments.of("{\"params\":{},\"param\":{\"pd.soc\":42}}"),
        Arguments.of("{\"params\":{\"pd.soc\":42},\"param\":{}}"),
        Arguments.of("{\"params\":7,\"param\":{\"pd.soc\":42}}"),
        Arguments.of("{\"params\":{\"pd.soc\":7},\"param\":{\"pd.soc\":42}}"),
        Arguments.of("{\"id\":7,\"data\":{\"param\":{\"pd.soc\":42}}}"),
        Arguments.of("{\"id\":7,\"params\":{},\"data\":{\"params\":{\"pd.soc\":42}}}"),
        Arguments.of("{\"id\":7,\"params\":{},\"pd.soc\":42}"),
        Arguments.of("{\"id\":7,\"params\":7,\"param\":[7],\"pd.soc\":42}"));
  }

  @ParameterizedTest
  @MethodSource("textPayloads")
  void jsonIsTakenInAllItsForms(String payload) {
    double text = messages("text");
    double protobuf = messages("protobuf");
    SimulatedDevice device = device(WireFormat.JSON);
    device.push(utf8(payload));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_soc", 42);
    assertEquals(List.of("ecoflow_pd_soc"), seriesOf(device));
    assertEquals(text + 1, messages("text"));
    assertEquals(protobuf, messages("protobuf"));
  }

  static List<Arguments> framePayloads() {
    // pow_in_sum_w = 2.0
    byte[] frame = frame(header(new byte[] {0x1d, 0, 0, 0, 0x40}));
    String base64 = Base64.getEncoder().encodeToString(frame);
    return List.of(
        Arguments.of(frame),
        Arguments.of(utf8(base64)),
        Arguments.of(utf8(" \r\n" + base64 + "\n")));
  }

  @ParameterizedTest
  @MethodSource("framePayloads")
  void framesAreTakenInAllTheirForms(byte[] payload) {
    double text = messages("text");
    double protobuf = messages("protobuf");
    SimulatedDevice device = device(WireFormat.PROTOBUF_PLAIN);
    device.push(payload);
    eventuallyShows(exporter, device.serial(), "ecoflow_pow_in_sum_w", 2);
    assertEquals(text, messages("text"));
    assertEquals(protobuf + 1, messages("protobuf"));
  }

  @Test
  void aFrameThatIsValidTextIsAFrame() {
    double text = messages("text");
    double protobuf = messages("protobuf");
    double errors = errors();
    byte[] frame =
        frame(
            Header.newBuilder()
                .setPdata(ByteString.copyFrom(new byte[123 - 8]))
                .setCmdFunc(60)
                .setCmdId(1)
                .setSrc(2)
                .build());
    assertEquals("\n{", new String(frame, 0, 2, StandardCharsets.US_ASCII));
    assertEquals(
        Arrays.toString(frame), Arrays.toString(utf8(new String(frame, StandardCharsets.UTF_8))));
    SimulatedDevice device = device(WireFormat.PROTOBUF_PLAIN);
    device.push(frame);
    pushMarker(device);
    assertEquals(protobuf + 1, messages("protobuf"));
    assertEquals(text + 1, messages("text"), "the marker alone");
    assertEquals(errors, errors());
    assertEquals(
        1,
        exporter
            .value(
                "ecoflow_protobuf_messages_total",
                "cmd_func=\"60\"",
                "cmd_id=\"1\"",
                "outcome=\"unknown\"")
            .orElseThrow());
  }

  static List<Arguments> badPayloads() {
    byte[] random = new byte[300];
    new Random(20260101).nextBytes(random);
    byte[] frame = frame(header(new byte[] {0x1d, 0, 0, 0, 0x40}));
    String deep = "{\"params\":" + "[".repeat(10_000) + "]".repeat(10_000) + "}";
    String deepMaps = "{\"a\":".repeat(10_000) + "1" + "}".repeat(10_000);
    return List.of(
        Arguments.of("empty", new byte[0]),
        Arguments.of("random bytes", random),
        Arguments.of("truncated frame", Arrays.copyOf(frame, frame.length - 1)),
        Arguments.of("JSON array", utf8("[{\"params\":{\"pd.soc\":1}}]")),
        Arguments.of("broken JSON", utf8("{\"params\":{\"pd.soc\":1")),
        Arguments.of("only a brace", utf8("{")),
        Arguments.of("null", utf8("null")),
        Arguments.of("number", utf8("17")),
        Arguments.of("text", utf8("\"online\"")),
        Arguments.of("nan", utf8("{\"params\":{\"pd.soc\":nan}}")),
        Arguments.of("not UTF-8", new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'}),
        Arguments.of("deep arrays", utf8(deep)),
        Arguments.of("deep objects", utf8(deepMaps)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badPayloads")
  void badPayloadsAreCountedAndHarmNothing(String name, byte[] payload) {
    SimulatedDevice device = device(WireFormat.JSON);
    device.push(Map.of("pd.watts", 3));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_watts", 3);
    double errors = errors();

    device.push(payload);
    pushMarker(device);
    assertEquals(errors + 1, errors());
    assertEquals(List.of("ecoflow_pd_watts", "ecoflow_test_marker"), seriesOf(device));
    assertEquals(1, connected());
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
  void whatIsNoFiniteNumberLosesOnlyItsOwnSeries(String name, String token) {
    SimulatedDevice device = device(WireFormat.JSON);
    String serial = device.serial();
    String cells = "ecoflow_bms_cells";
    double errors = errors();
    device.push(Map.of("pd.odd", 1, "bms.cells", List.of(1, 2, 3), "pd.watts", 1, "pd.soc", 9));
    eventuallyShows(exporter, serial, "ecoflow_pd_odd", 1);

    device.push(
        utf8(
            String.format(
                "{\"params\":{\"pd.odd\":%1$s,\"bms.cells\":[4,%1$s,6],\"pd.watts\":2}}", token)));
    eventuallyShows(exporter, serial, "ecoflow_pd_watts", 2);
    assertEquals(List.of(cells, "ecoflow_pd_soc", "ecoflow_pd_watts"), seriesOf(device));
    assertEquals(4, exporter.of(serial, cells, "index_0=\"0\""));
    assertEquals(Double.NaN, exporter.of(serial, cells, "index_0=\"1\""), "it has no series");
    assertEquals(6, exporter.of(serial, cells, "index_0=\"2\""));
    assertEquals(2, exporter.lines(cells).stream().filter(line -> line.contains(serial)).count());
    assertEquals(errors, errors());

    device.push(utf8("{\"params\":{\"pd.odd\":3}}"));
    eventuallyShows(exporter, serial, "ecoflow_pd_odd", 3);
  }

  @Test
  void aMessageOfNothingButNaNIsNoSignOfLife() {
    SimulatedDevice device = device(WireFormat.JSON);
    double update = pushAndNoteUpdate(device);
    device.push(utf8("{\"params\":{\"pd.soc\":NaN}}"));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_soc", Double.NaN);
    assertEquals(List.of(), seriesOf(device));
    assertEquals(update, lastUpdate(device));
  }

  @Test
  void aBrokenHeaderDoesNotLoseItsNeighbours() {
    double errors = errors();
    double broken = broken();
    SimulatedDevice device = device(WireFormat.PROTOBUF_PLAIN);
    device.push(
        frame(
            header(new byte[] {0x1d, 0, 0, 0, 0x40}),
            // A float that ends early.
            header(new byte[] {0x25, 0, 0}),
            // pow_out_sum_w
            header(new byte[] {0x25, 0, 0, 0, 0x41})));
    eventuallyShows(exporter, device.serial(), "ecoflow_pow_out_sum_w", 8);
    assertEquals(2, exporter.of(device.serial(), "ecoflow_pow_in_sum_w"));
    assertEquals(errors + 1, errors());
    assertEquals(broken + 1, broken());
  }

  @ParameterizedTest
  @ValueSource(strings = {"null", "\"off\"", "\"\"", "\"12\""})
  void aValueThatIsNoNumberAnyMoreGoes(String value) {
    SimulatedDevice device = device(WireFormat.JSON);
    device.push(Map.of("pd.soc", 50, "pd.watts", 1));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_soc", 50);
    device.push(utf8("{\"params\":{\"pd.soc\":" + value + "}}"));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_soc", Double.NaN);
    assertEquals(List.of("ecoflow_pd_watts"), seriesOf(device));
  }

  @Test
  void anArrayThatShrinksLosesItsLastElements() {
    SimulatedDevice device = device(WireFormat.JSON);
    String cells = "ecoflow_bms_cells";
    device.push(Map.of("bms.cells", List.of(1, 2, 3, 4)));
    eventuallyShows(exporter, device.serial(), cells, 4, "index_0=\"3\"");
    device.push(Map.of("bms.cells", List.of(5, 6)));
    eventuallyShows(exporter, device.serial(), cells, 6, "index_0=\"1\"");
    assertEquals(5, exporter.of(device.serial(), cells, "index_0=\"0\""));
    assertTrue(Double.isNaN(exporter.of(device.serial(), cells, "index_0=\"2\"")));
    assertTrue(Double.isNaN(exporter.of(device.serial(), cells, "index_0=\"3\"")));
    device.push(Map.of("bms.cells", List.of()));
    eventually(() -> assertEquals(List.of(), seriesOf(device)));
  }

  @Test
  void devicesThatNobodyAskedForAreLeftOut() {
    SimulatedDevice wanted = device(WireFormat.JSON);
    SimulatedDevice stranger =
        new SimulatedDevice("R331STRANGER0001", "Other", "DELTA 2", WireFormat.JSON);
    cloud.add(stranger);
    stranger.push(Map.of("pd.soc", 1));
    pushMarker(wanted);
    assertFalse(exporter.metrics().contains(stranger.serial()));
  }

  @Test
  void theExportersOwnNamesAreNotTakenFromDevices() {
    SimulatedDevice device = device(WireFormat.JSON);
    device.push(Map.of("online", 17, "mqtt.connected", 18, "pd.soc", 19));
    eventuallyShows(exporter, device.serial(), "ecoflow_pd_soc", 19);
    assertEquals(1, exporter.of(device.serial(), "ecoflow_online"));
    assertEquals(1, connected());
  }
}
