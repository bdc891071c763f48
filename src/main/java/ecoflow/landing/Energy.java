package ecoflow.landing;

import java.util.List;

/** An energy for which the landing page shows the amount of today. */
enum Energy {
  SUN("sun", "solar_energy_joules_total"),
  IMPORT("from grid", "grid_import_energy_joules_total"),
  EXPORT("to grid", "grid_export_energy_joules_total"),
  HOME("home", "home_load_energy_joules_total"),
  /** All outputs of a power station, or the socket of a plug. */
  OUTPUT("output", "output_energy_joules_total", "port_output_energy_joules_total");

  /**
   * The value of a counter.
   *
   * @param isComputed whether the exporter computes the counter, which then starts at 0 with the
   *     process
   */
  record Count(Energy energy, double joules, boolean isComputed) {}

  private final String label;
  private final List<String> metrics;

  Energy(String label, String... metrics) {
    this.label = label;
    this.metrics = List.of(metrics);
  }

  /** The name on the page, after an amount of energy. */
  String label() {
    return label;
  }

  /** The metrics with this energy, of which a device has at most one. */
  List<String> metrics() {
    return metrics;
  }
}
