package ecoflow.normal;

import java.util.Arrays;

/** All normalised series of one name at one moment, sorted by serial number, then by labels. */
public final class NormalFamily {

  private final Table.Name name;
  private String[] serials = new String[4];
  private byte[][] labels = new byte[4][];
  private double[] values = new double[4];
  private int size;

  NormalFamily(Table.Name name) {
    this.name = name;
  }

  void add(String serial, Series series, double value) {
    if (size == values.length) {
      serials = Arrays.copyOf(serials, 2 * size);
      labels = Arrays.copyOf(labels, 2 * size);
      values = Arrays.copyOf(values, 2 * size);
    }
    serials[size] = serial;
    labels[size] = series.labelBytes();
    values[size] = value;
    size++;
  }

  /** Without the exporter's prefix. */
  public String name() {
    return name.name();
  }

  /** Counters have names that end in {@code _total}; all others are gauges. */
  public boolean isCounter() {
    return name.isCounter();
  }

  public String help() {
    return name.help();
  }

  public int size() {
    return size;
  }

  public String serial(int i) {
    return serials[i];
  }

  /** The labels besides those of the device, each with a comma before it. */
  public byte[] labels(int i) {
    return labels[i];
  }

  public double value(int i) {
    return values[i];
  }
}
