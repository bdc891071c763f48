package ecoflow.quota;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** All series of one name at one time, sorted by serial number, then by indexes. */
public record Family(Rows rows, List<DeviceCells> devices) {

  /**
   * @param indexes the positions in the lists around the value, outermost first, or identifiers
   *     that the items contain, such as the number of a pack or a serial number
   */
  public record Series(String serial, List<String> indexes, double value) {}

  /**
   * The values of one device with their cells.
   *
   * @param cells in the order of the values
   */
  record DeviceCells(DeviceValues values, Cell[] cells) {}

  /** The positions of the series: the device, and the cell of the device. */
  static final class Rows {

    private final String name;
    private final String rawKey;
    private int[] positions = new int[2];
    private int size;

    Rows(Cell first) {
      this.name = first.name;
      this.rawKey = SeriesName.withoutIndexes(first.rawKey);
    }

    void add(int device, int cell) {
      if (2 * size == positions.length) {
        positions = Arrays.copyOf(positions, 4 * size);
      }
      positions[2 * size] = device;
      positions[2 * size + 1] = cell;
      size++;
    }

    String name() {
      return name;
    }

    private int device(int i) {
      return positions[2 * i];
    }

    private int cell(int i) {
      return positions[2 * i + 1];
    }
  }

  /** The name without the exporter's prefix. */
  public String name() {
    return rows.name;
  }

  /** The key of the first series as the device sent it, without indexes. */
  public String rawKey() {
    return rows.rawKey;
  }

  /** The number of series. */
  public int size() {
    return rows.size;
  }

  public String serial(int i) {
    return device(i).values().serial();
  }

  /** The indexes of a series, as in {@link Series}. */
  public List<String> indexes(int i) {
    return device(i).cells()[rows.cell(i)].indexes;
  }

  public double value(int i) {
    return device(i).values().values()[rows.cell(i)];
  }

  private DeviceCells device(int i) {
    return devices.get(rows.device(i));
  }

  /** The series as a list. The methods with an index are faster. */
  public List<Series> series() {
    return IntStream.range(0, size())
        .mapToObj(i -> new Series(serial(i), indexes(i), value(i)))
        .toList();
  }
}
