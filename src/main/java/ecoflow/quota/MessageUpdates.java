package ecoflow.quota;

import ecoflow.quota.Positions.Position;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Stores the messages of one device. The caller has locked the device.
 *
 * <p>A quota message is a partial update: keys that it does not contain keep their series. A key
 * whose value is neither a number nor a boolean loses its series; the texts of some keys are stored
 * in its place. A list replaces the previous list completely. The newest item of a history replaces
 * the previous item completely. Values in JSON strings do not have series, but are among the values
 * of a device. A poll does not overwrite recently pushed values, because EcoFlow answers polls from
 * a database that can be minutes behind the pushes.
 *
 * <p>A message that was received before other messages of the device can be stored after them, for
 * example if it is read back. It changes only values that are older than the message, and adds
 * series only if no later message has removed any.
 */
final class MessageUpdates {

  private static final int MAX_DEPTH = 32;

  /** The cost of parsing a JSON string, in values. Invalid JSON costs most. */
  private static final int VALUES_PER_STRING = 20;

  private static final long MAX_SECONDS_AHEAD = TimeUnit.DAYS.toSeconds(1);

  /**
   * Settings that all devices share.
   *
   * @param ownName whether a series name (without prefix) is a metric of the exporter itself
   * @param conflicts receives all conflicts
   * @param maxSeries the maximum number of series of a device, and of its values in JSON strings
   * @param maxValues the maximum number of values, objects, lists and strings in a message; further
   *     ones are dropped
   * @param pushPrecedence returns how long a poll of a device does not overwrite a pushed value
   * @param jsonReader parses a JSON string; returns an empty map if it does not contain an object
   * @param isText whether the text of a key is stored
   */
  record Settings(
      Predicate<String> ownName,
      Conflicts conflicts,
      int maxSeries,
      int maxValues,
      Function<String, Duration> pushPrecedence,
      Function<String, Map<?, ?>> jsonReader,
      Predicate<String> isText) {}

  private final String serial;
  private final Settings settings;

  /** In nanoseconds; read again for each poll after a push. */
  private long pushPrecedence;

  private final SeriesIndex index;
  private final ChangeTracker tracker;
  private final Positions positions;

  /** The number of messages so far. */
  private long messages;

  private boolean hasPushed;
  private long pushedAt;
  private boolean isOffline = true;

  /** The time of the first message after the device was offline. */
  private long onlineSince;

  /** The latest time of receipt of a message. */
  private long newestAt;

  /** The latest time at which a message removed values, or the device was offline. */
  private long removedAt;

  private boolean hasRemoved;

  MessageUpdates(String serial, Settings settings, SeriesIndex index, ChangeTracker tracker) {
    this.serial = serial;
    this.settings = settings;
    this.index = index;
    this.tracker = tracker;
    this.positions = new Positions(settings.maxSeries());
  }

  /** The values of the device were removed because it is offline. */
  void offline() {
    isOffline = true;
  }

  /** Removes the values from before a time at which the device was offline. */
  void offline(long at) {
    if (messages == 0 || newestAt - at <= 0) {
      index.removeAll();
      isOffline = true;
    } else {
      List<Cell> all = List.copyOf(index.cells());
      all.stream().filter(cell -> cell.updatedAt - at < 0).forEach(index::remove);
    }
    removedAt(at);
  }

  private void removedAt(long at) {
    if (!hasRemoved || at - removedAt > 0) {
      hasRemoved = true;
      removedAt = at;
    }
  }

  /** See {@link QuotaStore#record}. */
  int store(
      Map<?, ?> quotas,
      Conflicts conflictsOfMessage,
      long now,
      Origin origin,
      Map<?, ?> times,
      boolean isReplay) {
    boolean isOld = messages > 0 && now - newestAt < 0;
    if (!isOld) {
      newestAt = now;
    }
    boolean isPollAfterPush = origin == Origin.POLL && hasPushed;
    if (isPollAfterPush) {
      pushPrecedence = settings.pushPrecedence().apply(serial).toNanos();
    }
    boolean isAfterPush = isPollAfterPush && now - pushedAt < pushPrecedence;
    if (origin == Origin.PUSH && (!hasPushed || now - pushedAt > 0)) {
      hasPushed = true;
      pushedAt = now;
    }
    if (isOffline) {
      isOffline = false;
      onlineSince = now;
    }
    messages++;
    // Conflicts of a message that is read back were counted before.
    Conflicts allConflicts = isReplay ? Conflicts.IGNORED : settings.conflicts();
    return new Update(allConflicts, conflictsOfMessage, now, isOld, origin, isAfterPush, times)
        .storeMembers(positions.root(), quotas, 1);
  }

