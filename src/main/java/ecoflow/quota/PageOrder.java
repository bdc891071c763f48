package ecoflow.quota;

import ecoflow.quota.Family.DeviceCells;
import ecoflow.quota.Family.Rows;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The order of the series on the page: by name, then by device, then by indexes.
 *
 * <p>Fast path, read last: a scrape could also group and sort all series each time. This class
 * keeps the order until a series is added or removed, so that a scrape only copies the numbers.
 */
final class PageOrder {

  /** Compares numbers by value: a number with more digits is larger. */
  private static final Comparator<String> BY_INDEX =
      Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder());

  /** The order of the cells of a device: by name, then by indexes, outermost first. */
  static final Comparator<Cell> OF_CELLS =
      Comparator.comparing((Cell cell) -> cell.name)
          .thenComparing(cell -> cell.indexes, PageOrder::compareIndexes);

  private List<DeviceCells> devices = List.of();
  private List<Rows> rows = List.of();

  /**
   * All series, grouped by name.
   *
   * @param current sorted by serial number, with cells in the order {@link #OF_CELLS}
   */
  synchronized List<Family> families(List<DeviceCells> current) {
    if (!hasSameSeries(current)) {
      rows = rows(current);
    }
    devices = current;
    return rows.stream().map(row -> new Family(row, current)).toList();
  }

  private boolean hasSameSeries(List<DeviceCells> current) {
    if (current.size() != devices.size()) {
      return false;
    }
    for (int i = 0; i < devices.size(); i++) {
      if (!current.get(i).values().hasKeysOf(devices.get(i).values())) {
        return false;
      }
    }
    return true;
  }

  private static List<Rows> rows(List<DeviceCells> devices) {
    Map<String, Rows> byName = new HashMap<>();
    for (int device = 0; device < devices.size(); device++) {
      Cell[] cells = devices.get(device).cells();
      for (int cell = 0; cell < cells.length; cell++) {
        Cell first = cells[cell];
        if (first.isSeries()) {
          byName.computeIfAbsent(first.name, name -> new Rows(first)).add(device, cell);
        }
      }
    }
    return byName.values().stream().sorted(Comparator.comparing(Rows::name)).toList();
  }

  /** By the number of indexes, then by the indexes, outermost first. */
  private static int compareIndexes(List<String> left, List<String> right) {
    int order = Integer.compare(left.size(), right.size());
    for (int i = 0; order == 0 && i < left.size(); i++) {
      order = BY_INDEX.compare(left.get(i), right.get(i));
    }
    return order;
  }
}
