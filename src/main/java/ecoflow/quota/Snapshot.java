package ecoflow.quota;

import java.util.List;
import java.util.function.Supplier;

/** All values at one moment. */
public final class Snapshot {

  private final Supplier<List<Family>> families;
  private final List<DeviceValues> devices;

  Snapshot(Supplier<List<Family>> families, List<DeviceValues> devices) {
    this.families = families;
    this.devices = devices;
  }

  /** By name, sorted. */
  public List<Family> families() {
    return families.get();
  }

  /** By device, sorted by serial number. */
  public List<DeviceValues> devices() {
    return devices;
  }
}
