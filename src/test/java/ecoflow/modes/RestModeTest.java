package ecoflow.modes;

import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.QUOTA;
import static ecoflow.testkit.Eventually.eventually;
import static ecoflow.testkit.Eventually.eventuallyHoldsFor;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.CloudRequest;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import ecoflow.testkit.Page;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Mode REST: from the simulated cloud's API to the text of /metrics. */
class RestModeTest {

  private static final String ONE_POLL = "COLLECTING_INTERVAL=3600";

  private static final Set<String> HTTP_HEADERS =
      Set.of("host", "connection", "user-agent", "accept-encoding");
  private static final Set<String> SIGNATURE_HEADERS =
      Set.of("accesskey", "nonce", "timestamp", "sign");

  @RegisterExtension static final ExporterExtension exporter = ExporterExtension.rest();

  private final Page page = exporter.page();
  private SimulatedCloud cloud;
  private int requestsBefore;
  private int listsBefore;

  @BeforeEach
  void note() {
    cloud = exporter.cloud();
    requestsBefore = cloud.requests().size();
    listsBefore = cloud.requests(DEVICE_LIST).size();
  }

  private SimulatedDevice failing(Fault fault) {
    SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
    fault(device, fault);
    return device;
  }

  private void fault(SimulatedDevice device, Fault fault) {
    cloud.faults().always(QUOTA, device, fault);
  }

  private List<CloudRequest> lists() {
    List<CloudRequest> all = cloud.requests(DEVICE_LIST);
    return all.subList(listsBefore, all.size());
  }

