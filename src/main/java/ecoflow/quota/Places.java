package ecoflow.quota;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The places in the messages of a device, as many as are worth knowing. */
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
     * Whether an item of a history is not older than those that were here before. It stays known
     * while the device is away, so that yesterday's item is not taken for news when it returns. If
     * only older items arrive for a day, the clock of the device was set back, and they are in
     * order again.
     *
     * @param seconds the time of the item; 0 if it has none, and is in order always
     * @param latest a later time is in order and not remembered: it would keep out all that follow
     * @param now of the clock of the store
     * @param backSince when the device sent its first message after it was away
     */
    boolean isInOrder(long seconds, long latest, long now, long backSince) {
      if (seconds == 0 || seconds > latest) {
        return true;
      }
      if (history == null) {
        history = new History();
      }
      return history.take(seconds, now, backSince);
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

  /** Of the items of a history at one place. */
  private static final class History {

    private static final long CLOCK_SET_BACK = TimeUnit.DAYS.toNanos(1);

    /** The time of the newest item in seconds since 1970. */
    private long newest = Long.MIN_VALUE;

    /** Whether the last item was older than that, and since when all items were. */
    private boolean isBehind;

    private long behindSince;

    boolean take(long seconds, long now, long backSince) {
      if (seconds < newest) {
        if (!isBehind || behindSince - backSince < 0) {
          isBehind = true;
          behindSince = now;
        }
        if (now - behindSince < CLOCK_SET_BACK) {
          return false;
        }
      }
      newest = seconds;
      isBehind = false;
      return true;
    }
  }
}
