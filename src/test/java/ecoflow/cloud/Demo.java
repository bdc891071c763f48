package ecoflow.cloud;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalTime;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.jar.JarFile;

/**
 * Runs a copy of the exporter's jar, given as the argument, on a simulated cloud with a fleet of
 * devices. Their values follow the time of day, and one of them is offline from time to time.
 *
 * <p>The environment can set EXPORTER_PORT (default 9090), DEMO_MODE (device, mqtt, open or rest)
 * and DEMO_HOUR, the hour of the day at which the demo starts (by default that of the clock).
 */
public final class Demo {

  private static final long SECONDS_PER_STEP = 2;

  /** RIVER 3 is offline for the last 2 of every 10 minutes. */
  private static final int OUTAGE_CYCLE = 300;

  private static final int STEPS_UNTIL_OUTAGE = 240;

  private Demo() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    if (args.length != 1) {
      System.err.println("Usage: Demo <exporter jar>");
      System.exit(2);
    }
    double hour = startHour(System.getenv("DEMO_HOUR"));
    // The build of another version replaces the jar, which a running process does not survive.
    Path jar = Files.createTempFile("ecoflow-exporter-demo", ".jar");
    int exitCode;
    try (SimulatedCloud cloud = SimulatedCloud.start()) {
      Files.copy(Path.of(args[0]), jar, StandardCopyOption.REPLACE_EXISTING);
      exitCode = run(cloud, jar, classPath(jar, Path.of(args[0])), hour);
    } finally {
      Files.deleteIfExists(jar);
    }
    System.exit(exitCode);
  }

  /** The copy of a jar, and the libraries that its manifest expects beside the original. */
  private static String classPath(Path copy, Path original) throws IOException {
    StringBuilder classPath = new StringBuilder(copy.toString());
    try (JarFile jar = new JarFile(copy.toFile())) {
      String libraries = jar.getManifest().getMainAttributes().getValue("Class-Path");
      if (libraries != null) {
        for (String library : libraries.split(" ")) {
          classPath.append(File.pathSeparator).append(original.resolveSibling(library));
        }
      }
    }
    return classPath.toString();
  }

  private static double startHour(String setting) {
    if (setting == null) {
      return LocalTime.now().toSecondOfDay() / 3600.0;
    }
    try {
      double hour = Double.parseDouble(setting);
      if (hour >= 0 && hour < 24) {
        return hour;
      }
    } catch (NumberFormatException e) {
      // Reported below.
    }
    System.err.println("DEMO_HOUR is " + setting + ", but must be a number from 0 to 23.99");
    System.exit(2);
    return 0;
  }

  private static int run(SimulatedCloud cloud, Path jar, String classPath, double startHour)
      throws IOException, InterruptedException {
    Fleet fleet = new Fleet();
    fleet.devices().forEach(cloud::add);
    Process exporter = startExporter(cloud, classPath);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(exporter, jar), "demo-stop"));

    ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    AtomicLong step = new AtomicLong();
    clock.scheduleAtFixedRate(
        () -> tick(fleet, startHour, step.getAndIncrement()),
        0,
        SECONDS_PER_STEP,
        TimeUnit.SECONDS);
    try {
      return exporter.waitFor();
    } finally {
      clock.shutdownNow();
    }
  }

  private static void tick(Fleet fleet, double startHour, long step) {
    fleet.setRiver3Online(step % OUTAGE_CYCLE < STEPS_UNTIL_OUTAGE);
    fleet.tick((startHour + step * SECONDS_PER_STEP / 3600.0) % 24, step);
  }

  private static Process startExporter(SimulatedCloud cloud, String classPath) throws IOException {
    ProcessBuilder command =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                "ecoflow.EcoflowExporter")
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
    System.out.println("Demo in " + mode + " mode: http://localhost:" + port + "/");
    return exporter;
  }

  private static void stop(Process exporter, Path jar) {
    exporter.destroy();
    try {
      if (!exporter.waitFor(10, TimeUnit.SECONDS)) {
        exporter.destroyForcibly();
      }
      Files.deleteIfExists(jar);
    } catch (InterruptedException e) {
      exporter.destroyForcibly();
    } catch (IOException e) {
      System.err.println("Cannot delete " + jar + ": " + e);
    }
  }
}
