package ecoflow.command;

/**
 * A device as the list of the account or of the developer keys has it.
 *
 * @param decoder how its values are read, or that its model is not known
 */
public record ListedDevice(
    String serial, String name, String product, boolean online, String decoder) {}
