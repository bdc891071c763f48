package ecoflow.landing;

import ecoflow.device.DeviceView;
import ecoflow.landing.Site.Flow;
import ecoflow.landing.Site.Unit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The top of the landing page: a line with the state of all devices, and the power flows and
 * energies of today of the whole site.
 */
final class Overview {

  /**
   * With more devices, the page does not show totals: it is not a home, and each request would read
   * the values of all devices.
   */
  static final int MAX_DEVICES = 200;

  private static final int NAMES = 3;

  /** Widths of the arrows in the diagram. */
  private static final double MIN_WIDTH = 2;

  private static final double MAX_WIDTH = 12;

  /** The direction of a power at a node of the diagram. */
  private enum Direction {
    IN,
    OUT,
    NONE
  }

  /**
   * A node of the diagram.
   *
   * @param name the name of the flow
   * @param label the name for the current direction
   * @param direction IN for a power that flows from the node to the other nodes
   */
  private record Node(String kind, String name, String label, Flow flow, Direction direction) {

    boolean isShown() {
      return flow.isKnown();
    }

    double size() {
      return direction == Direction.NONE ? 0 : Math.abs(flow.watts());
    }
  }

  private final Site site;
  private final List<Energies> energies;

  /** The energy of today of some devices. */
  private record Energies(Energy energy, double joules, String since) {

    String text() {
      return Format.energy(joules) + " " + energy.label() + " " + since;
    }
  }

  /**
   * @param today returns an energy of today of a device
   * @param now milliseconds since 1970
   */
  Overview(List<Unit> units, BiFunction<String, Energy, Optional<Today.Amount>> today, long now) {
    site = Site.of(units);
    energies =
        Stream.of(
                energies(Energy.SUN, site.sunUnits(), today, now),
                energies(Energy.IMPORT, site.meters(), today, now),
                energies(Energy.EXPORT, site.meters(), today, now),
                energies(Energy.HOME, site.meters(), today, now),
                energies(Energy.OUTPUT, site.stations(), today, now))
            .flatMap(Optional::stream)
            .toList();
  }

  private static Optional<Energies> energies(
      Energy energy,
      List<Unit> units,
      BiFunction<String, Energy, Optional<Today.Amount>> today,
      long now) {
    List<Today.Amount> amounts =
        units.stream()
            .map(unit -> today.apply(unit.serial(), energy))
            .flatMap(Optional::stream)
            .toList();
    if (amounts.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Energies(
            energy, amounts.stream().mapToDouble(Today.Amount::joules).sum(), since(amounts, now)));
  }

  /** "today", or since when the energies are known. */
  private static String since(List<Today.Amount> amounts, long now) {
    Comparator<Today.Amount> byStart = Comparator.comparingLong(Today.Amount::sinceMillis);
    String first = Collections.min(amounts, byStart).since(now);
    String latest = Collections.max(amounts, byStart).since(now);
    return first.equals(latest) ? latest : "today, partly " + latest;
  }

  /**
   * The text about devices in the first line, without a problem of the exporter: {@code All fine: 5
   * of 5 online, 12.3 kWh sun today}.
   */
  static String headline(List<DeviceView> devices, boolean isOk, String energy) {
    List<String> offline =
        devices.stream()
            .filter(device -> !device.online())
            .map(device -> device.labels().deviceName())
            .sorted(String.CASE_INSENSITIVE_ORDER)
            .toList();
    String online =
        Format.count(devices.size() - offline.size())
            + " of "
            + Format.count(devices.size())
            + " online"
            + energy;
    if (!isOk) {
      return devices.isEmpty() ? "Not ready" : "Check the exporter: " + online;
    }
    if (devices.isEmpty()) {
      return "No devices yet";
    }
    if (offline.isEmpty()) {
      return "All fine: " + online;
    }
    if (offline.size() == devices.size() && offline.size() > 1) {
      return "All " + Format.count(offline.size()) + " devices are offline";
    }
    return offline(offline) + ": " + online;
  }

  private static String offline(List<String> names) {
    if (names.size() == 1) {
      return names.get(0) + " is offline";
    }
    return names.size() > NAMES
        ? Format.count(names.size()) + " devices are offline"
        : String.join(", ", names.subList(0, names.size() - 1))
            + " and "
            + names.get(names.size() - 1)
            + " are offline";
  }

  /** The solar energy for the first line, without a line break after the number; may be empty. */
  String headlineEnergy() {
    return energies.stream()
        .filter(one -> one.energy() == Energy.SUN)
        .map(one -> ", " + one.text().replaceFirst(" ", "\u00a0"))
        .collect(Collectors.joining());
  }

