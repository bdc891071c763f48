package ecoflow.fleet;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The positions from which changes of devices are read, also after a reconnection. */
final class DeviceTopicPositions {

  private final Map<Integer, Long> next = new ConcurrentHashMap<>();
  private final CountDownLatch known = new CountDownLatch(1);

  /** The next offset; null if no record of the partition has been read. */
  Long next(int partition) {
    return next.get(partition);
  }

  void processed(int partition, long offset) {
    next.put(partition, offset + 1);
  }

  /** All later records will be read. */
  void start(Map<Integer, Long> positions) {
    next.putAll(positions);
    known.countDown();
  }

  /** Waits until the positions are known, so that no change is missed; returns false if not. */
  boolean await(Duration timeout) throws InterruptedException {
    return known.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }
}
