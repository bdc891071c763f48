package ecoflow;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Developer keys: from the simulated cloud's REST API to the text of /metrics. */
class RestModeTest {

  private static final String LIST = "/iot-open/sign/device/list";
  private static final String QUOTA = "/iot-open/sign/device/quota/all";
  private static final String NEVER_AGAIN = "3600";

  private static final Set<String> HTTP_HEADERS =
      Set.of("host", "connection", "user-agent", "accept-encoding");
  private static final Set<String> SIGNATURE_HEADERS =
      Set.of("accesskey", "nonce", "timestamp", "sign");

  /** What the exporter itself tells of a device. */
  private static final Pattern OWN =
      Pattern.compile(
          "ecoflow_(scrape_requests_total|scrape_duration_seconds_(bucket|count|sum)"
              + "|metrics_collected|device_last_update_timestamp_seconds)\\{.*");

  private static SimulatedCloud cloud;
  private static int devices;

  private RunningExporter exporter;
  private int listsBefore;

  @BeforeAll
  static void startCloud() {
    Awaitility.setDefaultTimeout(Duration.ofSeconds(30));
    Awaitility.setDefaultPollInterval(Duration.ofMillis(50));
    cloud = SimulatedCloud.start();
  }

  @AfterAll
  static void stopCloud() {
    cloud.close();
    Awaitility.reset();
  }

  @AfterEach
  void stopExporter() {
    if (exporter != null) {
      exporter.close();
    }
    cloud.faults().clear();
    cloud.startHttp();
    cloud.devices().forEach(device -> cloud.remove(device.serial()));
  }

  // Values

  @Test
  void valuesHaveTheNamesAndLabelsOfTheirDevice() {
    cloud.add(
        new SimulatedDevice("R601ZEB4HE000001", "Shed", "RIVER 2 (API)", WireFormat.JSON)
            .set(
                Map.of(
                    "pd.soc",
                    85,
                    "bms.cellTemp",
                    List.of(List.of(20, 21.5), List.of(22)),
                    "inv.acEnabled",
                    true,
                    "inv.xboost",
                    false,
                    "pd.wattsInSum",
                    0,
                    "pd.version",
                    "1.2.3")),
        // As the cloud tells of a device that its owner never named.
        new SimulatedDevice("R611ZEB4HE000002", "R611ZEB4HE000002", null, WireFormat.JSON)
            .set(Map.of("pd.soc", 7)));
    start("R601ZEB4HE000001,R611ZEB4HE000002", "COLLECTING_INTERVAL", NEVER_AGAIN);

    String shed =
        "device=\"R601ZEB4HE000001\",device_name=\"Shed\",product_name=\"RIVER 2 (API)\","
            + "device_general_key=\"ecoflow_ps_river_256\"";
    String unnamed =
        "device=\"R611ZEB4HE000002\",device_name=\"RIVER 2 Max-0002\",product_name=\"RIVER 2 Max\","
            + "device_general_key=\"ecoflow_ps_river_max_512\"";
    awaitScrape("R601ZEB4HE000001", "success", 1);
    awaitScrape("R611ZEB4HE000002", "success", 1);
    assertEquals(
        text(
            """
            ecoflow_bms_cell_temp{LABELS,index_0="0",index_1="0"} 20.0
            ecoflow_bms_cell_temp{LABELS,index_0="0",index_1="1"} 21.5
            ecoflow_bms_cell_temp{LABELS,index_0="1",index_1="0"} 22.0
            ecoflow_inv_ac_enabled{LABELS} 1.0
            ecoflow_inv_xboost{LABELS} 0.0
            ecoflow_online{LABELS} 1.0
            ecoflow_pd_soc{LABELS} 85.0
            ecoflow_pd_watts_in_sum{LABELS} 0.0
            """,
            shed),
        seriesOf("R601ZEB4HE000001"));
    assertEquals(
        text(
            """
            ecoflow_online{LABELS} 1.0
            ecoflow_pd_soc{LABELS} 7.0
            """,
            unnamed),
        seriesOf("R611ZEB4HE000002"));
    for (String name : List.of("metrics_collected", "scrape_duration_seconds_count")) {
      assertTrue(exporter.value("ecoflow_" + name, shed.split(",")).isPresent(), name);
    }
  }

