package ecoflow.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.account.Accounts;
import ecoflow.config.ConfigException;
import ecoflow.config.Settings;
import ecoflow.config.Settings.Mode;
import ecoflow.device.DeviceView;
import ecoflow.device.Devices;
import ecoflow.fleet.ServedPartitions.StoredRecord;
import ecoflow.fleet.ServedPartitions.StoredRecords;
import ecoflow.meters.Meters;
import ecoflow.quota.Quotas;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The readiness of a server, and its devices, in cases that a broker rarely produces. */
class ServedPartitionsTest {

  private static final String SERIAL = "R331PARTITION001";
  private static final Optional<String> READY = Optional.empty();
  private static final Optional<String> WAITING =
      Optional.of("Kafka has not assigned partitions yet");
  private static final Optional<String> READING = Optional.of("reading back 1 partition");

  private final Map<Integer, StoredRecords> stored = new HashMap<>();
  private Runnable duringRead = () -> {};
  private boolean isUnavailable;
  private long nanos = -1;
  private Devices devices;
  private ServedPartitions partitions;

  @BeforeEach
  void open() throws ConfigException {
    Settings settings =
        Settings.from(Map.of("ECOFLOW_ROLE", "serve", "ECOFLOW_KAFKA_BROKERS", "127.0.0.1:1"));
    Accounts accounts = new Accounts(List.of());
    devices = new Devices(settings, accounts, line -> {}, () -> nanos);
    Quotas quotas =
        new Quotas(
            settings.devices(),
            devices,
            name -> false,
            kind -> {},
            true,
            text -> Map.of(),
            key -> false,
            () -> nanos);
    partitions =
        new ServedPartitions(
            devices,
            quotas,
            new ServedDevices(settings, accounts, devices, new Meters(settings, accounts, "1")),
            this::read,
            new DeviceTopicPositions(),
            new Rejections("ecoflow", new SimpleMeterRegistry(), () -> nanos),
            () -> nanos);
  }

  private Map<Integer, StoredRecords> read(Set<Integer> numbers) {
    if (isUnavailable) {
      throw new TimeoutException("no answer within 10 s");
    }
    Map<Integer, StoredRecords> found = new HashMap<>();
    numbers.forEach(
        number -> found.put(number, stored.getOrDefault(number, new StoredRecords(Map.of(), 0))));
    duringRead.run();
    return found;
  }

  private void pass(Duration time) {
    nanos += time.toNanos();
  }

  private void assign(int number, long end) {
    partitions.assigned(Set.of(number));
    partitions.replayUntil(number, end);
    partitions.readDevices();
  }

  private void processed(int number, long position, long lag) {
    partitions.processed(number, position, lag);
  }

  private static StoredRecord entry(String name, long millis) {
    return new StoredRecord(
        "{\"schema\":1,\"name\":\"%s\",\"account\":\"one\",\"mode\":\"mqtt\"}"
            .formatted(name)
            .getBytes(StandardCharsets.UTF_8),
        millis);
  }

  private static StoredRecord removal(long millis) {
    return new StoredRecord(null, millis);
  }

  private void message(long millis) throws RejectedException {
    partitions.messageRead(0, SERIAL, "one", Optional.of(Mode.MQTT), millis);
  }

  /** The names of the devices that are shown. */
  private List<String> names() {
    return devices.all().stream().map(DeviceView::labels).map(l -> l.deviceName()).toList();
  }

  @Test
  void aServerWithoutPartitionsIsReadyAfterOthersHaveHadTheTimeForAnAssignment() {
    pass(Duration.ofHours(1));
    assertEquals(WAITING, partitions.problem());
    partitions.assigned(Set.of());
    pass(ServedPartitions.MAX_WAIT.minusSeconds(1));
    // Another rebalance, again without a partition for this server.
    partitions.assigned(Set.of());
    assertEquals(WAITING, partitions.problem());
    pass(Duration.ofSeconds(1));
    assertEquals(READY, partitions.problem());
  }

  /** After a long pause of the process, Kafka removes the member, which joins again. */
  @Test
  void aServerThatHasLostItsPartitionsIsNotReadyUntilItHasReadOthersBack() {
    assign(0, 10);
    processed(0, 10, 0);
    assertEquals(READY, partitions.problem());
    pass(Duration.ofHours(1));
    partitions.revoked(Set.of(0));
    assertEquals(WAITING, partitions.problem());
    partitions.assigned(Set.of());
    assertEquals(WAITING, partitions.problem());
    assign(1, 5);
    assertEquals(READING, partitions.problem());
    processed(1, 5, 0);
    assertEquals(READY, partitions.problem());
    partitions.revoked(Set.of(1));
    pass(ServedPartitions.MAX_WAIT);
    assertEquals(READY, partitions.problem());
  }

  @Test
  void aPartitionThatIsAssignedAgainDuringAReplayIsReadBackFromTheStart() {
    partitions.assigned(Set.of(0, 1));
    partitions.readDevices();
    partitions.replayUntil(0, 10);
    partitions.replayUntil(1, 10);
    processed(0, 9, 1);
    processed(1, 10, 0);
    assertEquals(READING, partitions.problem());
    partitions.revoked(Set.of(0));
    assertEquals(READY, partitions.problem());
    assign(0, 12);
    processed(0, 11, 1);
    assertEquals(READING, partitions.problem());
    processed(0, 12, 3);
    assertEquals(READY, partitions.problem());
  }

