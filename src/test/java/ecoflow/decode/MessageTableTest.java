package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import ecoflow.decode.Decoded.Outcome;
import ecoflow.decode.proto.Header;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Decodes random messages of every type and compares the values with the encoded ones. */
class MessageTableTest {

  private static final MessageTable TABLE = MessageTable.load();
  private static final MessageDecoder DECODER = MessageDecoder.load();
  private static final int ROUNDS = 60;

  private final SplittableRandom random = new SplittableRandom(77);
  private double presence;

  static List<MessageTable.Entry> entries() {
    return TABLE.entries();
  }

  @ParameterizedTest
  @MethodSource("entries")
  void decodesEncodedValues(MessageTable.Entry entry) {
    for (int round = 0; round < ROUNDS; round++) {
      presence = round == 0 ? 1 : random.nextDouble();
      Map<String, Object> values = new LinkedHashMap<>();
      Message message = message(TABLE.type(entry), values, random.nextInt(8));
      Header header = header(entry, message.toByteArray());

      Decoded decoded = DECODER.decode(Frames.unmask(header), serial(entry));

      Decoded expected =
          message.getSerializedSize() == 0 && TABLE.zeroFields(TABLE.type(entry)).isEmpty()
              ? new Decoded(entry.cmdFunc(), entry.cmdId(), Outcome.EMPTY, Map.of(), List.of())
              : new Decoded(
                  entry.cmdFunc(), entry.cmdId(), Outcome.DECODED, named(entry, values), List.of());
      assertEquals(expected, TestFrames.withoutTimes(decoded));
    }
  }

  private Header header(MessageTable.Entry entry, byte[] pdata) {
    int seq = random.nextInt();
    for (int i = 0; i < pdata.length; i++) {
      pdata[i] ^= (byte) seq;
    }
    return Header.newBuilder()
        .setPdata(ByteString.copyFrom(pdata))
        .setSrc(3)
        .setEncType(1)
        .setSeq(seq)
        .setCmdFunc(entry.cmdFunc())
        .setCmdId(entry.cmdId())
        .build();
  }

  private static String serial(MessageTable.Entry entry) {
    return entry.route().conditions().stream()
        .filter(condition -> condition.key().equals("sn"))
        .map(condition -> condition.value() + "1TEST")
        .findFirst()
        .orElse("ZZ01TEST");
  }

  private static Map<String, Object> named(MessageTable.Entry entry, Map<String, Object> values) {
    Map<String, Object> named = new HashMap<>();
    if (entry.prefix().endsWith("[]")) {
      named.put(key(entry.listName(), TABLE.type(entry), values), values);
    } else {
      String prefix = entry.prefix().isEmpty() ? "" : entry.prefix() + ".";
      Map<String, String> newNames = TABLE.newNames(entry.message(), entry.route());
      values.forEach((name, value) -> named.put(prefix + newNames.getOrDefault(name, name), value));
    }
    return named;
  }

  /** The key of an item with its place fields. */
  private static String key(String list, Descriptor type, Map<String, Object> item) {
    StringBuilder key = new StringBuilder(list);
    for (String path : TABLE.listRule(type).indexFields()) {
      Object place = item;
      for (String name : path.split("[.]")) {
        place = ((Map<?, ?>) place).get(name);
      }
      key.append(place instanceof String ? "[\"" + place + "\"]" : "[" + place + "]");
    }
    return key.toString();
  }

  /** Whether the field is the place of an item of its message or of an enclosing message. */
  private static boolean isPlace(Descriptor type, FieldDescriptor field) {
    ListItems.Rule rule = TABLE.listRule(type);
    return rule.indexFields().contains(field.getName())
        || field.getName().equals(rule.newestBy())
        || field.getFullName().equals("ecoflow.powerocean.EdevBaseInfo.dev_sn");
  }

