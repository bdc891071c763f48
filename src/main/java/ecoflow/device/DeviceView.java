package ecoflow.device;

import java.util.OptionalLong;

/**
 * A device as it is at one moment.
 *
 * @param shown whether its values may be shown
 * @param missing whether the newest device list lacks it
 * @param lastUpdateMillis milliseconds since 1970 of its last value, empty before the first
 */
public record DeviceView(
    String serial,
    Labels labels,
    boolean online,
    boolean shown,
    boolean missing,
    OptionalLong lastUpdateMillis) {}
