package ecoflow.values;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.testkit.RouteKit;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The energy of circuits, which the exporter computes from their power. */
class CircuitEnergyTest {

  private static final String PANEL_2 = "HD31ZCENERGY0001";
  private static final String PANEL_3 = "HR62ZCENERGY0001";
  private static final String OCEAN_PANEL = "HR61ZCENERGY0001";
  private static final String HOME_PANEL = "SP10ZCENERGY0001";
  private static final String WAVE_2 = "KT21ZCENERGY0001";

  private final AtomicLong clock = new AtomicLong(TimeUnit.DAYS.toNanos(1));

  private final RouteKit routes =
      RouteKit.load("quotas")
          .device(PANEL_2)
          .device(PANEL_3)
          .device(OCEAN_PANEL)
          .device(HOME_PANEL)
          .device(WAVE_2)
          .variable("MQTT_TIMEOUT", "86400")
          .clock(clock::get)
          .with("direct:full-pictures")
          .start();

  @AfterEach
  void end() {
    routes.close();
  }

  private void pass(long seconds) {
    clock.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
  }

  /** Sends values of circuits of a Smart Home Panel 3 or OCEAN panel. */
  private void send(String panel, Object... circuitsAndWatts) {
    Map<String, Object> values = new HashMap<>();
    for (int i = 0; i < circuitsAndWatts.length; i += 2) {
      // The panel sends consumption as a negative power.
      double watts = -((Number) circuitsAndWatts[i + 1]).doubleValue();
      values.put("load_ch" + circuitsAndWatts[i] + "_sample_info.load_ch_power", watts);
    }
    routes.send(panel, values);
  }

  private void link(int circuit, int partner) {
    String prefix = "load_ch" + circuit + "_sta.splitphase.";
    routes.send(
        PANEL_3, Map.of(prefix + "link_mark", partner == 0 ? 0 : 1, prefix + "link_ch", partner));
  }

  /** Joules by circuit. */
  private Map<String, Double> joules(String panel, String origin) {
    Map<String, Double> joules = new TreeMap<>();
    routes
        .page()
        .series("circuit_energy_joules_total", "device=" + panel, "origin=" + origin)
        .forEach(
            series -> joules.merge(series.labels().get("circuit"), series.value(), Double::sum));
    return joules;
  }

  @Test
  void consumptionIsCountedAndExportIsNot() {
    send(PANEL_3, 1, 100, 2, 50);
    pass(10);
    send(PANEL_3, 2, -20);
    pass(10);
    assertEquals(Map.of("1", 2000.0, "2", 500.0), joules(PANEL_3, "computed"));

    send(OCEAN_PANEL, 40, 60);
    pass(10);
    assertEquals(Map.of("40", 600.0), joules(OCEAN_PANEL, "computed"));

    routes.send(PANEL_2, Map.of("load_info.hall1_watt[0]", 120, "load_info.hall1_watt[11]", 10));
    pass(10);
    assertEquals(Map.of("1", 1200.0, "12", 100.0), joules(PANEL_2, "computed"));
  }

  /** As with other counters, the last power applies for ECOFLOW_ENERGY_HOLD. */
  @Test
  void aGapIsNotFilledIn() {
    send(PANEL_3, 1, 100);
    pass(600);
    assertEquals(Map.of("1", 30_000.0), joules(PANEL_3, "computed"));
    send(PANEL_3, 1, 100);
    pass(1);
    assertEquals(Map.of("1", 30_100.0), joules(PANEL_3, "computed"));
  }

