package ecoflow.normal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The counters of one device: its own ones, and energies that are computed from its powers where it
 * has none. They outlive the plan, whose keys change. Not thread-safe.
 */
final class Counters {

  private static final String ORIGIN = "origin";
  private static final String ENERGY = "energy_joules_total";

  /**
   * A power and the energy that is computed from it.
   *
   * @param port only that port; null for the power without labels
   * @param sign of the power that counts
   */
  private record Flow(String power, String port, int sign, String energy) {}

  private static final List<Flow> FLOWS =
      List.of(
          new Flow("solar_power_watts", null, 1, "solar_"),
          new Flow("grid_power_watts", null, 1, "grid_import_"),
          new Flow("grid_power_watts", null, -1, "grid_export_"),
          new Flow("battery_power_watts", null, 1, "battery_charge_"),
          new Flow("battery_power_watts", null, -1, "battery_discharge_"),
          new Flow("home_load_power_watts", null, 1, "home_load_"),
          new Flow("input_power_watts", null, 1, "input_"),
          new Flow("output_power_watts", null, 1, "output_"),
          new Flow("port_input_power_watts", "ac_in", 1, "port_input_"),
          new Flow("port_output_power_watts", "ac_out", 1, "port_output_"));

  /** Receives each value of a counter that is held. */
  interface Holds {

    void held(Series series, NativeCounter.Held reason, double value);
  }

  private final Table table;
  private final Holds holds;
  private final double maxWatts;
  private final long holdNanos;
  private final Map<String, NativeCounter> natives = new HashMap<>();
  private final Map<Flow, StepHold> computed = new HashMap<>();

  /** The device's own counters, also without their keys: then nothing is computed. */
  private final Map<Flow, Set<NativeCounter>> insteadOf = new HashMap<>();

  // State of the current plan.
  private Plan plan;
  private int[] cells = {};
  private NativeCounter[] nativeOf = {};
  private List<Computed> flows = List.of();

  private long lastMessage;
  private double[] lastPoll = {};

  /** A flow whose power is in the plan, with the device's own counters of the same energy. */
  private record Computed(
      int power, int sign, StepHold energy, Set<NativeCounter> instead, Series series) {}

  /**
   * @param maxWatts a higher power of the device is an error
   * @param holdNanos how long a power applies after the device's last message
   */
  Counters(Table table, double maxWatts, long holdNanos, long now, Holds holds) {
    this.table = table;
    this.holds = holds;
    this.maxWatts = maxWatts;
    this.holdNanos = holdNanos;
    this.lastMessage = now;
  }

  private static String key(Series series) {
    return series.name().name() + new TreeMap<>(series.labels());
  }

  private void follow(Plan newPlan) {
    plan = newPlan;
    Series[] all = plan.series();
    nativeOf = new NativeCounter[all.length];
    for (int i = 0; i < all.length; i++) {
      Series series = all[i];
      if (series.name().isCounter() && series.hasKeys()) {
        nativeOf[i] = natives.computeIfAbsent(key(series), unused -> counter(series));
      }
    }
    flows = new ArrayList<>();
    for (int i = 0; i < all.length; i++) {
      for (Flow flow : FLOWS) {
        if (isPowerOf(all[i], flow)) {
          flows.add(computed(i, flow, all));
        }
      }
    }
    Set<Integer> wanted = new TreeSet<>();
    for (int i = 0; i < all.length; i++) {
      if (nativeOf[i] != null) {
        plan.addCells(i, wanted);
      }
    }
    flows.forEach(flow -> plan.addCells(flow.power(), wanted));
    cells = wanted.stream().mapToInt(cell -> cell).toArray();
  }

  private NativeCounter counter(Series series) {
    return series.isNative()
        ? new NativeCounter(
            new NativeCounter.Kind(series.isLifetime(), series.ignoresZero(), false),
            NativeCounter.Limit.ofEnergy(maxWatts))
        // Charge cycles, which are 0 for a new battery.
        : new NativeCounter(
            new NativeCounter.Kind(true, series.ignoresZero(), true),
            NativeCounter.Limit.ofCycles());
  }

