package ecoflow.values;

import static ecoflow.testkit.Eventually.eventually;
import static ecoflow.testkit.Frames.message;
import static ecoflow.values.SeriesLines.assertShows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.ProtobufWriter;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.TestFrames;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Frames;
import ecoflow.testkit.Page;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Absent parts do not have series and do not contribute to sums. The maps are from real devices, as
 * published by their owners, or contain the relevant values of such maps; {@code parts.csv} lists
 * the sources.
 */
class AbsentPartsTest {

  // Fields of 254/21
  private static final int ERROR_OF_BATTERY = 140;
  private static final int CHARGE = 262;
  private static final int TIME_TO_EMPTY = 268;
  private static final int TIME_TO_FULL = 269;
  private static final int CHARGE_LIMIT = 270;
  private static final int DISCHARGE_LIMIT = 271;
  private static final int CONNECTED_L1 = 762;
  private static final int VOLTAGE_L1 = 956;

  private static final SimulatedDevice DELTA_2_MAX = map("delta2max-powerstream");
  private static final SimulatedDevice DELTA_MAX = map("delta-max-powerstream");
  private static final SimulatedDevice DELTA_PRO = map("delta-pro-alone");
  private static final SimulatedDevice DELTA_2 = map("delta2-alone");
  private static final SimulatedDevice RIVER_PRO = map("river-pro-alone");
  private static final SimulatedDevice STREAM_MEMBER = map("stream-member");
  private static final SimulatedDevice STREAM_LEADER = map("stream-leader");
  private static final SimulatedDevice POWER_STREAM = map("powerstream-without-battery");
  private static final SimulatedDevice GLACIER = map("glacier-without-battery");
  private static final SimulatedDevice WAVE_2 = map("wave2-without-battery");
  private static final SimulatedDevice HOME_PANEL = map("home-panel-one-battery");
  private static final SimulatedDevice HOME_PANEL_2 = map("home-panel2-two-batteries");
  private static final SimulatedDevice SMART_METER = map("smart-meter-one-phase");
  private static final SimulatedDevice SHELLY = map("shelly-two-clamps");

  private static final List<SimulatedDevice> POLLED =
      List.of(
          DELTA_2_MAX,
          DELTA_MAX,
          DELTA_PRO,
          DELTA_2,
          RIVER_PRO,
          STREAM_MEMBER,
          STREAM_LEADER,
          POWER_STREAM,
          GLACIER,
          WAVE_2,
          HOME_PANEL,
          HOME_PANEL_2,
          SMART_METER,
          SHELLY);

  private static final SimulatedDevice PUSHED_STREAM = frames("BK31");
  private static final SimulatedDevice PUSHED_POWER_STREAM = frames("HW51");
  private static final SimulatedDevice PUSHED_HOME_PANEL_2 = frames("HD31");
  private static final SimulatedDevice PUSHED_METER = frames("BK21");
  private static final SimulatedDevice WAVE_3 = frames("AC71");
  private static final SimulatedDevice GLACIER_CLASSIC = frames("RF43");
  private static final SimulatedDevice POWER_OCEAN_PLUS = frames("R374");
  private static final SimulatedDevice COOLER = json("BX11ZPUSH0000001");
  private static final SimulatedDevice CHANGING_DELTA_PRO = json("DCABZPUSH0000001");
  private static final SimulatedDevice CHANGING_DELTA_2_MAX = json("R351ZPUSH0000001");

  private static final List<SimulatedDevice> PUSHED =
      List.of(
          PUSHED_STREAM,
          PUSHED_POWER_STREAM,
          PUSHED_HOME_PANEL_2,
          PUSHED_METER,
          WAVE_3,
          GLACIER_CLASSIC,
          POWER_OCEAN_PLUS,
          COOLER,
          CHANGING_DELTA_PRO,
          CHANGING_DELTA_2_MAX);

  @RegisterExtension
  static final ExporterExtension polling =
      ExporterExtension.rest("ECOFLOW_METRICS=both", "COLLECTING_INTERVAL=3600")
          .with(POLLED.toArray(SimulatedDevice[]::new))
          .startedAtOnce();

