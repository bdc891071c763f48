package ecoflow.quota;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Finds the value of a raw quota key in a message. The message can contain the key as a single name
 * or as nested objects.
 */
final class MessageValue {

  private MessageValue() {}

  /**
   * The value of a key in the message.
   *
   * @return null if the message does not contain the key; NaN if its value is not a number
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
   * @param rest the rest of the key; begins with a dot or a bracket
   */
  private static Double below(Object value, String rest) {
    if (value instanceof Map<?, ?> members && rest.charAt(0) == '.') {
      return find(members, rest.substring(1));
    }
    if (value instanceof List<?> elements && rest.charAt(0) == '[') {
      // A list replaces the previous list completely: missing elements are removed.
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
