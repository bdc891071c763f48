package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Masks JSON values: texts, serial numbers in keys, user IDs and coordinates. All other numbers and
 * keys are kept, so that the values of the device do not change.
 */
final class JsonMask {

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final int MAX_DEPTH = 32;

  /** User IDs have at least 16 digits, times in milliseconds have 13. */
  private static final BigDecimal MIN_USER_ID = BigDecimal.TEN.pow(15);

  /** Coordinates as integers are multiplied by a million or more. */
  private static final BigDecimal MIN_SCALED = BigDecimal.TEN.pow(5);

  private static final int MIN_DECIMALS = 3;

  /** The time for a longer text, which can be base64 several times, would be too long. */
  private static final int MAX_TEXT_BYTES = 4096;

  private static final int MIN_SERIAL = 12;
  private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z0-9_]{1,40}");

  private final Mask mask;

  JsonMask(Mask mask) {
    this.mask = mask;
  }

  /**
   * @param value a map, list, text, number, boolean or null
   */
  Object value(Object value) {
    return masked("", value, false, 0);
  }

  /** Whether a text can be a JSON object or array. */
  static boolean isStart(byte[] text) {
    return text.length > 1 && (text[0] == '{' || text[0] == '[');
  }

  /**
   * Masks JSON in a text, and keeps the length: appends spaces.
   *
   * @return empty if the text is not JSON, or if the masked JSON is longer
   */
  Optional<byte[]> text(byte[] text) {
    Optional<byte[]> masked =
        isStart(text) ? reprinted(new String(text, UTF_8), 0) : Optional.empty();
    return masked
        .filter(bytes -> bytes.length <= text.length)
        .map(
            bytes -> {
              byte[] padded = Arrays.copyOf(bytes, text.length);
              Arrays.fill(padded, bytes.length, padded.length, (byte) ' ');
              return padded;
            });
  }

  private Optional<byte[]> reprinted(String text, int depth) {
    try {
      Object value = JSON.readValue(text, Object.class);
      return Optional.of(JSON.writeValueAsBytes(masked("", value, false, depth)));
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /**
   * @param key of the value, or of the list that contains it
   * @param inLocation whether precise numbers are coordinates
   */
  private Object masked(String key, Object value, boolean inLocation, int depth) {
    if (depth > MAX_DEPTH) {
      return null;
    }
    if (value instanceof Map<?, ?> members) {
      Map<String, Object> masked = new LinkedHashMap<>();
      members.forEach(
          (name, member) -> {
            String ofMember = String.valueOf(name);
            masked.put(
                mask.key(ofMember),
                masked(
                    ofMember, member, inLocation || PersonalKeys.isLocation(ofMember), depth + 1));
          });
      return masked;
    }
    if (value instanceof List<?> elements) {
      return list(key, elements, inLocation, depth);
    }
    if (value instanceof String text) {
      return text(key, text, depth);
    }
    return value instanceof Number number && isPersonal(key, number, inLocation) ? 0 : value;
  }

  private Object text(String key, String text, int depth) {
    boolean isEnvelope = depth == 1;
    if (isEnvelope && PersonalKeys.isIdentifier(key) && IDENTIFIER.matcher(text).matches()) {
      return mask.key(text);
    }
    byte[] bytes = text.getBytes(UTF_8);
    Optional<byte[]> json = isStart(bytes) ? reprinted(text, depth + 1) : Optional.empty();
    if (json.isPresent()) {
      return new String(json.get(), UTF_8);
    }
    if (bytes.length > MAX_TEXT_BYTES) {
      return "x".repeat(bytes.length);
    }
    if (PersonalKeys.isCoordinate(key)) {
      return Mask.zeros(text);
    }
    return new String(mask.textOf(key, bytes), UTF_8);
  }

  private Object list(String key, List<?> elements, boolean inLocation, int depth) {
    Optional<byte[]> bytes = bytes(elements);
    if (bytes.isPresent()) {
      if (PersonalKeys.isNumber(key) || PersonalKeys.isCoordinate(key)) {
        return Collections.nCopies(elements.size(), 0);
      }
      byte[] text = bytes.get();
      byte[] masked = PersonalKeys.isText(key) ? mask.personal(text) : serial(text);
      List<Object> numbers = new ArrayList<>();
      for (byte number : masked) {
        numbers.add((int) number);
      }
      // Bytes can be signed or not, and must be equal if they are not masked.
      return Arrays.equals(text, masked) ? elements : numbers;
    }
    List<Object> masked = new ArrayList<>();
    for (Object element : elements) {
      masked.add(masked(key, element, inLocation, depth + 1));
    }
    return masked;
  }

  /** A list of bytes can be a serial number; empty if an element is not a byte. */
  private static Optional<byte[]> bytes(List<?> elements) {
    byte[] bytes = new byte[elements.size()];
    for (int i = 0; i < bytes.length; i++) {
      if (!(elements.get(i) instanceof Integer number)
          || number < Byte.MIN_VALUE
          || number > 0xff) {
        return Optional.empty();
      }
      bytes[i] = number.byteValue();
    }
    return bytes.length == 0 ? Optional.empty() : Optional.of(bytes);
  }

  /** Other texts as lists of bytes cannot be distinguished from measurements. */
  private byte[] serial(byte[] bytes) {
    String text = new String(bytes, UTF_8).replaceAll("\0+$", "");
    return text.length() >= MIN_SERIAL && text.matches("[A-Z0-9]+|[a-z0-9]+")
        ? mask.patterns(bytes)
        : bytes;
  }

  private static boolean isPersonal(String key, Number number, boolean inLocation) {
    if (PersonalKeys.isCoordinate(key) || PersonalKeys.isNumber(key)) {
      return true;
    }
    BigDecimal size = decimal(number).abs();
    boolean isInteger = !(number instanceof Double || number instanceof Float) && size.scale() <= 0;
    return (isInteger && size.compareTo(MIN_USER_ID) >= 0)
        || (inLocation
            && (size.compareTo(MIN_SCALED) >= 0
                || size.stripTrailingZeros().scale() >= MIN_DECIMALS));
  }

  private static BigDecimal decimal(Number number) {
    if (number instanceof BigDecimal decimal) {
      return decimal;
    }
    if (number instanceof BigInteger integer) {
      return new BigDecimal(integer);
    }
    double value = number.doubleValue();
    return number instanceof Double || number instanceof Float
        ? Double.isFinite(value) ? BigDecimal.valueOf(value) : BigDecimal.ZERO
        : BigDecimal.valueOf(number.longValue());
  }
}
