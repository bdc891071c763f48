package ecoflow.device;

import java.util.OptionalLong;

/**
 * A device as it is at one moment.
 *
 * @param shown whether its values may be shown
 * @param absence what the newest device list, which lacks the device, makes of it; empty if the
 *     list has it, or if it is online all the same
 * @param lastUpdateMillis milliseconds since 1970 of its last value, empty before the first
 */
public record DeviceView(
    String serial,
    Labels labels,
    boolean online,
    boolean shown,
    String absence,
    OptionalLong lastUpdateMillis) {

  /** Whether the newest device list lacks the device, which is not online. */
  public boolean missing() {
    return !absence.isEmpty();
  }
}
