package ecoflow.normal;

import ecoflow.text.TableFile;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Checks lines of the user's tables for errors. */
final class OwnRows {

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
      Pattern.compile("[a-z0-9_]+|([a-z0-9_]+_)?N([+]1)?|letter\\(N\\)|rank\\(\\{SN\\}\\)");

  /** One day, in seconds. */
  private static final int MAX_SILENCE = 86_400;

  private static final Pattern WORD = Pattern.compile("[A-Za-z0-9_.-]+");

  private final Function<String, Table.Name> names;

  /**
   * @param names returns the name on the page of a metric, or null
   */
  OwnRows(Function<String, Table.Name> names) {
    this.names = names;
  }

  static String familyFlaw(String[] cells) {
    if (cells.length < 3 || cells.length > 5) {
      return TableFile.countError(cells, "3 to 5");
    }
    if (cells.length > 4 && !isSilence(cells[4])) {
      return "longest silence "
          + cells[4]
          + ": it takes whole seconds up to "
          + MAX_SILENCE
          + ", or nothing for a device that sends often";
    }
    if (cells.length > 3 && !cells[3].matches("[0-9]{0,7}")) {
      return "highest power " + cells[3] + ": it takes watts, or nothing for 10000";
    }
    boolean says = !cells[0].isEmpty() || !cells[1].isEmpty();
    return says && WORD.matcher(cells[2]).matches()
        ? null
        : "it takes a prefix of serial numbers or a product, and a family";
  }

  private static boolean isSilence(String cell) {
    return cell.matches("[0-9]{0,5}") && (cell.isEmpty() || Integer.parseInt(cell) <= MAX_SILENCE);
  }

  String rowFlaw(String[] cells) {
    if (cells.length != 9) {
      return TableFile.countError(cells, "9");
    }
    if (names.apply(cells[3]) == null) {
      return "no metric " + cells[3] + "; docs/METRICS.md lists them";
    }
    for (String label : words(cells[4])) {
      String[] pair = label.split("=", 2);
      if (pair.length < 2 || !LABELS.contains(pair[0]) || !VALUE.matcher(pair[1]).matches()) {
        return "label " + label + ": it takes name=value, of " + LABELS.stream().sorted().toList();
      }
    }
    try {
      Rule.parse(cells[5]);
    } catch (IllegalArgumentException e) {
      return e.getMessage();
    }
    if (!cells[6].matches("-?[0-9]+([.][0-9]+)?") || Double.parseDouble(cells[6]) == 0) {
      return "factor " + cells[6] + ": it takes a number that is not 0";
    }
    return WORD.matcher(cells[0]).matches() && !cells[2].isBlank()
        ? null
        : "it takes a family and a raw key";
  }

  private static List<String> words(String cell) {
    return cell.isEmpty() ? List.of() : List.of(cell.split(";"));
  }
}
