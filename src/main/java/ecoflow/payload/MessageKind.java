package ecoflow.payload;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import ecoflow.decode.Frames;
import ecoflow.decode.proto.Frame;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.util.Set;

/**
 * Identifies the part of a device that a payload describes, by its envelope: by the commands in the
 * headers of a frame, or by members of a JSON object such as typeCode. A newer message of the same
 * kind replaces most of the information in an older one.
 */
final class MessageKind {

  /** Larger payloads have no kind, because parsing them twice is too expensive. */
  private static final int MAX_BYTES = 64 << 10;

  private static final String NO_KIND = "";

  private static final Set<String> PART_MEMBERS =
      Set.of("typeCode", "moduleType", "moduleSn", "addr", "cmdFunc", "cmdSet", "cmdId");

  /** Without the cache of field names, which long names could fill. */
  private static final JsonFactory JSON =
      JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();

  private MessageKind() {}

  static String of(byte[] payload) {
    if (payload.length > MAX_BYTES) {
      return NO_KIND;
    }
    try {
      return switch (PayloadKind.of(payload)) {
        case JSON -> ofJson(payload);
        case FRAME -> ofFrame(payload);
        case BASE64 -> ofFrame(Frames.fromBase64(payload));
        case CUT_FRAME, UNKNOWN -> NO_KIND;
      };
    } catch (IOException e) {
      return NO_KIND;
    }
  }

  private static String ofJson(byte[] payload) throws IOException {
    StringBuilder kind = new StringBuilder();
    int start = Frames.textStart(payload);
    try (JsonParser json = JSON.createParser(payload, start, payload.length - start)) {
      json.nextToken();
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        JsonToken value = json.nextToken();
        if (PART_MEMBERS.contains(name) && value.isScalarValue()) {
          kind.append(name).append('=').append(json.getText()).append(' ');
        } else {
          json.skipChildren();
        }
      }
    }
    return kind.toString();
  }

  private static String ofFrame(byte[] payload) throws InvalidProtocolBufferException {
    StringBuilder kind = new StringBuilder();
    for (ByteString bytes : Frame.parseFrom(payload).getHeadersList()) {
      Header header = Header.parseFrom(bytes);
      kind.append(header.getCmdFunc()).append('/').append(header.getCmdId()).append(' ');
    }
    return kind.toString();
  }
}