  private static long timestamp(CloudRequest request) {
    return Long.parseLong(request.header("timestamp"));
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

  @Nested
  class Values {

    @Test
    void valuesHaveTheNamesAndLabelsOfTheirDevice() {
      cloud.add(
          new SimulatedDevice("R601ZEB4HE000001", "Shed", "RIVER 2 (API)", WireFormat.JSON)
              .set(
                  """
                  {
                    "pd.soc": 85,
                    "bms.cellTemp": [[20, 21.5], [22]],
                    "inv.acEnabled": true,
                    "inv.xboost": false,
                    "pd.wattsInSum": 0,
                    "pd.version": "1.2.3"
                  }
                  """),
          // An entry of the cloud for a device without a name.
          new SimulatedDevice("R611ZEB4HE000002", "R611ZEB4HE000002", null, WireFormat.JSON)
              .set(Map.of("pd.soc", 7)));
      exporter.startFor("R601ZEB4HE000001,R611ZEB4HE000002", ONE_POLL);

      String shed =
          "device=\"R601ZEB4HE000001\",device_name=\"Shed\",product_name=\"RIVER 2 (API)\","
              + "device_general_key=\"ecoflow_ps_river_256\"";
      String unnamed =
          "device=\"R611ZEB4HE000002\",device_name=\"RIVER 2 Max-0002\",product_name=\"RIVER 2 Max\","
              + "device_general_key=\"ecoflow_ps_river_max_512\"";
      page.eventuallyScrapes("R601ZEB4HE000001", "success", 1);
      page.eventuallyScrapes("R611ZEB4HE000002", "success", 1);
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
          page.linesOf("R601ZEB4HE000001"));
      assertEquals(
          text(
              """
              ecoflow_online{LABELS} 1.0
              ecoflow_pd_soc{LABELS} 7.0
              """,
              unnamed),
          page.linesOf("R611ZEB4HE000002"));
      for (String name : List.of("metrics_collected", "scrape_duration_seconds_count")) {
        assertEquals(
            1,
            page.series(
                    name,
                    "device=R601ZEB4HE000001",
                    "device_name=Shed",
                    "product_name=RIVER 2 (API)",
                    "device_general_key=ecoflow_ps_river_256")
                .size(),
            name);
      }
    }

    @Test
    void valuesFollowTheDevice() {
      SimulatedDevice device =
          exporter.addDevice(
              """
              {"pd.soc": 50, "pd.mode": 3, "kit": [1, 2]}
              """);
      exporter.startFor(device.serial());
      page.eventuallyShows(device, "pd_soc", 50);
      device.set(
          """
          {"pd.soc": 49, "pd.mode": "auto", "kit": [8], "pd.added": 1}
          """);
      page.eventuallyShows(device, "pd_soc", 49);
      assertEquals(8, page.of(device, "kit", "index_0=0"));
      assertEquals(1, page.of(device, "pd_added"));
      assertEquals(List.of(), page.lines("pd_mode"));
      assertEquals(List.of(), page.series("kit", "index_0=1"));
      page.eventuallyShows(device, "metrics_collected", 3);
    }

    @Test
    void aValueThatIsNotAFiniteNumberLosesOnlyItsOwnSeries() {
      SimulatedDevice device =
          exporter.addDevice(Map.of("pd.soc", 50, "pd.watts", 5, "pd.volt", 3));
      exporter.startFor(device.serial());
      page.eventuallyShows(device, "pd_soc", 50);

      for (String token : List.of("NaN", "Infinity", "-Infinity", "1e999", "9".repeat(5_000))) {
        fault(
            device,
            Fault.data(
                """
                {"pd.soc": %s, "pd.watts": 0}
                """
                    .formatted(token)));
        page.eventuallyShows(device, "pd_watts", 0);
        assertEquals(Double.NaN, page.of(device, "pd_soc"), "no series");
        assertEquals(3, page.of(device, "pd_volt"));

        cloud.faults().clear();
        page.eventuallyShows(device, "pd_soc", 50);
        assertEquals(5, page.of(device, "pd_watts"));
      }
      assertEquals(0, page.httpRequests(QUOTA, "error"));
    }

    /**
     * All series of a device, compared with a text that was written by hand from the naming rules.
     */
    @Test
    void allSeriesOfADeviceAreExpected() {
      SimulatedDevice device =
          exporter.addDevice(
              """
              {
                "pd.soc": 85,
                "pd.chgPowerAC": -12,
                "bms_bmsStatus.f32ShowSoc": 84.53125,
                "inv.cfgACPowerOut": 1800,
                "ABCDefGHIj": 5,
                "20_1.invOutputWatts": 615,
                "mppt.dc24VTemp": 30,
                "XT60Chg": 60,
                "pd.a-b c": 6,
                "_pd..typeC__Usb1_": 4,
                "pd.utcTime": 1753000000123,
                "pd.tiny": 1e-7,
                "cells[2].vol": 3301,
                "cells[10].vol": 3302,
                "matrix": [[1, 2], [], [3]],
                "mppt.pv": [{"vol": 12.5, "on": true, "tag": "left"}, {"vol": 0, "on": false}],
                "ems": {"limits": {"min": 5, "maxSoc": {"day": 95}}},
                "hs_yj751.deep": [{"x": [7, {"y": 9}]}],
                "pd.energy_total": 100,
                "pd.wifi_info": 1,
                "pd.boot_created": 2,
                "pd.temp_bucket": 3,
                "pd.cycle_count": 11,
                "pd.in_sum": 12,
                "pd.text": "85",
                "pd.json": "{\\"soc\\":85}",
                "pd.nothing": null,
                "pd.empty": [],
                "..": 1
              }
              """);
      // Names of exporter metrics, which devices cannot use.
      device.set(
          """
          {
            "online": 42,
            "scrapeRequestsTotal": 43,
            "scrape.requests": 44,
            "httpRequestDurationSeconds_bucket": 45,
            "exporterBuild.info": 46
          }
          """);
      // Two keys with one name: the later one is shown. The cloud sends keys in order.
      device.set(Map.of("bms.chgPower", 1, "bms.chg_power", 2));
      // A number and an array with one name.
      device.set(Map.of("wheel.fan", 1, "wheel_fan", List.of(70, 80)));
      exporter.startFor(device.serial(), ONE_POLL);
      page.eventuallyScrapes(device, "success", 1);

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
      assertEquals(
          text(expected, labels(device)), page.linesOf(device.serial()), "series of the device");
      assertEquals(
          List.of(
              "ecoflow_quota_conflicts_total{kind=\"limit\"} 0.0",
              "ecoflow_quota_conflicts_total{kind=\"long_key\"} 0.0",
              "ecoflow_quota_conflicts_total{kind=\"own_metric\"} 5.0",
              "ecoflow_quota_conflicts_total{kind=\"same_name\"} 1.0",
              "ecoflow_quota_conflicts_total{kind=\"shape\"} 1.0"),
          page.lines("quota_conflicts_total").stream().sorted().toList());
    }
  }

