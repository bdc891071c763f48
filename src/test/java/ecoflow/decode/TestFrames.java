package ecoflow.decode;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** Recorded and synthetic frames for tests. */
public final class TestFrames {

  /** Files of recorded frames, with the start of the serial number of the device. */
  public static final Map<String, String> SERIALS =
      Map.ofEntries(
          Map.entry("alternator-254-21.hex", "F371"),
          Map.entry("delta-pro-ultra-2-4.hex", "Y711"),
          Map.entry("delta3-254-21.hex", "P231"),
          Map.entry("delta3plus-get-reply.hex", "P351"),
          Map.entry("home-panel2-12-32.hex", "HD31"),
          Map.entry("ocean-panel-get-reply.hex", "HR61"),
          Map.entry("ocean2-254-39.hex", "RE11"),
          Map.entry("ocean2-254-46.hex", "RE11"),
          Map.entry("powerocean-plus-get-all.hex", "R374"),
          Map.entry("powerpulse-209-8.hex", "R374"),
          Map.entry("powerpulse2-241-3.hex", "HJ31"),
          Map.entry("powerpulse2-241-44.hex", "C376"),
          Map.entry("powerpulse2-get-reply.hex", "C376"),
          Map.entry("powerstream-20-1.hex", "HW51"),
          Map.entry("river3-get-reply.hex", "R655"),
          Map.entry("smart-meter-get-reply.hex", "BK21"),
          Map.entry("solar-tracker-32-1.hex", "S02F"),
          Map.entry("solar-tracker-hz31-32-1.hex", "HZ31"),
          Map.entry("stream-ac5000-50-2.hex", "ES22"),
          Map.entry("stream-ac5000-32-50.hex", "ES22"),
          Map.entry("stream-micro-254-21.hex", "BK01"),
          Map.entry("stream5000-254-39.hex", "ES21"),
          Map.entry("stream5000-32-2.hex", "ES21"),
          Map.entry("stream5000-32-50.hex", "ES21"),
          Map.entry("wave3-254-21.hex", "AC71"));

  public static final List<String> RECORDED = SERIALS.keySet().stream().sorted().toList();

  private static final MessageDecoder DECODER = MessageDecoder.load();

  private TestFrames() {}

  public static byte[] resource(String name) {
    try (InputStream in = TestFrames.class.getResourceAsStream("/frames/" + name)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static byte[] recorded(String name) {
    return hex(new String(resource(name), StandardCharsets.US_ASCII));
  }

  public static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replaceAll("\\s", ""));
  }

  /** Removes the times, which HistoriesTest covers, for comparisons of values. */
  static Decoded withoutTimes(Decoded decoded) {
    return new Decoded(
        decoded.cmdFunc(), decoded.cmdId(), decoded.outcome(), decoded.values(), decoded.dropped());
  }

  /** A plain 254/21 header of the main part. */
  public static Header.Builder header(byte[] pdata) {
    return Header.newBuilder()
        .setPdata(ByteString.copyFrom(pdata))
        .setSrc(2)
        .setDest(32)
        .setCmdFunc(254)
        .setCmdId(21);
  }

  public static byte[] frame(Header... headers) {
    return frame(Arrays.stream(headers).map(Header::toByteString).toArray(ByteString[]::new));
  }

  public static byte[] frame(ByteString... headers) {
    return Frame.newBuilder().addAllHeaders(List.of(headers)).build().toByteArray();
  }

  /** Parses a header and decrypts its message. */
  public static Header header(ByteString bytes) {
    try {
      return Frames.unmask(Header.parseFrom(bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** The messages of a frame that the packaged tables know. */
  public static List<Decoded> decoded(byte[] frame, String serial) {
    return headers(frame).stream()
        .map(header -> DECODER.decode(header, serial))
        .filter(decoded -> decoded.outcome() == Decoded.Outcome.DECODED)
        .toList();
  }

  /** The headers of a frame that are not broken. */
  public static List<Header> headers(byte[] frame) {
    List<Header> headers = new ArrayList<>();
    try {
      for (ByteString bytes : Frame.parseFrom(Frames.withoutCutHeader(frame)).getHeadersList()) {
        try {
          headers.add(header(bytes));
        } catch (IllegalArgumentException broken) {
          // Only the other headers matter.
        }
      }
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException(e);
    }
    return headers;
  }
}
