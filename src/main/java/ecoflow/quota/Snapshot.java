package ecoflow.quota;

import java.util.List;
import java.util.function.Supplier;

/**
 * All values at one time.
 *
 * @param byName returns the series grouped by name, in the order of the page; computed only if
 *     needed
 * @param devices sorted by serial number
 */
public record Snapshot(Supplier<List<Family>> byName, List<DeviceValues> devices) {

  /** Sorted by name. */
  public List<Family> families() {
    return byName.get();
  }
}
