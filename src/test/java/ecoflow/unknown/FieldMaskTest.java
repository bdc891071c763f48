package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import ecoflow.decode.proto.Header;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FieldMaskTest {

  private static final String OWN = "R331ZEB4ZEAL0528";
  private static final String BATTERY = "HJ31ZDH5ZG5W0052";

  private static ByteString text(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static Field bytes(ByteString... values) {
    Field.Builder field = Field.newBuilder();
    for (ByteString value : values) {
      field.addLengthDelimited(value);
    }
    return field.build();
  }

  private static Field numbers(long... values) {
    Field.Builder field = Field.newBuilder();
    for (long value : values) {
      field.addVarint(value);
    }
    return field.build();
  }

  private static byte[] masked(byte[] message) throws Exception {
    Pseudonyms pseudonyms = new Pseudonyms(0);
    pseudonyms.of(OWN);
    pseudonyms.of(BATTERY);
    Header header =
        Header.newBuilder()
            .setPdata(ByteString.copyFrom(message))
            .setCmdFunc(254)
            .setFrom(text("Android"))
            .setDeviceSn(text(OWN))
            .build();
    FieldMask mask = new FieldMask(new Mask(List.of("Anna's van"), List.of(OWN), pseudonyms));
    byte[] bytes = mask.header(header.toByteArray(), Optional.empty());
    assertEquals(header.toByteArray().length, bytes.length);
    Header after = Header.parseFrom(bytes);
    assertEquals(254, after.getCmdFunc());
    assertEquals("Android", after.getFrom().toStringUtf8());
    assertEquals("R331XXXXXXXX0001", after.getDeviceSn().toStringUtf8());
    assertEquals(message.length, after.getPdata().size());
    return after.getPdata().toByteArray();
  }

  private static UnknownFieldSet masked(UnknownFieldSet message) throws Exception {
    return UnknownFieldSet.parseFrom(masked(message.toByteArray()));
  }

  private static String masked(String text) throws Exception {
    UnknownFieldSet message =
        UnknownFieldSet.newBuilder()
            .addField(1, numbers(300))
            .addField(2, bytes(text(text)))
            .addField(6, numbers(50))
            .build();
    UnknownFieldSet after = masked(message);
    assertEquals(List.of(300L), after.getField(1).getVarintList());
    assertEquals(List.of(50L), after.getField(6).getVarintList());
    return after.getField(2).getLengthDelimitedList().get(0).toStringUtf8();
  }

  /**
   * The tag of the next field is a digit or a letter, and must not be treated as part of the text.
   */
  @Test
  void tagsNextToTextAreKept() throws Exception {
    assertEquals("R331XXXXXXXX0001", masked(OWN));
    assertEquals("HJ31XXXXXXXX0002", masked(BATTERY));
    assertEquals("hj31XXXXXXXX0002", masked("hj31zdh5zg5w0052"));
  }

  @Test
  void allTextsAreMaskedAsPossibleNames() throws Exception {
    assertEquals("xxxxx!xxx 0000 xx", masked("FRITZ!Box 7590 AB"));
    assertEquals("xxxxxx/xxxxxx", masked("Europe/Berlin"));
    assertEquals("xxxxxx", masked("K\u00fcche"));
    assertEquals("V1.0.0", masked("V1.0.0"));
    assertEquals("3.65", masked("3.65"));
    assertEquals("{\"ssid\":\"xxxx\",\"soc\":5}", masked("{\"ssid\":\"Home\",\"soc\":5}"));
    assertEquals("000.000.0.00", masked("192.168.1.24"));
  }

  @Test
  void numbersAreKeptButUserIdsAreMasked() throws Exception {
    UnknownFieldSet message =
        UnknownFieldSet.newBuilder()
            .addField(1, numbers(1_792_345_678_901L, 88, -1, 1_792_345_678_901_234_567L))
            .addField(2, Field.newBuilder().addFixed32(Float.floatToIntBits(48.5f)).build())
            .build();
    UnknownFieldSet after = masked(message);
    assertEquals(List.of(1_792_345_678_901L, 88L, -1L, 0L), after.getField(1).getVarintList());
    assertEquals(message.getField(2), after.getField(2));
  }

  @Test
  void nestedMessagesKeepTheirStructure() throws Exception {
    ByteString inner =
        UnknownFieldSet.newBuilder()
            .addField(4, bytes(text(BATTERY), text("Anna's van")))
            .addField(5, numbers(65))
            .build()
            .toByteString();
    UnknownFieldSet message = UnknownFieldSet.newBuilder().addField(3, bytes(inner, inner)).build();
    for (ByteString after : masked(message).getField(3).getLengthDelimitedList()) {
      UnknownFieldSet fields = UnknownFieldSet.parseFrom(after);
      assertEquals(
          List.of(text("HJ31XXXXXXXX0002"), text("xxxxxxxxxx")),
          fields.getField(4).getLengthDelimitedList());
      assertEquals(List.of(65L), fields.getField(5).getVarintList());
    }
  }

  @Test
  void serialNumbersInPartsAreMasked() throws Exception {
    for (String serial : List.of(OWN, BATTERY, BATTERY.toLowerCase())) {
      UnknownFieldSet halves =
          UnknownFieldSet.newBuilder()
              .addField(1, bytes(text(serial.substring(0, 8))))
              .addField(2, bytes(text(serial.substring(8))))
              .build();
      assertNone(serial, masked(halves).getField(1).getLengthDelimitedList().get(0).toByteArray());
      assertNone(serial, masked(halves).getField(2).getLengthDelimitedList().get(0).toByteArray());
      UnknownFieldSet words =
          UnknownFieldSet.newBuilder()
              .addField(
                  1,
                  Field.newBuilder()
                      .addFixed64(word(serial, 0).getLong())
                      .addFixed64(word(serial, 8).getLong())
                      .build())
              .build();
      assertNone(serial, masked(words.toByteArray()));
      UnknownFieldSet characters =
          UnknownFieldSet.newBuilder()
              .addField(7, numbers(serial.chars().mapToLong(c -> c).toArray()))
              .addField(8, numbers(77))
              .build();
      UnknownFieldSet after = masked(characters);
      assertEquals(
          serial.substring(0, 4) + "X".repeat(8) + (serial.equals(OWN) ? "0001" : "0002"),
          after.getField(7).getVarintList().stream()
              .map(c -> Character.toString(c.intValue()))
              .reduce("", String::concat));
      assertEquals(List.of(77L), after.getField(8).getVarintList());
    }
  }

  private static ByteBuffer word(String serial, int start) {
    return ByteBuffer.wrap(serial.getBytes(UTF_8), start, 8).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void assertNone(String serial, byte[] masked) {
    String text = new String(masked, ISO_8859_1);
    for (int i = 4; i + 4 <= serial.length(); i++) {
      String part = serial.substring(i, i + 4);
      assertEquals(-1, text.indexOf(part), text);
    }
  }

  @Test
  void otherEncodingsAreMasked() throws Exception {
    UnknownFieldSet message =
        UnknownFieldSet.newBuilder()
            .addField(1, bytes(ByteString.copyFrom(BATTERY, UTF_16LE)))
            .addField(2, bytes(ByteString.copyFrom("MyWLAN", UTF_16BE)))
            .addField(3, bytes(text(Base64.getEncoder().encodeToString(BATTERY.getBytes(UTF_8)))))
            .build();
    UnknownFieldSet after = masked(message);
    assertEquals(
        "HJ31XXXXXXXX0002", after.getField(1).getLengthDelimitedList().get(0).toString(UTF_16LE));
    assertEquals("xxxxxx", after.getField(2).getLengthDelimitedList().get(0).toString(UTF_16BE));
    String base64 = after.getField(3).getLengthDelimitedList().get(0).toStringUtf8();
    assertEquals(-1, new String(Base64.getDecoder().decode(base64), UTF_8).indexOf("ZDH5"));
  }

  @Test
  void coordinatesInPairsAreMasked() throws Exception {
    UnknownFieldSet message =
        UnknownFieldSet.newBuilder()
            .addField(3, fixed64(48.137154))
            .addField(4, fixed64(11.576124))
            .addField(6, fixed64(230.1))
            .addField(7, fixed64(49.98))
            .build();
    UnknownFieldSet after = masked(message);
    assertEquals(List.of(0L), after.getField(3).getFixed64List());
    assertEquals(List.of(0L), after.getField(4).getFixed64List());
    assertEquals(message.getField(6), after.getField(6));
    assertEquals(message.getField(7), after.getField(7));
  }

  /** Each of these names is also a valid message. */
  @Test
  void namesThatAreValidMessagesAreMasked() throws Exception {
    for (String name : List.of("Maria", "Emily", "Maxim", "Paxi")) {
      UnknownFieldSet.parseFrom(text(name));
      assertEquals("x".repeat(name.length()), masked(name));
    }
    assertEquals("xxxx\0\0\0\0\0\0", masked("Anna\0\0\0\0\0\0"));
    assertEquals("\u0004xxxx\0", masked("\u0004Anna\0"));
    ByteString latin = ByteString.copyFrom("K\u00fcche", ISO_8859_1);
    UnknownFieldSet message = UnknownFieldSet.newBuilder().addField(1, bytes(latin)).build();
    assertEquals(bytes(text("xxxxx")), masked(message).getField(1));
  }

  @Test
  void userIdsOfAllTypesAreMasked() throws Exception {
    long id = 1_792_345_678_901_234_567L;
    UnknownFieldSet message =
        UnknownFieldSet.newBuilder()
            .addField(1, numbers(2 * id, -id, -1, Integer.MIN_VALUE))
            .addField(2, Field.newBuilder().addFixed64(id).build())
            .addField(3, fixed64(0.001))
            .build();
    UnknownFieldSet after = masked(message);
    assertEquals(List.of(0L, 0L, -1L, (long) Integer.MIN_VALUE), after.getField(1).getVarintList());
    assertEquals(List.of(0L), after.getField(2).getFixed64List());
    assertEquals(message.getField(3), after.getField(3));
  }

  @Test
  void allFieldsOfTheHeaderAreMasked() throws Exception {
    UnknownFieldSet header =
        UnknownFieldSet.newBuilder()
            .addField(8, numbers(254))
            .addField(23, bytes(text("anna.s")))
            .addField(25, bytes(text("hJ31ZDH5ZG5W0052")))
            .addField(60, bytes(text("Anna Schmidt")))
            .addField(61, numbers(1_792_345_678_901_234_567L))
            .build();
    FieldMask mask = new FieldMask(new Mask(List.of(), List.of(), new Pseudonyms(0)));
    UnknownFieldSet after =
        UnknownFieldSet.parseFrom(mask.header(header.toByteArray(), Optional.empty()));
    assertEquals(header.getField(8), after.getField(8));
    assertEquals(bytes(text("xxxx.x")), after.getField(23));
    assertEquals(bytes(text("hJ31XXXXXXXX0001")), after.getField(25));
    assertEquals(bytes(text("xxxx xxxxxxx")), after.getField(60));
    assertEquals(List.of(0L), after.getField(61).getVarintList());
  }

  private static Field fixed64(double value) {
    return Field.newBuilder().addFixed64(Double.doubleToLongBits(value)).build();
  }

  /** For any input, masking succeeds and keeps the length. */
  @Test
  void anyBytesKeepTheirLength() throws Exception {
    Random random = new Random(20261129);
    for (int i = 0; i < 500; i++) {
      byte[] message = new byte[random.nextInt(120)];
      random.nextBytes(message);
      masked(message);
    }
    byte[] zeros = new byte[100];
    assertArrayEquals(zeros, masked(zeros));
  }
}