  @Test
  void valuesFollowTheDevice() {
    SimulatedDevice device = device(Map.of("pd.soc", 50, "pd.mode", 3, "kit", List.of(1, 2)));
    start(device.serial());
    awaitValue(50, device, "ecoflow_pd_soc");
    device.set(Map.of("pd.soc", 49, "pd.mode", "auto", "kit", List.of(8), "pd.added", 1));
    awaitValue(49, device, "ecoflow_pd_soc");
    assertEquals(8, value(device, "ecoflow_kit", "index_0=\"0\""));
    assertEquals(1, value(device, "ecoflow_pd_added"));
    assertEquals(List.of(), exporter.lines("ecoflow_pd_mode"));
    assertTrue(exporter.value("ecoflow_kit", "index_0=\"1\"").isEmpty());
    await()
        .untilAsserted(() -> assertEquals(3, value(device, "ecoflow_metrics_collected"), "series"));
  }

  /** The whole of a device, against a text that was written by hand from the naming rules. */
  @Test
  void whatIsNoFiniteNumberLosesOnlyItsOwnSeries() {
    SimulatedDevice device = device(Map.of("pd.soc", 50, "pd.watts", 5, "pd.volt", 3));
    start(device.serial());
    awaitValue(50, device, "ecoflow_pd_soc");

    for (String token : List.of("NaN", "Infinity", "-Infinity", "1e999", "9".repeat(5_000))) {
      String answer =
          "{\"code\":\"0\",\"message\":\"Success\",\"data\":{\"pd.soc\":%s,\"pd.watts\":0}}";
      fault(device, Fault.body(String.format(answer, token)));
      awaitValue(0, device, "ecoflow_pd_watts");
      assertEquals(Double.NaN, exporter.of(device.serial(), "ecoflow_pd_soc"), "no series");
      assertEquals(3, exporter.of(device.serial(), "ecoflow_pd_volt"));

      cloud.faults().clear();
      awaitValue(50, device, "ecoflow_pd_soc");
      assertEquals(5, exporter.of(device.serial(), "ecoflow_pd_watts"));
    }
    assertEquals(0, http("/device/quota/all", "error"));
  }

