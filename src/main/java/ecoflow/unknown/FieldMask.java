package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import ecoflow.decode.proto.Header;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Masks each field of an unknown protobuf message. Tags and lengths do not change, so that the
 * message remains readable. Any text can be a name or the SSID of a network, so all letters and
 * digits of texts are masked.
 */
final class FieldMask {

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;
  private static final int MAX_DEPTH = 10;
  private static final int MAX_VARINT_BYTES = 10;

  /** Minimum length from which a text that is also a valid message is treated as a text. */
  private static final int MIN_CERTAIN_TEXT = 8;

  private static final int MIN_NAME_LETTERS = 3;

  /** User IDs have at least 16 digits, times in milliseconds have 13. */
  private static final long MIN_USER_ID = 1_000_000_000_000_000L;

  private static final int MAX_DEGREES = 180;

  private static final Pattern LETTER = Pattern.compile("\\p{L}");

  private final Mask mask;

  FieldMask(Mask mask) {
    this.mask = mask;
  }

  /**
   * A field.
   *
   * @param start the start of its value
   * @param end the end of its value, exclusive
   */
  private record Field(int number, int type, int start, int end) {}

  /** Returns a copy of the header with masked personal data. */
  byte[] header(byte[] header) {
    byte[] masked = header.clone();
    for (Field field : fields(masked, 0, masked.length)) {
      if (field.number() == Header.PDATA_FIELD_NUMBER && field.type() == BYTES) {
        maskMessage(masked, field.start(), field.end(), 0);
      } else if (field.type() == BYTES) {
        // The texts of the header are the app and serial numbers.
        maskPatterns(masked, field.start(), field.end());
      }
    }
    return masked;
  }

  private void maskMessage(byte[] bytes, int start, int end, int depth) {
    List<Field> fields = depth < MAX_DEPTH ? fields(bytes, start, end) : List.of();
    if (fields.isEmpty()) {
      maskPatterns(bytes, start, end);
      return;
    }
    maskSplit(bytes, fields);
    for (int i = 0; i < fields.size(); i++) {
      Field field = fields.get(i);
      if (field.type() == BYTES) {
        maskValue(bytes, field.start(), field.end(), depth);
      } else if (field.type() == VARINT) {
        maskUserId(bytes, field);
      } else if (field.type() == FIXED64 && i > 0) {
        maskCoordinates(bytes, fields.get(i - 1), field);
      }
    }
  }

  private void maskValue(byte[] bytes, int start, int end, int depth) {
    boolean isText = isText(bytes, start, end);
    boolean isCertain = isText && end - start >= MIN_CERTAIN_TEXT;
    if (isCertain || (isText && fields(bytes, start, end).isEmpty())) {
      maskText(bytes, start, end);
    } else if (isUtf16(bytes, start, end)) {
      maskUtf16(bytes, start, end);
    } else {
      maskMessage(bytes, start, end, depth + 1);
    }
  }

  /** Masks only what the patterns of {@link Mask} match. */
  private void maskPatterns(byte[] bytes, int start, int end) {
    byte[] masked = mask.bytes(Arrays.copyOfRange(bytes, start, end));
    System.arraycopy(masked, 0, bytes, start, masked.length);
  }

  private void maskText(byte[] bytes, int start, int end) {
    String before = new String(bytes, start, end - start, UTF_8);
    maskPatterns(bytes, start, end);
    boolean isJson = before.startsWith("{") || before.startsWith("[");
    boolean isName =
        LETTER.matcher(before).results().limit(MIN_NAME_LETTERS).count() == MIN_NAME_LETTERS;
    if (isName && !isJson && !Mask.isSerial(before)) {
      for (int i = start; i < end; i++) {
        bytes[i] = masked(bytes[i]);
      }
    }
  }

  private static byte masked(byte character) {
    if (character >= '0' && character <= '9') {
      return '0';
    }
    return character < 0 || Character.isLetter(character) ? (byte) 'x' : character;
  }

