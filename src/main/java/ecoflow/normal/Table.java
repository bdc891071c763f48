package ecoflow.normal;

import static java.nio.charset.StandardCharsets.UTF_8;

import ecoflow.text.TableFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The meaning of raw keys: {@code metrics.csv}, {@code names.csv}, {@code families.csv} and {@code
 * parts.csv}.
 */
final class Table {

  /**
   * A metric name on the page.
   *
   * @param index the index in the sorted names
   * @param name without the exporter's prefix
   * @param unit the unit, such as watts; empty for none
   */
  record Name(int index, String name, boolean isCounter, String unit, String help) {}

  /**
   * A row whose key has variable parts.
   *
   * @param start the start of the key, before its first variable part
   */
  record KeyPattern(Row row, String start, Pattern regex) {}

  /** The active rows of a model family, in the order of the table. */
  static final class Family {

    private final String name;
    private final List<Row> rows;
    private final Map<String, List<Row>> byKey = new HashMap<>();
    private final List<KeyPattern> patterns;
    private final Map<Row, List<Presence.Condition>> conditions = new HashMap<>();

    /**
     * @param parts the parts of all model families
     */
    Family(String name, List<Row> rows, List<Part> parts) {
      this.name = name;
      this.rows = rows;
      rows.stream()
          .filter(row -> !row.isPattern())
          .forEach(row -> byKey.computeIfAbsent(row.key(), unused -> new ArrayList<>()).add(row));
      patterns =
          rows.stream()
              .filter(Row::isPattern)
              .map(row -> new KeyPattern(row, row.fixedStart(), row.pattern()))
              .toList();
      for (Row row : rows) {
        List<Presence.Condition> ofRow =
            parts.stream().filter(part -> part.contains(row)).map(Part::condition).toList();
        if (!ofRow.isEmpty()) {
          conditions.put(row, ofRow);
        }
      }
    }

    String name() {
      return name;
    }

    List<Row> rows() {
      return rows;
    }

    List<Row> exact(String key) {
      return byKey.getOrDefault(key, List.of());
    }

    List<KeyPattern> patterns() {
      return patterns;
    }

    /**
     * The conditions for the presence of the part to which a row belongs; empty if the part is
     * always present.
     */
    List<Presence.Condition> conditions(Row row) {
      return conditions.getOrDefault(row, List.of());
    }
  }

  private static final double DEFAULT_MAX_WATTS = 10_000;

  private final Map<String, Name> names = new TreeMap<>();

  /** The model families in use. The rows are read when the first device of a family is seen. */
  private final Map<String, Family> families = new HashMap<>();

  /** The user's rows. */
  private final List<Row> userRows = new ArrayList<>();

  private final List<Part> parts = new ArrayList<>();

  private final Map<String, String> familyOfPrefix = new HashMap<>();
  private final Map<String, String> familyOfProduct = new HashMap<>();
  private final Map<String, Double> maxWatts = new HashMap<>();
  private final Map<String, Duration> silenceOfPrefix = new HashMap<>();
  private final Map<String, Duration> silenceOfProduct = new HashMap<>();

  /**
   * Reads the packaged tables and the user's tables, whose lines take precedence.
   *
   * @param directory the directory with metrics.csv, families.csv and parts.csv, each of which can
   *     be missing
   * @param problems receives a message for each line that is skipped
   */
  static Table load(Optional<Path> directory, Consumer<String> problems) {
    Table table = new Table();
    lines("names.csv").map(line -> line.split(",", 5)).forEach(table::addName);
    lines("families.csv").map(line -> line.split(",", -1)).forEach(table::addFamily);
    lines("parts.csv").map(line -> Part.of(line.split(",", 5))).forEach(table.parts::add);
    directory.ifPresent(
        path -> {
          UserRows rows = new UserRows(table::name);
          new TableFile(path.resolve("families.csv"), "prefix,", problems)
              .read(UserRows::familyError, table::addFamily);
          new TableFile(path.resolve("metrics.csv"), "family,", problems)
              .read(rows::rowError, cells -> table.userRows.add(Row.of(cells)));
          new TableFile(path.resolve("parts.csv"), "families,", problems)
              .read(Part::error, cells -> table.parts.add(Part.of(cells)));
        });
    return table;
  }

  /** Identifies a line. A user's line replaces the packaged line with the same id. */
  private static String id(Row row) {
    return row.family() + " " + row.key();
  }

