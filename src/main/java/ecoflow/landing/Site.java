package ecoflow.landing;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/**
 * The power flows of all devices together. No power is counted twice: a device behind another
 * device, such as a power station behind a panel or a linked unit of a STREAM system, is part of
 * the values of that other device.
 */
final class Site {

  /** Families whose batteries and solar panels are those of other devices with their own values. */
  private static final Set<String> PANELS =
      Set.of("smart_home_panel", "smart_home_panel_2", "smart_home_panel_3", "ocean_panel");

  /** A family whose battery is a power station, while its solar panels are its own. */
  private static final String MICROINVERTER = "powerstream";

  /** Families whose inputs and outputs are not those of the home, but of a single appliance. */
  private static final Set<String> APPLIANCES =
      Set.of("wave", "wave2", "wave3", "glacier", "glacier_classic", "charger", "alternator");

  /**
   * A device with its values.
   *
   * @param now the current values; {@link Reading#NONE} if they are not shown
   * @param last the last values, which determine which flows the device has
   */
  record Unit(String account, String serial, String name, Reading now, Reading last) {}

  /**
   * A flow of all devices.
   *
   * @param watts the power of the devices with a current value; NaN if there are none
   * @param devices the number of devices with a current value
   * @param all the number of devices that have sent this power
   * @param measuredBy the name of the only device that measures the flow; empty for a sum
   */
  record Flow(double watts, int devices, int all, String measuredBy) {

    static final Flow NONE = new Flow(Double.NaN, 0, 0, "");

    boolean isKnown() {
      return all > 0;
    }

    Flow plus(Flow other) {
      if (!isKnown()) {
        return other;
      }
      if (!other.isKnown()) {
        return this;
      }
      double sum =
          Double.isNaN(watts)
              ? other.watts
              : Double.isNaN(other.watts) ? watts : watts + other.watts;
      return new Flow(sum, devices + other.devices, all + other.all, "");
    }
  }

  private Flow sun = Flow.NONE;
  private Flow battery = Flow.NONE;
  private Flow grid = Flow.NONE;
  private Flow home = Flow.NONE;
  private Flow acInput = Flow.NONE;
  private Flow output = Flow.NONE;
  private Flow separateOutput = Flow.NONE;
  private final List<Unit> sunUnits = new ArrayList<>();
  private final List<Unit> meters = new ArrayList<>();
  private final List<Unit> stations = new ArrayList<>();

  private Site() {}

  static Site of(List<Unit> units) {
    Map<String, List<Unit>> accounts = new LinkedHashMap<>();
    for (Unit unit : units) {
      accounts.computeIfAbsent(unit.account(), unused -> new ArrayList<>()).add(unit);
    }
    Site site = new Site();
    accounts.values().forEach(site::add);
    return site;
  }

  /** Adds the devices of an account, which are treated as one home. */
  private void add(List<Unit> units) {
    Set<String> systems = new HashSet<>();
    units.stream()
        .filter(unit -> unit.last().isSite())
        .forEach(unit -> systems.add(unit.last().family()));
    // The values of a leader include those of the linked units of its family.
    List<Unit> separate =
        units.stream()
            .filter(unit -> unit.last().isSite() || !systems.contains(unit.last().family()))
            .toList();
    List<Unit> withoutPanels =
        separate.stream().filter(unit -> !PANELS.contains(unit.last().family())).toList();
    List<Unit> ofSun = sum(withoutPanels, Reading::sun).devices() > 0 ? withoutPanels : separate;
    sunUnits.addAll(ofSun);
    sun = sun.plus(sum(ofSun, Reading::sun));
    List<Unit> batteries =
        withoutPanels.stream().filter(unit -> !MICROINVERTER.equals(unit.last().family())).toList();
    Flow ofBatteries = sum(batteries, Reading::battery);
    battery =
        battery.plus(ofBatteries.devices() > 0 ? ofBatteries : sum(separate, Reading::battery));

    List<Unit> ofStations = units.stream().filter(Site::isStation).toList();
    Optional<Unit> meter = meter(units);
    if (meter.isPresent()) {
      meters.add(meter.get());
      grid = grid.plus(measured(meter.get(), Reading::grid));
      home = home.plus(measured(meter.get(), Reading::home));
      separateOutput = separateOutput.plus(sum(ofStations, Reading::output));
    } else {
      stations.addAll(ofStations);
      acInput = acInput.plus(sum(ofStations, Reading::acInput));
      output = output.plus(sum(ofStations, Reading::output));
    }
  }

  private static boolean isStation(Unit unit) {
    return Reading.isKnown(unit.last().input()) && !APPLIANCES.contains(unit.last().family());
  }

  /**
   * The device whose values are those of the grid and the home. Several devices of an account
   * usually measure the same connection: a device that also knows the home is better than a meter,
   * and a meter is better than an inverter with a battery or solar panels.
   */
  private static Optional<Unit> meter(List<Unit> units) {
    Predicate<Unit> hasGrid = unit -> Reading.isKnown(unit.last().grid());
    return units.stream()
        .filter(hasGrid)
        .min(
            Comparator.comparing((Unit unit) -> !unit.last().isSite())
                .thenComparing(
                    unit ->
                        Reading.isKnown(unit.last().battery())
                            || Reading.isKnown(unit.last().sun()))
                .thenComparing(unit -> !Reading.isKnown(unit.now().grid()))
                .thenComparing(Unit::serial));
  }

  private static Flow measured(Unit unit, ToDoubleFunction<Reading> power) {
    Flow flow = sum(List.of(unit), power);
    return new Flow(flow.watts(), flow.devices(), flow.all(), flow.isKnown() ? unit.name() : "");
  }

  private static Flow sum(List<Unit> units, ToDoubleFunction<Reading> power) {
    Predicate<Reading> isKnown = reading -> Reading.isKnown(power.applyAsDouble(reading));
    double[] known = units.stream().map(Unit::now).filter(isKnown).mapToDouble(power).toArray();
    int all = (int) units.stream().map(Unit::last).filter(isKnown).count();
    double watts = known.length == 0 ? Double.NaN : DoubleStream.of(known).sum();
    return new Flow(watts, known.length, all, "");
  }

  /** Power of all solar inputs. */
  Flow sun() {
    return sun;
  }

  /** Power of all batteries, positive while they charge. */
  Flow battery() {
    return battery;
  }

  /** Power of the grid, positive for import. */
  Flow grid() {
    return grid;
  }

  /** Power of the home. */
  Flow home() {
    return home;
  }

  /** Power into the AC inputs of power stations without a device that measures the grid. */
  Flow acInput() {
    return acInput;
  }

  /** Power of the outputs of power stations without a device that measures the home. */
  Flow output() {
    return output;
  }

  /**
   * Power of the outputs of the other power stations. It can be part of the power of the home, for
   * example behind a panel, or not.
   */
  Flow separateOutput() {
    return separateOutput;
  }

  /** The devices whose solar energies are added up. */
  List<Unit> sunUnits() {
    return sunUnits;
  }

  /** The devices that measure the grid and the home, one for each account. */
  List<Unit> meters() {
    return meters;
  }

  /** The power stations of the accounts without such a device. */
  List<Unit> stations() {
    return stations;
  }
}
