package ecoflow.accounts;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.PrometheusServer;
import ecoflow.testkit.Promtool;
import ecoflow.testkit.RunningExporter;
import ecoflow.testkit.Variables;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pages with an accounts file: two accounts with developer keys, one of which is refused. */
class AccountPagesTest {

  private static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0";

  /** Created with htpasswd -nbB -C 5. */
  private static final String BCRYPT_S3CRET =
      "$2y$05$ucUAOEqlIr/YW6m5uY6uSef6ldXfiNa2bdxCtJR89RIMm094OIKHW";

  private static final SimulatedDevice GARAGE =
      device("R331ZGARAGE00001", "Garage \"1\"").set(Map.of("pd.sysVer", 0x0102_002F));
  private static final SimulatedDevice SHED = device("R331ZSHED0000001", "Shed");

  @TempDir private static Path directory;
  private static SimulatedCloud berlin;
  private static SimulatedCloud keys;
  private static RunningExporter exporter;

  private static SimulatedDevice device(String serial, String name) {
    return new SimulatedDevice(serial, name, "DELTA 2", WireFormat.JSON)
        .set(Map.of("pd.soc", 50, "device_info", 1, "account", 2));
  }

  @BeforeAll
  static void start() throws IOException {
    berlin = SimulatedCloud.start().add(GARAGE);
    keys = SimulatedCloud.start().add(SHED);
    Path file = directory.resolve("accounts.yml");
    Files.writeString(
        file,
        "accounts:\n"
            + account("berlin-17", berlin, berlin.account().secretKey())
            + "    devices: [R331ZGARAGE00001]\n"
            + "    labels: {site: 'Berlin \"Mitte\"\\', tenant: acme}\n"
            + account("keys", keys, keys.account().secretKey())
            + account("refused", berlin, "wrong-secret")
            + "    labels: {floor: '2'}\n");
    Path ca = directory.resolve("ca.pem");
    Files.writeString(ca, Files.readString(berlin.caFile()) + Files.readString(keys.caFile()));
    exporter =
        RunningExporter.start(
            Variables.ofFile(
                file, "ECOFLOW_CA_FILE=" + ca, "ECOFLOW_METRICS=both", "ECOFLOW_INFO=true"));
    for (SimulatedDevice device : List.of(GARAGE, SHED)) {
      exporter.page().eventuallyShows(device, "pd_soc", 50);
      exporter.page().eventuallyScrapes(device, "success", 1);
    }
    eventually(() -> assertEquals(1, exporter.page().own("accounts", "state=refused")));
  }

  private static String account(String name, SimulatedCloud cloud, String secretKey) {
    return "  - name: "
        + name
        + "\n    mode: rest\n    api_host: "
        + cloud.apiHost()
        + "\n    access_key: "
        + cloud.account().accessKey()
        + "\n    secret_key: "
        + secretKey
        + "\n";
  }

  @AfterAll
  static void stop() {
    exporter.close();
    berlin.close();
    keys.close();
  }

  private static String metrics(String query, String... headers) {
    HttpResponse<String> response = exporter.http().get("/metrics" + query, headers);
    assertEquals(200, response.statusCode(), query);
    return response.body();
  }

  private static List<String> lines(String page, String start) {
    return page.lines().filter(line -> line.startsWith(start)).toList();
  }

  @Test
  void refusedCredentialsAreAtTheTopOfThePageAndInTheReadiness() {
    String refusal =
        "Account refused: EcoFlow refuses the access key (code 8521): check secret_key; the clock"
            + " of this machine is correct";
    String page = exporter.http().get("/").body();
    assertTrue(page.contains("<p class=\"bad\"><strong>" + refusal + "</strong></p>"), page);
    assertEquals(
        "ready; " + refusal + "; 1 of 3 accounts not connected: refused (refused)\n",
        exporter.http().get("/-/ready").body());
  }

