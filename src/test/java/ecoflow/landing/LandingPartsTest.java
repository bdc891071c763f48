package ecoflow.landing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ecoflow.device.DeviceView;
import ecoflow.device.Labels;
import ecoflow.normal.NormalValue;
import ecoflow.quota.DeviceValues;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The parts of the landing page: template, formats, readings and charts. */
class LandingPartsTest {

  private static final double NONE = Double.NaN;

  private static Reading reading(
      double charge, double input, double output, double toFull, double toEmpty) {
    return new Reading("", charge, NONE, NONE, NONE, NONE, input, NONE, output, toFull, toEmpty);
  }

  // Template

  @Test
  void templateEscapesValues() {
    assertEquals(
        "<b title='&lt;script&gt;&quot;&#39;&amp;'>1</b>",
        Template.of("<b title='{{a}}'>{{b}}</b>").render(Map.of("a", "<script>\"'&", "b", 1)));
  }

  @Test
  void sectionsRepeatForListsAndDependOnConditions() {
    Template template =
        Template.of(
            "{{#list}}[{{x}}{{y}}{{#on}}+{{/on}}{{^on}}-{{/on}}]{{/list}}{{^list}}none{{/list}}");
    assertEquals(
        "[1y+][2z-]",
        template.render(
            Map.of(
                "y",
                "y",
                "on",
                true,
                "list",
                List.of(Map.of("x", 1), Map.of("x", 2, "y", "z", "on", false)))));
    assertEquals("none", template.render(Map.of("list", List.of())));
  }

  @Test
  void valuesAreNotParsedAsTemplates() {
    assertEquals("{{b}}", Template.of("{{a}}").render(Map.of("a", "{{b}}", "b", "no")));
  }

  @Test
  void invalidTemplatesAreRejected() {
    assertThrows(
        IllegalArgumentException.class, () -> Template.of("{{nobody}}").render(Map.of("a", 1)));
    assertThrows(IllegalArgumentException.class, () -> Template.of("{{#a}}"));
    assertThrows(IllegalArgumentException.class, () -> Template.of("{{#a}}{{/b}}"));
  }

  // Format

