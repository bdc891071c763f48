package ecoflow.quota;

import ecoflow.quota.Family.Series;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * The latest numbers of every device, as series.
 *
 * <p>A quota message is a partial update: keys that it does not name keep their series. A key that
 * arrives with anything but a number or a boolean loses its series. A list replaces all of the list
 * before.
 *
 * <p>Safe for use by several threads.
 */
final class QuotaStore {

  private static final int MAX_DEPTH = 32;

  /** Characters. Real keys have less than 100; this bounds what made-up ones can cost. */
  private static final int MAX_KEY_LENGTH = 1_000;

  private static final Conflicts NOBODY = (kind, serial, name) -> {};

  /** A place in a list: its number, or in quotes the serial number that an item names. */
  private static final Pattern INDEX =
      Pattern.compile("\\[(?:(0|[1-9][0-9]{0,9})|\"([A-Za-z0-9]{1,40})\")\\]");

  /** Numbers by size; a longer number is a larger one. */
  private static final Comparator<String> BY_INDEX =
      Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder());

  private final Predicate<String> ownName;
  private final Conflicts conflicts;
  private final LongSupplier nanoClock;
  private final int maxSeriesPerDevice;

  /** Guards everything below. Updates are short and rare, so that one lock does for all devices. */
  private final Object lock = new Object();

  private final SortedMap<String, Device> devices = new TreeMap<>();
  private long messages;
  private Conflicts conflictsOfMessage = NOBODY;

  /** Takes note of values that could not be shown beside others. */
  interface Conflicts {

    enum Conflict {
      /** Two keys give the same series; the latest value is shown. */
      SAME_NAME,
      /** A name has another number of indexes than before; the latest shape is shown. */
      SHAPE,
      /** The name belongs to a metric of the exporter; the value was dropped. */
      OWN_METRIC,
      /** The device has too many series; the value was dropped. */
      LIMIT
    }

    /**
     * Called within the store's lock, once for every value.
     *
     * @param name the series name without the exporter's prefix; empty for a value in a flood of
     *     them that meets the limit
     */
    void count(Conflict kind, String serial, String name);
  }

  /**
   * @param rawKey with its indexes
   * @param nanos time of the last update
   * @param message number of the message that brought the value
   */
  private record Reading(
      String rawKey, String name, List<String> indexes, double value, long nanos, long message) {}

  /**
   * @param ownName whether a series name (without prefix) is a metric of the exporter itself
   * @param nanoClock such as System::nanoTime
   */
  QuotaStore(
      Predicate<String> ownName,
      Conflicts conflicts,
      LongSupplier nanoClock,
      int maxSeriesPerDevice) {
    this.ownName = ownName;
    this.conflicts = conflicts;
    this.nanoClock = nanoClock;
    this.maxSeriesPerDevice = maxSeriesPerDevice;
  }

  /** As {@link #record(String, Map, Conflicts)}, for who does not ask about one message. */
  int record(String serial, Map<?, ?> quotas) {
    return record(serial, quotas, NOBODY);
  }

  /**
   * Takes the values of one message.
   *
   * @param quotas numbers, booleans, texts, nulls, and maps and lists of these; keys may hold dots
   *     and places in lists, such as {@code bms.cells[3].vol} or {@code units["ES21X"].soc}
   * @param conflictsOfMessage is told of the conflicts of this message, as the one for all is
   * @return how many values were taken
   */
  int record(String serial, Map<?, ?> quotas, Conflicts conflictsOfMessage) {
    synchronized (lock) {
      messages++;
      this.conflictsOfMessage = conflictsOfMessage;
      Device device = devices.computeIfAbsent(serial, Device::new);
      device.refused = 0;
      int taken = device.takeMembers("", quotas, 1);
      if (device.byKey.isEmpty()) {
        devices.remove(serial);
      }
      return taken;
    }
  }

  void forget(String serial) {
    synchronized (lock) {
      devices.remove(serial);
    }
  }

  /** Removes the series without an update for longer than this and returns how many they were. */
  int expire(Duration maxAge) {
    synchronized (lock) {
      long now = nanoClock.getAsLong();
      int removed = 0;
      for (Device device : devices.values()) {
        for (Reading reading : List.copyOf(device.byKey.values())) {
          if (Duration.ofNanos(now - reading.nanos()).compareTo(maxAge) > 0) {
            device.remove(reading);
            removed++;
          }
        }
      }
      devices.values().removeIf(device -> device.byKey.isEmpty());
      return removed;
    }
  }

  /** The number of series of this device. */
  int size(String serial) {
    synchronized (lock) {
      Device device = devices.get(serial);
      return device == null ? 0 : device.byKey.size();
    }
  }

  /** All series of this moment, sorted by name. */
  List<Family> snapshot() {
    synchronized (lock) {
      SortedMap<String, Family> families = new TreeMap<>();
      for (Device device : devices.values()) {
        device.byName.forEach(
            (name, readings) -> {
              Family family =
                  families.computeIfAbsent(
                      name,
                      n -> {
                        String rawKey = readings.firstEntry().getValue().rawKey();
                        return new Family(n, withoutIndexes(rawKey), new ArrayList<>());
                      });
              for (Reading reading : readings.values()) {
                family.series().add(new Series(device.serial, reading.indexes(), reading.value()));
              }
            });
      }
      return List.copyOf(families.values());
    }
  }

  private static String withoutIndexes(String rawKey) {
    return INDEX.matcher(rawKey).replaceAll("");
  }

  private static List<String> indexesOf(String rawKey) {
    return INDEX.matcher(rawKey).results().map(QuotaStore::indexOf).toList();
  }

  private static String indexOf(MatchResult index) {
    return index.group(1) == null ? index.group(2) : index.group(1);
  }

  /** Fewer indexes first, then by the indexes from the outermost. */
  private static int compareIndexes(List<String> left, List<String> right) {
    int order = Integer.compare(left.size(), right.size());
    for (int i = 0; order == 0 && i < left.size(); i++) {
      order = BY_INDEX.compare(left.get(i), right.get(i));
    }
    return order;
  }

  /** The series of one device, found by key and by name. */
  private final class Device {

    final String serial;
    final NavigableMap<String, Reading> byKey = new TreeMap<>();

    /** All readings of one name have the same number of indexes. */
    final Map<String, NavigableMap<List<String>, Reading>> byName = new HashMap<>();

    /** How many values of the current message met the limit. */
    int refused;

    Device(String serial) {
      this.serial = serial;
    }

    int takeMembers(String keyPrefix, Map<?, ?> members, int depth) {
      int taken = 0;
      for (Map.Entry<?, ?> member : members.entrySet()) {
        taken += take(keyPrefix + member.getKey(), member.getValue(), depth);
      }
      return taken;
    }

    private int take(String key, Object value, int depth) {
      if (depth > MAX_DEPTH || key.length() > MAX_KEY_LENGTH) {
        return 0;
      }
      if (value instanceof Boolean bool) {
        return set(key, bool ? 1 : 0);
      }
      if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
        return set(key, number.doubleValue());
      }
      int taken = 0;
      if (value instanceof Map<?, ?> members) {
        taken = takeMembers(key + ".", members, depth + 1);
      } else if (value instanceof List<?> elements) {
        for (int i = 0; i < elements.size(); i++) {
          taken += take(key + "[" + i + "]", elements.get(i), depth + 1);
        }
        // What an element of the list before had besides belonged to that element.
        removeElements(key);
      } else {
        removeElements(key);
        removeMembers(key);
      }
      remove(byKey.get(key));
      return taken;
    }

    private int set(String key, double value) {
      Reading known = byKey.get(key);
      if (known == null && refused >= maxSeriesPerDevice) {
        // A flood of made-up keys: their names are not worth the work.
        conflict(Conflicts.Conflict.LIMIT, "");
        return 0;
      }
      String name = known == null ? SeriesName.of(withoutIndexes(key)) : known.name();
      if (name.isEmpty()) {
        return 0;
      }
      if (ownName.test(name)) {
        conflict(Conflicts.Conflict.OWN_METRIC, name);
        remove(known);
        return 0;
      }
      List<String> indexes = known == null ? indexesOf(key) : known.indexes();
      if (known == null) {
        removeRivals(name, indexes);
        if (byKey.size() >= maxSeriesPerDevice) {
          conflict(Conflicts.Conflict.LIMIT, name);
          refused++;
          return 0;
        }
      }
      // Some devices send -0.0, which is 0 to everybody but a program.
      double shown = value + 0.0;
      Reading reading = new Reading(key, name, indexes, shown, nanoClock.getAsLong(), messages);
      byKey.put(key, reading);
      byName
          .computeIfAbsent(name, n -> new TreeMap<>(QuotaStore::compareIndexes))
          .put(indexes, reading);
      return 1;
    }

    private void conflict(Conflicts.Conflict kind, String name) {
      conflicts.count(kind, serial, name);
      conflictsOfMessage.count(kind, serial, name);
    }

    /** Makes room for a series whose key is new. */
    private void removeRivals(String name, List<String> indexes) {
      NavigableMap<List<String>, Reading> readings = byName.get(name);
      if (readings == null) {
        return;
      }
      Reading sameSeries = readings.get(indexes);
      if (sameSeries != null) {
        conflict(Conflicts.Conflict.SAME_NAME, name);
        remove(sameSeries);
      } else if (readings.firstKey().size() != indexes.size()) {
        conflict(Conflicts.Conflict.SHAPE, name);
        List.copyOf(readings.values()).forEach(this::remove);
      }
    }

    /** Removes what a list held. */
    private void removeElements(String listKey) {
      // '\\' is the character after '['.
      olderBetween(listKey + "[", listKey + "\\").forEach(this::remove);
    }

    /** Removes what an object held. */
    private void removeMembers(String objectKey) {
      // '/' is the character after '.'.
      olderBetween(objectKey + ".", objectKey + "/").forEach(this::remove);
    }

    /**
     * The readings of a range of keys, without those that the current message brought: "a" and
     * "a.b" may stand side by side in one message, in any order.
     */
    private List<Reading> olderBetween(String fromKey, String toKey) {
      return byKey.subMap(fromKey, toKey).values().stream()
          .filter(reading -> reading.message() != messages)
          .toList();
    }

    /** Does nothing for null. */
    private void remove(Reading reading) {
      if (reading == null) {
        return;
      }
      byKey.remove(reading.rawKey());
      NavigableMap<List<String>, Reading> readings = byName.get(reading.name());
      readings.remove(reading.indexes());
      if (readings.isEmpty()) {
        byName.remove(reading.name());
      }
    }
  }
}
