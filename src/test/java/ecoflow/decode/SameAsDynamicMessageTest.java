package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.WireFormat;
import ecoflow.decode.Decoded.Outcome;
import ecoflow.decode.proto.Header;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Compares the decoder with the parser of the protobuf library for random bytes and every message
 * of the tables: values, their order, and dropped fields must be equal.
 */
class SameAsDynamicMessageTest {

  private static final MessageTable TABLE = MessageTable.load();
  private static final MessageDecoder DECODER = MessageDecoder.load();
  private static final long SEED = 4711;
  private static final int ROUNDS = 150;
  private static final int MAX_DEPTH = 120;

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final Map<Outcome, Integer> outcomes = new EnumMap<>(Outcome.class);
  private int damagedWithValues;
  private int dropped;

  @Test
  void readsEveryMessageAsDynamicMessageDoes() {
    List<MessageTable.Entry> entries = TABLE.entries();
    for (MessageTable.Entry entry : entries) {
      compare(entry, new byte[0]);
      for (int round = 0; round < ROUNDS; round++) {
        compare(entry, perhapsDamaged(message(TABLE.type(entry), 0)));
      }
    }

    int all = entries.size() * ROUNDS;
    assertTrue(outcomes.get(Outcome.DECODED) > all / 4, outcomes.toString());
    assertTrue(outcomes.get(Outcome.BROKEN) > all / 4, outcomes.toString());
    assertTrue(damagedWithValues > all / 8, "damaged messages with values: " + damagedWithValues);
    assertTrue(dropped > all / 8, "messages with dropped fields: " + dropped);
  }

  @Test
  void hasSameDepthLimitForGroups() {
    MessageTable.Entry entry =
        TABLE.entries().stream().filter(e -> e.cmdFunc() == 254).findFirst().orElseThrow();
    for (int depth = 90; depth < MAX_DEPTH; depth++) {
      byte[] groups = groups(2000, depth);
      compare(entry, groups);
      for (FieldDescriptor field : TABLE.type(entry).getFields()) {
        if (field.getType() == FieldDescriptor.Type.MESSAGE) {
          compare(entry, nested(field.getNumber(), groups));
        }
      }
    }

    assertTrue(outcomes.get(Outcome.DECODED) > 0, outcomes.toString());
    assertTrue(outcomes.get(Outcome.BROKEN) > 0, outcomes.toString());
  }

  private void compare(MessageTable.Entry entry, byte[] message) {
    Header header =
        Header.newBuilder()
            .setPdata(ByteString.copyFrom(message))
            .setSrc(2)
            .setCmdFunc(entry.cmdFunc())
            .setCmdId(entry.cmdId())
            .build();
    String serial =
        entry.route().conditions().stream()
            .filter(condition -> condition.key().equals("sn"))
            .map(condition -> condition.value() + "1TEST")
            .findFirst()
            .orElse("ZZ01TEST");
    assertEquals(entry, TABLE.find(header, serial), "the line matches");

    Decoded expected = DynamicDecoder.decode(TABLE, entry, header);
    Decoded decoded = DECODER.decode(header, serial);

    String what = entry.message() + " " + HexFormat.of().formatHex(message);
    assertEquals(expected, TestFrames.withoutTimes(decoded), what);
    assertEquals(order(expected.values()), order(decoded.values()), what);
    outcomes.merge(expected.outcome(), 1, Integer::sum);
    dropped += expected.dropped().isEmpty() ? 0 : 1;
    boolean isSalvaged = expected.outcome() == Outcome.BROKEN && !expected.values().isEmpty();
    damagedWithValues += isSalvaged ? 1 : 0;
  }

  /** All keys in their order, including those of nested messages. */
  private static List<Object> order(Object value) {
    List<Object> order = new ArrayList<>();
    if (value instanceof Map<?, ?> map) {
      map.forEach(
          (key, inner) -> {
            order.add(key);
            order.addAll(order(inner));
          });
    } else if (value instanceof List<?> list) {
      list.forEach(inner -> order.addAll(order(inner)));
    }
    return order;
  }

  private byte[] perhapsDamaged(byte[] message) {
    byte[] bytes = message;
    switch (random.nextInt(4)) {
      case 0 -> bytes = Arrays.copyOf(message, random.nextInt(message.length + 1));
      case 1 -> {
        for (int hits = random.nextInt(3); hits >= 0 && bytes.length > 0; hits--) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
      }
      default -> {
        // Unchanged.
      }
    }
    return bytes;
  }

