package ecoflow.quota;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The latest values of all devices. Readers see a message completely or not at all.
 *
 * <p>Fast path, read last: a map of the devices with a single lock would return the same results.
 * Each device has its own lock, so that messages of one device do not delay those of another.
 * {@link MessageUpdates} describes how a message changes the values.
 */
final class QuotaStore {

  private final MessageUpdates.Settings settings;
  final LongSupplier nanoClock;
  private final ConcurrentMap<String, Device> devices = new ConcurrentHashMap<>();
  private final PageOrder pageOrder = new PageOrder();

  /** Null without a watcher. */
  private volatile SeriesWatcher watcher;

  /**
   * @param nanoClock such as System::nanoTime
   */
  QuotaStore(MessageUpdates.Settings settings, LongSupplier nanoClock) {
    this.settings = settings;
    this.nanoClock = nanoClock;
  }

  /**
   * Stores the values of a message.
   *
   * @param quotas numbers, booleans, strings, nulls, and maps and lists of these; keys can contain
   *     dots and indexes, such as {@code bms.cells[3].vol} or {@code units["ES21X"].soc}
   * @param conflictsOfMessage receives the conflicts of this message, in addition to the receiver
   *     of all conflicts
   * @param times the times of items of histories by key, see {@link Quotas#ITEM_TIMES}
   * @param at the time of receipt
   * @param isReplay see {@link Quotas#REPLAY}
   * @return the number of stored values, including those in JSON strings, and of values that were
   *     not stored because newer ones exist
   */
  int record(
      String serial,
      Map<?, ?> quotas,
      Conflicts conflictsOfMessage,
      Origin origin,
      Map<?, ?> times,
      long at,
      boolean isReplay) {
    return deviceToUpdate(serial).store(quotas, conflictsOfMessage, at, origin, times, isReplay);
  }

  /** Notifies the watcher of the existing series and of all later additions and removals. */
  void watch(SeriesWatcher newWatcher) {
    watcher = newWatcher;
    devices.values().forEach(Device::watchAll);
  }

  /** Removes all values of a device, because it is offline. */
  void forget(String serial) {
    Device device = devices.get(serial);
    if (device != null) {
      device.forget();
    }
  }

  /** Removes the values of a device that were received before a time at which it was offline. */
  void forget(String serial, long until) {
    Device device = devices.get(serial);
    if (device != null) {
      device.forget(until);
    }
  }

  /**
   * Like {@link #forget(String, long)}, and also ignores values from before this time that are
   * stored later.
   */
  void offline(String serial, long at) {
    deviceToUpdate(serial).forget(at);
  }

  /** Whether the last message of the device was read back. */
  boolean isReplaying(String serial) {
    Device device = devices.get(serial);
    return device != null && device.isReplaying();
  }

  /** Starts or ends a replay with a message without values. */
  void setReplaying(String serial, boolean isReplay) {
    Device device = devices.get(serial);
    if (device != null) {
      device.setReplaying(isReplay);
    }
  }

  /**
   * Excludes the values of a device from snapshots and from the watcher, or includes them again. A
   * replay can still need them.
   */
  void conceal(String serial, boolean isConcealed) {
    Device device = isConcealed ? deviceToUpdate(serial) : devices.get(serial);
    if (device != null) {
      device.conceal(isConcealed);
    }
  }

  /** Removes a device, after {@link #forget}. */
  void remove(String serial) {
    devices.remove(serial);
  }

  /**
   * Removes the values of a device that were not updated for longer than {@code maxAge}, and
   * returns their number.
   */
  int expire(String serial, Duration maxAge) {
    Device device = devices.get(serial);
    return device == null ? 0 : device.expire(nanoClock.getAsLong(), nanos(maxAge));
  }

  /** The number of series of a device. */
  int size(String serial) {
    Device device = devices.get(serial);
    return device == null ? 0 : device.size();
  }

  /** The values of all series of a device by raw quota key, sorted. */
  Map<String, Double> values(String serial) {
    Device device = devices.get(serial);
    return device == null ? Map.of() : device.values();
  }

  /** See {@link Quotas#changes}. */
  Map<String, Double> changes(String serial) {
    Device device = devices.get(serial);
    return device == null ? Map.of() : device.changes();
  }

  /**
   * The value of a raw quota key; null if it does not exist, or was older than {@code maxAge} at a
   * time.
   */
  Double value(String serial, String key, Duration maxAge, long at) {
    Device device = devices.get(serial);
    return device == null ? null : device.value(key, at, nanos(maxAge));
  }

  /** See {@link Quotas#addInput}. */
  void addInput(String serial, String computed, String input) {
    deviceToUpdate(serial).addInput(computed, input);
  }