  @Nested
  class Devices {

    @Test
    void allSelectsEveryDeviceOfTheList() {
      SimulatedDevice first = exporter.addDevice(Map.of("pd.soc", 1));
      SimulatedDevice second = exporter.addDevice(Map.of("pd.soc", 2));
      exporter.startFor("all");
      page.eventuallyShows(first, "pd_soc", 1);
      page.eventuallyShows(second, "pd_soc", 2);

      SimulatedDevice bought = exporter.addDevice(Map.of("pd.soc", 3));
      page.eventuallyShows(bought, "pd_soc", 3);

      cloud.remove(first.serial());
      page.eventuallyShows(first, "online", 0);
      page.eventuallyScrapes(first, "not_found", 1);
      assertEquals(2, page.of(second, "pd_soc"));
      assertEquals(3, page.of(bought, "pd_soc"));
      assertEquals(
          List.of("ecoflow_online{" + labels(first.serial(), first.serial(), "Unknown") + "} 0.0"),
          page.linesOf(first.serial()));
    }

    @Test
    void otherDevicesAreNotPolled() {
      SimulatedDevice wanted = exporter.addDevice(Map.of("pd.soc", 1));
      SimulatedDevice other = exporter.addDevice(Map.of("pd.soc", 2));
      exporter.startFor(wanted.serial());
      page.eventuallyScrapes(wanted, "success", 2);
      assertFalse(page.text().contains(other.serial()));
      assertEquals(List.of(), cloud.requests(QUOTA, other));
    }

    @Test
    void aDeviceThatIsNotInTheListIsNotFound() {
      SimulatedDevice present = exporter.addDevice(Map.of("pd.soc", 1));
      exporter.startFor(present.serial() + ",NOSUCHDEVICE");
      page.eventuallyScrapes("NOSUCHDEVICE", "not_found", 2);
      page.eventuallyShows(present, "pd_soc", 1);
      assertEquals(0, page.of("NOSUCHDEVICE", "online"));
      assertEquals(1, page.of(present, "online"));
      for (String status : List.of("success", "offline", "error")) {
        assertEquals(0, page.scrapes("NOSUCHDEVICE", status), status);
      }
      assertEquals(List.of(), cloud.requests(QUOTA, "NOSUCHDEVICE"));
    }

