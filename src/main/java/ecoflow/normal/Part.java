package ecoflow.normal;

import ecoflow.text.TableFile;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A line of {@code parts.csv}: a part of the devices of some model families, and the condition for
 * its presence.
 *
 * @param families names of model families
 * @param name of the part, for people
 * @param rows selects rows of these model families: {@code pack=1} those with this label, {@code
 *     metric=battery_*} those of these metrics, and other words those with this raw key, in which
 *     {@code *} matches any characters
 */
record Part(List<String> families, String name, List<Selector> rows, Presence.Condition condition) {

  /** One entry of the column rows. */
  record Selector(String label, Pattern value) {

    private static final String METRIC = "metric";

    static Selector parse(String word) {
      int equals = word.indexOf('=');
      String label = equals < 0 ? "" : word.substring(0, equals);
      return new Selector(label, glob(word.substring(equals + 1)));
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
   * @param cells families; part; rows; present; evidence, which can contain commas
   */
  static Part of(String[] cells) {
    return new Part(
        words(cells[0]),
        cells[1],
        words(cells[2]).stream().map(Selector::parse).toList(),
        Presence.Condition.parse(cells[3]));
  }

  /** The error of a line in a user's table; null for none. */
  static String flaw(String[] cells) {
    if (cells.length < 4) {
      return TableFile.countError(cells, "4 or 5");
    }
    if (words(cells[0]).isEmpty() || words(cells[2]).isEmpty()) {
      return "families and rows are needed";
    }
    try {
      Presence.Condition.parse(cells[3]);
      return null;
    } catch (IllegalArgumentException e) {
      return "condition " + cells[3] + ": comparisons such as ems.bms1Online!=0 are allowed";
    }
  }

  boolean isOf(Row row) {
    return families.contains(row.family()) && rows.stream().anyMatch(one -> one.selects(row));
  }

  private static List<String> words(String cell) {
    return Stream.of(cell.strip().split(" +")).filter(word -> !word.isEmpty()).toList();
  }
}
