package ecoflow.decode;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.WireFormat;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Binary frames in MQTT payloads: a sequence of headers, each with one message of the device.
 * Methods that do not need the message tables are static.
 */
public final class Frames {

  /**
   * Typical frames have a few kilobytes. The limit bounds the memory that a hostile payload can
   * use.
   */
  static final int MAX_BYTES = 256 * 1024;

  /**
   * Longer than all known messages, the longest of which has one value for each minute of a day.
   */
  static final int MAX_MESSAGE_BYTES = 64 * 1024;

  /** The largest known number is 19, for all values of a PowerOcean Plus. */
  static final int MAX_HEADERS = 500;

  private static final int MAX_BASE64_BYTES = (MAX_BYTES + 2) / 3 * 4;
  private static final int HEADER_TAG =
      Frame.HEADERS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  private static final int ENCRYPTED = 1;
  private static final int ADDRESS_APP = 32;
  private static final ByteString APP = ByteString.copyFromUtf8("Android");
  private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

  private static final int UNKNOWN_FIELD = -1;

  /** Wire types of the header fields by field number. */
  private static final int[] WIRE_TYPES = wireTypes();

  private final MessageDecoder decoder;

  private Frames(MessageDecoder decoder) {
    this.decoder = decoder;
  }

  /** A decoder with the packaged tables. */
  public static Frames load() {
    return new Frames(MessageDecoder.load());
  }

  /**
   * A decoder with the packaged tables and the user's tables.
   *
   * @param directory the directory with the user's descriptor sets and tables; their lines take
   *     precedence over the packaged ones
   * @param problems receives a line for each error in the directory
   */
  public static Frames load(Optional<Path> directory, Consumer<String> problems) {
    return new Frames(MessageDecoder.of(MessageTable.load(directory, problems)));
  }

  /** Whether an sn condition in the tables matches this serial number. */
  public static boolean hasSerialCondition(String serial) {
    return MessageTable.hasSerialCondition(serial);
  }

  /**
   * Decodes the message of a header that {@link #unmask} has decrypted. Does not throw exceptions
   * for damaged messages.
   *
   * @param serial serial number of the device, for commands with a different message per model
   */
  public Decoded read(Header header, String serial) {
    return decoder.decode(header, serial);
  }

  /**
   * The fields of the message of a header; empty for an unknown message.
   *
   * @param serial see {@link #read}
   */
  public Optional<Layout> layout(Header header, String serial) {
    return decoder.layout(header, serial);
  }

  /**
   * Whether the payload is a sequence of headers, at least one of which contains a message. A
   * truncated last header is ignored.
   */
  public static boolean isFrame(byte[] payload) {
    // A fast check for most payloads, which are JSON.
    if (payload.length == 0 || payload[0] != HEADER_TAG) {
      return false;
    }
    try {
      check(payload);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /**
   * Checks the structure of a payload without reading the messages.
   *
   * @throws IllegalArgumentException if the payload as a whole is not a frame
   */
  static void check(byte[] payload) {
    if (payload.length == 0) {
      throw new IllegalArgumentException("Not a frame: the payload is empty");
    }
    if (payload.length > MAX_BYTES) {
      throw new IllegalArgumentException(
          "Not a frame: " + payload.length + " bytes are more than " + MAX_BYTES);
    }
    CodedInputStream in = CodedInputStream.newInstance(payload);
    int headers = 0;
    boolean hasMessage = false;
    boolean hasEmpty = false;
    boolean isTruncated = false;
    try {
      while (!in.isAtEnd()) {
        if (in.readTag() != HEADER_TAG) {
          throw new IllegalArgumentException("Not a frame: unexpected field");
        }
        int length = in.readRawVarint32();
        int start = in.getTotalBytesRead();
        in.skipRawBytes(length);
        headers++;
        hasEmpty |= length == 0;
        hasMessage = hasMessage || isHeaderWithMessage(payload, start, length);
      }
    } catch (IOException e) {
      isTruncated = true;
    }
    if (headers > MAX_HEADERS) {
      throw new IllegalArgumentException(
          "Not a frame: " + headers + " headers are more than " + MAX_HEADERS);
    }
    if (!hasMessage && (isTruncated || !hasEmpty)) {
      throw new IllegalArgumentException("Not a frame: no header contains a message");
    }
  }

  /** Whether the bytes are a header with valid field types and a message or a command. */
  private static boolean isHeaderWithMessage(byte[] bytes, int start, int length) {
    CodedInputStream in = CodedInputStream.newInstance(bytes, start, length);
    boolean hasMessage = false;
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        int number = WireFormat.getTagFieldNumber(tag);
        int wireType = headerWireType(number);
        if ((wireType != UNKNOWN_FIELD && wireType != WireFormat.getTagWireType(tag))
            || !in.skipField(tag)) {
          return false;
        }
        hasMessage |= number == Header.PDATA_FIELD_NUMBER || number == Header.CMD_FUNC_FIELD_NUMBER;
      }
    } catch (IOException e) {
      return false;
    }
    return hasMessage;
  }

