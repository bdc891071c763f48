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

/**
 * The latest values of all devices, as series.
 *
 * <p>A quota message is a partial update: keys that it does not contain keep their series. A key
 * whose value is neither a number nor a boolean loses its series. A list replaces the previous list
 * completely. The newest item of a history replaces the previous item completely. Values in JSON
 * strings do not have series, but are among the values of a device.
 *
 * <p>Thread-safe. Each device has its own lock; readers see a message completely or not at all.
 */
final class QuotaStore {

  private static final int MAX_DEPTH = 32;

  /** The cost of parsing a JSON string, in values. Invalid JSON costs most. */
  private static final int LOOKS_PER_TEXT = 20;

  private static final long MAX_SECONDS_AHEAD = TimeUnit.DAYS.toSeconds(1);

  private final Predicate<String> ownName;
  private final Conflicts conflicts;
  private final LongSupplier nanoClock;
  private final int maxSeriesPerDevice;
  private final int maxValuesPerMessage;

  /**
   * The time in nanoseconds during which a poll does not overwrite a pushed value: EcoFlow answers
   * polls from a database that can be minutes behind the pushes.
   */
  private final long pushLead;

  private final Function<String, Map<?, ?>> textReader;
  private final ConcurrentMap<String, Device> devices = new ConcurrentHashMap<>();
  private final PageOrder pageOrder = new PageOrder();

  /** Null without a watcher. */
  private volatile SeriesWatcher watcher;

  /**
   * @param ownName whether a series name (without prefix) is a metric of the exporter itself
   * @param nanoClock such as System::nanoTime
   * @param maxValuesPerMessage the maximum number of values, objects, lists and strings; further
   *     ones are dropped
   * @param pushLead how long a poll does not overwrite a pushed value
   * @param textReader parses a JSON string; returns an empty map if it does not contain an object
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

  /** Like {@link #record(String, Map, Conflicts)}, without the conflicts of the message. */
  int record(String serial, Map<?, ?> quotas) {
    return record(serial, quotas, Conflicts.IGNORED);
  }

  /**
   * Stores the values of a message.
   *
   * @param quotas numbers, booleans, strings, nulls, and maps and lists of these; keys can contain
   *     dots and indexes, such as {@code bms.cells[3].vol} or {@code units["ES21X"].soc}
   * @param conflictsOfMessage receives the conflicts of this message, in addition to the receiver
   *     of all conflicts
   * @return the number of stored values, including those in JSON strings
   */
  int record(String serial, Map<?, ?> quotas, Conflicts conflictsOfMessage) {
    return record(serial, quotas, conflictsOfMessage, Origin.OTHER);
  }

  /**
   * Like {@link #record(String, Map, Conflicts)}, for values from the given source: a poll does not
   * overwrite recently pushed values.
   */
  int record(String serial, Map<?, ?> quotas, Conflicts conflictsOfMessage, Origin origin) {
    return record(serial, quotas, conflictsOfMessage, origin, Map.of());
  }

