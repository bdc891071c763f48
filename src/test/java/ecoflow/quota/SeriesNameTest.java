package ecoflow.quota;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SeriesNameTest {

  @Test
  void namesMatchThePythonExporter() {
    Map.ofEntries(
            Map.entry("pd.chgPowerAC", "pd_chg_power_ac"),
            Map.entry("bms_bmsStatus.f32ShowSoc", "bms_bms_status_f32_show_soc"),
            Map.entry("inv.FastChgWatts", "inv_fast_chg_watts"),
            Map.entry("20_1.invOutputWatts", "20_1_inv_output_watts"),
            Map.entry("SOC", "soc"),
            Map.entry("ACPower", "ac_power"),
            Map.entry("inv.cfgACPowerOut", "inv_cfg_ac_power_out"),
            Map.entry("ABCDefGHIj", "abc_def_gh_ij"),
            Map.entry("mppt.dc24vTemp", "mppt_dc24v_temp"),
            Map.entry("mppt.dc24VTemp", "mppt_dc24_v_temp"),
            Map.entry("A1B2", "a1_b2"),
            Map.entry("XT60Chg", "xt60_chg"),
            Map.entry("usb1Watts", "usb1_watts"),
            Map.entry("typecC1_2.W", "typec_c1_2_w"),
            Map.entry("AAAAAAb", "aaaaa_ab"),
            Map.entry("AaAaAA", "aa_aa_aa"),
            Map.entry("a__b..c", "a_b_c"),
            Map.entry("_.x._", "x"),
            Map.entry("a[x].b", "a_x_b"),
            Map.entry("..", ""),
            Map.entry("[]", ""),
            Map.entry("_", ""),
            Map.entry("", ""))
        .forEach((key, name) -> assertEquals(name, SeriesName.of(key), key));
  }

  @Test
  void invalidCharactersBecomeUnderscores() {
    Map.of(
            "a-b", "a_b",
            "a--B", "a__b",
            "a b/c%", "a_b_c_",
            "ns:x", "ns:x",
            "温度.maxT", "___max_t",
            "x.é", "x__",
            "x\u0663Y", "x__y",
            "\u212Aelvin", "kelvin",
            "😀a", "_a",
            "a_\n", "a__")
        .forEach((key, name) -> assertEquals(name, SeriesName.of(key), key));
  }

  @Test
  void matchesAReferenceImplementationForRandomKeys() {
    Random random = new Random(1);
    String letters = "aAbBzZ09_.-[]é";
    for (int i = 0; i < 20_000; i++) {
      StringBuilder key = new StringBuilder();
      for (int length = random.nextInt(12); length > 0; length--) {
        key.append(letters.charAt(random.nextInt(letters.length())));
      }
      String expected =
          key.toString()
              .replaceAll("[.\\[\\]]", "_")
              .replaceAll("_+", "_")
              .replaceAll("^_+", "")
              .replaceAll("_+$", "")
              .replaceAll("([A-Z]+)([A-Z][a-z])", "$1_$2")
              .replaceAll("([a-z\\d])([A-Z])", "$1_$2")
              .replace("-", "_")
              .toLowerCase(Locale.ROOT)
              .replaceAll("[^a-zA-Z0-9_:]", "_");
      assertEquals(expected, SeriesName.of(key.toString()), key.toString());
    }
  }

  @Test
  void aLongSequenceOfCapitalsIsFast() {
    String capitals = "A".repeat(200_000);
    assertTimeout(
        Duration.ofSeconds(5),
        () -> assertEquals(capitals.toLowerCase(Locale.ROOT), SeriesName.of(capitals)));
  }
}
