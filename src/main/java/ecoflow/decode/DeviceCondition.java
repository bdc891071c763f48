package ecoflow.decode;

import ecoflow.decode.proto.Header;
import java.util.Arrays;
import java.util.List;

/**
 * Tells devices apart that send different messages under one command. Written as conditions with
 * spaces between, of which one must hold: {@code sn:HW52} the serial number starts so, {@code
 * product:83} the product type, {@code src:2} the sending part. No condition fits every device.
 */
record DeviceCondition(List<Condition> conditions) {

  /**
   * @param number the value, where it is a number
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

  /** Whether a condition is about the beginning of this serial number. */
  boolean names(String serial) {
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
