package ecoflow.landing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import ecoflow.device.DeviceView;
import ecoflow.device.Labels;
import ecoflow.testkit.Axe;
import ecoflow.testkit.Browser;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * States of a home at several sizes in Chromium, with an hour of values. The pictures are in
 * target/landing-page; check them after a change of the page.
 */
class LandingStatesBrowserTest {

  private static final int[] WIDTHS = {390, 768, 1440, 3840};
  private static final int[] HEIGHTS = {844, 1024, 900, 2160};
  private static final double NONE = Double.NaN;
  private static final long NOON =
      LocalDateTime.parse("2026-07-01T12:00")
          .atZone(ZoneId.systemDefault())
          .toInstant()
          .toEpochMilli();

  /** The elements that can be touched and are too small. */
  private static final String SMALL_TARGETS =
      """
      [...document.querySelectorAll("a, summary, button, input:not([type=hidden])")]
          .filter(e => e.checkVisibility())
          .map(e => ({ e, r: e.getBoundingClientRect() }))
          .filter(({ r }) => r.height < 44 || r.width < 44)
          .map(({ e, r }) => e.outerHTML + " " + r.width + "x" + r.height)
      """;

  /** The elements whose content is wider than they are. */
  private static final String OVERFLOWS =
      """
      [...document.querySelectorAll("header *, main *")]
          .filter(e => !e.closest("svg") && !e.matches(".hide, .hide *"))
          .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display != "inline")
          .map(e => e.outerHTML.slice(0, 200) + " " + e.scrollWidth + ">" + e.clientWidth)
      """;

  @TempDir Path directory;

  private HttpServer server;
  private volatile String html = "";

