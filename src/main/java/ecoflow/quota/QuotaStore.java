package ecoflow.quota;

import ecoflow.quota.Places.Place;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * The latest numbers of every device, as series.
 *
 * <p>A quota message is a partial update: keys that it does not name keep their series. A key that
 * arrives with anything but a number or a boolean loses its series. A list replaces all of the list
 * before. Of a history the newest item is shown, as a whole. Values within a text have no series;
 * they are among the values of a device.
 *
 * <p>Safe for use by several threads. Devices do not wait for each other; a reader sees all of a
 * message or nothing of it.
 */
final class QuotaStore {

  private static final int MAX_DEPTH = 32;

  /** To read a text as JSON costs as much as so many values; one that is no JSON costs most. */
  private static final int LOOKS_PER_TEXT = 20;

  private static final long MAX_SECONDS_AHEAD = TimeUnit.DAYS.toSeconds(1);

  static final Conflicts NOBODY = (kind, serial, name) -> {};

  /** A place in a list: its number, or in quotes the serial number that an item names. */
  private static final Pattern INDEX =
      Pattern.compile("\\[(?:(0|[1-9][0-9]{0,9})|\"([A-Za-z0-9]{1,40})\")\\]");

  private final Predicate<String> ownName;
  private final Conflicts conflicts;
  private final LongSupplier nanoClock;
  private final int maxSeriesPerDevice;
  private final int maxValuesPerMessage;

  /** EcoFlow answers a poll from a store that can be minutes behind what devices push. */
  private final long pushLead;

  private final Function<String, Map<?, ?>> textReader;
  private final ConcurrentMap<String, Device> devices = new ConcurrentHashMap<>();
  private final Picture picture = new Picture();

  /** Null if nobody wants to know. */
  private volatile Quotas.Watcher watcher;

