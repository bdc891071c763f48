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
 * Masks the fields of an unknown protobuf message one by one: tags and lengths are kept, so that
 * the message stays readable. It is unknown which text is a name or the SSID of a network, so all
 * letters and digits of texts are masked.
 */
final class FieldMask {

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;
  private static final int MAX_DEPTH = 10;
  private static final int MAX_VARINT_BYTES = 10;

  /** Shorter texts that are also a valid message are treated as a message. */
  private static final int SURE_TEXT = 8;

  private static final int LETTERS_OF_A_NAME = 3;

  /** User IDs have 16 digits or more, times in milliseconds have 13. */
  private static final long LARGE_NUMBER = 1_000_000_000_000_000L;

  private static final int MAX_DEGREES = 180;

  private static final Pattern LETTER = Pattern.compile("\\p{L}");

  private final Mask mask;

  FieldMask(Mask mask) {
    this.mask = mask;
  }

  /**
   * A field.
   *
   * @param start of its value
   * @param end of its value, exclusive
   */
  private record Field(int number, int type, int start, int end) {}

  /** Returns the header with the personal data of its message and of its own fields masked. */
  byte[] header(byte[] header) {
    byte[] masked = header.clone();
    for (Field field : fields(masked, 0, masked.length)) {
      if (field.number() == Header.PDATA_FIELD_NUMBER && field.type() == BYTES) {
        message(masked, field.start(), field.end(), 0);
      } else if (field.type() == BYTES) {
        // Contains only known texts: the app and serial numbers.
        plain(masked, field.start(), field.end());
      }
    }
    return masked;
  }

  private void message(byte[] bytes, int start, int end, int depth) {
    List<Field> fields = depth < MAX_DEPTH ? fields(bytes, start, end) : List.of();
    if (fields.isEmpty()) {
      plain(bytes, start, end);
      return;
    }
    maskSplit(bytes, fields);
    for (int i = 0; i < fields.size(); i++) {
      Field field = fields.get(i);
      if (field.type() == BYTES) {
        value(bytes, field.start(), field.end(), depth);
      } else if (field.type() == VARINT) {
        maskLarge(bytes, field);
      } else if (field.type() == FIXED64 && i > 0) {
        maskCoordinates(bytes, fields.get(i - 1), field);
      }
    }
  }

  private void value(byte[] bytes, int start, int end, int depth) {
    boolean isText = isText(bytes, start, end);
    boolean isSure = isText && end - start >= SURE_TEXT;
    if (isSure || (isText && fields(bytes, start, end).isEmpty())) {
      text(bytes, start, end);
    } else if (isWide(bytes, start, end)) {
      wide(bytes, start, end);
    } else {
      message(bytes, start, end, depth + 1);
    }
  }

  /** Masks by patterns only. */
  private void plain(byte[] bytes, int start, int end) {
    byte[] masked = mask.bytes(Arrays.copyOfRange(bytes, start, end));
    System.arraycopy(masked, 0, bytes, start, masked.length);
  }

  private void text(byte[] bytes, int start, int end) {
    String before = new String(bytes, start, end - start, UTF_8);
    plain(bytes, start, end);
    boolean isJson = before.startsWith("{") || before.startsWith("[");
    boolean isName =
        LETTER.matcher(before).results().limit(LETTERS_OF_A_NAME).count() == LETTERS_OF_A_NAME;
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

  /** Masks UTF-16 as text with one byte per character. */
  private void wide(byte[] bytes, int start, int end) {
    int first = bytes[start] == 0 ? 1 : 0;
    byte[] narrow = new byte[(end - start) / 2];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = bytes[start + first + 2 * i];
    }
    text(narrow, 0, narrow.length);
    for (int i = 0; i < narrow.length; i++) {
      bytes[start + first + 2 * i] = narrow[i];
    }
  }

  private static boolean isWide(byte[] bytes, int start, int end) {
    if (end - start < 2 * LETTERS_OF_A_NAME || (end - start) % 2 != 0) {
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
   * Masks a serial number in parts: texts, groups of four or eight characters, or one number per
   * character, in consecutive fields.
   */
  private void maskSplit(byte[] bytes, List<Field> fields) {
    StringBuilder joined = new StringBuilder();
    List<Integer> places = new ArrayList<>();
    Field before = null;
    int parts = 0;
    for (Field field : fields) {
      boolean isPart = isPart(bytes, field);
      boolean follows =
          before == null || field.type() != VARINT || field.number() == before.number();
      if (!isPart || !follows) {
        maskJoined(bytes, joined, places, parts);
        joined.setLength(0);
        places.clear();
        parts = 0;
      }
      if (isPart) {
        for (int i = field.start(); i < field.end(); i++) {
          joined.append((char) bytes[i]);
          places.add(i);
        }
        parts++;
      }
      before = field;
    }
    maskJoined(bytes, joined, places, parts);
  }

  private void maskJoined(byte[] bytes, StringBuilder joined, List<Integer> places, int parts) {
    if (parts < 2) {
      return;
    }
    byte[] masked = mask.bytes(joined.toString().getBytes(ISO_8859_1));
    for (int i = 0; i < masked.length; i++) {
      bytes[places.get(i)] = masked[i];
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

  /** Masks a user ID; a zero with padding bytes keeps its length. */
  private static void maskLarge(byte[] bytes, Field field) {
    long number = varint(bytes, field.start(), field.end());
    if (number >= LARGE_NUMBER && field.end() - field.start() < MAX_VARINT_BYTES) {
      Arrays.fill(bytes, field.start(), field.end() - 1, (byte) 0x80);
      bytes[field.end() - 1] = 0;
    }
  }

  /** Masks latitude and longitude in two consecutive fields. */
  private static void maskCoordinates(byte[] bytes, Field first, Field second) {
    if (first.type() == FIXED64
        && second.number() - first.number() == 1
        && isCoordinate(bytes, first)
        && isCoordinate(bytes, second)) {
      Arrays.fill(bytes, first.start(), first.end(), (byte) 0);
      Arrays.fill(bytes, second.start(), second.end(), (byte) 0);
    }
  }

  /** Whether the value is within the range, and more precise than measurements. */
  private static boolean isCoordinate(byte[] bytes, Field field) {
    double value =
        ByteBuffer.wrap(bytes, field.start(), Double.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .getDouble();
    double thousandths = value * 1000;
    return Math.abs(value) <= MAX_DEGREES
        && Math.abs(value) > 0.001
        && Math.abs(thousandths - Math.rint(thousandths)) > 1e-6;
  }

  /** The fields of a message; empty if the bytes are not a message. */
  private static List<Field> fields(byte[] bytes, int start, int end) {
    List<Field> fields = new ArrayList<>();
    int at = start;
    while (at < end) {
      int afterTag = varintEnd(bytes, at, end);
      long tag = afterTag < 0 ? 0 : varint(bytes, at, afterTag);
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
      at = (int) valueEnd;
    }
    return fields;
  }

  /** The index after a varint; -1 if there is none. */
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
