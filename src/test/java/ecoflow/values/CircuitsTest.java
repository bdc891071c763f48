package ecoflow.values;

import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.message;
import static ecoflow.testkit.Frames.nested;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ecoflow.cloud.ProtobufWriter;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.DevicePool;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Circuits of home panels on the page: consumption is positive independent of the sign in the
 * messages, and a circuit of a split-phase pair contains the number of the other one. Also the
 * voltages that panels and coolers send in fields with misleading names.
 */
class CircuitsTest {

  private static final String HOME_PANEL = "SP10";
  private static final String HOME_PANEL_2 = "HD31";
  private static final String HOME_PANEL_3 = "HR62";
  private static final String OCEAN_PANEL = "HR61";
  private static final String GLACIER_CLASSIC = "RF43";
  private static final String WAVE_3 = "AC71";

  private static final Map<String, DevicePool> DEVICES =
      DevicePool.ofModels(
          "ZCIR", 4, HOME_PANEL, HOME_PANEL_2, HOME_PANEL_3, OCEAN_PANEL, GLACIER_CLASSIC, WAVE_3);

  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.mqtt(
              "ECOFLOW_METRICS=both", "MQTT_TIMEOUT=3600", DevicePool.setting(DEVICES.values()))
          .startedAtOnce();

  private static final Page page = exporter.page();

  @BeforeAll
  static void connect() {
    page.eventuallyConnected(1);
  }

  private static SimulatedDevice device(String model) {
    WireFormat format = model.equals(HOME_PANEL) ? WireFormat.JSON : WireFormat.PROTOBUF_PLAIN;
    return DEVICES.get(model).next(exporter.cloud(), format);
  }

  /** Sends a message and returns after it has been processed. */
  private static void send(SimulatedDevice device, int cmdFunc, int cmdId, ProtobufWriter message) {
    device.publish(frame(cmdFunc, cmdId, message));
    exporter.settle(device);
  }

  /** The values of all series of a name, by the value of their only additional label. */
  private static Map<String, Double> shown(SimulatedDevice device, String name, String label) {
    return page.series(name, "device=" + device.serial()).stream()
        .collect(Collectors.toMap(series -> series.labels().get(label), series -> series.value()));
  }

  private static Map<String, Double> watts(SimulatedDevice device) {
    return shown(device, "circuit_power_watts", "circuit");
  }

  private static Map<String, Double> partners(SimulatedDevice device) {
    return shown(device, "circuit_split_phase_partner", "circuit");
  }

  private static ProtobufWriter sample(float volts, float watts, float amperes) {
    return message().real(1, volts).real(2, watts).real(3, amperes);
  }

  @Test
  void consumptionOfHomePanel3IsPositiveAndExportNegative() {
    SimulatedDevice panel = device(HOME_PANEL_3);
    // load_ch3_sample_info and load_ch4_sample_info: 120 V x 5 A = 600 W
    send(
        panel,
        254,
        21,
        message().message(1017, sample(120, -600, 5)).message(1018, sample(120, 240, -2)));

    assertEquals(Map.of("3", 600.0, "4", -240.0), watts(panel));
    assertEquals(Map.of("3", 5.0, "4", 2.0), shown(panel, "circuit_current_amperes", "circuit"));
    assertEquals(-600, page.of(panel, "load_ch3_sample_info_load_ch_power"), "raw value");

    // A zero is omitted, or sent as -0.
    send(panel, 254, 21, message().message(1017, message().real(1, 121)));
    send(panel, 254, 21, message().message(1018, sample(121, -0.0f, -0.0f)));
    for (String name : List.of("circuit_power_watts", "circuit_current_amperes")) {
      List<String> lines = page.lines(name);
      assertEquals(
          2, lines.stream().filter(line -> line.contains(panel.serial())).count(), lines::toString);
      lines.stream()
          .filter(line -> line.contains(panel.serial()))
          .forEach(line -> assertFalse(line.contains(" -0"), line));
    }
    assertEquals(Map.of("3", 0.0, "4", 0.0), watts(panel));
  }

