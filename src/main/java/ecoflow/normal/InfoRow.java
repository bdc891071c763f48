package ecoflow.normal;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A line of {@code info.csv}: a raw key with a version, a name or a state.
 *
 * @param index the position in the table: of several rows for a series, the first one is used
 * @param families the model families; {@code *} for all
 * @param row the raw key and the labels of the series, which can contain placeholders as in {@code
 *     metrics.csv}; its metric is {@code device}, {@code circuit} or {@code state}
 * @param format the conversion of the value to a text
 * @param states the states by number; otherwise empty
 * @param names the states by the name that some messages contain instead of the number
 */
record InfoRow(
    int index,
    List<String> families,
    Row row,
    Format format,
    Map<Double, String> states,
    Map<String, String> names) {

  static final String DEVICE = "device";
  static final String STATE = "state";

  private static final Pattern DIGITS = Pattern.compile("[0-9]+");
  private static final String FIRST_BYTE = "[0]";

  /** The formats of values. */
  enum Format {
    /** A text. */
    TEXT,
    /** A list of bytes in UTF-8, which can end with zeros. */
    BYTES,
    /** A number of four bytes, the highest first. */
    VERSION,
    /** A number or a name with a word in the table. */
    STATES
  }

  /**
   * @param cells the cells of a line
   */
  static InfoRow of(int index, String[] cells) {
    Format format =
        switch (cells[4]) {
          case "text" -> Format.TEXT;
          case "bytes" -> Format.BYTES;
          case "version" -> Format.VERSION;
          default -> Format.STATES;
        };
    Map<Double, String> states = new LinkedHashMap<>();
    Map<String, String> names = new LinkedHashMap<>();
    if (format == Format.STATES) {
      for (String entry : cells[4].split(";")) {
        String[] parts = entry.split("[=|]");
        states.put(Double.valueOf(parts[0]), parts[1]);
        if (parts.length > 2) {
          names.put(parts[2], parts[1]);
        }
      }
    }
    String label = cells[2].equals(STATE) ? "what" : cells[2];
    String key = format == Format.BYTES ? cells[1] + FIRST_BYTE : cells[1];
    Row row = new Row("", "*", key, cells[2], Map.of(label, cells[3]), Map.of(), 1, true);
    return new InfoRow(index, List.of(cells[0].split(" ")), row, format, states, names);
  }

  boolean isOf(String family) {
    return families.contains("*") || families.contains(family);
  }

  /** Whether messages can contain a text for the key. */
  boolean readsText() {
    return format == Format.TEXT || !names.isEmpty();
  }

  /** The shape of all keys that match the row. */
  String shape() {
    return shape(row.key().replace("[N]", "[0]").replaceAll("chN(?![a-z])", "ch0"));
  }

  /** A key with 0 in place of each number. */
  static String shape(String key) {
    return DIGITS.matcher(key).replaceAll("0");
  }

  /** The key of a list of bytes. */
  static String listOf(String firstByte) {
    return firstByte.substring(0, firstByte.length() - FIRST_BYTE.length());
  }
}
