package ecoflow.fleet;

import ecoflow.config.Settings.Mode;
import ecoflow.device.Devices;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The partitions that Kafka has assigned to this server, and their devices. A device is served as
 * long as its partition is assigned, and shown after its records have been read back.
 */
final class ServedPartitions {

  /** Reads the current records of devices in some partitions. */
  interface DeviceTopic {

    /**
     * The records of each of these partitions.
     *
     * @throws org.apache.kafka.common.KafkaException if they cannot be read
     */
    Map<Integer, StoredRecords> read(Set<Integer> partitions);
  }

  /**
   * The records of a partition.
   *
   * @param newest the newest record of each device
   * @param end the offset after the last record
   */
  record StoredRecords(Map<String, StoredRecord> newest, long end) {}

  /**
   * @param value null if the device is no longer served
   */
  record StoredRecord(byte[] value, long epochMillis) {}

  private static final Logger LOG = LoggerFactory.getLogger(ServedPartitions.class);

  /**
   * After this time without partitions, there are probably more servers than partitions. A server
   * that is busy delays an assignment.
   */
  static final Duration MAX_WAIT = Duration.ofSeconds(30);

  private final Devices devices;
  private final Quotas quotas;
  private final ServedDevices served;
  private final DeviceTopic topic;
  private final DeviceTopicPositions changes;
  private final Rejections rejections;
  private final Map<Integer, Partition> partitions = new ConcurrentHashMap<>();
  private final LongSupplier nanoClock;

  /**
   * The time of the first assignment or, if it is later, of the last revocation; null before the
   * first assignment.
   */
  private volatile Long idleSince;

  private volatile boolean isIsolated;

  ServedPartitions(
      Devices devices,
      Quotas quotas,
      ServedDevices served,
      DeviceTopic topic,
      DeviceTopicPositions changes,
      Rejections rejections,
      LongSupplier nanoClock) {
    this.devices = devices;
    this.quotas = quotas;
    this.served = served;
    this.topic = topic;
    this.changes = changes;
    this.rejections = rejections;
    this.nanoClock = nanoClock;
  }

  /**
   * Kafka has assigned partitions, or none. Their devices are hidden until the records from before
   * the assignment have been processed.
   */
  synchronized void assigned(Set<Integer> numbers) {
    if (idleSince == null) {
      idleSince = nanoClock.getAsLong();
    }
    numbers.forEach(number -> partitions.put(number, new Partition()));
  }

  /**
   * Reads the records of devices in newly assigned partitions. Not called by the consumer of
   * messages, because it would delay messages and assignments of other partitions.
   */
  void readDevices() {
    Map<Integer, Partition> waiting = new HashMap<>(partitions);
    waiting.values().removeIf(partition -> !partition.isWaiting());
    if (waiting.isEmpty()) {
      return;
    }
    try {
      Map<Integer, StoredRecords> stored = topic.read(waiting.keySet());
      waiting.forEach((number, partition) -> addAll(number, partition, stored.get(number)));
    } catch (InterruptException | WakeupException e) {
      // The process ends.
      throw e;
    } catch (RuntimeException e) {
      LOG.warn(
          "Failed to read the records of devices in partitions {}: {}; the names of devices follow"
              + " when Kafka answers",
          Lines.abbreviate(texts(waiting.keySet())),
          Lines.root(e));
      waiting.forEach(this::readAsChanges);
    }
    LOG.info(
        "Serving partitions {} with {} devices",
        Lines.abbreviate(texts(partitions.keySet())),
        devices.serials().size());
  }

  private synchronized void readAsChanges(int number, Partition partition) {
    if (partitions.get(number) == partition) {
      partition.setCatchingUp();
      changes.start(number, 0);
    }
  }

  private synchronized void addAll(int number, Partition partition, StoredRecords stored) {
    if (partitions.get(number) != partition) {
      // Revoked in the meantime.
      return;
    }
    List<DeviceRecord> valid = new ArrayList<>();
    stored.newest().forEach((serial, record) -> read(serial, record).ifPresent(valid::add));
    valid.stream()
        .filter(DeviceRecord::isRemoval)
        .forEach(removal -> partition.removals().put(removal.serial(), removal.epochMillis()));
    add(partition, valid.stream().filter(record -> !record.isRemoval()).toList());
    partition.setDevicesEnd(stored.end());
    changes.start(number, stored.end());
  }

  /**
   * Whether the messages of the partition must wait for the records of devices. Otherwise, they
   * would restore removed devices, and accounts would be added one by one.
   */
  boolean isWaiting(int number) {
    Partition partition = partitions.get(number);
    return partition != null && partition.isWaiting();
  }

  /** Whether the records of devices from before the assignment are being applied as changes. */
  boolean isCatchingUp(int number) {
    Partition partition = partitions.get(number);
    return partition != null && partition.isCatchingUp();
  }

  /** The records of devices from before the assignment have been applied as changes. */
  synchronized void caughtUp(int number) {
    if (isCatchingUp(number)) {
      partitions.get(number).setDevicesRead();
    }
  }

  /**
   * The records to read back are known.
   *
   * @param end the offset after the last of them
   */
  void replayUntil(int number, long end) {
    Partition partition = partitions.get(number);
    if (partition != null) {
      partition.setReplayEnd(end);
    }
  }

  private Optional<DeviceRecord> read(String serial, StoredRecord record) {
    try {
      DeviceRecord read = DeviceRecord.read(serial, record.value(), record.epochMillis());
      if (!read.isRemoval() && read.mode().isEmpty()) {
        adopt(serial);
      }
      return Optional.of(read);
    } catch (RejectedException e) {
      rejections.rejected(e, Topics.DEVICES, serial);
      return Optional.empty();
    }
  }

