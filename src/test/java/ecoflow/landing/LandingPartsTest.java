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
import java.util.OptionalDouble;
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

  private static OptionalDouble some(double value) {
    return OptionalDouble.of(value);
  }

  private static final OptionalDouble NONE = OptionalDouble.empty();

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
    "12345,12.3 kW"
  })
  void formatsWatts(double watts, String text) {
    assertEquals(text, Format.watts(some(watts)));
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
    Reading both = new Reading(some(.5), some(100), some(20), some(3600), some(7200));
    assertEquals("full in 1 h 0 min", Format.remainingTime(both));
    assertEquals(
        "empty in 2 h 0 min",
        Format.remainingTime(new Reading(some(.5), some(10), some(20), some(3600), some(7200))));
    assertEquals(
        "full in 1 h 0 min",
        Format.remainingTime(new Reading(some(.5), NONE, NONE, some(3600), NONE)));
    assertEquals(
        "",
        Format.remainingTime(new Reading(some(.5), some(9), NONE, NONE, some(7200))),
        "charging");
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
    Reading reading =
        Readings.of(
            List.of(
                normal("battery_charge_ratio", 0.81),
                normal("home_load_power_watts", 300),
                normal("output_power_watts", 0),
                normal("input_power_watts", 20),
                normal("battery_time_to_empty_seconds", 600)),
            raw(Map.of("pd.soc", 12.0, "pd.wattsInSum", 9.0, "pd.wattsOutSum", 9.0)),
            true);
    assertEquals(new Reading(some(0.81), some(20), some(0), NONE, some(600)), reading);
  }

  @Test
  void rawValuesAreShownWithoutNormalisedValues() {
    Reading reading =
        Readings.of(
            List.of(),
            raw(
                Map.of(
                    "pd.soc", 81.0,
                    "bms_bmsStatus.f32ShowSoc", 80.0,
                    "pd.wattsInSum", 9.0,
                    "pow_out_sum_w", 7.0)),
            false);
    assertEquals(new Reading(some(0.8), some(9), some(7), NONE, NONE), reading);
    assertEquals(Reading.NONE, Readings.of(List.of(), raw(Map.of()), false));
  }

  /** Many models send 0 for the charge of an absent battery. */
  @Test
  void rawChargeOfZeroIsIgnored() {
    assertEquals(NONE, Readings.of(List.of(), raw(Map.of("cms_batt_soc", 0.0)), false).charge());
    assertEquals(
        some(0.92),
        Readings.of(List.of(), raw(Map.of("cmsBattSoc", 0.0, "bmsBattSoc", 92.0)), false).charge());
    assertEquals(NONE, Readings.of(List.of(), raw(Map.of("cms_batt_soc", 43.0)), true).charge());
  }

  @Test
  void chargeOfOnlyPackIsUsedForDevice() {
    NormalValue main =
        new NormalValue("battery_pack_charge_ratio", Map.of("pack", "main"), 0.5, "ratio");
    NormalValue other =
        new NormalValue("battery_pack_charge_ratio", Map.of("pack", "1"), 0.7, "ratio");
    assertEquals(some(0.5), Readings.of(List.of(main), raw(Map.of()), true).charge());
    assertEquals(NONE, Readings.of(List.of(main, other), raw(Map.of()), true).charge());
    assertEquals(
        some(0.6),
        Readings.of(List.of(main, other, normal("battery_charge_ratio", 0.6)), raw(Map.of()), true)
            .charge());
  }

  @Test
  void onlySinglePortIsUsedAsOutput() {
    NormalValue port = new NormalValue("port_output_power_watts", Map.of("port", "plug"), 85, "");
    NormalValue other = new NormalValue("port_output_power_watts", Map.of("port", "b"), 1, "");
    assertEquals(some(85), Readings.of(List.of(port), raw(Map.of()), true).output());
    assertEquals(NONE, Readings.of(List.of(port, other), raw(Map.of()), true).output());
  }

  // History

  @Test
  void chartRunsFromLeftToRight() {
    History history = new History();
    assertEquals("", history.path(5, 2));
    history.addCharge(-59, 0);
    history.addCharge(-58, 0.5);
    // Ignored: the minute already has a value.
    history.addCharge(-58, 1);
    history.addCharge(0, 1);
    assertEquals("M2.0 38.0h.1L6.0 20.0M238.0 2.0h.1", history.path(0, 2));
    // A minute later the first value has left the chart.
    assertEquals("M2.0 20.0h.1M234.0 2.0h.1", history.path(1, 2));
    assertEquals("", history.path(60, 2));
  }

  @Test
  void minuteWithoutValueIsAGap() {
    History history = new History();
    history.addCharge(0, 1);
    history.addCharge(2, 1);
    assertEquals("M230.0 2.0h.1M238.0 2.0h.1", history.path(2, 1));
    assertEquals("M230.0 2.0h.1L238.0 2.0", history.path(2, 2));
    // Values older than an hour do not reappear.
    history.addCharge(62, 1);
    assertEquals("M238.0 2.0h.1", history.path(62, 2));
    history.addCharge(1_000, 1);
    assertEquals("M238.0 2.0h.1", history.path(1_000, 2));
  }

  @Test
  void chartIsScaledToLargestPower() {
    History history = new History();
    history.addPower(0, 50);
    history.addPower(1, 200);
    history.addPower(2, 100);
    assertEquals("M230.0 29.0h.1L234.0 2.0L238.0 20.0", history.path(2, 2));
  }

  @Test
  void chargeAndPowerAreNotMixed() {
    History history = new History();
    history.addPower(0, 50);
    history.addCharge(0, 0.5);
    history.addPower(1, 50);
    assertEquals("M234.0 20.0h.1", history.path(1, 2));
    assertEquals(true, history.isCharge());
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
      Supplier<List<DeviceView>> devices, Function<String, Reading> readings, LongSupplier nanos) {
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
              return Reading.NONE;
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
    LandingPage page = page(() -> devices(devices), serial -> Reading.NONE, () -> 0);
    Map<String, Object> view = page.view(Query.parse(query));
    assertEquals(isHidden, view.get("isSearchHidden"));
    assertEquals(isHidden ? 15 : 60, view.get("refresh"));
    page.groupBy(device -> device.serial().endsWith("0") ? "a" : "b");
    assertEquals(isHidden && devices == 0, page.view(Query.parse(query)).get("isSearchHidden"));
  }

  @Test
  void removedDeviceLosesItsChart() {
    AtomicReference<List<DeviceView>> served = new AtomicReference<>(devices(2));
    AtomicLong minute = new AtomicLong();
    LandingPage page =
        page(
            served::get,
            serial -> new Reading(some(0.5), NONE, NONE, NONE, NONE),
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
