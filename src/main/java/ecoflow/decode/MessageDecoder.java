package ecoflow.decode;

import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import ecoflow.decode.Decoded.Outcome;
import ecoflow.decode.proto.Header;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads the message that a header carries. Never throws, whatever a device sends. */
public final class MessageDecoder {

  private final MessageTable table;

  private MessageDecoder(MessageTable table) {
    this.table = table;
  }

  /** A decoder for every message of the packaged table. */
  public static MessageDecoder load() {
    return new MessageDecoder(MessageTable.load());
  }

  /**
   * Reads one header.
   *
   * @param serial serial number of the device, which settles commands that devices use differently
   */
  public Decoded decode(Header header, String serial) {
    byte[] data = Frames.plain(header);
    if (data.length == 0) {
      return decoded(header, Outcome.EMPTY, Map.of());
    }
    MessageTable.Entry entry = table.find(header, serial);
    if (entry == null) {
      return decoded(header, Outcome.UNKNOWN, Map.of());
    }
    DynamicMessage.Builder message = DynamicMessage.newBuilder(entry.type());
    Outcome outcome = Outcome.DECODED;
    try {
      message.mergeFrom(data);
    } catch (InvalidProtocolBufferException e) {
      outcome = Outcome.BROKEN;
    }
    Map<String, Object> values = new LinkedHashMap<>();
    FieldValues.of(message.buildPartial())
        .forEach((name, value) -> values.put(entry.prefix() + name, value));
    return decoded(header, outcome, values);
  }

  private static Decoded decoded(Header header, Outcome outcome, Map<String, Object> values) {
    return new Decoded(header.getCmdFunc(), header.getCmdId(), outcome, values);
  }
}
