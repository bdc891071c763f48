package ecoflow.normal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * A raw key with a row in one channel has a row in the other channels of its family, or a reason in
 * gaps.csv.
 *
 * <p>quota/all and pushes to developers (channel rest) use the camel case names of the fields of
 * the app's protobuf messages; channels.csv has the prefix of each message in both channels. Rows
 * for the same field, metric and labels are twins.
 */
class ChannelsTest {

  private static final Table TABLE = PackagedTable.load();
  private static final List<Row> ROWS = PackagedTable.rows();
  private static final Set<String> FIELDS = fields();

  /** Rules that choose among keys. */
  private static final Set<Rule> CHOICES = Set.of(Rule.FALLBACK, Rule.FIRST, Rule.WHERE);

  /**
   * A line of channels.csv.
   *
   * @param protobuf start of the raw keys of a message in the app
   * @param rest start of the same keys with developer keys; - if the channel does not contain it
   */
  private record Message(String family, String protobuf, String rest) {}

  /**
   * The reason for a key with a row in only one channel; a * at the end of the key matches any
   * suffix.
   */
  private record Reason(String family, String channel, String key, String text) {

    boolean explains(Gap gap) {
      boolean matches =
          key.endsWith("*")
              ? gap.key().startsWith(key.substring(0, key.length() - 1))
              : gap.key().equals(key);
      return matches && family.equals(gap.family()) && channel.equals(gap.channel());
    }
  }

  /** A key whose twin in the other channel has no row; for recorded keys, the key without a row. */
  private record Gap(String family, String channel, String key) {}

  private static final List<Message> MESSAGES =
      lines("channels.csv", "family,protobuf,rest,evidence", 4)
          .map(cells -> new Message(cells[0], cells[1], cells[2]))
          .toList();
  private static final List<Reason> REASONS =
      lines("gaps.csv", "family,channel,key,reason", 4)
          .map(cells -> new Reason(cells[0], cells[1], cells[2], cells[3]))
          .toList();

