package ecoflow.values;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import ecoflow.testkit.Series;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

  private static final Path DIRECTORY = Path.of("src/test/resources/quotas");
  private static final Set<String> OF_ALL =
      Set.of("device", "device_name", "product_name", "device_general_key");

  private static final List<SimulatedDevice> DEVICES =
      List.of(
          device("R351TESTREAL0001", "delta2max"),
          device("Y711TESTREAL0001", "delta-pro-ultra"),
          device("HW51TESTREAL0001", "powerstream"),
          device("BK31TESTREAL0001", "stream-ac-pro"),
          device("HJ31TESTREAL0001", "powerocean"));

  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.rest("ECOFLOW_METRICS=normalised", "COLLECTING_INTERVAL=3600")
          .with(DEVICES.toArray(SimulatedDevice[]::new))
          .startedAtOnce();

  private static final Page page = exporter.page();

  private static SimulatedDevice device(String serial, String name) {
    return new SimulatedDevice(serial, name, "", WireFormat.JSON).set(text(name + ".json"));
  }

  private static String text(String file) {
    try {
      return Files.readString(DIRECTORY.resolve(file));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
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
    assertEquals(text(name + ".txt"), found);
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