  @Test
  void everySeriesOfARichDeviceIsTheExpectedOne() {
    Map<String, Object> quota = new HashMap<>();
    quota.put("pd.soc", 85);
    quota.put("pd.chgPowerAC", -12);
    quota.put("bms_bmsStatus.f32ShowSoc", 84.53125);
    quota.put("inv.cfgACPowerOut", 1800L);
    quota.put("ABCDefGHIj", 5);
    quota.put("20_1.invOutputWatts", 615);
    quota.put("mppt.dc24VTemp", 30);
    quota.put("XT60Chg", 60);
    quota.put("pd.a-b c", 6);
    quota.put("_pd..typeC__Usb1_", 4);
    quota.put("pd.utcTime", 1_753_000_000_123L);
    quota.put("pd.tiny", 1e-7);
    quota.put("cells[2].vol", 3301);
    quota.put("cells[10].vol", 3302);
    quota.put("matrix", List.of(List.of(1, 2), List.of(), List.of(3)));
    quota.put(
        "mppt.pv",
        List.of(Map.of("vol", 12.5, "on", true, "tag", "left"), Map.of("vol", 0, "on", false)));
    quota.put("ems", Map.of("limits", Map.of("min", 5, "maxSoc", Map.of("day", 95))));
    quota.put("hs_yj751.deep", List.of(Map.of("x", List.of(7, Map.of("y", 9)))));
    quota.put("pd.energy_total", 100);
    quota.put("pd.wifi_info", 1);
    quota.put("pd.boot_created", 2);
    quota.put("pd.temp_bucket", 3);
    quota.put("pd.cycle_count", 11);
    quota.put("pd.in_sum", 12);
    quota.put("pd.text", "85");
    quota.put("pd.json", "{\"soc\":85}");
    quota.put("pd.nothing", null);
    quota.put("pd.empty", List.of());
    quota.put("..", 1);
    // Names of the exporter's own metrics, which are not for devices.
    quota.put("online", 42);
    quota.put("scrapeRequestsTotal", 43);
    quota.put("scrape.requests", 44);
    quota.put("httpRequestDurationSeconds_bucket", 45);
    quota.put("exporterBuild.info", 46);
    // One name for two keys: the later one is shown. The cloud sends its keys in order.
    quota.put("bms.chgPower", 1);
    quota.put("bms.chg_power", 2);
    // One name for a number and an array.
    quota.put("wheel.fan", 1);
    quota.put("wheel_fan", List.of(70, 80));
    SimulatedDevice device = device(quota);
    start(device.serial(), "COLLECTING_INTERVAL", NEVER_AGAIN);
    awaitScrape(device.serial(), "success", 1);

    String expected =
        """
        ecoflow_20_1_inv_output_watts{LABELS} 615.0
        ecoflow_abc_def_gh_ij{LABELS} 5.0
        ecoflow_bms_bms_status_f32_show_soc{LABELS} 84.53125
        ecoflow_bms_chg_power{LABELS} 2.0
        ecoflow_cells_vol{LABELS,index_0="10"} 3302.0
        ecoflow_cells_vol{LABELS,index_0="2"} 3301.0
        ecoflow_ems_limits_max_soc_day{LABELS} 95.0
        ecoflow_ems_limits_min{LABELS} 5.0
        ecoflow_hs_yj751_deep_x_y{LABELS,index_0="0",index_1="1"} 9.0
        ecoflow_hs_yj751_deep_x{LABELS,index_0="0",index_1="0"} 7.0
        ecoflow_inv_cfg_ac_power_out{LABELS} 1800.0
        ecoflow_matrix{LABELS,index_0="0",index_1="0"} 1.0
        ecoflow_matrix{LABELS,index_0="0",index_1="1"} 2.0
        ecoflow_matrix{LABELS,index_0="2",index_1="0"} 3.0
        ecoflow_mppt_dc24_v_temp{LABELS} 30.0
        ecoflow_mppt_pv_on{LABELS,index_0="0"} 1.0
        ecoflow_mppt_pv_on{LABELS,index_0="1"} 0.0
        ecoflow_mppt_pv_vol{LABELS,index_0="0"} 12.5
        ecoflow_mppt_pv_vol{LABELS,index_0="1"} 0.0
        ecoflow_online{LABELS} 1.0
        ecoflow_pd_a_b_c{LABELS} 6.0
        ecoflow_pd_boot_created{LABELS} 2.0
        ecoflow_pd_chg_power_ac{LABELS} -12.0
        ecoflow_pd_cycle_count{LABELS} 11.0
        ecoflow_pd_energy_total{LABELS} 100.0
        ecoflow_pd_in_sum{LABELS} 12.0
        ecoflow_pd_soc{LABELS} 85.0
        ecoflow_pd_temp_bucket{LABELS} 3.0
        ecoflow_pd_tiny{LABELS} 1.0E-7
        ecoflow_pd_type_c_usb1{LABELS} 4.0
        ecoflow_pd_utc_time{LABELS} 1.753000000123E12
        ecoflow_pd_wifi_info{LABELS} 1.0
        ecoflow_wheel_fan{LABELS,index_0="0"} 70.0
        ecoflow_wheel_fan{LABELS,index_0="1"} 80.0
        ecoflow_xt60_chg{LABELS} 60.0
        """;
    assertEquals(text(expected, labels(device)), seriesOf(device.serial()), "series of the device");
    assertEquals(
        List.of(
            "ecoflow_quota_conflicts_total{kind=\"limit\"} 0.0",
            "ecoflow_quota_conflicts_total{kind=\"own_metric\"} 5.0",
            "ecoflow_quota_conflicts_total{kind=\"same_name\"} 1.0",
            "ecoflow_quota_conflicts_total{kind=\"shape\"} 1.0"),
        exporter.lines("ecoflow_quota_conflicts_total").stream().sorted().toList());
  }

  // Devices

  @Test
  void allMeansEveryDeviceOfTheList() {
    SimulatedDevice first = device(Map.of("pd.soc", 1));
    SimulatedDevice second = device(Map.of("pd.soc", 2));
    start("all");
    awaitValue(1, first, "ecoflow_pd_soc");
    awaitValue(2, second, "ecoflow_pd_soc");

    SimulatedDevice bought = device(Map.of("pd.soc", 3));
    awaitValue(3, bought, "ecoflow_pd_soc");

    cloud.remove(first.serial());
    awaitValue(0, first, "ecoflow_online");
    awaitScrape(first.serial(), "not_found", 1);
    assertEquals(2, value(second, "ecoflow_pd_soc"));
    assertEquals(3, value(bought, "ecoflow_pd_soc"));
    assertEquals(
        List.of("ecoflow_online{" + labels(first.serial(), first.serial(), "Unknown") + "} 0.0"),
        seriesOf(first.serial()));
  }

