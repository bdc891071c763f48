package ecoflow.values;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.Series;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Responses of EcoFlow's API for real devices, as published by their owners, and all resulting
 * normalised series. Each expected line was checked by hand: it balances (input and output, volts
 * times amperes, sums of packs), or another key confirms its unit.
 */
class RealQuotasTest {

  private static final Set<String> OF_ALL =
      Set.of("device", "device_name", "product_name", "device_general_key");

  private static final List<SimulatedDevice> DEVICES =
      QuotaMaps.names("quotas").stream().map(RealQuotasTest::device).toList();

  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.rest("ECOFLOW_METRICS=normalised", "COLLECTING_INTERVAL=3600")
          .with(DEVICES.toArray(SimulatedDevice[]::new))
          .startedAtOnce();

  private static final Page page = exporter.page();

  private static SimulatedDevice device(String name) {
    String file = "quotas/" + name + ".json";
    return new SimulatedDevice(
            QuotaMaps.SERIALS.get(file) + "TESTREAL0001", name, "", WireFormat.JSON)
        .set(QuotaMaps.text(file));
  }

  static Stream<String> names() {
    return DEVICES.stream().map(SimulatedDevice::name);
  }

  @BeforeAll
  static void valuesArePolled() {
    for (SimulatedDevice device : DEVICES) {
      eventually(() -> assertFalse(series(device).isEmpty(), device.name()));
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void thePageHasTheseSeries(String name) {
    SimulatedDevice device =
        DEVICES.stream().filter(of -> of.name().equals(name)).findFirst().orElseThrow();
    String found = series(device).stream().collect(Collectors.joining("\n", "", "\n"));
    assertEquals(QuotaMaps.text("quotas/" + name + ".txt"), found);
  }

  /** All series except energies that the exporter computes. */
  private static List<String> series(SimulatedDevice device) {
    List<String> lines = new ArrayList<>();
    for (String name : page.namesOf(device)) {
      for (Series series : page.series(name, "device=" + device.serial())) {
        TreeMap<String, String> labels = new TreeMap<>(series.labels());
        labels.keySet().removeAll(OF_ALL);
        if (!"computed".equals(labels.get("origin"))) {
          lines.add(name + (labels.isEmpty() ? "" : labels) + " " + series.value());
        }
      }
    }
    return lines.stream().sorted().toList();
  }
}
