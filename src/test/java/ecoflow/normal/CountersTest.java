package ecoflow.normal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Energy counters of one device, with a simulated clock. */
class CountersTest {

  private static final Table TABLE = PackagedTable.load();
  private static final long HOLD = TimeUnit.SECONDS.toNanos(300);
  private static final String SOLAR = "solar_energy_joules_total{origin=computed}";
  private static final String AC_OUT =
      "port_output_energy_joules_total{origin=computed, port=ac_out}";
  private static final String AC_OUT_OF_DEVICE =
      "port_output_energy_joules_total{origin=device, port=ac_out}";

  private final Map<String, Double> raw = new TreeMap<>();
  private Table.Family family = TABLE.family("delta2");
  private Plan plan;
  private String[] keys;
  private long now = Long.MAX_VALUE - TimeUnit.HOURS.toNanos(1);
  private final List<String> held = new ArrayList<>();
  private final Counters counters =
      new Counters(
          TABLE, 10_000, HOLD, now, (series, reason, value) -> held.add(reason + " " + value));

  /** The number of the last message, and of the newest message with each key. */
  private long message;

  private final Map<String, Long> numbers = new TreeMap<>();

  private double[] cells() {
    String[] current = raw.keySet().toArray(String[]::new);
    if (keys == null || !Arrays.equals(keys, current)) {
      keys = current;
      plan = keys.length == 0 ? null : Plan.of(TABLE, family, "", keys);
    }
    return raw.values().stream().mapToDouble(value -> value).toArray();
  }

  private void message(Object... keysAndValues) {
    take(false, keysAndValues);
  }

  /** Like the REST API, which repeats the last values for days. */
  private void poll(Object... keysAndValues) {
    take(true, keysAndValues);
  }

  private void take(boolean isRepeat, Object... keysAndValues) {
    message++;
    for (int i = 0; i < keysAndValues.length; i += 2) {
      raw.put((String) keysAndValues[i], ((Number) keysAndValues[i + 1]).doubleValue());
      numbers.put((String) keysAndValues[i], message);
    }
    double[] cells = cells();
    counters.message(plan, cells, numbersOfCells(), isRepeat, false, now);
  }

  private long[] numbersOfCells() {
    return Arrays.stream(keys).mapToLong(numbers::get).toArray();
  }

  private void offline() {
    raw.clear();
    message();
  }

  private void pass(long seconds) {
    now += TimeUnit.SECONDS.toNanos(seconds);
  }

  /** The counters of a scrape. */
  private Map<String, Double> scrape() {
    double[] cells = cells();
    double[] values = plan == null ? new double[0] : plan.values(cells);
    Map<String, Double> shown = new TreeMap<>();
    for (Counters.Counted counted : counters.count(plan, cells, values, now)) {
      put(shown, counted.series(), counted.value());
    }
    for (int i = 0; i < values.length; i++) {
      if (plan.series()[i].name().isCounter()) {
        put(shown, plan.series()[i], values[i]);
      }
    }
    return shown;
  }

  private static void put(Map<String, Double> shown, Series series, double value) {
    if (!Double.isNaN(value)) {
      shown.put(series.name().name() + new TreeMap<>(series.labels()), value);
    }
  }

  private double shown(String series) {
    return scrape().getOrDefault(series, Double.NaN);
  }

  /** Repeats the same message, like an active device. */
  private void passWithMessages(long seconds) {
    for (long second = 0; second < seconds; second += 10) {
      pass(10);
      message();
    }
  }

  @Test
  void nothingIsCountedDuringNightWithoutMessages() {
    message("mppt.inWatts", 0);
    pass(9 * 3600);
    message("mppt.inWatts", 500);
    assertEquals(0.0, shown(SOLAR));
  }

  @Test
  void constantPowerCountsUntilScrape() {
    message("mppt.inWatts", 100);
    assertEquals(
        0.0, shown(SOLAR), "shown from the first value, so that the first increase counts");
    passWithMessages(3590);
    pass(10);
    assertEquals(360_000.0, shown(SOLAR), 1e-6);
    pass(5);
    assertEquals(360_500.0, shown(SOLAR), 1e-6);
  }

