package ecoflow.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;

class FramesTest {

  private static final byte[] ZERO_WATTS = TestFrames.hex("1d00000000");

  @Test
  void keepsEveryHeaderInOrder() {
    Frame frame =
        Frames.parse(
            TestFrames.frame(
                TestFrames.header(ZERO_WATTS).setCmdId(21).build(),
                TestFrames.header(ZERO_WATTS).setCmdId(22).build(),
                Header.getDefaultInstance()));

    assertEquals(3, frame.getHeadersCount());
    assertEquals(21, frame.getHeaders(0).getCmdId());
    assertEquals(22, frame.getHeaders(1).getCmdId());
    assertEquals(0, frame.getHeaders(2).getSerializedSize());
  }

  @Test
  void unmasksWithTheLowByteOfTheSequence() {
    Header header =
        TestFrames.header(TestFrames.hex("1d34aa")).setEncType(1).setSeq(0x7b34).build();

    assertArrayEquals(TestFrames.hex("29009e"), Frames.plain(header));
  }

  @Test
  void unmasksWithNegativeSequence() {
    Header header = TestFrames.header(TestFrames.hex("00ff")).setEncType(1).setSeq(-2).build();

    assertArrayEquals(TestFrames.hex("fe01"), Frames.plain(header));
  }

  @Test
  void leavesPlainMessagesAlone() {
    Header plain = TestFrames.header(ZERO_WATTS).setSeq(77).build();
    Header ofTheApp = TestFrames.header(ZERO_WATTS).setSeq(77).setEncType(1).setSrc(32).build();

    assertArrayEquals(ZERO_WATTS, Frames.plain(plain));
    assertArrayEquals(ZERO_WATTS, Frames.plain(ofTheApp));
  }

  @Test
  void namesWhatIsWrong() {
    byte[] frame = TestFrames.recorded("delta3-254-21.hex");

    assertFlaw("empty", new byte[0]);
    assertFlaw("no header carries", TestFrames.frame(Header.newBuilder().setSrc(2).build()));
    assertFlaw("something besides headers", TestFrames.hex("0a021003" + "1001"));
    assertFlaw("another type", TestFrames.hex("0a05" + "0a00" + "120142"));
    assertFlaw("more than", new byte[Frames.MAX_BYTES + 1]);
    for (int end = 1; end < frame.length; end++) {
      byte[] cut = Arrays.copyOf(frame, end);
      assertThrows(IllegalArgumentException.class, () -> Frames.parse(cut));
    }
  }

  @Test
  void allowsHeaderFieldsOfNewerFirmware() {
    Frame frame = Frames.parse(TestFrames.hex("0a06" + "0a011d" + "f80107"));

    assertEquals(1, frame.getHeaders(0).getPdata().size());
  }

  @Test
  void readsBase64WithSpaceAround() {
    byte[] text = "\ufeff \r\nCgIKAA==\n".getBytes(StandardCharsets.UTF_8);

    assertArrayEquals(TestFrames.hex("0a020a00"), Frames.fromBase64(text));
  }

  @Test
  void refusesWhatIsNotBase64() {
    byte[] text = "CgIK AA==".getBytes(StandardCharsets.UTF_8);

    assertThrows(IllegalArgumentException.class, () -> Frames.fromBase64(text));
  }

  @Test
  void boundsTheSizeOfBase64() {
    byte[] longest = Base64.getEncoder().encode(new byte[Frames.MAX_BYTES]);
    byte[] tooLong = Base64.getEncoder().encode(new byte[Frames.MAX_BYTES + 3]);

    assertEquals(Frames.MAX_BYTES, Frames.fromBase64(longest).length);
    assertThrows(IllegalArgumentException.class, () -> Frames.fromBase64(tooLong));
  }

  private static void assertFlaw(String part, byte[] payload) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Frames.parse(payload)).getMessage();
    assertTrue(message.contains(part), message);
  }
}
