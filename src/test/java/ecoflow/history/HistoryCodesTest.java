package ecoflow.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table of codes. */
class HistoryCodesTest {

  private static final Path TABLES = Path.of("src/main/resources/ecoflow");

  /** Energies without a counter of the same name. */
  private static final Set<String> OTHERS = Set.of("battery_charge_from_grid", "generator");

  private static List<String[]> rows(String table) throws IOException {
    return Files.readAllLines(TABLES.resolve(table)).stream()
        .skip(1)
        .map(line -> line.split(",", -1))
        .toList();
  }

  @Test
  void eachLineIsAnEnergyOfAKnownModelFamily() throws IOException {
    Set<String> families =
        rows("normal/families.csv").stream().map(row -> row[2]).collect(Collectors.toSet());
    Set<String> counters =
        rows("normal/names.csv").stream().map(row -> row[0]).collect(Collectors.toSet());
    Set<String> energies = new HashSet<>();
    for (String[] row : rows("history/codes.csv")) {
      assertEquals(4, row.length, () -> String.join(",", row));
      assertTrue(families.contains(row[0]), row[0]);
      assertTrue(row[1].matches("[A-Za-z0-9_-]+"), row[1]);
      assertTrue(
          OTHERS.contains(row[3]) || counters.contains(row[3] + "_energy_joules_total"), row[3]);
      assertTrue(energies.add(row[0] + " " + row[3]), () -> String.join(",", row) + " is repeated");
    }
  }

  @Test
  void modelsWithoutAHistoryHaveNoCodes() {
    assertEquals(4, HistoryCodes.packaged().of("stream").size());
    assertEquals(1, HistoryCodes.packaged().of("powerocean").size());
    assertEquals(5, HistoryCodes.packaged().of("smart_home_panel_2").size());
    for (String family : List.of("", "delta2", "delta_pro", "river2", "river3")) {
      assertEquals(List.of(), HistoryCodes.packaged().of(family), family);
    }
  }
}
