package ecoflow.decode;

import java.util.List;
import java.util.Map;

/**
 * What one header of a frame says.
 *
 * @param values by field name, only fields that were sent: Long, Double, Boolean, String, List for
 *     repeated fields, Map of the same shape for nested messages. List items that name their place
 *     have keys of their own, such as {@code bms_heartbeat[1]} or {@code unit["ES21X"]}. Empty
 *     unless the outcome is {@link Outcome#DECODED} or {@link Outcome#BROKEN}.
 * @param dropped what was left out because nobody could say what it means
 * @param times of the items of histories among the values, in seconds since 1970 as the device's
 *     clock has them, by the whole key of the item, such as {@code watth_item[7]}; 0 for an item
 *     without a time, and for one that is whole without being part of a history
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

  /** How far the message could be read. */
  public enum Outcome {
    DECODED,
    /** No message is known for the command. */
    UNKNOWN,
    /** The header carries no message. */
    EMPTY,
    /** The message ends early or is damaged; the values are the fields before the damage. */
    BROKEN
  }

  /** One value, or one item of a list, that was left out. */
  public record Dropped(String field, Reason reason) {

    /** Why. */
    public enum Reason {
      /** Bytes came where the table has a single number. */
      TYPE,
      /** A list has more places than any device, or an item names a place that cannot be. */
      PLACE,
      /** An item does not name the place that items of its list have. */
      NO_PLACE
    }
  }
}
