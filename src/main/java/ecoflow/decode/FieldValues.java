package ecoflow.decode;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.ExtensionRegistryLite;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.WireFormat;
import ecoflow.decode.Decoded.Dropped;
import ecoflow.decode.MessageType.Field;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The fields of one message: reads them from bytes by the rules of protobuf, and returns them as
 * plain values.
 */
final class FieldValues {

  /** No device sends numbers with more bytes. */
  private static final int MAX_NUMBER_BYTES = 8;

  /** The recursion limit of protobuf for messages and groups. */
  private static final int MAX_DEPTH = 100;

  private static final float MIN_PLAIN = 1e-4f;
  private static final float MAX_PLAIN = 1 << 24;
  private static final int MAX_DECIMALS = 9;

  /** Placeholder for a field that was sent but has no value. */
  private static final Object NO_VALUE = new Object();

  /**
   * A field whose wire type differs from the type in the table.
   *
   * @param value null for bytes and groups, whose meaning is unknown
   */
  private record MistypedField(Field field, int wireType, Object value) {}

  private static final Comparator<MistypedField> BY_NUMBER =
      Comparator.comparingInt((MistypedField mistyped) -> mistyped.field().number())
          .thenComparingInt(mistyped -> mistyped.wireType() == WireFormat.WIRETYPE_FIXED64 ? 1 : 0)
          .thenComparingInt(mistyped -> mistyped.wireType() == WireFormat.WIRETYPE_VARINT ? 0 : 1);

  private final MessageType type;
  private final int depth;
  private final List<Dropped> dropped;

  /** The enclosing message; null for the outermost message. */
  private final FieldValues parent;

  /** The field of {@link #parent} with this message; null for the outermost message. */
  private final Field parentField;

  /** The times of history items by their full key; in the outermost message only. */
  private Map<String, Long> times = Map.of();

  /** Values by position of the field; nested messages are FieldValues. Null for absent fields. */
  private final Object[] sent;

  private final List<MistypedField> mistyped = new ArrayList<>(0);

  /** The positions of the fields that were sent. */
  private final BitSet sentFields = new BitSet();

  private int mistypedCount;

  /**
   * @param dropped receives the dropped values
   */
  FieldValues(MessageType type, List<Dropped> dropped) {
    this(type, null, null, dropped);
  }

  private FieldValues(
      MessageType type, FieldValues parent, Field parentField, List<Dropped> dropped) {
    this.type = type;
    this.depth = parent == null ? 0 : parent.depth + 1;
    this.parent = parent;
    this.parentField = parentField;
    this.dropped = dropped;
    this.sent = new Object[type.fields().size()];
  }

  /**
   * Reads the message. Further calls merge another part of the message as in protobuf: the last
   * value of a field wins, lists are concatenated, nested messages are merged. If the message is
   * truncated, the fields before the end are used, except fields with an unexpected type in the
   * last part.
   */
  void read(CodedInputStream in) throws IOException {
    int tag = in.readTag();
    while (tag != 0 && readField(in, tag)) {
      tag = in.readTag();
    }
    mistypedCount = mistyped.size();
    in.checkLastTagWas(0);
  }

  /** Returns false at an end-group tag, which is not valid here because no group is open. */
  private boolean readField(CodedInputStream in, int tag) throws IOException {
    int wireType = WireFormat.getTagWireType(tag);
    Field field = type.field(WireFormat.getTagFieldNumber(tag));
    if (field == null) {
      return skip(in, tag);
    }
    if (wireType == field.wireType()) {
      if (field.isRepeated()) {
        add(field, value(in, field));
      } else {
        set(field, value(in, field));
      }
      return true;
    }
    if (wireType == WireFormat.WIRETYPE_LENGTH_DELIMITED && field.isPackable()) {
      int limit = in.pushLimit(in.readRawVarint32());
      while (in.getBytesUntilLimit() > 0) {
        add(field, value(in, field));
      }
      in.popLimit(limit);
      return true;
    }
    return readMistyped(in, tag, field);
  }

  private void set(Field field, Object value) {
    sent[field.position()] = value;
    sentFields.set(field.position());
  }

