package ecoflow.quota;

import java.util.List;
import java.util.stream.IntStream;

/** All series of one name at one time, sorted by serial number, then by indexes. */
public record Family(Picture.Rows rows, List<Picture.Part> parts) {

  /**
   * @param indexes the positions in the lists around the value, outermost first, or identifiers
   *     that the items contain, such as the number of a pack or a serial number
   */
  public record Series(String serial, List<String> indexes, double value) {}

  /** The name without the exporter's prefix. */
  public String name() {
    return rows.name();
  }

  /** The key of the first series as the device sent it, without indexes. */
  public String rawKey() {
    return rows.rawKey();
  }

  /** The number of series. */
  public int size() {
    return rows.size();
  }

  public String serial(int i) {
    return part(i).serial();
  }

  /** The indexes of a series, as in {@link Series}. */
  public List<String> indexes(int i) {
    return part(i).cells()[rows.cell(i)].indexes;
  }

  public double value(int i) {
    return part(i).values()[rows.cell(i)];
  }

  private Picture.Part part(int i) {
    return parts.get(rows.part(i));
  }

  /** The series as a list. The methods with an index are faster. */
  public List<Series> series() {
    return IntStream.range(0, size())
        .mapToObj(i -> new Series(serial(i), indexes(i), value(i)))
        .toList();
  }
}
