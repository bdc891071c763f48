package ecoflow.cloud;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs the exporter's jar, given as the argument, on a simulated cloud with a fleet of devices
 * whose values change.
 *
 * <p>The environment can set EXPORTER_PORT (default 9090) and DEMO_MODE (device, mqtt, open or
 * rest).
 */
public final class Demo {

  private static final long SECONDS_PER_STEP = 2;

  private Demo() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    if (args.length != 1) {
      System.err.println("Usage: Demo <exporter jar>");
      System.exit(2);
    }
    int exitCode;
    try (SimulatedCloud cloud = SimulatedCloud.start()) {
      exitCode = run(cloud, Path.of(args[0]));
    }
    System.exit(exitCode);
  }

  private static int run(SimulatedCloud cloud, Path jar) throws IOException, InterruptedException {
    Fleet fleet = new Fleet();
    fleet.devices().forEach(cloud::add);
    Process exporter = startExporter(cloud, jar);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(exporter), "demo-stop"));

    ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    AtomicLong step = new AtomicLong();
    clock.scheduleAtFixedRate(
        () -> fleet.tick(step.getAndIncrement()), 0, SECONDS_PER_STEP, TimeUnit.SECONDS);
    try {
      return exporter.waitFor();
    } finally {
      clock.shutdownNow();
    }
  }

  private static Process startExporter(SimulatedCloud cloud, Path jar) throws IOException {
    ProcessBuilder command =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                jar.toString())
            .inheritIO();
    Map<String, String> environment = command.environment();
    String mode = environment.getOrDefault("DEMO_MODE", "device").toLowerCase(Locale.ROOT);
    String port = environment.getOrDefault("EXPORTER_PORT", "9090");
    // A real account in the caller's environment must not be used by the demo.
    environment.keySet().removeIf(name -> name.startsWith("ECOFLOW_"));
    // A proxy of the caller cannot connect to a cloud on this machine.
    environment.put("no_proxy", "*");
    CloudAccount account = cloud.account();
    environment.put("EXPORTER_PORT", port);
    environment.put("ECOFLOW_API_HOST", cloud.apiHost());
    environment.put("ECOFLOW_CA_FILE", cloud.caFile().toString());
    environment.put("ECOFLOW_DEVICE_SN", "all");
    if (!mode.equals("rest")) {
      environment.put("ECOFLOW_API_TYPE", mode);
    }
    if (mode.equals("rest") || mode.equals("open")) {
      environment.put("ECOFLOW_ACCESS_KEY", account.accessKey());
      environment.put("ECOFLOW_SECRET_KEY", account.secretKey());
    } else {
      environment.put("ECOFLOW_ACCOUNT_USER", account.email());
      environment.put("ECOFLOW_ACCOUNT_PASSWORD", account.password());
    }
    Process exporter = command.start();
    System.out.println("Demo in " + mode + " mode: http://localhost:" + port + "/metrics");
    return exporter;
  }

  private static void stop(Process exporter) {
    exporter.destroy();
    try {
      if (!exporter.waitFor(10, TimeUnit.SECONDS)) {
        exporter.destroyForcibly();
      }
    } catch (InterruptedException e) {
      exporter.destroyForcibly();
    }
  }
}
