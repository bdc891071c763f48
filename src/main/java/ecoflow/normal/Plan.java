package ecoflow.normal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;

/**
 * Which raw keys of a device give which series. It holds for as long as the device has the same
 * keys; values are computed from what is stored when they are asked for, so that none is older than
 * what it comes from.
 */
final class Plan {

  private static final String BATTERY_POWER = "battery_power_watts";
  private static final String SOLAR_POWER = "solar_power_watts";
  private static final String TIME_TO_FULL = "battery_time_to_full_seconds";
  private static final String TIME_TO_EMPTY = "battery_time_to_empty_seconds";

  private final Series[] series;

  /** Where a series is that comes from others, or that others depend on; -1 if nowhere. */
  private final int batteryPower;

  private final int solarPower;
  private final boolean batteryIsDerived;
  private final boolean solarIsDerived;
  private final int timeToFull;
  private final int timeToEmpty;
  private final int[] solarPorts;

  /** Pairs of series: the voltage of a pack and its current. */
  private final int[] packs;

  private Plan(List<Series> found, Table.Family family) {
    series = found.toArray(Series[]::new);
    batteryIsDerived = !family.tells(BATTERY_POWER);
    solarIsDerived = !family.tells(SOLAR_POWER);
    batteryPower = find(BATTERY_POWER, Map.of());
    solarPower = find(SOLAR_POWER, Map.of());
    timeToFull = find(TIME_TO_FULL, Map.of());
    timeToEmpty = find(TIME_TO_EMPTY, Map.of());
    List<Integer> solar = new ArrayList<>();
    List<Integer> pairs = new ArrayList<>();
    for (int i = 0; i < series.length; i++) {
      if (isSolarPort(series[i])) {
        solar.add(i);
      }
      if (series[i].name().name().equals("battery_pack_current_amperes")) {
        int volts = find("battery_pack_voltage_volts", series[i].labels());
        if (volts >= 0) {
          pairs.addAll(List.of(volts, i));
        }
      }
    }
    solarPorts = solar.stream().mapToInt(i -> i).toArray();
    packs = pairs.stream().mapToInt(i -> i).toArray();
  }

  /**
   * @param keys the raw keys of the device, in the order of its cells
   */
  static Plan of(Table table, Table.Family family, String[] keys) {
    Map<String, Integer> cells = new HashMap<>();
    for (int i = 0; i < keys.length; i++) {
      cells.put(keys[i], i);
    }
    Map<Row, List<Match>> matches = new HashMap<>();
    Map<String, TreeSet<String>> serials = new HashMap<>();
    for (String key : keys) {
      for (Row row : family.exact(key)) {
        matches.put(row, List.of(new Match(key, new Row.Parts(List.of(), null))));
      }
      for (Table.KeyPattern pattern : family.patterns()) {
        Row row = pattern.row();
        Matcher matcher = key.startsWith(pattern.start()) ? pattern.regex().matcher(key) : null;
        if (matcher != null && matcher.matches()) {
          Row.Parts parts = row.parts(matcher);
          matches.computeIfAbsent(row, unused -> new ArrayList<>()).add(new Match(key, parts));
          if (parts.serial() != null) {
            serials.computeIfAbsent(row.start(), unused -> new TreeSet<>()).add(parts.serial());
          }
        }
      }
    }
    Map<String, Series> found = new TreeMap<>();
    for (Row row : family.rows()) {
      for (Match match : matches.getOrDefault(row, List.of())) {
        int rank =
            match.parts().serial() == null
                ? 0
                : serials.get(row.start()).headSet(match.parts().serial(), true).size();
        Map<String, String> labels = row.labels(match.parts(), rank);
        series(table, found, row.metric(), labels)
            .add(new Term(row, cells.get(match.key()), other(row, match.key(), cells)));
      }
    }
    addDerived(table, family, found);
    found.values().forEach(Series::arrange);
    return new Plan(sorted(found), family);
  }

  /** A key of the device that fits a row. */
  private record Match(String key, Row.Parts parts) {}

  private static Series series(
      Table table, Map<String, Series> found, String metric, Map<String, String> labels) {
    return found.computeIfAbsent(
        metric + new TreeMap<>(labels), unused -> new Series(table.name(metric), labels));
  }

