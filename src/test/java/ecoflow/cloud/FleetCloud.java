package ecoflow.cloud;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs a simulated cloud for the profile "fleet" of compose.yaml, with two accounts whose devices
 * have changing values. Collectors must share its network, because the cloud is on loopback.
 *
 * <p>The argument is a directory, in which it creates ca.pem and accounts.yml.
 */
public final class FleetCloud {

  public static final int HTTP_PORT = 8443;

  private static final int MQTT_PORT = 8883;
  private static final long SECONDS_PER_STEP = 2;

  /** With two shards, each has one of these accounts. */
  private static final List<String> NAMES = List.of("house-1", "house-2");

  private FleetCloud() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      System.err.println("Usage: FleetCloud <directory>");
      System.exit(2);
    }
    SimulatedCloud cloud =
        SimulatedCloud.start(CloudOptions.DEFAULT.withHttpPort(HTTP_PORT).withMqttPort(MQTT_PORT));
    Fleet fleet = start(cloud, Path.of(args[0]));
    AtomicLong step = new AtomicLong();
    // The thread of the executor keeps the process running.
    Executors.newSingleThreadScheduledExecutor()
        .scheduleAtFixedRate(
            () -> {
              fleet.tick(step.getAndIncrement());
              cloud.clearHistory();
            },
            0,
            SECONDS_PER_STEP,
            TimeUnit.SECONDS);
    System.out.println("Simulated cloud with " + fleet.devices().size() + " devices");
  }

  /** Adds accounts with devices to a cloud, and writes the files for its clients. */
  public static Fleet start(SimulatedCloud cloud, Path directory) throws IOException {
    List<SimulatedAccount> accounts =
        List.of(cloud.defaultAccount(), cloud.addAccount(CloudAccount.numbered(2)));
    Fleet fleet = new Fleet();
    int number = 0;
    for (SimulatedDevice device : fleet.devices()) {
      accounts.get(number++ % accounts.size()).add(device);
    }
    Files.copy(cloud.caFile(), directory.resolve("ca.pem"), StandardCopyOption.REPLACE_EXISTING);
    StringBuilder text = new StringBuilder("accounts:\n");
    for (int i = 0; i < accounts.size(); i++) {
      CloudAccount login = accounts.get(i).login();
      text.append("  - name: ").append(NAMES.get(i)).append('\n');
      text.append("    user: ").append(login.email()).append('\n');
      text.append("    password: ").append(login.password()).append('\n');
    }
    Path file = directory.resolve("accounts.yml");
    Path next = directory.resolve("accounts.yml.next");
    Files.writeString(next, text);
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    return fleet;
  }
}
