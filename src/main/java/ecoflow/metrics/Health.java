package ecoflow.metrics;

import ecoflow.device.Device;
import ecoflow.device.Devices;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.ServiceStatus;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** Whether the exporter lives, and whether it has something to show; each "no" with its reason. */
public final class Health {

  private static final int OK = 200;
  private static final int UNAVAILABLE = 503;

  private final Devices devices;
  private final Map<String, Supplier<Optional<String>>> problems = new LinkedHashMap<>();

  public Health(Devices devices) {
    this.devices = devices;
    watch("data", this::dataProblem);
  }

  /**
   * @param problem what is wrong now, empty if nothing is
   */
  public void watch(String name, Supplier<Optional<String>> problem) {
    problems.put(name, problem);
  }

  private Optional<String> dataProblem() {
    boolean fresh = devices.all().stream().anyMatch(devices::isShown);
    return fresh ? Optional.empty() : Optional.of("no device has sent values lately");
  }

  /** Route step: 200 once a device has sent values, else 503 with what is missing. */
  public void ready(Exchange exchange) {
    boolean heard =
        devices.all().stream().map(Device::lastUpdateMillis).anyMatch(time -> time.isPresent());
    if (heard) {
      answer(exchange, OK, "ready");
      return;
    }
    StringBuilder reasons = new StringBuilder("not ready:");
    problems.forEach(
        (name, problem) ->
            problem.get().ifPresent(what -> reasons.append(' ').append(what).append(';')));
    answer(exchange, UNAVAILABLE, reasons.toString().replaceFirst(";$", ""));
  }

  /** Route step: 200 while every route runs, else 503 with those that do not. */
  public void healthy(Exchange exchange) {
    CamelContext camel = exchange.getContext();
    StringBuilder stopped = new StringBuilder();
    camel
        .getRoutes()
        .forEach(
            route -> {
              ServiceStatus status = camel.getRouteController().getRouteStatus(route.getId());
              if (status == null || !status.isStarted()) {
                stopped.append(' ').append(route.getId());
              }
            });
    if (stopped.isEmpty()) {
      answer(exchange, OK, "healthy");
    } else {
      answer(exchange, UNAVAILABLE, "routes that do not run:" + stopped);
    }
  }

  private static void answer(Exchange exchange, int status, String text) {
    Message message = exchange.getMessage();
    message.removeHeaders("*");
    message.setHeader(Exchange.HTTP_RESPONSE_CODE, status);
    message.setHeader(Exchange.CONTENT_TYPE, "text/plain; charset=utf-8");
    message.setBody(text + "\n");
  }

  /** The same problems as Camel health checks, by their bean names. */
  public Map<String, HealthCheck> camelChecks() {
    Map<String, HealthCheck> checks = new LinkedHashMap<>();
    problems.forEach((name, problem) -> checks.put("ecoflow-" + name, new Check(name, problem)));
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
      Optional<String> what = problem.get();
      if (what.isEmpty()) {
        builder.up();
      } else {
        builder.down().message(what.get());
      }
    }
  }
}
