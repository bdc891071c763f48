package ecoflow.modes;

import static ecoflow.cloud.ApiPath.ACCOUNT_DEVICES;
import static ecoflow.cloud.ApiPath.LOGIN;
import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.apache.camel.ProducerTemplate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Serial numbers in the settings that differ from those of the account, or that the account lacks.
 */
class SerialNumbersTest {

  private static final String LIST = "not in the device list of this account";
  private static final String TYPO = "R331ZEB4ZEA0021";
  private static final String FOREIGN = "R601ZKM9X777777";

  private final SimulatedDevice garage =
      new SimulatedDevice("R331ZEB4ZEA0012", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 71));
  private final SimulatedDevice van =
      new SimulatedDevice("R331ZEB4ZEA0345", "Van", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 52));

  @RegisterExtension
  final ExporterExtension exporter = ExporterExtension.rest("MQTT_TIMEOUT=3600").with(garage, van);

  private final Page page = exporter.page();
  private SimulatedCloud cloud;

  @BeforeEach
  void note() {
    cloud = exporter.cloud();
  }

  private void start(String mode, String serials, String... more) {
    String[] all = new String[more.length + 1];
    System.arraycopy(more, 0, all, 1, more.length);
    all[0] = "ECOFLOW_DEVICE_SN=" + serials;
    exporter.startIn(mode, all);
    if (!mode.equals("rest")) {
      page.eventuallyConnected(1);
    }
  }

  /** Does what a timer does half a minute after the start. */
  private void checkNow() {
    try (ProducerTemplate template = exporter.camelContext().createProducerTemplate()) {
      template.send(
          "direct:account-device-check",
          exchange -> exchange.setVariable(Account.VARIABLE, account()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Account account() {
    return exporter
        .camelContext()
        .getRegistry()
        .lookupByNameAndType("accounts", Accounts.class)
        .all()
        .get(0);
  }

  private void send(SimulatedDevice device, int charge) {
    eventually(
        () -> {
          device.push(Map.of("pd.soc", charge));
          assertEquals(charge, page.of(device, "pd_soc"));
        });
  }

  /** The text of a device on the landing page. */
  private String card(String serial) {
    Optional<String> card =
        Pattern.compile("(?s)<article[ >].*?</article>")
            .matcher(exporter.http().get("/").body())
            .results()
            .map(MatchResult::group)
            .filter(found -> found.contains("\"device-" + serial + "\""))
            .findFirst();
    return card.orElse("").replace("&quot;", "\"").replace("&#34;", "\"");
  }

  private void assertReported(String serial, String words) {
    eventually(() -> assertTrue(card(serial).contains(LIST + words), () -> card(serial)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rest", "open", "mqtt", "device"})
  void lowerCaseIsReadAsUpperCase(String mode) {
    String lower = garage.serial().toLowerCase(Locale.ROOT);
    start(
        mode,
        lower + "," + garage.serial() + ", " + van.serial(),
        "ECOFLOW_DEVICE_NAME=" + lower + "=Shed");
    for (SimulatedDevice device : new SimulatedDevice[] {garage, van}) {
      send(device, 33);
    }
    assertEquals(33, page.of(garage, "pd_soc", "device_name=Shed"));
    assertEquals(2, page.lines("online").size(), "each device has one series");
    assertFalse(page.text().contains(lower));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rest", "open", "mqtt", "device"})
  void anUnknownSerialNumberIsReportedInEachMode(String mode) {
    start(mode, TYPO + "," + FOREIGN + "," + van.serial());
    if (mode.equals("mqtt") || mode.equals("device")) {
      checkNow();
    }
    assertReported(TYPO, "; did you mean R331ZEB4ZEA0012 (\"Garage\")?");
    assertReported(FOREIGN, "; the list has 2 devices");
    assertFalse(card(van.serial()).contains(LIST), () -> card(van.serial()));
    page.eventuallyScrapes(TYPO, "not_found", 1);
    assertEquals(0, page.scrapes(van, "not_found"));
    assertEquals(0, page.of(TYPO, "online"));
    send(van, 7);
    assertFalse(card(van.serial()).contains(LIST), () -> card(van.serial()));
  }

  @Test
  void theListIsRequestedWhenADeviceSendsNothing() {
    start("mqtt", TYPO + "," + van.serial());
    send(van, 7);
    assertEquals(0, cloud.requests(ACCOUNT_DEVICES).size());
    assertReported(TYPO, "; did you mean R331ZEB4ZEA0012 (\"Garage\")?");
    assertEquals(1, cloud.requests(ACCOUNT_DEVICES).size());
    assertEquals(1, cloud.requests(LOGIN).size());
  }

  @Test
  void aFailedListStopsNothing() {
    start("mqtt", TYPO + "," + van.serial());
    cloud.faults().next(ACCOUNT_DEVICES, Fault.status(401), Fault.code("1", "busy"));
    checkNow();
    checkNow();
    assertEquals(0, cloud.faults().pending(ACCOUNT_DEVICES));
    assertFalse(card(TYPO).contains(LIST), () -> card(TYPO));
    send(van, 7);
    checkNow();
    assertReported(TYPO, "; did you mean");
    assertEquals(1, cloud.requests(LOGIN).size(), "the same login");
    assertEquals(1, cloud.connects().size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"mqtt", "device"})
  void valuesHavePriorityOverAListWithoutTheDevice(String mode) {
    // A reply would end the offline state.
    start(mode, garage.serial() + "," + van.serial(), "QUOTA_REQUEST_INTERVAL=3600");
    send(garage, 7);
    String before = page.lines("pd_soc").get(0);
    checkNow();
    assertEquals(before, page.lines("pd_soc").get(0), "labels do not depend on the list");
    cloud.faults().always(ACCOUNT_DEVICES, Fault.data("{\"bound\": {}, \"share\": {}}"));
    checkNow();
    assertFalse(card(garage.serial()).contains(LIST), () -> card(garage.serial()));
    assertEquals(before, page.lines("pd_soc").get(0), "the same labels");
    assertEquals(0, page.scrapes(garage, "not_found"));
    if (mode.equals("mqtt")) {
      assertReported(van.serial(), "; the list has 0 devices");
    }

    send(garage, 8);
    send(van, 8);
    for (SimulatedDevice device : new SimulatedDevice[] {garage, van}) {
      device.publishStatus(
          """
          {"params": {"status": 0}}
          """);
      page.eventuallyShows(device, "online", 0);
      assertFalse(card(device.serial()).contains(LIST), () -> card(device.serial()));
    }
  }

  @Test
  void anIncompleteListDoesNotChangeLabels() {
    start("mqtt", "all");
    send(garage, 7);
    String before = page.lines("pd_soc").get(0);
    assertTrue(before.contains("device_name=\"Garage\""), before);
    cloud.faults().next(ACCOUNT_DEVICES, Fault.data("{\"bound\": {}, \"share\": {}}"));
    checkNow();
    assertEquals(before, page.lines("pd_soc").get(0));
    assertFalse(card(garage.serial()).contains(LIST), () -> card(garage.serial()));
    send(garage, 8);
  }

  @Test
  void aDeviceThatIsAddedToTheAccountIsNoLongerReported() {
    start("mqtt", TYPO);
    checkNow();
    assertReported(TYPO, "");
    cloud.add(new SimulatedDevice(TYPO, "New", "DELTA 2", WireFormat.JSON));
    checkNow();
    assertFalse(card(TYPO).contains(LIST), () -> card(TYPO));
    page.eventuallyScrapes(TYPO, "offline", 1);
  }
}