  private static boolean containsPlace(Descriptor type, FieldDescriptor field) {
    return TABLE.listRule(type).indexFields().stream()
        .anyMatch(path -> path.startsWith(field.getName() + "."));
  }

  /** Encodes a message and records the expected result in values. */
  private Message message(Descriptor type, Map<String, Object> values, long place) {
    DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
    for (FieldDescriptor field : type.getFields()) {
      if (isPlace(type, field)) {
        boolean text = field.getType() == FieldDescriptor.Type.STRING;
        message.setField(field, text ? "SN" + place : (Object) (int) place);
        values.put(field.getName(), text ? "SN" + place : (Object) place);
      } else if (random.nextDouble() < presence || containsPlace(type, field)) {
        fill(message, field, values, place);
      } else if (TABLE.zeroFields(type).contains(field)) {
        values.put(field.getName(), zero(field));
      }
    }
    return message.build();
  }

  private static Object zero(FieldDescriptor field) {
    if (field.isRepeated()) {
      return List.of();
    }
    return switch (field.getType()) {
      case FLOAT -> 0.0;
      case BOOL -> false;
      default -> 0L;
    };
  }

  private void fill(
      DynamicMessage.Builder message,
      FieldDescriptor field,
      Map<String, Object> values,
      long placeAround) {
    if (!field.isRepeated()) {
      Object plain = value(field, placeAround, sent -> message.setField(field, sent));
      if (plain != null) {
        values.put(field.getName(), plain);
      }
      return;
    }
    boolean placed =
        field.getType() == FieldDescriptor.Type.MESSAGE
            && !TABLE.listRule(field.getMessageType()).equals(ListItems.Rule.BY_POSITION);
    int place = 0;
    List<Object> list = new ArrayList<>();
    for (int items = random.nextInt(1, 4); items > 0; items--) {
      place += random.nextInt(1, 4);
      Object item = value(field, place, sent -> message.addRepeatedField(field, sent));
      list.add(item);
      if (placed) {
        @SuppressWarnings("unchecked")
        Map<String, Object> members = (Map<String, Object>) item;
        values.put(key(field.getName(), field.getMessageType(), members), item);
      }
    }
    if (!placed && (field.getType() != FieldDescriptor.Type.BYTES || TABLE.isNumber(field))) {
      values.put(field.getName(), list);
    }
  }

  /** Encodes a value and returns the expected result; null for bytes, which are ignored. */
  private Object value(FieldDescriptor field, long place, Consumer<Object> send) {
    boolean zero = random.nextInt(3) == 0;
    int number = zero ? 0 : random.nextInt() >> random.nextInt(32);
    switch (field.getType()) {
      case MESSAGE -> {
        Map<String, Object> values = new HashMap<>();
        send.accept(message(field.getMessageType(), values, place));
        return values;
      }
      case UINT32, FIXED32 -> {
        send.accept(number);
        return number & 0xffffffffL;
      }
      case INT32, SINT32 -> {
        send.accept(number);
        return (long) number;
      }
      case UINT64 -> {
        send.accept((long) number);
        return (long) number;
      }
      case FLOAT -> {
        float decimal = number / 100f;
        send.accept(decimal);
        return Double.parseDouble(Float.toString(decimal));
      }
      case BOOL -> {
        send.accept(!zero);
        return !zero;
      }
      case STRING -> {
        String text = zero ? "" : "\u00fc" + number;
        send.accept(text);
        return text;
      }
      case BYTES -> {
        if (TABLE.isNumber(field)) {
          send.accept(ByteString.copyFrom(new byte[] {(byte) number, (byte) (number >> 8)}));
          return (double) (number & 0xffff);
        }
        if (TABLE.isMask(field)) {
          send.accept(ByteString.copyFrom(new byte[] {0b101}));
          return Arrays.asList(true, null, true);
        }
        send.accept(ByteString.copyFromUtf8("x" + number));
        return null;
      }
      default -> throw new IllegalStateException(field.getFullName());
    }
  }
}
