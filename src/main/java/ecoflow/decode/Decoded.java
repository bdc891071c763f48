package ecoflow.decode;

import java.util.Map;

/**
 * What one header of a frame says.
 *
 * @param values by field name, only fields that were sent: Long, Double, Boolean, String, List for
 *     repeated fields, Map of the same shape for nested messages. List items that name their place
 *     have keys of their own, such as "bms_heartbeat[1]". Empty unless the outcome is {@link
 *     Outcome#DECODED} or {@link Outcome#BROKEN}.
 */
public record Decoded(int cmdFunc, int cmdId, Outcome outcome, Map<String, Object> values) {

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
}
