package ecoflow.normal;

import java.util.Arrays;

/** All normalised series with one name at one time, sorted by serial number, then by labels. */
public record NormalFamily(Table.Name of, Rows rows) {

  /** The series, with one column per field. */
  static final class Rows {

    private String[] serials = new String[4];
    private byte[][] labels = new byte[4][];
    private double[] values = new double[4];
    private int size;

    void add(String serial, byte[] ownLabels, double value) {
      if (size == values.length) {
        serials = Arrays.copyOf(serials, 2 * size);
        labels = Arrays.copyOf(labels, 2 * size);
        values = Arrays.copyOf(values, 2 * size);
      }
      serials[size] = serial;
      labels[size] = ownLabels;
      values[size] = value;
      size++;
    }
  }

  static NormalFamily of(Table.Name name) {
    return new NormalFamily(name, new Rows());
  }

  /** Without the exporter's prefix. */
  public String name() {
    return of.name();
  }

  /** Names of counters end in {@code _total}; all other metrics are gauges. */
  public boolean isCounter() {
    return of.isCounter();
  }

  public String help() {
    return of.help();
  }

  public int size() {
    return rows.size;
  }

  public String serial(int i) {
    return rows.serials[i];
  }

  /** The labels except those of the device, each preceded by a comma. */
  public byte[] labels(int i) {
    return rows.labels[i];
  }

  public double value(int i) {
    return rows.values[i];
  }
}
