package ecoflow.decode;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import ecoflow.decode.Decoded.Outcome;
import ecoflow.decode.proto.Header;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads the message that a header carries. Never throws, whatever a device sends. */
public final class MessageDecoder {

  private final MessageTable table;
  private final FieldValues fieldValues;

  private MessageDecoder(MessageTable table) {
    this.table = table;
    this.fieldValues = new FieldValues(table);
  }

  /** A decoder for every message of the packaged tables. */
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
    MessageTable.Entry entry = table.find(header, serial);
    if (entry == null) {
      Outcome outcome = data.length == 0 ? Outcome.EMPTY : Outcome.UNKNOWN;
      return decoded(header, outcome, Map.of());
    }
    Descriptor type = table.type(entry);
    if (data.length == 0 && table.zeroFields(type).isEmpty()) {
      return decoded(header, Outcome.EMPTY, Map.of());
    }
    DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
    try {
      message.mergeFrom(data);
    } catch (InvalidProtocolBufferException e) {
      return decoded(header, Outcome.BROKEN, salvaged(entry, message.buildPartial()));
    }
    Map<String, Object> values = fieldValues.of(message.build());
    return decoded(header, Outcome.DECODED, placed(entry, type, values));
  }

  private static Decoded decoded(Header header, Outcome outcome, Map<String, Object> values) {
    return new Decoded(header.getCmdFunc(), header.getCmdId(), outcome, values);
  }

  /** The fields before the damage; none of a list item whose place was not among them. */
  private Map<String, Object> salvaged(MessageTable.Entry entry, DynamicMessage message) {
    Map<String, Object> values = fieldValues.sent(message);
    Descriptor type = message.getDescriptorForType();
    if (entry.isListItem() && !values.containsKey(table.indexField(type).getName())) {
      return Map.of();
    }
    return placed(entry, type, values);
  }

  /** The values under the names that the table gives them. */
  private Map<String, Object> placed(
      MessageTable.Entry entry, Descriptor type, Map<String, Object> values) {
    if (entry.prefix().isEmpty() || values.isEmpty()) {
      return values;
    }
    Map<String, Object> placed = new LinkedHashMap<>();
    if (entry.isListItem()) {
      FieldValues.place(placed, entry.listName(), table.indexField(type), values);
    } else {
      values.forEach((name, value) -> placed.put(entry.prefix() + "." + name, value));
    }
    return placed;
  }
}
