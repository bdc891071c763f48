package ecoflow.normal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A line of {@code metrics.csv}: the meaning of a raw key of a model family.
 *
 * @param channel the source of the key: json, protobuf, rest, or * for all; not evaluated, because
 *     a key has the same meaning in all sources
 * @param key the raw key; {@code [N]} represents an index in a list, {@code .N.} a number between
 *     dots, <code>{SN}</code> a serial number, {@code chN} the number of a circuit, {@code bpX} a
 *     name such as bp2000
 * @param labels the labels; their values can contain placeholders for parts of the key
 * @param factor the value of the metric is the raw value times this factor
 */
record Row(
    String family,
    String channel,
    String key,
    String metric,
    Map<String, String> labels,
    Map<Rule, Rule.Argument> rules,
    double factor,
    boolean isOn) {

  private static final int MAX_DIGITS = 9;
  private static final int LETTERS = 26;
  private static final Pattern VARIABLE =
      Pattern.compile("\\[N\\]|(?<=\\.)N(?=\\.)|\\{SN\\}|chN(?![a-z])|bpX");
  private static final Pattern LIST = Pattern.compile("\\[\"\\{SN\\}\"\\]");

  /** The variable parts of a raw key. */
  record Parts(List<Integer> numbers, String serial) {

    /** Replaces the variables in another key of the tables with these parts. */
    String fill(String template) {
      Matcher variable = VARIABLE.matcher(template);
      if (!variable.find()) {
        return template;
      }
      int number = 0;
      StringBuilder filled = new StringBuilder();
      do {
        String text = variable.group();
        if (!text.equals("{SN}") && number < numbers.size()) {
          text = text.replaceFirst("[NX]", Integer.toString(numbers.get(number++)));
        } else if (text.equals("{SN}") && serial != null) {
          text = serial;
        }
        variable.appendReplacement(filled, Matcher.quoteReplacement(text));
      } while (variable.find());
      return variable.appendTail(filled).toString();
    }
  }

  /**
   * @param cells the cells of a line
   * @throws IllegalArgumentException if the rules are not valid
   */
  static Row of(String[] cells) {
    Map<String, String> labels = new TreeMap<>();
    for (String label : entries(cells[4])) {
      int equals = label.indexOf('=');
      labels.put(label.substring(0, equals), label.substring(equals + 1));
    }
    return new Row(
        cells[0],
        cells[1],
        cells[2],
        cells[3],
        labels,
        Rule.parse(cells[5]),
        Double.parseDouble(cells[6]),
        cells[8].equals("yes"));
  }

  private static List<String> entries(String cell) {
    return cell.isEmpty() ? List.of() : List.of(cell.split(";"));
  }

  boolean isPattern() {
    return VARIABLE.matcher(key).find();
  }

  /** The part of the key before its first variable part. */
  String fixedStart() {
    Matcher variable = VARIABLE.matcher(LIST.matcher(key).replaceAll("{SN}"));
    return variable.find() ? key.substring(0, variable.start()) : key;
  }

  boolean has(Rule rule) {
    return rules.containsKey(rule);
  }

  /** Null if the row does not have the rule. */
  Rule.Argument argument(Rule rule) {
    return rules.get(rule);
  }

  /** The rule of a group that allows only one; null if the row has none. */
  Rule rule(Rule.Group group) {
    for (Rule rule : rules.keySet()) {
      if (rule.group() == group) {
        return rule;
      }
    }
    return null;
  }

  /** Whether the value is a counter of the device. */
  boolean isNative() {
    return rule(Rule.Group.COUNTER) != null;
  }

  /** The part of the key before the serial number. Keys with the same start share a ranking. */
  String start() {
    return key.substring(0, Math.max(0, key.indexOf("{SN}")));
  }

  Pattern pattern() {
    StringBuilder regex = new StringBuilder();
    Matcher variable = VARIABLE.matcher(LIST.matcher(key).replaceAll("{SN}"));
    int end = 0;
    String text = LIST.matcher(key).replaceAll("{SN}");
    while (variable.find()) {
      regex.append(Pattern.quote(text.substring(end, variable.start())));
      regex.append(
          switch (variable.group()) {
            case "[N]" -> "\\[([0-9]+)\\]";
            case "N" -> "([0-9]+)";
            case "chN" -> "ch([0-9]+)";
            case "bpX" -> "bp([0-9]+)";
            default -> "(?:\\[\"(?<list>[^\"]+)\"\\]|(?<serial>[^.\\[\\]]+))";
          });
      end = variable.end();
    }
    return Pattern.compile(regex.append(Pattern.quote(text.substring(end))).toString());
  }

  /**
   * @param match a match of {@link #pattern}
   */
  Parts parts(Matcher match) {
    String serial = null;
    int start = -1;
    if (key.contains("{SN}")) {
      String group = match.group("list") == null ? "serial" : "list";
      serial = match.group(group);
      start = match.start(group);
    }
    List<Integer> numbers = new ArrayList<>();
    for (int group = 1; group <= match.groupCount(); group++) {
      if (match.group(group) != null
          && match.start(group) != start
          && match.group(group).length() <= MAX_DIGITS) {
        numbers.add(Integer.parseInt(match.group(group)));
      }
    }
    return new Parts(numbers, serial);
  }

  /**
   * The labels of the series of a key. {@code rank} is the rank of its serial number, starting at
   * 1.
   */
  Map<String, String> labels(Parts parts, int rank) {
    Map<String, String> resolved = new LinkedHashMap<>();
    // The key of an hour has two indexes. The last one is the hour, which is not a label, because
    // all hours are added.
    int last = has(Rule.SUM_HOURS) ? 0 : parts.numbers().size() - 1;
    int number = parts.numbers().isEmpty() ? -1 : parts.numbers().get(last);
    labels.forEach(
        (name, template) -> {
          String value = template.replace("rank({SN})", Integer.toString(rank));
          if (number >= 0) {
            value = value.replace("letter(N)", letter(number));
            value = value.replace("N+1", Integer.toString(number + 1));
            value = value.replace("N", Integer.toString(number));
          }
          resolved.put(name, name.equals("pack") && value.equals("0") ? "main" : value);
        });
    return resolved;
  }

  /** Item 1 is phase a. Other characters than letters would not be valid in a label. */
  private static String letter(int number) {
    return number >= 1 && number <= LETTERS
        ? "" + (char) ('a' + number - 1)
        : Integer.toString(number);
  }
}
