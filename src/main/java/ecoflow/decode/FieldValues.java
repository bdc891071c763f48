package ecoflow.decode;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The fields of a message as plain values. */
final class FieldValues {

  private FieldValues() {}

  /** Only fields that were sent, by name. Fields of a number that the table lacks are left out. */
  static Map<String, Object> of(Message message) {
    Map<String, Object> values = new LinkedHashMap<>();
    message.getAllFields().forEach((field, value) -> put(values, field, plain(field, value)));
    message
        .getUnknownFields()
        .asMap()
        .forEach(
            (number, sent) -> {
              FieldDescriptor field = message.getDescriptorForType().findFieldByNumber(number);
              if (field != null && !values.containsKey(field.getName())) {
                put(values, field, asSent(field, sent));
              }
            });
    return values;
  }

  private static void put(Map<String, Object> values, FieldDescriptor field, Object value) {
    if (value != null) {
      values.put(field.getName(), value);
    }
  }

  private static Object plain(FieldDescriptor field, Object value) {
    if (field.isRepeated()) {
      List<Object> list = new ArrayList<>();
      for (Object item : (List<?>) value) {
        Object plain = plainItem(field, item);
        if (plain != null) {
          list.add(plain);
        }
      }
      return list;
    }
    return plainItem(field, value);
  }

  private static Object plainItem(FieldDescriptor field, Object value) {
    return switch (field.getType()) {
      case MESSAGE -> of((Message) value);
      case UINT32, FIXED32 -> Integer.toUnsignedLong((Integer) value);
      case INT32, SINT32, SFIXED32 -> (long) (Integer) value;
      case FLOAT -> plainFloat((Float) value);
      case BYTES -> null;
      default -> value;
    };
  }

  /** The shortest decimal of the float, so that 0.1 does not turn into 0.10000000149011612. */
  private static Double plainFloat(float value) {
    return Double.valueOf(Float.toString(value));
  }

  /**
   * The value of a field that came with another wire type than the table has: firmware of one
   * family sends as float what another sends as integer. The wire decides.
   */
  private static Object asSent(FieldDescriptor field, UnknownFieldSet.Field sent) {
    List<Object> items = new ArrayList<>();
    for (long varint : sent.getVarintList()) {
      items.add(field.getType() == FieldDescriptor.Type.BOOL ? (Object) (varint != 0) : varint);
    }
    for (int bits : sent.getFixed32List()) {
      items.add(plainFloat(Float.intBitsToFloat(bits)));
    }
    for (long bits : sent.getFixed64List()) {
      items.add(Double.longBitsToDouble(bits));
    }
    for (ByteString bytes : sent.getLengthDelimitedList()) {
      Object value = textOrPacked(field, bytes);
      if (value != null) {
        items.add(value);
      }
    }
    if (items.isEmpty()) {
      return null;
    }
    return field.isRepeated() ? items : items.get(items.size() - 1);
  }

  /** A text, or a packed list of numbers of the field's own kind; null if it is neither. */
  private static Object textOrPacked(FieldDescriptor field, ByteString bytes) {
    boolean printable = true;
    for (byte b : bytes) {
      printable &= b >= ' ' && b < 0x7f;
    }
    if (printable) {
      return bytes.isEmpty() ? null : bytes.toStringUtf8();
    }
    CodedInputStream in = bytes.newCodedInput();
    List<Object> items = new ArrayList<>();
    try {
      while (!in.isAtEnd()) {
        switch (field.getType()) {
          case FLOAT -> items.add(plainFloat(in.readFloat()));
          case UINT32, INT32 -> items.add(in.readInt64());
          default -> {
            return null;
          }
        }
      }
    } catch (IOException e) {
      return null;
    }
    return items;
  }
}