  /** Until the leader of the partition answers. */
  @Test
  void aPartitionIsReadBackAsLongAsItsEndIsUnknown() {
    partitions.assigned(Set.of(0));
    partitions.readDevices();
    processed(0, 0, 0);
    pass(Duration.ofHours(1));
    assertEquals(READING, partitions.problem());
    partitions.replayUntil(0, 3);
    processed(0, 2, 1);
    assertEquals(READING, partitions.problem());
    processed(0, 3, 0);
    assertEquals(READY, partitions.problem());
  }

  /** The topic was created again, or a new leader does not have the last records. */
  @Test
  void aReplayEndsAtTheEndOfAShorterPartition() {
    assign(0, 5_000);
    processed(0, 2, 0);
    assertEquals(READING, partitions.problem());
    assertEquals(true, partitions.isReplay(0, 1));
    partitions.replayUntil(0, 2);
    processed(0, 2, 0);
    assertEquals(READY, partitions.problem());
    assertEquals(false, partitions.isReplay(0, 2), "a new record");
  }

  @Test
  void recordsOfDevicesThatCannotBeReadAreAppliedAsChanges() throws RejectedException {
    isUnavailable = true;
    assign(0, 1);
    message(System.currentTimeMillis());
    processed(0, 1, 0);
    assertEquals(READING, partitions.problem());
    assertEquals(List.of("DELTA 2-N001"), names());
    partitions.changed(0, 0, SERIAL, entry("Garage", 1));
    assertEquals(List.of("Garage"), names());
    assertEquals(READING, partitions.problem());
    // Not the end of another partition, or of an earlier assignment.
    partitions.caughtUp(1);
    assertEquals(READING, partitions.problem());
    partitions.caughtUp(0);
    assertEquals(READY, partitions.problem());
  }

  @Test
  void messagesWaitForTheRecordsOfDevices() {
    partitions.assigned(Set.of(0));
    partitions.replayUntil(0, 0);
    assertEquals(true, partitions.isWaiting(0));
    assertEquals(READING, partitions.problem());
    partitions.readDevices();
    assertEquals(false, partitions.isWaiting(0));
  }

  /** The partition can move to another server and back while its records are being read. */
  @Test
  void recordsOfAnEarlierAssignmentAreNotUsed() {
    stored.put(0, new StoredRecords(Map.of(SERIAL, entry("Before", 1)), 10));
    duringRead =
        () -> {
          partitions.revoked(Set.of(0));
          partitions.assigned(Set.of(0));
          partitions.replayUntil(0, 0);
        };
    assign(0, 0);
    partitions.caughtUp(0);
    assertEquals(true, partitions.isWaiting(0));
    duringRead = () -> {};
    stored.put(0, new StoredRecords(Map.of(SERIAL, entry("Garage", 1)), 11));
    partitions.readDevices();
    processed(0, 0, 0);
    assertEquals(List.of("Garage"), names());
  }

  /** The consumer of changes can be late with the records of an earlier assignment. */
  @Test
  void changesFromBeforeTheAssignmentAreIgnored() {
    stored.put(0, new StoredRecords(Map.of(SERIAL, entry("Garage", 1)), 10));
    assign(0, 0);
    processed(0, 0, 0);
    partitions.changed(0, 8, SERIAL, removal(1));
    partitions.changed(0, 9, SERIAL, entry("Before", 1));
    assertEquals(List.of("Garage"), names());
    partitions.changed(0, 10, SERIAL, entry("Shed", 1));
    assertEquals(List.of("Shed"), names());
  }

  @Test
  void aMessageFromBeforeTheRemovalDoesNotRestoreTheDevice() throws RejectedException {
    long now = System.currentTimeMillis();
    stored.put(0, new StoredRecords(Map.of(SERIAL, removal(now - 1000)), 1));
    assign(0, 2);
    message(now - 1000);
    processed(0, 1, 1);
    message(now - 2000);
    processed(0, 2, 0);
    assertEquals(List.of(), names());
    message(now - 999);
    assertEquals(List.of("DELTA 2-N001"), names());
  }

  /** A clock that was wrong when the record was written must not hide the device until then. */
  @Test
  void aRemovalInTheFutureIsFollowedByMessages() throws RejectedException {
    long now = System.currentTimeMillis();
    assign(0, 0);
    processed(0, 0, 0);
    partitions.changed(0, 0, SERIAL, removal(now + Duration.ofDays(1).toMillis()));
    message(now - 1000);
    assertEquals(List.of(), names());
    message(now + 60_000);
    assertEquals(List.of("DELTA 2-N001"), names());
  }

  @Test
  void labelsOfARecordInTheFutureCanBeChanged() {
    long future = System.currentTimeMillis() + Duration.ofDays(1).toMillis();
    assign(0, 0);
    processed(0, 0, 0);
    partitions.changed(0, 0, SERIAL, withSite("Bonn", future));
    partitions.changed(0, 1, SERIAL, withSite("Berlin", future + 1));
    assertEquals(Map.of("site", "Berlin"), devices.account(SERIAL).orElseThrow().labels());
  }

  private static StoredRecord withSite(String site, long millis) {
    return new StoredRecord(
        "{\"schema\":1,\"account\":\"one\",\"mode\":\"mqtt\",\"labels\":{\"site\":\"%s\"}}"
            .formatted(site)
            .getBytes(StandardCharsets.UTF_8),
        millis);
  }
}
