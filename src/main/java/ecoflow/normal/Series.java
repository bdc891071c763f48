package ecoflow.normal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One series in the plan of a device: the raw keys from which its value is computed, in the order
 * of preference.
 */
final class Series {

  private static final List<String> SUMS = List.of("_watts", "_joules_total");

  /** In order of precedence; null for rows without such a rule. */
  private static final List<Rule> PREFERENCES = Arrays.asList(Rule.FIRST, null, Rule.FALLBACK);

  private final Table.Name name;
  private final Map<String, String> labels;
  private final byte[] labelBytes;
  private final List<Term> terms = new ArrayList<>();

  /**
   * The value of the series is that of the first alternative with a value. The terms of an
   * alternative are added.
   */
  private Term[][] alternatives = {};

  private int[] valueCells = {};

  Series(Table.Name name, Map<String, String> labels) {
    this.name = name;
    this.labels = labels;
    this.labelBytes =
        labels.entrySet().stream()
            .map(label -> "," + label.getKey() + "=\"" + label.getValue() + "\"")
            .collect(Collectors.joining())
            .getBytes(UTF_8);
  }

  Table.Name name() {
    return name;
  }

  Map<String, String> labels() {
    return labels;
  }

  /** The labels in the format of the page, after those of the device. */
  byte[] labelBytes() {
    return labelBytes;
  }

  /** Name and labels as on the page, without the prefix. */
  @Override
  public String toString() {
    return labelBytes.length == 0
        ? name.name()
        : name.name() + "{" + new String(labelBytes, UTF_8).substring(1) + "}";
  }

  void add(Term term) {
    terms.add(term);
  }

  /** Adds the indexes of the cells that the series reads. */
  void addCells(Set<Integer> cells) {
    terms.forEach(term -> term.addCells(cells));
  }

  /** The number of the newest message with one of its raw keys. */
  long newest(long[] numbers) {
    long newest = Long.MIN_VALUE;
    for (int cell : valueCells) {
      newest = Math.max(newest, numbers[cell]);
    }
    return newest;
  }

  /** Whether the series has raw keys; otherwise it is only computed from other series. */
  boolean hasKeys() {
    return !terms.isEmpty();
  }

  /** Completes the series after all terms were added. */
  void complete() {
    valueCells = terms.stream().mapToInt(Term::cell).toArray();
    List<List<Term>> found = new ArrayList<>();
    for (Rule preference : PREFERENCES) {
      List<Term> ofTier =
          terms.stream()
              .filter(term -> term.row().rule(Rule.Group.PREFERENCE) == preference)
              .toList();
      List<Term> net = ofTier.stream().filter(term -> term.row().has(Rule.NET)).toList();
      List<Row> rows =
          ofTier.stream().map(Term::row).filter(row -> !row.has(Rule.NET)).distinct().toList();
      for (Row row : rows) {
        List<Term> ofRow = ofTier.stream().filter(term -> term.row().equals(row)).toList();
        if (SUMS.stream().anyMatch(row.metric()::endsWith)) {
          // Several units of one kind, or the hours of a day, are added.
          found.add(ofRow);
        } else {
          ofRow.forEach(term -> found.add(List.of(term)));
        }
      }
      if (!net.isEmpty()) {
        found.add(net);
      }
    }
    alternatives = found.stream().map(all -> all.toArray(Term[]::new)).toArray(Term[][]::new);
  }

  /** Whether the series is a native counter, whose rules define how it counts. */
  boolean isNative() {
    return !terms.isEmpty() && terms.get(0).row().isNative();
  }

  /** Whether the series is a native lifetime counter. */
  boolean isLifetime() {
    return isNative() && terms.get(0).row().has(Rule.NATIVE_TOTAL);
  }

  boolean ignoresZero() {
    return terms.stream().anyMatch(term -> term.row().has(Rule.IGNORE_ZERO));
  }

  /** The value in the metric's unit; NaN if no raw key currently has a value. */
  double value(double[] cells) {
    for (Term[] alternative : alternatives) {
      double sum = Double.NaN;
      for (Term term : alternative) {
        sum = Plan.plus(sum, term.value(cells));
      }
      if (!Double.isNaN(sum)) {
        return sum;
      }
    }
    return Double.NaN;
  }
}