  /** The values for the template: the energies of today, and the diagram of the power flows. */
  Map<String, Object> view() {
    List<Node> nodes = nodes().stream().filter(Node::isShown).toList();
    Map<String, Object> view = new HashMap<>();
    view.put("totals", totals());
    view.put("hasTotals", !energies.isEmpty());
    // Without any current value, there is nothing to see in the diagram.
    boolean hasPower = nodes.stream().anyMatch(node -> node.flow().devices() > 0);
    view.put("diagram", hasPower ? List.of(diagram(nodes)) : List.of());
    return view;
  }

  private Map<String, Object> diagram(List<Node> nodes) {
    double max = nodes.stream().mapToDouble(Node::size).max().orElse(0);
    return Map.of(
        "flowText",
        nodes.stream().map(Overview::text).collect(Collectors.joining(", ")),
        "nodes",
        nodes.stream().map(node -> node(node, max)).toList(),
        "notes",
        notes(nodes));
  }

  private List<Node> nodes() {
    List<Node> nodes = new ArrayList<>();
    nodes.add(new Node("sun", "sun", "Sun", site.sun(), direction(site.sun(), 1)));
    boolean hasMeter = !site.meters().isEmpty();
    // The stations are those of other accounts than the meters.
    Flow grid = site.grid().plus(site.acInput());
    nodes.add(
        new Node(
            "grid",
            hasMeter ? "grid" : "AC input",
            hasMeter ? Format.direction(grid.watts(), "Grid", "To grid", "Grid") : "AC input",
            grid,
            direction(grid, 1)));
    Flow home = site.home().plus(site.output());
    nodes.add(
        new Node(
            "home",
            hasMeter ? "home" : "output",
            hasMeter ? "Home" : "Output",
            home,
            direction(home, -1)));
    Flow battery = site.battery();
    nodes.add(
        new Node(
            "battery",
            "battery",
            Format.direction(battery.watts(), "Charging", "Discharging", "Battery"),
            battery,
            direction(battery, -1)));
    return nodes;
  }

  private static Direction direction(Flow flow, int sign) {
    double watts = flow.watts() * sign;
    if (watts >= Format.MIN_WATTS) {
      return Direction.IN;
    }
    return watts <= -Format.MIN_WATTS ? Direction.OUT : Direction.NONE;
  }

  private static String amount(Node node) {
    return Format.watts(Math.abs(node.flow().watts()));
  }

  private static String text(Node node) {
    return node.label() + " " + (Double.isNaN(node.flow().watts()) ? "unknown" : amount(node));
  }

  private static Map<String, Object> node(Node node, double max) {
    Map<String, Object> view = new HashMap<>();
    for (String kind : List.of("sun", "grid", "home", "battery")) {
      view.put("is" + capitalised(kind), kind.equals(node.kind()));
    }
    view.put("label", node.label());
    view.put("power", amount(node));
    view.put("isIn", node.direction() == Direction.IN);
    view.put("isOut", node.direction() == Direction.OUT);
    view.put("isStill", node.direction() == Direction.NONE);
    // The area of an arrow grows with the power, so that small powers remain visible.
    double width =
        MIN_WIDTH + (MAX_WIDTH - MIN_WIDTH) * Math.sqrt(max == 0 ? 0 : node.size() / max);
    view.put("width", String.format(Locale.ROOT, "%.1f", width));
    return view;
  }

  private List<Map<String, String>> totals() {
    return energies.stream()
        .map(
            one ->
                Map.of(
                    "name",
                    capitalised(one.energy().label()),
                    "amount",
                    Format.energy(one.joules()),
                    "since",
                    one.since()))
        .toList();
  }

  private static String capitalised(String text) {
    return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
  }

  /** Which devices the flows are from, if it is not obvious. */
  private List<Map<String, String>> notes(List<Node> nodes) {
    List<String> notes = new ArrayList<>();
    String online =
        nodes.stream()
            .filter(node -> node.flow().devices() < node.flow().all())
            .map(node -> node.name() + " " + node.flow().devices() + " of " + node.flow().all())
            .collect(Collectors.joining(", "));
    if (!online.isEmpty()) {
      notes.add("Only devices that are online: " + online);
    }
    nodes.stream()
        .map(node -> node.flow().measuredBy())
        .filter(name -> !name.isEmpty())
        .distinct()
        .forEach(name -> notes.add("Grid and home measured by " + name));
    if (site.separateOutput().watts() >= Format.MIN_WATTS) {
      notes.add(
          "Output of power stations, not added to the home: "
              + Format.watts(site.separateOutput().watts()));
    }
    return notes.stream().map(note -> Map.of("note", note)).toList();
  }
}
