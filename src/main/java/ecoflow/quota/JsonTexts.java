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
final class JsonTexts {

  private static final int MAX_DEPTH = 32;

  private JsonTexts() {}

  /**
   * Whether a JSON string in the message contains a number or a boolean.
   *
   * @param textReader reads the object in a JSON text; returns an empty map for any other text
   */
  static boolean haveValues(Map<?, ?> message, Function<String, Map<?, ?>> textReader) {
    return haveValues(message, textReader, false, 0);
  }

  private static boolean haveValues(
      Object value, Function<String, Map<?, ?>> textReader, boolean inText, int depth) {
    if (depth > MAX_DEPTH) {
      return false;
    }
    if (value instanceof String text) {
      return haveValues(textReader.apply(text).values(), textReader, true, depth + 1);
    }
    if (value instanceof Map<?, ?> members) {
      return haveValues(members.values(), textReader, inText, depth + 1);
    }
    if (value instanceof Collection<?> elements) {
      return elements.stream()
          .anyMatch(element -> haveValues(element, textReader, inText, depth + 1));
    }
    return inText
        && (value instanceof Boolean
            || (value instanceof Number number && Double.isFinite(number.doubleValue())));
  }
}
