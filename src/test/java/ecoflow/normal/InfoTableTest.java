package ecoflow.normal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table info.csv, and its copy in docs/METRICS.md. */
class InfoTableTest {

  private static final Pattern WORD = Pattern.compile("[a-z0-9_]+");
  private static final Pattern DOCUMENTED =
      Pattern.compile("(?m)^\\| `([a-z_]+(?:N)?)` \\| (`[a-z0-9_`, ]+) \\|$");

  private static List<String[]> lines() {
    return Table.lines("info.csv").map(line -> line.split(",", 6)).toList();
  }

  @Test
  void linesAreValid() {
    Set<String> keys = new HashSet<>();
    Set<String> families =
        Table.lines("families.csv").map(line -> line.split(",", -1)[2]).collect(Collectors.toSet());
    families.add("*");
    for (String[] cells : lines()) {
      String line = String.join(",", cells);
      assertEquals(6, cells.length, line);
      assertTrue(families.containsAll(List.of(cells[0].split(" "))), line);
      assertTrue(keys.add(cells[1] + cells[4]), line);
      assertTrue(Set.of("device", "circuit", "state").contains(cells[2]), line);
      assertFalse(cells[5].isBlank(), line);
      switch (cells[2]) {
        case "device" -> assertTrue(Set.of("firmware", "hardware").contains(cells[3]), line);
        case "circuit" -> assertTrue(Set.of("N", "N+1").contains(cells[3]), line);
        default -> assertTrue(cells[3].replace("rank({SN})", "").matches("[a-z_]+"), line);
      }
      assertEquals(
          cells[2].equals("state"), !Set.of("text", "bytes", "version").contains(cells[4]), line);
    }
  }

  @Test
  void statesAreWordsThatDiffer() {
    for (InfoRow row : Info.rows()) {
      Map<Double, String> states = row.states();
      assertEquals(states.size(), Set.copyOf(states.values()).size(), row::toString);
      assertTrue(states.size() <= 10, row::toString);
      states.values().forEach(word -> assertTrue(WORD.matcher(word).matches(), word));
      assertTrue(states.values().containsAll(row.names().values()), row::toString);
    }
  }

  /** Texts with other keys can be personal data. */
  @Test
  void onlyVersionsNamesOfCircuitsAndStatesAreTexts() {
    for (String key :
        List.of(
            "module_wifi_ssid",
            "bms_heartbeat[0].bms_sn",
            "bms_heartbeat[0].pack_sn",
            "load_ch1_sta.sn",
            "utc_timezone_id",
            "wifi_mac",
            "ip",
            "email",
            "ch_name",
            "pd.sysVer")) {
      assertFalse(Info.isText(key), key);
    }
    for (String key :
        List.of(
            "bms_heartbeat[0].hw_ver",
            "load_ch40_sta.ch_name",
            "loadChInfo.info[9].chName",
            "load_incre_info.hall1_incre_info.ch12_info.ch_name",
            "gridConnectionSta")) {
      assertTrue(Info.isText(key), key);
    }
  }

  @Test
  void statesAreDocumented() throws IOException {
    String page = Files.readString(Path.of("docs/METRICS.md"), UTF_8);
    page = page.substring(page.indexOf("\n## Information series\n"));
    page = page.substring(0, page.indexOf("\n## ", 1));
    Map<String, String> documented = new TreeMap<>();
    DOCUMENTED
        .matcher(page)
        .results()
        .forEach((MatchResult row) -> documented.put(row.group(1), row.group(2)));
    Map<String, String> expected = new TreeMap<>();
    for (InfoRow row : Info.rows()) {
      if (!row.states().isEmpty()) {
        String what = row.row().labels().get("what").replace("rank({SN})", "N");
        String words =
            row.states().values().stream()
                .map(word -> "`" + word + "`")
                .collect(Collectors.joining(", "));
        String before = expected.put(what, words);
        if (before != null && !before.equals(words)) {
          fail(what + " has different words in two rows");
        }
      }
    }
    assertEquals(expected, documented);
  }
}
