package ecoflow.normal;

import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;

/**
 * The contribution of one raw key to a series: the rules of its row and the cells that they read,
 * resolved when the plan is created.
 */
final class Term {

  /** The conversion of a raw value. */
  private enum Reading {
    NUMBER,
    REVERSED_BYTES,
    SWITCH,
    FLOW,
    ONE_VALUE;

    static Reading of(Row row) {
      Rule rule = row.rule(Rule.Group.READING);
      if (rule == Rule.FLOW) {
        return FLOW;
      }
      if (rule == Rule.IS) {
        return ONE_VALUE;
      }
      if (row.metric().equals("port_enabled")) {
        return SWITCH;
      }
      return rule == Rule.BYTESWAP32 ? REVERSED_BYTES : NUMBER;
    }
  }

  /** Values that devices send for an unknown time, in minutes. */
  private static final double[] PARKED = {5939, 5940, 5999, 12927, 143999, 600000, 4294967295.0};

  private static final double MIN_MILLIS = 1000;
  private static final int NO_CELL = -1;
  private static final double MILLION = 1e6;

  /** Above this value, a double cannot represent millionths. */
  private static final double MAX_ROUNDED = 1e9;

  private final Row row;
  private final int cell;

  /** Whether the part to which the value belongs is present; null if it is always present. */
  private final Presence presence;

  /** The range of valid raw values; {@code low} is NaN if the value cannot be determined. */
  private final double low;

  private final double high;

  /** Raw values within the range that are not values. */
  private final double[] absent;

  /** The index of the cell that must have the value {@code whereValue}. */
  private final int where;

  private final double whereValue;
  private final Reading reading;

  /** The raw value that becomes 1 for {@link Reading#ONE_VALUE}. */
  private final double trueValue;

  private final double factor;

  /** The inverse of the factor if it is an integer, otherwise 0. */
  private final double divisor;

  /** Null for none. */
  private final Rule unit;

  /** The index of the cell that determines the unit. */
  private final int unitCell;

  private final double fahrenheit;

  /** Null for none. */
  private final Rule sign;

  /**
   * @param key the key of the device, which matches the row
   * @param cells the indexes of the cells of the device's keys
   * @param presence null if the part to which the row belongs is always present
   */
  Term(Row row, String key, Map<String, Integer> cells, Presence presence) {
    this.row = row;
    this.cell = cells.get(key);
    this.presence = presence;
    String whereKey = whereKey(row, key);
    where = cells.getOrDefault(whereKey, NO_CELL);
    whereValue = number(row, Rule.WHERE);
    unit = row.rule(Rule.Group.UNIT);
    String unitKey = unitKey(row, key);
    unitCell = cells.getOrDefault(unitKey, NO_CELL);
    fahrenheit = number(row, Rule.FAHRENHEIT_IF);
    boolean isUnknown =
        (whereKey != null && where == NO_CELL) || (unitKey != null && unitCell == NO_CELL);
    low = isUnknown ? Double.NaN : low(row);
    high = high(row);
    absent = absent(row);
    reading = Reading.of(row);
    trueValue = number(row, Rule.IS);
    factor = row.factor();
    double inverse = 1 / factor;
    // A division can be more exact than a multiplication: 378 / 100 is 3.78, but 378 * 0.01 is not.
    divisor = Math.abs(inverse - Math.rint(inverse)) < 1e-9 ? Math.rint(inverse) : 0;
    sign = row.rule(Rule.Group.SIGN);
  }

  /** The key that the rule WHERE reads; null without the rule. */
  private static String whereKey(Row row, String key) {
    return row.has(Rule.WHERE)
        ? key.substring(0, key.lastIndexOf('.') + 1) + row.argument(Rule.WHERE).key()
        : null;
  }