  /** A device whose values depend on the minute of the hour, from 0 to 60. */
  private record Model(
      String account, String name, String product, boolean isOnline, Values values) {

    interface Values {
      Reading at(int minute);
    }

    String serial() {
      return "SN" + Integer.toHexString((account + name).hashCode()).toUpperCase();
    }
  }

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] body = html.getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private static double sun(int minute) {
    return 600 + 250 * Math.sin(minute / 9.0) + 3.7 * minute;
  }

  private static Model stream(String account, String name, boolean isOnline) {
    return new Model(
        account,
        name,
        "STREAM Ultra",
        isOnline,
        minute ->
            new Reading(
                "stream",
                0.48 + minute * 0.002,
                sun(minute),
                -120 - minute,
                280,
                sun(minute) - 400,
                NONE,
                NONE,
                NONE,
                7_800,
                NONE));
  }

  private static Model station(String account, String name, String product, double charge) {
    return new Model(
        account,
        name,
        product,
        true,
        minute ->
            new Reading(
                "delta2",
                charge - minute * 0.001,
                96 + minute % 7,
                NONE,
                NONE,
                -64.4,
                96,
                0,
                161,
                NONE,
                19_620));
  }

  private static Model plug(String account, String name, boolean isOnline) {
    return new Model(
        account,
        name,
        "Smart Plug",
        isOnline,
        minute ->
            new Reading(
                "smart_plug",
                NONE,
                NONE,
                NONE,
                NONE,
                NONE,
                NONE,
                NONE,
                minute % 30 < 20 ? 85 : 0,
                NONE,
                NONE));
  }

  private static Model inputOnly(String name, double output) {
    return new Model(
        "",
        name,
        "DELTA Pro Ultra X",
        true,
        minute ->
            new Reading(
                "delta_pro_ultra_x", 0.37, NONE, NONE, NONE, NONE, 0, NONE, output, NONE, 12_460));
  }

  private static List<Model> home() {
    return List.of(
        stream("", "Balcony", true),
        station("", "Garage", "DELTA 2", 0.91),
        plug("", "Fridge", true),
        inputOnly("Workshop", 240),
        station("", "Van", "RIVER 3", 0.15));
  }

  private static Map<String, List<Model>> states() {
    Map<String, List<Model>> states = new LinkedHashMap<>();
    states.put("five", home());
    states.put(
        "offline",
        List.of(stream("", "Balcony", false), plug("", "Fridge", false), plug("", "Attic", false)));
    List<Model> mixed = new ArrayList<>(home());
    mixed.add(inputOnly("Cabin with a name that is a little too long", 12_345));
    mixed.add(plug("", "Attic", false));
    mixed.add(stream("", "Zulu", false));
    states.put("mixed", mixed);
    states.put("one", List.of(station("", "Garage", "DELTA 2", 0.91)));
    states.put("plug", List.of(plug("", "Fridge", true)));
    states.put("none", List.of());
    states.put("problem", List.of(station("", "Garage", "DELTA 2", 0.91)));
    states.put(
        "accounts",
        List.of(
            stream("Berlin", "Balcony", true),
            plug("Berlin", "Fridge", true),
            station("Rome", "Garage", "DELTA 2", 0.91),
            plug("Rome", "Fridge", false)));
    List<Model> many = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      many.add(station("", "Station %03d".formatted(i), "DELTA 2", 0.1 + i / 140.0));
    }
    states.put("many", many);
    return states;
  }

  /** The page at noon, with values since 11:00 and energies since midnight. */
  private static String page(String state, List<Model> models) {
    long[] minute = {0};
    List<DeviceView> views = new ArrayList<>();
    Map<String, Model> bySerial = new LinkedHashMap<>();
    models.forEach(model -> bySerial.put(model.serial(), model));
    LandingPage page =
        new LandingPage(
            "0.1.0, mode device",
            () -> views,
            serial -> result(bySerial.get(serial), (int) minute[0]),
            Duration.ofSeconds(10),
            () -> Duration.ofMinutes(minute[0]).toNanos(),
            () -> NOON + Duration.ofMinutes(minute[0] - 60).toMillis(),
            Optional::empty,
            () -> 0);
    boolean isProblem = state.equals("problem") || state.equals("none");
    page.show(
        "EcoFlow",
        () -> isProblem ? Optional.of("has not answered yet") : Optional.empty(),
        "answers");
    page.groupBy(view -> bySerial.get(view.serial()).account());
    for (minute[0] = -1440; minute[0] <= 60; minute[0]++) {
      if (minute[0] < 0 && minute[0] % 60 != 0 && Math.abs(minute[0] + 660) > 2) {
        continue;
      }
      boolean isOver = minute[0] > 40;
      views.clear();
      for (Model model : models) {
        boolean isOnline = model.isOnline() || !isOver;
        views.add(
            new DeviceView(
                model.serial(),
                model.account(),
                new Labels(model.serial(), model.name(), model.product(), "key"),
                isOnline,
                isOnline,
                "",
                OptionalLong.of(NOON - (isOnline ? 3_000 : 1_200_000))));
      }
      page.recordReadings();
    }
    minute[0] = 60;
    return page.html(page.view(Query.NONE));
  }

  private static Readings.Result result(Model model, int minute) {
    Reading reading = model.values().at(Math.max(0, minute));
    double seconds = (minute + 1_440) * 60;
    List<Energy.Count> counts = new ArrayList<>();
    if (Reading.isKnown(reading.sun())) {
      counts.add(new Energy.Count(Energy.SUN, seconds * reading.sun() / 3, true));
    }
    if (Reading.isKnown(reading.grid())) {
      counts.add(new Energy.Count(Energy.IMPORT, seconds * 11, false));
      counts.add(new Energy.Count(Energy.EXPORT, seconds * 60, false));
    }
    if (Reading.isKnown(reading.home())) {
      counts.add(new Energy.Count(Energy.HOME, seconds * reading.home(), true));
    }
    if (Reading.isKnown(reading.output())) {
      counts.add(new Energy.Count(Energy.OUTPUT, seconds * reading.output(), true));
    }
    return new Readings.Result(reading, counts);
  }

  @Test
  void allStatesFitAllSizesAndAreAccessible() throws Exception {
    assumeTrue(Browser.isInstalled(), "chromium is not installed");
    Axe axe = Axe.get();
    Path pictures = Files.createDirectories(Path.of("target/landing-page"));
    try (Browser browser = Browser.start(directory)) {
      for (Map.Entry<String, List<Model>> state : states().entrySet()) {
        html = page(state.getKey(), state.getValue());
        for (int i = 0; i < WIDTHS.length; i++) {
          // The many cards differ in their values only.
          boolean isLong = state.getKey().equals("many") && WIDTHS[i] != 390;
          for (boolean dark : isLong ? new boolean[] {false} : new boolean[] {false, true}) {
            String name = state.getKey() + "-" + WIDTHS[i] + (dark ? "-dark" : "");
            browser.show(WIDTHS[i], HEIGHTS[i], dark);
            browser.open("http://localhost:" + server.getAddress().getPort() + "/");
            Files.write(
                pictures.resolve(name + ".png"), browser.screenshot(WIDTHS[i], 2 * HEIGHTS[i]));
            if (name.startsWith("five-390")) {
              Files.write(pictures.resolve(name + "-window.png"), browser.screenshot());
            }
            check(browser, axe, name);
            if (state.getKey().equals("mixed")) {
              browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)");
              check(browser, axe, name + " with details");
            }
          }
        }
      }
    }
  }

  private static void check(Browser browser, Axe axe, String name) {
    assertEquals(List.of(), browser.problems(), name);
    assertEquals("[]", browser.evaluate(SMALL_TARGETS).toString(), name);
    assertEquals("[]", browser.evaluate(OVERFLOWS).toString(), name);
    assertTrue(
        browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth").asBoolean(),
        name);
    assertEquals(List.of(), axe.violations(browser), name);
  }

  @Test
  void fourDevicesFitThePhone() throws Exception {
    assumeTrue(Browser.isInstalled(), "chromium is not installed");
    html = page("five", home());
    try (Browser browser = Browser.start(directory)) {
      browser.show(390, 844, false);
      browser.open("http://localhost:" + server.getAddress().getPort() + "/");
      int height =
          browser
              .evaluate(
                  "(all => all[3].getBoundingClientRect().bottom"
                      + " - all[0].getBoundingClientRect().top)([...document.querySelectorAll('article')])")
              .asInt();
      assertTrue(height <= 844, height + " px");
    }
  }
}
