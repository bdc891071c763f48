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
   * @param labels the labels of the power, which the energy also has
   * @param sign the sign of the power that is counted
   */
  private record Flow(String power, Map<String, String> labels, int sign, String energy) {

    Flow(String power, int sign, String energy) {
      this(power, Map.of(), sign, energy);
    }

    boolean isPower(Series series) {
      return series.name().name().equals(power) && series.labels().equals(labels);
    }
  }

  private static final List<Flow> FLOWS =
      List.of(
          new Flow("solar_power_watts", 1, "solar_"),
          new Flow("grid_power_watts", 1, "grid_import_"),
          new Flow("grid_power_watts", -1, "grid_export_"),
          new Flow("battery_power_watts", 1, "battery_charge_"),
          new Flow("battery_power_watts", -1, "battery_discharge_"),
          new Flow("home_load_power_watts", 1, "home_load_"),
          new Flow("input_power_watts", 1, "input_"),
          new Flow("output_power_watts", 1, "output_"),
          new Flow("port_input_power_watts", Map.of("port", "ac_in"), 1, "port_input_"),
          new Flow("port_output_power_watts", Map.of("port", "ac_out"), 1, "port_output_"));

  private static final String CIRCUIT = "circuit";
  private static final String CIRCUIT_POWER = "circuit_power_watts";
  private static final String CIRCUIT_PARTNER = "circuit_split_phase_partner";

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
  private List<Pair> pairs = List.of();

  /** Whether the panel has sent a partner of a circuit. */
  private boolean hasPartners;

  /** The partners for which the pairs were determined. */
  private int[] partners = {};

  private long lastMessage;

  /** Whether the last message was read back. */
  private boolean isReplaying;

  private double[] lastPoll = {};

  /**
   * A flow whose power is in the plan, with the native counters of the same energy.
   *
   * @param circuit the number of the circuit; 0 for another flow
   * @param partner index of the series with the number of the other circuit of a split-phase pair;
   *     -1 without such a series
   */
  private record Computed(
      int power,
      int circuit,
      int partner,
      int sign,
      StepIntegral energy,
      Set<NativeCounter> natives,
      Series series) {

    double watts(Plan plan, double[] cells) {
      return sign * plan.value(power, cells);
    }

    boolean hasNative() {
      return natives.stream().anyMatch(NativeCounter::counts);
    }

    /** The number of the other circuit of a pair; 0 for a single circuit. */
    int partner(Plan plan, double[] cells) {
      double number = partner < 0 ? Double.NaN : plan.value(partner, cells);
      return Double.isNaN(number) ? 0 : (int) number;
    }
  }

  /**
   * Two circuits of a split-phase pair, which have one series, because they supply one appliance.
   */
  private record Pair(Computed one, Computed other, StepIntegral energy, Series series) {

    boolean contains(int circuit) {
      return circuit == one.circuit() || circuit == other.circuit();
    }

    /** NaN if the power of one of the circuits is unknown: a part is not the energy of the pair. */
    double watts(Plan plan, double[] cells) {
      return Math.max(0, one.watts(plan, cells)) + Math.max(0, other.watts(plan, cells));
    }
  }

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
    pairs = List.of();
    partners = new int[0];
    for (int i = 0; i < all.length; i++) {
      Series power = all[i];
      int circuit = circuit(power);
      if (circuit > 0) {
        Flow flow = new Flow(CIRCUIT_POWER, power.labels(), 1, CIRCUIT + "_");
        flows.add(computed(i, circuit, flow, all));
      }
      for (Flow flow : FLOWS) {
        if (flow.isPower(power)) {
          flows.add(computed(i, 0, flow, all));
        }
      }
    }
    hasPartners = flows.stream().anyMatch(flow -> flow.partner() >= 0);
    Set<Integer> needed = new TreeSet<>();
    for (int i = 0; i < all.length; i++) {
      if (nativeOf[i] != null) {
        plan.addCells(i, needed);
      }
    }
    for (Computed flow : flows) {
      plan.addCells(flow.power(), needed);
      if (flow.partner() >= 0) {
        plan.addCells(flow.partner(), needed);
      }
    }
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

  /** The number of the circuit whose power a series is; 0 for a part such as a motor. */
  private static int circuit(Series series) {
    String label = series.labels().getOrDefault(CIRCUIT, "");
    boolean isCircuit = series.name().name().equals(CIRCUIT_POWER) && label.matches("[0-9]+");
    return isCircuit ? Integer.parseInt(label) : 0;
  }

  private Computed computed(int power, int circuit, Flow flow, Series[] all) {
    Series series = energySeries(flow.energy(), flow.labels());
    Set<NativeCounter> natives = nativesOf.computeIfAbsent(flow, unused -> new HashSet<>());
    int partner = -1;
    for (int i = 0; i < all.length; i++) {
      if (nativeOf[i] != null
          && all[i].name().equals(series.name())
          && all[i].labels().entrySet().containsAll(flow.labels().entrySet())) {
        natives.add(nativeOf[i]);
      }
      if (all[i].name().name().equals(CIRCUIT_PARTNER) && all[i].labels().equals(flow.labels())) {
        partner = i;
      }
    }
    return new Computed(power, circuit, partner, flow.sign(), energy(flow), natives, series);
  }

  private StepIntegral energy(Flow flow) {
    return computed.computeIfAbsent(flow, unused -> new StepIntegral(maxWatts));
  }

  private Series energySeries(String prefix, Map<String, String> labelsOfPower) {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put(ORIGIN, "computed");
    labels.putAll(labelsOfPower);
    return new Series(table.name(prefix + ENERGY), labels);
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
      if (isShown(flow, values) && !isInPair(flow)) {
        counted.add(new Counted(flow.series(), flow.energy().joules()));
      }
    }
    for (Pair pair : pairs) {
      if (isShown(pair.one(), values) && isShown(pair.other(), values)) {
        counted.add(new Counted(pair.series(), pair.energy().joules()));
      }
    }
    return counted;
  }

  private static boolean isShown(Computed flow, double[] values) {
    return !Double.isNaN(values[flow.power()]) && !flow.hasNative();
  }

  private boolean isInPair(Computed flow) {
    for (Pair pair : pairs) {
      if (pair.contains(flow.circuit())) {
        return true;
      }
    }
    return false;
  }

  /** Determines the split-phase pairs again if a partner has changed. */
  private void updatePairs(double[] newCells, long now) {
    if (!hasPartners) {
      return;
    }
    int[] current = flows.stream().mapToInt(flow -> flow.partner(plan, newCells)).toArray();
    if (Arrays.equals(current, partners)) {
      return;
    }
    partners = current;
    pairs.forEach(pair -> update(pair.energy(), now, Double.NaN));
    pairs = new ArrayList<>();
    for (int i = 0; i < current.length; i++) {
      int other = partner(i);
      // A circuit in the pair of two others remains single.
      if (other >= 0
          && partner(other) == i
          && flows.get(i).circuit() < flows.get(other).circuit()) {
        pairs.add(pair(flows.get(i), flows.get(other)));
      }
    }
  }

  /** The index of the first flow that can be the partner of another one; -1 for none. */
  private int partner(int i) {
    for (int other = 0; other < partners.length; other++) {
      if (other != i && isPair(i, other)) {
        return other;
      }
    }
    return -1;
  }

  /** It is enough if one of the circuits refers to the other. */
  private boolean isPair(int one, int other) {
    int ofOne = partners[one];
    int ofOther = partners[other];
    int numberOfOne = flows.get(one).circuit();
    int numberOfOther = flows.get(other).circuit();
    return numberOfOne > 0
        && numberOfOther > 0
        && (ofOne == numberOfOther || ofOther == numberOfOne)
        && (ofOne == numberOfOther || ofOne == 0)
        && (ofOther == numberOfOne || ofOther == 0);
  }

  private Pair pair(Computed one, Computed other) {
    Map<String, String> labels = Map.of(CIRCUIT, one.circuit() + "+" + other.circuit());
    Flow flow = new Flow(CIRCUIT_POWER, labels, 1, CIRCUIT + "_");
    return new Pair(one, other, energy(flow), energySeries(flow.energy(), labels));
  }

  /** A computed counter and its value. */
  record Counted(Series series, double value) {}

  private void countEnergy(Plan newPlan, double[] newCells, long now) {
    if (newPlan != plan) {
      computed.values().forEach(energy -> update(energy, now, Double.NaN));
      if (newPlan == null) {
        plan = null;
        flows = List.of();
        pairs = List.of();
        cells = new int[0];
        nativeOf = new NativeCounter[0];
      } else {
        setPlan(newPlan);
      }
    }
    if (plan == null) {
      return;
    }
    updatePairs(newCells, now);
    // Each energy is part of one counter only, so that a sum over all circuits is correct if the
    // panel links or divides them.
    for (Computed flow : flows) {
      update(flow.energy(), now, isInPair(flow) ? Double.NaN : flow.watts(plan, newCells));
    }
    for (Pair pair : pairs) {
      update(pair.energy(), now, pair.watts(plan, newCells));
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