  @Test
  void consumptionOfAnOceanPanelIsPositive() {
    SimulatedDevice panel = device(OCEAN_PANEL);
    // load_ch40_sample_info
    send(panel, 254, 21, message().message(1054, sample(120, -60, 0.5f)));

    assertEquals(Map.of("40", 60.0), watts(panel));
  }

  @Test
  void circuitsOfHomePanel2ArePositiveAsSent() {
    SimulatedDevice panel = device(HOME_PANEL_2);
    // load_info: hall1_watt and hall1_curr of two circuits; watt_info: ch_watt of a battery channel
    send(
        panel,
        12,
        1,
        message()
            .message(2, message().real(1, 120).real(1, 0).real(2, 1).real(2, 0))
            .message(4, message().real(11, 500)));

    assertEquals(Map.of("1", 120.0, "2", 0.0), watts(panel));
    assertEquals(Map.of("1", 1.0, "2", 0.0), shown(panel, "circuit_current_amperes", "circuit"));
    // The sign of ch_watt is unknown.
    assertEquals(List.of(), page.series("battery_pack_power_watts", "device=" + panel.serial()));
  }

  /** The keys of the developer API: those of the same messages, in camel case. */
  @Test
  void homePanel2IsReadFromJson() {
    SimulatedDevice panel = device(HOME_PANEL_2);
    panel.publish(
        """
        {"params": {"loadInfo": {"hall1Watt": [120, 0], "hall1Curr": [1, 0]},
         "backupIncreInfo": {"Energy1Info":
             {"batteryPercentage": 46, "outputPower": 300, "lcdInputWatts": 0}},
         "pd303_mc": {"masterIncreInfo": {"gridSta": 0, "gridVol": 124}, "loadIncreInfo":
             {"hall1IncreInfo": {"ch1Info": {"splitphase": {"linkMark": true, "linkCh": 2}}}}}}}
        """);
    exporter.settle(panel);

    assertEquals(Map.of("1", 120.0, "2", 0.0), watts(panel));
    assertEquals(Map.of("1", 2.0), partners(panel));
    assertEquals(0.46, page.of(panel, "battery_pack_charge_ratio", "pack=1"));
    assertEquals(-300, page.of(panel, "battery_pack_power_watts", "pack=1"));
    assertEquals(1, page.of(panel, "grid_connected"));
    assertEquals(124, page.of(panel, "port_voltage_volts", "port=grid"));
  }

  @Test
  void batteriesOfHomePanelAreNotCircuits() {
    SimulatedDevice panel = device(HOME_PANEL);
    String channels =
        IntStream.range(0, 12)
            .mapToObj(channel -> "{\"chWatt\":" + (100 + channel) + "}")
            .collect(Collectors.joining(",", "[", "]"));
    panel.push("{\"infoList\":" + channels + "}");
    exporter.settle(panel);

    Map<String, Double> watts = watts(panel);
    assertEquals(10, watts.size(), watts::toString);
    assertEquals(100, watts.get("1"));
    assertEquals(109, watts.get("10"));
  }

  @Test
  void circuitsOfASplitPhasePairReferToEachOther() {
    SimulatedDevice panel = device(HOME_PANEL_3);
    double dropped = page.droppedFields(254, 21, "type");
    // load_ch3_sta and load_ch4_sta: load_sta 1; splitphase: link_mark 1, link_ch
    send(panel, 254, 21, message().message(796, linked(4)).message(797, linked(3)));
    assertEquals(Map.of("3", 4.0, "4", 3.0), partners(panel));
    assertEquals(4, page.of(panel, "load_ch3_sta_splitphase_link_ch"));

    // Change a different field of the circuit.
    send(panel, 254, 21, nested(796, message().integer(1, 1).integer(3, 20)));
    assertEquals(Map.of("3", 4.0, "4", 3.0), partners(panel));

    // No longer linked: zeros are omitted.
    ProtobufWriter single = message().integer(1, 1).message(2, message());
    send(panel, 254, 21, message().message(796, single).message(797, single));
    assertEquals(Map.of(), partners(panel));
    assertEquals(dropped, page.droppedFields(254, 21, "type"));
  }

