package ecoflow.command;

import static ecoflow.cloud.ApiPath.HISTORY;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ecoflow.CommandRun;
import ecoflow.cloud.CloudAccount;
import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.AccountsYaml;
import ecoflow.testkit.ChildProcess;
import ecoflow.testkit.CloudExtension;
import ecoflow.testkit.PrometheusServer;
import ecoflow.testkit.Promtool;
import ecoflow.testkit.Variables;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command history, with the tools that read its output. */
class HistoryCommandTest {

  private static final String SOLAR =
      "BK621-App-HOME-SOLAR-ENERGY-FLOW-solor-line-NOTDISTINGUISH-MASTER_DATA";
  private static final String GRID =
      "BK621-App-HOME-GRID-ENERGY-FLOW-grid_prop_bar-NOTDISTINGUISH-MASTER_DATA";
  private static final String HOME =
      "BK621-App-HOME-LOAD-ENERGY-FLOW-consumption-prop_arc-NOTDISTINGUISH-MASTER_DATA";
  private static final String BATTERY =
      "BK621-App-HOME-SOC-ENERGY-FLOW-battery-prop_bar-NOTDISTINGUISH-MASTER_DATA";
  private static final String POWEROCEAN = "JT303_Dashboard_Overview_Summary_Week";
  private static final LocalDate TODAY = LocalDate.of(2026, 8, 10);

  private final SimulatedDevice stream = device("BK61ZHISTORY0001", "Ba\"l\\cony", "STREAM Ultra");
  private final SimulatedDevice ocean = device("HJ31ZHISTORY0001", "Roof, south", "PowerOcean");
  private final SimulatedDevice delta = device("R331ZHISTORY0001", "Garage", "DELTA 2");

  @RegisterExtension final CloudExtension clouds = new CloudExtension(stream, ocean, delta);

  @TempDir private Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Clock clock =
      Clock.fixed(TODAY.atTime(12, 0).atZone(ZoneId.systemDefault()).toInstant(), ZoneOffset.UTC);

  private static SimulatedDevice device(String serial, String name, String product) {
    return new SimulatedDevice(serial, name, product, WireFormat.JSON);
  }

  @BeforeEach
  void countEnergy() {
    for (String code : List.of(SOLAR, GRID, HOME, BATTERY)) {
      stream.setHistory(code, "2026-01-01", "[]");
    }
    for (int day = 1; day <= 9; day++) {
      String date = "2026-08-0" + day;
      stream.setHistory(SOLAR, date, entry("master_data", 1000 + day, "wh"));
      ocean.setHistory(POWEROCEAN, date, entry("Solar Generation", day, "kWh"));
    }
    stream.setHistory(
        GRID,
        "2026-08-02",
        "[{\"indexName\":\"master_data\",\"indexValue\":\"7\",\"unit\":\"wh\",\"extra\":\"1\"},"
            + "{\"indexName\":\"master_data\",\"indexValue\":\"2\",\"unit\":\"wh\",\"extra\":\"2\"}]");
  }

  private static String entry(String index, int value, String unit) {
    return "[{\"indexName\":\"%s\",\"indexValue\":\"%d\",\"unit\":\"%s\"}]"
        .formatted(index, value, unit);
  }

  private int run(String... arguments) {
    return run(Variables.of(clouds.cloud(), "rest"), arguments);
  }

  private int run(Map<String, String> variables, String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    variables.put("HTTP_BACKOFF_FACTOR", "0.001");
    String[] all = Stream.concat(Stream.of("history"), Stream.of(arguments)).toArray(String[]::new);
    int code = CommandRun.run(variables, clock, out, err, all);
    String secret = clouds.cloud().account().secretKey();
    assertFalse((out.toString() + err).contains(secret));
    return code;
  }

  /** Requests one day of one device. */
  private void assertRunsWith(AccountsYaml accounts) {
    accounts.write();
    Map<String, String> variables =
        Variables.ofFile(accounts.file(), "ECOFLOW_CA_FILE=" + clouds.cloud().caFile());
    int code = run(variables, "--from", "2026-08-09", "--device", ocean.serial());
    assertEquals(0, code, err::toString);
  }

  private int calls() {
    return clouds.cloud().requests(HISTORY).size();
  }

  private static double endOf(String day) {
    return LocalDate.parse(day).plusDays(1).atStartOfDay(ZoneId.systemDefault()).toEpochSecond()
        - 1;
  }