  private static Stream<String[]> lines(String file, String head, int columns) {
    try (InputStream in = ChannelsTest.class.getResourceAsStream(file)) {
      List<String> lines = new String(in.readAllBytes(), UTF_8).lines().toList();
      assertEquals(head, lines.get(0));
      return lines.stream().skip(1).map(line -> line.split(",", columns));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Canonical names of all fields of the packaged messages. */
  private static Set<String> fields() {
    Pattern field = Pattern.compile("(?m)^ *(?:optional |repeated )[\\w.]+ (\\w+) = \\d+");
    Set<String> fields = new HashSet<>();
    try (Stream<Path> files = Files.list(Path.of("src/main/proto"))) {
      for (Path file : files.toList()) {
        field
            .matcher(Files.readString(file))
            .results()
            .forEach(found -> fields.add(canonical(found.group(1))));
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return fields;
  }

  private static boolean isIn(Row row, String channel) {
    return row.channel().equals(channel);
  }

  private static boolean hasProtobuf(String family) {
    return ROWS.stream().anyMatch(row -> row.family().equals(family) && isIn(row, "protobuf"));
  }

  private static Set<String> ofChannel(String channel) {
    return ROWS.stream()
        .filter(row -> isIn(row, channel))
        .map(row -> meaning(row, row.key()))
        .collect(Collectors.toSet());
  }

  /** The properties that a row and its twin share. */
  private static String meaning(Row row, String key) {
    Map<String, String> labels = new TreeMap<>(row.labels());
    // The app identifies packs by number, JSON by position.
    labels.remove("pack");
    return row.family() + " " + canonical(key) + " " + row.metric() + labels;
  }

  /** The same for snake_case and camelCase, without list indexes and serial numbers. */
  private static String canonical(String key) {
    return key.replaceAll("\\[[^\\]]*\\]|\\{SN\\}", "")
        .replaceAll("\\.+(?:(?:N|\\d+)\\.)?", ".")
        .replace("_", "")
        .toLowerCase(Locale.ROOT);
  }

  /** The app's keys of the field that has this key with developer keys. */
  private static List<String> inProtobuf(String family, String key) {
    return MESSAGES.stream()
        .filter(of -> of.family().equals(family) && key.startsWith(of.rest()))
        .map(of -> of.protobuf() + key.substring(of.rest().length()))
        .toList();
  }

  /**
   * The keys with developer keys of the field that has this key in the app; empty if the message is
   * not available to developers.
   */
  private static List<String> inRest(String family, String key) {
    int longest =
        MESSAGES.stream()
            .filter(of -> of.family().equals(family) && key.startsWith(of.protobuf()))
            .mapToInt(of -> of.protobuf().length())
            .max()
            .orElseThrow(() -> new AssertionError("channels.csv has no line for " + family));
    return MESSAGES.stream()
        .filter(of -> of.family().equals(family) && key.startsWith(of.protobuf()))
        .filter(of -> of.protobuf().length() == longest && !of.rest().equals("-"))
        .map(of -> of.rest() + key.substring(longest))
        .toList();
  }

  private static List<Gap> gaps() {
    Set<String> protobuf = ofChannel("protobuf");
    Set<String> rest = ofChannel("rest");
    List<Gap> gaps = new ArrayList<>();
    for (Row row : ROWS) {
      if (isIn(row, "protobuf")) {
        List<String> twins = inRest(row.family(), row.key());
        if (!twins.isEmpty() && twins.stream().noneMatch(key -> rest.contains(meaning(row, key)))) {
          gaps.add(new Gap(row.family(), "protobuf", row.key()));
        }
      } else if (isIn(row, "rest") || (isIn(row, "json") && hasProtobuf(row.family()))) {
        boolean isField = FIELDS.contains(canonical(row.key().replaceAll(".*\\.", "")));
        List<String> twins =
            isIn(row, "rest") ? inProtobuf(row.family(), row.key()) : List.of(row.key());
        if (isField && twins.stream().noneMatch(key -> protobuf.contains(meaning(row, key)))) {
          gaps.add(new Gap(row.family(), row.channel(), row.key()));
        }
      }
    }
    return gaps;
  }

  @Test
  void eachKeyHasRowInEachChannelOrReason() {
    List<Gap> gaps = gaps();
    assertEquals(
        List.of(),
        gaps.stream()
            .filter(gap -> REASONS.stream().noneMatch(reason -> reason.explains(gap)))
            .toList(),
        "rows without a twin and without a reason");
    assertEquals(
        List.of(),
        REASONS.stream().filter(reason -> gaps.stream().noneMatch(reason::explains)).toList(),
        "reasons without a gap");
  }

  @Test
  void linesOfMessagesAreUsed() {
    for (Message message : MESSAGES) {
      assertTrue(
          ROWS.stream()
              .anyMatch(
                  row ->
                      row.family().equals(message.family())
                          && isIn(row, "protobuf")
                          && row.key().startsWith(message.protobuf())),
          message::toString);
    }
  }

  /** A value means the same in each channel. */
  @Test
  void twinsHaveSameFactorAndRules() {
    Map<String, Set<String>> inRest = new HashMap<>();
    for (Row row : ROWS) {
      if (isIn(row, "rest")) {
        inRest.computeIfAbsent(meaning(row, row.key()), key -> new HashSet<>()).add(value(row));
      }
    }
    int twins = 0;
    for (Row row : ROWS) {
      if (isIn(row, "protobuf")) {
        for (String key : inRest(row.family(), row.key())) {
          Set<String> values = inRest.get(meaning(row, key));
          if (values != null) {
            twins++;
            assertEquals(Set.of(value(row)), values, row::toString);
          }
        }
      }
    }
    assertTrue(twins > 300, "twins: " + twins);
  }

  /** Factor and rules, without those that choose among keys. */
  private static String value(Row row) {
    return row.factor()
        + " "
        + row.isOn()
        + row.rules().entrySet().stream().filter(rule -> !CHOICES.contains(rule.getKey())).toList();
  }

  /** Keys that were recorded with developer keys, and whose twins have rows. */
  @Test
  void recordedKeysHaveRowsOfTheirTwins() throws IOException {
    Set<String> protobuf =
        ROWS.stream()
            .filter(row -> isIn(row, "protobuf"))
            .map(row -> row.family() + " " + canonical(row.key()))
            .collect(Collectors.toSet());
    Set<Gap> gaps = new HashSet<>();
    int keys = 0;
    for (Map.Entry<String, Set<String>> recorded : recorded().entrySet()) {
      String family = recorded.getKey();
      List<Pattern> rows =
          ROWS.stream()
              .filter(row -> row.family().equals(family) && PackagedTable.isSeenIn(row, "rest"))
              .map(Row::pattern)
              .toList();
      for (String key : recorded.getValue()) {
        keys++;
        boolean hasTwin =
            inProtobuf(family, key).stream()
                .anyMatch(twin -> protobuf.contains(family + " " + canonical(twin)));
        boolean hasRow = rows.stream().anyMatch(row -> row.matcher(key).matches());
        if (hasTwin && !hasRow) {
          gaps.add(new Gap(family, "rest", key));
        }
      }
    }
    assertTrue(keys > 300, "keys: " + keys);
    assertEquals(Set.of(), gaps);
  }

  /** Keys of quota/all and of pushes, by family. */
  private static Map<String, Set<String>> recorded() throws IOException {
    ObjectMapper json = new ObjectMapper();
    Path resources = Path.of("src/test/resources");
    Map<String, Set<String>> keys = new TreeMap<>();
    for (Map.Entry<String, String> map :
        Map.of(
                "delta-pro-ultra", "delta_pro_ultra",
                "delta2max", "delta2max",
                "powerocean", "powerocean",
                "powerstream", "powerstream",
                "stream-ac-pro", "stream")
            .entrySet()) {
      Path file = resources.resolve("quotas/" + map.getKey() + ".json");
      addKeys(
          json.readTree(file.toFile()), "", keys.computeIfAbsent(map.getValue(), k -> newSet()));
    }
    for (JsonNode push : json.readTree(resources.resolve("open-pushes.json").toFile())) {
      TABLE
          .family(push.path("serial").asText(), "")
          .ifPresent(
              family ->
                  addKeys(
                      push.path("quotas"), "", keys.computeIfAbsent(family.name(), k -> newSet())));
    }
    return keys;
  }

  private static Set<String> newSet() {
    return new TreeSet<>();
  }

  private static void addKeys(JsonNode value, String key, Set<String> keys) {
    if (value.isObject()) {
      value
          .properties()
          .forEach(
              field ->
                  addKeys(
                      field.getValue(),
                      key.isEmpty() ? field.getKey() : key + "." + field.getKey(),
                      keys));
    } else if (value.isArray()) {
      for (int i = 0; i < value.size(); i++) {
        addKeys(value.get(i), key + "[" + i + "]", keys);
      }
    } else if (value.isNumber()) {
      keys.add(key);
    }
  }
}
