package ecoflow.cloud;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * The faults to come. A queued fault serves one request and goes before a lasting one.
 *
 * <p>A path stands for all its requests, or with "?sn=" and a serial number behind it for those
 * about one device; the latter goes first.
 */
public final class Faults {

  private final Map<String, Deque<Fault>> queued = new HashMap<>();
  private final Map<String, Fault> lasting = new HashMap<>();

  public synchronized void next(String path, Fault... faults) {
    queued.computeIfAbsent(path, unused -> new ArrayDeque<>()).addAll(Arrays.asList(faults));
  }

  public synchronized void always(String path, Fault fault) {
    lasting.put(path, fault);
  }

  public synchronized void clear() {
    queued.clear();
    lasting.clear();
  }

  /** The queued faults of a path that no request has met yet. */
  public synchronized int pending(String path) {
    Deque<Fault> faults = queued.get(path);
    return faults == null ? 0 : faults.size();
  }

  synchronized Fault take(String path, String serial) {
    Fault fault = take(path + "?sn=" + serial);
    return fault == Fault.NONE ? take(path) : fault;
  }

  private Fault take(String path) {
    Deque<Fault> faults = queued.get(path);
    Fault next = faults == null ? null : faults.poll();
    return next != null ? next : lasting.getOrDefault(path, Fault.NONE);
  }
}