    @Test
    void labelsFollowANewName() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 9));
      exporter.startFor(device.serial());
      page.eventuallyShows(device, "pd_soc", 9);
      cloud.add(
          new SimulatedDevice(device.serial(), "Cabin", device.productName(), WireFormat.JSON)
              .set(device.quota()));
      String cabin = labels(device.serial(), "Cabin", device.productName());
      eventually(
          () ->
              assertEquals(
                  text(
                      """
                          ecoflow_online{LABELS} 1.0
                          ecoflow_pd_soc{LABELS} 9.0
                          """,
                      cabin),
                  page.linesOf(device.serial())));
      page.eventuallyScrapes(device, "success", 2);
      assertEquals(
          List.of(), page.text().lines().filter(line -> line.contains(device.name())).toList());
    }

    @Test
    void anOfflineDeviceLosesItsGaugesUntilItReturns() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 50, "inv.temp", 30));
      exporter.startFor(device.serial());
      page.eventuallyShows(device, "pd_soc", 50);

      device.setOnline(false);
      page.eventuallyScrapes(device, "offline", 2);
      assertEquals(
          List.of("ecoflow_online{" + labels(device) + "} 0.0"), page.linesOf(device.serial()));
      int asked = cloud.requests(QUOTA, device).size();
      page.eventuallyScrapes(device, "offline", 4);
      assertEquals(asked, cloud.requests(QUOTA, device).size(), "calls while offline");
      page.eventuallyShows(device, "metrics_collected", 0);

      // The cloud has only some of the values at first.
      fault(
          device,
          Fault.data(
              """
              {"pd.soc": 60}
              """));
      device.setOnline(true);
      page.eventuallyShows(device, "pd_soc", 60);
      assertEquals(
          text(
              """
              ecoflow_online{LABELS} 1.0
              ecoflow_pd_soc{LABELS} 60.0
              """,
              labels(device)),
          page.linesOf(device.serial()));
    }

    /** The device list can contain the device as online nevertheless. */
    @Test
    void aPollOfAnOfflineDeviceIsNotAFailure() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 50));
      SimulatedDevice other = exporter.addDevice(Map.of("pd.soc", 70));
      exporter.startFor("all", "DEVICE_LIST_CACHE_TTL=0.2", "RETRY_TIMEOUT=3600");
      page.eventuallyShows(device, "pd_soc", 50);
      page.eventuallyShows(other, "pd_soc", 70);

      fault(device, Fault.code("1006", "Device Offline"));
      page.eventuallyShows(device, "online", 0);
      int lists = lists().size();
      int asked = cloud.requests(QUOTA, device).size();
      double scrapes = page.scrapes(device, "offline");
      while (page.scrapes(device, "offline") < scrapes + 5) {
        assertEquals(
            List.of("ecoflow_online{" + labels(device) + "} 0.0"), page.linesOf(device.serial()));
      }
      assertTrue(lists().size() > lists + 2, "lists with the device as online");
      assertTrue(cloud.requests(QUOTA, device).size() >= asked + 5, "no backoff");
      assertEquals(0, page.scrapes(device, "error"));
      assertEquals(0, page.httpRequests(QUOTA, "error"));
      assertEquals(70, page.of(other, "pd_soc"));
      String landing = exporter.http().get("/").body();
      assertFalse(landing.contains("Last failure"), landing);
      assertFalse(landing.contains("1006"), landing);

      // It is removed from the list, and returns: only an answer with values makes it online.
      device.setOnline(false);
      page.eventuallyScrapes(device, "offline", page.scrapes(device, "offline") + 3);
      device.setOnline(true);
      int before = cloud.requests(QUOTA, device).size();
      eventually(() -> assertTrue(cloud.requests(QUOTA, device).size() > before + 1));
      assertEquals(0, page.of(device, "online"));

      device.set(Map.of("pd.soc", 60));
      cloud.faults().clear();
      page.eventuallyShows(device, "pd_soc", 60);
      assertEquals(1, page.of(device, "online"));

      // Other reasons for the same code are failures.
      fault(device, Fault.code("1006", "current device is not allowed to get device info"));
      page.eventuallyScrapes(device, "error", 1);
      assertEquals(1, page.of(device, "online"));
    }

    @Test
    void aDeviceThatRejectsDeveloperKeysDoesNotAffectOthers() {
      SimulatedDevice open = exporter.addDevice(Map.of("pd.soc", 1));
      SimulatedDevice closed = exporter.addDevice(Map.of("pd.soc", 2));
      closed.setOpenToDevelopers(false);
      exporter.startFor("all", "HTTP_RETRIES=5");
      page.eventuallyScrapes(closed, "error", 2);
      page.eventuallyScrapes(open, "success", 2);
      assertEquals(0, page.scrapes(closed, "success"));
      assertEquals(0, page.scrapes(open, "error"));
      assertEquals(1, page.of(closed, "online"));
      assertTrue(Double.isNaN(page.of(closed, "pd_soc")));
      open.set(Map.of("pd.soc", 3));
      page.eventuallyShows(open, "pd_soc", 3);
    }
  }

  @Nested
  class Calls {

    @Test
    void onlyTemporaryFailuresAreRetried() {
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
      exporter.startFor("all", ONE_POLL, "HTTP_RETRIES=3", "HTTP_BACKOFF_FACTOR=0.1");
      for (Map.Entry<SimulatedDevice, Integer> entry : expected.entrySet()) {
        SimulatedDevice device = entry.getKey();
        String name = device.name();
        page.eventuallyScrapes(device, "error", 1);
        List<CloudRequest> attempts = cloud.requests(QUOTA, device);
        assertEquals(entry.getValue(), attempts.size(), name);
        for (int i = 1; i < attempts.size(); i++) {
          CloudRequest before = attempts.get(i - 1);
          CloudRequest after = attempts.get(i);
          long pause = after.millisAfter(before);
          long least = 100L << (i - 1);
          assertTrue(pause >= least, name + ": pause of " + pause + " ms instead of " + least);
          assertNotEquals(before.header("nonce"), after.header("nonce"), name);
          assertTrue(timestamp(before) < timestamp(after), name);
        }
        assertEquals(1, page.scrapes(device, "error"), name);
        assertEquals(0, page.scrapes(device, "success"), name);
      }
      // The two codes of EcoFlow are in responses with HTTP 200 and valid JSON: only code 0 is a
      // success.
      assertEquals(5 * 4 + 4, page.httpRequests(QUOTA, "error"));
      assertEquals(0, page.httpRequests(QUOTA, "success"));
    }

    @Test
    void aRetryThatSucceedsIsASuccess() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      cloud.faults().next(DEVICE_LIST, Fault.status(503), Fault.closeConnection());
      cloud.faults().next(QUOTA, Fault.status(502), Fault.status(429), Fault.closeConnection());
      exporter.startFor("all", ONE_POLL, "HTTP_RETRIES=3");
      page.eventuallyShows(device, "pd_soc", 1);
      page.eventuallyScrapes(device, "success", 1);
      assertEquals(0, page.scrapes(device, "error"));
      assertEquals(3, lists().size());
      assertEquals(4, cloud.requests(QUOTA, device).size());
      assertEquals(3, lists().stream().map(RestModeTest::timestamp).distinct().count());
      assertEquals(2, page.httpRequests(DEVICE_LIST, "error"));
      assertEquals(1, page.httpRequests(DEVICE_LIST, "success"));
      assertEquals(3, page.httpRequests(QUOTA, "error"));
      assertEquals(1, page.httpRequests(QUOTA, "success"));
    }

    @Test
    void withoutRetriesThereIsOneAttempt() {
      SimulatedDevice device = failing(Fault.status(503));
      exporter.startFor(device.serial(), ONE_POLL, "HTTP_RETRIES=0");
      page.eventuallyScrapes(device, "error", 1);
      assertEquals(1, cloud.requests(QUOTA, device).size());
    }

    @Test
    void eachIntervalHasOnePoll() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      exporter.startFor(device.serial(), ONE_POLL);
      page.eventuallyScrapes(device, "success", 1);
      // The timer fires several times, every 200 ms. Each poll uses the cached list.
      eventuallyHoldsFor(
          Duration.ofMillis(700),
          () -> page.cacheOperations("hit") + page.cacheOperations("miss") == 1);
      assertEquals(1, cloud.requests(QUOTA, device).size());
    }

    @Test
    void successIsCodeZeroInAnyForm() {
      SimulatedDevice number = exporter.addDevice(Map.of());
      SimulatedDevice noMessage = exporter.addDevice(Map.of("pd.soc", 2));
      fault(
          number,
          Fault.body(
              """
              {"code": 0, "message": "Success", "data": {"pd.soc": 1}}
              """));
      fault(noMessage, Fault.messageNull());
      exporter.startFor("all");
      page.eventuallyShows(number, "pd_soc", 1);
      page.eventuallyShows(noMessage, "pd_soc", 2);
      assertEquals(0, page.scrapes(number, "error"));
      assertEquals(0, page.scrapes(noMessage, "error"));
    }

    @Test
    void invalidResponsesAreErrorsAndValuesRemain() {
      Map<SimulatedDevice, Fault> faults = new LinkedHashMap<>();
      Stream.of(
              Fault.dataNull(),
              Fault.malformedBody(),
              Fault.emptyBody(),
              Fault.body("<html>Bad gateway</html>"),
              Fault.body("[]"),
              Fault.body(
                  """
                  {"code": "0", "data": [1, 2]}
                  """),
              Fault.body(
                  """
                  {"code": "0", "data": "none"}
                  """),
              Fault.body(
                  """
                  {"message": "Success", "data": {}}
                  """),
              Fault.code("7777", "new code"))
          .forEach(fault -> faults.put(exporter.addDevice(Map.of("pd.soc", 1)), fault));
      exporter.startFor("all", "HTTP_RETRIES=0");
      faults.keySet().forEach(device -> page.eventuallyShows(device, "pd_soc", 1));
      faults.forEach(RestModeTest.this::fault);
      faults.keySet().forEach(device -> device.set(Map.of("pd.soc", 2)));
      for (SimulatedDevice device : faults.keySet()) {
        page.eventuallyScrapes(device, "error", 2);
      }
      // A poll that was in progress can have returned 2 before the faults.
      Map<SimulatedDevice, Double> shown = new HashMap<>();
      faults.keySet().forEach(device -> shown.put(device, page.of(device, "pd_soc")));
      assertTrue(Set.of(1.0, 2.0).containsAll(shown.values()), shown.values().toString());
      faults.keySet().forEach(device -> device.set(Map.of("pd.soc", 3)));
      for (SimulatedDevice device : faults.keySet()) {
        page.eventuallyScrapes(device, "error", page.scrapes(device, "error") + 1);
        assertEquals(shown.get(device), page.of(device, "pd_soc"));
        assertEquals(1, page.of(device, "online"));
      }
      cloud.faults().clear();
      faults.keySet().forEach(device -> page.eventuallyShows(device, "pd_soc", 3));
    }

    @Test
    void aSlowResponseIsAbortedAndDoesNotDelayOthers() {
      Map<String, Integer> many = new HashMap<>();
      for (int i = 0; i < 200; i++) {
        many.put("pd.value" + i, i);
      }
      SimulatedDevice dripping = exporter.addDevice(many);
      SimulatedDevice late = exporter.addDevice(Map.of("pd.soc", 2));
      SimulatedDevice quick = exporter.addDevice(Map.of("pd.soc", 3));
      // Each byte arrives in time, but the whole response would take a minute.
      fault(dripping, Fault.drip(4, Duration.ofMillis(100)));
      fault(late, Fault.delay(Duration.ofSeconds(60)));
      exporter.startFor("all", "HTTP_TIMEOUT=0.6", "HTTP_RETRIES=0");
      page.eventuallyShows(quick, "pd_soc", 3);
      page.eventuallyScrapes(dripping, "error", 1);
      page.eventuallyScrapes(late, "error", 1);
      quick.set(Map.of("pd.soc", 4));
      page.eventuallyShows(quick, "pd_soc", 4);
      page.eventuallyScrapes(dripping, "error", 2);
      page.eventuallyScrapes(late, "error", 2);
      assertTrue(page.httpRequests(QUOTA, "timeout") >= 4);
      assertEquals(0, page.httpRequests(QUOTA, "error"));
      assertEquals(0, page.scrapes(dripping, "success"));
      assertEquals(0, page.scrapes(late, "success"));
      assertEquals(0, page.scrapes(quick, "error"));
      cloud.faults().clear();
      page.eventuallyShows(dripping, "pd_value199", 199);
      page.eventuallyShows(late, "pd_soc", 2);
    }

    @Test
    void theDeviceListIsCached() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      exporter.startFor(device.serial(), "DEVICE_LIST_CACHE_TTL=3600", "COLLECTING_INTERVAL=0.2");
      page.eventuallyScrapes(device, "success", 4);
      assertEquals(1, lists().size());
      assertEquals(1, page.cacheOperations("miss"));
      assertTrue(page.cacheOperations("hit") >= 3);
      // The cached online state is used for as long.
      device.setOnline(false);
      page.eventuallyScrapes(device, "success", 6);
      assertEquals(1, page.of(device, "online"));
    }

    @Test
    void withoutCacheEachPollRequestsTheList() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      exporter.startFor(device.serial(), "DEVICE_LIST_CACHE_TTL=0");
      page.eventuallyScrapes(device, "success", 3);
      assertTrue(lists().size() >= 3);
      assertTrue(page.cacheOperations("miss") >= 3);
      assertEquals(0, page.cacheOperations("hit"));
    }

    @Test
    void theLastListIsUsedWhileTheListFails() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      SimulatedDevice off = exporter.addDevice(Map.of("pd.soc", 1));
      off.setOnline(false);
      exporter.startFor("all", "HTTP_RETRIES=0");
      page.eventuallyShows(device, "pd_soc", 1);
      page.eventuallyScrapes(off, "offline", 1);
      cloud.faults().always(DEVICE_LIST, Fault.status(500));
      eventually(() -> assertTrue(page.httpRequests(DEVICE_LIST, "error") >= 2));
      device.set(Map.of("pd.soc", 2));
      page.eventuallyShows(device, "pd_soc", 2);
      assertEquals(0, page.scrapes(device, "error"));
      double offline = page.scrapes(off, "offline");
      page.eventuallyScrapes(off, "offline", offline + 2);
      assertEquals(0, page.scrapes(off, "error"), "counted twice");
    }
  }

  @Nested
  class Outages {

    @Test
    void waitsForACloudThatStartsLate() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      cloud.stopHttp();
      exporter.startFor(
          device.serial(), "ESTABLISH_ATTEMPTS=1000", "RETRY_TIMEOUT=0.2", "HTTP_RETRIES=1");
      assertEquals(0, page.of(device, "online"));
      assertEquals(0, page.scrapes(device, "success"));
      assertEquals(0, page.httpRequests(DEVICE_LIST, "success"));
      eventually(() -> assertTrue(page.httpRequests(DEVICE_LIST, "error") >= 4));
      assertEquals(0, page.of(device, "online"));
      cloud.startHttp();
      page.eventuallyShows(device, "pd_soc", 1);
      assertEquals(1, page.of(device, "online"));
    }

    @Test
    void anOutageOfTheCloudIsSurvived() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      exporter.startFor(device.serial(), "ESTABLISH_ATTEMPTS=1", "HTTP_RETRIES=0");
      page.eventuallyShows(device, "pd_soc", 1);
      cloud.stopHttp();
      device.set(Map.of("pd.soc", 2));
      page.eventuallyScrapes(device, "error", 3);
      assertEquals(1, page.of(device, "pd_soc"));
      cloud.startHttp();
      page.eventuallyShows(device, "pd_soc", 2);
    }

    @Test
    void aCloudThatNeverRespondsEndsTheExporter() {
      cloud.faults().always(DEVICE_LIST, Fault.status(403));
      exporter.startFor("all", "ESTABLISH_ATTEMPTS=3", "RETRY_TIMEOUT=0.4", "HTTP_RETRIES=0");
      assertEquals(1, exporter.exitCode());
      List<CloudRequest> attempts = lists();
      assertEquals(3, attempts.size());
      for (int i = 1; i < attempts.size(); i++) {
        long gap = attempts.get(i).millisAfter(attempts.get(i - 1));
        // The pause doubles; FirstContactTest tests the whole sequence.
        assertTrue(gap >= 400L * i, "pause of " + gap + " ms");
      }
    }
  }

  @Nested
  class Requests {

    @Test
    void onlySignedReadRequestsAreSent() {
      SimulatedDevice device = exporter.addDevice(Map.of("pd.soc", 1));
      SimulatedDevice closed = exporter.addDevice(Map.of("pd.soc", 2));
      closed.setOpenToDevelopers(false);
      cloud.faults().next(DEVICE_LIST, Fault.status(503));
      cloud.faults().next(QUOTA, Fault.status(503), Fault.closeConnection(), Fault.malformedBody());
      exporter.startFor("all");
      page.eventuallyScrapes(device, "success", 3);
      page.eventuallyScrapes(closed, "error", 2);
      List<CloudRequest> sent = cloud.requests().subList(requestsBefore, cloud.requests().size());
      for (CloudRequest request : sent) {
        assertEquals("GET", request.method());
        assertEquals("", request.body());
        switch (request.path()) {
          case DEVICE_LIST -> assertEquals(Map.of(), request.query());
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
  }
}
