package ecoflow.device;

import ecoflow.text.Lines;
import java.util.Optional;

/** The labels of a device's series. */
public record Labels(String device, String deviceName, String productName, String generalKey) {

  /** The user's settings for a device; null or blank values are not set. */
  record Overrides(String name, String product, String generalKey) {}

  /**
   * The user's settings take precedence over EcoFlow's API, and the API over the catalogue.
   *
   * @param apiName null for none
   * @param apiProduct null for none
   */
  static Labels resolve(
      String serial, Overrides overrides, String apiName, String apiProduct, Catalogue catalogue) {
    Optional<Catalogue.Entry> entry = catalogue.find(serial);
    String model = entry.map(Catalogue.Entry::name).orElse(null);
    // The API returns the serial number as the name of a device without a name.
    String givenName = serial.equals(apiName) ? null : apiName;
    String modelName =
        model == null ? null : model + "-" + serial.substring(Math.max(0, serial.length() - 4));
    return new Labels(
        serial,
        firstGiven(overrides.name(), givenName, modelName, serial),
        firstGiven(overrides.product(), apiProduct, model, "Unknown"),
        firstGiven(
            overrides.generalKey(),
            entry.map(Catalogue.Entry::generalKey).orElse(null),
            "unknown"));
  }

  private static String firstGiven(String... candidates) {
    for (String candidate : candidates) {
      String text = candidate == null ? "" : Lines.name(candidate);
      if (!text.isBlank()) {
        return text;
      }
    }
    return "";
  }
}