  @Test
  void devicesThatAreNotWantedAreNotAskedFor() {
    SimulatedDevice wanted = device(Map.of("pd.soc", 1));
    SimulatedDevice other = device(Map.of("pd.soc", 2));
    start(wanted.serial());
    awaitScrape(wanted.serial(), "success", 2);
    assertFalse(exporter.metrics().contains(other.serial()));
    assertEquals(List.of(), quotaRequests(other.serial()));
  }

  @Test
  void aDeviceThatTheListLacksIsNotFound() {
    SimulatedDevice present = device(Map.of("pd.soc", 1));
    start(present.serial() + ",NOSUCHDEVICE");
    awaitScrape("NOSUCHDEVICE", "not_found", 2);
    awaitValue(1, present, "ecoflow_pd_soc");
    assertEquals(0, exporter.of("NOSUCHDEVICE", "ecoflow_online"));
    assertEquals(1, value(present, "ecoflow_online"));
    for (String status : List.of("success", "offline", "error")) {
      assertEquals(0, scrapes("NOSUCHDEVICE", status), status);
    }
    assertEquals(List.of(), quotaRequests("NOSUCHDEVICE"));
  }

  @Test
  void labelsFollowANewName() {
    SimulatedDevice device = device(Map.of("pd.soc", 9));
    start(device.serial());
    awaitValue(9, device, "ecoflow_pd_soc");
    cloud.add(
        new SimulatedDevice(device.serial(), "Cabin", device.productName(), WireFormat.JSON)
            .set(device.quota()));
    String cabin = labels(device.serial(), "Cabin", device.productName());
    await()
        .untilAsserted(
            () ->
                assertEquals(
                    text(
                        """
                        ecoflow_online{LABELS} 1.0
                        ecoflow_pd_soc{LABELS} 9.0
                        """,
                        cabin),
                    seriesOf(device.serial())));
    awaitScrape(device.serial(), "success", 2);
    assertEquals(
        List.of(),
        exporter.metrics().lines().filter(line -> line.contains(device.name())).toList());
  }

  @Test
  void anOfflineDeviceLosesItsGaugesAndGetsNewOnesWhenItIsBack() {
    SimulatedDevice device = device(Map.of("pd.soc", 50, "inv.temp", 30));
    start(device.serial());
    awaitValue(50, device, "ecoflow_pd_soc");

    device.setOnline(false);
    awaitScrape(device.serial(), "offline", 2);
    assertEquals(List.of("ecoflow_online{" + labels(device) + "} 0.0"), seriesOf(device.serial()));
    int asked = quotaRequests(device.serial()).size();
    awaitScrape(device.serial(), "offline", 4);
    assertEquals(asked, quotaRequests(device.serial()).size(), "calls while offline");
    await()
        .untilAsserted(() -> assertEquals(0, value(device, "ecoflow_metrics_collected"), "series"));

    // The cloud knows only a part again.
    fault(device, Fault.body("{\"code\":\"0\",\"message\":\"Success\",\"data\":{\"pd.soc\":60}}"));
    device.setOnline(true);
    awaitValue(60, device, "ecoflow_pd_soc");
    assertEquals(
        text(
            """
            ecoflow_online{LABELS} 1.0
            ecoflow_pd_soc{LABELS} 60.0
            """,
            labels(device)),
        seriesOf(device.serial()));
  }

  @Test
  void aDeviceThatIsNotOpenToDevelopersDisturbsNoOther() {
    SimulatedDevice open = device(Map.of("pd.soc", 1));
    SimulatedDevice closed = device(Map.of("pd.soc", 2));
    closed.setOpenToDevelopers(false);
    start("all", "HTTP_RETRIES", "5");
    awaitScrape(closed.serial(), "error", 2);
    awaitScrape(open.serial(), "success", 2);
    assertEquals(0, scrapes(closed.serial(), "success"));
    assertEquals(0, scrapes(open.serial(), "error"));
    assertEquals(1, value(closed, "ecoflow_online"));
    assertTrue(Double.isNaN(value(closed, "ecoflow_pd_soc")));
    open.set(Map.of("pd.soc", 3));
    awaitValue(3, open, "ecoflow_pd_soc");
  }

  // HTTP

