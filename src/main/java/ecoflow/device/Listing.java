package ecoflow.device;

import ecoflow.text.Lines;
import java.util.Map;

/** The entry of a device in the device list; name and product are null if missing. */
public record Listing(boolean found, boolean online, String name, String product) {

  static final Listing MISSING = new Listing(false, false, null, null);

  /** Reads an entry of a list, with the members sn, deviceName, online and productName. */
  public static Listing of(Map<?, ?> entry) {
    return new Listing(
        true,
        Devices.isOn(entry.get("online")),
        textOrNull(entry.get("deviceName")),
        textOrNull(entry.get("productName")));
  }

  /** The serial number of an entry as a string; empty if it is missing. */
  public static String serial(Object value) {
    return value == null ? "" : Lines.name(String.valueOf(value).strip()).strip();
  }

  private static String textOrNull(Object value) {
    String text = value instanceof String given ? Lines.name(given.strip()).strip() : "";
    return text.isEmpty() ? null : text;
  }
}
