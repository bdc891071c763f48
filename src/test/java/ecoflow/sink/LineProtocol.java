package ecoflow.sink;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A strict parser of InfluxDB's line protocol, which rejects everything that the specification does
 * not allow.
 */
final class LineProtocol {

  private final String text;
  private int at;

  private LineProtocol(String text) {
    this.text = text;
  }

  record Point(
      String measurement, Map<String, String> tags, Map<String, Double> fields, long time) {}

  static List<Point> read(String body) {
    List<Point> points = new ArrayList<>();
    for (String line : body.split("\n", -1)) {
      points.add(new LineProtocol(line).point());
    }
    return points;
  }

  private Point point() {
    String measurement = word(", ");
    Map<String, String> tags = new TreeMap<>();
    while (take(',')) {
      String key = word(",= ");
      assertTrue(take('='), this::rest);
      assertNull(tags.put(key, word(",= ")), "a tag twice: " + text);
    }
    assertTrue(take(' '), this::rest);
    Map<String, Double> fields = new TreeMap<>();
    do {
      String key = word(",= ");
      assertTrue(take('='), this::rest);
      assertNull(fields.put(key, number(word(",= "))), "a field twice: " + text);
    } while (take(','));
    assertTrue(take(' '), this::rest);
    String time = text.substring(at);
    assertTrue(time.matches("[0-9]{13}"), text);
    return new Point(measurement, tags, fields, Long.parseLong(time));
  }

  /** Reads up to an unescaped occurrence of one of the characters. */
  private String word(String ends) {
    StringBuilder word = new StringBuilder();
    while (at < text.length() && ends.indexOf(text.charAt(at)) < 0) {
      if (text.charAt(at) == '\\') {
        at++;
        assertTrue(at < text.length() && ends.indexOf(text.charAt(at)) >= 0, this::rest);
      }
      assertTrue(text.charAt(at) >= ' ', this::rest);
      word.append(text.charAt(at++));
    }
    assertFalse(word.isEmpty(), this::rest);
    return word.toString();
  }

  private boolean take(char letter) {
    if (at < text.length() && text.charAt(at) == letter) {
      at++;
      return true;
    }
    return false;
  }

  private static double number(String word) {
    assertTrue(word.matches("-?[0-9]+(\\.[0-9]+)?(E-?[0-9]+)?"), word);
    return Double.parseDouble(word);
  }

  private String rest() {
    return text + " at " + at;
  }
}