  @Test
  void failuresAreRetriedOnlyWhereThatCanHelp() {
    Map<SimulatedDevice, Integer> expected = new LinkedHashMap<>();
    for (int status : new int[] {500, 502, 503, 504}) {
      expected.put(failing(Fault.status(status)), 4);
    }
    expected.put(failing(Fault.closeConnection()), 4);
    for (int status : new int[] {400, 404}) {
      expected.put(failing(Fault.status(status)), 1);
    }
    expected.put(failing(Fault.code("8513", "accessKey is invalid")), 1);
    expected.put(failing(Fault.code("1006", "current device is not allowed")), 1);
    start(
        "all",
        "COLLECTING_INTERVAL",
        NEVER_AGAIN,
        "HTTP_RETRIES",
        "3",
        "HTTP_BACKOFF_FACTOR",
        "0.1");
    for (Map.Entry<SimulatedDevice, Integer> entry : expected.entrySet()) {
      String serial = entry.getKey().serial();
      String name = entry.getKey().name();
      awaitScrape(serial, "error", 1);
      List<CloudRequest> attempts = quotaRequests(serial);
      assertEquals(entry.getValue(), attempts.size(), name);
      for (int i = 1; i < attempts.size(); i++) {
        CloudRequest before = attempts.get(i - 1);
        CloudRequest after = attempts.get(i);
        long pause = Duration.between(before.time(), after.time()).toMillis();
        long least = 100L << (i - 1);
        assertTrue(pause >= least, name + ": pause of " + pause + " ms instead of " + least);
        assertNotEquals(before.header("nonce"), after.header("nonce"), name);
        assertTrue(timestamp(before) < timestamp(after), name);
      }
      assertEquals(1, scrapes(serial, "error"), name);
      assertEquals(0, scrapes(serial, "success"), name);
    }
    // The two codes of EcoFlow come with HTTP 200 and valid JSON: only code 0 is a success.
    assertEquals(5 * 4 + 4, http("/device/quota/all", "error"));
    assertEquals(0, http("/device/quota/all", "success"));
  }

  @Test
  void aRetryThatSucceedsIsASuccess() {
    SimulatedDevice device = device(Map.of("pd.soc", 1));
    cloud.faults().next(LIST, Fault.status(503), Fault.closeConnection());
    cloud.faults().next(QUOTA, Fault.status(502), Fault.status(429), Fault.closeConnection());
    start("all", "COLLECTING_INTERVAL", NEVER_AGAIN, "HTTP_RETRIES", "3");
    awaitValue(1, device, "ecoflow_pd_soc");
    awaitScrape(device.serial(), "success", 1);
    assertEquals(0, scrapes(device.serial(), "error"));
    assertEquals(3, lists().size());
    assertEquals(4, quotaRequests(device.serial()).size());
    assertEquals(3, lists().stream().map(RestModeTest::timestamp).distinct().count());
    assertEquals(2, http("/device/list", "error"));
    assertEquals(1, http("/device/list", "success"));
    assertEquals(3, http("/device/quota/all", "error"));
    assertEquals(1, http("/device/quota/all", "success"));
  }

  @Test
  void noRetriesMeansOneAttempt() {
    SimulatedDevice device = failing(Fault.status(503));
    start(device.serial(), "COLLECTING_INTERVAL", NEVER_AGAIN, "HTTP_RETRIES", "0");
    awaitScrape(device.serial(), "error", 1);
    assertEquals(1, quotaRequests(device.serial()).size());
  }

  @Test
  void oneIntervalHasOnePoll() {
    SimulatedDevice device = device(Map.of("pd.soc", 1));
    start(device.serial(), "COLLECTING_INTERVAL", NEVER_AGAIN);
    awaitScrape(device.serial(), "success", 1);
    // Several looks of the timer, which fires each 200 ms. Each poll looks into the cached list.
    await().during(Duration.ofMillis(700)).until(() -> cache("hit") + cache("miss") == 1);
    assertEquals(1, quotaRequests(device.serial()).size());
  }

  @Test
  void successIsCodeZeroInAnyForm() {
    SimulatedDevice number = device(Map.of());
    SimulatedDevice noMessage = device(Map.of("pd.soc", 2));
    fault(number, Fault.body("{\"code\":0,\"message\":\"Success\",\"data\":{\"pd.soc\":1}}"));
    fault(noMessage, Fault.messageNull());
    start("all");
    awaitValue(1, number, "ecoflow_pd_soc");
    awaitValue(2, noMessage, "ecoflow_pd_soc");
    assertEquals(0, scrapes(number.serial(), "error"));
    assertEquals(0, scrapes(noMessage.serial(), "error"));
  }