  @RegisterExtension
  static final ExporterExtension listening =
      ExporterExtension.mqtt(
              "ECOFLOW_METRICS=both",
              "MQTT_TIMEOUT=3600",
              "ECOFLOW_DEVICE_SN="
                  + String.join(",", PUSHED.stream().map(SimulatedDevice::serial).toList()))
          .with(PUSHED.toArray(SimulatedDevice[]::new))
          .startedAtOnce();

  private static SimulatedDevice map(String name) {
    String file = "parts/" + name + ".json";
    return json(QuotaMaps.SERIALS.get(file) + "ZPOLL0000001").set(QuotaMaps.text(file));
  }

  private static SimulatedDevice json(String serial) {
    return new SimulatedDevice(serial, serial, "", WireFormat.JSON);
  }

  private static SimulatedDevice frames(String prefix) {
    String serial = prefix + "ZPUSH0000001";
    return new SimulatedDevice(serial, serial, "", WireFormat.PROTOBUF_XOR);
  }

  private static byte[] frame(String file) {
    return TestFrames.hex(QuotaMaps.text("parts/" + file));
  }

  private static byte[] display(ProtobufWriter values) {
    return Frames.frame(254, 21, values);
  }

  private static byte[] inverter(ProtobufWriter values) {
    return Frames.frame(20, 1, values);
  }

  @BeforeAll
  static void valuesAreThere() {
    Page page = polling.page();
    assertEquals(QuotaMaps.names("parts").size(), POLLED.size());
    POLLED.forEach(device -> eventually(() -> assertFalse(page.namesOf(device).isEmpty())));
    listening.page().eventuallyConnected(1);
  }

  private static void assertPolled(SimulatedDevice device, String lines) {
    assertShows(polling.page(), device, lines);
  }

  private static void assertPushed(SimulatedDevice device, String lines) {
    listening.settle(CHANGING_DELTA_PRO);
    assertShows(listening.page(), device, lines);
  }

  private static List<String> normalised(Page page, SimulatedDevice device, String part) {
    return page.linesOf(device.serial()).stream().filter(line -> line.contains(part)).toList();
  }

  private static void assertHasNo(Page page, SimulatedDevice device, String... parts) {
    for (String part : parts) {
      assertEquals(List.of(), normalised(page, device, part));
    }
  }

  @Nested
  class Packs {

    @Test
    void aPowerStreamAtADelta2MaxIsNotAPack() {
      assertHasNo(polling.page(), DELTA_2_MAX, "pack=\"2\"");
      assertPolled(
          DELTA_2_MAX,
          """
        battery_power_watts 1072.318632
        battery_charge_ratio 0.826
        battery_pack_charge_ratio pack=main 0.835
        battery_pack_charge_ratio pack=1 0.818
        battery_pack_power_watts pack=1 489
        bms_slave_bms_slave_status_2_soc 67
        """);
    }

    @Test
    void aPowerStreamAtADeltaMaxIsNotAPack() {
      assertHasNo(polling.page(), DELTA_MAX, "pack=\"2\"");
      assertPolled(
          DELTA_MAX,
          """
        battery_power_watts 283.513838
        battery_pack_charge_ratio pack=1 0.351398
        """);
    }

    @Test
    void aDeltaProDoesNotShowAnOfflinePack() {
      assertHasNo(polling.page(), DELTA_PRO, "pack=\"1\"", "pack=\"2\"");
      assertPolled(
          DELTA_PRO,
          """
        battery_power_watts -226.267435
        battery_charge_ratio 0.378208
        bms_slave1_soc 64
        """);
    }

    @Test
    void aDelta2DoesNotShowADisconnectedPack() {
      assertHasNo(polling.page(), DELTA_2, "pack=\"1\"");
      assertPolled(DELTA_2, "battery_power_watts -398.57664");
    }

    @Test
    void aRiverProDoesNotShowADisconnectedPack() {
      assertHasNo(polling.page(), RIVER_PRO, "pack=\"1\"");
      assertPolled(RIVER_PRO, "battery_power_watts -135.232767");
    }
  }

  @Nested
  class LinkedUnits {

    @Test
    void aLinkedStreamShowsItsOwnBattery() {
      assertHasNo(
          polling.page(),
          STREAM_MEMBER,
          "ecoflow_home_load",
          "ecoflow_grid_power",
          "ecoflow_solar");
      assertPolled(
          STREAM_MEMBER,
          """
        battery_charge_ratio 0.92
        battery_power_watts -487
        battery_pack_charge_ratio pack=main 0.923
        port_output_power_watts port=grid 480
        cms_batt_soc 0
        """);
    }

