package ecoflow.command;

/**
 * A device in the device list.
 *
 * @param decoder the decoder of its values, or a note that the model is not known
 */
public record ListedDevice(
    String serial, String name, String product, boolean online, String decoder) {}