  /**
   * All names. For counters, this includes the names of their OpenMetrics families, which have no
   * suffix.
   */
  static Set<String> namesOfFamilies() {
    return lines("names.csv")
        .map(line -> line.split(",", 2)[0])
        .flatMap(name -> Stream.of(name, name.replaceFirst("_total$", "")))
        .collect(Collectors.toUnmodifiableSet());
  }

  private void addName(String[] cells) {
    boolean isCounter = cells[1].equals("counter");
    names.put(cells[0], new Name(names.size(), cells[0], isCounter, cells[2], cells[4]));
  }

  private void addFamily(String[] cells) {
    boolean hasSilence = cells.length > 4 && !cells[4].isEmpty();
    Duration silence = hasSilence ? Duration.ofSeconds(Long.parseLong(cells[4])) : null;
    if (!cells[0].isEmpty()) {
      add(cells[0], cells[2], familyOfPrefix, silence, silenceOfPrefix);
    }
    if (!cells[1].isEmpty()) {
      String product = cells[1].toLowerCase(Locale.ROOT);
      add(product, cells[2], familyOfProduct, silence, silenceOfProduct);
    }
    if (cells.length > 3 && !cells[3].isEmpty()) {
      maxWatts.put(cells[2], Double.parseDouble(cells[3]));
    }
  }

  /**
   * @param silence null to keep the value of a previous line
   */
  private static void add(
      String model,
      String family,
      Map<String, String> families,
      Duration silence,
      Map<String, Duration> silences) {
    families.put(model, family);
    if (silence != null) {
      silences.put(model, silence);
    }
  }

  /** The lines of a packaged table, without its header. */
  static Stream<String> lines(String file) {
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(Table.class.getResourceAsStream(file), UTF_8))) {
      return in.lines().skip(1).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Name name(String metric) {
    return names.get(metric);
  }

  /** All names, sorted. */
  List<Name> names() {
    return List.copyOf(names.values());
  }

  /** The model family with this name. It must have rows. */
  Family family(String name) {
    return activeFamily(name).orElseThrow();
  }

  private synchronized Optional<Family> activeFamily(String name) {
    return Optional.ofNullable(
        families.computeIfAbsent(
            name,
            unused -> {
              List<Row> on = rows(name).stream().filter(Row::isOn).toList();
              return on.isEmpty() ? null : new Family(name, on, parts);
            }));
  }

  /** Includes rows that are not active. */
  private List<Row> rows(String family) {
    List<Row> ofUser = userRows.stream().filter(row -> row.family().equals(family)).toList();
    Set<String> replaced = ofUser.stream().map(Table::id).collect(Collectors.toSet());
    return Stream.concat(
            packagedRows(family).filter(row -> !replaced.contains(id(row))), ofUser.stream())
        .toList();
  }

  private static Stream<Row> packagedRows(String family) {
    List<String> lines = lines("metrics.csv").toList();
    return IntStream.range(0, lines.size())
        .filter(i -> lines.get(i).startsWith(family + ","))
        .mapToObj(i -> packagedRow(i + 2, lines.get(i)));
  }

  /**
   * @param number the number of the line in the file
   * @throws IllegalStateException if the line is not valid
   */
  static Row packagedRow(int number, String line) {
    try {
      return Row.of(line.split(",", -1));
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException("metrics.csv:" + number + ": " + e.getMessage(), e);
    }
  }

  /**
   * The maximum power of the devices of a model family. A higher power is treated as an error and
   * not counted as energy.
   */
  double maxWatts(Family family) {
    return maxWatts.getOrDefault(family.name(), DEFAULT_MAX_WATTS);
  }

  /** Finds the family by the longest prefix of the serial number, otherwise by the product name. */
  Optional<Family> family(String serial, String product) {
    String prefix = prefix(serial);
    String family =
        prefix.isEmpty()
            ? familyOfProduct.get(product.toLowerCase(Locale.ROOT))
            : familyOfPrefix.get(prefix);
    return Optional.ofNullable(family).flatMap(this::activeFamily);
  }

  /**
   * The longest normal silence of a model, found in the same way as the family; zero for models
   * that send often.
   */
  Duration silence(String serial, String product) {
    String prefix = prefix(serial);
    return prefix.isEmpty()
        ? silenceOfProduct.getOrDefault(product.toLowerCase(Locale.ROOT), Duration.ZERO)
        : silenceOfPrefix.getOrDefault(prefix, Duration.ZERO);
  }

  /** The longest prefix of the serial number in the table; empty for none. */
  private String prefix(String serial) {
    int length = serial.length();
    while (length > 0 && !familyOfPrefix.containsKey(serial.substring(0, length))) {
      length--;
    }
    return serial.substring(0, length);
  }
}
