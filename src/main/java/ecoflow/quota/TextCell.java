package ecoflow.quota;

import java.util.List;

/** A text, which has neither a name nor a series in the store. */
final class TextCell extends Cell {

  /** Per device. */
  static final int MAX_COUNT = 50;

  static final int MAX_LENGTH = 100;

  String text;

  TextCell(String rawKey) {
    super(rawKey, "", List.of());
    value = Double.NaN;
  }

  @Override
  boolean isText() {
    return true;
  }
}
