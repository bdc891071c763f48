package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Descriptors.FieldDescriptor;
import ecoflow.decode.Layout;
import ecoflow.decode.proto.Header;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Masks each field of a protobuf message. Tags and lengths do not change, so that the message
 * remains readable. Any text can be a name or the SSID of a network, so all letters and digits of
 * texts are masked. In fields that have a description, numbers are kept; fields without one are
 * texts or messages if their bytes have this form.
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

  /** Longer texts are whole serial numbers, which must remain different from the next one. */
  private static final int MAX_PART = 13;

  private static final int MIN_NAME = 3;
  private static final int MIN_UTF16 = 3;

  /** User IDs have at least 16 digits, times in milliseconds have 13. */
  private static final long MIN_USER_ID = 1_000_000_000_000_000L;

  /** Above this limit, the bits of an integer are those of a double that can be a measurement. */
  private static final long MAX_FIXED_USER_ID = 4_000_000_000_000_000_000L;

  private static final int MAX_DEGREES = 180;
  private static final Set<String> APPS = Set.of("android", "ios");

  private final Mask mask;
  private final JsonMask json;

  FieldMask(Mask mask) {
    this.mask = mask;
    this.json = new JsonMask(mask);
  }

  /**
   * A field.
   *
   * @param start the start of its value
   * @param end the end of its value, exclusive
   */
  private record Field(int number, int type, int start, int end) {}

  /**
   * Returns a copy of the header with masked personal data.
   *
   * @param layout the description of the message; empty for an unknown message
   */
  byte[] header(byte[] header, Optional<Layout> layout) {
    byte[] masked = header.clone();
    Field before = null;
    for (Field field : fields(masked, 0, masked.length)) {
      if (field.number() == Header.PDATA_FIELD_NUMBER && field.type() == BYTES) {
        if (layout.isPresent()) {
          maskKnown(masked, field.start(), field.end(), layout.get(), 0);
        } else {
          maskMessage(masked, field.start(), field.end(), 0);
        }
      } else if (field.number() >= Header.MODULE_SN_FIELD_NUMBER
          && field.number() <= Header.DEST_SN_FIELD_NUMBER
          && field.type() == BYTES) {
        replace(masked, field.start(), field.end(), text -> mask.textOf("sn", text));
      } else if (!isApp(masked, field)) {
        maskUnknown(masked, before, field, 0);
      }
      before = field;
    }
    return masked;
  }

  /** Whether a field of the header is the sender of the message, if this is an app of EcoFlow. */
  private static boolean isApp(byte[] bytes, Field field) {
    return field.number() == Header.FROM_FIELD_NUMBER
        && APPS.contains(
            new String(bytes, field.start(), field.end() - field.start(), ISO_8859_1)
                .toLowerCase(Locale.ROOT));
  }

  /** Masks a message whose fields are described. Bytes after a damaged field are set to zero. */
  private void maskKnown(byte[] bytes, int start, int end, Layout layout, int depth) {
    List<Field> fields = depth < MAX_DEPTH ? fieldsBeforeDamage(bytes, start, end) : List.of();
    int complete = fields.isEmpty() ? start : fields.get(fields.size() - 1).end();
    Arrays.fill(bytes, complete, end, (byte) 0);
    maskSplit(bytes, fields.stream().filter(field -> !isNumber(layout, field)).toList());
    Field before = null;
    for (Field field : fields) {
      FieldDescriptor known = layout.type().findFieldByNumber(field.number());
      if (known == null) {
        maskUnknown(bytes, before, field, depth);
      } else if (isNumber(layout, field)) {
        maskNumber(bytes, field, known.getName());
      } else if (known.getType() == FieldDescriptor.Type.MESSAGE && field.type() == BYTES) {
        Layout nested = new Layout(known.getMessageType(), layout.isNumber());
        maskKnown(bytes, field.start(), field.end(), nested, depth + 1);
      } else if (known.getType() == FieldDescriptor.Type.STRING && field.type() == BYTES) {
        maskText(bytes, field.start(), field.end(), known.getName());
      } else {
        maskUnknown(bytes, before, field, depth);
      }
      before = field;
    }
  }

  /** Whether the bytes of a field are numbers, according to its description. */
  private static boolean isNumber(Layout layout, Field field) {
    FieldDescriptor known = layout.type().findFieldByNumber(field.number());
    if (known == null) {
      return false;
    }
    return switch (known.getType()) {
      case MESSAGE, GROUP, STRING -> field.type() != BYTES;
      case BYTES -> field.type() != BYTES || layout.isNumber().test(known);
      default -> field.type() != BYTES || known.isPackable();
    };
  }

  private static void maskNumber(byte[] bytes, Field field, String name) {
    if (PersonalKeys.isCoordinate(name) || PersonalKeys.isNumber(name)) {
      zero(bytes, field);
    } else if (field.type() == VARINT || field.type() == FIXED64) {
      maskUserId(bytes, field);
    }
  }

  /** Sets a number to zero. A varint keeps its length by padding. */
  private static void zero(byte[] bytes, Field field) {
    boolean isVarint = field.type() == VARINT;
    Arrays.fill(bytes, field.start(), field.end(), (byte) (isVarint ? 0x80 : 0));
    bytes[field.end() - 1] = 0;
  }

  private void maskMessage(byte[] bytes, int start, int end, int depth) {
    List<Field> fields = depth < MAX_DEPTH ? fields(bytes, start, end) : List.of();
    if (fields.isEmpty()) {
      if (isText(bytes, start, end)) {
        maskText(bytes, start, end, "");
      } else {
        replace(bytes, start, end, mask::binary);
      }
      return;
    }
    maskSplit(bytes, fields);
    Field before = null;
    for (Field field : fields) {
      maskUnknown(bytes, before, field, depth);
      before = field;
    }
  }

  /**
   * Masks a field without a description.
   *
   * @param before the previous field; null for the first one
   */
  private void maskUnknown(byte[] bytes, Field before, Field field, int depth) {
    if (field.type() == BYTES) {
      maskValue(bytes, field.start(), field.end(), depth);
    } else if (field.type() == VARINT) {
      maskUserId(bytes, field);
    } else if (field.type() == FIXED64) {
      maskUserId(bytes, field);
      if (before != null) {
        maskCoordinates(bytes, before, field);
      }
    }
  }

  private void maskValue(byte[] bytes, int start, int filledEnd, int depth) {
    int textEnd = filledEnd;
    // Texts in buffers of a constant size end with zeros.
    while (textEnd > start && bytes[textEnd - 1] == 0) {
      textEnd--;
    }
    boolean isText = isText(bytes, start, textEnd);
    int end = isText ? textEnd : filledEnd;
    boolean isCertain = isText && (end - start >= MIN_CERTAIN_TEXT || isLetters(bytes, start, end));
    if (isCertain || (isText && fields(bytes, start, end).isEmpty())) {
      maskText(bytes, start, end, "");
    } else if (isUtf16(bytes, start, end)) {
      maskUtf16(bytes, start, end);
    } else {
      maskMessage(bytes, start, end, depth + 1);
    }
  }

  /** Names such as Maria, which can also be a valid message. */
  private static boolean isLetters(byte[] bytes, int start, int end) {
    for (int i = start; i < end; i++) {
      if (bytes[i] > 0 && !Character.isLetter(bytes[i])) {
        return false;
      }
    }
    return end - start >= MIN_NAME;
  }

  private static void replace(byte[] bytes, int start, int end, UnaryOperator<byte[]> change) {
    byte[] changed = change.apply(Arrays.copyOfRange(bytes, start, end));
    System.arraycopy(changed, 0, bytes, start, changed.length);
  }

  /**
   * @param name of the field; empty for an unknown name
   */
  private void maskText(byte[] bytes, int start, int end, String name) {
    replace(bytes, start, end, text -> json.text(text).orElseGet(() -> mask.textOf(name, text)));
  }

  /** Masks UTF-16 text whose characters fit into one byte. */
  private void maskUtf16(byte[] bytes, int start, int end) {
    int first = bytes[start] == 0 ? 1 : 0;
    byte[] narrow = new byte[(end - start) / 2];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = bytes[start + first + 2 * i];
    }
    maskText(narrow, 0, narrow.length, "");
    for (int i = 0; i < narrow.length; i++) {
      bytes[start + first + 2 * i] = narrow[i];
    }
  }

  private static boolean isUtf16(byte[] bytes, int start, int end) {
    if (end - start < 2 * MIN_UTF16 || (end - start) % 2 != 0) {
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
    byte[] masked = mask.patterns(joined.toString().getBytes(ISO_8859_1));
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
    int length = field.end() - field.start();
    return length > 0 && length <= MAX_PART;
  }

  /** Replaces a user ID by a zero with padding bytes, which has the same length. */
  private static void maskUserId(byte[] bytes, Field field) {
    if (field.type() == FIXED64) {
      long number = fixed64(bytes, field).getLong();
      if (number >= MIN_USER_ID && number < MAX_FIXED_USER_ID) {
        zero(bytes, field);
      }
    } else if (Math.abs(varint(bytes, field.start(), field.end())) >= MIN_USER_ID) {
      zero(bytes, field);
    }
  }

  private static ByteBuffer fixed64(byte[] bytes, Field field) {
    return ByteBuffer.wrap(bytes, field.start(), Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Masks a latitude and a longitude in consecutive fields. */
  private static void maskCoordinates(byte[] bytes, Field first, Field second) {
    if (first.type() == FIXED64
        && second.number() - first.number() == 1
        && isCoordinate(bytes, first)
        && isCoordinate(bytes, second)) {
      zero(bytes, first);
      zero(bytes, second);
    }
  }

  /** Whether the value is within the range, and more precise than a measurement. */
  private static boolean isCoordinate(byte[] bytes, Field field) {
    double degrees = fixed64(bytes, field).getDouble();
    double thousandths = degrees * 1000;
    return Math.abs(degrees) <= MAX_DEGREES
        && Math.abs(degrees) > 0.001
        && Math.abs(thousandths - Math.rint(thousandths)) > 1e-6;
  }

  /** Parses the fields of a message; empty if the bytes are not a message. */
  private static List<Field> fields(byte[] bytes, int start, int end) {
    List<Field> fields = fieldsBeforeDamage(bytes, start, end);
    boolean isComplete = !fields.isEmpty() && fields.get(fields.size() - 1).end() == end;
    return isComplete ? fields : List.of();
  }

  private static List<Field> fieldsBeforeDamage(byte[] bytes, int start, int end) {
    List<Field> fields = new ArrayList<>();
    int position = start;
    while (position < end) {
      Field field = field(bytes, position, end);
      if (field == null) {
        return fields;
      }
      fields.add(field);
      position = field.end();
    }
    return fields;
  }

  /** The field at this position; null if it is not valid. */
  private static Field field(byte[] bytes, int position, int end) {
    int afterTag = varintEnd(bytes, position, end);
    long tag = afterTag < 0 ? 0 : varint(bytes, position, afterTag);
    int type = (int) (tag & 7);
    if (tag >>> 3 == 0 || tag >>> 3 >= 1 << 29) {
      return null;
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
    return valueStart < 0 || valueEnd < valueStart || valueEnd > end
        ? null
        : new Field((int) (tag >>> 3), type, valueStart, (int) valueEnd);
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