  /**
   * Like the other methods, for a message with items of histories.
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

  /** Notifies the watcher of the existing series and of all later additions and removals. */
  void watch(SeriesWatcher newWatcher) {
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
   * Removes the series of a device that were not updated for longer than {@code maxAge}, and
   * returns their number.
   */
  int expire(String serial, Duration maxAge) {
    Device device = devices.get(serial);
    return device == null
        ? 0
        : device.expire(nanoClock.getAsLong(), TimeUnit.NANOSECONDS.convert(maxAge));
  }

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
   * The values of a device that have changed since the last call; null for a removed key. The first
   * call returns all values, and starts the tracking of changes.
   */
  Map<String, Double> changes(String serial) {
    Device device = devices.get(serial);
    return device == null ? Map.of() : device.changes();
  }

  /** The value of a raw quota key; null if it does not exist or is older than {@code maxAge}. */
  Double value(String serial, String key, Duration maxAge) {
    Device device = devices.get(serial);
    return device == null
        ? null
        : device.value(key, nanoClock.getAsLong(), TimeUnit.NANOSECONDS.convert(maxAge));
  }

  /**
   * Marks {@code computed} as computed from {@code input}, both raw quota keys: its series is
   * removed together with that of the input, and does not count as a value from the device.
   */
  void compute(String serial, String computed, String input) {
    devices.computeIfAbsent(serial, Device::new).compute(computed, input);
  }

  /** All series at the time of the call. */
  Snapshot snapshot() {
    List<Family.DeviceCells> parts =
        new TreeMap<>(devices).values().stream().map(Device::part).toList();
    return new Snapshot(
        () -> pageOrder.families(parts), parts.stream().map(Family.DeviceCells::values).toList());
  }

  /** All values of a device, including those in JSON strings. */
  DeviceValues valuesOf(String serial) {
    Device device = devices.get(serial);
    return device == null ? DeviceValues.none(serial) : device.part().values();
  }

  /** See {@link Quotas#read}. */
  boolean read(String serial, long version, int[] places, double[] into, long[] numbers) {
    Device device = devices.get(serial);
    return device != null && device.read(version, places, into, numbers);
  }

  /** The series of one device, found by place, by key and by name. */
  private final class Device {

    private final String serial;
    private final NavigableMap<String, Cell> byKey = new TreeMap<>();

    /** Cells by name and indexes. All cells of one name have the same number of indexes. */
    private final Map<String, Map<List<String>, Cell>> byName = new HashMap<>();

    private final Places places = new Places(maxSeriesPerDevice);

    /** The number of cells of values in JSON strings. */
    private int textCells;

    /** The version of the set of keys. */
    private long changes;

    private Cell[] inOrder;
    private String[] keysInOrder;
    private long inOrderAt = -1;

    /** The update time of the oldest cell, or earlier. */
    private long oldest;

    /** The time of the first message after the device was offline. */
    private long backSince;

    private boolean isAway = true;

    /** The values at the last call of {@link #changes()}; null before the first call. */
    private Map<String, Double> told;

    /** Keys whose values may have changed since then. */
    private final Set<String> touched = new TreeSet<>();

    /** The inputs of computed values, by the key of the computed value. */
    private Map<String, Set<String>> inputsOf = Map.of();

    // State of the current message.
    private long message;
    private long now;
    private Origin origin = Origin.OTHER;
    private int refused;

    /** The number of further values that are read. */
    private int left;

    /** Whether the message is a poll and the device has sent a push recently. */
    private boolean isAfterPush;

    /** Whether the value is in a JSON string. */
    private boolean isInText;

    private boolean hasPushed;
    private long pushedAt;
    private Conflicts conflictsOfMessage = Conflicts.IGNORED;

    /** The times of items of histories, by key. */
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

    synchronized Family.DeviceCells part() {
      if (inOrderAt != changes) {
        inOrder = byKey.values().toArray(Cell[]::new);
        Arrays.sort(inOrder, PageOrder.OF_CELLS);
        keysInOrder = Arrays.stream(inOrder).map(cell -> cell.rawKey).toArray(String[]::new);
        inOrderAt = changes;
      }
      double[] values = new double[inOrder.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = inOrder[i].value;
      }
      return new Family.DeviceCells(new DeviceValues(serial, changes, keysInOrder, values), inOrder);
    }

    synchronized boolean read(long version, int[] places, double[] into, long[] numbers) {
      if (version != changes || version != inOrderAt) {
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

    /** Counts a value beyond the limit. This must be cheap. */
    private void leaveOut(Object value) {
      if (value instanceof Number || value instanceof Boolean) {
        conflict(Conflicts.Kind.LIMIT, "");
      }
    }

    private int take(Place place, Object value, int depth) {
      left--;
      if (depth > MAX_DEPTH) {
        return 0;
      }
      if (!place.usable) {
        // The key is counted once, without its values.
        conflict(Conflicts.Kind.LONG_KEY, "");
        return 0;
      }
      if (isAfterPush && isLed(place, value)) {
        // A recent push is more accurate than the poll.
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
          // The item is outdated, but shows that the device is online.
          return 1;
        }
        taken = takeMembers(place, members, depth + 1);
        if (isItem) {
          // Remove members that only the previous item had.
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
        // Remove elements and members that only the previous list had.
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

    /**
     * The latest plausible time: a later one is an error of the device's clock. Days begin earlier
     * in the east.
     */
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
     * Whether a recent push contained the value at this place, so that a poll must not overwrite
     * it. A list is a single value; the members of an object are separate values.
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

    /** The cell at a place; null without a value. */
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
        conflict(Conflicts.Kind.OWN_METRIC, cell.name);
        remove(cell);
        return 0;
      }
      // Some devices send -0.0; store it as 0.
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

    /** A new series for a key; null if it is rejected. */
    private Cell newCell(String key) {
      if (refused >= maxSeriesPerDevice) {
        // In a flood of forged keys, do not compute their names.
        conflict(Conflicts.Kind.LIMIT, "");
        return null;
      }
      String name = SeriesName.of(SeriesName.withoutIndexes(key));
      if (name.isEmpty()) {
        return null;
      }
      if (ownName.test(name)) {
        conflict(Conflicts.Kind.OWN_METRIC, name);
        return null;
      }
      List<String> indexes = SeriesName.indexesOf(key);
      if (isAfterPush && isRivalLed(name, indexes)) {
        return null;
      }
      removeRivals(name, indexes);
      if (size() >= maxSeriesPerDevice) {
        conflict(Conflicts.Kind.LIMIT, name);
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
        // Most names have a single series, for which an immutable map is smaller.
        Map<List<String>, Cell> more =
            sameName instanceof HashMap ? sameName : new HashMap<>(sameName);
        more.put(indexes, cell);
        byName.put(name, more);
      }
      changes++;
      return cell;
    }

    private void conflict(Conflicts.Kind kind, String name) {
      conflicts.count(kind, serial, name);
      conflictsOfMessage.count(kind, serial, name);
    }

    /** Whether a key of a poll would replace a recently pushed series with another key. */
    private boolean isRivalLed(String name, List<String> indexes) {
      Map<List<String>, Cell> cells = byName.get(name);
      if (cells == null) {
        return false;
      }
      boolean sameShape = cells.keySet().iterator().next().size() == indexes.size();
      return sameShape ? isLed(cells.get(indexes)) : cells.values().stream().anyMatch(this::isLed);
    }

    /** Removes series that conflict with a new series. */
    private void removeRivals(String name, List<String> indexes) {
      Map<List<String>, Cell> cells = byName.get(name);
      if (cells == null) {
        return;
      }
      Cell sameSeries = cells.get(indexes);
      if (sameSeries != null) {
        conflict(Conflicts.Kind.SAME_NAME, name);
        remove(sameSeries);
      } else if (cells.keySet().iterator().next().size() != indexes.size()) {
        conflict(Conflicts.Kind.SHAPE, name);
        List.copyOf(cells.values()).forEach(this::remove);
      }
    }

    /** Removes the values of a list. */
    private void removeElements(String listKey) {
      // '\\' is the character after '['.
      removeOlder(listKey + "[", listKey + "\\", cell -> true);
    }

    /** Removes the values of an object. */
    private void removeMembers(String objectKey) {
      // '/' is the character after '.'.
      removeOlder(objectKey + ".", objectKey + "/", cell -> true);
    }

    /**
     * Removes a range of keys, except those of the current message: a message can contain "a" and
     * "a.b", in any order.
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

    /** Removes the values of a JSON string. */
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
        watcher.added(cell.watched);
      }
    }

    private void gone(Cell cell) {
      cell.removed = true;
      touch(cell);
      if (cell.watched != null) {
        watcher.removed(cell.watched);
      }
    }

    /** Synchronized, so that the value is from a completely stored message. */
    private synchronized double value(Cell cell) {
      return cell.value;
    }

    /** Does nothing for null or a cell that was already removed, such as a computed value. */
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

    /** The view of a series for the watcher. */
    private final class Watched implements SeriesWatcher.Series {

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
        return SeriesName.withoutIndexes(cell.rawKey);
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
