package ecoflow.quota;

import java.util.List;

/** One series and its latest value. What can change is guarded by the lock of the device. */
final class Cell {

  final String rawKey;
  final String name;
  final List<String> indexes;
  double value;

  /** Time of the last update. */
  long nanos;

  /** Number of the message that brought the value. */
  long message;

  boolean removed;

  /** Whether the value came with a push. */
  boolean pushed;

  /** Whether a route made it of others, which it goes with. */
  boolean computed;

  /** What the watcher knows it as, null if it does not. */
  Quotas.Series watched;

  Cell(String rawKey, String name, List<String> indexes) {
    this.rawKey = rawKey;
    this.name = name;
    this.indexes = indexes;
  }

  /** A value within a text: it has no name, and no series. */
  static Cell ofText(String rawKey) {
    return new Cell(rawKey, "", List.of());
  }

  boolean isSeries() {
    return !name.isEmpty();
  }
}
