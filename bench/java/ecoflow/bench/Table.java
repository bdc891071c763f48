package ecoflow.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The results of all commands: the median of the values of each row and command. */
final class Table {

  private final int commands;
  private final Map<String, List<List<Double>>> lines = new LinkedHashMap<>();

  Table(int commands) {
    this.commands = commands;
  }

  void add(String line, int command, double value) {
    lines
        .computeIfAbsent(
            line,
            unused ->
                IntStream.range(0, commands)
                    .<List<Double>>mapToObj(i -> new ArrayList<>())
                    .collect(Collectors.toList()))
        .get(command)
        .add(value);
  }

  static double median(List<Double> values) {
    return quantile(values, 0.5);
  }

  /** NaN for no values. */
  static double quantile(List<Double> values, double part) {
    if (values.isEmpty()) {
      return Double.NaN;
    }
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    if (part == 0.5 && sorted.length % 2 == 0) {
      return (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2;
    }
    return sorted[(int) Math.min(sorted.length - 1L, (long) Math.floor(part * sorted.length))];
  }

  /** Formats a Markdown table. */
  String text() {
    if (lines.isEmpty()) {
      return "no results";
    }
    List<String[]> rows = new ArrayList<>();
    rows.add(
        commands == 2
            ? new String[] {"", "run", "beside", "run / beside"}
            : new String[] {"", "run"});
    lines.forEach(
        (line, values) -> {
          String[] row = new String[commands == 2 ? 4 : 2];
          row[0] = line;
          for (int i = 0; i < commands; i++) {
            row[i + 1] = number(median(values.get(i)));
          }
          if (commands == 2) {
            row[3] = number(median(values.get(0)) / median(values.get(1)));
          }
          rows.add(row);
        });
    int columns = rows.get(0).length;
    int[] widths = new int[columns];
    for (String[] row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    String rule =
        "|"
            + Arrays.stream(widths)
                .mapToObj(width -> "-".repeat(width + 1))
                .collect(Collectors.joining(":|"))
            + ":|\n";
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < rows.size(); i++) {
      text.append('|');
      for (int j = 0; j < columns; j++) {
        String format = j == 0 ? " %-" + widths[j] + "s |" : " %" + widths[j] + "s |";
        text.append(format.formatted(rows.get(i)[j]));
      }
      text.append('\n');
      if (i == 0) {
        // The first column is left-aligned.
        text.append(rule.replaceFirst("-:", "--"));
      }
    }
    return text.toString();
  }

  /** Three significant digits; "-" for a missing value. */
  private static String number(double value) {
    if (Double.isNaN(value)) {
      return "-";
    }
    double size = Math.abs(value);
    int digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }
}
