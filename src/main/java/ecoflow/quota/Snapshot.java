package ecoflow.quota;

import java.util.List;
import java.util.function.Supplier;

/**
 * All values at one moment.
 *
 * @param byName puts them into the order of the page, for who wants that
 * @param devices sorted by serial number
 */
public record Snapshot(Supplier<List<Family>> byName, List<DeviceValues> devices) {

  /** By name, sorted. */
  public List<Family> families() {
    return byName.get();
  }
}