  private void add(Field field, Object item) {
    Object before = sent[field.position()];
    if (item == NO_VALUE) {
      set(field, NO_VALUE);
    } else if (before == null) {
      List<Object> items = new ArrayList<>();
      items.add(item);
      set(field, items);
    } else {
      @SuppressWarnings("unchecked")
      List<Object> items = (List<Object>) before;
      items.add(item);
    }
  }

  private Object value(CodedInputStream in, Field field) throws IOException {
    return switch (field.type()) {
      case UINT32 -> Integer.toUnsignedLong(in.readRawVarint32());
      case FLOAT -> plainFloat(in.readFloat());
      case INT32 -> (long) in.readInt32();
      case BOOL -> in.readBool();
      case STRING -> in.readString();
      case MESSAGE -> message(in, field);
      case BYTES -> bytes(in, field);
      case SINT32 -> (long) in.readSInt32();
      case FIXED32 -> Integer.toUnsignedLong(in.readFixed32());
      case SFIXED32 -> (long) in.readSFixed32();
      case INT64, UINT64 -> in.readRawVarint64();
      case SINT64 -> in.readSInt64();
      case FIXED64, SFIXED64 -> in.readFixed64();
      case DOUBLE -> in.readDouble();
      case ENUM, GROUP -> throw new IllegalStateException("No rule for " + field.type());
    };
  }

  private FieldValues message(CodedInputStream in, Field field) throws IOException {
    int limit = in.pushLimit(in.readRawVarint32());
    FieldValues message =
        sent[field.position()] instanceof FieldValues before
            ? before
            : new FieldValues(field.message(), this, field, dropped);
    message.read(in);
    in.popLimit(limit);
    return message;
  }

  /**
   * The shortest decimal of the float, so that 0.1 does not become 0.10000000149011612. The result
   * is the same as that of {@code Double.parseDouble(Float.toString(value))}, which is many times
   * slower; this was verified for all floats between the bounds, on Java 17 and 25.
   */
  static double plainFloat(float value) {
    if (value == 0) {
      return value;
    }
    float size = Math.abs(value);
    if (size >= MIN_PLAIN && size < MAX_PLAIN) {
      double scale = 1;
      for (int decimals = 0; decimals <= MAX_DECIMALS; decimals++) {
        double decimal = Math.rint(value * scale) / scale;
        if ((float) decimal == value) {
          return decimal;
        }
        scale *= 10;
      }
    }
    return Double.parseDouble(Float.toString(value));
  }

  /** Bytes have no value, unless the table declares them as a number or a bit mask. */
  private static Object bytes(CodedInputStream in, Field field) throws IOException {
    switch (field.bytesRule()) {
      case NUMBER:
        return number(in.readBytes());
      case MASK:
        return bits(in.readBytes());
      default:
        in.skipRawBytes(in.readRawVarint32());
        return NO_VALUE;
    }
  }

  /**
   * The value of a little-endian number; the bytes themselves if there are too many for a number.
   */
  private static Object number(ByteString bytes) {
    if (bytes.size() > MAX_NUMBER_BYTES) {
      return bytes;
    }
    byte[] bigEndian = new byte[bytes.size()];
    for (int i = 0; i < bigEndian.length; i++) {
      bigEndian[i] = bytes.byteAt(bigEndian.length - 1 - i);
    }
    return new BigInteger(1, bigEndian).doubleValue();
  }

  /** True for each set bit, counted from the lowest bit of the first byte; otherwise null. */
  private static List<Boolean> bits(ByteString mask) {
    BitSet set = BitSet.valueOf(mask.toByteArray());
    Boolean[] bits = new Boolean[set.length()];
    set.stream().forEach(bit -> bits[bit] = true);
    return Arrays.asList(bits);
  }

