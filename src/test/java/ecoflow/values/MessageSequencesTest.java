package ecoflow.values;

import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.header;
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
import ecoflow.testkit.Series;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Sequences of protobuf messages of a device, and the resulting series on /metrics. All tests share
 * an exporter; each test has its own device.
 */
class MessageSequencesTest {

  private static final String POWER_OCEAN = "HJ31";
  private static final String DC_FIT = "HC31";
  private static final String POWER_OCEAN_NEW = "RE11";
  private static final String STREAM_5000 = "ES21";
  private static final String RIVER_3 = "R631";
  private static final String DELTA_3 = "P231";
  private static final String DELTA_PRO_ULTRA = "Y711";
  private static final String DELTA_PRO_ULTRA_X = "P101";
  private static final String HOME_PANEL_2 = "HD31";
  private static final String HOME_PANEL_3 = "HR62";
  private static final String POWER_STREAM = "HW51";

  private static final Map<String, DevicePool> DEVICES =
      DevicePool.ofModels(
          "ZSEQ",
          16,
          POWER_OCEAN,
          DC_FIT,
          POWER_OCEAN_NEW,
          STREAM_5000,
          RIVER_3,
          DELTA_3,
          DELTA_PRO_ULTRA,
          DELTA_PRO_ULTRA_X,
          HOME_PANEL_2,
          HOME_PANEL_3,
          POWER_STREAM);

  /** With a long timeout, series are removed only because of a message. */
  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.mqtt("MQTT_TIMEOUT=3600", DevicePool.setting(DEVICES.values()))
          .startedAtOnce();

  private static final Page page = exporter.page();

  @BeforeAll
  static void connect() {
    page.eventuallyConnected(1);
  }

  private static ProtobufWriter pack(int place, int charge) {
    return message().integer(2, charge).integer(15, place);
  }

  private static ProtobufWriter unit(String serial, int charge) {
    return message().text(1, serial).integer(2, charge);
  }

  private static ProtobufWriter units(ProtobufWriter... units) {
    return nested(54, list(1, units));
  }

  private static ProtobufWriter bay(int place, int charge) {
    return message().integer(2, place).integer(4, charge);
  }

  private static ProtobufWriter charger(String serial, float watts) {
    return message().text(1, serial).real(8, watts);
  }

  private static ProtobufWriter statistic(int object, int content) {
    return message().integer(1, object).integer(2, content);
  }

  private static ProtobufWriter module(int address, int part, int state) {
    return message().integer(5, state).integer(6, address).integer(7, part);
  }

  private static ProtobufWriter energy(int type, int wattHours, int day) {
    return message().integer(1, day).integer(2, type).integer(3, wattHours);
  }

  private static ProtobufWriter string(float volts, float amperes, float watts) {
    return message().real(1, volts).real(2, amperes).real(3, watts);
  }

  private static ProtobufWriter minute(float load, float grid, int time) {
    return message().real(1, load).real(2, grid).integer(5, time);
  }

  private static ProtobufWriter outagePort(int type) {
    return message().integer(2, type).integer(3, 10);
  }

  private static ProtobufWriter errors(String module, int... codes) {
    ProtobufWriter errors = message().text(1, module);
    IntStream.of(codes).forEach(code -> errors.integer(2, code));
    return errors;
  }

  private static Sequence device(String model) {
    return new Sequence(DEVICES.get(model).next(exporter.cloud(), WireFormat.PROTOBUF_PLAIN));
  }

  /** The messages of a device and the resulting series. */
  private record Sequence(SimulatedDevice device) {

    /** Sends a message and returns after it has been processed. */
    void send(int cmdFunc, int cmdId, ProtobufWriter message) {
      device.publish(frame(cmdFunc, cmdId, message));
      settle();
    }

    void settle() {
      exporter.settle(device);
    }

    /**
     * Asserts that the device has exactly these series of a name, each given by its indexes and its
     * value.
     */
    void shows(String name, String... expected) {
      assertEquals(Stream.of(expected).map(Sequence::exact).toList(), series(name), name);
    }

    List<String> series(String name) {
      return page.series(name, "device=" + device.serial()).stream()
          .map(Sequence::placesAndValue)
          .toList();
    }

    private static String placesAndValue(Series series) {
      String places =
          series.labels().entrySet().stream()
              .filter(label -> label.getKey().startsWith("index_"))
              .map(label -> "[" + label.getValue() + "]")
              .collect(Collectors.joining());
      return (places + " " + series.value()).strip();
    }