    @Test
    void aLinkedStreamShowsItsOwnBatteryFromFrames() {
      PUSHED_STREAM.publish(frame("stream-member.hex"));
      assertPushed(
          PUSHED_STREAM,
          """
        battery_charge_ratio 0.92
        battery_power_watts -
        battery_pack_charge_ratio pack=main 0.92
        cms_batt_soc 0
        """);
    }

    @Test
    void theLeaderShowsTrueZeros() {
      assertPolled(
          STREAM_LEADER,
          """
        battery_charge_ratio 0.94
        battery_power_watts 0
        battery_charge_limit_ratio 0.95
        battery_discharge_limit_ratio 0.1
        battery_pack_charge_ratio pack=main -
        grid_power_watts 0
        home_load_power_watts 0
        solar_power_watts 0
        """);
    }
  }

  @Nested
  class RemovableBatteries {

    @Test
    void aPowerStreamWithoutBattery() {
      assertHasNo(polling.page(), POWER_STREAM, "ecoflow_battery_", "pack=", "component=\"bms\"");
      assertPolled(
          POWER_STREAM,
          """
        20_1_bat_soc 0
        port_output_power_watts port=ac_out 109
        """);
    }

    @Test
    void aPowerStreamWhoseBatteryIsAddedAndRemoved() {
      PUSHED_POWER_STREAM.publish(
          inverter(message().integer(19, 510).integer(29, 0).integer(31, 0).integer(42, 0)));
      assertPushed(
          PUSHED_POWER_STREAM,
          """
        battery_charge_ratio -
        battery_power_watts -
        solar_power_watts 51
        """);
      PUSHED_POWER_STREAM.publish(
          inverter(message().integer(29, 100).integer(31, 31).integer(42, 2)));
      assertPushed(
          PUSHED_POWER_STREAM,
          """
        battery_charge_ratio 0.31
        battery_power_watts -10
        """);
      PUSHED_POWER_STREAM.publish(inverter(message().integer(42, 0)));
      assertPushed(
          PUSHED_POWER_STREAM,
          """
        battery_charge_ratio -
        battery_power_watts -
        """);
    }

    @Test
    void aGlacierWithoutBattery() {
      assertHasNo(polling.page(), GLACIER, "ecoflow_battery_", "pack=");
      assertPolled(GLACIER, "temperature_celsius sensor=ambient 28");
    }

    @Test
    void aGlacierClassicWithoutBattery() {
      GLACIER_CLASSIC.publish(display(message().real(3, 12).real(CHARGE, 0)));
      assertPushed(
          GLACIER_CLASSIC,
          """
        battery_charge_ratio -
        input_power_watts 12
        """);
      GLACIER_CLASSIC.publish(
          display(
              message()
                  .integer(ERROR_OF_BATTERY, 0)
                  .integer(TIME_TO_EMPTY, 0)
                  .integer(TIME_TO_FULL, 0)
                  .integer(CHARGE_LIMIT, 0)
                  .integer(DISCHARGE_LIMIT, 0)));
      listening.settle(CHANGING_DELTA_PRO);
      assertHasNo(
          listening.page(), GLACIER_CLASSIC, "ecoflow_battery_", "pack=", "component=\"bms\"");
      GLACIER_CLASSIC.publish(display(message().real(CHARGE, 43).integer(CHARGE_LIMIT, 100)));
      assertPushed(
          GLACIER_CLASSIC,
          """
        battery_charge_ratio 0.43
        battery_charge_limit_ratio 1
        """);
    }

    @Test
    void aWave3WithoutBattery() {
      WAVE_3.publish(TestFrames.recorded("wave3-254-21.hex"));
      listening.settle(CHANGING_DELTA_PRO);
      assertHasNo(listening.page(), WAVE_3, "ecoflow_battery_", "pack=", "component=\"bms\"");
      assertPushed(WAVE_3, "ambient_humidity_ratio 0.4951");
    }

