package ecoflow.quota;

import java.util.List;

/**
 * All series of one name.
 *
 * @param name without the exporter's prefix
 * @param rawKey the first series' key as the device sent it, without indexes
 * @param series sorted by serial number, then by indexes
 */
public record Family(String name, String rawKey, List<Series> series) {

  /**
   * @param indexes the places in the lists around the value, outermost first: positions, or what an
   *     item names as its place, such as a pack's number or a serial number
   */
  public record Series(String serial, List<String> indexes, double value) {}
}
