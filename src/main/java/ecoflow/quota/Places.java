package ecoflow.quota;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds the cell of a value by its position in the message.
 *
 * <p>Fast path, read last: the store could also build the key of each value and look it up. This
 * class builds and looks up a key only once, and then reuses the result for each message. It keeps
 * a limited number of positions.
 */
final class Places {

  /** Characters. Real keys have less than 100; this bounds what made-up ones can cost. */
  static final int MAX_KEY_LENGTH = 1_000;

  /** Stands for every place whose key is too long. */
  private static final Place TOO_LONG = new Place("", false);

  private final int limit;
  private Place root = new Place("");
  private int known;

  Places(int maxSeries) {
    // Places are objects and lists too, and what is no number.
    limit = 4 * maxSeries + 1_000;
  }

  /** The place of a whole message. */
  Place root() {
    if (known >= limit) {
      // Filled with made-up keys, most likely.
      root = new Place("");
      known = 0;
    }
    return root;
  }

  Place member(Place place, String name) {
    Place member = place.members.get(name);
    if (member == null && place.key.length() + name.length() > MAX_KEY_LENGTH) {
      // Not put together: a text of megabytes can be a key.
      return TOO_LONG;
    }
    if (member == null) {
      member = new Place(place == root ? name : place.key + "." + name);
      if (known < limit) {
        place.learnMember(name, member);
        known++;
      }
    }
    return member;
  }

  Place element(Place place, int index) {
    Place element = index < place.elements.size() ? place.elements.get(index) : null;
    if (element == null && place.key.length() + 2 > MAX_KEY_LENGTH) {
      return TOO_LONG;
    }
    if (element == null) {
      element = new Place(place.key + "[" + index + "]");
      if (known < limit) {
        place.learnElement(index, element);
        known++;
      }
    }
    return element;
  }

  /**
   * Where in the messages of a device a value stands, with what was found out about it: a key is
   * put together and looked up when it is new, not whenever it comes.
   */
  static final class Place {

    final String key;
    final boolean usable;
    private Map<String, Place> members = Map.of();
    private List<Place> elements = List.of();
    Cell cell;

    /** The state of the device's keys in which there was nothing at this place or below it. */
    long bareAt = -1;

    /** Null if no item of a history was here. */
    private History history;

    Place(String key) {
      this(key, key.length() <= MAX_KEY_LENGTH);
    }

    private Place(String key, boolean usable) {
      this.key = key;
      this.usable = usable;
    }

    /**
     * Whether an item of a history is not older than the items before it. Remembers its time, also
     * while the device is offline.
     *
     * @param seconds the time of the item in seconds since 1970; 0 if it has none
     * @param latest see {@link History#isInOrder}
     * @param now by the clock of the store
     * @param backSince when the device sent its first message after it was offline
     */
    boolean isInOrder(long seconds, long latest, long now, long backSince) {
      if (history == null) {
        history = new History();
      }
      return history.isInOrder(seconds, latest, now, backSince);
    }

    private void learnMember(String name, Place place) {
      if (members.isEmpty()) {
        members = new HashMap<>();
      }
      members.put(name, place);
    }

    private void learnElement(int index, Place place) {
      if (elements.isEmpty()) {
        elements = new ArrayList<>();
      }
      if (index == elements.size()) {
        elements.add(place);
      }
    }
  }
}
