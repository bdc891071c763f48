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
    Map<FieldDescriptor, Object> known = message.getAllFields();
    known.forEach((field, value) -> put(values, field, value));
    message
        .getUnknownFields()
        .asMap()
        .forEach(
            (number, sent) -> {
              FieldDescriptor field = message.getDescriptorForType().findFieldByNumber(number);
              Object value = field == null || known.containsKey(field) ? null : asSent(field, sent);
              if (value != null) {
                values.put(field.getName(), value);
              }
            });
    return values;
  }

  /**
   * Puts a list item under its own key, such as "bp_info[2]", with the place that it names itself:
   * a device sends its packs one by one, and a list of one pack would say that there are no others.
   * An item without the field has place 0; of two items for one place the later stays; an item with
   * a place that cannot be is left out.
   */
  static void place(
      Map<String, Object> values, String list, FieldDescriptor indexField, Map<String, ?> item) {
    Object index = item.get(indexField.getName());
    if (index == null) {
      index = 0L;
    }
    if (index instanceof Long place && place >= 0 && place <= MAX_INDEX) {
      values.put(list + "[" + place + "]", item);
    }
  }

  private void put(Map<String, Object> values, FieldDescriptor field, Object value) {
    if (field.getType() == FieldDescriptor.Type.BYTES) {
      return;
    }
    if (!field.isRepeated()) {
      values.put(field.getName(), plainItem(field, value));
      return;
    }
    List<?> items = (List<?>) value;
    FieldDescriptor indexField =
        field.getType() == FieldDescriptor.Type.MESSAGE
            ? table.indexField(field.getMessageType())
            : null;
    if (indexField == null) {
      values.put(field.getName(), items.stream().map(item -> plainItem(field, item)).toList());
    } else {
      items.forEach(item -> place(values, field.getName(), indexField, of((Message) item)));
    }
  }

  private Object plainItem(FieldDescriptor field, Object value) {
    return switch (field.getType()) {
      case MESSAGE -> of((Message) value);
      case UINT32, FIXED32 -> Integer.toUnsignedLong((Integer) value);
      case INT32, SINT32, SFIXED32 -> (long) (Integer) value;
      case FLOAT -> plainFloat((Float) value);
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
