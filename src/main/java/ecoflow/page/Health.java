package ecoflow.page;

import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** The conditions of the health pages. Each returns a description of its current problem. */
final class Health {

  private static final String DATA = "data";

  private final Devices devices;
  private final Map<String, Supplier<Optional<String>>> problems = new LinkedHashMap<>();
  private final Map<String, Supplier<Optional<String>>> required = new LinkedHashMap<>();
  private final Map<String, Supplier<Optional<String>>> remarks = new LinkedHashMap<>();

  Health(Devices devices) {
    this.devices = devices;
    watch(DATA, this::dataProblem);
  }

  /** Removes the condition that a device has sent values. */
  void ignoreValues() {
    problems.remove(DATA);
  }

  /**
   * Adds a condition for readiness.
   *
   * @param problem returns the current problem; empty if the condition is met
   */
  void watch(String name, Supplier<Optional<String>> problem) {
    problems.put(name, problem);
  }

  /** Like {@link #watch}, but its problem is the cause of others, and is listed before them. */
  void watchFirst(String name, Supplier<Optional<String>> problem) {
    Map<String, Supplier<Optional<String>>> others = new LinkedHashMap<>(problems);
    problems.clear();
    problems.put(name, problem);
    problems.putAll(others);
    // After the first values, the condition does not affect readiness.
    remark(name, problem);
  }

  /**
   * Adds a condition for readiness that must also be met after a device has sent values.
   *
   * @param problem returns the current problem; empty if the condition is met
   */
  void require(String name, Supplier<Optional<String>> problem) {
    watch(name, problem);
    required.put(name, problem);
  }

  /**
   * Adds a condition that does not affect readiness.
   *
   * @param problem returns the current problem; empty if the condition is met
   */
  void remark(String name, Supplier<Optional<String>> problem) {
    remarks.put(name, problem);
  }

  private Optional<String> dataProblem() {
    boolean isAnyShown = devices.ecoflowDevices().anyMatch(DeviceView::shown);
    // A shard without accounts must not block a rolling update.
    return isAnyShown || !devices.areExpected()
        ? Optional.empty()
        : Optional.of("no device has sent values recently");
  }

  /** For routes: the current problems; once a device has sent values, only those required. */
  public String startupProblems() {
    boolean hasValues =
        devices.ecoflowDevices().anyMatch(device -> device.lastUpdateMillis().isPresent());
    return current(hasValues ? required : problems);
  }

  /** For routes: the current remarks, with a leading semicolon; empty without remarks. */
  public String remarks() {
    String current = current(remarks);
    return current.isEmpty() ? "" : "; " + current;
  }

  private static String current(Map<String, Supplier<Optional<String>>> problems) {
    return problems.values().stream()
        .map(Supplier::get)
        .flatMap(Optional::stream)
        .collect(Collectors.joining("; "));
  }

  /**
   * For routes: the IDs of routes that are not running, separated by spaces. Routes without
   * automatic startup are ignored.
   */
  public String stoppedRoutes(CamelContext camel) {
    return camel.getRoutes().stream()
        .filter(Route::isAutoStartup)
        .map(Route::getId)
        .filter(id -> !isStarted(camel, id))
        .collect(Collectors.joining(" "));
  }

  private static boolean isStarted(CamelContext camel, String id) {
    ServiceStatus status = camel.getRouteController().getRouteStatus(id);
    return status != null && status.isStarted();
  }

  /** The conditions as health checks of Camel, by bean name. */
  Map<String, HealthCheck> camelChecks() {
    Map<String, HealthCheck> checks = new LinkedHashMap<>();
    problems.forEach((name, problem) -> checks.put("ecoflow-" + name, new Check(name, problem)));
    remarks.forEach((name, problem) -> checks.put("ecoflow-" + name, new Check(name, problem)));
    return checks;
  }

  private static final class Check extends AbstractHealthCheck {

    private final Supplier<Optional<String>> problem;

    Check(String name, Supplier<Optional<String>> problem) {
      super("ecoflow", "ecoflow-" + name);
      this.problem = problem;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
      Optional<String> current = problem.get();
      if (current.isEmpty()) {
        builder.up();
      } else {
        builder.down().message(current.get());
      }
    }
  }
}
