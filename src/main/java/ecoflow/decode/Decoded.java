package ecoflow.decode;

import java.util.List;
import java.util.Map;

/**
 * The decoded message of one header.
 *
 * @param values the fields that were sent, by field name: Long, Double, Boolean, String, List for
 *     repeated fields, Map of the same shape for nested messages. List items that contain their
 *     index have separate keys, such as {@code bms_heartbeat[1]} or {@code unit["ES21X"]}. Empty
 *     unless the outcome is {@link Outcome#DECODED} or {@link Outcome#BROKEN}.
 * @param dropped values and list items that could not be decoded
 * @param times the times of the history items in the values, in seconds since 1970 by the clock of
 *     the device, by the full key of the item, such as {@code watth_item[7]}; 0 for an item without
 *     a time, and for an item that is not part of a history
 */
public record Decoded(
    int cmdFunc,
    int cmdId,
    Outcome outcome,
    Map<String, Object> values,
    List<Dropped> dropped,
    Map<String, Long> times) {

  Decoded(
      int cmdFunc, int cmdId, Outcome outcome, Map<String, Object> values, List<Dropped> dropped) {
    this(cmdFunc, cmdId, outcome, values, dropped, Map.of());
  }

  /** The result of reading the message. */
  public enum Outcome {
    DECODED,
    /** The tables do not contain the command. */
    UNKNOWN,
    /** The header contains no message. */
    EMPTY,
    /** The message is truncated or damaged; the values are the fields before the damage. */
    BROKEN
  }

  /** A dropped value or list item. */
  public record Dropped(String field, Reason reason) {

    public enum Reason {
      /** The field contains bytes, but the table declares a number. */
      TYPE,
      /** The index of the item is not valid, or the list has more items than that of any device. */
      PLACE,
      /** The item does not contain its index, although its list requires it. */
      NO_PLACE
    }
  }
}
