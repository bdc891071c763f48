package ecoflow.device;

import java.util.Map;

/** What the device list of the cloud says of one device; name and product are null if nothing. */
public record Listing(boolean found, boolean online, String name, String product) {

  static final Listing MISSING = new Listing(false, false, null, null);

  /** Reads an entry {sn, deviceName, online, productName} of a list. */
  public static Listing of(Map<?, ?> entry) {
    return new Listing(
        true,
        Devices.isOn(entry.get("online")),
        textOrNull(entry.get("deviceName")),
        textOrNull(entry.get("productName")));
  }

  private static String textOrNull(Object value) {
    return value instanceof String text && !text.isBlank() ? text.strip() : null;
  }
}
