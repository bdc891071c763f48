package ecoflow.payload;

import ecoflow.device.Devices;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The quotas in a JSON message. The source of the formats is the traffic of EcoFlow's app. A push
 * is {@code {params: {key: value}}}; some models use {@code param} instead, or both, one of them
 * empty; in other pushes, the keys are members of the message itself. A reply is {@code
 * {operateType: "latestQuotas", data: {online, quotaMap: {key: value}}}}.
 *
 * @param quotas raw quota keys to values, a map that routes may modify
 * @param full whether the message contains all values of the device
 * @param online the online state in the message; null if absent
 * @param error the reason why the message is not valid, for the log; null for a valid message
 */
record JsonMessage(Map<String, Object> quotas, boolean full, Boolean online, String error) {

  /** Members of a flat message that are part of the envelope and are not values of the device. */
  private static final Set<String> ENVELOPE =
      Set.of(
          "id",
          "version",
          "timestamp",
          "time",
          "moduleType",
          "moduleSn",
          "typeCode",
          "operateType",
          "from",
          "addr",
          "cmdFunc",
          "cmdId",
          "cmdSet",
          "need_ack",
          "needAck",
          "ack",
          "tid",
          "code",
          "message",
          "data",
          "param",
          "params");

  private static final List<String> BODIES = List.of("param", "params");

  static JsonMessage of(Map<?, ?> message) {
    Map<?, ?> data = data(message);
    Boolean online = data.get("online") == null ? null : Devices.isOn(data.get("online"));
    if (data.get("quotaMap") instanceof Map<?, ?> quotas) {
      return new JsonMessage(asQuotas(quotas), true, online, null);
    }
    Map<?, ?> body = body(message);
    if (!body.isEmpty()) {
      return new JsonMessage(asQuotas(body), false, online, null);
    }
    Map<String, Object> flat = new LinkedHashMap<>(asQuotas(message));
    flat.keySet().removeAll(ENVELOPE);
    return new JsonMessage(flat, false, online, hasValues(flat) ? null : error(message));
  }

  /**
   * Whether one of the members can be a value. Strings such as a serial number are not values,
   * except for strings with JSON.
   */
  static boolean hasValues(Map<?, ?> members) {
    return members.values().stream()
        .anyMatch(value -> value instanceof String text ? text.startsWith("{") : value != null);
  }

  /**
   * A message on the status topic: {@code {params: {status: 0}}} reports that the device is
   * offline.
   */
  static JsonMessage ofStatus(Map<?, ?> message) {
    Map<?, ?> body = body(message);
    Object status = body.get("status");
    return new JsonMessage(
        new LinkedHashMap<>(),
        false,
        status == null ? null : Devices.isOn(status),
        body.isEmpty() ? error(message) : null);
  }

  private static Map<?, ?> data(Map<?, ?> message) {
    return message.get("data") instanceof Map<?, ?> data ? data : Map.of();
  }

  /** The first non-empty object that can contain the values of a push; empty if none exists. */
  static Map<?, ?> body(Map<?, ?> message) {
    for (Map<?, ?> parent : List.of(message, data(message))) {
      for (String name : BODIES) {
        if (parent.get(name) instanceof Map<?, ?> body && !body.isEmpty()) {
          return body;
        }
      }
    }
    return Map.of();
  }

  /**
   * A description of the first member that should be an object but is not; null if all are objects
   * or absent.
   */
  private static String error(Map<?, ?> message) {
    for (Map<?, ?> parent : List.of(message, data(message))) {
      for (String name : BODIES) {
        if (parent.containsKey(name) && !(parent.get(name) instanceof Map<?, ?>)) {
          return name + " is " + kind(parent.get(name)) + " instead of an object";
        }
      }
    }
    Object quotas = data(message).get("quotaMap");
    // A device that has never sent values does not have a quotaMap.
    return quotas == null ? null : "quotaMap is " + kind(quotas) + " instead of an object";
  }

  private static String kind(Object value) {
    if (value == null) {
      return "null";
    }
    if (value instanceof Collection<?>) {
      return "an array";
    }
    return value instanceof Number
        ? "a number"
        : value instanceof Boolean ? "a boolean" : "a string";
  }

  @SuppressWarnings("unchecked") // Keys in JSON are strings.
  private static Map<String, Object> asQuotas(Map<?, ?> quotas) {
    return (Map<String, Object>) quotas;
  }
}
