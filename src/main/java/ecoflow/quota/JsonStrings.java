package ecoflow.quota;

import java.util.Collection;
import java.util.Map;
import java.util.function.Function;

/**
 * Checks whether JSON strings in a message contain values.
 *
 * <p>Fast path, read last: the store could also store these values and return their number. Without
 * normalised metrics nothing reads them, so they are not stored.
 */
final class JsonStrings {

  private static final int MAX_DEPTH = 32;

  private JsonStrings() {}

  /**
   * Whether a JSON string in the message contains a number or a boolean.
   *
   * @param jsonReader parses the object in a JSON string; returns an empty map for any other string
   */
  static boolean haveValues(Map<?, ?> message, Function<String, Map<?, ?>> jsonReader) {
    return haveValues(message, jsonReader, false, 0);
  }

  private static boolean haveValues(
      Object value, Function<String, Map<?, ?>> jsonReader, boolean inString, int depth) {
    if (depth > MAX_DEPTH) {
      return false;
    }
    if (value instanceof String text) {
      return haveValues(jsonReader.apply(text).values(), jsonReader, true, depth + 1);
    }
    if (value instanceof Map<?, ?> members) {
      return haveValues(members.values(), jsonReader, inString, depth + 1);
    }
    if (value instanceof Collection<?> elements) {
      return elements.stream()
          .anyMatch(element -> haveValues(element, jsonReader, inString, depth + 1));
    }
    return inString
        && (value instanceof Boolean
            || (value instanceof Number number && Double.isFinite(number.doubleValue())));
  }
}
