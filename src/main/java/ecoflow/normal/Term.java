package ecoflow.normal;

import java.util.Set;

/** What one raw key adds to a series: the rules of its row, with the cells that they look at. */
final class Term {

  /** Minutes that stand for "no time known", as devices send them. */
  private static final Set<Double> PARKED =
      Set.of(5939.0, 5940.0, 5999.0, 12927.0, 143999.0, 600000.0, 4294967295.0);

  private static final double MILLIS_FROM = 1000;
  private static final int NONE = -1;
  private static final double MILLION = 1e6;

  /** Above it a double has no room for millionths. */
  private static final double EXACT = 1e9;

  private final Row row;
  private final int cell;

  /** Whether the part is there that the value belongs to; null where it always is. */
  private final Presence presence;

  /** The cell that decides what the value means, {@link #NONE} for none. */
  private final int other;

  private final double wanted;
  private final double divisor;
  private final double none;

  /** The raw value that is a 1 while all others are a 0; NaN without the rule. */
  private final double truth;

  private final double low;
  private final double high;
  private final boolean zeroIsAbsent;
  private final boolean isParked;
  private final boolean isFlow;
  private final boolean isFlag;
  private final boolean isReversed;
  private final boolean isMillis;
  private final boolean isMillisWithVoltage;
  private final boolean isMagnitude;
  private final boolean isSplit;
  private final boolean isWhere;
  private final boolean isFahrenheit;

  /** Whether the unit of the value is known only from the other cell. */
  private final boolean hasUnitElsewhere;

  /**
   * @param other the cell that the rule where, fahrenheit_if or millis_with_voltage of the row
   *     looks at; negative if there is none
   * @param presence null if the part of the device that the row belongs to is always there
   */
  Term(Row row, int cell, int other, Presence presence) {
    this.row = row;
    this.cell = cell;
    this.other = other;
    this.presence = presence;
    double inverse = 1 / row.factor();
    // 378 / 100 is 3.78, and 378 * 0.01 is not.
    divisor = Math.abs(inverse - Math.rint(inverse)) < 1e-9 ? Math.rint(inverse) : 0;
    isWhere = row.parameter("where").isPresent();
    isFahrenheit = row.parameter("fahrenheit_if").isPresent();
    wanted =
        row.parameter("where")
            .or(() -> row.parameter("fahrenheit_if"))
            .map(text -> Double.parseDouble(text.substring(text.indexOf('=') + 1)))
            .orElse(Double.NaN);
    none = row.parameter("none").map(Double::parseDouble).orElse(Double.NaN);
    truth = row.parameter("is").map(Double::parseDouble).orElse(Double.NaN);
    String range = row.parameter("range").orElse(row.has("drop_above_100") ? "..100" : "..");
    low = bound(range.substring(0, range.indexOf("..")), Double.NEGATIVE_INFINITY);
    high = bound(range.substring(range.indexOf("..") + 2), Double.POSITIVE_INFINITY);
    zeroIsAbsent = row.has("zero_absent");
    isParked = row.has("parked");
    isFlow = row.has("flow");
    isFlag = row.metric().equals("port_enabled") && !isFlow;
    isReversed = row.has("byteswap32");
    isMillis = row.has("millis");
    isMillisWithVoltage = row.has("millis_with_voltage");
    isMagnitude = row.has("magnitude");
    isSplit = row.has("split");
    hasUnitElsewhere = isMillisWithVoltage || isFahrenheit;
  }

  private static double bound(String text, double otherwise) {
    return text.isEmpty() ? otherwise : Double.parseDouble(text);
  }

  /** The cell of its value. */
  int cell() {
    return cell;
  }

  /** Adds the cells that it looks at. */
  void addCells(Set<Integer> cells) {
    cells.add(cell);
    if (other >= 0) {
      cells.add(other);
    }
    if (presence != null) {
      presence.addCells(cells);
    }
  }

  Row row() {
    return row;
  }

  /** The value in the metric's unit; NaN if the key says nothing now. */
  double value(double[] cells) {
    double raw = cells[cell];
    boolean says =
        raw >= low
            && raw <= high
            && raw != none
            && !(zeroIsAbsent && raw == 0)
            && !(isParked && (raw < 0 || PARKED.contains(raw)))
            && !(isWhere && (other < 0 || cells[other] != wanted))
            && !(hasUnitElsewhere && (other < 0 || Double.isNaN(cells[other])))
            && (presence == null || presence.holds(cells));
    return says ? meaning(raw, cells) : Double.NaN;
  }

  /** Without the noise of binary fractions, and without -0: devices send no millionths. */
  static double rounded(double value) {
    return Math.abs(value) < EXACT ? Math.rint(value * MILLION) / MILLION + 0.0 : value;
  }

  private double meaning(double raw, double[] cells) {
    if (isFlow) {
      return ((long) raw & 3) >= 2 ? 1 : 0;
    }
    if (!Double.isNaN(truth)) {
      return raw == truth ? 1 : 0;
    }
    if (isFlag) {
      return raw == 0 ? 0 : 1;
    }
    double number = isReversed ? Integer.reverseBytes((int) (long) raw) & 0xffffffffL : raw;
    double value = divisor == 0 ? number * row.factor() : number / divisor;
    if ((isMillis && raw >= MILLIS_FROM) || (isMillisWithVoltage && cells[other] >= MILLIS_FROM)) {
      value /= 1000;
    }
    if (isFahrenheit && cells[other] == wanted) {
      value = (value - 32) * 5 / 9;
    }
    if (isMagnitude) {
      value = Math.abs(value);
    }
    if (isSplit) {
      value = Math.max(0, value);
    }
    return row.factor() == 1 ? value + 0.0 : rounded(value);
  }
}
