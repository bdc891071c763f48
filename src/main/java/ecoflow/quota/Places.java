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

  /** In characters. Real keys have less than 100; the limit bounds the cost of forged keys. */
  static final int MAX_KEY_LENGTH = 1_000;

  /** The place of all keys that are too long. */
  private static final Place TOO_LONG = new Place("", false);

  private final int limit;
  private Place root = new Place("");
  private int known;

  Places(int maxSeries) {
    // Objects, lists and values that are not numbers also have a place.
    limit = 4 * maxSeries + 1_000;
  }

  /** The place of the top level of a message. Clears the cache if it is full. */
  Place root() {
    if (known >= limit) {
      // Only forged keys are likely to fill the cache.
      root = new Place("");
      known = 0;
    }
    return root;
  }

  Place member(Place place, String name) {
    Place member = place.members.get(name);
    if (member == null && place.key.length() + name.length() > MAX_KEY_LENGTH) {
      // Do not concatenate: a key can be a string of several megabytes.
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
   * The position of a value in the messages of a device, with cached results: its key is built and
   * looked up only the first time.
   */
  static final class Place {

    final String key;
    final boolean usable;
    private Map<String, Place> members = Map.of();
    private List<Place> elements = List.of();
    Cell cell;

    /**
     * The version of the device's set of keys at which no values existed at or below this place.
     */
    long bareAt = -1;

    /** Null without items of a history at this place. */
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
