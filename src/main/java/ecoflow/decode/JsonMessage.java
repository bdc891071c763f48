package ecoflow.decode;

import ecoflow.device.Device;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The quotas in a JSON message. Source of the shapes: traffic of EcoFlow's app. A push is {@code
 * {params: {key: value}}}, some models say {@code param}; a reply is {@code {operateType:
 * "latestQuotas", data: {online, quotaMap: {key: value}}}}.
 *
 * @param quotas raw quota keys to values
 * @param full whether these are all values of the device
 * @param online what the message says of the device, null if nothing
 */
record JsonMessage(Map<String, Object> quotas, boolean full, Boolean online) {

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
          "data");

  static JsonMessage of(Map<?, ?> message) {
    if (message.get("data") instanceof Map<?, ?> data) {
      Boolean online = data.get("online") == null ? null : Device.isOn(data.get("online"));
      if (data.get("quotaMap") instanceof Map<?, ?> quotas) {
        return new JsonMessage(named(quotas), true, online);
      }
      return new JsonMessage(Map.of(), false, online);
    }
    for (String member : new String[] {"params", "param"}) {
      if (message.get(member) instanceof Map<?, ?> quotas) {
        return new JsonMessage(named(quotas), false, null);
      }
    }
    Map<String, Object> flat = named(message);
    flat.keySet().removeAll(ENVELOPE);
    return new JsonMessage(flat, false, null);
  }

  /** A message on the status topic: {@code {params: {status: 0}}} says that the device is off. */
  static JsonMessage ofStatus(Map<?, ?> message) {
    Object status = message.get("params") instanceof Map<?, ?> params ? params.get("status") : null;
    return new JsonMessage(Map.of(), false, status == null ? null : Device.isOn(status));
  }

  private static Map<String, Object> named(Map<?, ?> quotas) {
    Map<String, Object> named = new LinkedHashMap<>();
    quotas.forEach((key, value) -> named.put(String.valueOf(key), value));
    return named;
  }
}
