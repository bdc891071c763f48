package ecoflow.fleet;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A partition that is assigned to this server. */
final class Partition {

  /** The state of the records of devices from before the assignment. */
  private enum DeviceReading {
    /** They have not been read. */
    WAITING,
    /** They are being applied as changes, because Kafka has not answered in time. */
    CATCHING_UP,
    /** All of them have been applied. */
    ENDED
  }

  private final Set<String> serials = ConcurrentHashMap.newKeySet();

  /** Devices that are no longer served, with the time of their removal. */
  private final Map<String, Long> removals = new ConcurrentHashMap<>();

  /** The offset after the last record before the assignment. */
  private volatile long replayEnd = Long.MAX_VALUE;

  private volatile boolean isReplaying = true;
  private volatile DeviceReading devices = DeviceReading.WAITING;
  private volatile long devicesEnd;
  private volatile long lag;

  void setReplayEnd(long offset) {
    replayEnd = offset;
  }

  /** Whether the record was written before the assignment. */
  boolean isReplay(long offset) {
    return isReplaying && offset < replayEnd;
  }

  /** Whether records from before the assignment are still being read, or are not known yet. */
  boolean isReplaying() {
    return isReplaying;
  }

  /**
   * @param position the offset after the last processed record
   * @return whether the replay has ended with it
   */
  boolean endsReplay(long position) {
    boolean ends = isReplaying && position >= replayEnd;
    if (ends) {
      isReplaying = false;
    }
    return ends;
  }

  /** Whether the records of devices have not been read, so that no message can be processed. */
  boolean isWaiting() {
    return devices == DeviceReading.WAITING;
  }

  /** Whether the records of devices from before the assignment have been applied. */
  boolean areDevicesRead() {
    return devices == DeviceReading.ENDED;
  }

  boolean isCatchingUp() {
    return devices == DeviceReading.CATCHING_UP;
  }

  void setCatchingUp() {
    devices = DeviceReading.CATCHING_UP;
  }

  void setDevicesRead() {
    devices = DeviceReading.ENDED;
  }

  /**
   * @param offset the offset after the last record of a device that was read at the assignment
   */
  void setDevicesEnd(long offset) {
    devicesEnd = offset;
    setDevicesRead();
  }

  /** Whether the record of a device is not one of those that were read at the assignment. */
  boolean isChange(long offset) {
    return offset >= devicesEnd;
  }

  /** The devices of the partition. */
  Set<String> serials() {
    return serials;
  }

  Map<String, Long> removals() {
    return removals;
  }

  long lag() {
    return lag;
  }

  void setLag(long records) {
    lag = records;
  }
}
