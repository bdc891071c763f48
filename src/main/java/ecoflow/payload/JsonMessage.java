package ecoflow.payload;

import ecoflow.device.Devices;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The quotas in a JSON message. Source of the shapes: traffic of EcoFlow's app. A push is {@code
 * {params: {key: value}}}, some models say {@code param}, or both, one of them empty; or the keys
 * stand in the message itself. A reply is {@code {operateType: "latestQuotas", data: {online,
 * quotaMap: {key: value}}}}.
 *
 * @param quotas raw quota keys to values, a map that routes may change
 * @param full whether these are all values of the device
 * @param online what the message says of the device, null if nothing
 * @param fault why the message cannot be read, in words for the log; null if it can
 */
record JsonMessage(Map<String, Object> quotas, boolean full, Boolean online, String fault) {

  /** Members of a flat message that belong to the envelope, not to the device. */
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
      return new JsonMessage(named(quotas), true, online, null);
    }
    Map<?, ?> body = body(message);
    if (!body.isEmpty()) {
      return new JsonMessage(named(body), false, online, null);
    }
    Map<String, Object> flat = new LinkedHashMap<>(named(message));
    flat.keySet().removeAll(ENVELOPE);
    return new JsonMessage(flat, false, online, holdsValues(flat) ? null : fault(message));
  }

  /**
   * Whether one of the members can be a value. Texts such as a serial number do not make up for a
   * lost body, but those with JSON do.
   */
  static boolean holdsValues(Map<?, ?> members) {
    return members.values().stream()
        .anyMatch(value -> value instanceof String text ? text.startsWith("{") : value != null);
  }

  /** A message on the status topic: {@code {params: {status: 0}}} says that the device is off. */
  static JsonMessage ofStatus(Map<?, ?> message) {
    Map<?, ?> body = body(message);
    Object status = body.get("status");
    return new JsonMessage(
        new LinkedHashMap<>(),
        false,
        status == null ? null : Devices.isOn(status),
        body.isEmpty() ? fault(message) : null);
  }

  private static Map<?, ?> data(Map<?, ?> message) {
    return message.get("data") instanceof Map<?, ?> data ? data : Map.of();
  }

  /** The first object with members where a push can have its values; empty if there is none. */
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

  /** Names the member that should be an object and is not; null if each is one or is not there. */
  private static String fault(Map<?, ?> message) {
    for (Map<?, ?> parent : List.of(message, data(message))) {
      for (String name : BODIES) {
        if (parent.containsKey(name) && !(parent.get(name) instanceof Map<?, ?>)) {
          return name + " is " + kind(parent.get(name)) + " instead of an object";
        }
      }
    }
    Object quotas = data(message).get("quotaMap");
    // A device that never sent anything has none.
    return quotas == null ? null : "quotaMap is " + kind(quotas) + " instead of an object";
  }

  private static String kind(Object value) {
    if (value == null) {
      return "null";
    }
    if (value instanceof Collection<?>) {
      return "an array";
    }
    return value instanceof Number ? "a number" : value instanceof Boolean ? "a boolean" : "a text";
  }

  @SuppressWarnings("unchecked") // Names in JSON are texts.
  private static Map<String, Object> named(Map<?, ?> quotas) {
    return (Map<String, Object>) quotas;
  }
}
