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

  /** No device has more packs, phases or kinds of energy. */
  static final int MAX_INDEX = 99;

  private final MessageTable table;

  FieldValues(MessageTable table) {
    this.table = table;
  }

  /** Every field by name: those that were sent and those whose absence means 0. */
  Map<String, Object> of(Message message) {
    Map<String, Object> values = sent(message);
    for (FieldDescriptor field : table.zeroFields(message.getDescriptorForType())) {
      values.putIfAbsent(field.getName(), plainItem(field, field.getDefaultValue()));
    }
    return values;
  }

  /** Only fields that were sent. Fields of a number that the table lacks are left out. */
  Map<String, Object> sent(Message message) {
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

  /**
   * Items at the places that they name themselves, so that an item keeps its place when others are
   * not sent. Places in between hold an empty map; an item without the field has place 0; of two
   * items for one place the later stays; an item with a place that cannot be is left out.
   */
  static List<Object> placed(FieldDescriptor indexField, List<?> items) {
    List<Object> list = new ArrayList<>();
    for (Object item : items) {
      Object index = ((Map<?, ?>) item).get(indexField.getName());
      if (index == null) {
        index = 0L;
      }
      if (index instanceof Long place && place >= 0 && place <= MAX_INDEX) {
        while (list.size() <= place) {
          list.add(Map.of());
        }
        list.set(place.intValue(), item);
      }
    }
    return list;
  }

  private static void put(Map<String, Object> values, FieldDescriptor field, Object value) {
    if (value != null) {
      values.put(field.getName(), value);
    }
  }

  private Object plain(FieldDescriptor field, Object value) {
    if (!field.isRepeated()) {
      return plainItem(field, value);
    }
    if (field.getType() == FieldDescriptor.Type.BYTES) {
      return null;
    }
    List<Object> list = new ArrayList<>();
    for (Object item : (List<?>) value) {
      list.add(plainItem(field, item));
    }
    FieldDescriptor indexField =
        field.getType() == FieldDescriptor.Type.MESSAGE
            ? table.indexField(field.getMessageType())
            : null;
    return indexField == null ? list : placed(indexField, list);
  }

  private Object plainItem(FieldDescriptor field, Object value) {
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
