package ecoflow.landing;

import ecoflow.normal.NormalValue;
import ecoflow.normal.Normalised;
import ecoflow.quota.DeviceValues;
import ecoflow.quota.Quotas;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** Creates readings from normalised values, or from raw values if the model lacks these. */
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

  /** The charge of a pack, which is the charge of the device if there is only one pack. */
  private static final String PACK_CHARGE = "battery_pack_charge_ratio";

  private static final double PERCENT = 0.01;

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
   * @param isChargeNormalised whether the model has rows for its charge; then the charge is unknown
   *     if these rows have no value
   */
  static Reading of(List<NormalValue> normal, DeviceValues values, boolean isChargeNormalised) {
    Map<String, Double> raw = new HashMap<>();
    for (int i = 0; i < values.keys().length; i++) {
      raw.put(values.keys()[i], values.values()[i]);
    }
    return new Reading(
        isChargeNormalised
            ? first(List.of(one(normal, CHARGE), one(normal, PACK_CHARGE)))
            : ratio(rawCharge(raw)),
        first(
            List.of(
                one(normal, "input_power_watts"),
                one(normal, "solar_power_watts"),
                raw(raw, RAW_INPUT))),
        first(
            List.of(
                one(normal, "output_power_watts"),
                one(normal, "home_load_power_watts"),
                raw(raw, RAW_OUTPUT),
                // The only output of a plug.
                one(normal, "port_output_power_watts"))),
        one(normal, "battery_time_to_full_seconds"),
        one(normal, "battery_time_to_empty_seconds"));
  }

  private static OptionalDouble first(List<OptionalDouble> values) {
    return values.stream()
        .filter(OptionalDouble::isPresent)
        .findFirst()
        .orElse(OptionalDouble.empty());
  }

  /** The only value of a metric; empty if there are several, because the choice is ambiguous. */
  private static OptionalDouble one(List<NormalValue> values, String name) {
    List<NormalValue> found = values.stream().filter(value -> value.name().equals(name)).toList();
    return found.size() == 1 ? OptionalDouble.of(found.get(0).value()) : OptionalDouble.empty();
  }

  /** The first charge that is not 0: many models send 0 for the charge of an absent battery. */
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
        ? OptionalDouble.of(percent.getAsDouble() * PERCENT)
        : OptionalDouble.empty();
  }
}
