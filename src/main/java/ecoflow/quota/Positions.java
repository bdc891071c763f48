package ecoflow.quota;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The positions of values in the messages of one device.
 *
 * <p>Fast path, read last: the store could also build the key of each value and look it up. This
 * class builds and looks up a key only once, and then reuses the result for each message. It keeps
 * a limited number of positions.
 */
final class Positions {

  /** In characters. Real keys have less than 100; the limit bounds the cost of forged keys. */
  static final int MAX_KEY_LENGTH = 1_000;

  /** The position of all keys that are too long. */
  private static final Position TOO_LONG = new Position("", false);

  private final int limit;
  private Position root = new Position("");
  private int known;

  Positions(int maxSeries) {
    // Objects, lists and values that are not numbers also have a position.
    limit = 4 * maxSeries + 1_000;
  }

  /** The position of a message as a whole. Clears the cache if it is full. */
  Position root() {
    if (known >= limit) {
      // Only forged keys are likely to fill the cache.
      root = new Position("");
      known = 0;
    }
    return root;
  }

  Position member(Position object, String name) {
    Position member = object.members.get(name);
    if (member == null && object.key.length() + name.length() > MAX_KEY_LENGTH) {
      // Do not concatenate: a key can be a string of several megabytes.
      return TOO_LONG;
    }
    if (member == null) {
      member = new Position(object == root ? name : object.key + "." + name);
      if (known < limit) {
        object.learnMember(name, member);
        known++;
      }
    }
    return member;
  }

  Position element(Position list, int index) {
    Position element = index < list.elements.size() ? list.elements.get(index) : null;
    if (element == null && list.key.length() + 2 > MAX_KEY_LENGTH) {
      return TOO_LONG;
    }
    if (element == null) {
      element = new Position(list.key + "[" + index + "]");
      if (known < limit) {
        list.learnElement(index, element);
        known++;
      }
    }
    return element;
  }

  /**
   * The position of a value in the messages of a device, with cached results: its key is built and
   * looked up only the first time.
   */
  static final class Position {

    final String key;

    /** False if the key is too long. */
    final boolean usable;

    private Map<String, Position> members = Map.of();
    private List<Position> elements = List.of();
    private Cell cell;

    /** The version of the index in which neither this key nor its content had values. */
    private long emptyVersion = -1;

    /** Null without items of a history at this position. */
    private History history;

    Position(String key) {
      this(key, key.length() <= MAX_KEY_LENGTH);
    }

    private Position(String key, boolean usable) {
      this.key = key;
      this.usable = usable;
    }

    /** The cell of the key; null without a value. */
    Cell cell(SeriesIndex index) {
      if (cell == null || cell.removed) {
        cell = index.find(key);
      }
      return cell;
    }

    /** Whether neither the key nor its content has values, such as list elements. */
    boolean isEmpty(SeriesIndex index) {
      if (emptyVersion == index.version()) {
        return true;
      }
      boolean isEmpty =
          cell(index) == null && index.elements(key).isEmpty() && index.members(key).isEmpty();
      emptyVersion = isEmpty ? index.version() : -1;
      return isEmpty;
    }

    /**
     * Whether an item of a history is not older than the items before it. Remembers its time, also
     * while the device is offline.
     *
     * @param seconds the time of the item in seconds since 1970; 0 if it has none
     * @param latest see {@link History#isInOrder}
     * @param now by the clock of the store
     * @param onlineSince when the device sent its first message after it was offline
     */
    boolean isInOrder(long seconds, long latest, long now, long onlineSince) {
      if (history == null) {
        history = new History();
      }
      return history.isInOrder(seconds, latest, now, onlineSince);
    }

    private void learnMember(String name, Position position) {
      if (members.isEmpty()) {
        members = new HashMap<>();
      }
      members.put(name, position);
    }

    private void learnElement(int index, Position position) {
      if (elements.isEmpty()) {
        elements = new ArrayList<>();
      }
      if (index == elements.size()) {
        elements.add(position);
      }
    }
  }
}