    @Test
    void aWave2WithoutBattery() {
      assertHasNo(polling.page(), WAVE_2, "ecoflow_battery_", "pack=");
      assertPolled(
          WAVE_2,
          """
        temperature_celsius sensor=ambient 22.5
        port_voltage_volts port=ac_in 232
        """);
    }

    /** Power does not flow from or to an absent battery: the four flows add up. */
    @Test
    void aPowerOceanWithoutBattery() {
      POWER_OCEAN_PLUS.publish(TestFrames.recorded("powerocean-plus-get-all.hex"));
      assertPushed(
          POWER_OCEAN_PLUS,
          """
        battery_charge_ratio -
        battery_remaining_energy_joules -
        battery_power_watts 0
        solar_power_watts 4160
        """);
    }
  }

  @Nested
  class PanelsAndMeters {

    @Test
    void aHomePanelWithOneBattery() {
      assertHasNo(polling.page(), HOME_PANEL, "pack=\"2\"");
      assertPolled(
          HOME_PANEL,
          """
        battery_charge_ratio 0.62
        battery_pack_charge_ratio pack=1 0.62
        battery_pack_power_watts pack=1 -474
        """);
    }

    @Test
    void aHomePanel2WithTwoBatteries() {
      assertHasNo(polling.page(), HOME_PANEL_2, "pack=\"3\"");
      assertPolled(
          HOME_PANEL_2,
          """
        battery_charge_ratio 1
        battery_pack_charge_ratio pack=1 1
        battery_pack_charge_ratio pack=2 1
        grid_power_watts 4657
        """);
    }

    @Test
    void aHomePanel2WithoutBatteryAtChannel1() {
      PUSHED_HOME_PANEL_2.publish(frame("home-panel2-channel-1.hex"));
      PUSHED_HOME_PANEL_2.publish(frame("home-panel2-values.hex"));
      listening.settle(CHANGING_DELTA_PRO);
      assertHasNo(listening.page(), PUSHED_HOME_PANEL_2, "pack=\"1\"");
      assertPushed(
          PUSHED_HOME_PANEL_2,
          """
        battery_charge_ratio 0.46
        backup_incre_info_energy1_info_battery_percentage 0
        """);
    }

    @Test
    void aSmartMeterOnOnePhase() {
      assertHasNo(polling.page(), SMART_METER, "phase=\"b\"", "phase=\"c\"");
      assertPolled(
          SMART_METER,
          """
        grid_power_watts 4917.057
        grid_phase_power_watts phase=a 4917.06
        grid_phase_voltage_volts phase=a 237.38
        """);
      PUSHED_METER.publish(
          display(
              message()
                  .integer(CONNECTED_L1, 1)
                  .integer(CONNECTED_L1 + 1, 0)
                  .real(VOLTAGE_L1, 237.5f)
                  .real(VOLTAGE_L1 + 1, 118.5f)));
      assertPushed(
          PUSHED_METER,
          """
        grid_phase_voltage_volts phase=a 237.5
        grid_phase_voltage_volts phase=b -
        """);
    }

    @Test
    void aPhaseWithoutClamp() {
      assertHasNo(polling.page(), SHELLY, "phase=\"c\"");
      assertPolled(
          SHELLY,
          """
        grid_phase_power_watts phase=a 0
        grid_phase_power_watts phase=b 134.84
        """);
    }
  }

  @Nested
  class LandingPage {

    private static String card(ExporterExtension exporter, SimulatedDevice device) {
      return Pattern.compile("(?s)<article>.*?</article>")
          .matcher(exporter.http().get("/").body())
          .results()
          .map(MatchResult::group)
          .filter(card -> card.contains(device.serial()))
          .findFirst()
          .orElseThrow();
    }

    /** The card without the chart of the last hour, which may contain an earlier charge. */
    private static String values(String card) {
      return card.replaceAll("(?s)<div class=\"chart\">.*?\n</div>\n", "");
    }

    @Test
    void theLandingPageShowsNoUnknownCharge() {
      for (SimulatedDevice device : List.of(POWER_STREAM, GLACIER, WAVE_2)) {
        String card = card(polling, device);
        assertFalse(card.contains("%") || card.contains("class=\"bar\""), card);
      }
      assertTrue(card(polling, STREAM_MEMBER).contains(">92 %<"));
      assertTrue(card(polling, STREAM_LEADER).contains(">94 %<"));
    }