  @Test
  void silentDeviceCountsForFiveMinutes() {
    message("mppt.inWatts", 100);
    pass(200);
    assertEquals(20_000.0, shown(SOLAR));
    pass(1000);
    assertEquals(30_000.0, shown(SOLAR));
    pass(1000);
    message("mppt.inWatts", 100);
    assertEquals(30_000.0, shown(SOLAR), "the gap is not filled afterwards");
    pass(10);
    assertEquals(31_000.0, shown(SOLAR));
  }

  @Test
  void otherMessagesOfDeviceContinuePower() {
    message("mppt.inWatts", 100);
    for (int i = 0; i < 10; i++) {
      pass(200);
      message("pd.soc", 50 + i);
    }
    assertEquals(200_000.0, shown(SOLAR));
  }

  @Test
  void alternatingPowerCountsHalfOfTheTime() {
    for (int i = 0; i < 100; i++) {
      message("mppt.inWatts", i % 2 == 0 ? 0 : 2000);
      pass(10);
    }
    assertEquals(50 * 2000 * 10.0, shown(SOLAR));
  }

  @Test
  void countingStopsWhenDeviceGoesOffline() {
    message("mppt.inWatts", 100);
    pass(60);
    offline();
    assertEquals(Map.of(), scrape());
    pass(100);
    message("mppt.inWatts", 100);
    assertEquals(6000.0, shown(SOLAR));
  }

  @Test
  void repeatedPollDoesNotContinuePower() {
    poll("mppt.inWatts", 100);
    for (int i = 0; i < 100; i++) {
      pass(10);
      poll("mppt.inWatts", 100);
    }
    assertEquals(30_000.0, shown(SOLAR));
    poll("pd.soc", 51);
    pass(10);
    assertEquals(31_000.0, shown(SOLAR));
  }

  @Test
  void eachDirectionHasItsOwnCounter() {
    family = TABLE.family("stream");
    String imported = "grid_import_energy_joules_total{origin=computed}";
    String exported = "grid_export_energy_joules_total{origin=computed}";
    message("pow_get_sys_grid", 100);
    pass(10);
    message("pow_get_sys_grid", -50);
    pass(10);
    assertEquals(1000.0, shown(imported));
    assertEquals(500.0, shown(exported));
  }

  @Test
  void impossiblePowerIsNotCounted() {
    message("mppt.inWatts", 20_000);
    pass(10);
    message("mppt.inWatts", 100);
    pass(10);
    assertEquals(1000.0, shown(SOLAR));
  }

  @Test
  void deviceCounterReplacesComputedCounter() {
    family = TABLE.family("delta_pro");
    message("inv.outputWatts", 100, "pd.dsgPowerAc", 0);
    pass(10);
    assertEquals(
        Map.of(AC_OUT, 1000.0),
        scrape(),
        "a counter that has been zero since the start is ignored");
    message("pd.dsgPowerAc", 1000);
    assertEquals(Map.of(AC_OUT_OF_DEVICE, 3.6e6), scrape());
    message("pd.dsgPowerAc", 0);
    assertEquals(Map.of(AC_OUT_OF_DEVICE, 3.6e6), scrape(), "only one of the two counters");
  }

  @Test
  void zeroBetweenValuesIsNotAReset() {
    family = TABLE.family("powerocean");
    String charged = "battery_charge_energy_joules_total{origin=device}";
    for (int i = 0; i < 3; i++) {
      message("bp_total_chg_energy", 1_000_000 + i);
      assertEquals((1_000_000 + i) * 3600.0, shown(charged));
      message("bp_total_chg_energy", 0);
      assertEquals((1_000_000 + i) * 3600.0, shown(charged));
    }
  }

