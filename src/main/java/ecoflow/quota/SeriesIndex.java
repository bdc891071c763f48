package ecoflow.quota;

import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The series of one device and the values in its JSON strings, found by key and by name. The caller
 * has locked the device.
 *
 * <p>Fast path, read last: a list of all cells, searched and sorted each time, would return the
 * same results. This class keeps the cells by key and by name, and in the order of the page until a
 * cell is added or removed.
 */
final class SeriesIndex {

  private final String serial;
  private final Consumer<Cell> onRemoved;
  private final NavigableMap<String, Cell> byKey = new TreeMap<>();

  /** Cells by name and indexes. All cells of one name have the same number of indexes. */
  private final Map<String, Map<List<String>, Cell>> byName = new HashMap<>();

  private final ComputedValues computed = new ComputedValues();

  /** The number of values in JSON strings. */
  private int stringValues;

  /** The number of texts. */
  private int texts;

  /** The version of the set of keys. */
  private long version;

  private Cell[] inOrder;
  private String[] keysInOrder;
  private long inOrderVersion = -1;

  /** The update time of the oldest cell, or earlier. */
  private long oldest;

  /**
   * @param onRemoved receives each removed cell
   */
  SeriesIndex(String serial, Consumer<Cell> onRemoved) {
    this.serial = serial;
    this.onRemoved = onRemoved;
  }

  /** The number of series. */
  int size() {
    return byKey.size() - stringValues - texts;
  }

  /** The number of values in JSON strings. */
  int stringValues() {
    return stringValues;
  }

  /** The number of texts. */
  int texts() {
    return texts;
  }

  /** Increases whenever a key is added or removed. */
  long version() {
    return version;
  }

  /** The cell of a key; null without a value. */
  Cell find(String key) {
    return byKey.get(key);
  }

  Collection<Cell> cells() {
    return byKey.values();
  }

  /** The cells of the elements of a list and, recursively, of their content. */
  Collection<Cell> elements(String listKey) {
    // '\\' is the character after '['.
    return byKey.subMap(listKey + "[", listKey + "\\").values();
  }

  /** The cells of the members of an object and, recursively, of their content. */
  Collection<Cell> members(String objectKey) {
    // '/' is the character after '.'.
    return byKey.subMap(objectKey + ".", objectKey + "/").values();
  }

  /** The series of a name by their indexes. */
  Map<List<String>, Cell> named(String name) {
    return byName.getOrDefault(name, Map.of());
  }

  /** Adds a cell that is updated at a time; its key must not exist. */
  void add(Cell cell, long at) {
    if (byKey.isEmpty() || at - oldest < 0) {
      oldest = at;
    }
    byKey.put(cell.rawKey, cell);
    if (cell.isSeries()) {
      addName(cell);
      cell.computed = computed.contains(cell.rawKey);
    } else if (cell.isText()) {
      texts++;
    } else {
      stringValues++;
    }
    version++;
  }

  private void addName(Cell cell) {
    Map<List<String>, Cell> sameName = byName.get(cell.name);
    if (sameName == null) {
      byName.put(cell.name, Map.of(cell.indexes, cell));
    } else {
      // Most names have a single series, for which an immutable map is smaller.
      Map<List<String>, Cell> more =
          sameName instanceof HashMap ? sameName : new HashMap<>(sameName);
      more.put(cell.indexes, cell);
      byName.put(cell.name, more);
    }
  }

  /**
   * Removes a cell and the values that are computed from it. Does nothing for null or a cell that
   * was already removed, such as a computed value.
   */
  void remove(Cell cell) {
    if (cell == null || cell.removed) {
      return;
    }
    cell.removed = true;
    onRemoved.accept(cell);
    byKey.remove(cell.rawKey);
    if (cell.isSeries()) {
      removeName(cell);
    } else if (cell.isText()) {
      texts--;
    } else {
      stringValues--;
    }
    version++;
    computed.computedFrom(cell.rawKey).forEach(key -> remove(byKey.get(key)));
  }

  private void removeName(Cell cell) {
    Map<List<String>, Cell> cells = byName.get(cell.name);
    if (cells.size() == 1) {
      byName.remove(cell.name);
    } else {
      cells.remove(cell.indexes);
    }
  }

  void removeAll() {
    for (Cell cell : byKey.values()) {
      cell.removed = true;
      onRemoved.accept(cell);
    }
    byKey.clear();
    byName.clear();
    stringValues = 0;
    texts = 0;
    version++;
  }

  /**
   * Removes the cells that were not updated for longer than {@code maxAge}, and returns their
   * number.
   */
  int expire(long now, long maxAge) {
    if (now - oldest <= maxAge) {
      return 0;
    }
    int before = byKey.size();
    long highestAge = 0;
    for (Cell cell : List.copyOf(byKey.values())) {
      long age = now - cell.updatedAt;
      if (age <= maxAge) {
        highestAge = Math.max(highestAge, age);
      } else {
        remove(cell);
      }
    }
    oldest = now - highestAge;
    return before - byKey.size();
  }

  /** See {@link Quotas#addInput}. */
  void addInput(String key, String input) {
    computed.addInput(key, input);
    Cell cell = byKey.get(key);
    if (cell != null) {
      cell.computed = true;
    }
  }

  /** The values of all series by key, sorted. */
  Map<String, Double> values() {
    Map<String, Double> values = new LinkedHashMap<>();
    byKey.forEach(
        (key, cell) -> {
          if (cell.isSeries()) {
            values.put(key, cell.value);
          }
        });
    return Collections.unmodifiableMap(values);
  }

  /** The texts by key, sorted. */
  Map<String, String> textsByKey() {
    Map<String, String> found = new LinkedHashMap<>();
    if (texts > 0) {
      byKey.forEach(
          (key, cell) -> {
            if (cell instanceof TextCell text) {
              found.put(key, text.text);
            }
          });
    }
    return found;
  }

  /** All cells with numbers, and these numbers, in the order of the page. */
  Family.DeviceCells cellsInOrder() {
    if (inOrderVersion != version) {
      inOrder = byKey.values().stream().filter(cell -> !cell.isText()).toArray(Cell[]::new);
      Arrays.sort(inOrder, PageOrder.OF_CELLS);
      keysInOrder = Arrays.stream(inOrder).map(cell -> cell.rawKey).toArray(String[]::new);
      inOrderVersion = version;
    }
    double[] values = new double[inOrder.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = inOrder[i].value;
    }
    return new Family.DeviceCells(new DeviceValues(serial, version, keysInOrder, values), inOrder);
  }

  /** See {@link Quotas#read}. */
  boolean read(long ofVersion, int[] positions, double[] into, long[] numbers) {
    if (ofVersion != version || version != inOrderVersion) {
      return false;
    }
    for (int position : positions) {
      into[position] = inOrder[position].value;
      numbers[position] = inOrder[position].message;
    }
    return true;
  }
}
