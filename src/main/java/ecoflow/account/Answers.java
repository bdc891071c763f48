package ecoflow.account;

import ecoflow.device.Device;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads EcoFlow's JSON answers: {@code {code, message, data}}. */
public final class Answers {

  private static final int SHOWN_CHARACTERS = 120;

  private Answers() {}

  /**
   * The data of a successful answer. Success is only code 0, which comes as text or as a number.
   *
   * @throws CloudException with EcoFlow's code and message, and what the code means if that is
   *     known
   */
  public static Object data(Object answer) throws CloudException {
    if (!(answer instanceof Map<?, ?> map)) {
      throw new CloudException("", "the answer is not a JSON object");
    }
    String code = map.get("code") == null ? "" : String.valueOf(map.get("code")).strip();
    if (code.isEmpty()) {
      throw new CloudException("", "the answer has no code (" + message(map) + ")");
    }
    if (!code.equals("0")) {
      throw new CloudException(code, "code " + code + " (" + message(map) + ")", advice(code));
    }
    return map.get("data");
  }

  /** As {@link #data}, for answers whose data is an object. */
  static Map<?, ?> object(Object answer) throws CloudException {
    if (data(answer) instanceof Map<?, ?> map) {
      return map;
    }
    throw new CloudException("0", "the answer holds no data");
  }

  static String text(Map<?, ?> map, String key, String where) throws CloudException {
    Object value = map.get(key);
    if (value == null || String.valueOf(value).isBlank()) {
      throw new CloudException("0", where + " lacks " + key);
    }
    return String.valueOf(value).strip();
  }

  private static String message(Map<?, ?> map) {
    String message = String.valueOf(map.get("message")).replaceAll("\\p{Cntrl}", " ");
    return message.length() <= SHOWN_CHARACTERS
        ? message
        : message.substring(0, SHOWN_CHARACTERS) + "...";
  }

  // Source: EcoFlow's developer documentation and what users reported of each code.
  private static String advice(String code) {
    return switch (code) {
      case "1006" ->
          ": the device is not open to developer keys or not bound to them;"
              + " the account modes mqtt and device can read it";
      case "2026" ->
          ": ECOFLOW_ACCOUNT_USER or ECOFLOW_ACCOUNT_PASSWORD is wrong"
              + " (accounts of Google and Apple have no password)";
      case "8512" -> ": no permission for this device";
      case "8513" ->
          ": ECOFLOW_ACCESS_KEY is wrong or belongs to another region (see ECOFLOW_API_HOST)";
      case "8521" -> ": check the clock of this machine and ECOFLOW_SECRET_KEY";
      default -> "";
    };
  }

  /** The developer API's list: an array of {sn, deviceName, online 0/1, productName}. */
  static Map<String, Device.Listing> deviceList(Object answer) throws CloudException {
    if (!(data(answer) instanceof Collection<?> entries)) {
      throw new CloudException("0", "the device list is not an array");
    }
    Map<String, Device.Listing> list = new LinkedHashMap<>();
    for (Object entry : entries) {
      if (entry instanceof Map<?, ?> device) {
        addListing(list, device.get("sn"), device);
      }
    }
    return list;
  }

  /**
   * The app's list: {bound: {SN: device}, share: {SN: device}}, where instead of one device a group
   * of them can stand.
   */
  static Map<String, Device.Listing> accountDevices(Object answer) throws CloudException {
    Map<?, ?> data = object(answer);
    Map<String, Device.Listing> list = new LinkedHashMap<>();
    for (String part : new String[] {"share", "bound"}) {
      if (data.get(part) instanceof Map<?, ?> devices) {
        devices.forEach((key, value) -> addAccountDevice(list, key, value));
      }
    }
    return list;
  }

  private static void addAccountDevice(Map<String, Device.Listing> list, Object key, Object value) {
    if (value instanceof Collection<?> group) {
      group.forEach(member -> addAccountDevice(list, null, member));
    } else if (value instanceof Map<?, ?> device) {
      addListing(list, device.get("sn") == null ? key : device.get("sn"), device);
    }
  }

  private static void addListing(
      Map<String, Device.Listing> list, Object serial, Map<?, ?> device) {
    if (serial == null || String.valueOf(serial).isBlank()) {
      return;
    }
    list.put(
        String.valueOf(serial).strip(),
        new Device.Listing(
            true,
            Device.isOn(device.get("online")),
            textOrNull(device.get("deviceName")),
            textOrNull(device.get("productName"))));
  }

  private static String textOrNull(Object value) {
    return value instanceof String text && !text.isBlank() ? text.strip() : null;
  }
}
