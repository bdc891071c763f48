package ecoflow.fleet;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.ApiPath;
import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedAccount;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.AccountsYaml;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.KafkaBroker;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Variables;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Devices that were removed from their accounts while the collector was not running. */
class RemovedDevicesIT {

  private static final String PREFIX = "removed";

  private final SimulatedDevice garage =
      new SimulatedDevice("R331FLEET0000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension final CloudExtension clouds = new CloudExtension(garage);

  @TempDir private Path directory;

  @Test
  void onlyUnrepeatedRecordsOfKnownAccountsAreRemoved() {
    long now = System.currentTimeMillis();
    long old = now - Duration.ofHours(1).toMillis();
    SimulatedAccount refused = clouds.cloud().addAccount(CloudAccount.numbered(1));
    refused.faults().always(ApiPath.DEVICE_LIST, Fault.code("8521", "signature is wrong"));
    SimulatedAccount empty = clouds.cloud().addAccount(CloudAccount.numbered(2));
    SimulatedAccount listed = clouds.cloud().addAccount(CloudAccount.numbered(3));
    AccountsYaml accounts =
        new AccountsYaml(directory.resolve("accounts.yml"))
            .add("one", "rest", clouds.cloud().defaultAccount())
            .add("refused", "rest", refused)
            .add("empty", "rest", empty)
            .add("settings", "mqtt", listed, "devices: [R331SETTINGS0001]")
            .write();
    try (KafkaBroker kafka = new KafkaBroker(directory)) {
      kafka.start();
      kafka.createTopics(3, PREFIX + ".raw", PREFIX + ".devices");
      try (TopicWriter writer = new TopicWriter(kafka.address(), PREFIX)) {
        writer.lastDevice("R331OLD000000001", old, "one");
        writer.lastDevice("R331OLDSETTINGS1", old, "settings");
        // Already removed.
        writer.lastDevice("R331OLD000000002", old, "one");
        writer.device("R331OLD000000002", null);
        // Not those of this collector, or not known to be removed.
        writer.lastDevice(garage.serial(), old, "one");
        writer.lastDevice("R331NOTREPEATED1", now, "one");
        writer.lastDevice("R331REFUSED00001", old, "refused");
        writer.lastDevice("R331EMPTYLIST001", old, "empty");
        writer.lastDevice("R331OTHERSHARD01", old, "other");
        writer.lastDevice("R331MOVED0000001", old, "one");
        writer.lastDevice("R331MOVED0000001", old, "other");
        writer.lastDevice("R331WITHOUTNAME1", old, "");
        writer.lastDevice("R331INVALID00001", old, "one");
        writer.device("R331INVALID00001", "{");
        writer.lastDevice(null, old, "one");
        writer.flush();
      }
      Map<String, String> variables = Variables.ofFile(accounts.file());
      variables.put("ECOFLOW_CA_FILE", clouds.cloud().caFile().toString());
      variables.put("ECOFLOW_ROLE", "collect");
      variables.put("ECOFLOW_KAFKA_BROKERS", kafka.address());
      variables.put("ECOFLOW_KAFKA_TOPICS", PREFIX);
      try (RunningExporter collector = RunningExporter.start(variables);
          TopicReader devices = new TopicReader(kafka.address(), PREFIX + ".devices")) {
        eventually(() -> assertTrue(isRemoved(devices, "R331OLD000000001")));
        // The records of a comparison are acknowledged before the next comparison.
        garage.setOnline(false);
        eventually(
            () ->
                assertTrue(
                    hasLast(
                        devices,
                        garage.serial(),
                        entry -> TopicReader.text(entry).contains("\"online\":false"))));

        TreeSet<String> removed = new TreeSet<>();
        devices.records().stream()
            .map(ConsumerRecord::key)
            .filter(serial -> serial != null && isRemoved(devices, serial))
            .forEach(removed::add);
        assertEquals(
            new TreeSet<>(Set.of("R331OLD000000001", "R331OLD000000002", "R331OLDSETTINGS1")),
            removed);
        assertEquals(2, devices.records("R331OLD000000001").size(), "is removed once");
        assertEquals(2, devices.records("R331OLD000000002").size(), "is not removed again");
        assertTrue(collector.http().get("/-/ready").body().startsWith("ready"));
      }
    }
  }

  private static boolean hasLast(
      TopicReader devices, String serial, Predicate<ConsumerRecord<String, byte[]>> condition) {
    return devices.records(serial).stream()
        .reduce((first, second) -> second)
        .filter(condition)
        .isPresent();
  }

  private static boolean isRemoved(TopicReader devices, String serial) {
    return hasLast(devices, serial, entry -> entry.value() == null);
  }
}
