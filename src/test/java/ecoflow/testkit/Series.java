package ecoflow.testkit;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One line {@code name{labels} value} of a page, parsed strictly. */
public record Series(String name, Map<String, String> labels, double value) {

  static final String NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";

  private static final Pattern LINE =
      Pattern.compile("(" + NAME + ")(?:\\{(.+)\\})? (NaN|[+-]Inf|-?[0-9.]+(?:[eE][+-]?[0-9]+)?)");
  private static final Pattern LABEL =
      Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\\n]|\\\\[\"\\\\n])*)\"(?:,(?!$)|$)");

  /** The labels are in the order of the line and without escapes. */
  public static Series read(String line) {
    Matcher series = LINE.matcher(line);
    check(series.matches(), "not a series", line);
    return new Series(series.group(1), labels(line, series.group(2)), number(series.group(3)));
  }

  private static Map<String, String> labels(String line, String text) {
    Map<String, String> labels = new LinkedHashMap<>();
    if (text == null) {
      return labels;
    }
    Matcher label = LABEL.matcher(text);
    int end = 0;
    while (label.find()) {
      check(label.start() == end, "invalid labels", line);
      check(labels.put(label.group(1), unescaped(label.group(2))) == null, "duplicate label", line);
      end = label.end();
    }
    check(end == text.length(), "invalid labels", line);
    return labels;
  }

  private static String unescaped(String text) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\') {
        i++;
        out.append(text.charAt(i) == 'n' ? '\n' : text.charAt(i));
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  static double number(String text) {
    return switch (text) {
      case "+Inf" -> Double.POSITIVE_INFINITY;
      case "-Inf" -> Double.NEGATIVE_INFINITY;
      default -> Double.parseDouble(text);
    };
  }

  static void check(boolean isValid, String problem, String where) {
    if (!isValid) {
      throw new AssertionError(problem + ": " + where);
    }
  }
}
