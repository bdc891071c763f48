package ecoflow.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.device.Labels.Overrides;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabelsTest {

  private static final Overrides NONE = new Overrides(null, null, null);
  private static final String DELTA = "R331ZEB4ZEAL0528";

  @TempDir Path directory;
  private Catalogue catalogue;

  @BeforeEach
  void loadCatalogue() throws IOException {
    Path file = directory.resolve("devices.json");
    Files.writeString(
        file,
        """
        [{"sn": "R33", "name": "DELTA 2", "generalKey": "delta_2"},
         {"sn": "R339", "name": "DELTA 2 NEW"},
         {"sn": "Z1", "name": "DELTA Pro"}]
        """);
    catalogue = Catalogue.load(file, true, warning -> {});
  }

  @Test
  void overridesTakePrecedence() {
    assertEquals(
        new Labels(DELTA, "shed", "My Delta", "my_key"),
        Labels.resolve(
            DELTA, new Overrides("shed", "My Delta", "my_key"), "garage", "Delta II", catalogue));
    assertEquals(
        new Labels(DELTA, "garage", "Delta II", "delta_2"),
        Labels.resolve(DELTA, new Overrides("", " ", ""), "garage", "Delta II", catalogue));
  }

  @Test
  void apiTakesPrecedenceOverCatalogue() {
    assertEquals(
        new Labels(DELTA, "garage", "Delta II", "delta_2"),
        Labels.resolve(DELTA, NONE, "garage", "Delta II", catalogue));
  }

  @Test
  void catalogueFillsGapsInApiData() {
    Labels expected = new Labels(DELTA, "DELTA 2-0528", "DELTA 2", "delta_2");
    assertEquals(expected, Labels.resolve(DELTA, NONE, null, null, catalogue));
    assertEquals(expected, Labels.resolve(DELTA, NONE, " ", "", catalogue));
    assertEquals(expected, Labels.resolve(DELTA, NONE, DELTA, null, catalogue));
  }

  @Test
  void longestPrefixDecidesEvenWithoutGeneralKey() {
    assertEquals(
        new Labels("R3391", "DELTA 2 NEW-3391", "DELTA 2 NEW", "unknown"),
        Labels.resolve("R3391", NONE, null, null, catalogue));
  }

  @Test
  void shortSerialNumbersAreShownCompletely() {
    assertEquals(
        new Labels("Z1A", "DELTA Pro-Z1A", "DELTA Pro", "unknown"),
        Labels.resolve("Z1A", NONE, null, null, catalogue));
  }

  @Test
  void unknownDevicesAreNamedByTheirSerialNumber() {
    assertEquals(
        new Labels("XX99", "XX99", "Unknown", "unknown"),
        Labels.resolve("XX99", NONE, "XX99", null, catalogue));
  }

  /** For all sources: settings, the API and the catalogue. */
  @Test
  void namesAreCutAndHaveNoControlCharacters() throws IOException {
    String bad = "\u0085\n" + "n".repeat(300) + "\u202e";
    String good = "n".repeat(200);
    Files.writeString(
        directory.resolve("names.json"),
        "[{\"sn\": \"R33\", \"name\": \"m\\u0007%s\", \"generalKey\": \"k\\n%s\"}]"
            .formatted("n".repeat(300), "n".repeat(300)));
    Catalogue named = Catalogue.load(directory.resolve("names.json"), true, warning -> {});
    assertEquals(
        new Labels(DELTA, good, good, good),
        Labels.resolve(DELTA, new Overrides(bad, bad, bad), null, null, named));
    assertEquals(
        new Labels(DELTA, good, good, "k" + "n".repeat(199)),
        Labels.resolve(DELTA, NONE, bad, bad, named));
    assertEquals(
        new Labels(DELTA, "m" + "n".repeat(199), "m" + "n".repeat(199), "k" + "n".repeat(199)),
        Labels.resolve(DELTA, NONE, "\n\u2028", null, named));
  }
}
