package ecoflow.normal;

import ecoflow.text.TableFile;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A line of {@code parts.csv}: a part of the devices of some model families, and the condition for
 * its presence.
 *
 * @param families the names of the model families
 * @param name the name of the part, for readers of the table
 * @param rows selects rows of these model families: {@code pack=1} rows with this label, {@code
 *     metric=battery_*} rows of these metrics, and any other entry rows with this raw key; {@code
 *     *} matches any characters
 */
record Part(List<String> families, String name, List<Selector> rows, Presence.Condition condition) {

  /** One entry of the column rows. */
  record Selector(String label, Pattern value) {

    private static final String METRIC = "metric";

    static Selector parse(String entry) {
      int equals = entry.indexOf('=');
      String label = equals < 0 ? "" : entry.substring(0, equals);
      return new Selector(label, glob(entry.substring(equals + 1)));
    }

    private static Pattern glob(String text) {
      return Pattern.compile("\\Q" + text.replace("*", "\\E.*\\Q") + "\\E");
    }

    boolean selects(Row row) {
      String text =
          label.isEmpty()
              ? row.key()
              : label.equals(METRIC) ? row.metric() : row.labels().getOrDefault(label, "");
      return value.matcher(text).matches();
    }
  }

  /**
   * @param cells families, part, rows, present, evidence; the evidence can contain commas
   */
  static Part of(String[] cells) {
    return new Part(
        entries(cells[0]),
        cells[1],
        entries(cells[2]).stream().map(Selector::parse).toList(),
        Presence.Condition.parse(cells[3]));
  }

  /** The error in a line of a user's table; null for none. */
  static String error(String[] cells) {
    if (cells.length < 4) {
      return TableFile.countError(cells, "4 or 5");
    }
    if (entries(cells[0]).isEmpty() || entries(cells[2]).isEmpty()) {
      return "expected families and rows";
    }
    try {
      Presence.Condition.parse(cells[3]);
      return null;
    } catch (IllegalArgumentException e) {
      return "condition " + cells[3] + ": expected comparisons such as ems.bms1Online!=0";
    }
  }

  boolean contains(Row row) {
    return families.contains(row.family()) && rows.stream().anyMatch(one -> one.selects(row));
  }

  private static List<String> entries(String cell) {
    return Stream.of(cell.strip().split(" +")).filter(entry -> !entry.isEmpty()).toList();
  }
}