  @Test
  void infoMetricsHaveTheAccountOfEachDeviceAndTheLabelsOfEachAccount() {
    String page = metrics("");

    assertEquals(
        List.of(
            "ecoflow_device_info{device=\"R331ZGARAGE00001\",device_name=\"Garage \\\"1\\\"\","
                + "product_name=\"DELTA 2\",device_general_key=\"unknown\",account=\"berlin-17\","
                + "firmware=\"1.2.0.47\"} 1",
            "ecoflow_device_info{device=\"R331ZSHED0000001\",device_name=\"Shed\","
                + "product_name=\"DELTA 2\",device_general_key=\"unknown\",account=\"keys\"} 1"),
        lines(page, "ecoflow_device_info"));
    assertEquals(
        Set.of(
            "ecoflow_account_info{account=\"berlin-17\",api_host=\""
                + berlin.apiHost()
                + "\",mode=\"rest\",site=\"Berlin \\\"Mitte\\\"\\\\\",tenant=\"acme\"} 1",
            "ecoflow_account_info{account=\"keys\",api_host=\""
                + keys.apiHost()
                + "\",mode=\"rest\"} 1",
            "ecoflow_account_info{account=\"refused\",api_host=\""
                + berlin.apiHost()
                + "\",floor=\"2\",mode=\"rest\"} 1"),
        Set.copyOf(lines(page, "ecoflow_account_info")));
    String openMetrics = metrics("", "Accept", OPEN_METRICS);
    assertTrue(openMetrics.contains("# TYPE ecoflow_device info\n"), openMetrics);
    assertTrue(openMetrics.contains("# TYPE ecoflow_account info\n"), openMetrics);
    assertEquals(lines(page, "ecoflow_device_info"), lines(openMetrics, "ecoflow_device_info"));
  }

  @Test
  void deviceKeysDoNotUseTheNamesOfInfoMetrics() {
    String page = metrics("");

    assertEquals(List.of(), lines(page, "ecoflow_account{"));
    assertEquals(1, lines(page, "# TYPE ecoflow_device_info").size());
    assertEquals(2, lines(page, "ecoflow_device_info").size());
  }

  @Test
  void aFilteredPageContainsTheSeriesOfTheAccountOnly() {
    // Exporter metrics of a filtered page can be one second old.
    eventually(AccountPagesTest::assertSeriesOfTheAccount);
  }

  private static void assertSeriesOfTheAccount() {
    String page = metrics("?account=berlin-17");
    List<String> series = page.lines().filter(line -> !line.startsWith("#")).toList();
    assertEquals(
        List.of(),
        series.stream()
            .filter(
                line ->
                    !line.contains("device=\"R331ZGARAGE00001\"")
                        && !line.contains("account=\"berlin-17\""))
            .toList());
    // The same lines as on the whole page.
    Set<String> expected =
        metrics("")
            .lines()
            .filter(
                line ->
                    line.contains("device=\"R331ZGARAGE00001\"")
                        || line.contains("account=\"berlin-17\""))
            .map(AccountPagesTest::withoutValue)
            .collect(Collectors.toSet());
    assertEquals(
        expected, series.stream().map(AccountPagesTest::withoutValue).collect(Collectors.toSet()));
    for (String start :
        List.of(
            "ecoflow_pd_soc{",
            "ecoflow_battery_charge_ratio{",
            "ecoflow_online{",
            "ecoflow_metrics_collected{",
            "ecoflow_scrape_requests_total{",
            "ecoflow_scrape_duration_seconds_bucket{",
            "ecoflow_http_requests_total{",
            "ecoflow_device_info{",
            "ecoflow_account_info{")) {
      assertFalse(lines(page, start).isEmpty(), start);
    }
  }

  private static String withoutValue(String line) {
    return line.substring(0, line.lastIndexOf(' '));
  }

