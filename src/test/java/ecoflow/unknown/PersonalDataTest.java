package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.UnknownFieldSet.Field;
import ecoflow.decode.Frames;
import ecoflow.decode.Layout;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Records contain no personal data. Each text is encoded in each way, and placed in each kind of
 * message; then the record is decoded in all these ways, and searched for the text.
 */
class PersonalDataTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String OWN = "P351ZEB4ZEAL0528";
  private static final String BATTERY = "HJ31ZDH5ZG5W0052";
  private static final String NAME = "Anna's K\u00fcche";
  private static final Frames FRAMES = Frames.load();

  // Fields of DisplayPropertyUpload in general.proto, 254/21.
  private static final int MODULE_WIFI_SSID = 986;
  private static final int LATITUDE = 1238;
  private static final int LONGITUDE = 1240;

  /** Bytes as characters of Latin-1. */
  private static final Map<String, UnaryOperator<String>> ENCODINGS = new LinkedHashMap<>();

  static {
    ENCODINGS.put("plain", text -> text);
    ENCODINGS.put("base64", text -> Base64.getEncoder().encodeToString(text.getBytes(ISO_8859_1)));
    ENCODINGS.put(
        "base64 for URLs",
        text -> Base64.getUrlEncoder().encodeToString(("\u00ff" + text).getBytes(ISO_8859_1)));
    ENCODINGS.put("hexadecimal", text -> HexFormat.of().formatHex(text.getBytes(ISO_8859_1)));
    ENCODINGS.put(
        "hexadecimal with spaces",
        text -> HexFormat.ofDelimiter(" ").formatHex(text.getBytes(ISO_8859_1)));
    ENCODINGS.put(
        "hexadecimal with colons",
        text -> HexFormat.ofDelimiter(":").withUpperCase().formatHex(text.getBytes(ISO_8859_1)));
  }

  /** The record of a message that contains this text, in Latin-1. */
  private interface Carrier {
    String record(String text) throws Exception;
  }

  private static final Map<String, Carrier> CARRIERS = new LinkedHashMap<>();

  static {
    CARRIERS.put("JSON", text -> json(Map.of("t", utf8(text), "soc", 81)));
    CARRIERS.put(
        "JSON in JSON",
        text -> json(Map.of("t", JSON.writeValueAsString(Map.of("u", List.of(utf8(text)))))));
    CARRIERS.put("unknown message", text -> unknown(field(2, latin(text))));
    CARRIERS.put("nested unknown message", text -> unknown(field(3, field(2, latin(text)))));
    CARRIERS.put("known message", text -> known(field(MODULE_WIFI_SSID, latin(text))));
    CARRIERS.put("unknown field of a known message", text -> known(field(1999, latin(text))));
    CARRIERS.put("truncated known message", text -> known(truncated(latin(text))));
    CARRIERS.put(
        "JSON in protobuf",
        text -> unknown(field(2, JSON.writeValueAsBytes(Map.of("t", utf8(text))))));
    CARRIERS.put(
        "broken JSON in protobuf", text -> unknown(field(2, latin("{\"t\":\"" + text + "\""))));
    CARRIERS.put("unstructured bytes", text -> unknown(latin("\u0007\u0001" + text + "\u0000")));
  }

  private static String utf8(String latin) {
    return new String(latin(latin), UTF_8);
  }

  private static byte[] latin(String text) {
    return text.getBytes(ISO_8859_1);
  }

  private static byte[] field(int number, byte[] value) {
    return UnknownFieldSet.newBuilder()
        .addField(1, Field.newBuilder().addVarint(300).build())
        .addField(number, Field.newBuilder().addLengthDelimited(ByteString.copyFrom(value)).build())
        .build()
        .toByteArray();
  }

  /** A message whose last field is longer than the rest of the message. */
  private static byte[] truncated(byte[] text) {
    byte[] whole = field(MODULE_WIFI_SSID, text);
    whole[whole.length - text.length - 1]++;
    return whole;
  }

  private static Mask mask() {
    Pseudonyms pseudonyms = new Pseudonyms(0);
    pseudonyms.of(OWN);
    pseudonyms.of(BATTERY);
    return new Mask(List.of(NAME), List.of(OWN, "PLUG1"), pseudonyms);
  }

  private static Entry entry() {
    return new Entry(Instant.EPOCH, "push", "mqtt", "P351XXXXXXXX0001", "DELTA 3 Plus");
  }

  private static String json(Map<?, ?> object) throws Exception {
    String line = entry().line(object, mask());
    return new String(JSON.readTree(line).path("json").toString().getBytes(UTF_8), ISO_8859_1);
  }

  private static String unknown(byte[] message) throws Exception {
    return frame(message, 254, 200, Optional.empty());
  }

  private static String known(byte[] message) throws Exception {
    Header header = header(message, 254, 21);
    Optional<Layout> layout = FRAMES.layout(header, OWN);
    assertTrue(layout.isPresent());
    return frame(message, 254, 21, layout);
  }

  private static Header header(byte[] message, int cmdFunc, int cmdId) {
    return Header.newBuilder()
        .setPdata(ByteString.copyFrom(message))
        .setCmdFunc(cmdFunc)
        .setCmdId(cmdId)
        .setDeviceSn(ByteString.copyFromUtf8(OWN))
        .build();
  }

  private static String frame(byte[] message, int cmdFunc, int cmdId, Optional<Layout> layout)
      throws Exception {
    String line = entry().line(header(message, cmdFunc, cmdId), layout, mask());
    JsonNode record = JSON.readTree(line);
    byte[] frame = HexFormat.of().parseHex(record.path("frame").asText());
    Header header = Header.parseFrom(Frame.parseFrom(frame).getHeaders(0));
    assertEquals(message.length, header.getPdata().size(), "the length does not change");
    return new String(frame, ISO_8859_1);
  }

  private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/_-]{8,}");
  private static final Pattern HEXADECIMAL =
      Pattern.compile("[0-9A-Fa-f]{2}(?:[ :,-]?[0-9A-Fa-f]{2}){3,}+[0-9A-Fa-f]?");

  /** The text and everything that can be decoded from it. */
  private static Set<String> decoded(String text) {
    Set<String> all = new HashSet<>(List.of(text, text.replace("\0", "")));
    BASE64
        .matcher(text)
        .results()
        .forEach(
            run -> {
              for (int start = 0; start < 4 && start < run.group().length(); start++) {
                String part = run.group().replace('-', '+').replace('_', '/').substring(start);
                String whole = part.substring(0, part.length() - part.length() % 4);
                all.add(new String(Base64.getDecoder().decode(whole), ISO_8859_1));
              }
            });
    HEXADECIMAL
        .matcher(text)
        .results()
        .forEach(
            run -> {
              String digits = run.group().replaceAll("[^0-9A-Fa-f]", "");
              for (int start = 0; start < 2; start++) {
                int end = digits.length() - (digits.length() - start) % 2;
                byte[] bytes = HexFormat.of().parseHex(digits.substring(start, end));
                all.add(new String(bytes, ISO_8859_1));
              }
            });
    return all;
  }

  /** Letters and digits only, so that separators do not hide a part. */
  private static String plain(String text) {
    return text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9\u0080-\u00ff]", "");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        OWN,
        BATTERY,
        "hj31zdh5zg5w0052",
        "1792345678901234567",
        NAME,
        "anna.smith@example.org",
        "A4:CF:12:0B:9C:DE",
        "a4cf120b9cde",
        "a4-cf-12-0b-9c-de",
        "192.168.178.24",
        "fe80::a6cf:12ff:fe0b:9cde",
        "48.137154,11.576124"
      })
  void noTextIsInARecord(String text) throws Exception {
    String latin = new String(text.getBytes(UTF_8), ISO_8859_1);
    // The start of a serial number is the model, and is kept.
    boolean isSerial = text.length() == 16 && text.matches("[A-Za-z0-9]+");
    String secret = plain(isSerial ? latin.substring(4) : latin);
    for (Map.Entry<String, UnaryOperator<String>> encoding : ENCODINGS.entrySet()) {
      for (Map.Entry<String, Carrier> carrier : CARRIERS.entrySet()) {
        String where = carrier.getKey() + ", " + encoding.getKey() + ": ";
        String record = carrier.getValue().record(encoding.getValue().apply(latin));
        for (String decoded : decoded(record)) {
          for (int start = 0; start + 6 <= secret.length(); start++) {
            String part = secret.substring(start, start + 6);
            if (!part.matches("0+")) {
              assertTrue(!plain(decoded).contains(part), () -> where + part + " in " + record);
            }
          }
        }
      }
    }
  }

  @Test
  void utf16IsMasked() throws Exception {
    for (String text : List.of(OWN, BATTERY, NAME, "anna.smith@example.org")) {
      for (byte[] bytes : List.of(text.getBytes(UTF_16LE), text.getBytes(UTF_16BE))) {
        String record = unknown(field(2, bytes)).replace("\0", "");
        String secret = text.substring(text.length() - 6);
        assertTrue(!record.contains(secret), record);
      }
    }
  }

  /** The messages of a device can be distinguished from those of another one. */
  @Test
  void equalSerialNumbersHaveEqualReplacements() throws Exception {
    Map<String, Object> packs = new LinkedHashMap<>();
    packs.put("bp_addr." + BATTERY, ordered("sn", BATTERY, "soc", 81));
    packs.put("bp_addr.HJ31ZDH5ZG5W0053", ordered("sn", "HJ31ZDH5ZG5W0053", "soc", 82));
    packs.put("owner", OWN);
    packs.put("bytes", BATTERY.chars().boxed().toList());
    assertEquals(
        "{\"bp_addr.HJ31XXXXXXXX0002\":{\"sn\":\"HJ31XXXXXXXX0002\",\"soc\":81},"
            + "\"bp_addr.HJ31XXXXXXXX0003\":{\"sn\":\"HJ31XXXXXXXX0003\",\"soc\":82},"
            + "\"owner\":\"P351XXXXXXXX0001\",\"bytes\":"
            + "HJ31XXXXXXXX0002".chars().boxed().toList().toString().replace(" ", "")
            + "}",
        json(packs));
  }

  private static Map<String, Object> ordered(String first, Object one, String second, Object two) {
    Map<String, Object> members = new LinkedHashMap<>();
    members.put(first, one);
    members.put(second, two);
    return members;
  }

  @Test
  void personalNumbersInJsonAreZeroAndOthersAreKept() throws Exception {
    String object =
        """
        {"userId":12345,"latitude":48.137154,"homeLng":-11.576124,"gps":{"x":481371540,"ok":1},
        "location":[48.137154,11.576124],"system_install_location":2,"accountId":"77",
        "id":1792345678901234567,"time":1792345678901,"capacity":40960,"temp":-3.125,"late":7,
        "cells":[80,81,82,83,84,85,86,87,88,89,90,65],"chName":[75,105,116,0],
        "nick":"Jo","typeCode":"pdStatus","home":{"addr":"Street","plug1":1},"param":"{\\"lat\\":48.1,\\"soc\\":80}"}
        """;
    assertEquals(
        JSON.readTree(
            """
            {"userId":0,"latitude":0,"homeLng":0,"gps":{"x":0,"ok":1},
            "location":[0,0],"system_install_location":2,"accountId":"00",
            "id":0,"time":1792345678901,"capacity":40960,"temp":-3.125,"late":7,
            "cells":[80,81,82,83,84,85,86,87,88,89,90,65],"chName":[120,120,120,0],
            "nick":"xx","typeCode":"pdStatus","home":{"addr":"xxxxxx","plug1":1},"param":"{\\"lat\\":0,\\"soc\\":80}"}
            """),
        JSON.readTree(json(JSON.readValue(object, Map.class))));
  }

  @Test
  void addressesAndSecretsAreZeroAsNumbersAndLists() throws Exception {
    String object =
        """
        {"t":{"ip":3232235777,"staIpAddr":5,"mac":[164,207,18,11,156,222],"selfMac":7,"bssid":[1,2],
        "wifiPwd":88888888,"ssid":12345,"uids":[12],"userIds":[123456,7],"postcode":80331,
        "zip":"80331","tel":"01761234567","long":11.576124,"geo":{"x":48.137154},"lat":[48,13],
        "roundTrip":3,"capacity":80331,"dipSwitch":5,"position":2,"electricity":"77",
        "sn1":[104,106,51,49,122,100,104,53,122,103,53,119,48,48,53,50]}}
        """;
    assertEquals(
        JSON.readTree(
            """
            {"t":{"ip":0,"staIpAddr":0,"mac":[0,0,0,0,0,0],"selfMac":0,"bssid":[0,0],
            "wifiPwd":0,"ssid":0,"uids":[0],"userIds":[0,0],"postcode":0,
            "zip":"00000","tel":"00000000000","long":0,"geo":{"x":0},"lat":[0,0],
            "roundTrip":3,"capacity":80331,"dipSwitch":5,"position":2,"electricity":"77",
            "sn1":[104,106,51,49,88,88,88,88,88,88,88,88,48,48,48,50]}}
            """),
        JSON.readTree(json(JSON.readValue(object, Map.class))));
  }

  @Test
  void namesInFewCharactersAreMasked() throws Exception {
    Map<String, Object> names = new LinkedHashMap<>();
    names.put("a", "\u674e\u660e");
    names.put("b", "5065746572"); // Peter in hexadecimal
    names.put("c", "416e6e61"); // Anna
    names.put("soc", "81");
    names.put("energy", "1234567890");
    assertEquals(
        "{\"a\":\"xxxxxx\",\"b\":\"0000000000\",\"c\":\"000x0x00\",\"soc\":\"81\","
            + "\"energy\":\"1234567890\"}",
        json(names));
  }

  @Test
  void personalKeysAreMaskedAndRemainDifferent() throws Exception {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("1792345678901234567", 1);
    object.put("1792345678901234568", 2);
    object.put("a4cf120b9cde.watts", 3);
    object.put("hj31zdh5zg5w0052", 4);
    object.put("192.168.178.24", 5);
    object.put(NAME, 6);
    object.put("bmsbattsoh12", 7);
    assertEquals(
        "{\"0000000000000000003\":1,\"0000000000000000004\":2,\"000000000005.watts\":3,"
            + "\"hj31XXXXXXXX0002\":4,\"000.000.000.00\":5,\"xxxxxxxxxxxxx\":6,"
            + "\"bmsbattsoh12\":7}",
        json(object));
  }

  /** The rank of a battery in labels is that of its serial number. */
  @Test
  void serialNumbersOfAMessageKeepTheirOrder() throws Exception {
    String second = "HJ32ZDH5ZG5W0009";
    String first = "HJ32ZDH5ZG5W0001";
    Map<String, Object> object = ordered("bp." + second, 2, "bp." + first, 1);
    assertEquals("{\"bp.HJ32XXXXXXXX0004\":2,\"bp.HJ32XXXXXXXX0003\":1}", json(object));
    String message =
        unknown(
            UnknownFieldSet.newBuilder()
                .addField(1, bytes(latin(second)))
                .addField(2, bytes(latin(first)))
                .build()
                .toByteArray());
    assertTrue(message.indexOf("HJ32XXXXXXXX0004") < message.indexOf("HJ32XXXXXXXX0003"), message);
  }

  @Test
  void knownCoordinatesAreZero() throws Exception {
    UnknownFieldSet message =
        UnknownFieldSet.newBuilder()
            .addField(LATITUDE, fixed32(48.137154f))
            .addField(LONGITUDE, fixed32(11.576124f))
            .addField(3, fixed32(48.137154f))
            .addField(MODULE_WIFI_SSID, bytes(latin("me")))
            .build();
    UnknownFieldSet after = maskedKnown(254, 21, message);
    assertEquals(fixed32(0), after.getField(LATITUDE));
    assertEquals(fixed32(0), after.getField(LONGITUDE));
    assertEquals(message.getField(3), after.getField(3));
    assertEquals(bytes(latin("xx")), after.getField(MODULE_WIFI_SSID));
  }

  /** The temperatures of cells in 32/50, which look like a text or a serial number. */
  @Test
  void knownNumbersAreKept() throws Exception {
    for (String text : List.of("ABCDEFGHIJKLMNOP", BATTERY)) {
      UnknownFieldSet message =
          UnknownFieldSet.newBuilder()
              .addField(35, bytes(latin(text)))
              .addField(39, bytes(latin(BATTERY)))
              .build();
      UnknownFieldSet after = maskedKnown(32, 50, message);
      assertEquals(message.getField(35), after.getField(35));
      assertEquals(bytes(latin("HJ31XXXXXXXX0002")), after.getField(39));
    }
  }

  private static UnknownFieldSet maskedKnown(int cmdFunc, int cmdId, UnknownFieldSet message)
      throws Exception {
    Header header = header(message.toByteArray(), cmdFunc, cmdId);
    Optional<Layout> layout = FRAMES.layout(header, OWN);
    assertTrue(layout.isPresent());
    byte[] masked = new FieldMask(mask()).header(header.toByteArray(), layout);
    return UnknownFieldSet.parseFrom(Header.parseFrom(masked).getPdata());
  }

  private static Field bytes(byte[] bytes) {
    return Field.newBuilder().addLengthDelimited(ByteString.copyFrom(bytes)).build();
  }

  private static Field fixed32(float value) {
    return Field.newBuilder().addFixed32(Float.floatToIntBits(value)).build();
  }

  /** The stack and the time of the patterns do not depend on the length of the text. */
  @Test
  void longTextsAreMasked() throws Exception {
    List<String> starts = new ArrayList<>(List.of("a@b", "ssid=\"", "+", "", "", "fe80:", "5a"));
    List<String> repeated = new ArrayList<>(List.of(".c", "x\\\\", "1 ", "A", "ab", "1:", " 5a"));
    for (int i = 0; i < starts.size(); i++) {
      String text = starts.get(i) + repeated.get(i).repeat(5_000);
      assertEquals(text.length(), mask().text(latin(text)).length);
    }
  }
}
