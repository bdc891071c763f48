package ecoflow.values;

import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.message;
import static ecoflow.testkit.Frames.nested;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Variables;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Values and product names of models whose prefix was assigned to a wrong family, or to none. */
class ModelPrefixesTest {

  private final SimulatedDevice delta3Classic = device("P322ZPREFIX00001");
  private final SimulatedDevice delta2Black = device("R701ZPREFIX00002");
  private final SimulatedDevice delta31500 = device("D365ZPREFIX00003");
  private final SimulatedDevice rapidProX = device("P513ZPREFIX00004");
  private final SimulatedDevice deltaPro = device("DCJBZPREFIX00005");
  private final SimulatedDevice gateway = device("HR65ZPREFIX00006");
  private final SimulatedDevice ocean2 = device("RE17ZPREFIX00007");
  private final SimulatedDevice ocean2SinglePhase = device("RE42ZPREFIX00008");
  private final SimulatedDevice powerPulse = device("AC31ZPREFIX00009");

  @RegisterExtension
  final CloudExtension clouds =
      new CloudExtension(
          delta3Classic,
          delta2Black,
          delta31500,
          rapidProX,
          deltaPro,
          gateway,
          ocean2,
          ocean2SinglePhase,
          powerPulse);

  private static SimulatedDevice device(String serial) {
    return new SimulatedDevice(serial, serial, "", WireFormat.JSON);
  }

  @Test
  void eachModelBelongsToItsFamily() {
    try (RunningExporter exporter =
        RunningExporter.start(Variables.of(clouds.cloud(), "mqtt", "ECOFLOW_METRICS=both"))) {
      Page page = exporter.page();
      page.eventuallyConnected(1);

      // pow_in_sum_w
      delta3Classic.publish(frame(254, 21, message().real(3, 123)));
      delta2Black.push(Map.of("pd.wattsInSum", 124));
      delta31500.push(Map.of("inv.inputWatts", 125, "pd.wattsInSum", 125));
      rapidProX.publish(frame(254, 21, message().real(3, 126)));
      deltaPro.push(Map.of("pd.wattsInSum", 127));
      // pow_get_sys_load
      gateway.publish(frame(254, 21, message().real(516, 128)));
      // house_load of energy_stream_live, and active_power of the first phase of the inverter
      var phase = nested(3, nested(1, message().real(3, -500).integer(6, 1)));
      for (SimulatedDevice ocean : List.of(ocean2, ocean2SinglePhase)) {
        ocean.publish(frame(254, 39, nested(87, message().real(1, 129)).message(4, phase)));
      }
      // charge_power
      powerPulse.publish(frame(2, 33, message().real(28, 130)));

      page.eventuallyShows(delta3Classic, "input_power_watts", 123);
      page.eventuallyShows(delta2Black, "input_power_watts", 124);
      page.eventuallyShows(delta31500, "input_power_watts", 125);
      page.eventuallyShows(rapidProX, "input_power_watts", 126);
      page.eventuallyShows(deltaPro, "input_power_watts", 127);
      page.eventuallyShows(gateway, "home_load_power_watts", 128);
      page.eventuallyShows(ocean2, "home_load_power_watts", 129);
      page.eventuallyShows(ocean2SinglePhase, "home_load_power_watts", 129);
      page.eventuallyShows(ocean2, "inverter_phase_power_watts", -500, "phase=a");
      // The sign of a single-phase OCEAN 2 is reversed.
      page.eventuallyShows(ocean2SinglePhase, "inverter_phase_power_watts", 500, "phase=a");
      page.eventuallyShows(powerPulse, "port_output_power_watts", 130, "port=ev");

      assertEquals("DELTA 2 Black", product(page, delta2Black));
      assertEquals("RAPID Pro X", product(page, rapidProX));
      assertEquals("DELTA 3 Classic", product(page, delta3Classic));
    }
  }

  private static String product(Page page, SimulatedDevice device) {
    return page.series("online", "device=" + device.serial()).get(0).labels().get("product_name");
  }
}
