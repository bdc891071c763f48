package ecoflow.quota;

import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Tracks the changes of one device: changed values for sinks, and added and removed series for the
 * watcher. The caller has locked the device.
 */
final class ChangeTracker {

  private final String serial;
  private final Object lock;
  private final Supplier<SeriesWatcher> watcher;

  /** The values after the last call of {@link #changes}; null before the first call. */
  private Map<String, Double> returned;

  /** Keys whose values may have changed since then. */
  private final Set<String> changedKeys = new TreeSet<>();

  /** Whether the next call of {@link #changes} returns all values. */
  private boolean returnsAll;

  private boolean isConcealed;

  /**
   * @param lock of the device
   * @param watcher returns null without a watcher
   */
  ChangeTracker(String serial, Object lock, Supplier<SeriesWatcher> watcher) {
    this.serial = serial;
    this.lock = lock;
    this.watcher = watcher;
  }

  /** Called when the value of a cell has changed. */
  void changed(Cell cell) {
    if (returned != null && cell.isSeries()) {
      changedKeys.add(cell.rawKey);
    }
  }

  /** Called when a new cell has its first value. */
  void added(Cell cell) {
    changed(cell);
    watch(cell);
  }

  void removed(Cell cell) {
    changed(cell);
    if (cell.watched != null) {
      watcher.get().removed(cell.watched);
    }
  }

  /** The next call of {@link #changes} returns all values, as for a new device. */
  void returnAll() {
    returnsAll = true;
  }

  boolean isConcealed() {
    return isConcealed;
  }

  /**
   * Removes the series from the watcher, or adds them again.
   *
   * @param cells all cells of the device
   */
  void conceal(boolean conceal, Collection<Cell> cells) {
    if (conceal == isConcealed) {
      return;
    }
    isConcealed = conceal;
    for (Cell cell : cells) {
      if (!conceal) {
        watch(cell);
      } else if (cell.watched != null) {
        watcher.get().removed(cell.watched);
        cell.watched = null;
      }
    }
  }

  /** Notifies the watcher of a series, unless it was already notified. */
  void watch(Cell cell) {
    SeriesWatcher current = watcher.get();
    if (current != null && cell.watched == null && cell.isSeries() && !isConcealed) {
      cell.watched = new Watched(cell);
      current.added(cell.watched);
    }
  }

  /** See {@link Quotas#changes}. */
  Map<String, Double> changes(SeriesIndex index) {
    if (returned == null || returnsAll) {
      Map<String, Double> all = index.values();
      Map<String, Double> allAndRemoved = withRemoved(all);
      returned = new HashMap<>(all);
      returnsAll = false;
      changedKeys.clear();
      return allAndRemoved;
    }
    Map<String, Double> changes = new LinkedHashMap<>();
    for (String key : changedKeys) {
      Cell cell = index.find(key);
      Double value = cell == null || !cell.isSeries() ? null : cell.value;
      Double before = value == null ? returned.remove(key) : returned.put(key, value);
      if (!Objects.equals(value, before)) {
        changes.put(key, value);
      }
    }
    changedKeys.clear();
    return Collections.unmodifiableMap(changes);
  }

  private Map<String, Double> withRemoved(Map<String, Double> all) {
    if (returned == null || all.keySet().containsAll(returned.keySet())) {
      return all;
    }
    Map<String, Double> values = new LinkedHashMap<>(all);
    returned.keySet().forEach(key -> values.putIfAbsent(key, null));
    return Collections.unmodifiableMap(values);
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

    /** With the lock, so that the value is from a completely stored message. */
    @Override
    public double value() {
      synchronized (lock) {
        return cell.value;
      }
    }
  }
}
