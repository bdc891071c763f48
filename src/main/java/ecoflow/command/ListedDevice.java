package ecoflow.command;

/**
 * A device in the device list.
 *
 * @param decoder the decoder of its values, or "unknown model"
 */
public record ListedDevice(
    String serial, String name, String product, boolean online, String decoder) {}
