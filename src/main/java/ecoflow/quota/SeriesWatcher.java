package ecoflow.quota;

import java.util.List;

/** Receives notifications of added and removed series, while their device is locked. */
public interface SeriesWatcher {

  /** A series. After its removal, it keeps its last value. */
  interface Series {

    String serial();

    /** The name without the exporter's prefix. */
    String name();

    /** The key as the device sent it, without indexes. */
    String rawKey();

    /** The indexes, as in {@link Family.Series}. */
    List<String> indexes();

    double value();
  }

  void added(Series series);

  /**
   * @param series the same object as in the notification of the addition
   */
  void removed(Series series);
}
