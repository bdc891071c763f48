package ecoflow.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import ecoflow.cloud.ProtobufWriter;
import java.util.List;
import java.util.stream.Stream;

/**
 * Frames in the format of devices: headers with one message each. They are written and read by
 * field number, so that the tests do not depend on the exporter's description of a frame.
 */
public final class Frames {

  private static final int HEADERS = 1;
  private static final int PDATA = 1;
  private static final int SRC = 2;
  private static final int DEST = 3;
  private static final int ENC_TYPE = 6;
  private static final int CMD_FUNC = 8;
  private static final int CMD_ID = 9;
  private static final int SEQ = 14;

  private Frames() {}

  /** A frame with one header. */
  public static byte[] frame(int cmdFunc, int cmdId, ProtobufWriter message) {
    return frame(header(cmdFunc, cmdId, message));
  }

  public static byte[] frame(byte[]... headers) {
    ProtobufWriter frame = new ProtobufWriter();
    Stream.of(headers).forEach(header -> frame.bytes(HEADERS, header));
    return frame.toByteArray();
  }

  /** A header from the device's main part to the app. */
  public static byte[] header(int cmdFunc, int cmdId, ProtobufWriter message) {
    return header(cmdFunc, cmdId, message.toByteArray());
  }

  public static byte[] header(int cmdFunc, int cmdId, byte[] message) {
    return new ProtobufWriter()
        .bytes(PDATA, message)
        .integer(SRC, 2)
        .integer(DEST, 32)
        .integer(CMD_FUNC, cmdFunc)
        .integer(CMD_ID, cmdId)
        .toByteArray();
  }

  public static ProtobufWriter message() {
    return new ProtobufWriter();
  }

  /** A message with a list of messages. */
  public static ProtobufWriter list(int field, ProtobufWriter... items) {
    ProtobufWriter list = new ProtobufWriter();
    Stream.of(items).forEach(item -> list.message(field, item));
    return list;
  }

  /** A message that contains another one. */
  public static ProtobufWriter nested(int field, ProtobufWriter inner) {
    return list(field, inner);
  }

  /** The headers of a frame. */
  public static List<Header> headers(byte[] frame) {
    return read(frame).getField(HEADERS).getLengthDelimitedList().stream()
        .map(header -> new Header(read(header.toByteArray())))
        .toList();
  }

  /** A header of a frame; its fields are accessed by number. */
  public record Header(UnknownFieldSet fields) {

    public long src() {
      return number(SRC);
    }

    public long dest() {
      return number(DEST);
    }

    public long cmdFunc() {
      return number(CMD_FUNC);
    }

    public long cmdId() {
      return number(CMD_ID);
    }

    /** Whether the bytes of the message are masked with the sequence number. */
    public boolean isMasked() {
      if (fields.hasField(ENC_TYPE)) {
        assertEquals(1, number(ENC_TYPE), "the only known encoding");
      }
      return fields.hasField(ENC_TYPE);
    }

    public long seq() {
      return number(SEQ);
    }

    /** Whether the header has a command or a message. */
    public boolean hasCommandOrMessage() {
      return Stream.of(CMD_FUNC, CMD_ID, PDATA).anyMatch(fields::hasField);
    }

    /** The bytes of the message as sent. */
    public byte[] pdata() {
      List<ByteString> bytes = fields.getField(PDATA).getLengthDelimitedList();
      return bytes.isEmpty() ? new byte[0] : bytes.get(0).toByteArray();
    }

    /** The bytes of the message without their mask. */
    public byte[] plainData() {
      byte[] plain = pdata();
      if (isMasked()) {
        for (int i = 0; i < plain.length; i++) {
          plain[i] ^= (byte) seq();
        }
      }
      return plain;
    }

    /** The fields of the message by number. */
    public UnknownFieldSet message() {
      return read(plainData());
    }

    private long number(int field) {
      List<Long> values = fields.getField(field).getVarintList();
      return values.isEmpty() ? 0 : values.get(values.size() - 1);
    }
  }

  private static UnknownFieldSet read(byte[] message) {
    try {
      return UnknownFieldSet.parseFrom(message);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError("not a protobuf message", e);
    }
  }
}
