package ecoflow.quota;

import java.util.List;

/** A text, which has neither a name nor a series in the store. */
final class TextCell extends Cell {

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
