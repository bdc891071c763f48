package ecoflow.normal;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Evaluates whether a part of a device is present: a condition of {@code parts.csv}, with the cells
 * of the raw keys that it reads.
 *
 * <p>A condition is a list of clauses, separated by {@code ;}, all of which must be true. A clause
 * is a list of comparisons, separated by {@code |}, at least one of which must be true: {@code
 * ems.bms1Online!=0;a=1|b>2}. If the key has no value, {@code !=} is true, and {@code <>}, {@code
 * =}, {@code <} and {@code >} are false: {@code x!=0} means "not known to be 0", and {@code x<>0}
 * means "known to differ from 0".
 */
final class Presence {

  private static final Pattern COMPARISON =
      Pattern.compile("([^=!<>|;\\s]+)(!=|<>|=|<|>)(-?[0-9]+(?:[.][0-9]+)?)");

  /** One comparison of the table. */
  private record Comparison(String key, String operator, double operand) {

    static Comparison parse(String text) {
      Matcher matcher = COMPARISON.matcher(text);
      if (!matcher.matches()) {
        throw new IllegalArgumentException(text);
      }
      return new Comparison(
          matcher.group(1), matcher.group(2), Double.parseDouble(matcher.group(3)));
    }
  }

  /** A condition of the table, whose keys can contain the variable parts of the row's key. */
  record Condition(List<List<Comparison>> clauses) {

    /**
     * @throws IllegalArgumentException if a comparison is not valid, with its text
     */
    static Condition parse(String text) {
      return new Condition(
          Stream.of(text.split(";", -1))
              .map(clause -> Stream.of(clause.split("\\|", -1)).map(Comparison::parse).toList())
              .toList());
    }
  }

  /** A comparison with the index of the cell that it reads. */
  private record Check(int cell, String operator, double operand) {

    boolean isTrue(double[] cells) {
      double value = cells[cell];
      return switch (operator) {
        case "!=", "<>" -> value != operand;
        case "=" -> value == operand;
        case "<" -> value < operand;
        default -> value > operand;
      };
    }
  }

  /** The clauses that depend on values; an empty clause is always false. */
  private final Check[][] clauses;

  private Presence(Check[][] clauses) {
    this.clauses = clauses;
  }

  /**
   * @param parts the variable parts of the raw key with the conditions
   * @param cells the indexes of the device's raw keys
   * @return null if the part is present regardless of the values
   */
  static Presence of(List<Condition> conditions, Row.Parts parts, Map<String, Integer> cells) {
    Check[][] clauses =
        conditions.stream()
            .flatMap(condition -> condition.clauses().stream())
            .filter(clause -> clause.stream().noneMatch(one -> isTrueWithoutKey(one, parts, cells)))
            .map(clause -> checks(clause, parts, cells))
            .toArray(Check[][]::new);
    return clauses.length == 0 ? null : new Presence(clauses);
  }

  private static boolean isTrueWithoutKey(
      Comparison one, Row.Parts parts, Map<String, Integer> cells) {
    return one.operator().equals("!=") && !cells.containsKey(parts.fill(one.key()));
  }

  private static Check[] checks(
      List<Comparison> clause, Row.Parts parts, Map<String, Integer> cells) {
    return clause.stream()
        .filter(one -> cells.containsKey(parts.fill(one.key())))
        .map(one -> new Check(cells.get(parts.fill(one.key())), one.operator(), one.operand()))
        .toArray(Check[]::new);
  }

  boolean isTrue(double[] cells) {
    for (Check[] clause : clauses) {
      boolean isTrue = false;
      for (int i = 0; i < clause.length && !isTrue; i++) {
        isTrue = clause[i].isTrue(cells);
      }
      if (!isTrue) {
        return false;
      }
    }
    return true;
  }

  /** Adds the indexes of the cells that the condition reads. */
  void addCells(Set<Integer> cells) {
    Arrays.stream(clauses).flatMap(Arrays::stream).forEach(check -> cells.add(check.cell()));
  }
}
