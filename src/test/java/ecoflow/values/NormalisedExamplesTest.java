package ecoflow.values;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.decode.TestFrames;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The series of the devices in src/test/resources/examples, one file per model. */
class NormalisedExamplesTest {

  private static final Path EXAMPLES = Path.of("src/test/resources/examples");

  /**
   * A file of paragraphs: {@code device:} with a serial number, the messages in their order as
   * {@code push:} with JSON, {@code frame:} with the name of a recorded frame, or {@code message:}
   * with a message as in {@link MessageNotation}, and {@code series:} with lines as in {@link
   * SeriesLines}.
   */
  private record Example(
      String name, SimulatedDevice device, List<byte[]> messages, String series) {

    static Example read(Path file) {
      SimulatedDevice device = null;
      List<byte[]> messages = new ArrayList<>();
      String series = "";
      for (String paragraph : text(file).split("\n{2,}")) {
        String[] parts = paragraph.split(":\\s+", 2);
        switch (parts[0]) {
          case "device" -> device = new SimulatedDevice(parts[1], null, null, WireFormat.JSON);
          case "push" ->
              messages.add("{\"params\": %s}".formatted(parts[1]).getBytes(StandardCharsets.UTF_8));
          case "frame" -> messages.add(TestFrames.recorded(parts[1]));
          case "message" -> messages.add(MessageNotation.frame(parts[1]));
          case "series" -> series = parts[1];
          default -> throw new IllegalArgumentException(file + ": " + paragraph);
        }
      }
      return new Example(file.getFileName().toString(), device, messages, series);
    }

    /** The text without comment lines. */
    private static String text(Path file) {
      try {
        return Files.readAllLines(file).stream()
            .filter(line -> !line.startsWith("#"))
            .collect(Collectors.joining("\n"))
            .strip();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static final List<Example> ALL = examples();

  private static final SimulatedDevice UNKNOWN =
      new SimulatedDevice("XX99TEST00000001", null, null, WireFormat.JSON);

  @RegisterExtension
  static final ExporterExtension exporter =
      ExporterExtension.mqtt(
              "ECOFLOW_METRICS=both",
              // Each value is sent only once.
              "MQTT_TIMEOUT=3600",
              "ECOFLOW_DEVICE_SN="
                  + devices().map(SimulatedDevice::serial).collect(Collectors.joining(",")))
          .with(devices().toArray(SimulatedDevice[]::new))
          .startedAtOnce();

  private static final Page page = exporter.page();

  private static List<Example> examples() {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      return files.sorted().map(Example::read).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Stream<SimulatedDevice> devices() {
    return Stream.concat(ALL.stream().map(Example::device), Stream.of(UNKNOWN));
  }

  @BeforeAll
  static void publish() {
    page.eventuallyConnected(1);
    ALL.forEach(example -> example.messages().forEach(example.device()::publish));
    UNKNOWN.push("{\"pd.soc\": 50, \"inv.outputWatts\": 3}");
    // Messages are processed in order.
    exporter.settle(UNKNOWN);
  }

  @ParameterizedTest(name = "{0}")
  @FieldSource("ALL")
  void thePageShowsTheSeries(Example example) {
    SeriesLines.assertShows(page, example.device(), example.series());
  }

  @Test
  void anUnknownModelHasOnlyRawSeries() {
    assertEquals(List.of("inv_output_watts", "pd_soc", "test_marker"), page.namesOf(UNKNOWN));
  }
}
