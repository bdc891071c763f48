package ecoflow.landing;

import ecoflow.normal.NormalValue;
import ecoflow.normal.Normalised;
import ecoflow.quota.DeviceValues;
import ecoflow.quota.Quotas;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

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

  private static final double RATIO_PER_PERCENT = 0.01;

  private final Normalised normalised;
  private final Quotas quotas;

  Readings(Normalised normalised, Quotas quotas) {
    this.normalised = normalised;
    this.quotas = quotas;
  }

  Reading of(String serial) {
    return of(normalised.of(serial), quotas.valuesOf(serial), normalised.hasRows(serial, CHARGE));
  }

  /**
   * @param isChargeNormalised whether the table has rows for the charge of the model; in that case,
   *     raw values are not used for it
   */
  static Reading of(List<NormalValue> normal, DeviceValues values, boolean isChargeNormalised) {
    Map<String, Double> raw = new HashMap<>();
    for (int i = 0; i < values.keys().length; i++) {
      raw.put(values.keys()[i], values.values()[i]);
    }
    return new Reading(
        isChargeNormalised
            ? first(List.of(single(normal, CHARGE), single(normal, PACK_CHARGE)))
            : ratio(rawCharge(raw)),
        first(
            List.of(
                single(normal, "input_power_watts"),
                single(normal, "solar_power_watts"),
                raw(raw, RAW_INPUT))),
        first(
            List.of(
                single(normal, "output_power_watts"),
                single(normal, "home_load_power_watts"),
                raw(raw, RAW_OUTPUT),
                // A plug has no other output.
                single(normal, "port_output_power_watts"))),
        single(normal, "battery_time_to_full_seconds"),
        single(normal, "battery_time_to_empty_seconds"));
  }

  private static OptionalDouble first(List<OptionalDouble> values) {
    return values.stream()
        .filter(OptionalDouble::isPresent)
        .findFirst()
        .orElse(OptionalDouble.empty());
  }

  /** The value of a metric with a single series; empty otherwise. */
  private static OptionalDouble single(List<NormalValue> values, String name) {
    List<NormalValue> found = values.stream().filter(value -> value.name().equals(name)).toList();
    return found.size() == 1 ? OptionalDouble.of(found.get(0).value()) : OptionalDouble.empty();
  }

  /** The first charge other than 0, because many models send 0 for an absent battery. */
  private static OptionalDouble rawCharge(Map<String, Double> values) {
    return RAW_CHARGE.stream()
        .filter(values::containsKey)
        .mapToDouble(values::get)
        .filter(percent -> percent != 0)
        .findFirst();
  }

  private static OptionalDouble raw(Map<String, Double> values, List<String> keys) {
    return keys.stream().filter(values::containsKey).mapToDouble(values::get).findFirst();
  }

  private static OptionalDouble ratio(OptionalDouble percent) {
    return percent.isPresent()
        ? OptionalDouble.of(percent.getAsDouble() * RATIO_PER_PERCENT)
        : OptionalDouble.empty();
  }
}