    private static String exact(String placesAndValue) {
      int end = placesAndValue.lastIndexOf(' ') + 1;
      return placesAndValue.substring(0, end) + Double.valueOf(placesAndValue.substring(end));
    }
  }

  @Nested
  class PacksAndUnits {

    @Test
    void theIndexOfAPackIsItsNumber() {
      Sequence device = device(POWER_OCEAN);

      device.send(96, 7, list(1, pack(4, 40), pack(2, 20), pack(1, 10), pack(3, 30)));
      device.send(96, 7, list(1, pack(3, 33)));
      device.send(96, 7, list(1, pack(1, 11)));

      device.shows("bp_sta_bp_soc", "[1] 11", "[2] 20", "[3] 33", "[4] 40");
    }

    @Test
    void aPackKeepsValuesThatItsNextMessageOmits() {
      Sequence device = device(POWER_OCEAN);

      // bp_soh 99 and four cells, then only the charge and two cells
      device.send(
          96, 7, list(1, pack(2, 20).integer(3, 99).real(14, 3301).real(14, 3302).real(14, 3303)));
      device.send(96, 7, list(1, pack(2, 21).real(14, 3311).real(14, 3312)));

      device.shows("bp_sta_bp_soc", "[2] 21");
      device.shows("bp_sta_bp_soh", "[2] 99");
      device.shows("bp_sta_bp_cell_vol", "[2][0] 3311", "[2][1] 3312");
    }

    @Test
    void packsOfDcFitHaveSeparateMessages() {
      Sequence device = device(DC_FIT);

      device.send(96, 111, pack(1, 10));
      device.send(96, 111, pack(2, 20));
      device.send(96, 111, pack(1, 12));

      device.shows("cloud_bms_bp_soc", "[1] 12", "[2] 20");
    }

    @Test
    void packsOfBothPowerOceanGenerationsHaveTheSameNames() {
      Sequence device = device(POWER_OCEAN_NEW);

      // bp_pwr, bp_soh, bp_temp, bp_full_cap, bp_accu_chg_energy, bp_real_soc
      ProtobufWriter whole = pack(1, 50).real(1, -250).integer(3, 98).real(5, 25).real(5, 26);
      device.send(254, 46, list(5, whole.integer(29, 100_000).integer(65, 12_345).real(38, 50.5f)));
      device.send(254, 46, list(5, pack(2, 60)));

      device.shows("bp_sta_bp_soc", "[1] 50", "[2] 60");
      device.shows("bp_sta_bp_pwr", "[1] -250");
      device.shows("bp_sta_bp_soh", "[1] 98");
      device.shows("bp_sta_bp_temp", "[1][0] 25", "[1][1] 26");
      device.shows("bp_sta_bp_full_cap", "[1] 100000");
      device.shows("bp_sta_bp_accu_chg_energy", "[1] 12345");
      device.shows("bp_sta_bp_real_soc", "[1] 50.5");
    }

    @Test
    void theIndexOfAUnitIsItsSerialNumber() {
      Sequence device = device(STREAM_5000);

      device.send(254, 39, units(unit("ES21A", 10), unit("ES21B", 20)));
      device.send(254, 39, units(unit("ES21B", 22)));
      device.send(254, 39, units(unit("ES21C", 30), unit("ES21A", 11)));

      device.shows("units_unit_soc", "[ES21A] 11", "[ES21B] 22", "[ES21C] 30");
    }

    @Test
    void anItemWithoutIndexIsOnlyCounted() {
      Sequence device = device(STREAM_5000);
      double before = page.droppedFields(254, 39, "no_place");

      device.send(254, 39, units(unit("ES21A", 10), message().integer(2, 99)));

      device.shows("units_unit_soc", "[ES21A] 10");
      assertEquals(before + 1, page.droppedFields(254, 39, "no_place"));
    }

    @Test
    void theIndexOfADeltaProUltraXPackIsItsNumber() {
      Sequence device = device(DELTA_PRO_ULTRA_X);

      // bp_num and bp_soc; the middle slot is empty
      device.send(254, 21, nested(786, list(1, bay(1, 10), message(), bay(4, 40))));
      device.send(254, 21, nested(786, list(1, bay(4, 41), bay(1, 11))));

      device.shows("bp_group_info_list_group_item_bp_soc", "[1] 11", "[4] 41");
    }

    @Test
    void twoChargersOfOnePowerOceanAreTwoSeries() {
      Sequence device = device(POWER_OCEAN);

      device.send(209, 8, charger("C101A", 3000));
      device.send(209, 8, charger("C101B", 7000));
      device.send(209, 8, charger("C101A", 3100));

      device.shows("ev_ev_pwr", "[C101A] 3100", "[C101B] 7000");
    }

