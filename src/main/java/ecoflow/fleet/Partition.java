package ecoflow.fleet;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A partition that is assigned to this server. */
final class Partition {

  private final long replayEnd;
  private final Set<String> serials = ConcurrentHashMap.newKeySet();

  /** Devices that are no longer served, with the time of their removal. */
  private final Map<String, Long> removals = new ConcurrentHashMap<>();

  private volatile boolean isReplaying;
  private volatile long lag;

  /**
   * @param replayEnd the offset after the last record before the assignment
   */
  Partition(long replayEnd, boolean isReplaying) {
    this.replayEnd = replayEnd;
    this.isReplaying = isReplaying;
  }

  /** Whether the record was written before the assignment. */
  boolean isReplay(long offset) {
    return offset < replayEnd;
  }

  /** Whether records from before the assignment are still being read. */
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