  /** Fields in random order, some repeated, most with the declared type. */
  private byte[] message(Descriptor type, int depth) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    List<FieldDescriptor> fields = type.getFields();
    int few = random.nextInt(1, 1 + random.nextInt(1, 12));
    FieldDescriptor field = null;
    try {
      for (int count = random.nextInt(depth == 0 ? 20 : 6); count > 0; count--) {
        if (field == null || random.nextInt(4) > 0) {
          field =
              fields.get(
                  random.nextInt(random.nextBoolean() ? fields.size() : few) % fields.size());
        }
        switch (random.nextInt(20)) {
          case 0 -> odd(out, random.nextInt(1, 2000));
          case 1, 2 -> odd(out, field.getNumber());
          default -> sent(out, field, depth);
        }
      }
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private void sent(CodedOutputStream out, FieldDescriptor field, int depth) throws IOException {
    int number = field.getNumber();
    if (field.getType() == FieldDescriptor.Type.MESSAGE) {
      out.writeByteArray(number, message(field.getMessageType(), depth + 1));
    } else if (field.isPackable() && random.nextInt(3) > 0) {
      ByteArrayOutputStream items = new ByteArrayOutputStream();
      CodedOutputStream packed = CodedOutputStream.newInstance(items);
      for (int count = random.nextInt(5); count > 0; count--) {
        content(packed, field);
      }
      packed.flush();
      out.writeByteArray(number, items.toByteArray());
    } else {
      out.writeTag(number, field.getLiteType().getWireType());
      content(out, field);
    }
  }

  private void content(CodedOutputStream out, FieldDescriptor field) throws IOException {
    switch (field.getLiteType().getWireType()) {
      case WireFormat.WIRETYPE_VARINT -> out.writeUInt64NoTag(number());
      case WireFormat.WIRETYPE_FIXED32 -> out.writeFloatNoTag(decimal());
      case WireFormat.WIRETYPE_FIXED64 -> out.writeFixed64NoTag(random.nextLong());
      default -> {
        byte[] text = new byte[random.nextInt(random.nextInt(4) == 0 ? 12 : 4)];
        random.nextBytes(text);
        for (int i = 0; i < text.length && random.nextInt(4) > 0; i++) {
          text[i] = (byte) ('0' + (text[i] & 7));
        }
        out.writeByteArrayNoTag(text);
      }
    }
  }

  private long number() {
    return switch (random.nextInt(4)) {
      case 0 -> 0;
      case 1 -> random.nextLong() >> random.nextInt(64);
      case 2 -> random.nextInt(4);
      default -> random.nextInt(1 << random.nextInt(1, 31));
    };
  }

  private float decimal() {
    return switch (random.nextInt(4)) {
      case 0 -> Float.intBitsToFloat(random.nextInt());
      case 1 -> (float) number();
      default -> number() / (float) Math.pow(10, random.nextInt(5));
    };
  }

  /** A field with any of the eight wire types. */
  private void odd(CodedOutputStream out, int number) throws IOException {
    int wireType = random.nextInt(20) == 0 ? random.nextInt(8) : random.nextInt(4) % 3;
    switch (random.nextInt(8) == 0 ? WireFormat.WIRETYPE_FIXED32 : wireType) {
      case WireFormat.WIRETYPE_VARINT -> out.writeUInt64(number, number());
      case WireFormat.WIRETYPE_FIXED64 -> out.writeDouble(number, decimal());
      case WireFormat.WIRETYPE_FIXED32 -> out.writeFloat(number, decimal());
      case WireFormat.WIRETYPE_LENGTH_DELIMITED ->
          out.writeByteArray(number, new byte[random.nextInt(4)]);
      case WireFormat.WIRETYPE_START_GROUP ->
          out.writeRawBytes(groups(number, random.nextInt(1, 4)));
      default -> out.writeTag(number, wireType);
    }
  }

  private static byte[] nested(int number, byte[] message) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      out.writeByteArray(number, message);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Nested groups with a number in the innermost one. */
  private static byte[] groups(int number, int depth) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      for (int i = 0; i < depth; i++) {
        out.writeTag(number, WireFormat.WIRETYPE_START_GROUP);
      }
      out.writeUInt32(number, 7);
      for (int i = 0; i < depth; i++) {
        out.writeTag(number, WireFormat.WIRETYPE_END_GROUP);
      }
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