  /** Returns UNKNOWN_FIELD for fields of newer firmware. */
  private static int headerWireType(int number) {
    return number < WIRE_TYPES.length ? WIRE_TYPES[number] : UNKNOWN_FIELD;
  }

  private static int[] wireTypes() {
    List<FieldDescriptor> fields = Header.getDescriptor().getFields();
    int[] types = new int[fields.stream().mapToInt(FieldDescriptor::getNumber).max().orElse(0) + 1];
    Arrays.fill(types, UNKNOWN_FIELD);
    fields.forEach(field -> types[field.getNumber()] = field.getLiteType().getWireType());
    return types;
  }

  /**
   * The payload without a truncated last header; the payload itself if its last header is complete
   * or if it is not a sequence of headers.
   */
  public static byte[] withoutCutHeader(byte[] payload) {
    CodedInputStream in = CodedInputStream.newInstance(payload);
    int end = 0;
    try {
      while (!in.isAtEnd()) {
        if (in.readTag() != HEADER_TAG) {
          return payload;
        }
        in.skipRawBytes(in.readRawVarint32());
        end = in.getTotalBytesRead();
      }
      return payload;
    } catch (IOException e) {
      return Arrays.copyOf(payload, end);
    }
  }

  /**
   * Decrypts the message of a header.
   *
   * @throws IllegalArgumentException if a field has the wrong type, or the message is too long
   */
  public static Header unmask(Header header) {
    // The protobuf library treats known fields with the wrong type as unknown fields.
    for (int number : header.getUnknownFields().asMap().keySet()) {
      if (headerWireType(number) != UNKNOWN_FIELD) {
        throw new IllegalArgumentException("Not a header: a field has the wrong type");
      }
    }
    if (header.getPdata().size() > MAX_MESSAGE_BYTES) {
      throw new IllegalArgumentException(
          "Not a header: a message of " + header.getPdata().size() + " bytes");
    }
    return isMasked(header)
        ? header.toBuilder().setPdata(plain(header)).clearEncType().build()
        : header;
  }

  /**
   * A frame that requests all values, for devices that do not reply to the JSON request. It has the
   * app as its source, and no command.
   *
   * @param seq any number; the reply does not contain it
   */
  public static byte[] getAll(int seq) {
    Header header =
        Header.newBuilder()
            .setSrc(ADDRESS_APP)
            .setDest(ADDRESS_APP)
            .setSeq(seq)
            .setFrom(APP)
            .build();
    return Frame.newBuilder().addHeaders(header.toByteString()).build().toByteArray();
  }

  /**
   * Decodes base64 text with optional surrounding white space.
   *
   * @throws IllegalArgumentException if the text is not base64, or is too long for a frame
   */
  public static byte[] fromBase64(byte[] payload) {
    int start = textStart(payload);
    int end = payload.length;
    while (end > start && isSpace(payload[end - 1])) {
      end--;
    }
    if (end - start > MAX_BASE64_BYTES) {
      throw new IllegalArgumentException("Not a frame as base64: " + (end - start) + " bytes");
    }
    return Base64.getDecoder().decode(Arrays.copyOfRange(payload, start, end));
  }

  /** The index of the first byte after a byte order mark and white space. */
  public static int textStart(byte[] payload) {
    int mark = BYTE_ORDER_MARK.length;
    int start = 0;
    if (payload.length >= mark && Arrays.equals(payload, 0, mark, BYTE_ORDER_MARK, 0, mark)) {
      start = mark;
    }
    while (start < payload.length && isSpace(payload[start])) {
      start++;
    }
    return start;
  }

  private static boolean isMasked(Header header) {
    return header.getEncType() == ENCRYPTED && header.getSrc() != ADDRESS_APP;
  }

  /** Decrypts the message: devices XOR each byte with the low byte of seq. */
  private static ByteString plain(Header header) {
    byte[] data = header.getPdata().toByteArray();
    byte key = (byte) header.getSeq();
    for (int i = 0; i < data.length; i++) {
      data[i] ^= key;
    }
    // The array is not shared, so it need not be copied.
    return UnsafeByteOperations.unsafeWrap(data);
  }

  private static boolean isSpace(byte b) {
    return b == ' ' || b == '\t' || b == '\n' || b == '\r';
  }
}
