package ecoflow.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.device.Catalogue.Entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CatalogueTest {

  private static final Optional<Entry> PACKAGED_R331 =
      Optional.of(new Entry(null, "DELTA 2", "R331"));

  @TempDir Path directory;
  private final List<String> warnings = new ArrayList<>();

  private Catalogue load(String content) throws IOException {
    Path file = Files.writeString(directory.resolve("devices.json"), content);
    return Catalogue.load(file, true, warnings::add);
  }

  @Test
  void readsFile() throws IOException {
    Catalogue catalogue =
        load(
            """
            [{"generalKey": "delta", "name": "Mine", "sn": "R3"},
             {"name": "Other", "sn": "R331", "generalKey": null, "more": []}]
            """);
    assertEquals(List.of(), warnings);
    assertEquals(Optional.of(new Entry("delta", "Mine", "R3")), catalogue.find("R399"));
    assertEquals(Optional.of(new Entry("delta", "Mine", "R3")), catalogue.find("R3"));
    assertEquals(Optional.of(new Entry(null, "Other", "R331")), catalogue.find("R331ABC"));
    assertEquals(Optional.empty(), catalogue.find("R"));
    assertEquals(Optional.empty(), catalogue.find(""));
    assertEquals(Optional.empty(), catalogue.find("X331"));
  }

  @Test
  void emptyArrayIsAnEmptyCatalogue() throws IOException {
    assertEquals(Optional.empty(), load("[]").find("R331"));
    assertEquals(List.of(), warnings);
  }

  @Test
  void warnsAboutMissingFileOnlyIfConfigured() {
    Path file = directory.resolve("none.json");
    assertEquals(PACKAGED_R331, Catalogue.load(file, false, warnings::add).find("R331"));
    assertEquals(List.of(), warnings);
    assertEquals(PACKAGED_R331, Catalogue.load(file, true, warnings::add).find("R331"));
    assertWarning(file, "does not exist");
  }

  @Test
  void directoryIsReplacedByPackagedCatalogue() {
    assertEquals(PACKAGED_R331, Catalogue.load(directory, false, warnings::add).find("R331"));
    assertWarning(directory, "cannot be read: it is a directory");
  }

  @Test
  void invalidContentIsReplacedByPackagedCatalogue() throws IOException {
    for (String content :
        List.of("", "{}", "null", "\"text\"", "not\nJSON", "[", "[] more", "[".repeat(5_000))) {
      assertEquals(PACKAGED_R331, load(content).find("R331"), content);
      assertWarning(
          directory.resolve("devices.json"), content.equals("{}") ? "not a JSON array" : "");
      warnings.clear();
    }
  }

  @Test
  void badEntriesAreCountedAndGoodOnesKept() throws IOException {
    Catalogue catalogue =
        load(
            """
            [1, null, [], "x", {}, {"sn": "A"}, {"name": "A"}, {"sn": 1, "name": "A"},
             {"sn": "A", "name": " "}, {"sn": "", "name": "A"},
             {"sn": "A", "name": "A", "generalKey": 1},
             {"sn": "R331", "name": "Mine"}]
            """);
    assertEquals(Optional.of(new Entry(null, "Mine", "R331")), catalogue.find("R331"));
    assertEquals(Optional.empty(), catalogue.find("AC71"));
    assertEquals(1, warnings.size());
    assertTrue(warnings.get(0).contains("11 of 12"), warnings.get(0));
    assertTrue(warnings.get(0).contains("ECOFLOW_DEVICES_JSON"), warnings.get(0));
  }

  @Test
  void fileWithOnlyBadEntriesIsReplacedByPackagedCatalogue() throws IOException {
    assertEquals(PACKAGED_R331, load("[{\"sn\": \"R331\"}]").find("R331"));
    assertWarning(directory.resolve("devices.json"), "no entry");
  }

  @Test
  void packagedCatalogueIsWellFormed() throws IOException {
    Catalogue.load(Path.of("devices.json"), true, warnings::add);
    assertEquals(List.of(), warnings);

    List<String> prefixes = new ArrayList<>();
    for (JsonNode entry : new ObjectMapper().readTree(Path.of("devices.json").toFile())) {
      prefixes.add(entry.path("sn").asText());
    }
    assertEquals(prefixes.stream().sorted().distinct().toList(), prefixes);
    assertTrue(prefixes.size() > 100);
  }

  private void assertWarning(Path file, String problem) {
    assertEquals(1, warnings.size(), warnings::toString);
    String warning = warnings.get(0);
    for (String part :
        List.of("ECOFLOW_DEVICES_JSON", file.toString(), problem, "packaged catalogue is used")) {
      assertTrue(warning.contains(part), warning);
    }
    assertEquals(1, warning.lines().count(), warning);
  }
}