  /** The update of one message. */
  private final class Update {

    private final Conflicts allConflicts;
    private final Conflicts conflictsOfMessage;

    /** The time of receipt. */
    private final long now;

    /** Whether a message that was received later is already stored. */
    private final boolean isOld;

    private final Origin origin;

    /** Whether the message is a poll and the device has sent a push recently. */
    private final boolean isAfterPush;

    /** The times of items of histories, by key. */
    private final Map<?, ?> times;

    /** The number of series that were rejected because the device has too many. */
    private int rejected;

    /** The number of further values that are read. */
    private int left = settings.maxValues();

    /** Whether the current value is in a JSON string. */
    private boolean isInString;

    Update(
        Conflicts allConflicts,
        Conflicts conflictsOfMessage,
        long now,
        boolean isOld,
        Origin origin,
        boolean isAfterPush,
        Map<?, ?> times) {
      this.allConflicts = allConflicts;
      this.conflictsOfMessage = conflictsOfMessage;
      this.now = now;
      this.isOld = isOld;
      this.origin = origin;
      this.isAfterPush = isAfterPush;
      this.times = times;
    }

    private int storeMembers(Position object, Map<?, ?> members, int depth) {
      int stored = 0;
      for (Map.Entry<?, ?> member : members.entrySet()) {
        if (left <= 0) {
          drop(member.getValue());
        } else {
          Position position = positions.member(object, String.valueOf(member.getKey()));
          stored += store(position, member.getValue(), depth);
        }
      }
      return stored;
    }

    private int storeElements(Position list, List<?> elements, int depth) {
      int stored = 0;
      for (int i = 0; i < elements.size(); i++) {
        if (left <= 0) {
          drop(elements.get(i));
        } else {
          stored += store(positions.element(list, i), elements.get(i), depth);
        }
      }
      return stored;
    }

    /** Counts a value beyond the limit. This must be cheap. */
    private void drop(Object value) {
      if (value instanceof Number || value instanceof Boolean) {
        conflict(Conflicts.Kind.LIMIT, "");
      }
    }

    private int store(Position position, Object value, int depth) {
      left--;
      if (depth > MAX_DEPTH) {
        return 0;
      }
      if (!position.usable) {
        // The key is counted once, without its values.
        conflict(Conflicts.Kind.LONG_KEY, "");
        return 0;
      }
      if (isAfterPush && isOverriddenByPush(position, value)) {
        // The value is older than the stored one, but was received.
        return 1;
      }
      if (isOld && isOverriddenByNewer(position, value)) {
        return 1;
      }
      if (index.stringValues() > 0 && !isInString && !(value instanceof String)) {
        removeStringValues(position.key);
      }
      if (value instanceof Boolean bool) {
        return storeNumber(position, bool ? 1 : 0);
      }
      if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
        return storeNumber(position, number.doubleValue());
      }
      if (value instanceof Map<?, ?> members) {
        return storeObject(position, members, depth);
      }
      if (value instanceof List<?> elements) {
        int stored = storeElements(position, elements, depth + 1);
        // Remove elements and members that only the previous list had.
        removeOlder(index.elements(position.key));
        remove(position.cell(index));
        if (elements.isEmpty()) {
          removedAt(now);
        }
        return stored;
      }
      if (value == null) {
        removedAt(now);
      }
      boolean isText = value instanceof String text && storeText(position, text);
      int stored = value instanceof String text && !isText ? storeString(position, text, depth) : 0;
      if (!position.isEmpty(index)) {
        removeOlder(index.elements(position.key));
        removeOlder(index.members(position.key));
        if (!isText) {
          remove(position.cell(index));
        }
      }
      return stored;
    }

