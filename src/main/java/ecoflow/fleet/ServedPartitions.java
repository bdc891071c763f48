package ecoflow.fleet;

import ecoflow.config.Settings.Mode;
import ecoflow.device.Devices;
import ecoflow.quota.Quotas;
import ecoflow.text.Lines;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
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
     * The newest record of each device, in no particular order.
     *
     * @throws org.apache.kafka.common.KafkaException if they cannot be read
     */
    Map<Integer, Map<String, StoredRecord>> read(Set<Integer> partitions);
  }

  /**
   * @param value null if the device is no longer served
   */
  record StoredRecord(byte[] value, long epochMillis) {}

  private static final Logger LOG = LoggerFactory.getLogger(ServedPartitions.class);

  /** After this time, there are probably more servers than partitions. */
  private static final Duration MAX_WAIT = Duration.ofSeconds(10);

  private final Devices devices;
  private final Quotas quotas;
  private final ServedDevices served;
  private final DeviceTopic topic;
  private final Rejections rejections;
  private final Map<Integer, Partition> partitions = new ConcurrentHashMap<>();
  private final LongSupplier nanoClock;

  /** The time of the first assignment; null before it. */
  private volatile Long joinedAt;

  private volatile boolean hasServed;
  private volatile boolean isIsolated;

  ServedPartitions(
      Devices devices,
      Quotas quotas,
      ServedDevices served,
      DeviceTopic topic,
      Rejections rejections,
      LongSupplier nanoClock) {
    this.devices = devices;
    this.quotas = quotas;
    this.served = served;
    this.topic = topic;
    this.rejections = rejections;
    this.nanoClock = nanoClock;
  }

  /**
   * Kafka has assigned partitions, or none.
   *
   * @param replayEnds the offset after the last record of each partition
   * @param replaying the partitions whose records are read back
   */
  synchronized void assigned(Map<Integer, Long> replayEnds, Set<Integer> replaying) {
    if (joinedAt == null) {
      joinedAt = nanoClock.getAsLong();
    }
    if (replayEnds.isEmpty()) {
      return;
    }
    replayEnds.forEach(
        (number, end) -> partitions.put(number, new Partition(end, replaying.contains(number))));
    // Only now, because a server that has served and has no partitions is ready.
    hasServed = true;
    try {
      topic
          .read(replayEnds.keySet())
          .forEach((number, records) -> addAll(partitions.get(number), records));
    } catch (RuntimeException e) {
      LOG.warn(
          "Failed to read the records of devices in partitions {}: {}; the names of devices follow"
              + " within ten minutes",
          Lines.abbreviate(texts(replayEnds.keySet())),
          Lines.root(e));
    }
    LOG.info(
        "Serving partitions {} with {} devices",
        Lines.abbreviate(texts(partitions.keySet())),
        devices.serials().size());
  }

  private void addAll(Partition partition, Map<String, StoredRecord> stored) {
    List<DeviceRecord> valid = new ArrayList<>();
    stored.forEach((serial, record) -> read(serial, record).ifPresent(valid::add));
    valid.stream()
        .filter(DeviceRecord::isRemoval)
        .forEach(removal -> partition.removals().put(removal.serial(), removal.epochMillis()));
    add(partition, valid.stream().filter(record -> !record.isRemoval()).toList());
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
  synchronized void changed(int number, String serial, StoredRecord record) {
    Partition partition = partitions.get(number);
    Optional<DeviceRecord> change = partition == null ? Optional.empty() : read(serial, record);
    if (change.isEmpty()) {
      return;
    }
    if (change.get().isRemoval()) {
      partition.removals().put(serial, record.epochMillis());
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
    return (int) partitions.values().stream().filter(Partition::isReplaying).count();
  }

  /** The number of records that have not been processed yet. */
  long lag() {
    return partitions.values().stream().mapToLong(Partition::lag).sum();
  }

  /** The reason why pages are not complete; empty if they are. */
  Optional<String> problem() {
    if (isWaiting()) {
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
   * the other members still have the partitions.
   */
  private boolean isWaiting() {
    Long at = joinedAt;
    return at == null || (!hasServed && nanoClock.getAsLong() - at < MAX_WAIT.toNanos());
  }

  private static List<String> texts(Collection<Integer> numbers) {
    return numbers.stream().sorted().map(String::valueOf).toList();
  }
}
