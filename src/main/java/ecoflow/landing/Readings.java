package ecoflow.landing;

import ecoflow.normal.NormalValue;
import ecoflow.normal.Normalised;
import ecoflow.quota.DeviceValues;
import ecoflow.quota.Quotas;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;

/** Creates readings from normalised values, or from raw values of models without them. */
final class Readings {

  private static final List<String> RAW_CHARGE =
      List.of(
          "bms_emsStatus.f32LcdShowSoc",
          "bms_bmsStatus.f32ShowSoc",
          "ems.f32LcdShowSoc",
          "bmsMaster.f32ShowSoc",
          "cms_batt_soc",
          "cmsBattSoc",
          "20_1.batSoc",
          "bat_soc",
          "pd.soc",
          "bms_batt_soc",
          "bmsBattSoc",
          "soc");

  private static final List<String> RAW_INPUT =
      List.of("pow_in_sum_w", "powInSumW", "pd.wattsInSum", "watts_in_sum", "wattsInSum");

  private static final List<String> RAW_OUTPUT =
      List.of("pow_out_sum_w", "powOutSumW", "pd.wattsOutSum", "watts_out_sum", "wattsOutSum");

  private static final String CHARGE = "battery_charge_ratio";

  /** The charge of a pack; also the charge of the device if it has only one pack. */
  private static final String PACK_CHARGE = "battery_pack_charge_ratio";

  private static final String AC_INPUT = "port_input_power_watts{ac_in}";
  private static final double RATIO_PER_PERCENT = 0.01;

  /**
   * The reading of a device at one time.
   *
   * @param counts the counters of energies
   */
  record Result(Reading reading, List<Energy.Count> counts) {

    static final Result NONE = new Result(Reading.NONE, List.of());
  }

  private final Normalised normalised;
  private final Quotas quotas;

  Readings(Normalised normalised, Quotas quotas) {
    this.normalised = normalised;
    this.quotas = quotas;
  }

  Result of(String serial) {
    Result result =
        of(
            normalised.family(serial),
            normalised.of(serial),
            quotas.valuesOf(serial),
            normalised.hasRows(serial, CHARGE));
    return normalised.countsEnergy() ? result : new Result(result.reading(), List.of());
  }

  /**
   * @param isChargeNormalised whether the table has rows for the charge of the model; in that case,
   *     raw values are not used for it
   */
  static Result of(
      String family, List<NormalValue> normal, DeviceValues values, boolean isChargeNormalised) {
    Map<String, NormalValue> single = single(normal);
    Map<String, Double> raw = new HashMap<>();
    for (int i = 0; i < values.keys().length; i++) {
      raw.put(values.keys()[i], values.values()[i]);
    }
    Reading reading =
        new Reading(
            family,
            isChargeNormalised
                ? first(value(single, CHARGE), value(single, PACK_CHARGE))
                : RATIO_PER_PERCENT * rawCharge(raw),
            value(single, "solar_power_watts"),
            value(single, "grid_power_watts"),
            value(single, "home_load_power_watts"),
            value(single, "battery_power_watts"),
            first(value(single, "input_power_watts"), raw(raw, RAW_INPUT)),
            value(single, AC_INPUT),
            first(
                value(single, "output_power_watts"),
                raw(raw, RAW_OUTPUT),
                // A plug has no other output.
                value(single, "port_output_power_watts")),
            value(single, "battery_time_to_full_seconds"),
            value(single, "battery_time_to_empty_seconds"));
    return new Result(reading, counts(single));
  }

  private static List<Energy.Count> counts(Map<String, NormalValue> single) {
    List<Energy.Count> counts = new ArrayList<>();
    for (Energy energy : Energy.values()) {
      energy.metrics().stream()
          .map(single::get)
          .filter(found -> found != null)
          .findFirst()
          .ifPresent(
              found ->
                  counts.add(
                      new Energy.Count(
                          energy, found.value(), "computed".equals(found.labels().get("origin")))));
    }
    return counts;
  }

  /** The values of the metrics with a single series, and the power of the AC input. */
  private static Map<String, NormalValue> single(List<NormalValue> values) {
    Map<String, NormalValue> single = new HashMap<>();
    for (NormalValue value : values) {
      // A metric with several series has no single value; its key remains, without a value.
      single.put(value.name(), single.containsKey(value.name()) ? null : value);
      if (value.name().equals("port_input_power_watts")
          && "ac_in".equals(value.labels().get("port"))) {
        single.put(AC_INPUT, value);
      }
    }
    return single;
  }

  private static double value(Map<String, NormalValue> single, String name) {
    NormalValue found = single.get(name);
    return found == null ? Double.NaN : found.value();
  }

  private static double first(double... values) {
    return DoubleStream.of(values).filter(Reading::isKnown).findFirst().orElse(Double.NaN);
  }

  /** The first charge other than 0, because many models send 0 for an absent battery. */
  private static double rawCharge(Map<String, Double> values) {
    return RAW_CHARGE.stream()
        .filter(values::containsKey)
        .mapToDouble(values::get)
        .filter(percent -> percent != 0)
        .findFirst()
        .orElse(Double.NaN);
  }

  private static double raw(Map<String, Double> values, List<String> keys) {
    return keys.stream()
        .filter(values::containsKey)
        .mapToDouble(values::get)
        .findFirst()
        .orElse(Double.NaN);
  }
}