  /** Also for devices without known zeros: the next value shows a real reset to zero. */
  @Test
  void lifetimeCounterIsNotResetByZero() {
    family = TABLE.family("smart_meter");
    String imported = "grid_import_energy_joules_total{origin=device}";
    message("grid_connection_data_record.today_active", 9_076_453);
    message("grid_connection_data_record.today_active", 0);
    assertEquals(9_076_453 * 3600.0, shown(imported));
    for (int i = 7; i < 9; i++) {
      message("grid_connection_data_record.today_active", i);
      assertEquals(9_076_453 * 3600.0, shown(imported));
    }
    message("grid_connection_data_record.today_active", 9);
    assertEquals(9 * 3600.0, shown(imported));
  }

  @Test
  void energyIsNotComputedAfterDeviceCounterDisappears() {
    family = TABLE.family("delta_pro");
    message("inv.outputWatts", 100);
    pass(10);
    message("pd.dsgPowerAc", 1000);
    assertEquals(Map.of(AC_OUT_OF_DEVICE, 3.6e6), scrape());
    raw.remove("pd.dsgPowerAc");
    message("inv.outputWatts", 200);
    pass(10);
    assertEquals(Map.of(), scrape());
  }

  @Test
  void singleLowerValueIsHeld() {
    family = TABLE.family("delta_pro");
    for (int i = 0; i < 5; i++) {
      message("pd.dsgPowerAc", 182_974 + i);
      assertEquals((182_974 + i) * 3600.0, shown(AC_OUT_OF_DEVICE));
      message("pd.dsgPowerAc", i % 2 == 0 ? 182_973 + i : 18_000);
      assertEquals((182_974 + i) * 3600.0, shown(AC_OUT_OF_DEVICE));
    }
    assertEquals(List.of("FALL 6.587028E8", "FALL 6.48E7"), held.subList(0, 2));
  }

  @Test
  void lowValueInThreeMessagesIsAReset() {
    family = TABLE.family("delta_pro");
    message("pd.dsgPowerAc", 182_974);
    message("pd.dsgPowerAc", 20_000);
    message("pd.dsgPowerAc", 20_000);
    assertEquals(182_974 * 3600.0, shown(AC_OUT_OF_DEVICE));
    message("pd.dsgPowerAc", 20_001);
    assertEquals(20_001 * 3600.0, shown(AC_OUT_OF_DEVICE));
  }

  /** A drop would be a reset for Prometheus, which would add the whole value to the energy. */
  @Test
  void smallCorrectionCausesNeitherDropNorFreeze() {
    family = TABLE.family("delta_pro");
    message("pd.dsgPowerAc", 182_000);
    message("pd.dsgPowerAc", 182_900);
    for (int i = 1; i <= 3; i++) {
      message("pd.dsgPowerAc", 182_000 + i);
      assertEquals(182_900 * 3600.0, shown(AC_OUT_OF_DEVICE));
    }
    message("pd.dsgPowerAc", 182_010);
    assertEquals(182_907 * 3600.0, shown(AC_OUT_OF_DEVICE));
  }

  /** Report 18: a lifetime counter of a DELTA Pro with two absurd values. */
  @Test
  void absurdValueIsNotShown() {
    family = TABLE.family("delta_pro");
    Map<Long, Double> shown = new LinkedHashMap<>();
    for (long value : List.of(444_762L, 4_000_000L, 444_763L, 444_900L, 4_294_967_295L, 444_901L)) {
      pass(1);
      message("pd.dsgPowerAc", value);
      shown.put(value, shown(AC_OUT_OF_DEVICE) / 3600);
    }
    assertEquals(
        Map.of(
            444_762L, 444_762.0,
            4_000_000L, 444_762.0,
            444_763L, 444_763.0,
            444_900L, 444_900.0,
            4_294_967_295L, 444_900.0,
            444_901L, 444_901.0),
        shown);
    assertEquals(List.of("STEP 1.44E10", "RANGE 1.5461882262E13"), held);
  }

