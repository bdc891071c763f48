package ecoflow.decode;

import ecoflow.decode.proto.Header;
import java.util.Arrays;
import java.util.List;

/**
 * Distinguishes devices that send different messages with the same command. The text form is a list
 * of conditions, separated by spaces, at least one of which must be true: {@code sn:HW52} for the
 * start of the serial number, {@code product:83} for the product type, {@code src:2} for the
 * sending part of the device. Empty text matches every device.
 */
record DeviceCondition(List<Condition> conditions) {

  /**
   * @param number the value as a number; 0 for sn
   */
  record Condition(String key, String value, int number) {

    static Condition parse(String text) {
      String[] pair = text.split(":", 2);
      boolean isText = pair[0].equals("sn");
      return new Condition(pair[0], pair[1], isText ? 0 : Integer.parseInt(pair[1]));
    }

    boolean matches(Header header, String serial) {
      return switch (key) {
        case "sn" -> serial != null && serial.startsWith(value);
        // A product id is the product type times 256 plus the model.
        case "product" -> header.getProductId() >> 8 == number;
        case "src" -> header.getSrc() == number;
        default -> throw new IllegalStateException("No condition " + key);
      };
    }
  }

  static DeviceCondition parse(String text) {
    if (text.isEmpty()) {
      return new DeviceCondition(List.of());
    }
    return new DeviceCondition(Arrays.stream(text.split(" ")).map(Condition::parse).toList());
  }

  /** Whether one of the sn conditions matches this serial number. */
  boolean matchesSerial(String serial) {
    return conditions.stream()
        .anyMatch(
            condition -> condition.key().equals("sn") && serial.startsWith(condition.value()));
  }

  boolean matches(Header header, String serial) {
    for (Condition condition : conditions) {
      if (condition.matches(header, serial)) {
        return true;
      }
    }
    return conditions.isEmpty();
  }
}
