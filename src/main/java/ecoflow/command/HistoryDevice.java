package ecoflow.command;

import java.util.List;

/**
 * A device and its labels.
 *
 * @param absence text about a device that is not in the device list; empty if it is
 * @param codes the names of EcoFlow's statistics of its model; empty if there are none
 */
public record HistoryDevice(
    String serial,
    String name,
    String product,
    String generalKey,
    String absence,
    List<String> codes) {}