  @Test
  void badAnswersAreErrorsAndTheValuesStay() {
    Map<SimulatedDevice, Fault> faults = new LinkedHashMap<>();
    faults.put(device(Map.of("pd.soc", 1)), Fault.dataNull());
    faults.put(device(Map.of("pd.soc", 1)), Fault.malformedBody());
    faults.put(device(Map.of("pd.soc", 1)), Fault.emptyBody());
    faults.put(device(Map.of("pd.soc", 1)), Fault.body("<html>Bad gateway</html>"));
    faults.put(device(Map.of("pd.soc", 1)), Fault.body("[]"));
    faults.put(device(Map.of("pd.soc", 1)), Fault.body("{\"code\":\"0\",\"data\":[1,2]}"));
    faults.put(device(Map.of("pd.soc", 1)), Fault.body("{\"code\":\"0\",\"data\":\"none\"}"));
    faults.put(device(Map.of("pd.soc", 1)), Fault.body("{\"message\":\"Success\",\"data\":{}}"));
    faults.put(device(Map.of("pd.soc", 1)), Fault.code("7777", "new code"));
    start("all", "HTTP_RETRIES", "0");
    faults.keySet().forEach(device -> awaitValue(1, device, "ecoflow_pd_soc"));
    faults.forEach(RestModeTest::fault);
    faults.keySet().forEach(device -> device.set(Map.of("pd.soc", 2)));
    for (SimulatedDevice device : faults.keySet()) {
      awaitScrape(device.serial(), "error", 2);
    }
    // A poll that was under way may have brought the 2 before the faults came.
    Map<SimulatedDevice, Double> shown = new HashMap<>();
    faults.keySet().forEach(device -> shown.put(device, value(device, "ecoflow_pd_soc")));
    assertTrue(Set.of(1.0, 2.0).containsAll(shown.values()), shown.values().toString());
    faults.keySet().forEach(device -> device.set(Map.of("pd.soc", 3)));
    for (SimulatedDevice device : faults.keySet()) {
      awaitScrape(device.serial(), "error", scrapes(device.serial(), "error") + 1);
      assertEquals(shown.get(device), value(device, "ecoflow_pd_soc"));
      assertEquals(1, value(device, "ecoflow_online"));
    }
    cloud.faults().clear();
    faults.keySet().forEach(device -> awaitValue(3, device, "ecoflow_pd_soc"));
  }

  @Test
  void aSlowAnswerIsCutAndHoldsUpNoOther() {
    Map<String, Integer> many = new HashMap<>();
    for (int i = 0; i < 200; i++) {
      many.put("pd.value" + i, i);
    }
    SimulatedDevice dripping = device(many);
    SimulatedDevice late = device(Map.of("pd.soc", 2));
    SimulatedDevice quick = device(Map.of("pd.soc", 3));
    // Each byte comes in time, all of them would take a minute.
    fault(dripping, Fault.drip(4, Duration.ofMillis(100)));
    fault(late, Fault.delay(Duration.ofSeconds(60)));
    start("all", "HTTP_TIMEOUT", "0.6", "HTTP_RETRIES", "0");
    awaitValue(3, quick, "ecoflow_pd_soc");
    awaitScrape(dripping.serial(), "error", 1);
    awaitScrape(late.serial(), "error", 1);
    quick.set(Map.of("pd.soc", 4));
    awaitValue(4, quick, "ecoflow_pd_soc");
    awaitScrape(dripping.serial(), "error", 2);
    awaitScrape(late.serial(), "error", 2);
    assertTrue(http("/device/quota/all", "timeout") >= 4);
    assertEquals(0, http("/device/quota/all", "error"));
    assertEquals(0, scrapes(dripping.serial(), "success"));
    assertEquals(0, scrapes(late.serial(), "success"));
    assertEquals(0, scrapes(quick.serial(), "error"));
    cloud.faults().clear();
    awaitValue(199, dripping, "ecoflow_pd_value199");
    awaitValue(2, late, "ecoflow_pd_soc");
  }

