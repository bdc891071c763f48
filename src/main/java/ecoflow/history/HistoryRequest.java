package ecoflow.history;

import java.time.LocalDate;
import java.util.Map;

/**
 * A call for the energy of one device on one day. A window of one day has one value per index, and
 * EcoFlow treats both ends as inclusive.
 *
 * @param code the name of a statistic, see {@code codes.csv}
 * @param day in the time zone of the device
 */
public record HistoryRequest(String serial, String code, LocalDate day) {

  /** The body of the call. Its flattened members are part of the signature. */
  public Map<String, Object> parameters() {
    return Map.of(
        "sn",
        serial,
        "params",
        Map.of("beginTime", day + " 00:00:00", "endTime", day + " 23:59:59", "code", code));
  }
}
