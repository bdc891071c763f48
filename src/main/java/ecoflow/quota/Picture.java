package ecoflow.quota;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The series of all devices in the order of the page: by name, then by indexes.
 *
 * <p>Fast path, read last: a scrape could also group and sort all series each time. This class
 * keeps the order until a series is added or removed, so that a scrape only copies the numbers.
 */
final class Picture {

  /** Compares numbers by value: a number with more digits is larger. */
  private static final Comparator<String> BY_INDEX =
      Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder());

  /** By name, then by indexes, outermost first. */
  static final Comparator<Cell> ORDER =
      Comparator.comparing((Cell cell) -> cell.name)
          .thenComparing(cell -> cell.indexes, Picture::compareIndexes);

  private List<Part> parts = List.of();
  private List<Rows> rows = List.of();

  /**
   * The series of one device.
   *
   * @param of the values in the order of the cells
   * @param cells in {@link #ORDER}; the same array as long as the device has the same series
   */
  record Part(DeviceValues of, Cell[] cells) {

    String serial() {
      return of.serial();
    }

    double[] values() {
      return of.values();
    }
  }

  /** The positions of the series of one name. */
  static final class Rows {

    private final String name;
    private final String rawKey;
    private int[] places = new int[2];
    private int size;

    Rows(Cell first) {
      this.name = first.name;
      this.rawKey = QuotaStore.withoutIndexes(first.rawKey);
    }

    private void add(int part, int cell) {
      if (2 * size == places.length) {
        places = Arrays.copyOf(places, 4 * size);
      }
      places[2 * size] = part;
      places[2 * size + 1] = cell;
      size++;
    }

    String name() {
      return name;
    }

    String rawKey() {
      return rawKey;
    }

    int size() {
      return size;
    }

    int part(int i) {
      return places[2 * i];
    }

    int cell(int i) {
      return places[2 * i + 1];
    }
  }

  /** All series, grouped by name. */
  synchronized List<Family> of(List<Part> current) {
    if (!hasSameSeries(current)) {
      rows = rows(current);
    }
    parts = current;
    return rows.stream().map(row -> new Family(row, current)).toList();
  }

  private boolean hasSameSeries(List<Part> current) {
    if (current.size() != parts.size()) {
      return false;
    }
    for (int i = 0; i < parts.size(); i++) {
      if (current.get(i).cells() != parts.get(i).cells()) {
        return false;
      }
    }
    return true;
  }

  private static List<Rows> rows(List<Part> parts) {
    Map<String, Rows> byName = new HashMap<>();
    for (int part = 0; part < parts.size(); part++) {
      Cell[] cells = parts.get(part).cells();
      for (int cell = 0; cell < cells.length; cell++) {
        Cell first = cells[cell];
        if (first.isSeries()) {
          byName.computeIfAbsent(first.name, name -> new Rows(first)).add(part, cell);
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
