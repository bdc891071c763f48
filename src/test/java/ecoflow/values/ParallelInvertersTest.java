package ecoflow.values;

import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.list;
import static ecoflow.testkit.Frames.message;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.cloud.ProtobufWriter;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.DevicePool;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * PowerOcean with several inverters, and J329: 96/50 replaces 96/33, with a row for each inverter
 * and a row without a serial number for the system. The values are from a recorded pair, whose
 * battery powers add up to that of the system.
 */
class ParallelInvertersTest {

  private static final String STREAM = "para_energy_stream";

  private static final Map<String, DevicePool> DEVICES =
      DevicePool.ofModels("ZPAR", 10, "HJ31", "J329", "R374");

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

  @ParameterizedTest
  @ValueSource(strings = {"HJ31", "J329", "R374"})
  void theRowWithoutASerialNumberIsTheSystem(String model) {
    SimulatedDevice device = device(model);
    double before = page.droppedFields(96, 50, "no_place");

    // sys_load_pwr, sys_grid_pwr, mppt_pwr, bp_pwr, bp_soc, dev_sn, power_pv1
    send(
        device,
        96,
        50,
        list(
            1,
            row(447.3f, 1200, 2515.444f, 988.644f, 97).text(6, "J32EA").real(9, 2515.444f),
            row(505.77f, -33, 2515.444f, 1976.674f, 97).real(9, 2515.444f),
            row(84.2f, -1100, 0, 988.03f, 96).text(6, "J32EB")));

    assertSystem(device, 505.77, -33, 2515.444, 1976.674, 0.97);
    assertEquals(988.03, page.of(device, STREAM + "_bp_pwr", "index_0=J32EB"));
    assertEquals(1200, page.of(device, STREAM + "_sys_grid_pwr", "index_0=J32EA"));
    assertEquals(-33, page.of(device, STREAM + "_sys_grid_pwr", "index_0=system"));
    assertEquals(before, page.droppedFields(96, 50, "no_place"));

    // After sunset, rows omit powers that are 0.
    send(
        device,
        96,
        50,
        list(
            1,
            message().real(1, 731).real(4, -731).integer(5, 88),
            message().real(4, -365.5f).integer(5, 88).text(6, "J32EA"),
            message().real(4, -365.5f).integer(5, 88).text(6, "J32EB")));

    assertSystem(device, 731, 0, 0, -731, 0.88);
    assertEquals(0, page.of(device, STREAM + "_mppt_pwr", "index_0=J32EA"));
    assertEquals(0, page.series(STREAM + "_power_pv1", "device=" + device.serial()).size());
  }

  /** A list with a fixed length contains unused rows. */
  @ParameterizedTest
  @ValueSource(strings = {"HJ31", "R374"})
  void anEmptyRowIsNotTheSystem(String model) {
    SimulatedDevice device = device(model);

    send(device, 96, 50, list(1, row(447, 12, 2515, 988, 97), message(), message()));
    assertSystem(device, 447, 12, 2515, 988, 0.97);
    send(device, 96, 50, list(1, message()));
    assertSystem(device, 447, 12, 2515, 988, 0.97);
  }

  /** The values of one inverter are not those of the system. */
  @ParameterizedTest
  @ValueSource(strings = {"HJ31", "R374"})
  void rowsWithASerialNumberAreNotTheSystem(String model) {
    SimulatedDevice device = device(model);

    send(device, 96, 50, list(1, row(447, 1200, 2515, 988, 97).text(6, "J32EA")));
    send(device, 96, 51, list(1, row(447, 1200, 2515, 988, 0).integer(5, 1).text(8, "J32EA")));

    assertSystem(device, Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"HJ31", "R374"})
  void theLiveStreamHasPriorityOverMinutesAndTheSystemOverOneInverter(String model) {
    SimulatedDevice device = device(model);

    // bp_soc and timestamp have different numbers here; 999 means no battery.
    ProtobufWriter minute = message().real(1, 300).real(2, 100).real(3, 200).real(4, 1);
    send(device, 96, 51, list(1, minute.integer(5, 1_750_000_000).integer(7, 999)));
    assertSystem(device, 300, 100, 200, 1, Double.NaN);
    // 96/33 has the numbers of 96/50. A reply can contain the one of one inverter.
    send(device, 96, 33, row(320, 120, 202, 3, 56));
    assertSystem(device, 320, 120, 202, 3, 0.56);
    send(device, 96, 50, list(1, row(310, 110, 201, 2, 55)));
    assertSystem(device, 310, 110, 201, 2, 0.55);
    send(device, 96, 33, row(320, 120, 202, 3, 56));
    assertSystem(device, 310, 110, 201, 2, 0.55);
  }

  private static void assertSystem(
      SimulatedDevice device,
      double load,
      double grid,
      double solar,
      double battery,
      double charge) {
    assertEquals(load, page.of(device, "home_load_power_watts"), 1e-3);
    assertEquals(grid, page.of(device, "grid_power_watts"), 1e-3);
    assertEquals(solar, page.of(device, "solar_power_watts"), 1e-3);
    assertEquals(battery, page.of(device, "battery_power_watts"), 1e-3);
    assertEquals(charge, page.of(device, "battery_charge_ratio"), 1e-9);
  }

  private static ProtobufWriter row(float load, float grid, float solar, float battery, int soc) {
    return message().real(1, load).real(2, grid).real(3, solar).real(4, battery).integer(5, soc);
  }

  private static SimulatedDevice device(String model) {
    return DEVICES.get(model).next(exporter.cloud(), WireFormat.PROTOBUF_PLAIN);
  }

  private static void send(SimulatedDevice device, int cmdFunc, int cmdId, ProtobufWriter message) {
    device.publish(frame(cmdFunc, cmdId, message));
    exporter.settle(device);
  }
}