  /** Series that no key gives, but others: they are there when these are. */
  private static void addDerived(Table table, Table.Family family, Map<String, Series> found) {
    List<Series> all = List.copyOf(found.values());
    if (!family.tells(BATTERY_POWER)
        && all.stream().anyMatch(s -> s.name().name().equals("battery_pack_current_amperes"))) {
      series(table, found, BATTERY_POWER, Map.of());
    }
    if (!family.tells(SOLAR_POWER) && all.stream().anyMatch(Plan::isSolarPort)) {
      series(table, found, SOLAR_POWER, Map.of());
    }
  }

  private static List<Series> sorted(Map<String, Series> found) {
    return found.values().stream()
        .sorted(
            Comparator.comparingInt((Series s) -> s.name().place())
                .thenComparing(s -> s.labels().toString()))
        .toList();
  }

  private static boolean isSolarPort(Series series) {
    return series.name().name().equals("port_input_power_watts")
        && series.labels().getOrDefault("port", "").startsWith("solar_");
  }

  /** The cell that a rule of the row looks at besides its own; -1 if there is none. */
  private static int other(Row row, String key, Map<String, Integer> cells) {
    String other =
        row.parameter("where")
            .map(text -> key.substring(0, key.lastIndexOf('.') + 1) + name(text))
            .or(() -> row.parameter("fahrenheit_if").map(Plan::name))
            .orElse(row.has("millis_with_voltage") ? voltage(key) : "");
    return cells.getOrDefault(other, -1);
  }

  private static String name(String condition) {
    return condition.substring(0, condition.indexOf('='));
  }

  private static String voltage(String current) {
    return current.replaceAll("amp$", "vol").replaceAll("Amp$", "Vol");
  }

  private int find(String metric, Map<String, String> labels) {
    for (int i = 0; i < series.length; i++) {
      if (series[i].name().name().equals(metric) && series[i].labels().equals(labels)) {
        return i;
      }
    }
    return -1;
  }

  /** Sorted by name, then by labels. */
  Series[] series() {
    return series;
  }

  /**
   * The values of all series; NaN for one that is not there now. Counters of the device are as it
   * sent them.
   *
   * @param cells of the keys that the plan was made of
   */
  double[] values(double[] cells) {
    double[] values = new double[series.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = value(i, cells);
    }
    double power = batteryPower < 0 ? Double.NaN : values[batteryPower];
    // What the device calls its state cannot be relied on, the sign of the power can.
    if (timeToFull >= 0 && power <= 0) {
      values[timeToFull] = Double.NaN;
    }
    if (timeToEmpty >= 0 && power >= 0) {
      values[timeToEmpty] = Double.NaN;
    }
    return values;
  }

  /** The value of one series, which must not be a time. */
  double value(int i, double[] cells) {
    if (i == batteryPower && batteryIsDerived) {
      return batteryPower(cells);
    }
    return i == solarPower && solarIsDerived ? solarPower(cells) : series[i].value(cells);
  }

  /** Adds the cells that {@link #value} of a series looks at. */
  void addCells(int i, Set<Integer> cells) {
    series[i].addCells(cells);
    if (i == batteryPower && batteryIsDerived) {
      Arrays.stream(packs).forEach(pack -> series[pack].addCells(cells));
    }
    if (i == solarPower && solarIsDerived) {
      Arrays.stream(solarPorts).forEach(port -> series[port].addCells(cells));
    }
  }

  private double batteryPower(double[] cells) {
    double sum = Double.NaN;
    for (int i = 0; i < packs.length; i += 2) {
      double watts = series[packs[i]].value(cells) * series[packs[i + 1]].value(cells);
      sum = plus(sum, Term.rounded(watts));
    }
    return sum;
  }

  private double solarPower(double[] cells) {
    double sum = Double.NaN;
    for (int port : solarPorts) {
      sum = plus(sum, series[port].value(cells));
    }
    return sum;
  }

  /** What is not known adds nothing. */
  static double plus(double sum, double value) {
    if (Double.isNaN(sum)) {
      return value;
    }
    return Double.isNaN(value) ? sum : sum + value;
  }
}
