package ecoflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What docs/CONTRIBUTING.md says of the rooms: their sizes, doors, and who may import whom. */
class HouseTest {

  private static final Path JAVA = Path.of("src/main/java/ecoflow");
  private static final Path ROUTES = Path.of("src/main/resources/routes");
  private static final Pattern IMPORT =
      Pattern.compile("^import (?:static )?ecoflow\\.([a-z]+)\\.(?!proto)", Pattern.MULTILINE);
  private static final Pattern PUBLIC_CLASS =
      Pattern.compile("^public (?:final |abstract )?(?:class|interface|enum) (\\w+)(.*)");
  private static final int MAX_ROOM_PERCENT = 20;

  /** A line of the table: room, door, what for, and the rooms whose doors it may go through. */
  private static final Pattern ROOM =
      Pattern.compile("\\| `(\\w+)` \\| [^|]+ \\| [^|]+ \\| ([^|]+) \\|");

  /** The files that a reader opens to understand a way through the exporter, and their bound. */
  private record Way(String name, int bound, List<String> files) {}

  private static final List<Way> WAYS =
      List.of(
          new Way(
              "a JSON push",
              12,
              List.of(
                  "account-messages",
                  "mqtt/MqttLink",
                  "payload",
                  "payload/Payloads",
                  "payload/PayloadKind",
                  "payload/JsonMessage",
                  "quotas",
                  "quota/Quotas",
                  "quota/QuotaStore",
                  "quota/SeriesName",
                  "device/Devices",
                  "device/Device")),
          new Way(
              "an XOR push",
              20,
              List.of(
                  "account-messages",
                  "mqtt/MqttLink",
                  "payload",
                  "payload/Payloads",
                  "payload/PayloadKind",
                  "decode/Frames",
                  "decode/MessageType",
                  "decode/MessageDecoder",
                  "decode/MessageTable",
                  "decode/DeviceCondition",
                  "decode/ProtoFiles",
                  "decode/FieldValues",
                  "decode/ListItems",
                  "decode/Decoded",
                  "quotas",
                  "quota/Quotas",
                  "quota/QuotaStore",
                  "quota/SeriesName",
                  "device/Devices",
                  "device/Device")),
          new Way(
              "a REST poll",
              16,
              List.of(
                  "rest-device-list",
                  "rest-device-values",
                  "cloud-call",
                  "http-redelivery",
                  "rest/RestPolls",
                  "rest/Signature",
                  "api/CloudCall",
                  "api/Answers",
                  "api/ApiHost",
                  "api/Redelivery",
                  "api/Cooldown",
                  "quotas",
                  "quota/Quotas",
                  "quota/QuotaStore",
                  "quota/SeriesName",
                  "device/Devices")),
          new Way(
              "a scrape",
              11,
              List.of(
                  "metrics-page",
                  "page/MetricsPage",
                  "page/Exposition",
                  "normal/Normalised",
                  "normal/Plan",
                  "normal/Counters",
                  "meters/Meters",
                  "quota/Quotas",
                  "quota/QuotaStore",
                  "device/Devices",
                  "device/Labels")));

  /** Beans of the libraries, or with nothing to understand on the way. */
  private static final Set<String> BY_THE_WAY =
      Set.of("boundedJson", "metricsRegistry", "normalised", "sinks");

  @Test
  void eachRoomImportsOnlyWhatItMay() {
    SortedMap<String, SortedSet<String>> allowed = new TreeMap<>();
    Matcher table = ROOM.matcher(text(Path.of("docs/CONTRIBUTING.md")));
    while (table.find()) {
      String others = table.group(2).equals("-") ? "" : table.group(2);
      allowed.put(
          table.group(1),
          Stream.of(others.split(", "))
              .filter(other -> !other.isEmpty())
              .collect(Collectors.toCollection(TreeSet::new)));
    }
    SortedMap<String, SortedSet<String>> found = new TreeMap<>();
    for (String room : rooms()) {
      SortedSet<String> others = new TreeSet<>();
      for (Path file : javaFiles(JAVA.resolve(room))) {
        Matcher imports = IMPORT.matcher(text(file));
        imports.results().forEach(i -> others.add(i.group(1)));
      }
      others.remove(room);
      found.put(room, others);
    }
    // What is allowed but not used is no rule any more.
    assertEquals(allowed, found);
  }

  @Test
  void eachRoomHasOneDoor() {
    for (String room : rooms()) {
      List<String> doors =
          javaFiles(JAVA.resolve(room)).stream()
              .flatMap(file -> text(file).lines())
              .map(PUBLIC_CLASS::matcher)
              .filter(Matcher::matches)
              .filter(type -> !type.group(2).contains("Exception"))
              .map(type -> type.group(1))
              .toList();
      // Records alone are a door too: settings are read, not asked.
      assertEquals(room.equals("config") ? 0 : 1, doors.size(), room + " " + doors);
      assertTrue(Files.exists(JAVA.resolve(room).resolve("package-info.java")), room);
    }
  }

  @Test
  void noRoomIsTooLarge() {
    long all = lines(JAVA);
    for (String room : rooms()) {
      long percent = lines(JAVA.resolve(room)) * 100 / all;
      assertTrue(percent <= MAX_ROOM_PERCENT, room + " has " + percent + " % of the lines");
    }
  }

  @Test
  void eachWayIsUnderstoodAfterFewFiles() {
    for (Way way : WAYS) {
      assertTrue(way.files().size() <= way.bound(), way.name());
      for (String file : way.files()) {
        Path path =
            file.contains("/")
                ? JAVA.resolve(file + ".java")
                : ROUTES.resolve(file + ".camel.yaml");
        assertTrue(Files.exists(path), way.name() + ": " + path);
        if (!file.contains("/")) {
          RouteFile.read(path)
              .beans()
              .filter(bean -> !BY_THE_WAY.contains(bean))
              .forEach(bean -> assertTrue(knows(way, bean), way.name() + " lacks " + bean));
        }
      }
    }
  }

  private static boolean knows(Way way, String bean) {
    // noteFailure is a method that an error handler must be given as a bean.
    String type = bean.equals("noteFailure") ? "redelivery" : bean;
    return way.files().stream()
        .anyMatch(file -> file.toLowerCase().endsWith("/" + type.toLowerCase()));
  }

  private static List<String> rooms() {
    try (Stream<Path> entries = Files.list(JAVA)) {
      return entries
          .filter(Files::isDirectory)
          .map(path -> path.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Path> javaFiles(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(".java")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long lines(Path folder) {
    return javaFiles(folder).stream()
        .collect(Collectors.summingLong(file -> text(file).lines().count()));
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
