package ecoflow.values;

import static ecoflow.testkit.Eventually.eventually;
import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.list;
import static ecoflow.testkit.Frames.message;
import static ecoflow.testkit.Frames.nested;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.cloud.ProtobufWriter;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.DevicePool;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.RouteKit;
import ecoflow.testkit.Series;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Lists of which only the newest item is shown: items that arrive late, and values that are absent
 * in the next item.
 */
class HistoriesTest {

  private static final int DAY = 24 * 60 * 60;

  /** In seconds since 1970; in the past for all machines that run the test. */
  private static final int NOW = 1_750_000_000;

  private static final Map<String, DevicePool> DEVICES =
      DevicePool.ofModels("ZHIS", 20, "HW51", "HJ31", "HC31", "C101", "HD31", "P231");

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

  /** At sunset, a PowerStream sends the list of the previous day again. */
  @Test
  void aListOfYesterdayDoesNotReplaceThatOfToday() {
    SimulatedDevice device = device("HW51");
    record Step(int day, int hours, int wattHours, double joules) {}

    for (Step step :
        List.of(
            new Step(NOW, 10, 150, 5.4e6),
            new Step(NOW - DAY, 10, 180, 5.4e6),
            new Step(NOW, 10, 150, 5.4e6),
            new Step(NOW + DAY, 10, 0, 0),
            new Step(NOW + DAY, 1, 40, 144_000))) {
      send(
          device,
          254,
          32,
          list(
              2,
              day(7, step.day(), step.hours(), step.wattHours()),
              day(8, step.day(), step.hours(), step.wattHours())));

      for (String port : List.of("solar_1", "solar_2")) {
        assertEquals(
            step.joules(),
            page.of(device, "port_input_energy_joules_total", "port=" + port, "origin=device"),
            () -> step + " " + port);
      }
    }
  }

  private static ProtobufWriter day(int type, int day, int hours, int wattHours) {
    ProtobufWriter item = message().integer(1, day).integer(2, type);
    for (int hour = 0; hour < hours; hour++) {
      item.integer(3, wattHours);
    }
    return item;
  }

  /** These items omit zeros. */
  @Test
  void aMinuteDoesNotContainValuesOfThePreviousMinute() {
    SimulatedDevice device = device("HJ31");

    // load_pwr, grid_pwr, mppt_pwr, bp_pwr, bp_soc; then only load_pwr and grid_pwr
    ProtobufWriter first = minute(400, NOW).real(2, -50).real(3, 600).real(4, 150).integer(7, 80);
    send(device, 96, 34, list(1, first));
    assertShows(device, "sys_energy_stream_mppt_pwr", "600.0");
    send(device, 96, 34, list(1, minute(410, NOW + 60).real(2, 410)));

    assertShows(device, "sys_energy_stream_load_pwr", "410.0");
    assertShows(device, "sys_energy_stream_grid_pwr", "410.0");
    assertShows(device, "sys_energy_stream_mppt_pwr", "0.0");
    assertShows(device, "sys_energy_stream_bp_pwr", "0.0");
    // An absent charge can be a zero or an unknown value.
    assertShows(device, "sys_energy_stream_bp_soc");
  }

  @Test
  void aRepeatedMinuteIsAccepted() {
    SimulatedDevice device = device("HJ31");

    send(device, 96, 34, list(1, minute(400, NOW).integer(7, 80)));
    send(device, 96, 34, list(1, minute(405, NOW)));

    assertShows(device, "sys_energy_stream_load_pwr", "405.0");
    assertShows(device, "sys_energy_stream_bp_soc");
  }

  private static ProtobufWriter minute(float load, int time) {
    return message().real(1, load).integer(5, time);
  }

  /**
   * @param name the name of the series
   * @param place the labels of its position, with a trailing space
   */
  private record History(
      String model, int cmdFunc, int cmdId, Message message, String name, String place) {

    @Override
    public String toString() {
      return model + " " + cmdFunc + "/" + cmdId;
    }
  }

