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
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Maps the raw keys of a device to series. A plan is valid as long as the device has the same keys.
 * Values are computed from the stored values on each request, so that they are never outdated.
 */
final class Plan {

  private static final String BATTERY_POWER = "battery_power_watts";
  private static final String SOLAR_POWER = "solar_power_watts";
  private static final String TIME_TO_FULL = "battery_time_to_full_seconds";
  private static final String TIME_TO_EMPTY = "battery_time_to_empty_seconds";

  private static final Map<String, String> ALL_PACKS = Map.of("pack", "all");

  private final Series[] series;

  /**
   * Index of a series that is computed from others or that others depend on; -1 if there is no such
   * series.
   */
  private final int batteryPower;

  private final int solarPower;
  private final int timeToFull;
  private final int timeToEmpty;
  private final int[] solarPorts;

  /** Without the pack that represents all packs. */
  private final Pack[] packs;

  /** All packs as one, which some models send in addition to single packs; otherwise null. */
  private final Pack allPacks;

  /**
   * The indexes of the series from which the power of a pack is computed; -1 for none.
   *
   * @param charge the charge, which, like a voltage, shows that the pack is present
   */
  private record Pack(int charge, int volts, int amperes, int watts) {

    /** NaN if the device sends neither a power nor a current of the pack. */
    double watts(Series[] series, double[] cells) {
      double direct = at(watts, series, cells);
      if (direct != 0 && !Double.isNaN(direct)) {
        return direct;
      }
      // Main packs of some models send a power of 0 together with a current.
      double product = at(volts, series, cells) * at(amperes, series, cells);
      return Double.isNaN(product) ? direct : Term.rounded(product);
    }

    boolean isPresent(Series[] series, double[] cells) {
      return !Double.isNaN(at(charge, series, cells)) || !Double.isNaN(at(volts, series, cells));
    }

    private static double at(int index, Series[] series, double[] cells) {
      return index < 0 ? Double.NaN : series[index].value(cells);
    }

    IntStream indexes() {
      return IntStream.of(charge, volts, amperes, watts).filter(index -> index >= 0);
    }
  }

  private Plan(List<Series> found) {
    series = found.toArray(Series[]::new);
    batteryPower = find(BATTERY_POWER, Map.of());
    solarPower = find(SOLAR_POWER, Map.of());
    timeToFull = find(TIME_TO_FULL, Map.of());
    timeToEmpty = find(TIME_TO_EMPTY, Map.of());
    solarPorts = IntStream.range(0, series.length).filter(i -> isSolarPort(series[i])).toArray();
    packs =
        Arrays.stream(series)
            .filter(Plan::isOfPack)
            .map(Series::labels)
            .filter(labels -> !labels.equals(ALL_PACKS))
            .distinct()
            .map(this::pack)
            .toArray(Pack[]::new);
    allPacks =
        Arrays.stream(series).anyMatch(of -> of.labels().equals(ALL_PACKS))
            ? pack(ALL_PACKS)
            : null;
  }

  private Pack pack(Map<String, String> labels) {
    return new Pack(
        find("battery_pack_charge_ratio", labels),
        find("battery_pack_voltage_volts", labels),
        find("battery_pack_current_amperes", labels),
        find("battery_pack_power_watts", labels));
  }