  /** After a value that is slightly too high, true values are held as drops for two messages. */
  @Test
  void repeatedAbsurdValueBetweenHeldValuesIsNotShown() {
    family = TABLE.family("delta_pro");
    message("pd.dsgPowerAc", 444_762);
    message("pd.dsgPowerAc", 444_764);
    for (long value : List.of(444_763L, 4_000_000L, 444_763L, 4_000_000L)) {
      message("pd.dsgPowerAc", value);
      assertEquals(444_764 * 3600.0, shown(AC_OUT_OF_DEVICE));
    }
    message("pd.dsgPowerAc", 444_763);
    message("pd.dsgPowerAc", 444_765);
    assertEquals(444_765 * 3600.0, shown(AC_OUT_OF_DEVICE));
  }

  @Test
  void largeStepInTwoMessagesIsShown() {
    family = TABLE.family("delta_pro");
    message("pd.dsgPowerAc", 1000);
    message("pd.dsgPowerAc", 5000);
    // The same message does not count twice.
    message("pd.soc", 50);
    assertEquals(1000 * 3600.0, shown(AC_OUT_OF_DEVICE));
    message("pd.dsgPowerAc", 5001);
    assertEquals(5001 * 3600.0, shown(AC_OUT_OF_DEVICE));
  }

  @Test
  void largeStepIsAcceptedAfterLongTime() {
    family = TABLE.family("delta_pro");
    message("pd.dsgPowerAc", 1000);
    pass(3600);
    message("pd.dsgPowerAc", 9000);
    assertEquals(9000 * 3600.0, shown(AC_OUT_OF_DEVICE));
    assertEquals(List.of(), held);
  }

  @Test
  void cyclesAreACounter() {
    String cycles = "battery_pack_cycles_total{pack=main}";
    family = TABLE.family("delta_pro");
    message("bmsMaster.cycles", 0);
    assertEquals(0.0, shown(cycles));
    message("bmsMaster.cycles", 65_535);
    assertEquals(0.0, shown(cycles));
    message("bmsMaster.cycles", 1);
    assertEquals(1.0, shown(cycles));
  }

  @Test
  void dayCounterRestartsAtMidnight() {
    family = TABLE.family("powerstream");
    String charged = "battery_charge_energy_joules_total{origin=device}";
    message("watth_item[3].watth[0]", 0);
    assertEquals(Double.NaN, shown(charged));
    message("watth_item[3].watth[0]", 5);
    message("watth_item[3].watth[1]", 7);
    assertEquals(12 * 3600.0, shown(charged));
    message("watth_item[3].watth[0]", 0, "watth_item[3].watth[1]", 0);
    assertEquals(0.0, shown(charged));
    message("watth_item[3].watth[0]", 3);
    assertEquals(3 * 3600.0, shown(charged));
  }

  @Test
  void countersStartAtZeroAfterRestart() {
    message("mppt.inWatts", 100);
    pass(10);
    assertEquals(1000.0, shown(SOLAR));
    Counters restarted =
        new Counters(TABLE, 10_000, HOLD, now, (series, reason, value) -> held.add("restarted"));
    restarted.message(plan, cells(), numbersOfCells(), false, false, now);
    double[] values = plan.values(cells());
    assertEquals(0.0, restarted.count(plan, cells(), values, now).get(0).value());
  }

  @Test
  void newKeysDoNotInterruptCounters() {
    message("mppt.inWatts", 100);
    pass(10);
    message("pd.soc", 50, "inv.outputWatts", 20);
    pass(10);
    assertEquals(2000.0, shown(SOLAR));
    assertEquals(200.0, shown(AC_OUT));
  }

  @Test
  void counterDisappearsWithItsPower() {
    message("mppt.inWatts", 100, "pd.soc", 1);
    pass(10);
    raw.remove("mppt.inWatts");
    message("pd.soc", 2);
    assertEquals(Map.of(), scrape());
    pass(10);
    message("mppt.inWatts", 100);
    assertEquals(1000.0, shown(SOLAR));
  }
}