  /** All series at the time of the call. */
  Snapshot snapshot() {
    List<Family.DeviceCells> all =
        new TreeMap<>(devices)
            .values().stream()
                .filter(device -> !device.isConcealed())
                .map(Device::cellsInOrder)
                .toList();
    return new Snapshot(
        () -> pageOrder.families(all), all.stream().map(Family.DeviceCells::values).toList());
  }

  /** The series of these devices at the time of the call. */
  Snapshot snapshot(Set<String> serials) {
    List<Family.DeviceCells> some =
        serials.stream()
            .sorted()
            .map(devices::get)
            .filter(Objects::nonNull)
            .filter(device -> !device.isConcealed())
            .map(Device::cellsInOrder)
            .toList();
    // Not the order of all series, which it would replace.
    return new Snapshot(
        () -> new PageOrder().families(some),
        some.stream().map(Family.DeviceCells::values).toList());
  }

  /** All values of a device, including those in JSON strings; none if they are concealed. */
  DeviceValues valuesOf(String serial) {
    Device device = devices.get(serial);
    return device == null || device.isConcealed()
        ? DeviceValues.none(serial)
        : device.cellsInOrder().values();
  }

  /** Like {@link #valuesOf}, also if they are concealed. */
  DeviceValues storedValuesOf(String serial) {
    Device device = devices.get(serial);
    return device == null ? DeviceValues.none(serial) : device.cellsInOrder().values();
  }

  /** See {@link Quotas#textsOf}. */
  Map<String, String> textsOf(String serial) {
    Device device = devices.get(serial);
    return device == null ? Map.of() : device.texts();
  }

  /** See {@link Quotas#read}. */
  boolean read(String serial, long version, int[] positions, double[] into, long[] numbers) {
    Device device = devices.get(serial);
    return device != null && device.read(version, positions, into, numbers);
  }

  private Device deviceToUpdate(String serial) {
    return devices.computeIfAbsent(serial, Device::new);
  }

  private static long nanos(Duration maxAge) {
    // Unlike Duration.toNanos, this accepts very long durations.
    return TimeUnit.NANOSECONDS.convert(maxAge);
  }

  /** The values of one device, and their lock. */
  private final class Device {

    private final ChangeTracker tracker;
    private final SeriesIndex index;
    private final MessageUpdates updates;
    private boolean isReplaying;

    Device(String serial) {
      tracker = new ChangeTracker(serial, this, () -> watcher);
      index = new SeriesIndex(serial, tracker::removed);
      updates = new MessageUpdates(serial, settings, index, tracker);
    }

    synchronized int store(
        Map<?, ?> quotas,
        Conflicts conflictsOfMessage,
        long at,
        Origin origin,
        Map<?, ?> times,
        boolean isReplay) {
      setReplaying(isReplay);
      return updates.store(quotas, conflictsOfMessage, at, origin, times, isReplay);
    }

    synchronized void setReplaying(boolean isReplay) {
      isReplaying = isReplay;
      if (isReplay) {
        tracker.returnAll();
      }
    }

    synchronized boolean isReplaying() {
      return isReplaying;
    }

    synchronized boolean isConcealed() {
      return tracker.isConcealed();
    }

    synchronized void conceal(boolean isConcealed) {
      tracker.conceal(isConcealed, index.cells());
    }

    synchronized void watchAll() {
      index.cells().forEach(tracker::watch);
    }

    synchronized void forget() {
      index.removeAll();
      updates.offline();
    }

    synchronized void forget(long until) {
      updates.offline(until);
    }

    synchronized int expire(long now, long maxAge) {
      return index.expire(now, maxAge);
    }

    synchronized int size() {
      return tracker.isConcealed() ? 0 : index.size();
    }

    synchronized Map<String, Double> values() {
      return tracker.isConcealed() ? Map.of() : index.values();
    }

    synchronized Map<String, String> texts() {
      return tracker.isConcealed() ? Map.of() : index.textsByKey();
    }

    synchronized Map<String, Double> changes() {
      return tracker.changes(index);
    }

    synchronized Double value(String key, long now, long maxAge) {
      Cell cell = index.find(key);
      boolean exists = cell != null && cell.isSeries() && now - cell.updatedAt <= maxAge;
      return exists ? cell.value : null;
    }

    synchronized void addInput(String computed, String input) {
      index.addInput(computed, input);
    }

    synchronized Family.DeviceCells cellsInOrder() {
      return index.cellsInOrder();
    }

    synchronized boolean read(long version, int[] positions, double[] into, long[] numbers) {
      return index.read(version, positions, into, numbers);
    }
  }
}
