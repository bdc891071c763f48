package ecoflow.landing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.landing.Site.Flow;
import ecoflow.landing.Site.Unit;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The power flows of all devices, in which no power is counted twice. */
class SiteTest {

  private static final double NONE = Double.NaN;

  private static Reading reading(
      String family, double sun, double grid, double home, double battery) {
    return new Reading(family, NONE, sun, grid, home, battery, NONE, NONE, NONE, NONE, NONE);
  }

  private static Reading station(String family, double acInput, double output) {
    return new Reading(family, NONE, 10, NONE, NONE, -5, acInput + 10, acInput, output, NONE, NONE);
  }

  private static Unit unit(String account, String serial, Reading reading) {
    return new Unit(account, serial, "Name " + serial, reading, reading);
  }

  private static Unit offline(String account, String serial, Reading last) {
    return new Unit(account, serial, "Name " + serial, Reading.NONE, last);
  }

  @Test
  void powersOfStationsAreAddedUp() {
    Site site =
        Site.of(
            List.of(
                unit("", "A", station("delta2", 100, 50)),
                unit("", "B", station("river3", 20, 5)),
                // A refrigerator behind a station.
                unit("", "C", station("glacier", 40, 0)),
                // A plug has no input.
                unit(
                    "",
                    "D",
                    new Reading(
                        "smart_plug", NONE, NONE, NONE, NONE, NONE, NONE, NONE, 30, NONE, NONE))));
    assertEquals(new Flow(120, 2, 2, ""), site.acInput());
    assertEquals(new Flow(55, 2, 2, ""), site.output());
    assertFalse(site.grid().isKnown());
    assertFalse(site.home().isKnown());
  }

  @Test
  void valuesOfOfflineDevicesAreNotAddedButTheDevicesAreCounted() {
    Site site =
        Site.of(
            List.of(
                unit("", "A", station("delta2", 100, 50)),
                offline("", "B", station("delta2", 20, 5))));
    assertEquals(new Flow(100, 1, 2, ""), site.acInput());
    assertEquals(new Flow(10, 1, 2, ""), site.sun());
    Flow none = Site.of(List.of(offline("", "B", station("delta2", 20, 5)))).sun();
    assertTrue(Double.isNaN(none.watts()), "unknown, not 0");
    assertEquals(1, none.all());
  }

  @Test
  void aStationBehindADeviceThatMeasuresTheHomeIsNotAddedToTheHome() {
    Site site =
        Site.of(
            List.of(
                unit("", "B", reading("powerocean", 500, 200, 900, 100)),
                unit("", "A", station("delta2", 100, 50))));
    assertEquals(new Flow(200, 1, 1, "Name B"), site.grid());
    assertEquals(new Flow(900, 1, 1, "Name B"), site.home());
    assertFalse(site.acInput().isKnown());
    assertEquals(50, site.separateOutput().watts());
    assertEquals(510, site.sun().watts());
    assertEquals(95, site.battery().watts());
  }

  /** The device keeps its role, so that the flow does not change its meaning. */
  @Test
  void anOfflineMeterIsNotReplacedByStations() {
    Site site =
        Site.of(
            List.of(
                offline("", "B", reading("powerocean", 500, 200, 900, 100)),
                unit("", "A", station("delta2", 100, 50))));
    assertTrue(Double.isNaN(site.home().watts()));
    assertFalse(site.output().isKnown());
  }

  @Test
  void theGridIsMeasuredByOneDeviceOfAnAccount() {
    Unit panel = unit("", "Z", reading("smart_home_panel_2", NONE, 400, 900, NONE));
    Unit meter = unit("", "Y", reading("smart_meter", NONE, 401, NONE, NONE));
    Unit inverter = unit("", "A", reading("powerstream", 300, 402, NONE, -100));
    assertEquals(400, Site.of(List.of(inverter, meter, panel)).grid().watts());
    Site withoutPanel = Site.of(List.of(inverter, meter));
    assertEquals(401, withoutPanel.grid().watts());
    assertFalse(withoutPanel.home().isKnown(), "a meter does not measure the home");
    assertEquals(402, Site.of(List.of(inverter)).grid().watts());
  }

  @Test
  void metersOfSeveralAccountsAreAddedUp() {
    Site site =
        Site.of(
            List.of(
                unit("one", "A", reading("smart_meter", NONE, 100, NONE, NONE)),
                unit("two", "B", reading("smart_meter", NONE, -30, NONE, NONE))));
    assertEquals(new Flow(70, 2, 2, ""), site.grid());
  }

  /** The leader of a STREAM system sends the sums of the system. */
  @Test
  void linkedUnitsArePartOfTheirLeader() {
    Site site =
        Site.of(
            List.of(
                unit("", "A", reading("stream", 150, NONE, NONE, 70)),
                unit("", "B", reading("stream", 400, -20, 250, 130)),
                unit("two", "C", reading("stream", 90, NONE, NONE, NONE))));
    assertEquals(new Flow(490, 2, 2, ""), site.sun());
    assertEquals(130, site.battery().watts());
  }

  @Test
  void aBatteryBehindAPanelIsCountedOnce() {
    Unit panel = unit("", "A", reading("smart_home_panel_2", NONE, 400, 900, -500));
    Unit station = unit("", "B", reading("delta_pro_ultra", 0, NONE, NONE, -510));
    assertEquals(-510, Site.of(List.of(panel, station)).battery().watts());
    assertEquals(-500, Site.of(List.of(panel)).battery().watts());
    Unit gone = offline("", "B", reading("delta_pro_ultra", 0, NONE, NONE, -510));
    assertEquals(-500, Site.of(List.of(panel, gone)).battery().watts());
  }

  /** A panel sends the sum of the solar inputs of the inverters or power stations behind it. */
  @Test
  void solarInputsBehindAPanelAreCountedOnce() {
    for (String family : List.of("ocean_panel", "smart_home_panel_3")) {
      Unit panel = unit("", "A", reading(family, 2000, 400, 900, -500));
      Unit inverter = unit("", "B", reading("ocean_pro", 1990, 400, 900, -510));
      Site site = Site.of(List.of(panel, inverter));
      assertEquals(new Flow(1990, 1, 1, ""), site.sun());
      assertEquals(List.of(inverter), site.sunUnits());
      assertEquals(-510, site.battery().watts());
      assertEquals(2000, Site.of(List.of(panel)).sun().watts());
      assertEquals(List.of(panel), Site.of(List.of(panel)).sunUnits());
    }
  }
}