  /** A message with one item. */
  private interface Message {
    ProtobufWriter of(int time, int value);
  }

  /**
   * @param spec the prefix of the serial number, the command, the name of the series and its
   *     indexes
   */
  private static History history(String spec, Message message) {
    String[] words = spec.split("[ /]");
    return new History(
        words[0],
        Integer.parseInt(words[1]),
        Integer.parseInt(words[2]),
        message,
        words[3],
        words.length > 4 ? words[4] + " " : "");
  }

  static Stream<History> histories() {
    return Stream.of(
        history(
            "HW51 254/32 watth_item_watth [1][0]",
            (time, value) -> list(2, message().integer(1, time).integer(2, 1).integer(3, value))),
        history(
            "HW51 20/136 sys_power_stream_pv1_output_power",
            (time, value) -> list(2, message().integer(1, time).integer(6, value))),
        history(
            "P231 254/21 err_code_record_list_list_info_errcode",
            (time, value) -> nested(141, list(1, message().integer(1, value).integer(2, time)))),
        history(
            "HJ31 96/34 sys_energy_stream_load_pwr",
            (time, value) -> list(1, message().real(1, value).integer(5, time))),
        history(
            "HJ31 96/51 para_energy_stream_detail_sys_load_pwr [HJ31A]",
            (time, value) -> list(1, message().real(1, value).integer(5, time).text(8, "HJ31A"))),
        history(
            "HJ31 212/34 heating_rod_history_hr_energy_stream_hr_pwr [HF33A]",
            (time, value) ->
                list(1, message().text(1, "HF33A").real(2, value).real(4, fixed32(time)))),
        history(
            "HJ31 96/36 event_record_event_report_event_no",
            (time, value) -> list(2, message().integer(2, time).integer(3, value))),
        history(
            "HJ31 96/38 sg_ready_history_sys_sg_ready_detail_sg_ready_stat",
            (time, value) -> list(2, message().integer(1, value).real(2, fixed32(time)))),
        history(
            "HJ31 96/40 ecology_history_hp_detail_hp_energy_ev_pwr",
            (time, value) -> nested(3, list(2, message().real(1, value).real(6, fixed32(time))))),
        history(
            "HJ31 209/34 ev_history_ev_energy_stream_ev_pwr [AC31A]",
            (time, value) ->
                list(1, message().text(1, "AC31A").real(2, value).real(3, fixed32(time)))),
        history(
            "HJ31 209/37 ev_energy_watth_item_watth [AC31A][1][0]",
            (time, value) ->
                list(
                    2,
                    message()
                        .text(1, "AC31A")
                        .real(2, fixed32(time))
                        .integer(3, 1)
                        .integer(4, value))),
        history(
            "HJ31 209/38 ev_orders_order_watth [AC31A][0]",
            (time, value) ->
                list(1, message().text(1, "AC31A").real(3, fixed32(time)).real(5, value))),
        history(
            "HC31 96/34 sys_energy_stream_grid_pwr",
            (time, value) -> list(1, message().real(1, value).integer(5, time))),
        history(
            "C101 2/129 energy_flow_history_item_evcharging_power",
            (time, value) -> list(1, message().integer(1, time).real(2, value))),
        history(
            "C101 2/130 energy_statistics_item_watth [3][0]",
            (time, value) -> list(1, message().integer(1, time).integer(2, 3).integer(3, value))),
        history(
            "C101 2/131 fault_history_item_fault_code",
            (time, value) -> list(1, message().real(1, fixed32(time)).integer(3, value))),
        history(
            "HD31 254/32 statistics_item_data_data [1][5][0]",
            (time, value) ->
                list(
                    2,
                    message().integer(1, time).integer(2, 1).integer(3, 5).integer(4, value * 2))));
  }

