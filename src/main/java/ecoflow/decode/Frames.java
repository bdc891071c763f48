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
 * Binary frames as they come in MQTT payloads: rows of headers, each with a message of the device.
 * The object reads messages; what needs no tables is static.
 */
public final class Frames {

  /** Frames are a few kilobytes. The bound keeps the memory of a hostile payload small. */
  static final int MAX_BYTES = 256 * 1024;

  /** The longest message known, a day of minute values, stays below this. */
  static final int MAX_MESSAGE_BYTES = 64 * 1024;

  /** The most known, all values of a PowerOcean Plus, are 19. */
  static final int MAX_HEADERS = 500;

  private static final int MAX_BASE64_BYTES = (MAX_BYTES + 2) / 3 * 4;
  private static final int HEADER_TAG =
      Frame.HEADERS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  private static final int ENCRYPTED = 1;
  private static final int ADDRESS_APP = 32;
  private static final ByteString APP = ByteString.copyFromUtf8("Android");
  private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

  private static final int UNKNOWN_FIELD = -1;

  /** Wire types of header fields by number. */
  private static final int[] WIRE_TYPES = wireTypes();

  private final MessageDecoder decoder;

  private Frames(MessageDecoder decoder) {
    this.decoder = decoder;
  }

  /** A reader of every message of the packaged tables. */
  public static Frames load() {
    return new Frames(MessageDecoder.load());
  }

  /**
   * A reader of the user's messages as well.
   *
   * @param folder descriptor sets and tables, whose lines go before the packaged ones
   * @param problems gets a line for each mistake in the folder
   */
  public static Frames load(Optional<Path> folder, Consumer<String> problems) {
    return new Frames(MessageDecoder.of(MessageTable.load(folder, problems)));
  }

  /** Whether a line of the tables is about devices whose serial numbers begin as this one does. */
  public static boolean isNamed(String serial) {
    return MessageTable.isNamed(serial);
  }

  /**
   * Reads the message of a header that {@link #unmask} has made plain. Never throws, whatever a
   * device sends.
   *
   * @param serial serial number of the device, which settles commands that devices use differently
   */
  public Decoded read(Header header, String serial) {
    return decoder.decode(header, serial);
  }

  /**
   * Whether the payload is a row of headers of which at least one carries a message. A last header
   * that is cut does not count.
   */
  public static boolean isFrame(byte[] payload) {
    // Spares the exception for what comes most, JSON.
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
   * Looks at the tags of a payload without reading what they hold.
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
    boolean carries = false;
    boolean hasEmpty = false;
    boolean isCut = false;
    try {
      while (!in.isAtEnd()) {
        if (in.readTag() != HEADER_TAG) {
          throw new IllegalArgumentException("Not a frame: something besides headers");
        }
        int length = in.readRawVarint32();
        int start = in.getTotalBytesRead();
        in.skipRawBytes(length);
        headers++;
        hasEmpty |= length == 0;
        carries = carries || isHeaderWithMessage(payload, start, length);
      }
    } catch (IOException e) {
      isCut = true;
    }
    if (headers > MAX_HEADERS) {
      throw new IllegalArgumentException(
          "Not a frame: " + headers + " headers are more than " + MAX_HEADERS);
    }
    if (!carries && (isCut || !hasEmpty)) {
      throw new IllegalArgumentException("Not a frame: no header carries a message");
    }
  }

  /** Whether the bytes are a header, each known field of its type, with a message or a command. */
  private static boolean isHeaderWithMessage(byte[] bytes, int start, int length) {
    CodedInputStream in = CodedInputStream.newInstance(bytes, start, length);
    boolean carries = false;
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        int number = WireFormat.getTagFieldNumber(tag);
        int wireType = headerWireType(number);
        if ((wireType != UNKNOWN_FIELD && wireType != WireFormat.getTagWireType(tag))
            || !in.skipField(tag)) {
          return false;
        }
        carries |= number == Header.PDATA_FIELD_NUMBER || number == Header.CMD_FUNC_FIELD_NUMBER;
      }
    } catch (IOException e) {
      return false;
    }
    return carries;
  }

  /** Newer fields, which may come, are unknown. */
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
   * The payload without a last header that is cut; the payload itself if it ends with a whole one
   * or is no row of headers.
   */
  public static byte[] whole(byte[] payload) {
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
   * The header with its message in plain bytes.
   *
   * @throws IllegalArgumentException if a field has another type than it should, or the message is
   *     too long
   */
  public static Header unmask(Header header) {
    // Seldom any: tags are looked at where there are some.
    for (int number : header.getUnknownFields().asMap().keySet()) {
      if (headerWireType(number) != UNKNOWN_FIELD) {
        throw new IllegalArgumentException("Not a header: a field of another type");
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
   * The frame that asks a device for all its values, for devices that do not answer the question in
   * JSON. It names the app as its source and no command.
   *
   * @param seq any number; the answer does not refer to it
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
   * The bytes that a base64 text stands for; white space around the text is allowed.
   *
   * @throws IllegalArgumentException if the text is not base64 or longer than a frame can be
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

  /** The index of the first byte of text, after a byte order mark and white space. */
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

  /** The message bytes of a header; what a device encrypts, it XORs with the low byte of seq. */
  private static ByteString plain(Header header) {
    byte[] data = header.getPdata().toByteArray();
    byte key = (byte) header.getSeq();
    for (int i = 0; i < data.length; i++) {
      data[i] ^= key;
    }
    // Nobody else has these bytes, so that no copy is needed.
    return UnsafeByteOperations.unsafeWrap(data);
  }

  private static boolean isSpace(byte b) {
    return b == ' ' || b == '\t' || b == '\n' || b == '\r';
  }
}
