package ecoflow.page;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Promtool;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Metrics of the Java runtime and the process on the page (ECOFLOW_JVM_METRICS). */
class JvmMetricsTest {

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.device();

  @TempDir private Path directory;

  /** The names of metrics without the prefix. */
  private Set<String> others() {
    return exporter
        .page()
        .text()
        .lines()
        .filter(line -> !line.startsWith("#") && !line.startsWith("ecoflow_"))
        .map(line -> line.replaceAll("[{ ].*", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void areAbsentByDefault() {
    exporter.start();
    assertEquals(Set.of(), others());
  }

  @Test
  void areValuesOfThisProcess() throws Exception {
    exporter.start("ECOFLOW_JVM_METRICS=true");
    Set<String> names = others();
    assertTrue(
        names.containsAll(
            List.of(
                "jvm_gc_live_data_size_bytes",
                "jvm_gc_memory_allocated_bytes_total",
                "jvm_memory_committed_bytes",
                "jvm_memory_max_bytes",
                "jvm_memory_used_bytes",
                "jvm_threads_daemon_threads",
                "jvm_threads_live_threads",
                "jvm_threads_states_threads",
                "process_cpu_seconds_total",
                "process_cpu_usage",
                "process_files_max_files",
                "process_files_open_files",
                "process_start_time_seconds",
                "process_uptime_seconds")),
        names::toString);
    assertFalse(names.toString().contains("system_"), names::toString);
    double started = ManagementFactory.getRuntimeMXBean().getStartTime() / 1000.0;
    assertEquals(started, value("process_start_time_seconds"), 1e-3);
    assertTrue(value("process_cpu_seconds_total") > 0);
  }

  @Test
  void areValidForPrometheus() throws Exception {
    Promtool.assumeInstalled();
    exporter.start("ECOFLOW_JVM_METRICS=true");
    Promtool.Result result = Promtool.check(directory, exporter.page().text());
    assertEquals(0, result.exitCode(), result.output());
  }

  /** A pause is shown after the first collection. */
  @Test
  void pausesOfTheGarbageCollectorAreCounted() {
    exporter.start("ECOFLOW_JVM_METRICS=true");
    eventually(
        () -> {
          System.gc();
          assertTrue(others().contains("jvm_gc_pause_seconds_count"));
        });
  }

  private double value(String name) {
    return exporter
        .page()
        .text()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.split(" ")[1]))
        .findFirst()
        .orElseThrow();
  }
}
