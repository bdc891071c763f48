package ecoflow.decode;

import com.google.protobuf.ByteString;
import ecoflow.decode.Decoded.Dropped;
import ecoflow.decode.Decoded.Outcome;
import ecoflow.decode.proto.Header;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Decodes the message of a header. Does not throw exceptions for damaged messages. */
final class MessageDecoder {

  private final MessageTable table;

  private MessageDecoder(MessageTable table) {
    this.table = table;
  }

  /** A decoder with the packaged tables. */
  static MessageDecoder load() {
    return of(MessageTable.load());
  }

  static MessageDecoder of(MessageTable table) {
    return new MessageDecoder(table);
  }

  /**
   * Decodes the message of a header, which must be decrypted.
   *
   * @param serial serial number of the device, for commands with a different message per model
   */
  Decoded decode(Header header, String serial) {
    ByteString data = header.getPdata();
    MessageTable.Entry entry = table.find(header, serial);
    if (entry == null) {
      return withoutValues(header, data.isEmpty() ? Outcome.EMPTY : Outcome.UNKNOWN);
    }
    MessageType type = entry.prepared().get();
    if (data.isEmpty() && type.zeros().isEmpty()) {
      return withoutValues(header, Outcome.EMPTY);
    }
    List<Dropped> dropped = new ArrayList<>(0);
    FieldValues fields = new FieldValues(type, dropped);
    Outcome outcome = Outcome.DECODED;
    Map<String, Object> values;
    try {
      fields.read(data.newCodedInput());
      values = fields.all();
    } catch (IOException e) {
      outcome = Outcome.BROKEN;
      values = valid(entry, type, fields.sent());
    }
    Map<String, Long> times = fields.times();
    if (entry.isListItem() && !values.isEmpty()) {
      Map<String, Long> within = times;
      times = new HashMap<>();
      values = indexed(entry, type, values, dropped, times);
      for (String key : values.keySet()) {
        for (Map.Entry<String, Long> time : within.entrySet()) {
          times.put(key + "." + time.getKey(), time.getValue());
        }
      }
    }
    return new Decoded(
        header.getCmdFunc(), header.getCmdId(), outcome, values, List.copyOf(dropped), times);
  }

  /** The fields of the message; empty for an unknown message. */
  Optional<Layout> layout(Header header, String serial) {
    return Optional.ofNullable(table.find(header, serial))
        .map(
            entry ->
                new Layout(
                    table.type(entry), field -> table.isNumber(field) || table.isMask(field)));
  }

  private static Decoded withoutValues(Header header, Outcome outcome) {
    return new Decoded(
        header.getCmdFunc(), header.getCmdId(), outcome, new LinkedHashMap<>(), List.of());
  }

  /** The fields before the damage; empty for a list item without its index. */
  private static Map<String, Object> valid(
      MessageTable.Entry entry, MessageType type, Map<String, Object> values) {
    List<String> index = type.listRule().indexFields();
    return entry.isListItem() && !values.keySet().containsAll(index)
        ? new LinkedHashMap<>()
        : values;
  }

  /** A list item under the key with its index. */
  private static Map<String, Object> indexed(
      MessageTable.Entry entry,
      MessageType type,
      Map<String, Object> values,
      List<Dropped> dropped,
      Map<String, Long> times) {
    Map<String, Object> indexed = new LinkedHashMap<>();
    String list = entry.listName();
    new ListItems(
            list,
            type.listRule(),
            indexed,
            reason -> dropped.add(new Dropped(list, reason)),
            times::put)
        .put(values);
    return indexed;
  }
}
