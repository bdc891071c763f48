package ecoflow.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import ecoflow.cloud.ProtobufWriter;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A message that a device pushes, with an increasing number. The bytes are created once; each new
 * number is written into the first value and some other values.
 */
public final class Push {

  private static final List<String> GROUPS =
      List.of("pd", "inv", "mppt", "bms_bmsStatus", "bms_emsStatus");
  private static final List<String> VALUES =
      List.of("soc", "vol", "wattsIn", "outAmp", "cellTemp", "dsgState", "errCode", "chgRemTime");
  private static final long FIRST_NUMBER = 100_000_000;

  /** One in this many values changes. */
  private static final int CHANGING = 6;

  /** The sequence number of each header, whose low byte encrypts the message. */
  private static final int MASK = 0x5a;

  private final String name;
  private final byte[] bytes;
  private final List<Integer> positions;
  private final boolean isFrame;

  private Push(String name, byte[] bytes, List<Integer> positions, boolean isFrame) {
    this.name = name;
    this.bytes = bytes;
    this.positions = positions;
    this.isFrame = isFrame;
  }

  /** Quotas as JSON, about 24 bytes each. */
  public static Push json(int keys) {
    StringBuilder text = new StringBuilder("{\"id\":4711,\"version\":\"1.0\",\"params\":{");
    List<Integer> positions = new ArrayList<>();
    for (int i = 0; i < keys; i++) {
      text.append(i == 0 ? "" : ",").append('"').append(key(i)).append("\":");
      if (i % CHANGING == 0) {
        positions.add(text.length());
        text.append(FIRST_NUMBER);
      } else {
        text.append(i * 37 % 4_000 + 1);
      }
    }
    byte[] bytes = text.append("}}").toString().getBytes(UTF_8);
    return new Push("pd_bench_number", bytes, positions, false);
  }

  private static String key(int i) {
    return i == 0
        ? "pd.benchNumber"
        : GROUPS.get(i % GROUPS.size()) + "." + VALUES.get(i % VALUES.size()) + i;
  }

  /** The fields that devices send most often, in a frame with one header and a masked message. */
  public static Push frame(int fields) throws IOException {
    ProtobufWriter message = new ProtobufWriter();
    List<Integer> inMessage = new ArrayList<>();
    String name = null;
    int written = 0;
    for (FieldDescriptorProto field : numbers()) {
      if (written == fields) {
        break;
      }
      if (field.getType() == Type.TYPE_FLOAT) {
        if (name == null) {
          name = field.getName();
        }
        message.real(field.getNumber(), written + 0.5f);
        if (inMessage.size() * CHANGING <= written) {
          inMessage.add(message.toByteArray().length - Float.BYTES);
        }
      } else {
        message.integer(field.getNumber(), written + 1);
      }
      written++;
    }
    if (written < fields) {
      throw new IllegalArgumentException("only " + written + " fields");
    }
    byte[] plain = message.toByteArray();
    byte[] masked = plain.clone();
    for (int i = 0; i < masked.length; i++) {
      masked[i] ^= MASK;
    }
    byte[] header =
        new ProtobufWriter()
            .bytes(1, masked)
            .integer(2, 2)
            .integer(3, 32)
            .integer(6, 1)
            .integer(8, 254)
            .integer(9, 21)
            .integer(10, masked.length)
            .integer(14, MASK)
            .toByteArray();
    byte[] frame = new ProtobufWriter().bytes(1, header).toByteArray();
    // The message is first in its header, after its tag and its length.
    int start =
        frame.length
            - header.length
            + new ProtobufWriter().bytes(1, masked).toByteArray().length
            - masked.length;
    List<Integer> positions = inMessage.stream().map(position -> start + position).toList();
    return new Push(name, frame, positions, true);
  }

  /**
   * The scalar number fields of the message that most devices send, without temperatures and
   * battery values, whose types differ between devices.
   */
  private static List<FieldDescriptorProto> numbers() throws IOException {
    try (InputStream in = Push.class.getResourceAsStream("/ecoflow/decode/messages.desc")) {
      DescriptorProto message =
          FileDescriptorSet.parseFrom(in).getFileList().stream()
              .filter(file -> file.getPackage().equals("ecoflow.general"))
              .flatMap(file -> file.getMessageTypeList().stream())
              .filter(type -> type.getName().equals("DisplayPropertyUpload"))
              .findFirst()
              .orElseThrow();
      return message.getFieldList().stream()
          .filter(field -> field.getLabel() == FieldDescriptorProto.Label.LABEL_OPTIONAL)
          .filter(
              field -> field.getType() == Type.TYPE_FLOAT || field.getType() == Type.TYPE_UINT32)
          .filter(field -> !field.getName().matches("(temp|bms|cms)_.*"))
          .sorted(Comparator.comparing(FieldDescriptorProto::getNumber))
          .toList();
    }
  }

  /** The series with the number, without the exporter's prefix. */
  String series() {
    return name;
  }

  /** The quotas of a JSON message as an object. */
  String quotas() {
    String text = new String(bytes, UTF_8);
    return text.substring(text.indexOf("\"params\":") + "\"params\":".length(), text.length() - 1);
  }

  /** Returns the message with this number, always in the same array. */
  public byte[] bytes(int number) {
    for (int position : positions) {
      if (isFrame) {
        int bits = Float.floatToIntBits(number);
        for (int i = 0; i < Float.BYTES; i++) {
          bytes[position + i] = (byte) (bits >>> i * Byte.SIZE ^ MASK);
        }
      } else {
        long rest = FIRST_NUMBER + number;
        for (int i = 8; i >= 0; i--) {
          bytes[position + i] = (byte) ('0' + rest % 10);
          rest /= 10;
        }
      }
    }
    return bytes;
  }

  /** The value of the series for a number. */
  double shown(int number) {
    return isFrame ? (float) number : FIRST_NUMBER + number;
  }

  int length() {
    return bytes.length;
  }
}
