package ecoflow.fleet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.config.AccountSettings;
import ecoflow.config.Settings.Mode;
import ecoflow.device.Devices;
import ecoflow.device.Labels;
import ecoflow.text.Lines;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A valid record of the topic of devices.
 *
 * @param labels null if the device is no longer served
 * @param mode empty for a device of another source
 * @param accountLabels the labels of the account
 * @param online empty if unknown
 * @param epochMillis the time of the record, in milliseconds since 1970 and not in the future
 */
record DeviceRecord(
    String serial,
    Labels labels,
    String account,
    Optional<Mode> mode,
    Map<String, String> accountLabels,
    Optional<Boolean> online,
    long epochMillis) {

  /** The newest version of the format. */
  static final int SCHEMA = 1;

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Map<String, Mode> MODES =
      Stream.of(Mode.values()).collect(Collectors.toMap(Mode::label, mode -> mode));

  boolean isRemoval() {
    return labels == null;
  }

  /**
   * @param value null if the device is no longer served
   * @throws RejectedException if the record is not valid
   */
  static DeviceRecord read(String serial, byte[] value, long epochMillis) throws RejectedException {
    if (!Devices.isSerial(serial)) {
      throw RejectedException.invalidKey(serial);
    }
    // A later time would outlast all records and messages until then.
    long millis = Math.min(epochMillis, System.currentTimeMillis());
    if (value == null) {
      return new DeviceRecord(
          serial, null, "", Optional.empty(), Map.of(), Optional.empty(), millis);
    }
    JsonNode json = parse(value);
    JsonNode schema = json.path("schema");
    if (!schema.isInt() || schema.asInt() < 1) {
      throw new RejectedException(Reason.VALUE, "the record has no member schema");
    }
    if (schema.asInt() > SCHEMA) {
      throw RejectedException.newerSchema(schema.asText());
    }
    String account = json.path("account").asText("");
    Map<String, String> labels = new TreeMap<>();
    json.path("labels")
        .properties()
        .forEach(label -> labels.put(label.getKey(), label.getValue().asText()));
    if (!AccountSettings.isValid(account, labels)) {
      throw new RejectedException(Reason.VALUE, "the account or its labels are not valid");
    }
    return new DeviceRecord(
        serial,
        new Labels(
            serial,
            text(json, "name", serial),
            text(json, "product", "Unknown"),
            text(json, "generalKey", "unknown")),
        account,
        mode(json.path("mode").asText(""), Reason.VALUE),
        Map.copyOf(labels),
        json.path("online").isBoolean()
            ? Optional.of(json.path("online").asBoolean())
            : Optional.empty(),
        millis);
  }

  private static JsonNode parse(byte[] value) throws RejectedException {
    try {
      JsonNode json = JSON.readTree(value);
      if (json != null && json.isObject()) {
        return json;
      }
    } catch (IOException e) {
      throw new RejectedException(Reason.VALUE, Lines.parserMessage(e));
    }
    throw new RejectedException(Reason.VALUE, "the value is not a JSON object");
  }

  private static String text(JsonNode json, String member, String fallback) {
    String text = Lines.name(json.path(member).asText(""));
    return text.isBlank() ? fallback : text;
  }

  /**
   * @param label empty for a device of another source
   * @param reason of the exception
   */
  static Optional<Mode> mode(String label, Reason reason) throws RejectedException {
    if (label.isEmpty()) {
      return Optional.empty();
    }
    Mode mode = MODES.get(label);
    if (mode == null) {
      throw new RejectedException(
          reason, "the mode is '" + Lines.oneLine(label) + "', which is unknown");
    }
    return Optional.of(mode);
  }
}
