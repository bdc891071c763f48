package ecoflow.quota;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Looks for a raw quota key in a message, where it can stand in one piece or in objects. */
final class MessageValue {

  private MessageValue() {}

  /**
   * What the message says of a key.
   *
   * @return null if it says nothing; NaN if what it says is no number
   */
  static Double find(Map<?, ?> message, String key) {
    if (message.containsKey(key)) {
      return number(message.get(key));
    }
    for (int end = 1; end < key.length(); end++) {
      char c = key.charAt(end);
      if (c == '.' || c == '[') {
        Double found = below(message.get(key.substring(0, end)), key.substring(end));
        if (found != null) {
          return found;
        }
      }
    }
    return null;
  }

  /**
   * @param rest begins with a dot or a bracket
   */
  private static Double below(Object value, String rest) {
    if (value instanceof Map<?, ?> members && rest.charAt(0) == '.') {
      return find(members, rest.substring(1));
    }
    if (value instanceof List<?> elements && rest.charAt(0) == '[') {
      // A list replaces all of the list before: what it lacks is gone.
      Double found = element(elements, rest);
      return Objects.requireNonNullElse(found, Double.NaN);
    }
    return null;
  }

  private static Double element(List<?> elements, String rest) {
    int end = rest.indexOf(']');
    String index = end < 0 ? "" : rest.substring(1, end);
    if (!index.matches("[0-9]{1,9}") || Integer.parseInt(index) >= elements.size()) {
      return null;
    }
    Object element = elements.get(Integer.parseInt(index));
    if (end == rest.length() - 1) {
      return number(element);
    }
    return below(element, rest.substring(end + 1));
  }

  private static double number(Object value) {
    if (value instanceof Boolean bool) {
      return bool ? 1 : 0;
    }
    boolean finite = value instanceof Number number && Double.isFinite(number.doubleValue());
    return finite ? ((Number) value).doubleValue() + 0.0 : Double.NaN;
  }
}
