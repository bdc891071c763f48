package ecoflow.payload;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.decode.TestFrames;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class PayloadKindTest {

  private static final byte[] EMPTY_MESSAGE = new byte[0];

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"id\":1}",
        " \t\r\n{}",
        "\n{\"params\":{}}",
        "\ufeff{}",
        "\ufeff\n {}",
        "{"
      })
  void recognisesJson(String text) {
    assertEquals(PayloadKind.JSON, of(text));
  }

  @ParameterizedTest
  @FieldSource("ecoflow.decode.TestFrames#RECORDED")
  void recognisesRecordedFrames(String name) {
    byte[] frame = TestFrames.recorded(name);

    assertEquals(PayloadKind.FRAME, PayloadKind.of(frame));
    assertEquals(PayloadKind.BASE64, PayloadKind.of(Base64.getEncoder().encode(frame)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "\n",
        "\n\n\n\n\n\n\n\n\n\n\n\n",
        "online",
        "[1]",
        "null",
        "CgIKAA=",
        "!CgIKAA==",
        "e30="
      })
  void otherPayloadsAreUnknown(String text) {
    assertEquals(PayloadKind.UNKNOWN, of(text));
  }

  @Test
  void recognisesFrameThatIsValidText() {
    byte[] frame =
        TestFrames.frame(
            TestFrames.header("text".getBytes(StandardCharsets.UTF_8)).setCmdFunc(20).build());
    assertArrayEquals(
        frame, new String(frame, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8));

    assertEquals(PayloadKind.FRAME, PayloadKind.of(frame));
  }

  @Test
  void recognisesFrameThatStartsLikeJsonAfterNewline() {
    // A header of 0x7b bytes: the frame starts with a newline and a brace.
    byte[] frame = TestFrames.frame(TestFrames.header(new byte[123 - 10]).setCmdFunc(20).build());
    assertEquals("\n{", new String(frame, 0, 2, StandardCharsets.US_ASCII));

    assertEquals(PayloadKind.FRAME, PayloadKind.of(frame));
  }

  @Test
  void recognisesFrameWithoutMessage() {
    assertEquals(
        PayloadKind.FRAME,
        PayloadKind.of(TestFrames.frame(TestFrames.header(EMPTY_MESSAGE).build())));
    assertEquals(PayloadKind.FRAME, PayloadKind.of(TestFrames.hex("0a00")));
  }

  @Test
  void rejectsTruncatedFrame() {
    byte[] frame = TestFrames.recorded("wave3-254-21.hex");

    assertEquals(PayloadKind.UNKNOWN, PayloadKind.of(Arrays.copyOf(frame, frame.length - 1)));
  }

  @Test
  void recognisesFrameWithIncompleteLastHeader() {
    byte[] headers =
        TestFrames.frame(
            TestFrames.header(EMPTY_MESSAGE).build(), TestFrames.header(EMPTY_MESSAGE).build());

    assertEquals(PayloadKind.CUT_FRAME, PayloadKind.of(Arrays.copyOf(headers, headers.length - 1)));
  }

  private static PayloadKind of(String text) {
    return PayloadKind.of(text.getBytes(StandardCharsets.UTF_8));
  }
}