  @Test
  void prometheusReadsTheOutput() throws Exception {
    Promtool.assumeInstalled();
    assumeTrue(PrometheusServer.isInstalled(), "prometheus is not installed");
    Path file = directory.resolve("energy.txt");

    assertEquals(0, run("--from", "2026-08-01", "--output", file.toString()), err::toString);
    Path data = directory.resolve("data");
    Promtool.Result result = Promtool.createBlocks(file, data);

    assertEquals(0, result.exitCode(), result.output());
    String series = "ecoflow_reported_energy_joules{day=\"today\", period=\"day\", what=\"solar\"}";
    try (PrometheusServer prometheus = PrometheusServer.start(directory, Map.of())) {
      List<PrometheusServer.Sample> samples = prometheus.query(series, endOf("2026-08-02"));
      assertEquals(2, samples.size(), samples::toString);
      for (PrometheusServer.Sample sample : samples) {
        boolean isStream = sample.labels().get("device").equals(stream.serial());
        assertEquals(isStream ? 1002 * 3600 : 2 * 3.6e6, sample.value());
        assertEquals(isStream ? "Ba\"l\\cony" : "Roof, south", sample.labels().get("device_name"));
      }
      assertEquals(
          45.0,
          prometheus
              .query(
                  "sum_over_time(ecoflow_reported_energy_joules{what=\"solar\",device=\""
                      + ocean.serial()
                      + "\"}[30d]) / 3.6e6",
                  endOf("2026-08-09"))
              .get(0)
              .value(),
          1e-9);
      assertEquals(
          7 * 3600.0,
          prometheus
              .query("ecoflow_reported_energy_joules{what=\"grid_import\"}", endOf("2026-08-02"))
              .get(0)
              .value());
    }
  }

  @Test
  void writesOpenMetrics() {
    assertEquals(
        0,
        run("--from", "2026-08-01", "--to", "2026-08-02", "--device", "hj31zhistory0001"),
        err::toString);

    String labels =
        "{device=\"HJ31ZHISTORY0001\",device_name=\"Roof, south\",product_name=\"PowerOcean\","
            + "device_general_key=\"unknown\",what=\"solar\",period=\"day\",day=\"today\"} ";
    assertEquals(
        List.of(
            "# TYPE ecoflow_reported_energy_joules gauge",
            "# UNIT ecoflow_reported_energy_joules joules",
            "# HELP ecoflow_reported_energy_joules Energy of a day that EcoFlow counted, in joules",
            "ecoflow_reported_energy_joules" + labels + "3600000.0 " + (long) endOf("2026-08-01"),
            "ecoflow_reported_energy_joules" + labels + "7200000.0 " + (long) endOf("2026-08-02"),
            "# EOF"),
        out.toString().lines().toList());
    assertEquals("", err.toString());
    assertEquals(2, calls());
  }

  @Test
  void theOutputIsUtf8InEachLocale() throws IOException {
    CloudAccount account = CloudAccount.numbered(2);
    String day = LocalDate.now().minusDays(3).toString();
    SimulatedDevice roof =
        device("HJ31ZHISTORY0009", "Dach s\u00fcd", "PowerOcean")
            .setHistory(POWEROCEAN, day, entry("Solar Generation", 1, "kWh"));
    clouds.cloud().addAccount(account).add(roof);
    Map<String, String> variables =
        Variables.of(
            clouds.cloud(),
            "rest",
            "ECOFLOW_ACCESS_KEY=" + account.accessKey(),
            "ECOFLOW_SECRET_KEY=" + account.secretKey());
    Path text = directory.resolve("out.txt");
    List<String> command =
        List.of(
            System.getProperty("java.home") + "/bin/java",
            "-Dfile.encoding=US-ASCII",
            "-cp",
            System.getProperty("java.class.path"),
            "ecoflow.EcoflowExporter",
            "history",
            "--from",
            day,
            "--to",
            day);

    try (ChildProcess exporter = ChildProcess.start(directory, text, variables, command)) {
      assertEquals(0, exporter.exitCode(), () -> exporter.lines().toString());
    }
    assertTrue(Files.readString(text).contains("device_name=\"Dach s\u00fcd\""));
  }