  /** How values came. */
  enum Origin {
    PUSH,
    /** EcoFlow's answer to a question of ours. */
    POLL,
    OTHER
  }

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
      LIMIT,
      /** The key has more than 1,000 characters; what it holds was dropped. */
      LONG_KEY
    }

    /**
     * Called within the lock of the device, once for every value.
     *
     * @param name the series name without the exporter's prefix; empty for a value in a flood of
     *     them that meets the limit, and for a key that is too long
     */
    void count(Conflict kind, String serial, String name);
  }

  /**
   * @param ownName whether a series name (without prefix) is a metric of the exporter itself
   * @param nanoClock such as System::nanoTime
   * @param maxValuesPerMessage also counts objects, lists and texts; what follows is left out
   * @param pushLead as long a poll does not replace what a push said
   * @param textReader reads what a text holds; gives an empty map if it holds nothing
   */
  QuotaStore(
      Predicate<String> ownName,
      Conflicts conflicts,
      LongSupplier nanoClock,
      int maxSeriesPerDevice,
      int maxValuesPerMessage,
      Duration pushLead,
      Function<String, Map<?, ?>> textReader) {
    this.ownName = ownName;
    this.conflicts = conflicts;
    this.nanoClock = nanoClock;
    this.maxSeriesPerDevice = maxSeriesPerDevice;
    this.maxValuesPerMessage = maxValuesPerMessage;
    this.pushLead = pushLead.toNanos();
    this.textReader = textReader;
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
   * @return how many values were taken, those within texts included
   */
  int record(String serial, Map<?, ?> quotas, Conflicts conflictsOfMessage) {
    return record(serial, quotas, conflictsOfMessage, Origin.OTHER);
  }

  /** The same of an origin: a poll does not replace what a push said lately. */
  int record(String serial, Map<?, ?> quotas, Conflicts conflictsOfMessage, Origin origin) {
    return record(serial, quotas, conflictsOfMessage, origin, Map.of());
  }

  /**
   * The same of a message with items of histories.
   *
   * @param times the time of each such item by its key, see {@link Quotas#ITEM_TIMES}
   */
  int record(
      String serial,
      Map<?, ?> quotas,
      Conflicts conflictsOfMessage,
      Origin origin,
      Map<?, ?> times) {
    return devices
        .computeIfAbsent(serial, Device::new)
        .take(quotas, conflictsOfMessage, nanoClock.getAsLong(), origin, times);
  }

  /** Tells of the series that there are, and from now on of those that come and go. */
  void watch(Quotas.Watcher newWatcher) {
    watcher = newWatcher;
    devices.values().forEach(Device::tellOfAll);
  }

  void forget(String serial) {
    Device device = devices.get(serial);
    if (device != null) {
      device.forgetAll();
    }
  }

  /**
   * Removes the series of a device that were not updated for longer than this, and returns the
   * number of them.
   */
  int expire(String serial, Duration maxAge) {
    Device device = devices.get(serial);
    return device == null
        ? 0
        : device.expire(nanoClock.getAsLong(), TimeUnit.NANOSECONDS.convert(maxAge));
  }

  /** The number of series of this device. */
  int size(String serial) {
    Device device = devices.get(serial);
    return device == null ? 0 : device.size();
  }

  /** All values of a device by raw quota key, sorted. */
  Map<String, Double> values(String serial) {
    Device device = devices.get(serial);
    return device == null ? Map.of() : device.values();
  }

  /**
   * The values of a device that differ from those that the call before gave; null for a key that is
   * gone. The first call gives all, and makes the store keep what it gave.
   */
  Map<String, Double> changes(String serial) {
    Device device = devices.get(serial);
    return device == null ? Map.of() : device.changes();
  }

  /** The value of a raw quota key, null if there is none or it is older than {@code maxAge}. */
  Double value(String serial, String key, Duration maxAge) {
    Device device = devices.get(serial);
    return device == null
        ? null
        : device.value(key, nanoClock.getAsLong(), TimeUnit.NANOSECONDS.convert(maxAge));
  }

  /**
   * From now on the series of {@code computed} goes with that of {@code input}, both raw quota keys
   * of a device, and is no value that the device has sent.
   */
  void compute(String serial, String computed, String input) {
    devices.computeIfAbsent(serial, Device::new).compute(computed, input);
  }

  /** All series of this moment. */
  Snapshot snapshot() {
    List<Picture.Part> parts = new TreeMap<>(devices).values().stream().map(Device::part).toList();
    return new Snapshot(() -> picture.of(parts), parts.stream().map(Picture.Part::of).toList());
  }

  /** All values of a device, also those within texts. */
  DeviceValues valuesOf(String serial) {
    Device device = devices.get(serial);
    return device == null ? DeviceValues.none(serial) : device.part().of();
  }

  /** See {@link Quotas#read}. */
  boolean read(String serial, String[] keys, int[] places, double[] into, long[] numbers) {
    Device device = devices.get(serial);
    return device != null && device.read(keys, places, into, numbers);
  }

  static String withoutIndexes(String rawKey) {
    return rawKey.indexOf('[') < 0 ? rawKey : INDEX.matcher(rawKey).replaceAll("");
  }

  private static List<String> indexesOf(String rawKey) {
    return rawKey.indexOf('[') < 0
        ? List.of()
        : INDEX.matcher(rawKey).results().map(QuotaStore::indexOf).toList();
  }

  private static String indexOf(MatchResult index) {
    return index.group(1) == null ? index.group(2) : index.group(1);
  }

  /** The series of one device, found by place, by key and by name. */
  private final class Device {

    private final String serial;
    private final NavigableMap<String, Cell> byKey = new TreeMap<>();

    /** All cells of one name have the same number of indexes. */
    private final Map<String, Map<List<String>, Cell>> byName = new HashMap<>();

    private final Places places = new Places(maxSeriesPerDevice);

    /** How many cells are no series. */
    private int textCells;

    /** Counts the changes of the set of keys. */
    private long changes;

    private Cell[] inOrder;
    private String[] keysInOrder;
    private long inOrderAt = -1;

    /** No cell is older. */
    private long oldest;

    /** When the device sent its first message after it was away. */
    private long backSince;

    private boolean isAway = true;

    /** What the last call for changes left; null as long as nobody asks. */
    private Map<String, Double> told;

    /** Keys that may differ from it. */
    private final Set<String> touched = new TreeSet<>();

    /** The keys that routes made of others, and those of which they made them. */
    private Map<String, Set<String>> inputsOf = Map.of();

    // Of the current message.
    private long message;
    private long now;
    private Origin origin = Origin.OTHER;
    private int refused;

    /** How many more values are looked at. */
    private int left;

    /** Whether this is a poll and the device pushed something lately. */
    private boolean isAfterPush;

    /** Whether the value stands within a text. */
    private boolean isInText;

    private boolean hasPushed;
    private long pushedAt;
    private Conflicts conflictsOfMessage = NOBODY;

    /** Of items of histories, by key. */
    private Map<?, ?> times = Map.of();

    Device(String serial) {
      this.serial = serial;
    }

    synchronized int take(
        Map<?, ?> quotas, Conflicts conflictsOfMessage, long now, Origin origin, Map<?, ?> times) {
      this.conflictsOfMessage = conflictsOfMessage;
      this.times = times;
      this.now = now;
      this.origin = origin;
      isAfterPush = origin == Origin.POLL && hasPushed && now - pushedAt < pushLead;
      if (origin == Origin.PUSH) {
        hasPushed = true;
        pushedAt = now;
      }
      if (byKey.isEmpty()) {
        oldest = now;
      }
      if (isAway) {
        isAway = false;
        backSince = now;
      }
      message++;
      refused = 0;
      left = maxValuesPerMessage;
      return takeMembers(places.root(), quotas, 1);
    }

    synchronized void forgetAll() {
      byKey.values().forEach(this::gone);
      byKey.clear();
      byName.clear();
      textCells = 0;
      changes++;
      isAway = true;
    }

    synchronized int expire(long now, long maxAge) {
      if (now - oldest <= maxAge) {
        return 0;
      }
      int before = byKey.size();
      long highestAge = 0;
      for (Cell cell : List.copyOf(byKey.values())) {
        long age = now - cell.nanos;
        if (age <= maxAge) {
          highestAge = Math.max(highestAge, age);
        } else {
          remove(cell);
        }
      }
      oldest = now - highestAge;
      return before - byKey.size();
    }

    synchronized int size() {
      return byKey.size() - textCells;
    }

    synchronized Map<String, Double> values() {
      Map<String, Double> values = new LinkedHashMap<>();
      byKey.forEach(
          (key, cell) -> {
            if (cell.isSeries()) {
              values.put(key, cell.value);
            }
          });
      return Collections.unmodifiableMap(values);
    }

    synchronized Double value(String key, long now, long maxAge) {
      Cell cell = byKey.get(key);
      boolean isThere = cell != null && cell.isSeries() && now - cell.nanos <= maxAge;
      return isThere ? cell.value : null;
    }

    synchronized void compute(String computed, String input) {
      if (inputsOf.isEmpty()) {
        inputsOf = new HashMap<>();
      }
      inputsOf.computeIfAbsent(computed, unused -> new TreeSet<>()).add(input);
      Cell cell = byKey.get(computed);
      if (cell != null) {
        cell.computed = true;
      }
    }

    synchronized Map<String, Double> changes() {
      if (told == null) {
        told = new HashMap<>(values());
        return values();
      }
      Map<String, Double> changes = new LinkedHashMap<>();
      for (String key : touched) {
        Cell cell = byKey.get(key);
        Double value = cell == null ? null : cell.value;
        Double before = value == null ? told.remove(key) : told.put(key, value);
        if (!Objects.equals(value, before)) {
          changes.put(key, value);
        }
      }
      touched.clear();
      return Collections.unmodifiableMap(changes);
    }

    private void touch(Cell cell) {
      if (told != null && cell.isSeries()) {
        touched.add(cell.rawKey);
      }
    }

    synchronized Picture.Part part() {
      if (inOrderAt != changes) {
        inOrder = byKey.values().toArray(Cell[]::new);
        Arrays.sort(inOrder, Picture.ORDER);
        keysInOrder = Arrays.stream(inOrder).map(cell -> cell.rawKey).toArray(String[]::new);
        inOrderAt = changes;
      }
      double[] values = new double[inOrder.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = inOrder[i].value;
      }
      return new Picture.Part(new DeviceValues(serial, keysInOrder, values), inOrder);
    }

    synchronized boolean read(String[] keys, int[] places, double[] into, long[] numbers) {
      if (keys != keysInOrder || inOrderAt != changes) {
        return false;
      }
      for (int place : places) {
        into[place] = inOrder[place].value;
        numbers[place] = inOrder[place].message;
      }
      return true;
    }

    private int takeMembers(Place place, Map<?, ?> members, int depth) {
      int taken = 0;
      for (Map.Entry<?, ?> member : members.entrySet()) {
        if (left <= 0) {
          leaveOut(member.getValue());
        } else {
          taken +=
              take(places.member(place, String.valueOf(member.getKey())), member.getValue(), depth);
        }
      }
      return taken;
    }

    /** Counts a value beyond the bound, and does no other work for it. */
    private void leaveOut(Object value) {
      if (value instanceof Number || value instanceof Boolean) {
        conflict(Conflicts.Conflict.LIMIT, "");
      }
    }

    private int take(Place place, Object value, int depth) {
      left--;
      if (depth > MAX_DEPTH) {
        return 0;
      }
      if (!place.usable) {
        // Its values are not looked at: the key is counted once.
        conflict(Conflicts.Conflict.LONG_KEY, "");
        return 0;
      }
      if (isAfterPush && isLed(place, value)) {
        // The poll only says again what is known better.
        return 1;
      }
      if (textCells > 0 && !isInText && !(value instanceof String)) {
        removeTextMembers(place.key);
      }
      if (value instanceof Boolean bool) {
        return set(place, bool ? 1 : 0);
      }
      if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
        return set(place, number.doubleValue());
      }
      int taken = 0;
      if (value instanceof Map<?, ?> members) {
        boolean isItem = !times.isEmpty() && times.get(place.key) instanceof Long;
        if (isItem && !place.isInOrder((Long) times.get(place.key), latestTime(), now, backSince)) {
          // A sign of life, and no news.
          return 1;
        }
        taken = takeMembers(place, members, depth + 1);
        if (isItem) {
          // What the item before had besides belonged to that item.
          removeMembers(place.key);
        }
        remove(cell(place));
      } else if (value instanceof List<?> elements) {
        for (int i = 0; i < elements.size(); i++) {
          if (left <= 0) {
            leaveOut(elements.get(i));
          } else {
            taken += take(places.element(place, i), elements.get(i), depth + 1);
          }
        }
        // What an element of the list before had besides belonged to that element.
        removeElements(place.key);
        remove(cell(place));
      } else {
        if (value instanceof String text) {
          taken = takeText(place, text, depth);
        }
        if (place.bareAt != changes) {
          removeElements(place.key);
          removeMembers(place.key);
          remove(cell(place));
          place.bareAt = isBare(place.key) ? changes : -1;
        }
      }
      return taken;
    }

    /** A later time is a mistake of the device's clock. Days begin earlier in the east. */
    private static long latestTime() {
      return TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis()) + MAX_SECONDS_AHEAD;
    }

    private int takeText(Place place, String text, int depth) {
      if (text.startsWith("{")) {
        left -= LOOKS_PER_TEXT;
      }
      Map<?, ?> members = textReader.apply(text);
      if (members.isEmpty()) {
        return 0;
      }
      boolean before = isInText;
      isInText = true;
      int taken = takeMembers(place, members, depth + 1);
      isInText = before;
      return taken;
    }

    /**
     * Whether a push of late said what is at this place, so that a poll does not: a list is one
     * value, the members of an object are several.
     */
    private boolean isLed(Place place, Object value) {
      if (isLed(cell(place))) {
        return true;
      }
      boolean list = value instanceof List<?>;
      boolean endsAll =
          !(list
              || value instanceof Map<?, ?>
              || value instanceof Number
              || value instanceof Boolean);
      return ((list || endsAll) && isAnyLed(byKey.subMap(place.key + "[", place.key + "\\")))
          || (endsAll && isAnyLed(byKey.subMap(place.key + ".", place.key + "/")));
    }

    private boolean isAnyLed(Map<?, Cell> cells) {
      return cells.values().stream().anyMatch(this::isLed);
    }

    private boolean isLed(Cell cell) {
      return cell != null && cell.pushed && now - cell.nanos < pushLead;
    }

    /** What is shown at a place, null if nothing is. */
    private Cell cell(Place place) {
      if (place.cell == null || place.cell.removed) {
        place.cell = byKey.get(place.key);
      }
      return place.cell;
    }

    private int set(Place place, double value) {
      Cell cell = cell(place);
      if (cell != null && cell.isSeries() == isInText) {
        remove(cell);
        cell = null;
      }
      boolean isNew = cell == null;
      if (isNew) {
        cell = isInText ? newTextCell(place.key) : newCell(place.key);
        if (cell == null) {
          return 0;
        }
        place.cell = cell;
      } else if (ownName.test(cell.name)) {
        conflict(Conflicts.Conflict.OWN_METRIC, cell.name);
        remove(cell);
        return 0;
      }
      // Some devices send -0.0, which is 0 to everybody but a program.
      double number = value + 0.0;
      if (Double.compare(number, cell.value) != 0) {
        touch(cell);
      }
      cell.value = number;
      cell.nanos = now;
      cell.message = message;
      cell.pushed = origin == Origin.PUSH;
      if (isNew) {
        tellOf(cell);
      }
      return cell.computed ? 0 : 1;
    }

    private Cell newTextCell(String key) {
      if (textCells >= maxSeriesPerDevice) {
        return null;
      }
      Cell cell = Cell.ofText(key);
      byKey.put(key, cell);
      textCells++;
      changes++;
      return cell;
    }

    /** A place on the page for a new key; null if it gets none. */
    private Cell newCell(String key) {
      if (refused >= maxSeriesPerDevice) {
        // A flood of made-up keys: their names are not worth the work.
        conflict(Conflicts.Conflict.LIMIT, "");
        return null;
      }
      String name = SeriesName.of(withoutIndexes(key));
      if (name.isEmpty()) {
        return null;
      }
      if (ownName.test(name)) {
        conflict(Conflicts.Conflict.OWN_METRIC, name);
        return null;
      }
      List<String> indexes = indexesOf(key);
      if (isAfterPush && isRivalLed(name, indexes)) {
        return null;
      }
      removeRivals(name, indexes);
      if (size() >= maxSeriesPerDevice) {
        conflict(Conflicts.Conflict.LIMIT, name);
        refused++;
        return null;
      }
      Cell cell = new Cell(key, name, indexes);
      cell.computed = inputsOf.containsKey(key);
      touch(cell);
      byKey.put(key, cell);
      Map<List<String>, Cell> sameName = byName.get(name);
      if (sameName == null) {
        byName.put(name, Map.of(indexes, cell));
      } else {
        // Most names have one series: a map that can grow is for the others.
        Map<List<String>, Cell> more =
            sameName instanceof HashMap ? sameName : new HashMap<>(sameName);
        more.put(indexes, cell);
        byName.put(name, more);
      }
      changes++;
      return cell;
    }

    private void conflict(Conflicts.Conflict kind, String name) {
      conflicts.count(kind, serial, name);
      conflictsOfMessage.count(kind, serial, name);
    }

    /** Whether a key of a poll would take the place of what was pushed under another one. */
    private boolean isRivalLed(String name, List<String> indexes) {
      Map<List<String>, Cell> cells = byName.get(name);
      if (cells == null) {
        return false;
      }
      boolean sameShape = cells.keySet().iterator().next().size() == indexes.size();
      return sameShape ? isLed(cells.get(indexes)) : cells.values().stream().anyMatch(this::isLed);
    }

    /** Makes room for a series whose key is new. */
    private void removeRivals(String name, List<String> indexes) {
      Map<List<String>, Cell> cells = byName.get(name);
      if (cells == null) {
        return;
      }
      Cell sameSeries = cells.get(indexes);
      if (sameSeries != null) {
        conflict(Conflicts.Conflict.SAME_NAME, name);
        remove(sameSeries);
      } else if (cells.keySet().iterator().next().size() != indexes.size()) {
        conflict(Conflicts.Conflict.SHAPE, name);
        List.copyOf(cells.values()).forEach(this::remove);
      }
    }

    /** Removes what a list held. */
    private void removeElements(String listKey) {
      // '\\' is the character after '['.
      removeOlder(listKey + "[", listKey + "\\", cell -> true);
    }

    /** Removes what an object held. */
    private void removeMembers(String objectKey) {
      // '/' is the character after '.'.
      removeOlder(objectKey + ".", objectKey + "/", cell -> true);
    }

    /**
     * Removes a range of keys, without those that the current message brought: "a" and "a.b" may
     * stand side by side in one message, in any order.
     */
    private void removeOlder(String fromKey, String toKey, Predicate<Cell> which) {
      List<Cell> older = new ArrayList<>();
      for (Cell cell : byKey.subMap(fromKey, toKey).values()) {
        if (cell.message != message && which.test(cell)) {
          older.add(cell);
        }
      }
      older.forEach(this::remove);
    }

    /** Removes what a text held. */
    private void removeTextMembers(String textKey) {
      removeOlder(textKey + ".", textKey + "/", cell -> !cell.isSeries());
    }

    private boolean isBare(String key) {
      return byKey.subMap(key + "[", key + "\\").isEmpty()
          && byKey.subMap(key + ".", key + "/").isEmpty();
    }

    synchronized void tellOfAll() {
      byKey.values().forEach(this::tellOf);
    }

    private void tellOf(Cell cell) {
      if (watcher != null && cell.watched == null && cell.isSeries()) {
        cell.watched = new Watched(cell);
        watcher.came(cell.watched);
      }
    }

    private void gone(Cell cell) {
      cell.removed = true;
      touch(cell);
      if (cell.watched != null) {
        watcher.went(cell.watched);
      }
    }

    /** The value is that of a whole message, as on the page. */
    private synchronized double value(Cell cell) {
      return cell.value;
    }

    /** Does nothing for null, nor for one that went with another. */
    private void remove(Cell cell) {
      if (cell == null || cell.removed) {
        return;
      }
      gone(cell);
      byKey.remove(cell.rawKey);
      if (cell.isSeries()) {
        removeName(cell);
      } else {
        textCells--;
      }
      changes++;
      if (!inputsOf.isEmpty()) {
        removeComputedOf(cell.rawKey);
      }
    }

    private void removeName(Cell cell) {
      Map<List<String>, Cell> cells = byName.get(cell.name);
      if (cells.size() == 1) {
        byName.remove(cell.name);
      } else {
        cells.remove(cell.indexes);
      }
    }

    private void removeComputedOf(String input) {
      inputsOf.forEach(
          (computed, inputs) -> {
            if (inputs.contains(input)) {
              remove(byKey.get(computed));
            }
          });
    }

    /** A series as its watcher sees it. */
    private final class Watched implements Quotas.Series {

      private final Cell cell;

      Watched(Cell cell) {
        this.cell = cell;
      }

      @Override
      public String serial() {
        return serial;
      }

      @Override
      public String name() {
        return cell.name;
      }

      @Override
      public String rawKey() {
        return withoutIndexes(cell.rawKey);
      }

      @Override
      public List<String> indexes() {
        return cell.indexes;
      }

      @Override
      public double value() {
        return Device.this.value(cell);
      }
    }
  }
}