  @Test
  void theDeviceListIsCached() {
    SimulatedDevice device = device(Map.of("pd.soc", 1));
    start(device.serial(), "DEVICE_LIST_CACHE_TTL", "3600", "COLLECTING_INTERVAL", "0.2");
    awaitScrape(device.serial(), "success", 4);
    assertEquals(1, lists().size());
    assertEquals(1, cache("miss"));
    assertTrue(cache("hit") >= 3);
    // What the list says is believed for as long.
    device.setOnline(false);
    awaitScrape(device.serial(), "success", 6);
    assertEquals(1, value(device, "ecoflow_online"));
  }

  @Test
  void withoutCacheEachPollAsksForTheList() {
    SimulatedDevice device = device(Map.of("pd.soc", 1));
    start(device.serial(), "DEVICE_LIST_CACHE_TTL", "0");
    awaitScrape(device.serial(), "success", 3);
    assertTrue(lists().size() >= 3);
    assertTrue(cache("miss") >= 3);
    assertEquals(0, cache("hit"));
  }

  @Test
  void whileTheListFailsTheLastOneServes() {
    SimulatedDevice device = device(Map.of("pd.soc", 1));
    SimulatedDevice off = device(Map.of("pd.soc", 1));
    off.setOnline(false);
    start("all", "HTTP_RETRIES", "0");
    awaitValue(1, device, "ecoflow_pd_soc");
    awaitScrape(off.serial(), "offline", 1);
    cloud.faults().always(LIST, Fault.status(500));
    await().until(() -> http("/device/list", "error") >= 2);
    device.set(Map.of("pd.soc", 2));
    awaitValue(2, device, "ecoflow_pd_soc");
    assertEquals(0, scrapes(device.serial(), "error"));
    double offline = scrapes(off.serial(), "offline");
    awaitScrape(off.serial(), "offline", offline + 2);
    assertEquals(0, scrapes(off.serial(), "error"), "counted twice");
  }

  // Outages

  @Test
  void aCloudThatComesUpLateIsWaitedFor() {
    SimulatedDevice device = device(Map.of("pd.soc", 1));
    cloud.stopHttp();
    start(
        device.serial(), "ESTABLISH_ATTEMPTS", "1000", "RETRY_TIMEOUT", "0.2", "HTTP_RETRIES", "1");
    assertEquals(0, exporter.of(device.serial(), "ecoflow_online"));
    assertEquals(0, scrapes(device.serial(), "success"));
    assertEquals(0, http("/device/list", "success"));
    await().until(() -> http("/device/list", "error") >= 4);
    assertEquals(0, exporter.of(device.serial(), "ecoflow_online"));
    cloud.startHttp();
    awaitValue(1, device, "ecoflow_pd_soc");
    assertEquals(1, value(device, "ecoflow_online"));
  }

  @Test
  void anOutageOfTheCloudIsSurvived() {
    SimulatedDevice device = device(Map.of("pd.soc", 1));
    start(device.serial(), "ESTABLISH_ATTEMPTS", "1", "HTTP_RETRIES", "0");
    awaitValue(1, device, "ecoflow_pd_soc");
    cloud.stopHttp();
    device.set(Map.of("pd.soc", 2));
    awaitScrape(device.serial(), "error", 3);
    assertEquals(1, value(device, "ecoflow_pd_soc"));
    cloud.startHttp();
    awaitValue(2, device, "ecoflow_pd_soc");
  }

  @Test
  void aCloudThatNeverAnswersEndsTheExporter() {
    cloud.faults().always(LIST, Fault.status(403));
    start("all", "ESTABLISH_ATTEMPTS", "3", "RETRY_TIMEOUT", "0.4", "HTTP_RETRIES", "0");
    CompletableFuture<Integer> end =
        CompletableFuture.supplyAsync(() -> exporter.exporter().awaitEnd());
    await().until(end::isDone);
    assertEquals(1, end.join());
    List<CloudRequest> attempts = lists();
    assertEquals(3, attempts.size());
    for (int i = 1; i < attempts.size(); i++) {
      Duration gap = Duration.between(attempts.get(i - 1).time(), attempts.get(i).time());
      assertTrue(gap.toMillis() >= 400, gap.toString());
    }
  }

  // What leaves the process