  @Test
  void aSplitPhasePairHasOneSeries() {
    link(3, 4);
    link(4, 3);
    send(PANEL_3, 1, 10, 3, 600, 4, 610);
    pass(10);
    assertEquals(Map.of("1", 100.0, "3+4", 12_100.0), joules(PANEL_3, "computed"));
    // The powers remain separate.
    assertEquals(600, routes.page().of(PANEL_3, "circuit_power_watts", "circuit=3"));

    // Divided: each energy is counted in one series only.
    link(3, 0);
    link(4, 0);
    assertEquals(Map.of("1", 100.0, "3", 0.0, "4", 0.0), joules(PANEL_3, "computed"));
    pass(10);
    assertEquals(Map.of("1", 200.0, "3", 6000.0, "4", 6100.0), joules(PANEL_3, "computed"));

    link(3, 4);
    link(4, 3);
    pass(10);
    assertEquals(Map.of("1", 300.0, "3+4", 24_200.0), joules(PANEL_3, "computed"));
    link(3, 0);
    link(4, 0);
    assertEquals(Map.of("1", 300.0, "3", 6000.0, "4", 6100.0), joules(PANEL_3, "computed"));
  }

  /** A panel sends powers more often than links, also after it was offline. */
  @Test
  void aLinkThatIsNotKnownYetDoesNotMoveEnergy() {
    send(PANEL_3, 3, 100, 4, 100);
    pass(10);
    assertEquals(Map.of("3", 1000.0, "4", 1000.0), joules(PANEL_3, "computed"));
    link(4, 3);
    pass(10);
    assertEquals(Map.of("3+4", 2000.0), joules(PANEL_3, "computed"));

    routes.send(PANEL_3, Map.of("load_ch4_sta", "none"));
    pass(10);
    assertEquals(Map.of("3", 2000.0, "4", 2000.0), joules(PANEL_3, "computed"));
  }

  @Test
  void aPairOfConsumptionAndExportCountsConsumption() {
    link(3, 4);
    send(PANEL_3, 3, 100, 4, -40);
    pass(10);
    assertEquals(Map.of("3+4", 1000.0), joules(PANEL_3, "computed"));
  }

  @Test
  void aReferenceOfOneCircuitIsEnough() {
    link(4, 3);
    send(PANEL_3, 3, 100, 4, 100);
    pass(10);
    assertEquals(Map.of("3+4", 2000.0), joules(PANEL_3, "computed"));
  }

  /** The energy of each circuit is in one series. */
  @Test
  void contradictoryPairsAreSingleCircuits() {
    link(1, 3);
    link(2, 3);
    link(3, 2);
    send(PANEL_3, 1, 100, 2, 200, 3, 300);
    pass(10);
    assertEquals(Map.of("1", 1000.0, "2+3", 5000.0), joules(PANEL_3, "computed"));

    link(3, 0);
    pass(10);
    assertEquals(Map.of("1+3", 4000.0, "2", 2000.0), joules(PANEL_3, "computed"));
  }

  /** A sum without one of its parts would be wrong. */
  @Test
  void aPairWithoutThePowerOfOneCircuitIsNotShown() {
    link(3, 4);
    send(PANEL_3, 3, 100);
    pass(10);
    assertEquals(Map.of("3", 1000.0), joules(PANEL_3, "computed"));

    send(PANEL_3, 4, 100);
    pass(10);
    assertEquals(Map.of("3+4", 2000.0), joules(PANEL_3, "computed"));
  }

  @Test
  void theCounterOfTheDeviceTakesPrecedence() {
    routes.send(HOME_PANEL, Map.of("infoList[0].chWatt", 100, "infoList[1].chWatt", 200));
    pass(10);
    assertEquals(Map.of("1", 1000.0, "2", 2000.0), joules(HOME_PANEL, "computed"));

    routes.send(HOME_PANEL, Map.of("mainsLoadWatt.watth[0][8]", 50));
    assertEquals(Map.of("2", 2000.0), joules(HOME_PANEL, "computed"));
    assertEquals(Map.of("1", 180_000.0), joules(HOME_PANEL, "device"));
  }

  @Test
  void partsThatAreNotCircuitsOfAPanelHaveNoEnergy() {
    routes.send(WAVE_2, Map.of("motor.power", 100));
    pass(10);
    assertEquals(100, routes.page().of(WAVE_2, "circuit_power_watts", "circuit=compressor"));
    assertEquals(Map.of(), joules(WAVE_2, "computed"));
  }
}
