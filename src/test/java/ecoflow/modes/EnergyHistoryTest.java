package ecoflow.modes;

import static ecoflow.cloud.ApiPath.HISTORY;
import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.account.Account;
import ecoflow.account.Accounts;
import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedAccount;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.AccountsYaml;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The gauges for the energy that EcoFlow counted. */
class EnergyHistoryTest {

  private static final String SOLAR =
      "BK621-App-HOME-SOLAR-ENERGY-FLOW-solor-line-NOTDISTINGUISH-MASTER_DATA";
  private static final String LOAD =
      "BK621-App-HOME-LOAD-ENERGY-FLOW-consumption-prop_arc-NOTDISTINGUISH-MASTER_DATA";
  private static final String GRID =
      "BK621-App-HOME-GRID-ENERGY-FLOW-grid_prop_bar-NOTDISTINGUISH-MASTER_DATA";
  private static final String BATTERY =
      "BK621-App-HOME-SOC-ENERGY-FLOW-battery-prop_bar-NOTDISTINGUISH-MASTER_DATA";
  private static final String NAME = "reported_energy_joules";
  private static final String REJECTED = "reported_energy_rejected_total";
  private static final String ON = "ECOFLOW_HISTORY_INTERVAL=900";

  private final String today = LocalDate.now().toString();
  private final String yesterday = LocalDate.now().minusDays(1).toString();
  private final SimulatedDevice stream =
      new SimulatedDevice("BK61ZHISTORY0001", "Balcony", "STREAM Ultra", WireFormat.JSON)
          .set(Map.of("powGetPvSum", 300))
          .setHistory(SOLAR, today, total("1200"))
          .setHistory(SOLAR, yesterday, total("9945"))
          .setHistory(LOAD, today, total("800"))
          .setHistory(GRID, today, directions("100", "20"))
          .setHistory(BATTERY, today, directions("5", "0"));