  /** The cells of the plan's keys that counters read for each message. */
  int[] cells() {
    return cells;
  }

  private static boolean isPowerOf(Series series, Flow flow) {
    Map<String, String> labels = flow.port() == null ? Map.of() : Map.of("port", flow.port());
    return series.name().name().equals(flow.power()) && series.labels().equals(labels);
  }

  private Computed computed(int power, Flow flow, Series[] all) {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put(ORIGIN, "computed");
    if (flow.port() != null) {
      labels.put("port", flow.port());
    }
    Series series = new Series(table.name(flow.energy() + ENERGY), labels);
    Set<NativeCounter> instead = insteadOf.computeIfAbsent(flow, unused -> new HashSet<>());
    for (int i = 0; i < all.length; i++) {
      if (nativeOf[i] != null && all[i].name().equals(series.name()) && isSame(all[i], flow)) {
        instead.add(nativeOf[i]);
      }
    }
    StepHold energy = computed.computeIfAbsent(flow, unused -> new StepHold(maxWatts));
    return new Computed(power, flow.sign(), energy, instead, series);
  }

  private static boolean isSame(Series series, Flow flow) {
    return flow.port() == null || flow.port().equals(series.labels().get("port"));
  }

  /**
   * Processes the values of a message.
   *
   * @param newPlan of the device's keys; null if none of them is known
   * @param numbers of the messages with the cells
   * @param isRepeat whether the message may only repeat known values: then it is a sign of life
   *     only if a value has changed
   * @return whether it is a sign of life
   */
  boolean message(Plan newPlan, double[] newCells, long[] numbers, boolean isRepeat, long now) {
    boolean isNews = !isRepeat || newPlan != plan || !Arrays.equals(lastPoll, newCells);
    if (isRepeat) {
      lastPoll = newCells;
    }
    take(newPlan, newCells, now);
    // A repeated value does not confirm itself.
    for (int i = 0; isNews && i < nativeOf.length; i++) {
      if (nativeOf[i] != null) {
        Series series = plan.series()[i];
        double value = plan.value(i, newCells);
        NativeCounter.Held held = nativeOf[i].take(value, series.newest(numbers), now);
        if (held != NativeCounter.Held.NOT_HELD) {
          holds.held(series, held, value);
        }
      }
    }
    if (isNews) {
      lastMessage = now;
    }
    return isNews;
  }

  /**
   * Counts up to now and returns the computed counters, which are not series of the plan; replaces
   * the values of counters that are in the plan.
   *
   * @param values of the plan's series, as they are now
   */
  List<Counted> count(Plan newPlan, double[] newCells, double[] values, long now) {
    take(newPlan, newCells, now);
    for (int i = 0; i < nativeOf.length; i++) {
      if (nativeOf[i] != null && !Double.isNaN(values[i])) {
        values[i] = nativeOf[i].value();
      }
    }
    List<Counted> counted = new ArrayList<>();
    for (Computed flow : flows) {
      boolean isThere =
          !Double.isNaN(values[flow.power()])
              && flow.instead().stream().noneMatch(NativeCounter::counts);
      if (isThere) {
        counted.add(new Counted(flow.series(), flow.energy().joules()));
      }
    }
    return counted;
  }

  /** A computed counter and its value. */
  record Counted(Series series, double value) {}

  private void take(Plan newPlan, double[] newCells, long now) {
    long until = lastMessage + holdNanos;
    if (newPlan != plan) {
      computed.values().forEach(energy -> energy.hold(until, now, Double.NaN));
      if (newPlan == null) {
        plan = null;
        flows = List.of();
        cells = new int[0];
        nativeOf = new NativeCounter[0];
      } else {
        follow(newPlan);
      }
    }
    if (plan == null) {
      return;
    }
    for (Computed flow : flows) {
      flow.energy().hold(until, now, flow.sign() * plan.value(flow.power(), newCells));
    }
  }
}