  @ParameterizedTest
  @MethodSource("histories")
  void anOlderItemIsIgnored(History history) {
    SimulatedDevice device = device(history.model());
    IntFunction<String> shown = value -> history.place() + (double) value;

    send(device, history, NOW, 7);
    assertShows(device, history.name(), shown.apply(7));
    send(device, history, NOW - 1, 8);
    assertShows(device, history.name(), shown.apply(7));
    send(device, history, NOW, 9);
    assertShows(device, history.name(), shown.apply(9));
    send(device, history, NOW + 1, 10);
    assertShows(device, history.name(), shown.apply(10));
  }

  /** The tests cover all lists in the packaged tables with this rule. */
  @Test
  void allHistoriesAreTested() throws Exception {
    long rules =
        Files.readAllLines(Path.of("src/main/resources/ecoflow/decode/rules.csv")).stream()
            .filter(line -> line.contains(",newest,"))
            .count();

    assertEquals(rules, histories().count());
  }

  @Test
  void positionsOfAListHaveSeparateTimes() {
    SimulatedDevice device = device("HJ31");

    // sys_load_pwr, timestamp, dev_sn
    send(
        device,
        96,
        51,
        list(1, minute(1, NOW + 60).text(8, "HJ31A"), minute(2, NOW).text(8, "HJ31B")));
    send(
        device,
        96,
        51,
        list(1, minute(3, NOW).text(8, "HJ31A"), minute(4, NOW + 30).text(8, "HJ31B")));

    assertShows(device, "para_energy_stream_detail_sys_load_pwr", "[HJ31A] 1.0", "[HJ31B] 4.0");
  }

  @Test
  void anOldItemDoesNotReappearAfterTheDeviceWasOffline() {
    SimulatedDevice device = device("HJ31");

    send(device, 96, 34, list(1, minute(400, NOW)));
    device.publishStatus("{\"params\":{\"status\":0}}");
    eventually(() -> assertShows(device, "sys_energy_stream_load_pwr"));
    send(device, 96, 34, list(1, minute(300, NOW - 60)));
    assertShows(device, "sys_energy_stream_load_pwr");
    assertEquals(1, page.of(device, "online"), "the message is a sign of life");

    send(device, 96, 34, list(1, minute(400, NOW)));
    assertShows(device, "sys_energy_stream_load_pwr", "400.0");
  }

  /** An item from the far future, caused by a wrong clock, must not suppress all later items. */
  @Test
  void aWrongClockDoesNotFreezeAList() {
    SimulatedDevice device = device("HJ31");
    int today = (int) Instant.now().getEpochSecond();

    send(device, 96, 34, list(1, minute(400, today + 2 * DAY)));
    assertShows(device, "sys_energy_stream_load_pwr", "400.0");
    send(device, 96, 34, list(1, minute(410, today)));
    assertShows(device, "sys_energy_stream_load_pwr", "410.0");

    // A day begins up to 14 hours earlier in the east.
    send(device, 96, 34, list(1, minute(420, today + 14 * 60 * 60)));
    send(device, 96, 34, list(1, minute(430, today)));
    assertShows(device, "sys_energy_stream_load_pwr", "420.0");

    // A device whose clock is not set does not send a time.
    send(device, 96, 34, list(1, message().real(1, 440)));
    assertShows(device, "sys_energy_stream_load_pwr", "440.0");
    send(device, 96, 34, list(1, minute(450, today)));
    assertShows(device, "sys_energy_stream_load_pwr", "440.0");
  }

