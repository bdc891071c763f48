package ecoflow.landing;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.cloud.Fleet;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.Browser;
import ecoflow.testkit.ExporterExtension;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The landing page in Chromium, with the devices of the demo. */
class LandingPageBrowserTest {

  private static final String LONG_NAME = "<script>" + "AVeryLongNameWithoutASpace".repeat(4);

  private final Fleet fleet = new Fleet();
  private final SimulatedDevice evil =
      new SimulatedDevice("R331ZBROWSER0001", LONG_NAME, "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 9));

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.device().with(devices());

  @TempDir Path directory;

  private SimulatedDevice[] devices() {
    List<SimulatedDevice> all = new ArrayList<>(fleet.devices());
    all.add(evil);
    return all.toArray(SimulatedDevice[]::new);
  }

  @Test
  void thePageFitsADesktopAndAPhoneInLightAndDark() throws Exception {
    assumeTrue(Browser.isInstalled(), "chromium is not installed");
    exporter.start("ECOFLOW_METRICS=both");
    for (SimulatedDevice device : devices()) {
      exporter.page().eventuallyShows(device, "online", 1);
    }
    try (Browser browser = Browser.start(directory)) {
      String url = url();
      Path pictures = Files.createDirectories(Path.of("target/landing-page"));
      for (int width : new int[] {1280, 390}) {
        String background = "";
        for (boolean dark : new boolean[] {false, true}) {
          browser.show(width, 860, dark);
          browser.open(url);
          assertEquals(List.of(), browser.problems());
          assertEquals(6, browser.evaluate("document.querySelectorAll('article').length").asInt());
          assertEquals(
              LONG_NAME,
              browser
                  .evaluate(
                      "[...document.querySelectorAll('h2')].map(h => h.textContent)"
                          + ".find(t => t.includes('script'))")
                  .asText());
          assertTrue(
              browser.evaluate("document.documentElement.scrollWidth").asInt() <= width,
              "the page fits the width of the window");
          assertEquals(1, browser.evaluate("document.scripts.length").asInt());
          // The style sheet is applied: wide screens have several columns of cards.
          int columns =
              browser
                  .evaluate(
                      "new Set([...document.querySelectorAll('article')]"
                          + ".map(a => a.getBoundingClientRect().left)).size")
                  .asInt();
          assertEquals(width < 600, columns == 1, columns + " columns at " + width);
          String now = browser.evaluate("getComputedStyle(document.body).backgroundColor").asText();
          assertNotEquals(background, now);
          background = now;
          Files.write(
              pictures.resolve(
                  (width < 600 ? "phone" : "desktop") + (dark ? "-dark" : "") + ".png"),
              browser.screenshot());
        }
      }
    }
  }

  @Test
  void thePageRefreshesItselfAndRemovesValuesWhenTheExporterStops() {
    assumeTrue(Browser.isInstalled(), "chromium is not installed");
    exporter.start("ECOFLOW_METRICS=both");
    exporter.page().eventuallyShows(evil, "online", 1);
    try (Browser browser = Browser.start(directory)) {
      browser.show(1280, 800, false);
      browser.open(url() + "?q=BROWSER");
      browser.evaluate("window.isSamePage = true");
      evil.set(Map.of("pd.soc", 77));
      evil.pushAll();
      eventually(() -> assertTrue(text(browser).contains("77 %"), () -> text(browser)));
      assertTrue(browser.evaluate("window.isSamePage").asBoolean(), "it was not loaded again");
      assertTrue(text(browser).contains("Found: 1 device"), "it is the same search");
      assertEquals(List.of(), browser.problems());
      exporter.stop();
      eventually(
          () ->
              assertTrue(
                  text(browser).contains("The exporter does not respond."), () -> text(browser)));
      assertFalse(text(browser).contains("77 %"), () -> text(browser));
    }
  }

  @Test
  void thePageRefreshesItselfWithoutScripts() {
    assumeTrue(Browser.isInstalled(), "chromium is not installed");
    exporter.start("ECOFLOW_METRICS=both");
    exporter.page().eventuallyShows(evil, "online", 1);
    try (Browser browser = Browser.start(directory)) {
      browser.show(1280, 800, false);
      browser.withoutScripts();
      browser.open(url() + "?page=1");
      evil.set(Map.of("pd.soc", 77));
      evil.pushAll();
      eventually(() -> assertTrue(text(browser).contains("77 %"), () -> text(browser)));
      assertEquals("?page=1", browser.evaluate("location.search").asText());
    }
  }

  private String url() {
    return "http://localhost:" + exporter.http().port() + "/";
  }

  private static String text(Browser browser) {
    return browser.evaluate("document.body.innerText").asText();
  }
}
