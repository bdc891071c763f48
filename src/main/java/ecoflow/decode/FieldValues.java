package ecoflow.decode;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import ecoflow.decode.Decoded.Dropped;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The fields of one message as plain values. */
final class FieldValues {

  /** More bytes than this do not fit any number that a device counts in. */
  private static final int MAX_NUMBER_BYTES = 8;

  private final MessageTable table;
  private final List<Dropped> dropped = new ArrayList<>();

  FieldValues(MessageTable table) {
    this.table = table;
  }

  /** What was left out so far. */
  List<Dropped> dropped() {
    return List.copyOf(dropped);
  }

  /** Every field by name: those that were sent and those whose absence means 0, or no items. */
  Map<String, Object> of(Message message) {
    Map<String, Object> values = sent(message);
    for (FieldDescriptor field : table.zeroFields(message.getDescriptorForType())) {
      values.putIfAbsent(
          field.getName(),
          field.isRepeated() ? List.of() : plainItem(field, field.getDefaultValue()));
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
              if (field != null && !known.containsKey(field)) {
                putAsSent(values, field, sent);
              }
            });
    return values;
  }

  /** Puts an item that came as a message of its own where it belongs in its list. */
  void putItem(
      Map<String, Object> values, String list, ListItems.Rule rule, Map<String, Object> item) {
    new ListItems(list, rule, values, dropped::add).put(item);
  }

  private void put(Map<String, Object> values, FieldDescriptor field, Object value) {
    if (field.getType() == FieldDescriptor.Type.BYTES) {
      putBytes(values, field, value);
      return;
    }
    if (!field.isRepeated()) {
      values.put(field.getName(), plainItem(field, value));
      return;
    }
    List<?> items = (List<?>) value;
    ListItems.Rule rule =
        field.getType() == FieldDescriptor.Type.MESSAGE
            ? table.listRule(field.getMessageType())
            : ListItems.Rule.BY_POSITION;
    if (rule.equals(ListItems.Rule.BY_POSITION)) {
      values.put(field.getName(), items.stream().map(item -> plainItem(field, item)).toList());
    } else {
      ListItems placed = new ListItems(field.getName(), rule, values, dropped::add);
      items.forEach(item -> placed.put(of((Message) item)));
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

  /** Bytes are no value, but for those that the table knows to be a number or a bit mask. */
  private void putBytes(Map<String, Object> values, FieldDescriptor field, Object value) {
    if (table.isMask(field)) {
      values.put(field.getName(), bits((ByteString) value));
    } else if (table.isNumber(field)) {
      Object number =
          field.isRepeated()
              ? ((List<?>) value).stream().map(item -> number((ByteString) item)).toList()
              : number((ByteString) value);
      values.put(field.getName(), number);
    }
  }

  /**
   * The number that the bytes are, lowest byte first; the bytes themselves, which are no value, if
   * they are too many for a number.
   */
  private static Object number(ByteString bytes) {
    if (bytes.size() > MAX_NUMBER_BYTES) {
      return bytes;
    }
    byte[] highestFirst = new byte[bytes.size()];
    for (int i = 0; i < highestFirst.length; i++) {
      highestFirst[i] = bytes.byteAt(highestFirst.length - 1 - i);
    }
    return new BigInteger(1, highestFirst).doubleValue();
  }

  /** True at the number of each set bit, counted from the lowest of the first byte; else null. */
  private static List<Boolean> bits(ByteString mask) {
    BitSet set = BitSet.valueOf(mask.toByteArray());
    Boolean[] bits = new Boolean[set.length()];
    set.stream().forEach(bit -> bits[bit] = true);
    return Arrays.asList(bits);
  }

  /** The shortest decimal of the float, so that 0.1 does not turn into 0.10000000149011612. */
  private static Double plainFloat(float value) {
    return Double.valueOf(Float.toString(value));
  }

  /**
   * Puts a field that came with another wire type than the table has: firmware of one family sends
   * as float what another sends as integer, and the wire decides. Bytes in place of a number could
   * be anything, so they are dropped.
   */
  private void putAsSent(
      Map<String, Object> values, FieldDescriptor field, UnknownFieldSet.Field sent) {
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
    if (items.isEmpty()) {
      dropped.add(new Dropped(field.getName(), Dropped.Reason.TYPE));
    } else {
      values.put(field.getName(), field.isRepeated() ? items : items.get(items.size() - 1));
    }
  }
}