  private static ProtobufWriter linked(int partner) {
    return message().integer(1, 1).message(2, message().integer(1, 1).integer(2, partner));
  }

  @Test
  void circuitsOfHomePanel2ReferToTheirPartner() {
    SimulatedDevice panel = device(HOME_PANEL_2);
    // load_incre_info: hall1_incre_info: ch3_info: splitphase
    send(panel, 12, 32, circuit3(message().integer(1, 1).integer(2, 4)));
    assertEquals(Map.of("3", 4.0), partners(panel));

    send(panel, 12, 32, circuit3(message().integer(1, 0).integer(2, 4)));
    assertEquals(Map.of(), partners(panel));
  }

  private static ProtobufWriter circuit3(ProtobufWriter splitPhase) {
    return nested(81, nested(1, nested(32, nested(1, splitPhase))));
  }

  /** The mode must not be dropped because of a wrong type. */
  @Test
  void theStrategyOfAPanelIsAMessage() {
    SimulatedDevice panel = device(HOME_PANEL_3);
    double dropped = page.droppedFields(254, 21, "type");
    send(panel, 254, 21, nested(1245, message().integer(1, 1).integer(5, 0)));

    assertEquals(1, page.of(panel, "panle_energy_strategy_operate_mode_self_powered"));
    assertEquals(0, page.of(panel, "panle_energy_strategy_operate_mode_mix_scheduled"));
    assertEquals(dropped, page.droppedFields(254, 21, "type"));
  }

  /** A recorded frame has grid_sta 1 with 3.9 V and 2.5 V on the lines of the grid. */
  @Test
  void theGridOfHomePanel2IsConnectedAtStateZero() {
    SimulatedDevice panel = device(HOME_PANEL_2);
    // master_incre_info: grid_sta
    send(panel, 12, 32, nested(82, message().integer(2, 1).integer(3, 124)));
    assertEquals(0, page.of(panel, "grid_connected"));
    assertEquals(124, page.of(panel, "port_voltage_volts", "port=grid"));

    send(panel, 12, 32, nested(82, message().integer(2, 0)));
    assertEquals(1, page.of(panel, "grid_connected"));

    // Not a valid state.
    send(panel, 12, 32, nested(82, message().integer(2, 5)));
    assertEquals(Double.NaN, page.of(panel, "grid_connected"));
  }

  @Test
  void theInputOfGlacierClassicIsDirectCurrent() {
    SimulatedDevice cooler = device(GLACIER_CLASSIC);
    send(cooler, 254, 21, message().real(777, 14.4f));
    assertEquals(Map.of("dc_in", 14.4), shown(cooler, "port_voltage_volts", "port"));
    assertEquals(14.4, page.of(cooler, "input_volt777"));
    assertEquals(Double.NaN, page.of(cooler, "pow_get_self_consume"));

    // plug_in_info_ac_in_vol is the same voltage.
    send(cooler, 254, 21, message().real(68, 14.463f));
    assertEquals(Map.of("dc_in", 14.463), shown(cooler, "port_voltage_volts", "port"));

    SimulatedDevice airConditioner = device(WAVE_3);
    send(airConditioner, 254, 21, message().real(777, 14.4f));
    assertEquals(14.4, page.of(airConditioner, "pow_get_self_consume"));
    assertEquals(14.4, page.of(airConditioner, "home_load_power_watts"));
    assertEquals(Double.NaN, page.of(airConditioner, "input_volt777"));
  }
}
