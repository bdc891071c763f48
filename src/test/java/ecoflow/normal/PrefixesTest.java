package ecoflow.normal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The model family of each serial number. A model without its own line in families.csv gets the
 * family of a shorter prefix, and with it the meaning of other raw values.
 */
class PrefixesTest {

  /**
   * Prefixes whose family differs from that of a shorter prefix, which still applies to all serial
   * numbers without their own line. A new line belongs in this list if it is intended.
   */
  private static final Set<String> APART =
      Set.of(
          "BK21 of smart_meter within BK2 of stream",
          "BX12 of accessory within BX1 of glacier",
          "D202 of extra_battery within D2 of delta",
          "D361 of delta2-protocol within D3 of delta",
          "D365 of delta2-protocol within D3 of delta",
          "D3E1 of delta3 within D3 of delta",
          "D3M of delta3 within D3 of delta",
          "D3N of delta3 within D3 of delta",
          "D3U1 of delta3 within D3 of delta",
          "D3UP of delta3 within D3 of delta",
          "D511 of delta3 within D5 of delta",
          "MR52 of extra_battery within MR5 of delta_pro_3",
          "P231 of delta3 within P2 of river",
          "P32 of delta3 within P3 of extra_battery",
          "P341 of delta2max within P3 of extra_battery",
          "P351 of delta3 within P3 of extra_battery",
          "P51 of charger within P5 of extra_battery",
          "P521 of charger within P5 of extra_battery",
          "R701 of delta2 within R7 of river",
          "Y712 of extra_battery within Y71 of delta_pro_ultra");

  private static final Pattern SERIAL_CONDITION = Pattern.compile("sn:(\\w+)");

  private final Table table = PackagedTable.load();
  private final Map<String, String> families = families();

  /** Prefixes from public projects and recorded devices. */
  @Test
  void everyKnownPrefixHasItsFamily() throws IOException {
    Map<String, String> expected = new TreeMap<>();
    Files.readAllLines(Path.of("src/test/resources/models/prefixes.csv")).stream()
        .skip(1)
        .map(line -> line.split(","))
        .forEach(cells -> expected.put(cells[0], cells[1]));
    Map<String, String> found = new TreeMap<>();
    expected.keySet().forEach(prefix -> found.put(prefix, familyOf(prefix + "ZTEST0001")));

    assertEquals(expected, found);
    assertEquals(expected.keySet(), new TreeSet<>(families.keySet()));
  }

  /** The product name of a device and the meaning of its values depend on the same prefix. */
  @Test
  void everyModelOfCatalogueHasItsOwnLine() throws IOException {
    Set<String> models = new TreeSet<>();
    for (JsonNode model : new ObjectMapper().readTree(Path.of("devices.json").toFile())) {
      models.add(model.path("sn").asText());
    }

    assertEquals(models, new TreeSet<>(families.keySet()));
  }

  @Test
  void everyPrefixWithinAnotherFamilyIsIntended() {
    Set<String> apart = new TreeSet<>();
    families.forEach(
        (prefix, family) -> {
          String shorter = longest(prefix.substring(0, prefix.length() - 1));
          if (!shorter.isEmpty() && !families.get(shorter).equals(family)) {
            apart.add(
                prefix + " of " + family + " within " + shorter + " of " + families.get(shorter));
          }
        });

    assertEquals(new TreeSet<>(APART), apart);
  }

  /** Rows are found by the same prefixes: no family has rows that no device can use. */
  @Test
  void rowsMatchFamilies() {
    Set<String> withRows =
        PackagedTable.rows().stream()
            .filter(Row::isOn)
            .map(Row::family)
            .collect(Collectors.toSet());
    families.forEach(
        (prefix, family) ->
            assertEquals(
                withRows.contains(family) ? family : "",
                table.family(prefix + "ZTEST0001", "").map(Table.Family::name).orElse(""),
                prefix));
    Set<String> reached = new TreeSet<>(families.values());
    // A product in the device list without a known serial number.
    reached.add("river_mini");
    assertTrue(reached.containsAll(withRows), () -> withRows + " " + reached);
  }

  /**
   * A message must not be decoded with the layout of one family and its values interpreted with the
   * rows of another.
   */
  @Test
  void messagesOfOneFamilyHaveItsPrefixes() throws IOException {
    Map<String, Set<String>> byCondition = new TreeMap<>();
    for (String condition : conditions()) {
      Set<String> found = new TreeSet<>();
      families.forEach(
          (prefix, family) -> {
            if (prefix.startsWith(condition) || condition.startsWith(prefix)) {
              found.add(family);
            }
          });
      byCondition.put(condition, found);
    }

    assertEquals(
        new TreeMap<>(
            Map.ofEntries(
                Map.entry("AC31", Set.of("powerpulse")),
                Map.entry("AC71", Set.of("wave3")),
                Map.entry("C10", Set.of("powerpulse")),
                Map.entry("C37", Set.of("powerpulse")),
                Map.entry("ES2", Set.of("stream_5000")),
                Map.entry("HC31", Set.of("powerocean_fit")),
                Map.entry("HD3", Set.of("smart_home_panel_2")),
                Map.entry("HJ3", Set.of("powerocean")),
                Map.entry("HR51", Set.of("ocean_pro")),
                Map.entry("HR6", Set.of("ocean_panel", "smart_home_panel_3")),
                Map.entry("HW52", Set.of("smart_plug")),
                Map.entry("HZ31", Set.of("tracker")),
                Map.entry("J32", Set.of("powerocean")),
                Map.entry("R37", Set.of("powerocean_plus")),
                Map.entry("RE", Set.of("powerocean_gen2", "powerocean_gen2_single_phase")),
                Map.entry("RF4", Set.of("glacier_classic")),
                Map.entry("S02F", Set.of("tracker")),
                Map.entry("Y71", Set.of("delta_pro_ultra", "extra_battery")))),
        byCondition);
  }

  private static Set<String> conditions() throws IOException {
    String messages =
        Files.readString(Path.of("src/main/resources/ecoflow/decode/messages.csv"), UTF_8);
    Set<String> conditions = new LinkedHashSet<>();
    SERIAL_CONDITION.matcher(messages).results().forEach(sn -> conditions.add(sn.group(1)));
    return conditions;
  }

  private String familyOf(String serial) {
    return families.getOrDefault(longest(serial), "");
  }

  private String longest(String serial) {
    for (int length = serial.length(); length > 0; length--) {
      if (families.containsKey(serial.substring(0, length))) {
        return serial.substring(0, length);
      }
    }
    return "";
  }

  private static Map<String, String> families() {
    try {
      Map<String, String> families = new HashMap<>();
      Files.readAllLines(Path.of("src/main/resources/ecoflow/normal/families.csv")).stream()
          .skip(1)
          .map(line -> line.split(",", -1))
          .filter(cells -> !cells[0].isEmpty())
          .forEach(cells -> families.put(cells[0], cells[2]));
      return families;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