    @Test
    void theIndexOfAStatisticIsItsObject() {
      Sequence device = device(RIVER_3);

      device.send(254, 21, nested(463, list(1, statistic(2, 500), message(), statistic(6, 700))));
      // An object without content has the energy 0.
      device.send(254, 21, nested(463, list(1, message().integer(1, 6))));

      device.shows("display_statistics_sum_list_info_statistics_content", "[2] 500", "[6] 0");
    }

    @Test
    void pagesOfModulesDoNotReplaceEachOther() {
      Sequence device = device(POWER_OCEAN);

      // running_sta of modules by addr and d_addr; page 1, then page 2
      device.send(53, 113, list(1, module(53, 1, 1), module(4, 1, 1)).integer(3, 1));
      device.send(53, 113, list(1, module(4, 2, 0)).integer(3, 2));

      device.shows("modules_running_sta", "[4][1] 1", "[4][2] 0", "[53][1] 1");
    }

    @Test
    void anIndexCanBeABitButTooManyIndexesAreCounted() {
      Sequence device = device(POWER_STREAM);
      double before = page.droppedFields(254, 32, "place");

      device.send(254, 32, list(2, energy(1, 5, 1), energy(64, 6, 1), energy(128, 7, 1)));
      device.shows("watth_item_watth", "[1][0] 5", "[64][0] 6", "[128][0] 7");
      assertEquals(before, page.droppedFields(254, 32, "place"));

      ProtobufWriter flood = message();
      IntStream.rangeClosed(1, 103).forEach(type -> flood.message(2, energy(type, type, 2)));
      device.send(254, 32, flood.integer(1, 77));

      device.shows("watth_seq", "77");
      assertEquals(101, device.series("watth_item_watth").size());
      assertEquals(before + 3, page.droppedFields(254, 32, "place"));
    }
  }

  @Nested
  class ListsWithoutIndexes {

    @Test
    void aListWithoutIndexesIsReplacedCompletely() {
      Sequence device = device(POWER_OCEAN);

      // vol, amp, pwr and light_sta of two strings, then of one
      ProtobufWriter first = string(400, 2, 800).integer(4, 1);
      device.send(96, 1, nested(31, list(1, first, string(300, 1, 300))));
      device.send(96, 1, nested(31, list(1, message().real(1, 390))));

      device.shows("mppt_heart_beat_mppt_pv_vol", "[0][0] 390");
      device.shows("mppt_heart_beat_mppt_pv_light_sta");
    }

    @Test
    void aClearedErrorIsNotShown() {
      Sequence device = device(DELTA_3);

      // dev_errcode_list is present, but does not contain errors anymore
      device.send(254, 21, nested(627, message().integer(1, 17).integer(1, 18)));
      device.shows("dev_errcode_list_dev_errcode", "[0] 17", "[1] 18");
      device.send(254, 21, nested(627, message()));
      device.shows("dev_errcode_list_dev_errcode");
    }

    @Test
    void errorsAreClearedForEachModule() {
      Sequence device = device(POWER_OCEAN);

      device.send(96, 3, list(3, errors("M1", 5, 6), errors("M2", 7)));
      device.send(96, 3, list(3, errors("M1")));

      device.shows("error_change_bp_err_code_err_code", "[M2][0] 7");
    }

    @Test
    void theNewestMinuteOfAHistoryIsShown() {
      Sequence device = device(POWER_OCEAN);

      // load_pwr, grid_pwr and timestamp: newest first, then again in reverse order
      device.send(96, 34, list(1, minute(400, 40, 1060), minute(300, 30, 1000)));
      device.shows("sys_energy_stream_load_pwr", "400");
      device.send(96, 34, list(1, minute(400, 40, 1060), minute(500, 50, 1120)));

      device.shows("sys_energy_stream_load_pwr", "500");
      device.shows("sys_energy_stream_grid_pwr", "50");
      device.shows("sys_energy_stream_timestamp", "1120");
    }

    @Test
    void theNewestItemOfEachDeviceInAHistoryIsShown() {
      Sequence device = device(POWER_OCEAN);

      // sys_load_pwr, timestamp and dev_sn
      device.send(
          96,
          51,
          list(
              1,
              minute(400, 0, 1060).text(8, "HJ31A"),
              minute(300, 0, 1000).text(8, "HJ31A"),
              minute(700, 0, 1060).text(8, "HJ31B")));

      device.shows("para_energy_stream_detail_sys_load_pwr", "[HJ31A] 400", "[HJ31B] 700");
    }
  }

