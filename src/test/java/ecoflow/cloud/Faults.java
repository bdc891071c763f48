package ecoflow.cloud;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * The faults of future requests. A queued fault applies to one request and precedes a permanent
 * one; a fault for a device precedes those for the whole path.
 */
public final class Faults {

  private static final String SERIAL_QUERY = "?sn=";

  private final Map<String, Deque<Fault>> queued = new HashMap<>();
  private final Map<String, Fault> permanent = new HashMap<>();

  public synchronized void next(String path, Fault... faults) {
    queued.computeIfAbsent(path, unused -> new ArrayDeque<>()).addAll(Arrays.asList(faults));
  }

  public synchronized void always(String path, Fault fault) {
    permanent.put(path, fault);
  }

  /** For requests to a path with the serial number of the device. */
  public void next(String path, SimulatedDevice device, Fault... faults) {
    next(path + SERIAL_QUERY + device.serial(), faults);
  }

  /** For requests to a path with the serial number of the device. */
  public void always(String path, SimulatedDevice device, Fault fault) {
    always(path + SERIAL_QUERY + device.serial(), fault);
  }

  public synchronized void clear() {
    queued.clear();
    permanent.clear();
  }

  /** Number of queued faults of a path that have not been used yet. */
  public synchronized int pending(String path) {
    Deque<Fault> faults = queued.get(path);
    return faults == null ? 0 : faults.size();
  }

  synchronized Fault take(String path, String serial) {
    Fault fault = take(path + SERIAL_QUERY + serial);
    return fault == Fault.NONE ? take(path) : fault;
  }

  private Fault take(String path) {
    Deque<Fault> faults = queued.get(path);
    Fault next = faults == null ? null : faults.poll();
    return next != null ? next : permanent.getOrDefault(path, Fault.NONE);
  }
}