  @Test
  void onlySignedReadsAreSent() {
    int before = cloud.requests().size();
    SimulatedDevice device = device(Map.of("pd.soc", 1));
    SimulatedDevice closed = device(Map.of("pd.soc", 2));
    closed.setOpenToDevelopers(false);
    cloud.faults().next(LIST, Fault.status(503));
    cloud.faults().next(QUOTA, Fault.status(503), Fault.closeConnection(), Fault.malformedBody());
    start("all");
    awaitScrape(device.serial(), "success", 3);
    awaitScrape(closed.serial(), "error", 2);
    List<CloudRequest> sent = cloud.requests().subList(before, cloud.requests().size());
    for (CloudRequest request : sent) {
      assertEquals("GET", request.method());
      assertEquals("", request.body());
      switch (request.path()) {
        case LIST -> assertEquals(Map.of(), request.query());
        case QUOTA -> assertEquals(Set.of("sn"), request.query().keySet());
        default -> throw new AssertionError("request of " + request.path());
      }
      List<String> others = new ArrayList<>(lowerCase(request.headers().keySet()));
      assertTrue(others.containsAll(SIGNATURE_HEADERS), others.toString());
      others.removeAll(SIGNATURE_HEADERS);
      others.removeAll(HTTP_HEADERS);
      assertEquals(List.of(), others, "headers");
      assertTrue(request.headers().values().stream().allMatch(values -> values.size() == 1));
      assertTrue(request.header("nonce").matches("[0-9]{6}"));
    }
  }

  // Steps

  private void start(String serials, String... more) {
    listsBefore = cloud.requests(LIST).size();
    String[] variables = Arrays.copyOf(more, more.length + 2);
    variables[more.length] = "ECOFLOW_DEVICE_SN";
    variables[more.length + 1] = serials;
    exporter = RunningExporter.start(RunningExporter.rest(cloud, variables));
  }

  private static SimulatedDevice device(Map<String, ?> quota) {
    devices++;
    SimulatedDevice device =
        new SimulatedDevice(
                "TEST" + devices + "X", "Name " + devices + "!", "Product", WireFormat.JSON)
            .set(quota);
    cloud.add(device);
    return device;
  }

  private static SimulatedDevice failing(Fault fault) {
    SimulatedDevice device = device(Map.of("pd.soc", 1));
    fault(device, fault);
    return device;
  }

  private static void fault(SimulatedDevice device, Fault fault) {
    cloud.faults().always(QUOTA + "?sn=" + device.serial(), fault);
  }

  private void awaitValue(double expected, SimulatedDevice device, String name) {
    await().untilAsserted(() -> assertEquals(expected, value(device, name), name));
  }

  private double value(SimulatedDevice device, String name, String... labels) {
    return exporter.of(device.serial(), name, labels);
  }

  private void awaitScrape(String serial, String status, double least) {
    await(serial + " " + status).until(() -> scrapes(serial, status) >= least);
  }

  private double scrapes(String serial, String status) {
    return exporter.of(serial, "ecoflow_scrape_requests_total", "status=\"" + status + "\"");
  }

  private double http(String endpoint, String status) {
    return exporter
        .value(
            "ecoflow_http_requests_total",
            "endpoint=\"" + endpoint + "\"",
            "status=\"" + status + "\"")
        .orElseThrow();
  }

  private double cache(String result) {
    return exporter
        .value("ecoflow_cache_operations_total", "result=\"" + result + "\"")
        .orElseThrow();
  }

  private List<CloudRequest> lists() {
    List<CloudRequest> all = cloud.requests(LIST);
    return all.subList(listsBefore, all.size());
  }

  private static List<CloudRequest> quotaRequests(String serial) {
    return cloud.requests(QUOTA).stream()
        .filter(request -> serial.equals(request.query().get("sn")))
        .toList();
  }

  private static long timestamp(CloudRequest request) {
    return Long.parseLong(request.header("timestamp"));
  }

  /** The sorted lines of a device without those that the exporter tells of its own work. */
  private List<String> seriesOf(String serial) {
    return exporter
        .metrics()
        .lines()
        .filter(line -> line.contains("device=\"" + serial + "\""))
        .filter(line -> !OWN.matcher(line).matches())
        .sorted()
        .toList();
  }

  private static List<String> text(String lines, String labels) {
    return lines.lines().map(line -> line.replace("LABELS", labels)).sorted().toList();
  }

  private static String labels(SimulatedDevice device) {
    return labels(device.serial(), device.name(), device.productName());
  }

  private static String labels(String serial, String name, String product) {
    return "device=\"%s\",device_name=\"%s\",product_name=\"%s\",device_general_key=\"unknown\""
        .formatted(serial, name, product);
  }

  private static List<String> lowerCase(Set<String> names) {
    return names.stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
  }
}