  @Nested
  class OmittedZeros {

    @Test
    void omittedFieldsOfSuchGroupsAreZero() {
      Sequence stream = device(STREAM_5000);
      // load_power, soc, third_party_pv_unknown_power; then only soc
      stream.send(254, 39, nested(11, message().integer(1, 700).integer(5, 70).integer(9, 250)));
      stream.shows("system_load_power", "350");
      stream.shows("system_third_party_pv_unknown_power", "250");
      stream.send(254, 39, nested(11, message().integer(5, 71)));
      stream.shows("system_load_power", "0");
      stream.shows("system_third_party_pv_unknown_power", "0");
      stream.shows("system_soc", "71");

      Sequence ocean = device(POWER_OCEAN);
      ocean.send(96, 1, nested(31, list(1, string(400, 2, 800))));
      ocean.send(96, 1, nested(31, list(1, message().real(1, 100))));
      ocean.shows("mppt_heart_beat_mppt_pv_amp", "[0][0] 0");
      ocean.shows("mppt_heart_beat_mppt_pv_pwr", "[0][0] 0");

      // pcs_aphase: all five; pcs_load_info: all four
      ocean.send(
          96,
          1,
          nested(12, message().real(1, 230).real(2, 5).real(3, 900).real(4, 90).real(5, 95)));
      ocean.send(96, 1, nested(12, message().real(1, 231)));
      ocean.shows("pcs_aphase_volt", "231");
      for (String name : List.of("amp", "act_pwr", "react_pwr", "apparent_pwr")) {
        ocean.shows("pcs_aphase_" + name, "0");
      }
      ocean.send(96, 1, list(15, message().real(1, 230).real(2, 5).real(3, 50).real(4, 9)));
      ocean.send(96, 1, list(15, message()));
      for (String name : List.of("vol", "amp", "freq", "pwr")) {
        ocean.shows("pcs_load_info_" + name, "[0] 0");
      }

      Sequence panel = device(HOME_PANEL_3);
      // load_ch1_sample_info: vol, power, curr; load_ch1_sta: load_sta, set_amp
      panel.send(254, 21, nested(1015, message().real(1, 120).real(2, 60).real(3, 0.5f)));
      panel.send(254, 21, nested(1015, message().real(1, 121)));
      panel.send(254, 21, nested(794, message().integer(1, 1).integer(3, 20)));
      panel.send(254, 21, nested(794, message().integer(3, 20)));
      panel.shows("load_ch1_sample_info_load_ch_vol", "121");
      panel.shows("load_ch1_sample_info_load_ch_power", "0");
      panel.shows("load_ch1_sample_info_load_ch_curr", "0");
      panel.shows("load_ch1_sta_load_sta", "0");

      Sequence delta = device(DELTA_3);
      // power_outages_list: enable, type and min_soc; time_task_current: valid, cfg, enable
      delta.send(254, 21, nested(968, list(1, outagePort(2).integer(1, 1))));
      delta.send(254, 21, nested(968, list(1, outagePort(2))));
      delta.send(254, 21, nested(219, message().integer(2, 1).integer(3, 1).integer(4, 1)));
      delta.send(254, 21, nested(219, message()));
      delta.shows("power_outages_list_power_outage_item_power_outage_port_enable", "[0] 0");
      for (String name : List.of("is_valid", "is_cfg", "is_enable")) {
        delta.shows("time_task_current_" + name, "0");
      }
    }

    @Test
    void onlyOneOfTwoEnergyStreamsOmitsZeros() {
      Sequence device = device(POWER_OCEAN_NEW);

      for (int block : new int[] {7, 87}) {
        device.send(254, 39, nested(block, message().real(1, 400).real(2, 300).real(4, 200)));
        device.send(254, 39, nested(block, message().real(1, 410)));
      }

      device.shows("energy_stream_grid_power", "300");
      device.shows("energy_stream_battery_power", "200");
      device.shows("energy_stream_live_house_load", "410");
      device.shows("energy_stream_live_grid_power", "0");
      device.shows("energy_stream_live_battery_power", "0");
    }

    @Test
    void absentTopLevelFieldsAreUnchanged() {
      Sequence device = device(DELTA_3);

      // pow_in_sum_w and pow_out_sum_w, then only the first
      device.send(254, 21, message().real(3, 10).real(4, 20));
      device.send(254, 21, message().real(3, 11));

      device.shows("pow_in_sum_w", "11");
      device.shows("pow_out_sum_w", "20");
    }

