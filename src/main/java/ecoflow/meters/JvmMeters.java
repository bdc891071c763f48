package ecoflow.meters;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.PrometheusRegistry;

/**
 * Metrics of the Java runtime and the process, from the binders of Micrometer. They have their own
 * registry, because their names require Micrometer's naming convention.
 */
final class JvmMeters implements AutoCloseable {

  private final PrometheusMeterRegistry registry;

  /** Listens to the garbage collectors. */
  private final JvmGcMetrics garbageCollection = new JvmGcMetrics();

  /**
   * @param pages the registry of the pages
   */
  JvmMeters(PrometheusRegistry pages) {
    registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT, pages, Clock.SYSTEM);
    // Metrics of the machine.
    registry.config().meterFilter(MeterFilter.denyNameStartsWith("system."));
    // In nanoseconds; Prometheus expects process_cpu_seconds_total.
    registry.config().meterFilter(MeterFilter.denyNameStartsWith("process.cpu.time"));
    FunctionCounter.builder("process.cpu", ProcessHandle.current(), JvmMeters::cpuSeconds)
        .baseUnit("seconds")
        .description("CPU time of the process")
        .register(registry);
    new UptimeMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new JvmMemoryMetrics().bindTo(registry);
    garbageCollection.bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
  }

  /** Returns NaN if the operating system does not provide the CPU time. */
  private static double cpuSeconds(ProcessHandle process) {
    return process.info().totalCpuDuration().map(Meters::seconds).orElse(Double.NaN);
  }

  @Override
  public void close() {
    garbageCollection.close();
    registry.close();
  }
}
