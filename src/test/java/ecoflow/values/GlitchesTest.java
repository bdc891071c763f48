package ecoflow.values;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.testkit.RouteKit;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Implausible values of a device, and their effect on the page. */
class GlitchesTest {

  private static final String DELTA_PRO = "DCABZGLITCH00001";
  private static final String PLUG = "HW52ZGLITCH00002";

  private final RouteKit routes =
      RouteKit.load("quotas").device(DELTA_PRO).device(PLUG).with("direct:full-pictures").start();

  @AfterEach
  void end() {
    routes.close();
  }

  /**
   * The values on the page after each message; -1 for an absent series.
   *
   * @param values the raw values of the messages
   */
  private List<Double> shown(String serial, String metric, String rawKey, String values) {
    List<Double> shown = new ArrayList<>();
    for (String value : values.split(" ")) {
      routes.send(serial, Map.of(rawKey, Long.valueOf(value)));
      shown.add(
          routes.page().series(metric, "device=" + serial).stream()
              .map(series -> series.value())
              .reduce((first, second) -> second)
              .orElse(-1.0));
    }
    return shown;
  }

  private double held(String reason) {
    return routes.page().own("normalised_values_held_total", "reason=" + reason);
  }

  @Test
  void absurdValuesOfALifetimeCounterAreNotShown() {
    assertEquals(
        List.of(1.6011432e9, 1.6011432e9, 1.6011468e9, 1.60164e9, 1.60164e9, 1.6016436e9),
        shown(
            DELTA_PRO,
            "port_input_energy_joules_total",
            "pd.chgPowerAc",
            "444762 4000000 444763 444900 4294967295 444901"));
    assertEquals(1, held("step"));
    assertEquals(1, held("range"));
    assertEquals(0, held("fall"));
    assertEquals(444_901, routes.page().of(DELTA_PRO, "pd_chg_power_ac"), "raw as it is");
  }

  @Test
  void aPowerBeyondTheModelIsShownAfterASecondMessageConfirmsIt() {
    assertEquals(
        List.of(100.0, -1.0, 101.0, -1.0, 12_500.0, 12_400.0),
        shown(PLUG, "port_output_power_watts", "watts", "1000 120000 1010 120000 125000 124000"));
    assertEquals(2, held("power"));
  }

  @Test
  void anImpossiblePowerIsNeverShown() {
    assertEquals(
        List.of(100.0, -1.0, -1.0, -1.0, 100.0),
        shown(PLUG, "port_output_power_watts", "watts", "1000 71234560 71234560 71234560 1000"));
    // A scrape counts a message once.
    routes.page().text();
    assertEquals(3, held("power"));
  }

  @Test
  void aChargeAbove100PercentIsNotShown() {
    assertEquals(
        List.of(0.5, -1.0, -1.0, 1.0),
        shown(DELTA_PRO, "battery_charge_ratio", "ems.f32LcdShowSoc", "50 255 255 100"));
    assertEquals(2, held("range"));
  }

  @Test
  void logsOneLinePerDeviceAndHour() {
    PrintStream before = System.err;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    System.setErr(new PrintStream(written, true, UTF_8));
    try {
      shown(DELTA_PRO, "battery_charge_ratio", "ems.f32LcdShowSoc", "50 255 254 253 50");
    } finally {
      System.setErr(before);
    }
    List<String> lines =
        written.toString(UTF_8).lines().filter(line -> line.contains(DELTA_PRO)).toList();
    assertEquals(1, lines.size(), () -> "" + lines);
    assertTrue(
        lines.get(0).contains("battery_charge_ratio") && lines.get(0).contains("2.55"),
        () -> "" + lines);
  }
}