    @Test
    void minusZeroIsZero() {
      Sequence device = device(DELTA_PRO_ULTRA);

      device.send(2, 4, list(1, message().integer(1, 1).real(4, -0.0f)));

      device.shows("bp_info_bp_pwr", "[1] 0");
      assertEquals(
          List.of("0.0"),
          page.lines("bp_info_bp_pwr").stream()
              .filter(line -> line.contains(device.device().serial()))
              .map(line -> line.substring(line.lastIndexOf(' ') + 1))
              .toList());
    }
  }

  @Nested
  class SmartHomePanels {

    @Test
    void allFortyCircuitsOfHomePanel3AreRead() {
      Sequence device = device(HOME_PANEL_3);

      ProtobufWriter circuits = message();
      for (int circuit = 1; circuit <= 40; circuit++) {
        circuits.message(1014 + circuit, message().real(2, circuit));
      }
      // ch_dev_type of panel_backup_ch1_info
      device.send(254, 21, circuits.message(1224, message().integer(2, 1)));

      for (int circuit = 1; circuit <= 40; circuit++) {
        device.shows("load_ch" + circuit + "_sample_info_load_ch_power", "" + circuit);
      }
      device.shows("panel_backup_ch1_info_ch_dev_type", "1");
    }

    @Test
    void anErrorCodeOfHomePanel2IsANumberAndAffectsNoOtherValue() {
      Sequence device = device(HOME_PANEL_2);

      // backup_incre_info: errcode with two entries, and backup_bat_per
      ProtobufWriter errors = message().bytes(1, new byte[8]);
      device.send(12, 32, nested(80, nested(1, errors.bytes(1, new byte[8])).integer(3, 50)));
      device.shows("backup_incre_info_errcode_err_code", "[0] 0", "[1] 0");

      byte[] code = {(byte) 0xff, 0x01, 0, 0, 0, 0, 0, 0};
      byte[] high = {0, 0, 0, 0, 0, 0, 0, (byte) 0x80};
      ProtobufWriter atError = message().bytes(1, code).bytes(1, high);
      device.send(12, 32, nested(80, nested(1, atError).integer(3, 49)));

      device.shows("backup_incre_info_errcode_err_code", "[0] 511", "[1] 9223372036854775808");
      device.shows("backup_incre_info_backup_bat_per", "49");
      device.send(12, 32, nested(65, message().bytes(1, new byte[] {7, 1})));
      device.shows("toudata_tou_char_dischar_data", "[0] 263");
    }

    @Test
    void theErrorMaskShowsEachSetBit() {
      Sequence device = device(POWER_OCEAN);
      byte[] mask = new byte[32];
      mask[2] = 0b10;
      mask[31] = (byte) 0x80;

      device.send(96, 9, message().bytes(1, mask));
      device.shows("error_mask_error_code", "[17] 1", "[255] 1");
      mask[2] = 0;
      device.send(96, 9, message().bytes(1, mask));
      device.shows("error_mask_error_code", "[255] 1");
      device.send(96, 9, message().bytes(1, new byte[32]));
      device.shows("error_mask_error_code");
    }
  }

  @Nested
  class UnreadableContent {

    @Test
    void bytesInsteadOfANumberAreOnlyCounted() {
      Sequence device = device(HOME_PANEL_3);
      double before = page.droppedFields(254, 21, "type");

      // load_ch28_sta: load_sta 1, and ctrl_prio as bytes that could be packed numbers
      device.send(254, 21, nested(935, message().integer(1, 1).bytes(7, new byte[] {8, 27})));

      device.shows("load_ch28_sta_load_sta", "1");
      device.shows("load_ch28_sta_ctrl_prio");
      assertEquals(before + 1, page.droppedFields(254, 21, "type"));
    }

    @Test
    void anIncompleteLastHeaderDoesNotAffectOtherHeaders() {
      Sequence device = device(DELTA_3);
      double before = page.mqttErrors();
      byte[] frame =
          frame(
              header(254, 21, message().real(3, 12)),
              header(254, 21, message().real(4, 34)),
              header(254, 21, message().real(53, 56)));

      for (int cut = 1; cut < 8; cut++) {
        device.device().publish(Arrays.copyOf(frame, frame.length - cut));
      }
      device.settle();

      device.shows("pow_in_sum_w", "12");
      device.shows("pow_out_sum_w", "34");
      device.shows("pow_get_ac");
      assertEquals(before + 7, page.mqttErrors());
    }
  }
}
