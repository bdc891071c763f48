package ecoflow.values;

import ecoflow.cloud.ProtobufWriter;
import ecoflow.testkit.Frames;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Protobuf messages as text, by field number: {@code 96/41 1 {1 350.0}} is a message of the command
 * 96/41, whose field 1 is a message with the float 350 in field 1.
 *
 * <p>Numbers with a decimal point are floats, other numbers are varints, numbers that end with u
 * are fixed32, and words in quotes are texts.
 */
final class MessageNotation {

  private final Deque<String> words;

  private MessageNotation(String text) {
    words = new ArrayDeque<>(Arrays.asList(text.replaceAll("[{}]", " $0 ").strip().split("\\s+")));
  }

  /** A frame with one message, from the text of its command and fields. */
  static byte[] frame(String text) {
    String[] parts = text.strip().split("[/\\s]", 3);
    ProtobufWriter message =
        parts.length < 3 ? new ProtobufWriter() : new MessageNotation(parts[2]).message();
    return Frames.frame(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), message);
  }

  private ProtobufWriter message() {
    ProtobufWriter message = new ProtobufWriter();
    while (!words.isEmpty() && !words.peek().equals("}")) {
      int field = Integer.parseInt(words.remove());
      String value = words.remove();
      if (value.equals("{")) {
        message.message(field, message());
        words.remove();
      } else if (value.startsWith("\"")) {
        message.text(field, value.substring(1, value.length() - 1));
      } else if (value.endsWith("u")) {
        int bits = Integer.parseUnsignedInt(value.substring(0, value.length() - 1));
        message.real(field, Float.intBitsToFloat(bits));
      } else if (value.contains(".")) {
        message.real(field, Float.parseFloat(value));
      } else {
        message.integer(field, Long.parseLong(value));
      }
    }
    return message;
  }
}
