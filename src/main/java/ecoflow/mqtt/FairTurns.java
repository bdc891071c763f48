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
 * Shares the time of the event loop between devices. A message is processed on arrival unless its
 * device, or all devices together, used more than their share of the last second; then it waits.
 * Waiting devices take turns, one message each. The number and size of waiting messages are limited
 * per device and in total. Beyond the limits the oldest message of the device with the largest
 * backlog is dropped, preferably one with a newer message of the same kind. The messages of one
 * device stay in order.
 *
 * <p>Not thread-safe.
 */
final class FairTurns {

  private static final long WINDOW = Duration.ofSeconds(1).toNanos();

  /** Real devices use less than a hundredth of it. */
  private static final long SHARE_OF_DEVICE = Duration.ofMillis(100).toNanos();

  /** The rest of the time is for reading from the connection and for waiting messages. */
  private static final long SHARE_OF_ALL = Duration.ofMillis(500).toNanos();

  private static final int MAX_MESSAGES = 1_000;
  private static final int MAX_BYTES_OF_DEVICE = 1 << 20;
  private static final int MAX_BYTES = 8 << 20;

  /** A broker can send messages of any number of invented devices. */
  private static final int MAX_DEVICES = 10_000;

  /**
   * A waiting message.
   *
   * @param kind equal for messages of which only the newest matters
   */
  record Message(String device, Object kind, int bytes, Runnable work) {}

  private static final class Line {
    private final Deque<Message> waiting = new ArrayDeque<>();

    /** Number of waiting messages of each kind. */
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

    void add(long took, long now) {
      if (used == 0 || now - window >= WINDOW) {
        window = now;
        used = 0;
      }
      used += took;
    }
  }

  private final Consumer<String> dropped;
  private final Map<String, Line> lines = new HashMap<>();

  /** The devices with waiting messages, in the order of their turns. */
  private final Map<String, Line> turns = new LinkedHashMap<>();

  private final Usage usageOfAll = new Usage();
  private int bytes;

  /**
   * @param dropped receives the device of each dropped message
   */
  FairTurns(Consumer<String> dropped) {
    this.dropped = dropped;
  }

  /**
   * Whether a message of the device that arrives now must wait.
   *
   * @param now in nanoseconds
   */
  boolean mustWait(String device, long now) {
    Line line = lines.get(device);
    boolean isDeviceOver =
        line != null && (!line.waiting.isEmpty() || line.usage.isOver(SHARE_OF_DEVICE, now));
    return isDeviceOver || usageOfAll.isOver(SHARE_OF_ALL, now);
  }

  /**
   * Records that a message of the device was processed on arrival.
   *
   * @param took nanoseconds
   */
  void processed(String device, long took, long now) {
    line(device).usage.add(took, now);
    usageOfAll.add(took, now);
  }

  private Line line(String device) {
    Line line = lines.get(device);
    if (line == null) {
      if (lines.size() >= MAX_DEVICES) {
        lines.keySet().retainAll(turns.keySet());
      }
      line = new Line();
      lines.put(device, line);
    }
    return line;
  }

  /** Adds a message to the backlog. */
  void add(Message message) {
    Line line = line(message.device());
    line.waiting.add(message);
    line.kinds.merge(message.kind(), 1, Integer::sum);
    line.bytes += message.bytes();
    bytes += message.bytes();
    turns.putIfAbsent(message.device(), line);
    while (line.waiting.size() > MAX_MESSAGES
        || (line.bytes > MAX_BYTES_OF_DEVICE && line.waiting.size() > 1)) {
      drop(message.device(), line);
    }
    while (bytes > MAX_BYTES) {
      Map.Entry<String, Line> largest =
          Collections.max(
              turns.entrySet(), Comparator.comparingLong(other -> other.getValue().bytes));
      drop(largest.getKey(), largest.getValue());
    }
  }

  private void drop(String device, Line line) {
    Message oldest = line.waiting.peekFirst();
    for (Message message : line.waiting) {
      if (line.kinds.get(message.kind()) > 1) {
        oldest = message;
        break;
      }
    }
    line.waiting.removeFirstOccurrence(oldest);
    left(device, line, oldest);
    dropped.accept(device);
  }

  private void left(String device, Line line, Message message) {
    line.bytes -= message.bytes();
    bytes -= message.bytes();
    line.kinds.computeIfPresent(message.kind(), (kind, count) -> count == 1 ? null : count - 1);
    if (line.waiting.isEmpty()) {
      turns.remove(device);
    }
  }

  boolean isEmpty() {
    return turns.isEmpty();
  }

  /** Removes and returns the next message; null if none waits. */
  Message next() {
    Iterator<Map.Entry<String, Line>> first = turns.entrySet().iterator();
    if (!first.hasNext()) {
      return null;
    }
    Map.Entry<String, Line> turn = first.next();
    String device = turn.getKey();
    Line line = turn.getValue();
    first.remove();
    Message message = line.waiting.removeFirst();
    left(device, line, message);
    if (!line.waiting.isEmpty()) {
      turns.put(device, line);
    }
    return message;
  }

  /** Discards all waiting messages. */
  void clear() {
    for (Line line : turns.values()) {
      line.waiting.clear();
      line.kinds.clear();
      line.bytes = 0;
    }
    turns.clear();
    bytes = 0;
  }
}