    /** The last charge of a removed battery is not shown. */
    @Test
    void theLandingPageDoesNotShowTheChargeOfARemovedBattery() {
      COOLER.push(
          Map.of("bms_emsStatus.f32LcdSoc", 43, "bms_emsStatus.lcdSoc", 43, "pd.batFlag", 1));
      listening.settle(CHANGING_DELTA_PRO);
      assertTrue(card(listening, COOLER).contains(">43 %<"));
      COOLER.push(Map.of("pd.batFlag", 0));
      listening.settle(CHANGING_DELTA_PRO);
      assertFalse(values(card(listening, COOLER)).contains("%"));
      // The raw value is not a fallback for a model with table rows for its charge.
      COOLER.push(Map.of("pd.soc", 43));
      listening.settle(CHANGING_DELTA_PRO);
      assertFalse(values(card(listening, COOLER)).contains("%"));
    }
  }

  @Nested
  class AddedAndRemovedParts {

    @Test
    void aPackThatIsDisconnectedAndReconnected() {
      CHANGING_DELTA_PRO.push(
          Map.of(
              "bmsMaster.vol", 50_000,
              "bmsMaster.amp", -4_000,
              "bmsSlave1.vol", 50_000,
              "bmsSlave1.amp", -2_000,
              "bmsSlave1.soc", 64,
              "ems.bms1Online", 3));
      String both =
          """
        battery_power_watts -300
        battery_pack_charge_ratio pack=1 0.64
        battery_pack_voltage_volts pack=1 50
        """;
      String alone =
          """
        battery_power_watts -200
        battery_pack_charge_ratio pack=1 -
        battery_pack_voltage_volts pack=1 -
        """;
      assertPushed(CHANGING_DELTA_PRO, both);
      CHANGING_DELTA_PRO.push(Map.of("ems.bms1Online", 0));
      assertPushed(CHANGING_DELTA_PRO, alone);
      CHANGING_DELTA_PRO.push(Map.of("bmsMaster.amp", -4_000));
      assertPushed(CHANGING_DELTA_PRO, alone);
      CHANGING_DELTA_PRO.push(Map.of("ems.bms1Online", 3));
      assertPushed(CHANGING_DELTA_PRO, both);
    }

    @Test
    void countersOfAPackContinueAfterReconnection() {
      String counter = "battery_pack_discharge_energy_joules_total";
      Page page = listening.page();
      pushKit(81, 1);
      CHANGING_DELTA_2_MAX.push(
          Map.of(
              "bms_bmsStatus.vol", 50_000,
              "bms_bmsStatus.amp", -4_000,
              "bms_slave_bmsSlaveStatus_1.vol", 50_000,
              "bms_slave_bmsSlaveStatus_1.amp", -2_000,
              "bms_slave_bmsSlaveInfo_1.accuDsgEnergy", 1_000));
      assertPushed(
          CHANGING_DELTA_2_MAX,
          """
        battery_power_watts -300
        battery_pack_discharge_energy_joules_total pack=1 3600000
        """);
      pushKit(0, 0);
      assertPushed(
          CHANGING_DELTA_2_MAX,
          """
        battery_power_watts -200
        battery_pack_discharge_energy_joules_total pack=1 -
        """);
      double before = discharged(page);
      pushKit(81, 1);
      CHANGING_DELTA_2_MAX.push(Map.of("bms_slave_bmsSlaveInfo_1.accuDsgEnergy", 1_001));
      assertPushed(
          CHANGING_DELTA_2_MAX,
          """
        battery_power_watts -300
        battery_pack_discharge_energy_joules_total pack=1 3603600
        """);
      double after = discharged(page);
      assertTrue(after >= before, counter);
      // The energy of a minute at 300 W in joules; the test takes less time.
      assertTrue(after < 18_000, counter);
    }

    private static double discharged(Page page) {
      return page.of(
          CHANGING_DELTA_2_MAX, "battery_discharge_energy_joules_total", "origin=computed");
    }

    private static void pushKit(int type, int available) {
      CHANGING_DELTA_2_MAX.push(
          Map.of(
              "bms_kitInfo.watts",
              Stream.of(type, 0)
                  .map(of -> Map.of("type", of, "avaFlag", of == 0 ? 0 : available))
                  .toList()));
    }
  }
}
