package ecoflow.modes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.testkit.Page;
import ecoflow.testkit.RouteKit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Models that are silent for longer than MQTT_TIMEOUT, with the real routes and a simulated clock.
 */
class SilenceTest {

  private static final int DAY = 24 * 60 * 60;
  private static final int SCRAPE_INTERVAL = 30;

  /** ECOFLOW_SERIES_TTL and ECOFLOW_FULL_INTERVAL. */
  private static final int OPEN_SERIES_LIFE = 1800;

  /** The greatest delay of a message in seconds. */
  private static final int JITTER = 5;

  /** One of this many messages is lost. */
  private static final int LOST = 20;

  /**
   * A device that sends one value.
   *
   * @param shortest seconds between two messages
   * @param longest the maximum time between two messages
   * @param offline seconds after the last message until it is offline with an account
   */
  private record Model(
      String serial, String key, String series, int shortest, int longest, int offline) {

    @Override
    public String toString() {
      return serial;
    }
  }

  private static final Model WAVE_3 =
      new Model("AC71ZSILENCE0001", "pow_in_sum_w", "input_power_watts", 120, 120, 300);
  private static final Model PLUG =
      new Model("HW52ZSILENCE0001", "volt", "port_voltage_volts", 180, 180, 420);
  private static final Model WALLBOX =
      new Model("C101ZSILENCE0001", "charge_power", "port_output_power_watts", 60, 3000, 6060);
  private static final Model MICROINVERTER =
      new Model("BK01ZSILENCE0001", "pow_get_pv", "port_input_power_watts", 300, 900, 1860);
  private static final Model DELTA_2 = new Model("R331ZSILENCE0001", "pd.soc", "pd_soc", 5, 30, 60);