  /** A firmware update or a power failure can set the clock of a device back permanently. */
  @Test
  void aClockThatWasSetBackFreezesAListForAtMostADay() {
    AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - TimeUnit.HOURS.toNanos(30));
    String serial = "HJ31ZHISBACK0001";
    try (RouteKit kit =
        RouteKit.load("quotas")
            .with("direct:full-pictures")
            .clock(nanos::get)
            .device(serial)
            .variable("ECOFLOW_API_TYPE", "mqtt")
            .variable("ECOFLOW_SERIES_TTL", "7200")
            .variable("MQTT_TIMEOUT", "7200")
            .start()) {
      sendMinute(kit, serial, NOW, 1);
      // The clock is wrong for ten hours, correct for a minute, then wrong permanently.
      for (int hour = 1; hour <= 10; hour++) {
        nanos.addAndGet(TimeUnit.HOURS.toNanos(1));
        sendMinute(kit, serial, hour * 3600, 2);
      }
      assertLoad(kit);
      sendMinute(kit, serial, NOW + 36_000, 3);
      assertLoad(kit, "3.0");
      for (int hour = 0; hour <= 23; hour++) {
        nanos.addAndGet(TimeUnit.HOURS.toNanos(1));
        sendMinute(kit, serial, 36_000 + hour * 3600, 4);
      }
      assertLoad(kit);

      nanos.addAndGet(TimeUnit.HOURS.toNanos(1));
      sendMinute(kit, serial, 36_000 + 24 * 3600, 5);
      assertLoad(kit, "5.0");
      sendMinute(kit, serial, 36_000 + 24 * 3600 - 60, 6);
      assertLoad(kit, "5.0");
    }
  }

  /** A day in which the device was offline is not evidence of a wrong clock. */
  @Test
  void thePreviousDayRemainsOldAfterDaysOffline() {
    AtomicLong nanos = new AtomicLong();
    String serial = "HJ31ZHISBACK0002";
    try (RouteKit kit =
        RouteKit.load("quotas")
            .with("direct:full-pictures")
            .clock(nanos::get)
            .device(serial)
            .variable("ECOFLOW_API_TYPE", "mqtt")
            .start()) {
      sendMinute(kit, serial, NOW, 1);
      sendMinute(kit, serial, NOW - DAY, 2);
      assertLoad(kit, "1.0");
      nanos.addAndGet(TimeUnit.DAYS.toNanos(3));
      sendMinute(kit, serial, NOW - DAY, 2);

      assertLoad(kit);
      sendMinute(kit, serial, NOW + 3 * DAY, 3);
      assertLoad(kit, "3.0");
    }
  }

  private static void assertLoad(RouteKit kit, String... expected) {
    assertEquals(
        List.of(expected),
        kit.page().series("sys_energy_stream_load_pwr").stream()
            .map(HistoriesTest::placesAndValue)
            .toList());
  }

  private static void sendMinute(RouteKit kit, String serial, int time, int load) {
    String item = "sys_energy_stream";
    kit.send(
        "direct:quotas",
        Map.of(item, Map.of("load_pwr", load, "timestamp", time)),
        Map.of(
            "EcoflowDevice",
            serial,
            "EcoflowSource",
            "push",
            "EcoflowItemTimes",
            Map.of(item, (long) time)));
  }

  /** The float with the same bytes as the number. */
  private static float fixed32(int number) {
    return Float.intBitsToFloat(number);
  }

  private static SimulatedDevice device(String model) {
    return DEVICES.get(model).next(exporter.cloud(), WireFormat.PROTOBUF_PLAIN);
  }

  private static void send(SimulatedDevice device, History history, int time, int value) {
    send(device, history.cmdFunc(), history.cmdId(), history.message().of(time, value));
  }

  private static void send(SimulatedDevice device, int cmdFunc, int cmdId, ProtobufWriter message) {
    device.publish(frame(cmdFunc, cmdId, message));
    exporter.settle(device);
  }

  /**
   * Asserts that the device has exactly these series of a name, each given by its labels and its
   * value.
   */
  private static void assertShows(SimulatedDevice device, String name, String... expected) {
    assertEquals(
        List.of(expected),
        page.series(name, "device=" + device.serial()).stream()
            .map(HistoriesTest::placesAndValue)
            .toList(),
        name);
  }

  private static String placesAndValue(Series series) {
    String places =
        series.labels().entrySet().stream()
            .filter(label -> label.getKey().startsWith("index_"))
            .map(label -> "[" + label.getValue() + "]")
            .collect(Collectors.joining());
    return (places + " " + series.value()).strip();
  }
}