  @ParameterizedTest
  @CsvSource({
    "0,0 W",
    "-0.0,0 W",
    "-0.3,-0.3 W",
    "0.04,0.0 W",
    "7.25,7.3 W",
    "12.5,12 W",
    "853,853 W",
    "-120,-120 W",
    "9.96,10 W",
    "999.4,999 W",
    "999.6,1.00 kW",
    "1234,1.23 kW",
    "9994,9.99 kW",
    "9996,10.0 kW",
    "12345,12.3 kW"
  })
  void formatsWatts(double watts, String text) {
    assertEquals(text, Format.watts(watts));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 Wh",
    "40, 40 Wh",
    "99.4, 99 Wh",
    "99.6, 0.1 kWh",
    "12345, 12.3 kWh",
    "250000, 250 kWh",
    "1234567000, '1,234,567 kWh'"
  })
  void formatsEnergy(double wattHours, String text) {
    assertEquals(text, Format.energy(wattHours * 3_600));
  }

  @ParameterizedTest
  @CsvSource({
    "-3,0 s",
    "0,0 s",
    "59,59 s",
    "60,1 min",
    "3599,59 min",
    "3600,1 h 0 min",
    "86399,23 h 59 min",
    "90000,1 d 1 h"
  })
  void timesHaveAtMostTwoUnits(long seconds, String text) {
    assertEquals(text, Format.duration(seconds));
  }

  @Test
  void remainingTimeDependsOnPower() {
    Reading both = reading(.5, 100, 20, 3600, 7200);
    assertEquals("full in 1 h 0 min", Format.remainingTime(both));
    assertEquals("empty in 2 h 0 min", Format.remainingTime(reading(.5, 10, 20, 3600, 7200)));
    assertEquals("full in 1 h 0 min", Format.remainingTime(reading(.5, NONE, NONE, 3600, NONE)));
    assertEquals("", Format.remainingTime(reading(.5, 9, NONE, NONE, 7200)), "charging");
    assertEquals("", Format.remainingTime(Reading.NONE));
    assertEquals("\u2013", Format.watts(NONE));
    assertEquals("just now", Format.ago(-5_000));
    assertEquals("2 min ago", Format.ago(125_000));
  }

  // Readings

  private static DeviceValues raw(Map<String, Double> values) {
    String[] keys = values.keySet().stream().sorted().toArray(String[]::new);
    return new DeviceValues("SN", 1, keys, Stream.of(keys).mapToDouble(values::get).toArray());
  }

  private static NormalValue normal(String name, double value) {
    return new NormalValue(name, Map.of(), value, "");
  }

  @Test
  void normalisedValuesHavePrecedence() {
    Readings.Result result =
        Readings.of(
            "stream",
            List.of(
                normal("battery_charge_ratio", 0.81),
                normal("home_load_power_watts", 300),
                normal("output_power_watts", 0),
                normal("input_power_watts", 20),
                normal("battery_time_to_empty_seconds", 600)),
            raw(Map.of("pd.soc", 12.0, "pd.wattsInSum", 9.0, "pd.wattsOutSum", 9.0)),
            true);
    assertEquals(
        new Reading("stream", 0.81, NONE, NONE, 300, NONE, 20, NONE, 0, NONE, 600),
        result.reading());
  }

  @Test
  void rawValuesAreShownWithoutNormalisedValues() {
    Readings.Result result =
        Readings.of(
            "",
            List.of(),
            raw(
                Map.of(
                    "pd.soc", 81.0,
                    "bms_bmsStatus.f32ShowSoc", 80.0,
                    "pd.wattsInSum", 9.0,
                    "pow_out_sum_w", 7.0)),
            false);
    assertEquals(reading(0.8, 9, 7, NONE, NONE), result.reading());
    assertEquals(Readings.Result.NONE, Readings.of("", List.of(), raw(Map.of()), false));
  }

  /** Many models send 0 for the charge of an absent battery. */
  @Test
  void rawChargeOfZeroIsIgnored() {
    assertEquals(
        NONE,
        Readings.of("", List.of(), raw(Map.of("cms_batt_soc", 0.0)), false).reading().charge());
    assertEquals(
        0.92,
        Readings.of("", List.of(), raw(Map.of("cmsBattSoc", 0.0, "bmsBattSoc", 92.0)), false)
            .reading()
            .charge());
    assertEquals(
        NONE,
        Readings.of("", List.of(), raw(Map.of("cms_batt_soc", 43.0)), true).reading().charge());
  }

  @Test
  void chargeOfOnlyPackIsUsedForDevice() {
    NormalValue main =
        new NormalValue("battery_pack_charge_ratio", Map.of("pack", "main"), 0.5, "ratio");
    NormalValue other =
        new NormalValue("battery_pack_charge_ratio", Map.of("pack", "1"), 0.7, "ratio");
    assertEquals(0.5, Readings.of("", List.of(main), raw(Map.of()), true).reading().charge());
    assertEquals(
        NONE, Readings.of("", List.of(main, other), raw(Map.of()), true).reading().charge());
    assertEquals(
        0.6,
        Readings.of(
                "", List.of(main, other, normal("battery_charge_ratio", 0.6)), raw(Map.of()), true)
            .reading()
            .charge());
  }

  @Test
  void onlySinglePortIsUsedAsOutput() {
    NormalValue port = new NormalValue("port_output_power_watts", Map.of("port", "plug"), 85, "");
    NormalValue other = new NormalValue("port_output_power_watts", Map.of("port", "b"), 1, "");
    assertEquals(85, Readings.of("", List.of(port), raw(Map.of()), true).reading().output());
    assertEquals(
        NONE, Readings.of("", List.of(port, other), raw(Map.of()), true).reading().output());
  }

  @Test
  void energiesAreThoseOfSingleCounters() {
    Map<String, String> computed = Map.of("origin", "computed");
    Map<String, String> native1 = Map.of("origin", "device", "port", "plug");
    List<NormalValue> values =
        List.of(
            new NormalValue("solar_energy_joules_total", computed, 36, "joules"),
            new NormalValue("port_output_energy_joules_total", native1, 72, "joules"),
            new NormalValue("port_input_power_watts", Map.of("port", "ac_in"), 5, ""),
            new NormalValue("port_input_power_watts", Map.of("port", "solar"), 6, ""),
            new NormalValue("port_input_power_watts", Map.of("port", "dc_in"), 7, ""));
    Readings.Result result = Readings.of("", values, raw(Map.of()), true);
    assertEquals(
        List.of(new Energy.Count(Energy.SUN, 36, true), new Energy.Count(Energy.OUTPUT, 72, false)),
        result.counts());
    assertEquals(5, result.reading().acInput());
  }

  // History

  private static void addCharge(History history, long minute, double charge) {
    history.add(minute, reading(charge, NONE, NONE, NONE, NONE));
  }

  private static void addOutput(History history, long minute, double watts) {
    history.add(minute, reading(NONE, NONE, watts, NONE, NONE));
  }

  private static String path(History history, long now, int maxGap) {
    return history.chart(now, maxGap).map(History.Chart::path).orElse("");
  }

  @Test
  void chartRunsFromLeftToRight() {
    History history = new History();
    assertEquals("", path(history, 5, 2));
    addCharge(history, -59, 0);
    addCharge(history, -58, 0.5);
    // Ignored: the minute already has a value.
    addCharge(history, -58, 1);
    addCharge(history, 0, 1);
    assertEquals("M2.0 38.0h.1L6.0 20.0M238.0 2.0h.1", path(history, 0, 2));
    // A minute later the first value has left the chart.
    assertEquals("M2.0 20.0h.1M234.0 2.0h.1", path(history, 1, 2));
    assertEquals("", path(history, 60, 2));
  }

  @Test
  void minuteWithoutValueIsAGap() {
    History history = new History();
    addCharge(history, 0, 1);
    addCharge(history, 2, 1);
    assertEquals("M230.0 2.0h.1M238.0 2.0h.1", path(history, 2, 1));
    assertEquals("M230.0 2.0h.1L238.0 2.0", path(history, 2, 2));
    // Values older than an hour do not reappear.
    addCharge(history, 62, 1);
    assertEquals("M238.0 2.0h.1", path(history, 62, 2));
    addCharge(history, 1_000, 1);
    assertEquals("M238.0 2.0h.1", path(history, 1_000, 2));
  }

  @Test
  void chartIsScaledToLargestPower() {
    History history = new History();
    addOutput(history, 0, 50);
    addOutput(history, 1, 200);
    addOutput(history, 2, 100);
    assertEquals("M230.0 29.0h.1L234.0 2.0L238.0 20.0", path(history, 2, 2));
    History.Chart chart = history.chart(2, 2).orElseThrow();
    assertEquals(50, chart.min());
    assertEquals(200, chart.max());
    assertEquals(38, chart.zero());
  }

  /** A meter that exports, for example. */
  @Test
  void chartOfPowersBelowZeroHasItsZeroLine() {
    History history = new History();
    for (int i = 0; i < 3; i++) {
      history.add(
          i, new Reading("", NONE, NONE, 100 * i - 100, NONE, NONE, NONE, NONE, NONE, NONE, NONE));
    }
    assertEquals("M230.0 38.0h.1L234.0 20.0L238.0 2.0", path(history, 2, 2));
    assertEquals(20, history.chart(2, 2).orElseThrow().zero());
  }

  @Test
  void chargeAndPowerAreNotMixed() {
    History history = new History();
    addOutput(history, 0, 50);
    addCharge(history, 0, 0.5);
    addOutput(history, 1, 50);
    assertEquals("M234.0 20.0h.1", path(history, 1, 2));
    assertEquals(History.Kind.CHARGE, history.chart(1, 2).orElseThrow().kind());
  }

  @Test
  void historyKnowsWhenTheDeviceWentOffline() {
    History history = new History();
    history.setOnline(false, 1);
    assertEquals(0, history.offlineSince(), "it was offline before");
    history.setOnline(true, 2);
    history.setOnline(false, 3);
    history.setOnline(false, 4);
    assertEquals(3, history.offlineSince());
  }

  // Many devices

  private static List<DeviceView> devices(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "SN%04d".formatted(i))
        .map(
            serial ->
                new DeviceView(
                    serial,
                    "",
                    new Labels(serial, serial, "DELTA 2", "delta2"),
                    true,
                    true,
                    "",
                    OptionalLong.empty()))
        .toList();
  }

  private static LandingPage page(
      Supplier<List<DeviceView>> devices,
      Function<String, Readings.Result> readings,
      LongSupplier nanos) {
    return new LandingPage(
        "", devices, readings, Duration.ofMinutes(1), nanos, () -> 0, Optional::empty, () -> 0);
  }

  @Test
  void pageReadsValuesOfItsOwnDevicesOnly() {
    List<String> read = new ArrayList<>();
    List<DeviceView> all = devices(2_000);
    LandingPage page =
        page(
            () -> all,
            serial -> {
              read.add(serial);
              return Readings.Result.NONE;
            },
            () -> 0);
    String html = page.html(page.view(Query.parse("page=3")));
    assertEquals(IntStream.range(200, 300).mapToObj(i -> "SN%04d".formatted(i)).toList(), read);
    assertEquals(true, html.contains("Devices online: 2,000 of 2,000"), html);
    assertEquals(true, html.contains("201 to 300 of 2,000"), html);
  }

  @ParameterizedTest
  @CsvSource({"10, '', true", "11, '', false", "10, q=a, false", "0, '', true"})
  void fewDevicesNeedNoSearch(int devices, String query, boolean isHidden) {
    LandingPage page = page(() -> devices(devices), serial -> Readings.Result.NONE, () -> 0);
    Map<String, Object> view = page.view(Query.parse(query));
    assertEquals(isHidden, view.get("isSearchHidden"));
    assertEquals(isHidden ? 15 : 60, view.get("refresh"));
    page.groupBy(device -> device.serial().endsWith("0") ? "a" : "b");
    assertEquals(isHidden && devices == 0, page.view(Query.parse(query)).get("isSearchHidden"));
  }

  @Test
  void failuresAreShownAtTheTopAndOnTheCardOfTheirDevice() {
    LandingPage page = page(() -> devices(2), serial -> Readings.Result.NONE, () -> 0);
    assertEquals(true, html(page).contains("<h1 class=\"good\">All fine: 2 of 2 online</h1>"));
    page.alert(() -> List.of("EcoFlow refuses <the> key"));
    page.explain(serial -> serial.equals("SN0001") ? "no permission" : "");
    String html = html(page);
    assertEquals(true, html.contains("<h1 class=\"bad\">Check the exporter: 2 of 2 online</h1>"));
    String alert = "<p class=\"bad\"><strong>EcoFlow refuses &lt;the&gt; key</strong></p>";
    assertEquals(true, html.indexOf(alert) > 0 && html.indexOf(alert) < html.indexOf("<main>"));
    assertEquals(2, html.split("<p class=\"bad\">no permission</p>", -1).length);
    assertEquals(
        true, html.split("<article")[2].contains("<p class=\"bad\">no permission</p>"), html);
  }

  @Test
  void thePageOfAnAccountHasTheFlowsOfTheAccount() {
    LandingPage page =
        page(
            () -> devices(300),
            serial -> new Readings.Result(reading(0.5, 0, 7, NONE, NONE), List.of()),
            () -> 0);
    page.groupBy(device -> device.serial().endsWith("0") ? "a" : "b");
    assertEquals(false, html(page).contains("Power now"), "too many devices");
    String html = page.html(page.view(Query.parse("account=a")));
    assertEquals(true, html.contains("aria-label=\"Power now: Output 210 W\""), html);
    assertEquals(true, html.contains("<p>Power and energy of account a</p>"), html);
    assertEquals(true, html.contains("All fine: 300 of 300 online"), html);
    assertEquals(
        false, page.html(page.view(Query.parse("account=b"))).contains("Power now"), "270 devices");
  }

  private static String html(LandingPage page) {
    return page.html(page.view(Query.NONE));
  }

  @Test
  void removedDeviceLosesItsChart() {
    AtomicReference<List<DeviceView>> served = new AtomicReference<>(devices(2));
    AtomicLong minute = new AtomicLong();
    LandingPage page =
        page(
            served::get,
            serial -> new Readings.Result(reading(0.5, NONE, NONE, NONE, NONE), List.of()),
            () -> minute.get() * 60_000_000_000L);
    page.recordReadings();
    assertEquals(List.of("M238.0 20.0h.1", "M238.0 20.0h.1"), charts(page));
    for (int devices : new int[] {1, 2}) {
      served.set(devices(devices));
      minute.incrementAndGet();
      page.recordReadings();
    }
    assertEquals(List.of("M230.0 20.0h.1L234.0 20.0L238.0 20.0", "M238.0 20.0h.1"), charts(page));
  }

  private static List<String> charts(LandingPage page) {
    return Pattern.compile("<path d=\"(.*?)\"")
        .matcher(page.html(page.view(Query.NONE)))
        .results()
        .map(chart -> chart.group(1))
        .toList();
  }
}
