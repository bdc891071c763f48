package ecoflow.normal;

import ecoflow.text.TableFile;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Validates lines of user tables. */
final class UserRows {

  private static final Set<String> LABELS =
      Set.of(
          "circuit",
          "component",
          "kind",
          "origin",
          "pack",
          "phase",
          "port",
          "sensor",
          "source",
          "zone");
  private static final Pattern VALUE =
      Pattern.compile(
          "[a-z0-9_]+|([a-z0-9_]+_)?N([+]1)?|letter\\(N\\)|([a-z0-9_]+_)?rank\\(\\{SN\\}\\)");

  /** One day, in seconds. */
  private static final int MAX_SILENCE = 86_400;

  private static final Pattern WORD = Pattern.compile("[A-Za-z0-9_.-]+");

  private final Function<String, Table.Name> names;

  /**
   * @param names returns the name of a metric, or null for an unknown metric
   */
  UserRows(Function<String, Table.Name> names) {
    this.names = names;
  }

  static String familyError(String[] cells) {
    if (cells.length < 3 || cells.length > 5) {
      return TableFile.countError(cells, "3 to 5");
    }
    if (cells.length > 4 && !isSilence(cells[4])) {
      return "longest silence "
          + cells[4]
          + ": expected whole seconds up to "
          + MAX_SILENCE
          + ", or no value for a device that sends often";
    }
    if (cells.length > 3 && !cells[3].matches("[0-9]{0,7}")) {
      return "highest power " + cells[3] + ": expected watts, or no value for 10000";
    }
    boolean hasModel = !cells[0].isEmpty() || !cells[1].isEmpty();
    return hasModel && WORD.matcher(cells[2]).matches()
        ? null
        : "expected a prefix of serial numbers or a product, and a family";
  }

  private static boolean isSilence(String cell) {
    return cell.matches("[0-9]{0,5}") && (cell.isEmpty() || Integer.parseInt(cell) <= MAX_SILENCE);
  }

  String rowError(String[] cells) {
    if (cells.length != 9) {
      return TableFile.countError(cells, "9");
    }
    if (names.apply(cells[3]) == null) {
      return "unknown metric " + cells[3] + "; docs/METRICS.md lists all metrics";
    }
    for (String label : entries(cells[4])) {
      String[] pair = label.split("=", 2);
      if (pair.length < 2 || !LABELS.contains(pair[0]) || !VALUE.matcher(pair[1]).matches()) {
        return "label "
            + label
            + ": expected name=value, with a name of "
            + LABELS.stream().sorted().toList();
      }
    }
    try {
      Rule.parse(cells[5]);
    } catch (IllegalArgumentException e) {
      return e.getMessage();
    }
    if (!cells[6].matches("-?[0-9]+([.][0-9]+)?") || Double.parseDouble(cells[6]) == 0) {
      return "factor " + cells[6] + ": expected a number other than 0";
    }
    return WORD.matcher(cells[0]).matches() && !cells[2].isBlank()
        ? null
        : "expected a family and a raw key";
  }

  private static List<String> entries(String cell) {
    return cell.isEmpty() ? List.of() : List.of(cell.split(";"));
  }
}
