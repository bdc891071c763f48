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

  record Condition(String key, String value) {

    boolean matches(Header header, String serial) {
      return switch (key) {
        case "sn" -> serial != null && serial.startsWith(value);
        // A product id is the product type times 256 plus the model.
        case "product" -> header.getProductId() >> 8 == Integer.parseInt(value);
        case "src" -> header.getSrc() == Integer.parseInt(value);
        default -> throw new IllegalStateException("No condition " + key);
      };
    }
  }

  static DeviceCondition parse(String text) {
    if (text.isEmpty()) {
      return new DeviceCondition(List.of());
    }
    return new DeviceCondition(
        Arrays.stream(text.split(" "))
            .map(condition -> condition.split(":", 2))
            .map(pair -> new Condition(pair[0], pair[1]))
            .toList());
  }

  boolean matches(Header header, String serial) {
    return conditions.isEmpty()
        || conditions.stream().anyMatch(condition -> condition.matches(header, serial));
  }
}
