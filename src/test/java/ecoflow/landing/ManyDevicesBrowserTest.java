package ecoflow.landing;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.Browser;
import ecoflow.testkit.ExporterExtension;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The landing page with 2,000 devices of 200 accounts in Chromium. */
class ManyDevicesBrowserTest {

  private static final int DEVICES = 2_000;

  @RegisterExtension
  final ExporterExtension exporter =
      ExporterExtension.rest("COLLECTING_INTERVAL=60", "DEVICE_LIST_CACHE_TTL=60").with(devices());

  @TempDir Path directory;

  private static SimulatedDevice[] devices() {
    return IntStream.range(0, DEVICES)
        .mapToObj(
            i ->
                new SimulatedDevice(
                        "R331ZMANY%07d".formatted(i), "Home " + i, "DELTA 2", WireFormat.JSON)
                    .set(Map.of("pd.soc", i % 100, "pd.wattsOutSum", i)))
        .toArray(SimulatedDevice[]::new);
  }

  @Test
  void devicesAreFoundWithTheKeyboardAndWithoutScripts() throws Exception {
    assumeTrue(Browser.isInstalled(), "chromium is not installed");
    start();
    try (Browser browser = Browser.start(directory)) {
      browser.show(1280, 860, false);
      browser.withoutScripts();
      browser.open(url());
      assertEquals(List.of(), browser.problems());
      assertEquals(100, count(browser, "article"));
      assertEquals(10, count(browser, "h2"));
      assertEquals("1 to 100 of 2,000Next", navigation(browser));

      focus(browser, "#q");
      browser.type("home 19");
      browser.pressEnter();
      eventually(() -> assertEquals("Found: 111 devices", found(browser)));
      assertEquals("home 19", value(browser));
      assertEquals("1 to 100 of 111Next", navigation(browser));

      focus(browser, "nav a[rel=next]");
      browser.pressEnter();
      eventually(() -> assertEquals("Previous101 to 111 of 111", navigation(browser)));
      assertEquals(11, count(browser, "article"));
      assertEquals("home 19", value(browser));

      focus(browser, "h2 a");
      String account = browser.evaluate("document.activeElement.textContent").asText();
      browser.pressEnter();
      eventually(() -> assertEquals("Found: 10 devices", found(browser)));
      assertEquals(account + " 10 devices", text(browser, "h2"));
      assertEquals(List.of(), browser.problems());
    }
  }

  @Test
  void theRefreshKeepsTheFocusAndTheEnteredText() throws Exception {
    assumeTrue(Browser.isInstalled(), "chromium is not installed");
    start();
    try (Browser browser = Browser.start(directory)) {
      for (int width : new int[] {1280, 390}) {
        browser.show(width, 860, false);
        browser.open(url() + "?page=2");
        assertTrue(browser.evaluate("document.documentElement.scrollWidth").asInt() <= width);
        Files.write(
            Files.createDirectories(Path.of("target/landing-page"))
                .resolve("many-" + width + ".png"),
            browser.screenshot());
      }
      focus(browser, "nav[aria-label='Pages, bottom'] a[rel=next]");
      refresh(browser);
      assertTrue(
          isFocused(browser, "nav[aria-label='Pages, bottom'] a[rel=next]"), "the same link");
      assertEquals("Previous101 to 200 of 2,000Next", navigation(browser));

      focus(browser, "#device-R331ZMANY0000150 > summary");
      browser.pressEnter();
      assertEquals(1, count(browser, "details[open]"));
      refresh(browser);
      assertTrue(isFocused(browser, "#device-R331ZMANY0000150 > summary"));
      assertEquals(1, count(browser, "#device-R331ZMANY0000150[open]"));
      assertEquals(1, count(browser, "details[open]"));

      browser.evaluate("document.querySelector('#q').focus()");
      browser.type("half a na");
      refresh(browser);
      assertTrue(isFocused(browser, "#q"));
      browser.type("me");
      assertEquals("half a name", value(browser));
      assertEquals(List.of(), browser.problems());
    }
  }

  private void start() {
    exporter.start();
    exporter
        .camelContext()
        .getRegistry()
        .lookupByNameAndType("landingPage", LandingPage.class)
        .groupBy(device -> "account-" + device.serial().substring(12, 15));
    eventually(
        () ->
            assertTrue(exporter.http().get("/").body().contains("Devices online: 2,000 of 2,000")));
  }

  private String url() {
    return "http://localhost:" + exporter.http().port() + "/";
  }

  /** Refreshes the page as its timer does, and waits until the devices are replaced. */
  private static void refresh(Browser browser) {
    browser.evaluate("document.querySelector('main').id = 'before'; refresh()");
    eventually(() -> assertEquals(0, count(browser, "#before")));
  }

  /** Moves the keyboard focus to an element with the Tab key. */
  private static void focus(Browser browser, String selector) {
    for (int i = 0; i < 200 && !isFocused(browser, selector); i++) {
      browser.pressTab();
    }
    assertTrue(isFocused(browser, selector), selector);
  }

  private static boolean isFocused(Browser browser, String selector) {
    return browser.evaluate("document.activeElement.matches(\"" + selector + "\")").asBoolean();
  }

  private static int count(Browser browser, String selector) {
    return browser.evaluate("document.querySelectorAll(\"" + selector + "\").length").asInt();
  }

  private static String text(Browser browser, String selector) {
    return browser.evaluate("document.querySelector(\"" + selector + "\")?.innerText").asText();
  }

  private static String navigation(Browser browser) {
    return text(browser, "nav").replace("\n", "");
  }

  private static String found(Browser browser) {
    return text(browser, "main > p");
  }

  private static String value(Browser browser) {
    return browser.evaluate("document.querySelector('#q').value").asText();
  }
}