  private void adopt(String serial) throws RejectedException {
    if (!devices.isServed(serial)) {
      try {
        devices.adopt(serial, null, null);
      } catch (IllegalArgumentException e) {
        throw new RejectedException(Reason.DEVICE_LIMIT, e.getMessage());
      }
    }
  }

  private void add(Partition partition, List<DeviceRecord> records) {
    served.serve(records);
    for (DeviceRecord record : records) {
      partition.serials().add(record.serial());
      partition.removals().remove(record.serial());
      devices.setRestoring(record.serial(), isHidden(partition));
    }
  }

  private boolean isHidden(Partition partition) {
    return isIsolated || partition.isReplaying();
  }

  /** A device has changed. Ignored if its partition is not assigned to this server. */
  synchronized void changed(int number, long offset, String serial, StoredRecord record) {
    Partition partition = partitions.get(number);
    if (partition == null || !partition.isChange(offset)) {
      return;
    }
    Optional<DeviceRecord> change = read(serial, record);
    if (change.isEmpty()) {
      return;
    }
    if (change.get().isRemoval()) {
      partition.removals().put(serial, change.get().epochMillis());
      if (partition.serials().remove(serial)) {
        served.remove(Set.of(serial));
      }
    } else {
      add(partition, List.of(change.get()));
    }
  }

  /**
   * Serves the device of a message, unless it was removed after the message.
   *
   * @param mode empty for a device of another source
   * @throws RejectedException if there are too many devices of other sources
   */
  void messageRead(int number, String serial, String account, Optional<Mode> mode, long epochMillis)
      throws RejectedException {
    Partition partition = partitions.get(number);
    if (partition == null || partition.serials().contains(serial)) {
      return;
    }
    synchronized (this) {
      Long removed = partition.removals().get(serial);
      if (removed != null && removed >= epochMillis) {
        return;
      }
      if (partition.serials().contains(serial)) {
        // Its record, with the name, was read in the meantime.
        return;
      }
      if (mode.isPresent()) {
        add(partition, List.of(served.unlisted(serial, account, mode.get())));
      } else {
        adopt(serial);
        partition.serials().add(serial);
        devices.setRestoring(serial, isHidden(partition));
      }
    }
  }

  /** Kafka has revoked partitions: their devices are removed. */
  synchronized void revoked(Collection<Integer> numbers) {
    int before = partitions.size();
    if (before > 0) {
      idleSince = nanoClock.getAsLong();
    }
    changes.stop(numbers);
    for (Integer number : numbers) {
      Partition partition = partitions.remove(number);
      if (partition != null) {
        served.remove(partition.serials());
      }
    }
    if (partitions.size() < before) {
      LOG.info(
          "Partitions {} are no longer served here; {} partitions with {} devices remain",
          Lines.abbreviate(texts(numbers)),
          partitions.size(),
          devices.serials().size());
    }
  }

  /**
   * All records before a position have been processed.
   *
   * @param position the offset after the last processed record
   * @param lag the number of records after the position
   */
  void processed(int number, long position, long lag) {
    Partition partition = partitions.get(number);
    if (partition == null) {
      return;
    }
    partition.setLag(lag);
    if (partition.isReplaying()) {
      synchronized (this) {
        if (partition.endsReplay(position)) {
          show(partition);
        }
      }
    }
  }

  private void show(Partition partition) {
    for (String serial : partition.serials()) {
      devices.setRestoring(serial, isHidden(partition));
      quotas.removeOldOf(serial);
    }
  }

  /**
   * Hides all devices while Kafka does not answer, because it can assign their partitions to
   * another server.
   */
  synchronized void setIsolated(boolean isolated) {
    isIsolated = isolated;
    partitions.values().forEach(this::show);
  }

  /** Whether the records to read back of the partition are not known, or not processed yet. */
  boolean isReplaying(int number) {
    Partition partition = partitions.get(number);
    return partition != null && partition.isReplaying();
  }

  boolean isReplay(int number, long offset) {
    Partition partition = partitions.get(number);
    return partition != null && partition.isReplay(offset);
  }

  /** The reason why devices are hidden; empty if Kafka answers. */
  Optional<String> isolation() {
    return isIsolated ? Optional.of("Kafka does not answer") : Optional.empty();
  }

  /** The assigned partitions. */
  Set<Integer> numbers() {
    return Set.copyOf(partitions.keySet());
  }

  /** The number of assigned partitions. */
  int count() {
    return partitions.size();
  }

  /** The number of assigned partitions whose records are being read back. */
  int replaying() {
    return (int)
        partitions.values().stream()
            .filter(partition -> partition.isReplaying() || !partition.areDevicesRead())
            .count();
  }

  /** The number of records that have not been processed yet. */
  long lag() {
    return partitions.values().stream().mapToLong(Partition::lag).sum();
  }

  /** The reason why pages are not complete; empty if they are. */
  Optional<String> problem() {
    if (isAwaitingPartitions()) {
      return Optional.of("Kafka has not assigned partitions yet");
    }
    int replaying = replaying();
    return replaying == 0
        ? Optional.empty()
        : Optional.of(
            "reading back " + replaying + (replaying == 1 ? " partition" : " partitions"));
  }

  /**
   * Whether partitions are likely to follow. The first assignment of a new member is empty while
   * the other members still have the partitions, and a member that was slow has lost them.
   */
  private boolean isAwaitingPartitions() {
    Long since = idleSince;
    return since == null
        || (partitions.isEmpty() && nanoClock.getAsLong() - since < MAX_WAIT.toNanos());
  }

  private static List<String> texts(Collection<Integer> numbers) {
    return numbers.stream().sorted().map(String::valueOf).toList();
  }
}