    /** Returns whether the text is stored, which does not show that the device is online. */
    private boolean storeText(Position position, String text) {
      if (isInString || !settings.isText().test(position.key)) {
        return false;
      }
      String name = Lines.name(text, TextCell.MAX_LENGTH).strip();
      if (name.isEmpty()) {
        return false;
      }
      Cell cell = position.cell(index);
      if (!(cell instanceof TextCell)) {
        remove(cell);
        if (isRemovedLater()) {
          return false;
        }
        if (index.texts() >= TextCell.MAX_COUNT) {
          conflict(Conflicts.Kind.LIMIT, position.key);
          return false;
        }
        cell = new TextCell(position.key);
        index.add(cell, now);
      }
      ((TextCell) cell).text = name;
      cell.updatedAt = now;
      cell.message = messages;
      cell.pushed = origin == Origin.PUSH;
      return true;
    }

    private int storeObject(Position position, Map<?, ?> members, int depth) {
      Long itemTime =
          !times.isEmpty() && times.get(position.key) instanceof Long time ? time : null;
      if (itemTime != null && !position.isInOrder(itemTime, latestTime(), now, onlineSince)) {
        // The item is outdated, but shows that the device is online.
        return 1;
      }
      int stored = storeMembers(position, members, depth + 1);
      if (itemTime != null) {
        // Remove members that only the previous item had.
        removeOlder(index.members(position.key));
      }
      remove(position.cell(index));
      return stored;
    }

