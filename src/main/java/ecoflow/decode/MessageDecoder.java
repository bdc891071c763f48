package ecoflow.decode;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import ecoflow.decode.Decoded.Outcome;
import ecoflow.decode.proto.Header;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the message that a header carries. Never throws, whatever a device sends. */
final class MessageDecoder {

  private final MessageTable table;

  private MessageDecoder(MessageTable table) {
    this.table = table;
  }

  /** A decoder for every message of the packaged tables. */
  static MessageDecoder load() {
    return new MessageDecoder(MessageTable.load());
  }

  /**
   * Reads one header whose message is plain.
   *
   * @param serial serial number of the device, which settles commands that devices use differently
   */
  Decoded decode(Header header, String serial) {
    byte[] data = header.getPdata().toByteArray();
    MessageTable.Entry entry = table.find(header, serial);
    if (entry == null) {
      return nothing(header, data.length == 0 ? Outcome.EMPTY : Outcome.UNKNOWN);
    }
    Descriptor type = table.type(entry);
    if (data.length == 0 && table.zeroFields(type).isEmpty()) {
      return nothing(header, Outcome.EMPTY);
    }
    DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
    FieldValues fields = new FieldValues(table);
    Outcome outcome = Outcome.DECODED;
    Map<String, Object> values;
    try {
      message.mergeFrom(data);
      values = fields.of(message.build());
    } catch (InvalidProtocolBufferException e) {
      outcome = Outcome.BROKEN;
      values = salvaged(entry, message.buildPartial(), fields);
    }
    Map<String, Object> placed = placed(entry, type, values, fields);
    return new Decoded(header.getCmdFunc(), header.getCmdId(), outcome, placed, fields.dropped());
  }

  private static Decoded nothing(Header header, Outcome outcome) {
    return new Decoded(header.getCmdFunc(), header.getCmdId(), outcome, Map.of(), List.of());
  }

  /** The fields before the damage; none of a list item whose place was not among them. */
  private Map<String, Object> salvaged(
      MessageTable.Entry entry, DynamicMessage message, FieldValues fields) {
    Map<String, Object> values = fields.sent(message);
    List<String> place = table.listRule(message.getDescriptorForType()).placeFields();
    return entry.isListItem() && !values.keySet().containsAll(place) ? Map.of() : values;
  }

  /** The values under the names that the table gives them. */
  private Map<String, Object> placed(
      MessageTable.Entry entry, Descriptor type, Map<String, Object> values, FieldValues fields) {
    if (entry.prefix().isEmpty() || values.isEmpty()) {
      return values;
    }
    Map<String, Object> placed = new LinkedHashMap<>();
    if (entry.isListItem()) {
      fields.putItem(placed, entry.listName(), table.listRule(type), values);
    } else {
      values.forEach((name, value) -> placed.put(entry.prefix() + "." + name, value));
    }
    return placed;
  }
}