  @Test
  void writesCsv() {
    assertEquals(
        0, run("--from", "2026-08-02", "--to", "2026-08-02", "--format", "csv"), err::toString);

    assertEquals(
        List.of(
            "day,device,device_name,product_name,what,joules",
            "2026-08-02,BK61ZHISTORY0001,\"Ba\"\"l\\cony\",STREAM Ultra,grid_export,7200.0",
            "2026-08-02,BK61ZHISTORY0001,\"Ba\"\"l\\cony\",STREAM Ultra,grid_import,25200.0",
            "2026-08-02,BK61ZHISTORY0001,\"Ba\"\"l\\cony\",STREAM Ultra,solar,3607200.0",
            "2026-08-02,HJ31ZHISTORY0001,\"Roof, south\",PowerOcean,solar,7200000.0"),
        out.toString().lines().toList());
    assertEquals(
        "ecoflow-exporter: R331ZHISTORY0001 is skipped: EcoFlow has no energy history of the model"
            + " DELTA 2",
        err.toString().strip());
  }

  @Test
  void continuesAfterAnInterruption() throws IOException {
    Path file = directory.resolve("energy.csv");
    String[] arguments = {
      "--from",
      "2026-08-01",
      "--to",
      "2026-08-04",
      "--device",
      ocean.serial(),
      "--format",
      "csv",
      "--output",
      file.toString()
    };
    clouds.cloud().faults().next(HISTORY, Fault.delay(Duration.ZERO));
    clouds.cloud().faults().next(HISTORY, Fault.delay(Duration.ZERO));
    clouds.cloud().faults().next(HISTORY, Fault.status(403));

    assertEquals(1, run(arguments));
    assertFalse(Files.exists(file));
    assertEquals(1, err.toString().lines().count(), err::toString);
    assertTrue(
        err.toString().startsWith("ecoflow-exporter: HTTP 403 on " + HISTORY)
            && err.toString().contains("run the command again to continue"),
        err::toString);
    assertEquals(3, calls());

    // The process ended while it wrote a line.
    Path state = directory.resolve("energy.csv.state");
    Files.writeString(state, Files.readString(state) + "HJ31ZHISTORY0001," + POWEROCEAN + ",2026");
    assertEquals(0, run(arguments), err::toString);
    assertEquals(5, calls(), "two more days");
    assertEquals(5, Files.readAllLines(file).size());
    String first = Files.readString(file);

    assertEquals(0, run(arguments));
    assertEquals(5, calls());
    assertEquals(first, Files.readString(file));

    // A later end needs only the new days.
    arguments[3] = "2026-08-05";
    assertEquals(0, run(arguments));
    assertEquals(6, calls());
    assertEquals(
        first + "2026-08-05,HJ31ZHISTORY0001,\"Roof, south\",PowerOcean,solar,1.8E7\n",
        Files.readString(file));
  }

  private String[] oceanTo(String last, Path file) {
    return new String[] {
      "--from",
      "2026-08-07",
      "--to",
      last,
      "--device",
      ocean.serial(),
      "--format",
      "csv",
      "--output",
      file.toString()
    };
  }

  @Test
  void theEnergyOfYesterdayIsRequestedAgain() throws IOException {
    Path file = directory.resolve("energy.csv");
    assertEquals(0, run(oceanTo("2026-08-09", file)));
    assertEquals(3, calls());

    ocean.setHistory(POWEROCEAN, "2026-08-08", entry("Solar Generation", 80, "kWh"));
    ocean.setHistory(POWEROCEAN, "2026-08-09", entry("Solar Generation", 10, "kWh"));
    assertEquals(0, run(oceanTo("2026-08-09", file)));
    assertEquals(4, calls());
    assertEquals(
        List.of("2.52E7", "2.88E7", "3.6E7"),
        Files.readAllLines(file).stream().skip(1).map(line -> line.replaceAll(".*,", "")).toList());
  }

  @Test
  void theAnswersOfAnOfflineDeviceAreNotLost() throws IOException {
    Path file = directory.resolve("energy.csv");
    String[] arguments = {
      "--from",
      "2026-08-02",
      "--to",
      "2026-08-02",
      "--device",
      stream.serial(),
      "--format",
      "csv",
      "--output",
      file.toString()
    };
    assertEquals(0, run(arguments));
    List<String> before = Files.readAllLines(file);
    assertEquals(4, before.size());

    stream.setOnline(false);
    int calls = calls();
    arguments[1] = "2026-08-01";
    assertEquals(1, run(arguments));
    assertEquals(calls + 1, calls());
    assertEquals(before, Files.readAllLines(file));
  }