  /** Masks UTF-16 text whose characters fit into one byte. */
  private void maskUtf16(byte[] bytes, int start, int end) {
    int first = bytes[start] == 0 ? 1 : 0;
    byte[] narrow = new byte[(end - start) / 2];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = bytes[start + first + 2 * i];
    }
    maskText(narrow, 0, narrow.length);
    for (int i = 0; i < narrow.length; i++) {
      bytes[start + first + 2 * i] = narrow[i];
    }
  }

  private static boolean isUtf16(byte[] bytes, int start, int end) {
    if (end - start < 2 * MIN_NAME_LETTERS || (end - start) % 2 != 0) {
      return false;
    }
    int zeros = bytes[start] == 0 ? 0 : 1;
    for (int i = start; i < end; i++) {
      boolean isZero = (i - start) % 2 == zeros;
      if (isZero != (bytes[i] == 0) || (bytes[i] > 0 && bytes[i] < ' ')) {
        return false;
      }
    }
    return true;
  }

  private static boolean isText(byte[] bytes, int start, int end) {
    if (start == end) {
      return false;
    }
    for (int i = start; i < end; i++) {
      boolean isSpace = bytes[i] == '\t' || bytes[i] == '\n' || bytes[i] == '\r';
      if ((bytes[i] >= 0 && bytes[i] < ' ' && !isSpace) || bytes[i] == 0x7f) {
        return false;
      }
    }
    try {
      UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, start, end - start));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /**
   * Masks a serial number that is split into consecutive fields: texts, groups of four or eight
   * characters, or one number per character.
   */
  private void maskSplit(byte[] bytes, List<Field> fields) {
    StringBuilder joined = new StringBuilder();
    List<Integer> positions = new ArrayList<>();
    Field before = null;
    int parts = 0;
    for (Field field : fields) {
      boolean isPart = isPart(bytes, field);
      boolean follows =
          before == null || field.type() != VARINT || field.number() == before.number();
      if (!isPart || !follows) {
        maskJoined(bytes, joined, positions, parts);
        joined.setLength(0);
        positions.clear();
        parts = 0;
      }
      if (isPart) {
        for (int i = field.start(); i < field.end(); i++) {
          joined.append((char) bytes[i]);
          positions.add(i);
        }
        parts++;
      }
      before = field;
    }
    maskJoined(bytes, joined, positions, parts);
  }

  private void maskJoined(byte[] bytes, StringBuilder joined, List<Integer> positions, int parts) {
    if (parts < 2) {
      return;
    }
    byte[] masked = mask.bytes(joined.toString().getBytes(ISO_8859_1));
    for (int i = 0; i < masked.length; i++) {
      bytes[positions.get(i)] = masked[i];
    }
  }

  private static boolean isPart(byte[] bytes, Field field) {
    for (int i = field.start(); i < field.end(); i++) {
      boolean isAscii = bytes[i] > ' ' && bytes[i] < 0x7f;
      if (!isAscii || !Character.isLetterOrDigit(bytes[i])) {
        return false;
      }
    }
    return field.end() > field.start();
  }

  /** Replaces a user ID by a zero with padding bytes, which has the same length. */
  private static void maskUserId(byte[] bytes, Field field) {
    long number = varint(bytes, field.start(), field.end());
    if (number >= MIN_USER_ID && field.end() - field.start() < MAX_VARINT_BYTES) {
      Arrays.fill(bytes, field.start(), field.end() - 1, (byte) 0x80);
      bytes[field.end() - 1] = 0;
    }
  }

  /** Masks a latitude and a longitude in consecutive fields. */
  private static void maskCoordinates(byte[] bytes, Field first, Field second) {
    if (first.type() == FIXED64
        && second.number() - first.number() == 1
        && isCoordinate(bytes, first)
        && isCoordinate(bytes, second)) {
      Arrays.fill(bytes, first.start(), first.end(), (byte) 0);
      Arrays.fill(bytes, second.start(), second.end(), (byte) 0);
    }
  }

  /** Whether the value is within the range, and more precise than a measurement. */
  private static boolean isCoordinate(byte[] bytes, Field field) {
    double degrees =
        ByteBuffer.wrap(bytes, field.start(), Double.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .getDouble();
    double thousandths = degrees * 1000;
    return Math.abs(degrees) <= MAX_DEGREES
        && Math.abs(degrees) > 0.001
        && Math.abs(thousandths - Math.rint(thousandths)) > 1e-6;
  }

  /** Parses the fields of a message; empty if the bytes are not a message. */
  private static List<Field> fields(byte[] bytes, int start, int end) {
    List<Field> fields = new ArrayList<>();
    int position = start;
    while (position < end) {
      int afterTag = varintEnd(bytes, position, end);
      long tag = afterTag < 0 ? 0 : varint(bytes, position, afterTag);
      int type = (int) (tag & 7);
      if (tag >>> 3 == 0 || tag >>> 3 >= 1 << 29) {
        return List.of();
      }
      int valueStart = afterTag;
      long valueEnd =
          switch (type) {
            case VARINT -> varintEnd(bytes, afterTag, end);
            case FIXED64 -> afterTag + 8L;
            case FIXED32 -> afterTag + 4L;
            case BYTES -> {
              valueStart = varintEnd(bytes, afterTag, end);
              yield valueStart < 0 ? -1 : valueStart + varint(bytes, afterTag, valueStart);
            }
            default -> -1;
          };
      if (valueStart < 0 || valueEnd < valueStart || valueEnd > end) {
        return List.of();
      }
      fields.add(new Field((int) (tag >>> 3), type, valueStart, (int) valueEnd));
      position = (int) valueEnd;
    }
    return fields;
  }

  /** The index after a varint; -1 if it is not valid. */
  private static int varintEnd(byte[] bytes, int start, int end) {
    for (int i = start; i < end && i < start + MAX_VARINT_BYTES; i++) {
      if (bytes[i] >= 0) {
        return i + 1;
      }
    }
    return -1;
  }

  private static long varint(byte[] bytes, int start, int end) {
    long number = 0;
    for (int i = end - 1; i >= start; i--) {
      number = number << 7 | (bytes[i] & 0x7f);
    }
    return number;
  }
}
