package ecoflow.device;

import java.util.OptionalLong;

/**
 * A snapshot of a device's state.
 *
 * @param account the name of its account; empty without a name, and for a device of another source
 * @param shown whether its values may be shown
 * @param absence text about a device that is not in the newest device list; empty if the device is
 *     in the list or if it is online nevertheless
 * @param lastUpdateMillis milliseconds since 1970 of its last value; empty before the first one
 */
public record DeviceView(
    String serial,
    String account,
    Labels labels,
    boolean online,
    boolean shown,
    String absence,
    OptionalLong lastUpdateMillis) {

  /** Whether the device is not in the newest device list, and not online. */
  public boolean missing() {
    return !absence.isEmpty();
  }
}