  @Test
  void aSecondProcessDoesNotUseTheSameState() throws Exception {
    Path file = directory.resolve("energy.csv");
    Path state = directory.resolve("energy.csv.state");
    try (HistoryState other = HistoryState.open(state)) {
      assertEquals(2, run(oceanTo("2026-08-08", file)));
      assertEquals(
          "ecoflow-exporter: --output: another process uses " + state, err.toString().strip());
      assertTrue(other.get("A", "B", TODAY).isEmpty());
    }
    assertEquals(0, run(oceanTo("2026-08-08", file)), err::toString);
  }

  @Test
  void onlyAFileIsReplaced() throws IOException {
    Path device = Files.createSymbolicLink(directory.resolve("device"), Path.of("/dev/null"));

    assertEquals(2, run("--from", "2026-08-09", "--output", device.toString()));
    assertTrue(Files.isSymbolicLink(device));
  }

  @Test
  void anIncompleteOutputIsAnError() {
    Writer full =
        new Writer() {
          @Override
          public void write(char[] text, int offset, int length) throws IOException {
            throw new IOException("No space left on device");
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };

    assertEquals(
        1,
        CommandRun.run(
            Variables.of(clouds.cloud(), "rest", "HTTP_BACKOFF_FACTOR=0.001"),
            clock,
            full,
            err,
            "history",
            "--from",
            "2026-08-09",
            "--device",
            ocean.serial()));
    assertEquals("ecoflow-exporter: cannot write the standard output", err.toString().strip());
  }

  @Test
  void aDeviceOfTwoAccountsIsWrittenOnce() {
    AccountsYaml accounts = new AccountsYaml(directory.resolve("accounts.yml"));
    accounts.add("one", "rest", clouds.cloud().defaultAccount());
    accounts.add("two", "rest", clouds.cloud().addAccount(CloudAccount.numbered(2)).add(ocean));
    assertRunsWith(accounts);
    assertEquals(5, out.toString().lines().count(), out::toString);
  }

  @Test
  void aStateOfAnotherFileIsAnError() throws IOException {
    Path file = directory.resolve("energy.csv");
    Path state = directory.resolve("energy.csv.state");
    for (String content :
        List.of("notes\n", "\u00fc\n", "# Answers of EcoFlow: serial,code,day,joules\nA,B,C,x\n")) {
      Files.writeString(state, content);

      assertEquals(2, run("--from", "2026-08-01", "--output", file.toString()));
      assertTrue(
          err.toString().strip().matches("ecoflow-exporter: " + state + ":[12] is not valid: .*"),
          err::toString);
      assertEquals(content, Files.readString(state));
    }
  }

  @Test
  void anOfflineDeviceDoesNotAffectOthers() {
    stream.setOnline(false);

    assertEquals(1, run("--from", "2026-08-01", "--to", "2026-08-03"));

    // One of twelve calls for the offline device, and three for the other one.
    assertEquals(4, calls());
    assertTrue(out.toString().contains("device=\"HJ31ZHISTORY0001\""));
    assertFalse(out.toString().contains("BK61ZHISTORY0001"));
    List<String> lines = err.toString().lines().toList();
    assertEquals(2, lines.size(), lines::toString);
    assertTrue(
        lines
            .get(1)
            .startsWith("ecoflow-exporter: BK61ZHISTORY0001: code 1006 (device is offline)"),
        lines::toString);
  }

  @Test
  void aRefusedStatisticDoesNotAffectOthers() {
    clouds
        .cloud()
        .faults()
        .next(HISTORY, stream, Fault.code("1006", "current device is not allowed"));

    assertEquals(1, run("--from", "2026-08-01", "--to", "2026-08-03", "--device", stream.serial()));

    assertEquals(1 + 3 * 3, calls());
    assertEquals(1, err.toString().lines().count(), err::toString);
    assertTrue(err.toString().contains("BK61ZHISTORY0001 (BK621-App-HOME-"), err::toString);
    assertTrue(out.toString().contains("what=\"grid_import\""), out::toString);
    assertFalse(out.toString().contains("what=\"solar\""), out::toString);
  }

  @Test
  void anUnknownUnitIsReportedAndRequestedAgain() throws IOException {
    ocean.setHistory(POWEROCEAN, "2026-08-02", entry("Solar Generation", 1, "MJ"));
    Path file = directory.resolve("energy.txt");
    String[] arguments = {
      "--from",
      "2026-08-01",
      "--to",
      "2026-08-03",
      "--device",
      ocean.serial(),
      "--output",
      file.toString()
    };

    assertEquals(1, run(arguments));
    assertEquals(
        "ecoflow-exporter: HJ31ZHISTORY0001 (" + POWEROCEAN + "): solar has the unknown unit 'MJ'",
        err.toString().strip());
    assertEquals(6, Files.readAllLines(file).size());

    ocean.setHistory(POWEROCEAN, "2026-08-02", entry("Solar Generation", 1, "kWh"));
    assertEquals(0, run(arguments));
    assertEquals(4, calls());
    assertEquals(7, Files.readAllLines(file).size());
  }

  @Test
  void wrongKeysAreReportedInOneLine() {
    Map<String, String> variables =
        Variables.of(clouds.cloud(), "rest", "ECOFLOW_SECRET_KEY=wrong");

    assertEquals(1, run(variables, "--from", "2026-08-01"));
    assertTrue(
        err.toString().startsWith("ecoflow-exporter: EcoFlow refuses the access key (code 8521)"),
        err::toString);
    assertEquals(1, err.toString().lines().count());
    assertEquals("", out.toString());
  }

  @ParameterizedTest
  @CsvSource({"mqtt", "device"})
  void appAccountsHaveNoHistory(String mode) {
    assertEquals(2, run(Variables.of(clouds.cloud(), mode), "--from", "2026-08-01"));
    assertEquals(
        "ecoflow-exporter: EcoFlow's energy history requires developer keys, and the mode is "
            + mode,
        err.toString().strip());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--to 2026-08-01 | Missing required option: '--from=DATE'",
        "--from yesterday | Invalid value for --from 'yesterday': expected a date such as 2026-08-01",
        "--from 2026-08-01 --to 2026-08-10 | Invalid value for --to '2026-08-10': expected a day before today, 2026-08-10",
        "--from 2026-08-05 --to 2026-08-04 | Invalid value for --from '2026-08-05': expected a day that is not after 2026-08-04, in the last 10 years",
        "--from 0202-08-05 | Invalid value for --from '0202-08-05': expected a day that is not after 2026-08-09, in the last 10 years",
        "--from=-999999999-01-01 --to=-999999999-01-01 | Invalid value for --from '-999999999-01-01': expected a day that is not after -999999999-01-01, in the last 10 years",
        "--from 2026-08-01 --format xml | Invalid value for --format 'xml': expected openmetrics or csv",
        "--from 2026-08-01 --output /no/such/file | Invalid value for --output '/no/such/file': expected a file in a writable directory"
      })
  void invalidOptionsAreReportedInOneLine(String arguments, String message) {
    assertEquals(2, run(arguments.split(" ")));
    assertEquals(
        "ecoflow-exporter: " + message + "; see ecoflow-exporter history --help",
        err.toString().strip());
    assertEquals(0, calls());
  }