  @Test
  void severalAccountsCanBeSelected() {
    for (String query :
        List.of(
            "?account=keys,berlin-17",
            "?account=keys&account=berlin-17&x=1",
            "?account=%6Beys%2Cberlin-17")) {
      String page = metrics(query);
      assertEquals(2, lines(page, "ecoflow_device_info{").size(), query);
      assertEquals(2, lines(page, "ecoflow_pd_soc{").size(), query);
      assertEquals(List.of(), lines(page, "ecoflow_accounts{"), query);
      assertEquals(List.of(), lines(page, "ecoflow_exporter_build_info"), query);
    }
    assertEquals(3, lines(metrics("?accounts=keys"), "ecoflow_account_info{").size());
  }

  @Test
  void anAccountWithoutDevicesHasItsOwnMetricsOnly() {
    String page = metrics("?account=refused");

    assertEquals(1, lines(page, "ecoflow_account_info{").size());
    assertEquals(List.of(), lines(page, "ecoflow_device_info{"));
    assertFalse(lines(page, "ecoflow_http_requests_total{").isEmpty());
  }

  @Test
  void anUnknownAccountIsNotFound() {
    assertNotFound("?account=nobody", "unknown account: \"nobody\"\n");
    assertNotFound("?account=keys,x,nobody", "unknown account: \"nobody\", \"x\"\n");
    assertNotFound("?account=", "unknown account: \"\"\n");
    assertNotFound("?account=keys,", "unknown account: \"\"\n");
    assertNotFound("?account=KEYS", "unknown account: \"KEYS\"\n");
    assertNotFound("?account=a%0Ab%3Cb%3E", "unknown account: \"ab<b>\"\n");
  }

  private static void assertNotFound(String query, String body) {
    HttpResponse<String> response = exporter.http().get("/metrics" + query);
    assertEquals(404, response.statusCode(), query);
    assertEquals(body, response.body());
    assertEquals(
        "text/plain; charset=utf-8", response.headers().firstValue("Content-Type").orElseThrow());
    assertEquals("nosniff", response.headers().firstValue("X-Content-Type-Options").orElseThrow());
  }

  @Test
  void requestHeadersDoNotSelectAccounts() {
    String page = metrics("", "account", "keys", "CamelHttpRawQuery", "account=keys");
    assertEquals(2, lines(page, "ecoflow_device_info{").size());
    page = metrics("?account=keys", "account", "berlin-17", "CamelHttpRawQuery", "account=refused");
    assertEquals(1, lines(page, "ecoflow_device_info{").size());
    assertTrue(page.contains("R331ZSHED0000001"), page);
  }

