package ecoflow.mqtt;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Shares the processing time of the event loop fairly between devices. A message is processed on
 * arrival unless its device, or all devices together, exceeded their share in the last second;
 * otherwise it is queued. Queued messages are processed round-robin, one message per device. The
 * number and size of queued messages are limited per device and in total. When a limit is exceeded,
 * the oldest message of the device is dropped, or that of the device with the largest backlog for
 * the limit in total; messages that have a newer message of the same kind are dropped first. The
 * messages of one device stay in order.
 *
 * <p>Not thread-safe.
 */
final class FairQueue {

  private static final long WINDOW = Duration.ofSeconds(1).toNanos();

  /** Real devices use less than a hundredth of this share. */
  private static final long DEVICE_SHARE = Duration.ofMillis(100).toNanos();

  /** The remaining time is reserved for reads from the connection and for queued messages. */
  private static final long TOTAL_SHARE = Duration.ofMillis(500).toNanos();

  private static final int MAX_DEVICE_MESSAGES = 1_000;
  private static final int MAX_DEVICE_BYTES = 1 << 20;
  private static final int MAX_TOTAL_BYTES = 8 << 20;

  /** Limits the memory if a faulty broker sends messages of many unknown devices. */
  private static final int MAX_DEVICES = 10_000;

  /**
   * A queued message.
   *
   * @param kind equal for messages of which only the newest is relevant
   */
  record Message(String device, Object kind, int bytes, Runnable work) {}

  private static final class Backlog {
    private final Deque<Message> messages = new ArrayDeque<>();

    /** Number of queued messages of each kind. */
    private final Map<Object, Integer> kinds = new HashMap<>();

    private final Usage usage = new Usage();
    private int bytes;
  }

  /** Processing time since the start of the current window. */
  private static final class Usage {
    private long used;
    private long window;

    boolean isOver(long share, long now) {
      return used >= share && now - window < WINDOW;
    }

    void add(long nanos, long now) {
      if (used == 0 || now - window >= WINDOW) {
        window = now;
        used = 0;
      }
      used += nanos;
    }
  }

  private final Consumer<String> dropped;
  private final Map<String, Backlog> backlogs = new HashMap<>();

  /** Devices with queued messages, in the order in which they are processed. */
  private final Map<String, Backlog> queuedDevices = new LinkedHashMap<>();

  private final Usage totalUsage = new Usage();
  private int bytes;

  /**
   * @param dropped receives the device of each dropped message
   */
  FairQueue(Consumer<String> dropped) {
    this.dropped = dropped;
  }

  /**
   * Whether a message that arrives now must be queued.
   *
   * @param now in nanoseconds
   */
  boolean mustWait(String device, long now) {
    Backlog backlog = backlogs.get(device);
    boolean isDeviceOver =
        backlog != null && (!backlog.messages.isEmpty() || backlog.usage.isOver(DEVICE_SHARE, now));
    return isDeviceOver || totalUsage.isOver(TOTAL_SHARE, now);
  }

  /**
   * Records that a message of the device was processed on arrival.
   *
   * @param nanos the processing time
   */
  void processed(String device, long nanos, long now) {
    backlog(device).usage.add(nanos, now);
    totalUsage.add(nanos, now);
  }

  private Backlog backlog(String device) {
    Backlog backlog = backlogs.get(device);
    if (backlog == null) {
      if (backlogs.size() >= MAX_DEVICES) {
        backlogs.keySet().retainAll(queuedDevices.keySet());
      }
      backlog = new Backlog();
      backlogs.put(device, backlog);
    }
    return backlog;
  }

  /** Adds a message, and drops messages that exceed a limit. */
  void add(Message message) {
    Backlog backlog = backlog(message.device());
    backlog.messages.add(message);
    backlog.kinds.merge(message.kind(), 1, Integer::sum);
    backlog.bytes += message.bytes();
    bytes += message.bytes();
    queuedDevices.putIfAbsent(message.device(), backlog);
    while (backlog.messages.size() > MAX_DEVICE_MESSAGES
        || (backlog.bytes > MAX_DEVICE_BYTES && backlog.messages.size() > 1)) {
      drop(message.device(), backlog);
    }
    while (bytes > MAX_TOTAL_BYTES) {
      Map.Entry<String, Backlog> largest =
          Collections.max(
              queuedDevices.entrySet(), Comparator.comparingLong(other -> other.getValue().bytes));
      drop(largest.getKey(), largest.getValue());
    }
  }

  private void drop(String device, Backlog backlog) {
    Message candidate = backlog.messages.peekFirst();
    for (Message message : backlog.messages) {
      if (backlog.kinds.get(message.kind()) > 1) {
        candidate = message;
        break;
      }
    }
    backlog.messages.removeFirstOccurrence(candidate);
    removed(device, backlog, candidate);
    dropped.accept(device);
  }

  private void removed(String device, Backlog backlog, Message message) {
    backlog.bytes -= message.bytes();
    bytes -= message.bytes();
    backlog.kinds.computeIfPresent(message.kind(), (kind, count) -> count == 1 ? null : count - 1);
    if (backlog.messages.isEmpty()) {
      queuedDevices.remove(device);
    }
  }

  boolean isEmpty() {
    return queuedDevices.isEmpty();
  }

  /** Removes and returns the next message; null if the queue is empty. */
  Message next() {
    Iterator<Map.Entry<String, Backlog>> first = queuedDevices.entrySet().iterator();
    if (!first.hasNext()) {
      return null;
    }
    Map.Entry<String, Backlog> entry = first.next();
    String device = entry.getKey();
    Backlog backlog = entry.getValue();
    first.remove();
    Message message = backlog.messages.removeFirst();
    removed(device, backlog, message);
    if (!backlog.messages.isEmpty()) {
      queuedDevices.put(device, backlog);
    }
    return message;
  }
}
