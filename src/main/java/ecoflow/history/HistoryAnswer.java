package ecoflow.history;

import ecoflow.api.Api;
import ecoflow.api.CloudException;
import ecoflow.text.Lines;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The values in an answer.
 *
 * @param joules the energies by label {@code what}
 * @param problems the values that are not used
 */
public record HistoryAnswer(Map<String, Double> joules, List<Problem> problems) {

  private static final Map<String, Double> JOULES = Map.of("wh", 3600.0, "kwh", 3.6e6);

  /**
   * A value that is not used.
   *
   * @param reason unit, index or value
   * @param text one line
   */
  public record Problem(String reason, String text) {}

  /**
   * Reads {@code {"data": [{"indexName", "indexValue", "unit", "extra"}]}}. {@code extra} numbers
   * the directions of grid and battery, whose names are the same. An entry without a value has no
   * energy, and an entry with another quantity than energy, such as a percentage, is ignored.
   *
   * @throws CloudException if the data is not an object with a list, or reports an error
   */
  public static HistoryAnswer of(Object data, String code) throws CloudException {
    Map<?, ?> answer = Api.object(data);
    String inner = Lines.oneLine(String.valueOf(answer.get("code")));
    if (answer.get("code") != null && !inner.equals("0")) {
      throw new CloudException(
          inner,
          "code " + inner + " (" + Lines.oneLine(String.valueOf(answer.get("message"))) + ")");
    }
    HistoryAnswer read = new HistoryAnswer(new LinkedHashMap<>(), new ArrayList<>());
    if (answer.get("data") == null) {
      return read;
    }
    if (!(answer.get("data") instanceof Collection<?> entries)) {
      throw new CloudException("0", "the data of the response does not contain a list");
    }
    Set<String> seen = new HashSet<>();
    for (Object entry : entries) {
      if (entry instanceof Map<?, ?> fields && fields.get("indexValue") != null) {
        read.add(fields, code, seen);
      }
    }
    return read;
  }

  private void add(Map<?, ?> fields, String code, Set<String> seen) {
    String extra = text(fields.get("extra"));
    String index = extra.isEmpty() ? text(fields.get("indexName")) : extra;
    String unit = text(fields.get("unit"));
    Double factor = JOULES.get(unit.toLowerCase(Locale.ROOT));
    String what = HistoryCodes.packaged().what(code, index).orElse("");
    if (what.isEmpty()) {
      if (factor != null) {
        problem("index", "'" + index + "' is unknown");
      }
      return;
    }
    if (!seen.add(what)) {
      // Neither of the values is known to be the total.
      joules.remove(what);
      problem("value", what + " has several values");
      return;
    }
    String value = text(fields.get("indexValue"));
    double number = number(value);
    if (factor == null) {
      problem("unit", what + " has the unknown unit '" + unit + "'");
    } else if (!Double.isFinite(number) || number < 0) {
      problem("value", what + "='" + value + "' is not an energy");
    } else {
      joules.put(what, number * factor);
    }
  }

  private void problem(String reason, String text) {
    problems.add(new Problem(reason, text));
  }

  private static String text(Object value) {
    return value == null ? "" : Lines.oneLine(value.toString());
  }

  private static double number(String text) {
    try {
      return new BigDecimal(text).doubleValue();
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }
}
