package ecoflow.quota;

import java.util.List;

/** A series and its latest value. The lock of the device guards the mutable fields. */
class Cell {

  final String rawKey;
  final String name;
  final List<String> indexes;
  double value;

  /** The time of the last update in nanoseconds. */
  long updatedAt;

  /** The number of the message that contained the value. */
  long message;

  boolean removed;

  /** Whether the value is from a push. */
  boolean pushed;

  /** Whether a route computed the value from inputs; it is removed together with any of them. */
  boolean computed;

  /** The view of the watcher; null if the watcher was not notified of this series. */
  SeriesWatcher.Series watched;

  Cell(String rawKey, String name, List<String> indexes) {
    this.rawKey = rawKey;
    this.name = name;
    this.indexes = indexes;
  }

  /** A value in a JSON string, which has neither a name nor a series. */
  static Cell ofString(String rawKey) {
    return new Cell(rawKey, "", List.of());
  }

  final boolean isSeries() {
    return !name.isEmpty();
  }

  boolean isText() {
    return false;
  }
}