  // It overflows in the middle of the day.
  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - seconds(DAY / 2));
  private final Random random = new Random(7);
  private RouteKit kit;
  private Page page;
  private String mode;
  private boolean isListed = true;

  @AfterEach
  void close() {
    kit.close();
  }

  private void start(String inMode, Model model, String... variables) {
    mode = inMode;
    kit = RouteKit.load("quotas").with("direct:full-pictures").clock(nanos::get);
    if (mode.equals("open")) {
      kit.rest();
    }
    kit.device(model.serial()).variable("ECOFLOW_API_TYPE", mode);
    for (int i = 0; i < variables.length; i += 2) {
      kit.variable(variables[i], variables[i + 1]);
    }
    page = kit.start().page();
  }

  private static long seconds(long seconds) {
    return TimeUnit.SECONDS.toNanos(seconds);
  }

  private void pass(long seconds) {
    nanos.addAndGet(seconds(seconds));
  }

  private void push(Model model, double value) {
    kit.send(model.serial(), Map.of(model.key(), value));
  }

  private void list(Model model, boolean online) {
    Map<String, Object> device = Map.of("sn", model.serial(), "online", online ? 1 : 0);
    kit.send("bean:restPolls?method=acceptDeviceList", List.of(device), Map.of());
  }

  private void report(Model model, boolean online) {
    kit.send(
        "direct:quotas",
        Map.of(),
        Map.of(
            "EcoflowDevice", model.serial(), "EcoflowSource", "status", "EcoflowOnline", online));
  }

  /** EcoFlow's response for a device that it cannot poll. */
  private void pollWithoutValues(Model model) {
    kit.send(
        "direct:quotas",
        Map.of(),
        Map.of("EcoflowDevice", model.serial(), "EcoflowSource", "rest"));
  }

  /** The polls of mode open, in addition to pushes. */
  private void poll(Model model) {
    if (mode.equals("open")) {
      if (isListed) {
        list(model, true);
      }
      pollWithoutValues(model);
    }
  }

  private void assertShown(Model model, boolean isShown, String when) {
    assertEquals(isShown, page.series(model.series()).size() == 1, when);
  }

  private void assertOnline(Model model, boolean isOnline, String when) {
    assertEquals(isOnline ? 1 : 0, page.of(model.serial(), "online"), when);
  }

  static Stream<Arguments> modes() {
    return Stream.of("mqtt", "device", "open")
        .flatMap(
            mode ->
                Stream.of(WAVE_3, PLUG, WALLBOX, MICROINVERTER)
                    .map(model -> Arguments.of(mode, model)));
  }

  /** Sends the messages of a day, some of which are lost and all of which are late. */
  private List<String> gapsOfADay(Model model) {
    List<String> gaps = new ArrayList<>();
    int next = 0;
    int message = 0;
    for (int second = 0; second < DAY || second < next; second++) {
      if (second == next) {
        message++;
        if (message % LOST != 0) {
          push(model, 100);
        }
        int pause = model.shortest() + random.nextInt(model.longest() - model.shortest() + 1);
        next += pause + random.nextInt(JITTER + 1);
      }
      if (second % SCRAPE_INTERVAL == 0) {
        poll(model);
        List<String> lines = page.text().lines().toList();
        boolean isOnline =
            lines.stream().anyMatch(line -> line.matches("ecoflow_online[{].*[}] 1([.]0)?"));
        String series = "ecoflow_" + model.series() + "{";
        if (!isOnline || lines.stream().noneMatch(line -> line.startsWith(series))) {
          gaps.add("second " + second + ", " + message + " messages");
        }
      }
      pass(1);
    }
    push(model, 100);
    assertTrue(message > 2 * LOST, "messages");
    return gaps;
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("modes")
  void aDeviceIsOnlineAllDayAndOfflineAfterItStops(String in, Model model) {
    start(in, model);
    assertEquals(List.of(), gapsOfADay(model));

    boolean isOpen = mode.equals("open");
    int life = isOpen ? Math.max(OPEN_SERIES_LIFE, model.offline()) : model.offline();
    int passed = 0;
    while (passed + SCRAPE_INTERVAL < life) {
      pass(SCRAPE_INTERVAL);
      passed += SCRAPE_INTERVAL;
      poll(model);
      assertShown(model, true, "after " + passed + " s");
      assertOnline(model, true, "after " + passed + " s");
    }
    pass(life - passed - 1);
    poll(model);
    assertShown(model, true, "a second before the end");
    pass(2);
    poll(model);
    assertShown(model, false, "after the end");
    assertOnline(model, isOpen, "open: the list decides");
  }

  @Test
  void withoutAListPushesDecideForThisTime() {
    start("open", WALLBOX);
    push(WALLBOX, 100);
    isListed = false;
    pass(WALLBOX.offline() - 1);
    assertOnline(WALLBOX, true, "a second before the end");
    assertShown(WALLBOX, true, "a second before the end");
    pass(1);
    assertOnline(WALLBOX, false, "after the end");
    assertShown(WALLBOX, false, "after the end");
  }

  @ParameterizedTest
  @CsvSource({"mqtt, false", "device, false", "open, false", "open, true"})
  void aReportedOfflineStateRemovesValuesImmediately(String in, boolean byList) {
    start(in, WALLBOX);
    poll(WALLBOX);
    push(WALLBOX, 100);
    pass(600);
    poll(WALLBOX);
    assertShown(WALLBOX, true, "within its silence");

    if (byList) {
      list(WALLBOX, false);
    } else {
      report(WALLBOX, false);
    }
    assertShown(WALLBOX, false, "offline");
    assertOnline(WALLBOX, false, "offline");
  }

  @Test
  void valuesFromBeforeTheOfflineStateAreNotEvidence() {
    start("open", WALLBOX);
    push(WALLBOX, 100);
    report(WALLBOX, false);
    // After a reconnect, the state from the last connection can be outdated.
    kit.send("bean:restPolls?method=connecting", "", Map.of());
    assertOnline(WALLBOX, false, "no message since");
    push(WALLBOX, 100);
    assertOnline(WALLBOX, true, "a message");
  }

  @Test
  void pushedValuesRemainIfPollsReturnNothing() {
    start("open", DELTA_2, "ECOFLOW_SERIES_TTL", "1000", "ECOFLOW_FULL_INTERVAL", "200");
    poll(DELTA_2);
    push(DELTA_2, 81);
    pass(1199);
    poll(DELTA_2);
    assertShown(DELTA_2, true, "a second before the end of ECOFLOW_SERIES_TTL");
    kit.send(DELTA_2.serial(), Map.of("pd.other", 1));
    assertShown(DELTA_2, true, "a second before the end of ECOFLOW_SERIES_TTL");
    pass(2);
    poll(DELTA_2);
    assertShown(DELTA_2, false, "after the end of ECOFLOW_SERIES_TTL");
    assertEquals(1, page.of(DELTA_2.serial(), "pd_other"));

    list(DELTA_2, false);
    pass(600);
    assertOnline(DELTA_2, false, "offline");
    assertEquals(Double.NaN, page.of(DELTA_2.serial(), "pd_other"));
  }

  @Test
  void pushedValuesExpireIfPollsReturnValues() {
    start("open", DELTA_2);
    list(DELTA_2, true);
    push(DELTA_2, 81);
    kit.send(
        "direct:quotas",
        Map.of(DELTA_2.key(), 81),
        Map.of("EcoflowDevice", DELTA_2.serial(), "EcoflowSource", "rest"));
    pass(91);
    list(DELTA_2, true);
    assertShown(DELTA_2, false, "polls fail");
    assertOnline(DELTA_2, true, "the list decides");
  }

  @Test
  void theTimeoutIsTheMinimum() {
    start("mqtt", WAVE_3, "MQTT_TIMEOUT", "1000");
    push(WAVE_3, 100);
    pass(999);
    assertOnline(WAVE_3, true, "a second before the end");
    pass(1);
    assertOnline(WAVE_3, false, "after the end");
  }

  @Test
  void theTimeoutAppliesToOtherModels() {
    start("mqtt", DELTA_2);
    push(DELTA_2, 81);
    pass(59);
    assertShown(DELTA_2, true, "a second before the end");
    pass(1);
    assertShown(DELTA_2, false, "after the end");
  }

  @Test
  void computedEnergyCoversTheSilence() {
    Model grid =
        new Model("BK01ZSILENCE0001", "pow_get_sys_grid", "grid_power_watts", 300, 900, 1860);
    start("mqtt", grid);
    long start = nanos.get();
    double watts = 100;
    assertEquals(List.of(), gapsOfADay(grid));
    double seconds = (nanos.get() - start) / 1e9;
    double joules = page.of(grid.serial(), "grid_import_energy_joules_total");
    // Only lost messages leave a gap.
    assertEquals(watts * seconds, joules, 0.05 * watts * seconds);

    pass(1800);
    double after = page.of(grid.serial(), "grid_import_energy_joules_total");
    assertEquals(joules + 900 * watts, after, 1e-3, "no longer than its silence is normal");
  }

  @ParameterizedTest
  @CsvSource({"both", "raw"})
  void aRowOfTheUserApplies(String metrics, @TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("families.csv"), "Q99,,mine,,600\n");
    Model mine = new Model("Q999ZSILENCE0001", "bat.pct", "bat_pct", 600, 600, 1260);
    start("mqtt", mine, "ECOFLOW_MESSAGES_DIR", directory.toString(), "ECOFLOW_METRICS", metrics);
    push(mine, 81);
    pass(1259);
    assertShown(mine, true, "a second before the end");
    pass(1);
    assertShown(mine, false, "after the end");
  }
}