    /**
     * The latest plausible time: a later one is an error of the device's clock. Days begin earlier
     * in the east.
     */
    private static long latestTime() {
      return TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis()) + MAX_SECONDS_AHEAD;
    }

    private int storeString(Position position, String text, int depth) {
      if (text.startsWith("{")) {
        left -= VALUES_PER_STRING;
      }
      Map<?, ?> members = settings.jsonReader().apply(text);
      if (members.isEmpty()) {
        return 0;
      }
      boolean before = isInString;
      isInString = true;
      int stored = storeMembers(position, members, depth + 1);
      isInString = before;
      return stored;
    }

    private int storeNumber(Position position, double value) {
      Cell cell = position.cell(index);
      if (cell != null && (cell.isSeries() == isInString || cell.isText())) {
        remove(cell);
        cell = null;
      }
      boolean isNew = cell == null;
      if (isNew) {
        cell = isInString ? newStringValue(position.key) : newSeries(position.key);
        if (cell == null) {
          return isRemovedLater() ? 1 : 0;
        }
      } else if (settings.ownName().test(cell.name)) {
        conflict(Conflicts.Kind.OWN_METRIC, cell.name);
        remove(cell);
        return 0;
      }
      // Some devices send -0.0; store it as 0.
      double number = value + 0.0;
      if (Double.compare(number, cell.value) != 0) {
        tracker.changed(cell);
      }
      cell.value = number;
      cell.updatedAt = now;
      cell.message = messages;
      cell.pushed = origin == Origin.PUSH;
      if (isNew) {
        tracker.added(cell);
      }
      return cell.computed ? 0 : 1;
    }

    /** A new value in a JSON string; null if it is rejected. */
    private Cell newStringValue(String key) {
      if (isRemovedLater() || index.stringValues() >= settings.maxSeries()) {
        return null;
      }
      Cell cell = Cell.ofString(key);
      index.add(cell, now);
      return cell;
    }

    /** A new series for a key; null if it is rejected. */
    private Cell newSeries(String key) {
      if (rejected >= settings.maxSeries()) {
        // In a flood of forged keys, do not compute their names.
        conflict(Conflicts.Kind.LIMIT, "");
        return null;
      }
      String name = SeriesName.of(SeriesName.withoutIndexes(key));
      if (name.isEmpty()) {
        return null;
      }
      if (settings.ownName().test(name)) {
        conflict(Conflicts.Kind.OWN_METRIC, name);
        return null;
      }
      List<String> indexes = SeriesName.indexesOf(key);
      if ((isAfterPush && conflictsWith(name, indexes, this::isRecentPush))
          || (isOld && conflictsWith(name, indexes, this::isNewer))) {
        return null;
      }
      removeConflicting(name, indexes);
      if (isRemovedLater()) {
        return null;
      }
      if (index.size() >= settings.maxSeries()) {
        conflict(Conflicts.Kind.LIMIT, name);
        rejected++;
        return null;
      }
      Cell cell = new Cell(key, name, indexes);
      index.add(cell, now);
      return cell;
    }

    /** Whether a removal that was received later can have included a new value. */
    private boolean isRemovedLater() {
      return isOld && hasRemoved && now - removedAt < 0;
    }

    private void conflict(Conflicts.Kind kind, String name) {
      allConflicts.count(kind, serial, name);
      conflictsOfMessage.count(kind, serial, name);
    }

    /**
     * Whether a recent push contained the value at this position, so that a poll must not overwrite
     * it. A list is a single value; the members of an object are separate values.
     */
    private boolean isOverriddenByPush(Position position, Object value) {
      if (isRecentPush(position.cell(index))) {
        return true;
      }
      boolean isList = value instanceof List<?>;
      boolean removesAll =
          !(isList
              || value instanceof Map<?, ?>
              || value instanceof Number
              || value instanceof Boolean);
      return ((isList || removesAll) && containsRecentPush(index.elements(position.key)))
          || (removesAll && containsRecentPush(index.members(position.key)));
    }

    /**
     * Whether a value that was received later replaces this value, although this message is stored
     * after it. A list and an item of a history are single values; the members of an object are
     * separate values, unless the object is in a JSON string.
     */
    private boolean isOverriddenByNewer(Position position, Object value) {
      boolean keepsMembers =
          value instanceof Number
              || value instanceof Boolean
              || (value instanceof Map<?, ?> && !times.containsKey(position.key));
      return isNewer(position.cell(index))
          || index.elements(position.key).stream().anyMatch(this::isNewer)
          || index.members(position.key).stream()
              .anyMatch(
                  cell -> isNewer(cell) && !(keepsMembers && (cell.isSeries() || cell.isText())));
    }

    private boolean isNewer(Cell cell) {
      return cell != null && cell.updatedAt - now > 0;
    }

    /** Whether a key would replace a series with another key that meets the condition. */
    private boolean conflictsWith(String name, List<String> indexes, Predicate<Cell> condition) {
      Map<List<String>, Cell> cells = index.named(name);
      return hasOtherShape(cells, indexes)
          ? cells.values().stream().anyMatch(condition)
          : condition.test(cells.get(indexes));
    }

    private boolean containsRecentPush(Collection<Cell> cells) {
      return cells.stream().anyMatch(this::isRecentPush);
    }

    private boolean isRecentPush(Cell cell) {
      return cell != null && cell.pushed && now - cell.updatedAt < pushPrecedence;
    }

    /** Removes series that conflict with a new series. */
    private void removeConflicting(String name, List<String> indexes) {
      Map<List<String>, Cell> cells = index.named(name);
      Cell sameSeries = cells.get(indexes);
      if (sameSeries != null) {
        conflict(Conflicts.Kind.SAME_NAME, name);
        remove(sameSeries);
      } else if (hasOtherShape(cells, indexes)) {
        conflict(Conflicts.Kind.SHAPE, name);
        List.copyOf(cells.values()).forEach(this::remove);
      }
    }

    /** Whether the series of a name have another number of indexes. */
    private static boolean hasOtherShape(Map<List<String>, Cell> cells, List<String> indexes) {
      return !cells.isEmpty() && cells.keySet().iterator().next().size() != indexes.size();
    }

    /** Removes the values in a JSON string. */
    private void removeStringValues(String key) {
      removeOlder(index.members(key), cell -> !cell.isSeries() && !cell.isText());
    }

    private void removeOlder(Collection<Cell> cells) {
      removeOlder(cells, cell -> true);
    }

    /**
     * Removes cells, except those of the current message: a message can contain "a" and "a.b", in
     * any order.
     */
    private void removeOlder(Collection<Cell> cells, Predicate<Cell> condition) {
      List<Cell> older = new ArrayList<>();
      for (Cell cell : cells) {
        if (cell.message != messages && condition.test(cell)) {
          older.add(cell);
        }
      }
      older.forEach(this::remove);
    }

    private void remove(Cell cell) {
      if (cell != null && !cell.removed && !(isOld && isNewer(cell))) {
        removedAt(now);
        index.remove(cell);
      }
    }
  }
}
