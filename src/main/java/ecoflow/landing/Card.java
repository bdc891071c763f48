package ecoflow.landing;

import ecoflow.device.DeviceView;
import ecoflow.landing.History.Chart;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.DoubleFunction;
import java.util.function.Function;

/** Creates the values of a device for the template. */
final class Card {

  private static final double LOW = 0.2;

  private final DeviceView device;
  private final Reading reading;
  private final String failure;
  private final History history;
  private final Function<Energy, Optional<Today.Amount>> today;
  private final long now;

  /**
   * @param reading the current values; {@link Reading#NONE} if they are not shown
   * @param failure the failure of the device; empty without a failure
   * @param today returns an energy of today
   * @param now milliseconds since 1970
   */
  Card(
      DeviceView device,
      Reading reading,
      String failure,
      History history,
      Function<Energy, Optional<Today.Amount>> today,
      long now) {
    this.device = device;
    this.reading = device.shown() ? reading : history.last();
    this.failure = failure;
    this.history = history;
    this.today = today;
    this.now = now;
  }

  /**
   * @param minute the current minute of the monotonic clock
   * @param maxGap see {@link History#chart}
   */
  Map<String, Object> view(long minute, int maxGap) {
    boolean hasCharge = Reading.isKnown(reading.charge());
    double ratio = hasCharge ? Math.min(1, Math.max(0, reading.charge())) : 0;
    Map<String, Object> view = new HashMap<>();
    view.put("name", device.labels().deviceName());
    view.put("product", device.labels().productName());
    view.put("serial", device.serial());
    view.put("isOnline", device.online());
    view.put("isOld", !device.shown());
    view.put("state", state());
    view.put("absence", device.absence());
    view.put("failure", failure);
    view.put("hasCharge", hasCharge);
    view.put("charge", hasCharge ? Format.percent(reading.charge()) : "");
    view.put("bar", Math.round(100 * ratio));
    view.put("isLow", hasCharge && ratio < LOW);
    List<Map<String, String>> powers = powers();
    view.put("powers", powers);
    view.put("isEmpty", powers.isEmpty() && !hasCharge);
    view.put("hasPowers", !powers.isEmpty());
    String remaining = device.shown() ? Format.remainingTime(reading) : "";
    view.put("remainingTime", remaining);
    view.put("updated", updated());
    List<Map<String, String>> energies = energies();
    view.put("energies", energies);
    String first = energies.isEmpty() ? "" : energies.get(0).get("short");
    view.put("today", first);
    view.put("hasBoth", !remaining.isEmpty() && !first.isEmpty());
    view.put("charts", history.chart(minute, maxGap).map(Card::chart).stream().toList());
    return view;
  }

  private String state() {
    if (device.online()) {
      return "online";
    }
    return history.offlineSince() == 0
        ? "offline"
        : "offline since " + Clock.time(history.offlineSince(), now);
  }

  private String updated() {
    OptionalLong update = device.lastUpdateMillis();
    return update.isPresent() ? Format.ago(now - update.getAsLong()) : "no value yet";
  }

  /** The powers that the model has, at most four. */
  private List<Map<String, String>> powers() {
    List<Map<String, String>> powers = new ArrayList<>();
    boolean hasSun = Reading.isKnown(reading.sun());
    add(powers, "Sun", reading.sun());
    if (Reading.isKnown(reading.grid())) {
      add(powers, Format.direction(reading.grid(), "From grid", "To grid", "Grid"), reading.grid());
    } else if (hasSun) {
      add(powers, "AC input", reading.acInput());
    } else {
      add(powers, "Input", reading.input());
    }
    if (Reading.isKnown(reading.home())) {
      add(powers, "Home", reading.home());
    } else {
      add(powers, "Output", reading.output());
    }
    add(
        powers,
        Format.direction(reading.battery(), "Charging", "Discharging", "Battery"),
        reading.battery());
    return powers;
  }

  private static void add(List<Map<String, String>> powers, String label, double watts) {
    if (Reading.isKnown(watts)) {
      powers.add(Map.of("label", label, "power", Format.watts(Math.abs(watts))));
    }
  }

  private List<Map<String, String>> energies() {
    List<Map<String, String>> energies = new ArrayList<>();
    for (Energy energy : Energy.values()) {
      Optional<Today.Amount> found = today.apply(energy);
      if (found.isPresent()) {
        String amount = Format.energy(found.get().joules()) + " " + energy.label();
        energies.add(Map.of("short", amount + " " + found.get().since(now)));
      }
    }
    return energies;
  }

  private static Map<String, Object> chart(Chart chart) {
    boolean isCharge = chart.kind() == History.Kind.CHARGE;
    DoubleFunction<String> format = isCharge ? Format::percent : Format::watts;
    Map<String, Object> view = new HashMap<>();
    view.put("path", chart.path());
    view.put("title", chart.kind().label());
    view.put("min", format.apply(chart.min()));
    view.put("max", format.apply(chart.max()));
    view.put("isVarying", !view.get("min").equals(view.get("max")));
    view.put("bottom", format.apply(chart.low()));
    view.put("top", format.apply(chart.high()));
    view.put("zero", String.format(Locale.ROOT, "%.1f", chart.zero()));
    return view;
  }
}