  @Test
  void anUnknownDeviceIsReported() {
    assertEquals(1, run("--from", "2026-08-09", "--device", "HJ31ZHISTORY0002"));
    assertEquals(
        "ecoflow-exporter: HJ31ZHISTORY0002 is not in the device list or not in ECOFLOW_DEVICE_SN",
        err.toString().strip());
    assertEquals(0, calls());
  }

  @Test
  void processesEachAccountWithDeveloperKeys() {
    AccountsYaml accounts = new AccountsYaml(directory.resolve("accounts.yml"));
    accounts.add("app", "device", clouds.cloud().defaultAccount());
    accounts.add("keys", "rest", clouds.cloud().defaultAccount());
    assertRunsWith(accounts);

    assertEquals(
        List.of(
            "Account app:",
            "ecoflow-exporter: EcoFlow's energy history requires developer keys, and the mode is device",
            "",
            "Account keys:"),
        err.toString().lines().toList());
    assertEquals(5, out.toString().lines().count(), out::toString);
    assertTrue(out.toString().endsWith("# EOF\n"));
  }

  @Test
  void theProgressBarReplacesItself() {
    StringWriter terminal = new StringWriter();
    Progress progress = new Progress(new PrintWriter(terminal), true);
    progress.show(0, 4, "HJ31 2026-08-01");
    progress.show(2, 4, "HJ31");
    progress.clear();
    progress.clear();

    assertEquals(
        "\r["
            + "-".repeat(30)
            + "] 0/4 HJ31 2026-08-01"
            + "\r["
            + "#".repeat(15)
            + "-".repeat(15)
            + "] 2/4 HJ31"
            + " ".repeat(11)
            + "\r"
            + " ".repeat(41)
            + "\r",
        terminal.toString());
    StringWriter file = new StringWriter();
    Progress none = new Progress(new PrintWriter(file), false);
    none.show(1, 4, "HJ31");
    none.clear();
    assertEquals("", file.toString());
  }
}