  private boolean skip(CodedInputStream in, int tag) throws IOException {
    if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_START_GROUP) {
      return in.skipField(tag);
    }
    // skipField() has a different depth limit than the parser of the library, so read the group.
    in.setRecursionLimit(MAX_DEPTH - depth);
    in.readGroup(
        WireFormat.getTagFieldNumber(tag),
        UnknownFieldSet.newBuilder(),
        ExtensionRegistryLite.getEmptyRegistry());
    return true;
  }

  private boolean readMistyped(CodedInputStream in, int tag, Field field) throws IOException {
    int wireType = WireFormat.getTagWireType(tag);
    Object value = null;
    switch (wireType) {
      case WireFormat.WIRETYPE_VARINT -> value = in.readRawVarint64();
      case WireFormat.WIRETYPE_FIXED32 -> value = plainFloat(in.readFloat());
      case WireFormat.WIRETYPE_FIXED64 -> value = in.readDouble();
      default -> {
        if (!skip(in, tag)) {
          return false;
        }
      }
    }
    mistyped.add(new MistypedField(field, wireType, value));
    return true;
  }

  /**
   * All fields by name: those that were sent, and those that are 0 or an empty list if they are
   * absent.
   */
  Map<String, Object> all() {
    return withZeros(sent());
  }

  private Map<String, Object> withZeros(Map<String, Object> values) {
    type.zeros().forEach(values::putIfAbsent);
    return values;
  }

  /** The fields that were sent, except those that the table does not contain. */
  Map<String, Object> sent() {
    // Large enough for all fields, so that the map is never resized.
    Map<String, Object> values =
        new LinkedHashMap<>(
            (sentFields.cardinality() + mistypedCount + type.zeros().size()) * 3 / 2 + 1);
    for (int i = sentFields.nextSetBit(0); i >= 0; i = sentFields.nextSetBit(i + 1)) {
      put(values, type.fields().get(i), sent[i]);
    }
    if (mistypedCount > 0) {
      putMistyped(values);
    }
    return values;
  }

  private void put(Map<String, Object> values, Field field, Object value) {
    if (field.message() == null) {
      if (value != NO_VALUE) {
        values.put(field.key(), value);
      }
    } else if (!field.isRepeated()) {
      values.put(field.key(), ((FieldValues) value).all());
    } else {
      ListItems.Rule rule = field.message().listRule();
      List<?> items = (List<?>) value;
      if (rule.equals(ListItems.Rule.BY_POSITION)) {
        List<Object> maps = new ArrayList<>(items.size());
        items.forEach(item -> maps.add(((FieldValues) item).all()));
        values.put(field.key(), maps);
      } else {
        ListItems indexed =
            new ListItems(
                field.key(), rule, values, reason -> drop(field.name(), reason), this::recordTime);
        for (Object item : items) {
          FieldValues fields = (FieldValues) item;
          Map<String, Object> sent = fields.sent();
          // The zeros of rules.csv must not fill an empty slot.
          if (!rule.emptySlots() || !sent.isEmpty()) {
            indexed.put(fields.withZeros(sent));
          }
        }
      }
    }
  }

  /**
   * Adds fields whose wire type differs from the type in the table. The wire type takes precedence,
   * because the firmware of one model sends floats where that of another sends integers. Bytes
   * instead of a number are dropped, because their meaning is unknown. If the field was also sent
   * with the declared type, only that value is used.
   */
  private void putMistyped(Map<String, Object> values) {
    List<MistypedField> sorted =
        mistyped.subList(0, mistypedCount).stream().sorted(BY_NUMBER).toList();
    int end = 0;
    while (end < sorted.size()) {
      Field field = sorted.get(end).field();
      List<Object> items = new ArrayList<>();
      for (; end < sorted.size() && sorted.get(end).field() == field; end++) {
        if (sorted.get(end).value() != null) {
          items.add(sorted.get(end).value());
        }
      }
      if (sent[field.position()] == null) {
        if (items.isEmpty()) {
          drop(field.name(), Dropped.Reason.TYPE);
        } else {
          values.put(field.key(), field.isRepeated() ? items : items.get(items.size() - 1));
        }
      }
    }
  }

  /**
   * Records the time of a history item under its full key. Items within the items of another list
   * have no time.
   */
  private void recordTime(String key, long seconds) {
    StringBuilder fullKey = new StringBuilder(key);
    FieldValues message = this;
    while (message.parent != null) {
      if (message.parentField.isRepeated()) {
        return;
      }
      fullKey.insert(0, message.parentField.key() + ".");
      message = message.parent;
    }
    if (message.times.isEmpty()) {
      message.times = new HashMap<>();
    }
    message.times.put(fullKey.toString(), seconds);
  }

  /** See {@link Decoded#times}. Valid after a call of {@link #all} or {@link #sent}. */
  Map<String, Long> times() {
    return times;
  }

  private void drop(String field, Dropped.Reason reason) {
    dropped.add(new Dropped(field, reason));
  }
}