  /**
   * @param device the serial number of the device
   * @param keys the raw keys of the device, in the order of its cells
   */
  static Plan of(Table table, Table.Family family, String device, String[] keys) {
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
          if (row.has(Rule.THIS_DEVICE) && !device.equals(parts.serial())) {
            continue;
          }
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
        Presence presence = Presence.of(family.conditions(row), match.parts(), cells);
        series(table, found, row.metric(), labels).add(new Term(row, match.key(), cells, presence));
      }
    }
    addDerived(table, found);
    found.values().forEach(Series::complete);
    return new Plan(sorted(found));
  }

  /** A key of the device that matches a row. */
  private record Match(String key, Row.Parts parts) {}

  private static Series series(
      Table table, Map<String, Series> found, String metric, Map<String, String> labels) {
    return found.computeIfAbsent(
        metric + new TreeMap<>(labels), unused -> new Series(table.name(metric), labels));
  }

  /** Adds sums of parts, for devices that do not send the sums, or not with each message. */
  private static void addDerived(Table table, Map<String, Series> found) {
    List<Series> all = List.copyOf(found.values());
    if (all.stream().anyMatch(Plan::isPowerOfPack)) {
      series(table, found, BATTERY_POWER, Map.of());
    }
    if (all.stream().anyMatch(Plan::isSolarPort)) {
      series(table, found, SOLAR_POWER, Map.of());
    }
  }

  private static List<Series> sorted(Map<String, Series> found) {
    return found.values().stream()
        .sorted(
            Comparator.comparingInt((Series s) -> s.name().index())
                .thenComparing(s -> s.labels().toString()))
        .toList();
  }

  private static boolean isOfPack(Series series) {
    return series.name().name().equals("battery_pack_charge_ratio")
        || series.name().name().equals("battery_pack_voltage_volts")
        || isPowerOfPack(series);
  }

  private static boolean isPowerOfPack(Series series) {
    return series.name().name().equals("battery_pack_current_amperes")
        || series.name().name().equals("battery_pack_power_watts");
  }

  private static boolean isSolarPort(Series series) {
    return series.name().name().equals("port_input_power_watts")
        && series.labels().getOrDefault("port", "").startsWith("solar_");
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
   * The values of all series; NaN for a series that currently has no value. Native counters are not
   * filtered.
   *
   * @param cells the values of the keys from which the plan was created
   */
  double[] values(double[] cells) {
    double[] values = new double[series.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = value(i, cells);
    }
    // The power determines the direction, because the state that devices report is not reliable.
    double power = batteryPower < 0 ? Double.NaN : values[batteryPower];
    if (timeToFull >= 0 && !(power > 0)) {
      values[timeToFull] = Double.NaN;
    }
    if (timeToEmpty >= 0 && !(power < 0)) {
      values[timeToEmpty] = Double.NaN;
    }
    return values;
  }

  /** The value of one series, except for the times to full and to empty. */
  double value(int i, double[] cells) {
    double value = series[i].value(cells);
    if (!Double.isNaN(value)) {
      return value;
    }
    return i == batteryPower ? batteryPower(cells) : i == solarPower ? solarPower(cells) : value;
  }

  /** Adds the cells that {@link #value} reads for a series. */
  void addCells(int i, Set<Integer> cells) {
    series[i].addCells(cells);
    if (i == batteryPower) {
      Stream.concat(Arrays.stream(packs), Stream.ofNullable(allPacks))
          .flatMapToInt(Pack::indexes)
          .forEach(index -> series[index].addCells(cells));
    }
    if (i == solarPower) {
      Arrays.stream(solarPorts).forEach(port -> series[port].addCells(cells));
    }
  }

  /** NaN if the power of a present pack is unknown, because the sum would be incomplete. */
  private double batteryPower(double[] cells) {
    double sum = allPacks == null ? Double.NaN : allPacks.watts(series, cells);
    if (!Double.isNaN(sum)) {
      return Term.rounded(sum);
    }
    for (Pack pack : packs) {
      double watts = pack.watts(series, cells);
      if (Double.isNaN(watts) && pack.isPresent(series, cells)) {
        return Double.NaN;
      }
      sum = plus(sum, watts);
    }
    return Term.rounded(sum);
  }

  private double solarPower(double[] cells) {
    double sum = Double.NaN;
    for (int port : solarPorts) {
      sum = plus(sum, series[port].value(cells));
    }
    return Term.rounded(sum);
  }

  /** Adds two values; an unknown value is ignored. */
  static double plus(double sum, double value) {
    if (Double.isNaN(sum)) {
      return value;
    }
    return Double.isNaN(value) ? sum : sum + value;
  }
}