  @Test
  void aFilteredPageHasAllFormats() throws IOException {
    String query = "?account=keys";
    String plain = metrics(query);
    HttpResponse<byte[]> zipped =
        exporter
            .http()
            .send("GET", "/metrics" + query, BodyHandlers.ofByteArray(), "Accept-Encoding", "gzip");
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(zipped.body()))) {
      String unzipped = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(
          plain.lines().map(AccountPagesTest::withoutValue).toList(),
          unzipped.lines().map(AccountPagesTest::withoutValue).toList());
    }
    String openMetrics = metrics(query, "Accept", OPEN_METRICS);
    assertTrue(openMetrics.endsWith("\n# EOF\n"), openMetrics);
    assertEquals(1, openMetrics.split("# EOF", -1).length - 1);
    HttpResponse<String> head =
        exporter.http().send("HEAD", "/metrics" + query, BodyHandlers.ofString());
    assertEquals(200, head.statusCode());
    assertEquals("", head.body());
  }

  @Test
  void accountsAreListedAsJson() throws IOException {
    HttpResponse<String> response = exporter.http().get("/-/accounts");

    assertEquals(200, response.statusCode());
    assertEquals("application/json", response.headers().firstValue("Content-Type").orElseThrow());
    assertEquals(
        List.of(
            Map.of(
                "name",
                "berlin-17",
                "mode",
                "rest",
                "state",
                "connected",
                "devices",
                1,
                "devices_online",
                1,
                "labels",
                Map.of("site", "Berlin \"Mitte\"\\", "tenant", "acme")),
            Map.of(
                "name",
                "keys",
                "mode",
                "rest",
                "state",
                "connected",
                "devices",
                1,
                "devices_online",
                1,
                "labels",
                Map.of()),
            Map.of(
                "name",
                "refused",
                "mode",
                "rest",
                "state",
                "refused",
                "devices",
                0,
                "devices_online",
                0,
                "labels",
                Map.of("floor", "2"))),
        new ObjectMapper().readValue(response.body(), List.class));
    assertFalse(response.body().contains(keys.account().accessKey()), response.body());
    assertTrue(exporter.http().get("/").body().contains("<a href=\"-/accounts\">"));
  }

  @Test
  void serviceDiscoveryReturnsOneTargetPerAccount() throws IOException {
    HttpResponse<String> response = exporter.http().get("/-/sd");
    List<String> targets = List.of("localhost:" + exporter.http().port());

    assertEquals(200, response.statusCode());
    assertEquals("application/json", response.headers().firstValue("Content-Type").orElseThrow());
    assertEquals(
        List.of(
            Map.of(
                "targets",
                targets,
                "labels",
                Map.of(
                    "__param_account",
                    "berlin-17",
                    "site",
                    "Berlin \"Mitte\"\\",
                    "tenant",
                    "acme")),
            Map.of("targets", targets, "labels", Map.of("__param_account", "keys")),
            Map.of(
                "targets", targets, "labels", Map.of("__param_account", "refused", "floor", "2"))),
        new ObjectMapper().readValue(response.body(), List.class));
  }

  @Test
  void serviceDiscoveryUsesTheHostOfTheRequest() throws IOException {
    assertTrue(raw("GET /-/sd HTTP/1.1\r\nHost: localhost:99\r\n").contains("\"localhost:99\""));
    String withoutHost = raw("GET /-/sd HTTP/1.0\r\n");
    assertTrue(withoutHost.startsWith("HTTP/1.0 400 "), withoutHost);
    assertTrue(withoutHost.endsWith("\r\n\r\nthe request has no header Host\n"), withoutHost);
    String posted = raw("POST /-/sd HTTP/1.1\r\nHost: localhost\r\n");
    assertTrue(posted.startsWith("HTTP/1.1 405 "), posted);
    String head = raw("HEAD /-/accounts HTTP/1.1\r\nHost: localhost\r\n");
    assertTrue(head.startsWith("HTTP/1.1 200 ") && head.endsWith("\r\n\r\n"), head);
  }

  private static String raw(String request) throws IOException {
    try (Socket socket = new Socket("localhost", exporter.http().port())) {
      socket
          .getOutputStream()
          .write((request + "Connection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void withoutAFileThePagesDoNotExistAndTheQueryIsIgnored() throws IOException {
    SimulatedDevice device = device("R331ZSINGLE00001", "Single");
    try (SimulatedCloud cloud = SimulatedCloud.start().add(device);
        RunningExporter single = RunningExporter.start(Variables.of(cloud, "rest"))) {
      single.page().eventuallyShows(device, "pd_soc", 50);
      assertEquals(404, single.http().get("/-/accounts").statusCode());
      assertEquals(404, single.http().get("/-/sd").statusCode());
      HttpResponse<String> page = single.http().get("/metrics?account=nobody");
      assertEquals(200, page.statusCode());
      assertFalse(page.body().contains("account_info"), page.body());
      assertEquals(1, lines(page.body(), "ecoflow_device_info{").size());
      assertTrue(page.body().contains("EcoFlow quota device_info"), page.body());
      assertFalse(single.http().get("/").body().contains("/-/accounts"));
    }
  }

  @Test
  void theScrapeConfigurationInTheManualWorks() throws IOException {
    assumeTrue(PrometheusServer.isInstalled(), "prometheus is not installed");
    String manual = Files.readString(Path.of("docs/MANUAL.md"));
    Matcher yaml =
        Pattern.compile(
                "```yaml\n(scrape_configs:\n  - job_name: ecoflow-accounts\n.*?)```",
                Pattern.DOTALL)
            .matcher(manual);
    assertTrue(yaml.find());
    String config = yaml.group(1).replace("localhost:9090", "localhost:" + exporter.http().port());
    try (PrometheusServer prometheus =
        PrometheusServer.start(Files.createDirectory(directory.resolve("prometheus")), config)) {
      prometheus.awaitSeries(3, "up{job=\"ecoflow-accounts\"} == 1");
      prometheus.awaitSeries(1, "up{job=\"ecoflow\"} == 1");
      prometheus.awaitSeries(1, "ecoflow_accounts{state=\"refused\"}");
      prometheus.awaitSeries(2, "ecoflow_pd_soc");
      prometheus.awaitSeries(
          1, "ecoflow_pd_soc{account=\"berlin-17\",tenant=\"acme\",device=\"R331ZGARAGE00001\"}");
      prometheus.awaitSeries(1, "ecoflow_account_info{account=\"refused\",floor=\"2\"}");
      assertEquals(
          List.of(), prometheus.query("{exported_account!=\"\"} or {exported_site!=\"\"}"));
      assertEquals(
          List.of(),
          prometheus.query("{job=\"ecoflow\",__name__=~\"ecoflow_(pd|http_requests).*\"}"));
    }
  }

  @Test
  void theQueryInTheManualWorks() throws IOException {
    assumeTrue(PrometheusServer.isInstalled(), "prometheus is not installed");
    Matcher query =
        Pattern.compile("```promql\n(avg by \\(site\\) .*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("docs/MANUAL.md")));
    assertTrue(query.find());
    try (PrometheusServer prometheus =
        PrometheusServer.start(
            Files.createDirectory(directory.resolve("query")),
            Map.of("ecoflow", exporter.http().port()))) {
      prometheus.awaitSeries(2, query.group(1));
      assertEquals(
          Set.of(Map.of(), Map.of("site", "Berlin \"Mitte\"\\")),
          prometheus.query(query.group(1)).stream()
              .map(PrometheusServer.Sample::labels)
              .collect(Collectors.toSet()));
    }
  }

  @Test
  void thePagesRequireAPassword() throws IOException {
    Path webConfig = directory.resolve("web.yml");
    Files.writeString(webConfig, "basic_auth_users:\n  alice: " + BCRYPT_S3CRET + "\n");
    Path file = directory.resolve("one.yml");
    Files.writeString(file, "accounts:\n" + account("keys", keys, keys.account().secretKey()));
    String basic =
        "Basic "
            + Base64.getEncoder().encodeToString("alice:s3cret".getBytes(StandardCharsets.UTF_8));
    try (RunningExporter guarded =
        RunningExporter.start(
            Variables.ofFile(
                file,
                "ECOFLOW_CA_FILE=" + keys.caFile(),
                "ECOFLOW_WEB_CONFIG_FILE=" + webConfig))) {
      for (String path : List.of("/-/accounts", "/-/sd", "/metrics?account=keys")) {
        assertEquals(401, guarded.http().get(path).statusCode(), path);
        assertEquals(200, guarded.http().get(path, "Authorization", basic).statusCode(), path);
      }
      assertEquals(401, guarded.http().get("/metrics?account=nobody").statusCode());
    }
  }

  @Test
  void promtoolAcceptsThePages() throws IOException, InterruptedException {
    Promtool.assumeInstalled();
    for (String query : List.of("", "?account=keys", "?account=berlin-17,refused")) {
      Promtool.Result result = Promtool.check(directory, metrics(query));
      assertFalse(result.output().contains("error while linting"), result.output());
    }
  }
}
