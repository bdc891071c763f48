package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import com.google.protobuf.ByteString;
import ecoflow.decode.Decoded.Dropped;
import ecoflow.decode.Decoded.Dropped.Reason;
import ecoflow.decode.Decoded.Outcome;
import ecoflow.decode.proto.Header;
import ecoflow.quota.TestStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class MessageDecoderTest {

  private static final MessageDecoder DECODER = MessageDecoder.load();

  @Test
  void distinguishesZeroFromAbsent() {
    Decoded decoded = decode("08001d00000000b00100");

    assertEquals(Outcome.DECODED, decoded.outcome());
    assertEquals(
        Map.of("errcode", 0L, "pow_in_sum_w", 0.0, "ac_always_on_flag", false), decoded.values());
  }

  @Test
  void keepsShortDecimalsAndUnsignedNumbers() {
    // pow_in_sum_w 0.1f, errcode 4294967295
    assertEquals(
        Map.of("errcode", 4294967295L, "pow_in_sum_w", 0.1),
        decode("08ffffffff0f" + "1dcdcccc3d").values());
  }

  @Test
  void nestsMessagesAndLists() {
    // power_outages_list (968): two items, the second with an explicit zero only.
    assertEquals(
        Map.of(
            "power_outages_list",
            Map.of(
                "power_outage_item",
                List.of(
                    Map.of("power_outage_port_enable", true, "power_outage_min_soc", 5L),
                    Map.of("power_outage_port_enable", false, "power_outage_min_soc", 0L)))),
        decode("c23c0a" + "0a0408011805" + "0a021800").values());
  }

  @Test
  void ignoresBytesAndUnknownFieldNumbers() {
    // comm_msg_description (96), number 4000 in all wire types, errcode
    assertEquals(
        Map.of("errcode", 7L),
        decode(
                "8206020802"
                    + "80fa0105"
                    + "85fa0101020304"
                    + "81fa010102030405060708"
                    + "82fa010141"
                    + "0807")
            .values());
  }

  @Test
  void wireTypeHasPrecedenceOverTable() {
    // The table declares: errcode uint32, pow_in_sum_w float, sys_status uint32, energy_backup_en
    // bool,
    // power_socket message, utc_timezone_id text.
    assertEquals(
        Map.of(
            "errcode",
            1.5,
            "pow_in_sum_w",
            -3L,
            "sys_status",
            2.25,
            "energy_backup_en",
            1.0,
            "power_socket",
            1L,
            "utc_timezone_id",
            60L),
        decode(
                "0d0000c03f"
                    + "18fdffffffffffffffff01"
                    + "110000000000000240"
                    + "3d0000803f"
                    + "d80401"
                    + "b0083c")
            .values());
  }

  @Test
  void dropsBytesInPlaceOfNumber() {
    // errcode as packed varints, pow_in_sum_w as packed floats, sys_status as neither, lcd_light as
    // a string; then dev_standby_time
    Decoded decoded =
        decode("0a0301ac02" + "1a08000000000000803f" + "120180" + "2a0445552d31" + "88011e");

    assertEquals(Map.of("dev_standby_time", 30L), decoded.values());
    assertEquals(
        Set.of("errcode", "pow_in_sum_w", "sys_status", "lcd_light"),
        decoded.dropped().stream().map(Dropped::field).collect(Collectors.toSet()));
    assertEquals(
        Set.of(Reason.TYPE),
        decoded.dropped().stream().map(Dropped::reason).collect(Collectors.toSet()));
  }

  @Test
  void keepsFieldsBeforeDamage() {
    Decoded decoded = decode("0807" + "1d0000");

    assertEquals(Outcome.BROKEN, decoded.outcome());
    assertEquals(Map.of("errcode", 7L), decoded.values());
  }

  @Test
  void readsInvalidUtf8() {
    Decoded decoded = decode("b20802ff41" + "1d00000000");

    assertEquals(Outcome.DECODED, decoded.outcome());
    assertEquals(Map.of("utc_timezone_id", "\ufffdA", "pow_in_sum_w", 0.0), decoded.values());
    // The same in a nested message: bp_dsrc, bp_sn and bp_cycles of a pack.
    assertEquals(
        Map.of("bp_sta[2]", Map.of("bp_dsrc", 2L, "bp_sn", "\ufffd", "bp_cycles", 7L)),
        decode("RE11", 254, 46, "2a09" + "7802" + "820101ff" + "880107").values());
  }

  @Test
  void reportsUnknownCommands() {
    Header header = TestFrames.header(TestFrames.hex("0807")).setCmdFunc(199).setCmdId(7).build();

    assertEquals(
        new Decoded(199, 7, Outcome.UNKNOWN, Map.of(), List.of()),
        DECODER.decode(header, "R331TEST"));
  }

  @Test
  void reportsEmptyMessages() {
    Header header = TestFrames.header(new byte[0]).build();

    assertEquals(
        new Decoded(254, 21, Outcome.EMPTY, Map.of(), List.of()), DECODER.decode(header, ""));
    assertEquals(
        new Decoded(0, 0, Outcome.EMPTY, Map.of(), List.of()),
        DECODER.decode(Header.getDefaultInstance(), null));
  }

  @Test
  void unmasksBeforeReading() {
    ByteString masked = ByteString.copyFrom(TestFrames.hex("f7f8"));
    Header header =
        TestFrames.header(new byte[0]).setPdata(masked).setEncType(1).setSeq(-1).build();

    assertEquals(Map.of("errcode", 7L), DECODER.decode(Frames.unmask(header), null).values());
  }

  @Test
  void indexesBatteryPacksByTheirNumber() {
    // num 2, soc 50
    assertEquals(
        Map.of("bms_heartbeat[2]", Map.of("num", 2L, "soc", 50L)),
        decode("P231", 32, 50, "08023032").values());
    assertEquals(
        Map.of("bms_heartbeat[0]", Map.of("soc", 50L)), decode("P231", 32, 50, "3032").values());
  }

  @Test
  void packDoesNotRemoveSeriesOfOtherPacks() {
    TestStore store = new TestStore();

    // num and soc of packs 0, 1 and again 0; bp_no and bp_soc of packs 1, 2 and again 1
    for (String pack : List.of("08003032", "08013033", "08003034")) {
      store.record("A", decode("P231", 32, 50, pack).values());
    }
    for (String pack : List.of("0a0408011832", "0a0408021833", "0a0408011834")) {
      store.record("B", decode("Y711", 2, 4, pack).values());
    }

    assertEquals(List.of("[0] 52.0", "[1] 51.0"), series(store, "bms_heartbeat_soc"));
    assertEquals(List.of("[1] 52.0", "[2] 51.0"), series(store, "bp_info_bp_soc"));
  }

  private static List<String> series(TestStore store, String name) {
    return store.snapshot().stream()
        .filter(family -> family.name().equals(name))
        .flatMap(family -> family.series().stream())
        .map(series -> series.indexes() + " " + series.value())
        .toList();
  }

  @Test
  void decodesManyNestedMessagesInBoundedTime() {
    // Many repetitions of one nested message (136), each with a field number unknown to the table.
    String part = "c208" + "04" + "c0b80201";
    String message = part.repeat(Frames.MAX_MESSAGE_BYTES / 7);

    assertTimeout(
        Duration.ofSeconds(5),
        () ->
            assertEquals(
                Map.of("plug_in_info_pv_chg_max_list", Map.of("pv_chg_max_item", List.of())),
                decode(message).values()));
  }

  @Test
  void dropsItemsWithInvalidPlaces() {
    // num -1 as a float; bp_dsrc -1; dev_sn with a space
    assertEquals(impossible(32, 50, "bms_heartbeat"), decode("P231", 32, 50, "0d000080bf3032"));
    assertEquals(
        impossible(96, 7, "bp_sta"), decode("HJ31", 96, 7, "0a0d103278ffffffffffffffffff01"));
    assertEquals(impossible(96, 12, "para_dev"), decode("HJ31", 96, 12, "0a0508011201" + "20"));
    // a truncated message without num
    assertEquals(
        new Decoded(32, 50, Outcome.BROKEN, Map.of(), List.of()), decode("P231", 32, 50, "303230"));
  }

  private static Decoded impossible(int cmdFunc, int cmdId, String list) {
    return new Decoded(
        cmdFunc, cmdId, Outcome.DECODED, Map.of(), List.of(new Dropped(list, Reason.PLACE)));
  }

  @Test
  void limitsNumberOfPlacesButNotTheirValues() {
    // num 4294967295
    assertEquals(
        Map.of("bms_heartbeat[4294967295]", Map.of("num", 4294967295L)),
        decode("P231", 32, 50, "08ffffffff0f").values());
    // 101 items of bp_no and bp_soc, then the first place again
    StringBuilder items = new StringBuilder();
    for (int place = 1; place <= ListItems.MAX_ITEMS + 1; place++) {
      items.append(String.format("0a0408%02x1832", place));
    }
    Decoded decoded = decode("Y711", 2, 4, items + "0a0408011833");

    assertEquals(ListItems.MAX_ITEMS, decoded.values().size());
    assertEquals(Map.of("bp_no", 1L, "bp_soc", 51L), decoded.values().get("bp_info[1]"));
    assertEquals(List.of(new Dropped("bp_info", Reason.PLACE)), decoded.dropped());
  }

  @Test
  void indexesKindsOfEnergyByTheirNumber() {
    // two items: type 2 with 0 and 300 Wh, type 1 with 5 Wh
    assertEquals(
        Map.of(
            "watth_item[1]",
            Map.of("watth_type", 1L, "watth", List.of(5L)),
            "watth_item[2]",
            Map.of("watth_type", 2L, "watth", List.of(0L, 300L))),
        decode("HW51", 254, 32, "12071002" + "1a0300ac02" + "12051001" + "1a0105").values());
  }

  @Test
  void addsOmittedZerosOfGroups() {
    // pv_power 2.0 of the unit ES21A alone; no other group
    assertEquals(
        Map.of(
            "solar",
            Map.of(
                "strings[\"ES21A\"]",
                Map.of(
                    "sn", "ES21A",
                    "pv_power", 2.0,
                    "battery_power", 0.0,
                    "inverter_power", 0.0,
                    "on_grid_power", 0.0,
                    "backup_power", 0.0,
                    "pv1_power", 0.0,
                    "pv2_power", 0.0,
                    "pv3_power", 0.0,
                    "pv4_power", 0.0))),
        decode("ES21", 254, 39, "92030e" + "0a0c" + "0a0545533231411d00000040").values());
    // sys_load_pwr 2.0; the charge is not a power and stays absent
    assertEquals(
        Map.of("sys_load_pwr", 2.0, "sys_grid_pwr", 0.0, "mppt_pwr", 0.0, "bp_pwr", 0.0),
        decode("HJ31", 96, 33, "0d00000040").values());
    assertEquals(
        new Decoded(96, 39, Outcome.DECODED, Map.of("pv_inv_pwr", 0.0), List.of()),
        decode("HJ31", 96, 39, ""));
  }

  @Test
  void doesNotAddZerosToDamagedMessage() {
    assertEquals(
        new Decoded(96, 33, Outcome.BROKEN, Map.of("sys_load_pwr", 2.0), List.of()),
        decode("HJ31", 96, 33, "0d00000040" + "15"));
  }

  @Test
  void distinguishesDevicesWithSameCommand() {
    assertEquals(Map.of("err_code", 7L), decode("HW52", 2, 1, "0807").values());
    assertEquals(Map.of("proto_ver", 7L), decode("Y711", 2, 1, "0807").values());
    assertEquals(
        Map.of("master_info", Map.of("time_type", 1L)), decode("HD31", 2, 1, "0a021801").values());
    assertEquals(Outcome.UNKNOWN, decode("P231", 2, 1, "0807").outcome());
    assertEquals(Map.of("sys_work_sta", 7L), decode("HC31", 96, 1, "0807").values());
    assertEquals(Map.of("bp_dsg_time", 7L), decode("HJ31", 96, 1, "1007").values());
    assertEquals(Map.of("work_mode", 1L), decode("ES22", 254, 39, "c80101").values());
    assertEquals(
        Map.of("system", Map.of("soc", 80L)),
        decode("RE11", 254, 39, "8a0403" + "880150").values());
  }

  @Test
  void distinguishesDevicesByHeader() {
    Header ofPlug =
        TestFrames.header(TestFrames.hex("0807")).setSrc(53).setCmdFunc(2).setCmdId(1).build();
    Header ofDcFit =
        TestFrames.header(TestFrames.hex("0807"))
            .setProductId(85 * 256 + 5)
            .setCmdFunc(96)
            .setCmdId(1)
            .build();

    assertEquals(Map.of("err_code", 7L), DECODER.decode(ofPlug, "").values());
    // A known serial number has precedence over the part that sent the message.
    assertEquals(Map.of("proto_ver", 7L), DECODER.decode(ofPlug, "Y711").values());
    assertEquals(decode("HD31", 2, 1, "0807"), DECODER.decode(ofPlug, "HD31"));
    assertEquals(
        decode("C101", 2, 2, "0807"),
        DECODER.decode(ofPlug.toBuilder().setCmdId(2).build(), "C101"));
    assertEquals(
        decode("Y711", 2, 2, "0807"),
        DECODER.decode(ofPlug.toBuilder().setCmdId(2).build(), "Y711"));
    assertEquals(Map.of("sys_work_sta", 7L), DECODER.decode(ofDcFit, null).values());
  }

  private static Decoded decode(String serial, int cmdFunc, int cmdId, String hex) {
    return DECODER.decode(
        TestFrames.header(TestFrames.hex(hex)).setCmdFunc(cmdFunc).setCmdId(cmdId).build(),
        serial + "TEST00000001");
  }

  private static Decoded decode(String hex) {
    return DECODER.decode(TestFrames.header(TestFrames.hex(hex)).build(), "P231TEST00000001");
  }
}
