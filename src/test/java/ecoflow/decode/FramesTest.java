package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import ecoflow.decode.proto.Header;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

class FramesTest {

  private static final byte[] ZERO_WATTS = TestFrames.hex("1d00000000");

  @Test
  void keepsEveryHeaderInOrder() {
    List<Header> headers =
        TestFrames.headers(
            TestFrames.frame(
                TestFrames.header(ZERO_WATTS).setCmdId(21).build(),
                TestFrames.header(ZERO_WATTS).setCmdId(22).build(),
                Header.getDefaultInstance()));

    assertEquals(3, headers.size());
    assertEquals(21, headers.get(0).getCmdId());
    assertEquals(22, headers.get(1).getCmdId());
    assertEquals(0, headers.get(2).getSerializedSize());
  }

  @Test
  void unmasksWithLowByteOfSequenceNumber() {
    Header header =
        TestFrames.header(TestFrames.hex("1d34aa")).setEncType(1).setSeq(0x7b34).build();

    assertArrayEquals(TestFrames.hex("29009e"), message(header));
  }

  @Test
  void unmasksWithNegativeSequenceNumber() {
    Header header = TestFrames.header(TestFrames.hex("00ff")).setEncType(1).setSeq(-2).build();

    assertArrayEquals(TestFrames.hex("fe01"), message(header));
  }

  @Test
  void doesNotChangePlainMessages() {
    Header plain = TestFrames.header(ZERO_WATTS).setSeq(77).build();
    Header ofTheApp = TestFrames.header(ZERO_WATTS).setSeq(77).setEncType(1).setSrc(32).build();

    assertArrayEquals(ZERO_WATTS, message(plain));
    assertArrayEquals(ZERO_WATTS, message(ofTheApp));
  }

  @Test
  void reportsWhyPayloadIsNotAFrame() {
    byte[] frame = TestFrames.recorded("delta3-254-21.hex");

    assertNotAFrame("empty", new byte[0]);
    assertNotAFrame("no header contains", TestFrames.frame(Header.newBuilder().setSrc(2).build()));
    assertNotAFrame("unexpected field", TestFrames.hex("0a021003" + "1001"));
    assertNotAFrame("no header contains", TestFrames.hex("0a05" + "0a00" + "120142"));
    assertNotAFrame("bytes are more than", new byte[Frames.MAX_BYTES + 1]);
    assertNotAFrame("headers are more than", TestFrames.hex("0a00".repeat(Frames.MAX_HEADERS + 1)));
    for (int end = 1; end < frame.length; end++) {
      byte[] cut = Arrays.copyOf(frame, end);
      assertThrows(IllegalArgumentException.class, () -> Frames.check(cut));
    }
  }

  @Test
  void rejectsBrokenHeaders() {
    for (String broken : List.of("0a0508", "ff", "0a01ff1b", "0a00" + "120142", "1d00000000")) {
      assertThrows(IllegalArgumentException.class, () -> TestFrames.header(bytes(broken)), broken);
    }
  }

  @Test
  void limitsSizeOfMessages() {
    Header longest = TestFrames.header(new byte[Frames.MAX_MESSAGE_BYTES]).build();
    Header tooLong = TestFrames.header(new byte[Frames.MAX_MESSAGE_BYTES + 1]).build();

    assertEquals(longest, TestFrames.header(longest.toByteString()));
    assertThrows(IllegalArgumentException.class, () -> TestFrames.header(tooLong.toByteString()));
  }

  @Test
  void brokenHeaderDoesNotAffectOtherHeaders() {
    ByteString good = TestFrames.header(ZERO_WATTS).build().toByteString();
    ByteString cut = good.substring(0, 4);

    assertEquals(
        List.of(TestFrames.header(good), TestFrames.header(good)),
        TestFrames.headers(TestFrames.frame(good, cut, good)));
    assertEquals(
        List.of(TestFrames.header(good)), TestFrames.headers(TestFrames.frame(cut, cut, good)));
    assertNotAFrame("no header contains", TestFrames.frame(cut, cut));
  }

  @Test
  void headerStringsCanBeInvalidUtf8() {
    // code, from and module_sn
    Header header = TestFrames.header(bytes("0a011d" + "b20102ff41" + "ba0102ff41" + "c20102ff41"));

    assertEquals(1, header.getPdata().size());
  }

  @Test
  void requestsAllValues() {
    assertArrayEquals(
        TestFrames.hex("0a11" + "1020" + "1820" + "70ac02" + "ba0107416e64726f6964"),
        Frames.getAll(300));
    assertArrayEquals(
        TestFrames.hex(
            "0a19" + "1020" + "1820" + "70ffffffffffffffffff01" + "ba0107416e64726f6964"),
        Frames.getAll(-1));
  }

  @Test
  void allowsHeaderFieldsOfNewerFirmware() {
    assertEquals(1, TestFrames.header(bytes("0a011d" + "f80107")).getPdata().size());
  }

  @Test
  void readsBase64WithSurroundingSpace() {
    byte[] text = "\ufeff \r\nCgIKAA==\n".getBytes(StandardCharsets.UTF_8);

    assertArrayEquals(TestFrames.hex("0a020a00"), Frames.fromBase64(text));
  }

  @Test
  void rejectsInvalidBase64() {
    byte[] text = "CgIK AA==".getBytes(StandardCharsets.UTF_8);

    assertThrows(IllegalArgumentException.class, () -> Frames.fromBase64(text));
  }

  @Test
  void limitsSizeOfBase64() {
    byte[] longest = Base64.getEncoder().encode(new byte[Frames.MAX_BYTES]);
    byte[] tooLong = Base64.getEncoder().encode(new byte[Frames.MAX_BYTES + 3]);

    assertEquals(Frames.MAX_BYTES, Frames.fromBase64(longest).length);
    assertThrows(IllegalArgumentException.class, () -> Frames.fromBase64(tooLong));
  }

  private static byte[] message(Header header) {
    return Frames.unmask(header).getPdata().toByteArray();
  }

  private static ByteString bytes(String hex) {
    return ByteString.copyFrom(TestFrames.hex(hex));
  }

  private static void assertNotAFrame(String part, byte[] payload) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Frames.check(payload)).getMessage();
    assertTrue(message.contains(part), message);
  }
}
