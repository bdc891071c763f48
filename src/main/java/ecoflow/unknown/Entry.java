package ecoflow.unknown;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import ecoflow.decode.Layout;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The envelope of a recorded message, which becomes a line of JSON.
 *
 * @param mode the mode of the account; empty if it is not recorded
 * @param device the replaced serial number
 * @param product the name of the product
 */
record Entry(Instant time, String source, String mode, String device, String product) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A line with a message as a frame.
   *
   * @param header the header with the decrypted message
   * @param layout the description of the message; empty for an unknown message
   */
  String line(Header header, Optional<Layout> layout, Mask mask) {
    mask.numberSerials(header.getPdata().toString(ISO_8859_1));
    byte[] masked = new FieldMask(mask).header(header.toByteArray(), layout);
    byte[] frame = Frame.newBuilder().addHeaders(ByteString.copyFrom(masked)).build().toByteArray();
    Map<String, Object> line = envelope(mask);
    line.put("command", header.getCmdFunc() + "/" + header.getCmdId());
    line.put("frame", HexFormat.of().formatHex(frame));
    return text(line);
  }

  /** A line with a JSON object. */
  String line(Map<?, ?> object, Mask mask) {
    mask.numberSerials(text(object));
    Map<String, Object> line = envelope(mask);
    line.put("json", new JsonMask(mask).value(object));
    return text(line);
  }

  private Map<String, Object> envelope(Mask mask) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("time", time.toString());
    line.put("source", source);
    if (!mode.isEmpty()) {
      line.put("mode", mode);
    }
    line.put("device", device);
    line.put("product", mask.key(product));
    return line;
  }

  private static String text(Map<?, ?> line) {
    try {
      return JSON.writeValueAsString(line);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("maps, lists, texts and numbers can be written as JSON", e);
    }
  }
}
