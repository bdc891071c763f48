package ecoflow.decode;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import ecoflow.decode.Decoded.Dropped;
import ecoflow.decode.Decoded.Outcome;
import ecoflow.decode.proto.Header;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reference implementation of {@link MessageDecoder} with the parser of the protobuf library, which
 * handles merging, damage, unknown fields and the rest of the wire format correctly.
 */
final class DynamicDecoder {

  private final MessageTable table;
  private final List<Dropped> dropped = new ArrayList<>();

  private DynamicDecoder(MessageTable table) {
    this.table = table;
  }

  /** Decodes the message of a line of the table. */
  static Decoded decode(MessageTable table, MessageTable.Entry entry, Header header) {
    return new DynamicDecoder(table).decode(entry, header);
  }

  private Decoded decode(MessageTable.Entry entry, Header header) {
    Descriptor type = table.type(entry);
    if (header.getPdata().isEmpty() && table.zeroFields(type).isEmpty()) {
      return new Decoded(
          header.getCmdFunc(), header.getCmdId(), Outcome.EMPTY, Map.of(), List.of());
    }
    DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
    Outcome outcome = Outcome.DECODED;
    Map<String, Object> values;
    try {
      message.mergeFrom(header.getPdata().toByteArray());
      values = all(message.build());
    } catch (InvalidProtocolBufferException e) {
      outcome = Outcome.BROKEN;
      values = sent(message.buildPartial());
      List<String> place = table.listRule(type).indexFields();
      if (entry.isListItem() && !values.keySet().containsAll(place)) {
        values = Map.of();
      }
    }
    return new Decoded(
        header.getCmdFunc(),
        header.getCmdId(),
        outcome,
        placed(entry, type, values),
        List.copyOf(dropped));
  }

  private Map<String, Object> placed(
      MessageTable.Entry entry, Descriptor type, Map<String, Object> values) {
    Map<String, String> newNames = table.newNames(entry.message(), entry.route());
    if ((entry.prefix().isEmpty() && newNames.isEmpty()) || values.isEmpty()) {
      return values;
    }
    Map<String, Object> placed = new LinkedHashMap<>();
    if (entry.isListItem()) {
      items(entry.listName(), table.listRule(type), placed).put(values);
    } else {
      String start = entry.prefix().isEmpty() ? "" : entry.prefix() + ".";
      values.forEach((name, value) -> placed.put(start + newNames.getOrDefault(name, name), value));
    }
    return placed;
  }

  private ListItems items(String list, ListItems.Rule rule, Map<String, Object> values) {
    return new ListItems(
        list,
        rule,
        values,
        reason -> dropped.add(new Dropped(list, reason)),
        (key, seconds) -> {
          // See HistoriesTest.
        });
  }

  private Map<String, Object> all(Message message) {
    return withZeros(message, sent(message));
  }

  private Map<String, Object> withZeros(Message message, Map<String, Object> values) {
    for (FieldDescriptor field : table.zeroFields(message.getDescriptorForType())) {
      values.putIfAbsent(
          field.getName(),
          field.isRepeated() ? List.of() : plainItem(field, field.getDefaultValue()));
    }
    return values;
  }

  private Map<String, Object> sent(Message message) {
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
      ListItems placed = items(field.getName(), rule, values);
      for (Object item : items) {
        Map<String, Object> sent = sent((Message) item);
        if (!rule.emptySlots() || !sent.isEmpty()) {
          placed.put(withZeros((Message) item, sent));
        }
      }
    }
  }

  private Object plainItem(FieldDescriptor field, Object value) {
    return switch (field.getType()) {
      case MESSAGE -> all((Message) value);
      case UINT32, FIXED32 -> Integer.toUnsignedLong((Integer) value);
      case INT32, SINT32, SFIXED32 -> (long) (Integer) value;
      case FLOAT -> plainFloat((Float) value);
      default -> value;
    };
  }

  private void putBytes(Map<String, Object> values, FieldDescriptor field, Object value) {
    if (table.isMask(field)) {
      values.put(field.getName(), bits((ByteString) value));
    } else if (table.isNumber(field)) {
      values.put(
          field.getName(),
          field.isRepeated()
              ? ((List<?>) value).stream().map(item -> number((ByteString) item)).toList()
              : number((ByteString) value));
    }
  }

  private static Object number(ByteString bytes) {
    if (bytes.size() > 8) {
      return bytes;
    }
    byte[] highestFirst = new byte[bytes.size()];
    for (int i = 0; i < highestFirst.length; i++) {
      highestFirst[i] = bytes.byteAt(highestFirst.length - 1 - i);
    }
    return new BigInteger(1, highestFirst).doubleValue();
  }

  private static List<Boolean> bits(ByteString mask) {
    BitSet set = BitSet.valueOf(mask.toByteArray());
    Boolean[] bits = new Boolean[set.length()];
    set.stream().forEach(bit -> bits[bit] = true);
    return Arrays.asList(bits);
  }

  private static Double plainFloat(float value) {
    return Double.valueOf(Float.toString(value));
  }

  private void putAsSent(
      Map<String, Object> values, FieldDescriptor field, UnknownFieldSet.Field sent) {
    List<Object> items = new ArrayList<>(sent.getVarintList());
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
