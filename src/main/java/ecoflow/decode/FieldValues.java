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
 * The fields of one message: first read from its bytes, by the rules of protobuf, then given out as
 * plain values.
 */
final class FieldValues {

  /** More bytes than this do not fit any number that a device counts in. */
  private static final int MAX_NUMBER_BYTES = 8;

  /** As deep as protobuf goes into messages and groups. */
  private static final int MAX_DEPTH = 100;

  private static final float MIN_PLAIN = 1e-4f;
  private static final float MAX_PLAIN = 1 << 24;
  private static final int MAX_DECIMALS = 9;

  /** In place of a field that was sent but has no value. */
  private static final Object NO_VALUE = new Object();

  /**
   * A field that came with another wire type than the table has.
   *
   * @param value null for bytes and groups, which could be anything
   */
  private record OddField(Field field, int wireType, Object value) {}

  private static final Comparator<OddField> BY_NUMBER =
      Comparator.comparingInt((OddField odd) -> odd.field().number())
          .thenComparingInt(odd -> odd.wireType() == WireFormat.WIRETYPE_FIXED64 ? 1 : 0)
          .thenComparingInt(odd -> odd.wireType() == WireFormat.WIRETYPE_VARINT ? 0 : 1);

  private final MessageType type;
  private final int depth;
  private final List<Dropped> dropped;

  /** The message around this one and the field that it is there; null for the outermost. */
  private final FieldValues parent;

  private final Field place;

  /** Of the outermost message: the times of items of histories by their whole key. */
  private Map<String, Long> times = Map.of();

  /** By place of the field; messages within are FieldValues. Null for what was not sent. */
  private final Object[] sent;

  private final List<OddField> odd = new ArrayList<>(0);

  /** The places of what was sent. */
  private final BitSet places = new BitSet();

  private int oddFields;

  /**
   * @param dropped takes what is left out
   */
  FieldValues(MessageType type, List<Dropped> dropped) {
    this(type, null, null, dropped);
  }

  private FieldValues(MessageType type, FieldValues parent, Field place, List<Dropped> dropped) {
    this.type = type;
    this.depth = parent == null ? 0 : parent.depth + 1;
    this.parent = parent;
    this.place = place;
    this.dropped = dropped;
    this.sent = new Object[type.fields().size()];
  }

  /**
   * Reads the message, or what comes of it once more: the last value of a field stays, lists grow,
   * messages within are merged. Of a message that breaks off, what was read so far stays, without
   * the fields of another type in the piece that broke off.
   */
  void read(CodedInputStream in) throws IOException {
    int tag = in.readTag();
    while (tag != 0 && readField(in, tag)) {
      tag = in.readTag();
    }
    oddFields = odd.size();
    in.checkLastTagWas(0);
  }

  /** False at the end of a group, of which there is none. */
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
    return readOdd(in, tag, field);
  }

  private void set(Field field, Object value) {
    sent[field.place()] = value;
    places.set(field.place());
  }

  private void add(Field field, Object item) {
    Object before = sent[field.place()];
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
        sent[field.place()] instanceof FieldValues before
            ? before
            : new FieldValues(field.message(), this, field, dropped);
    message.read(in);
    in.popLimit(limit);
    return message;
  }

  /**
   * The shortest decimal of the float, so that 0.1 does not turn into 0.10000000149011612: the same
   * as {@code Double.parseDouble(Float.toString(value))}, which costs many times as much. Between
   * the bounds this was compared for every float there is, on Java 17 and 25.
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

  /** Bytes are no value, but for those that the table knows to be a number or a bit mask. */
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

  private boolean skip(CodedInputStream in, int tag) throws IOException {
    if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_START_GROUP) {
      return in.skipField(tag);
    }
    // Skipping a group stops at another depth than reading it does.
    in.setRecursionLimit(MAX_DEPTH - depth);
    in.readGroup(
        WireFormat.getTagFieldNumber(tag),
        UnknownFieldSet.newBuilder(),
        ExtensionRegistryLite.getEmptyRegistry());
    return true;
  }

  private boolean readOdd(CodedInputStream in, int tag, Field field) throws IOException {
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
    odd.add(new OddField(field, wireType, value));
    return true;
  }

  /** Every field by name: those that were sent and those whose absence means 0, or no items. */
  Map<String, Object> all() {
    return withZeros(sent());
  }

  private Map<String, Object> withZeros(Map<String, Object> values) {
    type.zeros().forEach(values::putIfAbsent);
    return values;
  }

  /** Only fields that were sent. Fields of a number that the table lacks are left out. */
  Map<String, Object> sent() {
    // Room for all, so that the map need not grow.
    Map<String, Object> values =
        new LinkedHashMap<>((places.cardinality() + oddFields + type.zeros().size()) * 3 / 2 + 1);
    for (int place = places.nextSetBit(0); place >= 0; place = places.nextSetBit(place + 1)) {
      put(values, type.fields().get(place), sent[place]);
    }
    if (oddFields > 0) {
      putOdd(values);
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
        ListItems placed =
            new ListItems(
                field.key(), rule, values, reason -> drop(field.name(), reason), this::noteTime);
        for (Object item : items) {
          FieldValues fields = (FieldValues) item;
          Map<String, Object> sent = fields.sent();
          // The zeros of rules.csv do not fill an empty slot.
          if (!rule.emptySlots() || !sent.isEmpty()) {
            placed.put(fields.withZeros(sent));
          }
        }
      }
    }
  }

  /**
   * Puts fields that came with another wire type than the table has: firmware of one family sends
   * as float what another sends as integer, and the wire decides. Bytes in place of a number could
   * be anything, so they are dropped. So is all this where the field came with its own type too.
   */
  private void putOdd(Map<String, Object> values) {
    List<OddField> sorted = odd.subList(0, oddFields).stream().sorted(BY_NUMBER).toList();
    int end = 0;
    while (end < sorted.size()) {
      Field field = sorted.get(end).field();
      List<Object> items = new ArrayList<>();
      for (; end < sorted.size() && sorted.get(end).field() == field; end++) {
        if (sorted.get(end).value() != null) {
          items.add(sorted.get(end).value());
        }
      }
      if (sent[field.place()] == null) {
        if (items.isEmpty()) {
          drop(field.name(), Dropped.Reason.TYPE);
        } else {
          values.put(field.key(), field.isRepeated() ? items : items.get(items.size() - 1));
        }
      }
    }
  }

  /** An item within an item of another list is compared within its message alone. */
  private void noteTime(String key, long seconds) {
    StringBuilder whole = new StringBuilder(key);
    FieldValues around = this;
    while (around.parent != null) {
      if (around.place.isRepeated()) {
        return;
      }
      whole.insert(0, around.place.key() + ".");
      around = around.parent;
    }
    if (around.times.isEmpty()) {
      around.times = new HashMap<>();
    }
    around.times.put(whole.toString(), seconds);
  }

  /** As in {@link Decoded}; to be asked after the values. */
  Map<String, Long> times() {
    return times;
  }

  private void drop(String field, Dropped.Reason reason) {
    dropped.add(new Dropped(field, reason));
  }
}