  private final SimulatedDevice delta =
      new SimulatedDevice("R331ZHISTORY0001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(Map.of("pd.soc", 81));

  @RegisterExtension
  final ExporterExtension exporter = ExporterExtension.rest().with(stream, delta);

  private static String total(String wattHours) {
    return "[{\"indexName\":\"master_data\",\"indexValue\":\"%s\",\"unit\":\"wh\"}]"
        .formatted(wattHours);
  }

  private static String directions(String in, String out) {
    return ("[{\"indexName\":\"master_data\",\"indexValue\":\"%s\",\"unit\":\"wh\",\"extra\":\"1\"},"
            + "{\"indexName\":\"master_data\",\"indexValue\":\"%s\",\"unit\":\"wh\",\"extra\":\"2\"}]")
        .formatted(in, out);
  }

  private double shown(String what, String day) {
    return exporter.page().of(stream, NAME, "what=" + what, "period=day", "day=" + day);
  }

  private void eventuallyShown(double joules, String what, String day) {
    exporter.page().eventuallyShows(stream, NAME, joules, "what=" + what, "day=" + day);
  }

  private void poll() {
    poll(exporter.camelContext(), "");
  }

  /** Makes all calls of the account, like the timer after the interval. */
  private static void poll(CamelContext camel, String name) {
    Account account =
        camel
            .getRegistry()
            .lookupByNameAndType("accounts", Accounts.class)
            .find(name)
            .orElseThrow();
    try (ProducerTemplate template = camel.createProducerTemplate()) {
      Exchange result =
          template.send(
              "direct:history-poll", exchange -> exchange.setVariable(Account.VARIABLE, account));
      assertNull(result.getException());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<CloudRequest> requests() {
    return exporter.cloud().requests(HISTORY);
  }

  /** Waits for the last of the eight calls of the timer. */
  private void start() {
    exporter.start(ON);
    eventually(() -> assertEquals(8.0, exporter.page().httpRequests(HISTORY, "success")));
  }

  @Test
  void showsTheEnergyOfTodayAndYesterday() {
    start();

    eventuallyShown(4_320_000, "solar", "today");
    assertEquals(35_802_000, shown("solar", "yesterday"));
    assertEquals(2_880_000, shown("home_load", "today"));
    assertEquals(360_000, shown("grid_import", "today"));
    assertEquals(72_000, shown("grid_export", "today"));
    assertEquals(18_000, shown("battery_charge", "today"));
    eventuallyShown(0, "battery_discharge", "today");
    assertTrue(Double.isNaN(shown("home_load", "yesterday")), "a value that EcoFlow does not have");
    assertEquals(
        List.of(),
        exporter.page().series(NAME, "device=" + delta.serial()),
        "a model without a history");
    assertEquals(8, requests().size());
    assertTrue(requests().stream().allMatch(request -> request.method().equals("POST")));
    assertTrue(requests().stream().noneMatch(request -> request.body().contains(delta.serial())));
    assertEquals(0, exporter.page().own(REJECTED, "reason=unit"));
  }

  @Test
  void anAnswerReplacesTheValuesAndAFailureKeepsThem() {
    start();
    eventuallyShown(0, "battery_discharge", "today");
    stream
        .setHistory(SOLAR, today, total("1300"))
        .setHistory(SOLAR, yesterday, total("9950"))
        .setHistory(LOAD, today, "[]");

    exporter.cloud().faults().always(HISTORY, Fault.status(400));
    poll();
    assertEquals(4_320_000, shown("solar", "today"));
    assertEquals(2_880_000, shown("home_load", "today"));

    exporter.cloud().faults().clear();
    // A wrong signature is repeated, with a new time stamp.
    exporter.cloud().faults().next(HISTORY, Fault.code("8521", "signature is wrong"));
    poll();
    assertEquals(4_680_000, shown("solar", "today"));
    assertEquals(35_820_000, shown("solar", "yesterday"));
    assertTrue(
        Double.isNaN(shown("home_load", "today")),
        "a value that the last response does not contain");
  }

  @Test
  void anInvalidValueIsCountedAndAffectsNoOther() {
    stream
        .setHistory(
            SOLAR, today, "[{\"indexName\":\"master_data\",\"indexValue\":1,\"unit\":\"MJ\"}]")
        .setHistory(LOAD, today, total("many"));
    start();
    eventuallyShown(0, "battery_discharge", "today");

    assertTrue(Double.isNaN(shown("solar", "today")));
    assertTrue(Double.isNaN(shown("home_load", "today")));
    assertEquals(360_000, shown("grid_import", "today"));
    assertEquals(1, exporter.page().own(REJECTED, "reason=unit"));
    assertEquals(1, exporter.page().own(REJECTED, "reason=value"));
    assertEquals(0, exporter.page().own(REJECTED, "reason=index"));
  }

  @Test
  void callsOfAnAccountDoNotOverlap() {
    CountDownLatch released = new CountDownLatch(1);
    exporter.cloud().faults().next(HISTORY, Fault.heldUntil(released));
    exporter.start(ON);
    eventually(() -> assertEquals(1, requests().size()));

    poll();
    assertEquals(1, requests().size());

    released.countDown();
    eventuallyShown(0, "battery_discharge", "today");
  }

  @Test
  void anOfflineDeviceIsRequestedAgain() {
    stream.setOnline(false);
    exporter.start(ON);
    // The state of the device is not a failure of the call.
    eventually(() -> assertEquals(8.0, exporter.page().httpRequests(HISTORY, "success")));
    assertEquals(List.of(), exporter.page().series(NAME));

    stream.setOnline(true);
    poll();
    eventuallyShown(4_320_000, "solar", "today");
  }

  @Test
  void aRefusedStatisticIsNotRequestedAgain() {
    exporter
        .cloud()
        .faults()
        .always(HISTORY, stream, Fault.code("1006", "current device is not allowed"));
    exporter.start(ON);
    eventually(() -> assertEquals(4, refused()));
    // The second day of each code.
    int before = requests().size();

    exporter.cloud().faults().clear();
    poll();

    assertEquals(before, requests().size());
  }

  private long refused() {
    return requests().stream()
        .map(request -> request.body().replaceAll(".*\"code\":\"|\".*", ""))
        .distinct()
        .count();
  }

  @Test
  void offByDefault() {
    exporter.start();
    exporter.page().eventuallyScrapes(delta, "success", 3);

    assertEquals(List.of(), requests());
    assertFalse(exporter.page().text().contains("reported_energy"));
    assertFalse(exporter.page().text().contains(HISTORY));
  }

  @Test
  void modesWithoutDeveloperKeysMakeNoCalls() {
    exporter.startIn("device", ON);
    exporter.page().eventuallyConnected(1);

    assertEquals(List.of(), requests());
    assertFalse(exporter.page().text().contains("reported_energy"));
  }

  @Test
  void eachAccountWithDeveloperKeysHasItsOwnHistory(@TempDir Path directory) {
    SimulatedCloud cloud = exporter.cloud();
    SimulatedDevice other =
        new SimulatedDevice("BK61ZHISTORY0002", "Roof", "STREAM Pro", WireFormat.JSON)
            .setHistory(SOLAR, today, total("7"));
    SimulatedAccount second = cloud.addAccount(CloudAccount.numbered(2)).add(other);
    AccountsYaml accounts =
        new AccountsYaml(directory.resolve("accounts.yml"))
            .add("first", "open", cloud.defaultAccount())
            .add("second", "rest", second)
            .write();
    Map<String, String> variables =
        Variables.ofFile(accounts.file(), "ECOFLOW_CA_FILE=" + cloud.caFile(), ON);
    try (RunningExporter running = RunningExporter.start(variables)) {
      running.page().eventuallyShows(other, "online", 1);
      running.page().eventuallyShows(stream, "online", 1);
      cloud.faults().always(HISTORY, stream, Fault.status(400));

      poll(running.camelContext(), "first");
      poll(running.camelContext(), "second");

      assertEquals(25_200, running.page().of(other, NAME, "what=solar", "day=today"));
      assertEquals(1, running.page().series(NAME).size());
      assertEquals(
          25_200,
          Double.parseDouble(
              running
                  .http()
                  .get("/metrics?account=second")
                  .body()
                  .lines()
                  .filter(line -> line.startsWith("ecoflow_" + NAME + "{"))
                  .findFirst()
                  .orElseThrow()
                  .replaceAll(".* ", "")));
    }
  }
}
