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
 * The counters of one device: its native counters, and energies that are computed from its powers
 * if it has no native counter. They exist longer than a plan, which depends on the current keys.
 * Not thread-safe.
 */
final class Counters {

  private static final String ORIGIN = "origin";
  private static final String ENERGY = "energy_joules_total";

  /**
   * A power and the energy that is computed from it.
   *
   * @param port the label of the power; null for a power without labels
   * @param sign the sign of the power that is counted
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

  /** Receives each counter value that is held. */
  interface HeldListener {

    void held(Series series, NativeCounter.Held reason, double value);
  }

  private final Table table;
  private final HeldListener heldListener;
  private final double maxWatts;
  private final long holdNanos;
  private final Map<String, NativeCounter> nativeByKey = new HashMap<>();
  private final Map<Flow, StepIntegral> computed = new HashMap<>();

  /**
   * The native counters of each flow. They also suppress the computed energy if their keys are
   * currently absent.
   */
  private final Map<Flow, Set<NativeCounter>> nativesOf = new HashMap<>();

  // State of the current plan.
  private Plan plan;
  private int[] cells = {};
  private NativeCounter[] nativeOf = {};
  private List<Computed> flows = List.of();

  private long lastMessage;

  /** Whether the last message was read back. */
  private boolean isReplaying;

  private double[] lastPoll = {};

  /** A flow whose power is in the plan, with the native counters of the same energy. */
  private record Computed(
      int power, int sign, StepIntegral energy, Set<NativeCounter> natives, Series series) {}

  /**
   * @param maxWatts the maximum power of the device; a higher power is treated as an error
   * @param holdNanos how long a power applies after the device's last message
   */
  Counters(Table table, double maxWatts, long holdNanos, long now, HeldListener heldListener) {
    this.table = table;
    this.heldListener = heldListener;
    this.maxWatts = maxWatts;
    this.holdNanos = holdNanos;
    this.lastMessage = now;
  }

  private static String key(Series series) {
    return series.name().name() + new TreeMap<>(series.labels());
  }

  private void setPlan(Plan newPlan) {
    plan = newPlan;
    Series[] all = plan.series();
    nativeOf = new NativeCounter[all.length];
    for (int i = 0; i < all.length; i++) {
      Series series = all[i];
      if (series.name().isCounter() && series.hasKeys()) {
        nativeOf[i] = nativeByKey.computeIfAbsent(key(series), unused -> counter(series));
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
    Set<Integer> needed = new TreeSet<>();
    for (int i = 0; i < all.length; i++) {
      if (nativeOf[i] != null) {
        plan.addCells(i, needed);
      }
    }
    flows.forEach(flow -> plan.addCells(flow.power(), needed));
    cells = needed.stream().mapToInt(cell -> cell).toArray();
  }

  private NativeCounter counter(Series series) {
    return series.isNative()
        ? new NativeCounter(
            new NativeCounter.Kind(series.isLifetime(), series.ignoresZero(), false),
            NativeCounter.Limit.ofEnergy(maxWatts))
        // Charge cycles, for which 0 is valid: a new battery.
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
    Set<NativeCounter> natives = nativesOf.computeIfAbsent(flow, unused -> new HashSet<>());
    for (int i = 0; i < all.length; i++) {
      if (nativeOf[i] != null && all[i].name().equals(series.name()) && isSame(all[i], flow)) {
        natives.add(nativeOf[i]);
      }
    }
    StepIntegral energy = computed.computeIfAbsent(flow, unused -> new StepIntegral(maxWatts));
    return new Computed(power, flow.sign(), energy, natives, series);
  }

  private static boolean isSame(Series series, Flow flow) {
    return flow.port() == null || flow.port().equals(series.labels().get("port"));
  }

  /**
   * Processes the values of a message.
   *
   * @param newPlan plan of the device's keys; null if none of them is known
   * @param numbers numbers of the messages with the values of the cells
   * @param isRepeat whether the message may repeat known values; it then counts as new only if a
   *     value has changed
   * @param isReplay whether the message was processed before and is read back: the energy before it
   *     is not counted again
   * @param received the time of receipt
   * @return whether the message counts as new
   */
  boolean message(
      Plan newPlan,
      double[] newCells,
      long[] numbers,
      boolean isRepeat,
      boolean isReplay,
      long received) {
    // A message can be processed after a message that was received later.
    long now = received - lastMessage > 0 ? received : lastMessage;
    isReplaying = isReplay;
    boolean isNew = !isRepeat || newPlan != plan || !Arrays.equals(lastPoll, newCells);
    if (isRepeat) {
      lastPoll = newCells;
    }
    countEnergy(newPlan, newCells, now);
    // A repetition does not confirm a value.
    for (int i = 0; isNew && i < nativeOf.length; i++) {
      if (nativeOf[i] != null) {
        Series series = plan.series()[i];
        double value = plan.value(i, newCells);
        NativeCounter.Held held = nativeOf[i].update(value, series.newest(numbers), now);
        if (held != NativeCounter.Held.NOT_HELD) {
          heldListener.held(series, held, value);
        }
      }
    }
    if (isNew) {
      lastMessage = now;
    }
    return isNew;
  }

  /**
   * Counts up to now, replaces the values of the native counters, which are series of the plan, and
   * returns the computed counters, which are not.
   *
   * @param values current values of the plan's series
   */
  List<Counted> count(Plan newPlan, double[] newCells, double[] values, long now) {
    // The energy until now may already be counted elsewhere: it is counted after the replay.
    countEnergy(newPlan, newCells, isReplaying ? lastMessage : now);
    for (int i = 0; i < nativeOf.length; i++) {
      if (nativeOf[i] != null && !Double.isNaN(values[i])) {
        values[i] = nativeOf[i].value();
      }
    }
    List<Counted> counted = new ArrayList<>();
    for (Computed flow : flows) {
      boolean isShown =
          !Double.isNaN(values[flow.power()])
              && flow.natives().stream().noneMatch(NativeCounter::counts);
      if (isShown) {
        counted.add(new Counted(flow.series(), flow.energy().joules()));
      }
    }
    return counted;
  }

  /** A computed counter and its value. */
  record Counted(Series series, double value) {}

  private void countEnergy(Plan newPlan, double[] newCells, long now) {
    if (newPlan != plan) {
      computed.values().forEach(energy -> update(energy, now, Double.NaN));
      if (newPlan == null) {
        plan = null;
        flows = List.of();
        cells = new int[0];
        nativeOf = new NativeCounter[0];
      } else {
        setPlan(newPlan);
      }
    }
    if (plan == null) {
      return;
    }
    for (Computed flow : flows) {
      update(flow.energy(), now, flow.sign() * plan.value(flow.power(), newCells));
    }
  }

  private void update(StepIntegral energy, long now, double watts) {
    if (isReplaying) {
      energy.restart(now, watts);
    } else {
      energy.update(lastMessage + holdNanos, now, watts);
    }
  }
}
