package ecoflow.quota;

import java.util.List;
import java.util.stream.IntStream;

/** All series of one name at one moment, sorted by serial number, then by indexes. */
public record Family(Picture.Rows rows, List<Picture.Part> parts) {

  /**
   * @param indexes the places in the lists around the value, outermost first: positions, or what an
   *     item names as its place, such as a pack's number or a serial number
   */
  public record Series(String serial, List<String> indexes, double value) {}

  /** Without the exporter's prefix. */
  public String name() {
    return rows.name();
  }

  /** The first series' key as the device sent it, without indexes. */
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

  /** Of one series, as in {@link Series}. */
  public List<String> indexes(int i) {
    return part(i).cells()[rows.cell(i)].indexes;
  }

  public double value(int i) {
    return part(i).values()[rows.cell(i)];
  }

  private Picture.Part part(int i) {
    return parts.get(rows.part(i));
  }

  /** The same for who is in no hurry. */
  public List<Series> series() {
    return IntStream.range(0, size())
        .mapToObj(i -> new Series(serial(i), indexes(i), value(i)))
        .toList();
  }
}