  /** The key that determines the unit; null for none. */
  private static String unitKey(Row row, String key) {
    if (row.has(Rule.FAHRENHEIT_IF)) {
      return row.argument(Rule.FAHRENHEIT_IF).key();
    }
    return row.has(Rule.MILLIS_WITH_VOLTAGE)
        ? key.replaceAll("amp$", "vol").replaceAll("Amp$", "Vol")
        : null;
  }

  /** NaN without the rule. */
  private static double number(Row row, Rule rule) {
    return row.has(rule) ? row.argument(rule).low() : Double.NaN;
  }

  private static double low(Row row) {
    double low = row.has(Rule.RANGE) ? row.argument(Rule.RANGE).low() : Double.NEGATIVE_INFINITY;
    return row.has(Rule.PARKED) ? Math.max(0, low) : low;
  }

  private static double high(Row row) {
    if (row.has(Rule.RANGE)) {
      return row.argument(Rule.RANGE).high();
    }
    return row.has(Rule.DROP_ABOVE_100) ? 100 : Double.POSITIVE_INFINITY;
  }

  private static double[] absent(Row row) {
    DoubleStream.Builder absent = DoubleStream.builder();
    if (row.has(Rule.ZERO_ABSENT)) {
      absent.add(0);
    }
    if (row.has(Rule.NONE)) {
      absent.add(number(row, Rule.NONE));
    }
    if (row.has(Rule.PARKED)) {
      DoubleStream.of(PARKED).forEach(absent);
    }
    return absent.build().toArray();
  }

  /** The index of the cell with the value. */
  int cell() {
    return cell;
  }

  /** Adds the indexes of the cells that the term reads. */
  void addCells(Set<Integer> cells) {
    cells.add(cell);
    if (where != NO_CELL) {
      cells.add(where);
    }
    if (unitCell != NO_CELL) {
      cells.add(unitCell);
    }
    if (presence != null) {
      presence.addCells(cells);
    }
  }

  Row row() {
    return row;
  }

  /** The value in the metric's unit; NaN if the key currently has no value. */
  double value(double[] cells) {
    double raw = cells[cell];
    boolean isKnown =
        raw >= low
            && raw <= high
            && !isAbsent(raw)
            && (where == NO_CELL || cells[where] == whereValue)
            && (unitCell == NO_CELL || !Double.isNaN(cells[unitCell]))
            && (presence == null || presence.isTrue(cells));
    if (!isKnown) {
      return Double.NaN;
    }
    return switch (reading) {
      case NUMBER -> scaled(raw, raw, cells);
      case REVERSED_BYTES ->
          scaled(Integer.reverseBytes((int) (long) raw) & 0xffffffffL, raw, cells);
      case SWITCH -> raw == 0 ? 0 : 1;
      case FLOW -> ((long) raw & 3) >= 2 ? 1 : 0;
      case ONE_VALUE -> raw == trueValue ? 1 : 0;
    };
  }

  private boolean isAbsent(double raw) {
    for (double value : absent) {
      if (raw == value) {
        return true;
      }
    }
    return false;
  }

  /** Removes rounding errors of binary fractions and -0. Devices do not send millionths. */
  static double rounded(double value) {
    return Math.abs(value) < MAX_ROUNDED ? Math.rint(value * MILLION) / MILLION + 0.0 : value;
  }

  private double scaled(double number, double raw, double[] cells) {
    double value = divisor == 0 ? number * factor : number / divisor;
    if (unit != null) {
      value = inUnit(value, raw, cells);
    }
    if (sign == Rule.MAGNITUDE) {
      value = Math.abs(value);
    } else if (sign == Rule.SPLIT) {
      value = Math.max(0, value);
    }
    return factor == 1 ? value + 0.0 : rounded(value);
  }

  private double inUnit(double value, double raw, double[] cells) {
    if (unit == Rule.FAHRENHEIT_IF) {
      return cells[unitCell] == fahrenheit ? (value - 32) * 5 / 9 : value;
    }
    double size = unit == Rule.MILLIS ? raw : cells[unitCell];
    return size >= MIN_MILLIS ? value / 1000 : value;
  }
}
