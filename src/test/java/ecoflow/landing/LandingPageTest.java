package ecoflow.landing;

import static ecoflow.cloud.ApiPath.DEVICE_LIST;
import static ecoflow.cloud.ApiPath.QUOTA;
import static ecoflow.testkit.Eventually.eventually;
import static ecoflow.testkit.Frames.frame;
import static ecoflow.testkit.Frames.message;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.Fault;
import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import java.net.URI;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The HTML of the landing page; LandingPageBrowserTest shows it in a browser. */
class LandingPageTest {

  private static final String EVIL = "</h2><script>alert(\"1\")</script>'&amp;";

  private final SimulatedDevice garage =
      new SimulatedDevice("R331ZLAND0000001", "Garage", "DELTA 2", WireFormat.JSON)
          .set(
              Map.of(
                  "pd.soc", 15,
                  "pd.wattsInSum", 420,
                  "pd.wattsOutSum", 35,
                  "bms_emsStatus.chgRemainTime", 125,
                  "bms_emsStatus.dsgRemainTime", 5999,
                  "bms_bmsStatus.vol", 50_000,
                  "bms_bmsStatus.amp", 7_000));

  private final SimulatedDevice evil =
      new SimulatedDevice("R331ZLAND0000002", EVIL, EVIL, WireFormat.JSON)
          .set(Map.of("pd.soc", 55));

  @RegisterExtension final ExporterExtension exporter = ExporterExtension.mqtt().with(garage, evil);

  private String page() {
    return exporter.http().get("/").body();
  }

  /** The HTML of the card of a device. */
  private String card(SimulatedDevice device) {
    Matcher cards = Pattern.compile("(?s)<article.*?</article>").matcher(page());
    return cards
        .results()
        .map(card -> card.group())
        .filter(card -> card.contains(device.serial()))
        .findFirst()
        .orElse("");
  }

  private void startAndPush() {
    exporter.start();
    exporter.page().eventuallyConnected(1);
    for (SimulatedDevice device : new SimulatedDevice[] {garage, evil}) {
      device.pushAll();
      exporter.page().eventuallyShows(device, "online", 1);
    }
  }

  @Test
  void devicesAreShownWithTheirValues() {
    startAndPush();
    String card = card(garage);
    for (String part :
        new String[] {
          "<h2>Garage</h2>",
          ">online<",
          ">DELTA 2<",
          ">15 %<",
          "width=\"15\"",
          "class=\"fill low\"",
          ">full in 2 h 5 min",
          "<dd>R331ZLAND0000001</dd>",
          "<dd>just now</dd>",
          "<dt>Input</dt><dd>420 W</dd>",
          "<dt>Output</dt><dd>35 W</dd>",
          "<dt>Charging</dt><dd>350 W</dd>",
        }) {
      assertTrue(card.contains(part), () -> part + " in " + card);
    }
    assertTrue(card(evil).contains("class=\"fill\""), "more than a fifth");
    eventually(
        () ->
            assertTrue(
                Pattern.compile(
                        "(?s)Charge in the last hour: 15 %\".*"
                            + "<path d=\"M238.0 32.6h.1\"/>.*100 %<.*0 %<.*>Charge 15 %<")
                    .matcher(card(garage))
                    .find(),
                () -> card(garage)));
    for (String part :
        new String[] {
          "EcoFlow: <span class=\"good\">answers<",
          "Login: <span class=\"good\">logged in<",
          "Connection: <span class=\"good\">up<",
          "Devices online: 2 of 2",
          "mode mqtt",
        }) {
      assertTrue(page().contains(part), () -> part + " in " + page());
    }
    assertTrue(page().contains("<h1 class=\"good\">All fine: 2 of 2 online</h1>"), page());
    assertTrue(page().contains("aria-label=\"Power now: Output 35 W, Charging 350 W\""), page());
    assertFalse(page().contains("Last failure"), "no failure");
    assertFalse(page().contains("/-/unknown"), "no unknown message");
  }

  @Test
  void valuesOfOfflineDevicesAreShownAsOld() {
    startAndPush();
    eventually(() -> assertTrue(card(garage).contains("Charge 15 %"), () -> card(garage)));
    assertFalse(card(garage).contains("class=\"old\""), card(garage));
    garage.publishStatus("{\"params\":{\"status\":0}}");
    eventually(
        () ->
            assertTrue(
                Pattern.compile(">offline since \\d\\d:\\d\\d<").matcher(card(garage)).find(),
                () -> card(garage)));
    String card = card(garage);
    assertTrue(card.startsWith("<article class=\"old\">"), card);
    assertTrue(card.contains(">15 %<") && card.contains("<dd>420 W</dd>"), card);
    assertTrue(card.contains("Last values: "), card);
    assertFalse(card.contains("full in"), card);
    String page = page();
    assertTrue(page.contains("Devices online: 1 of 2"));
    assertTrue(page.contains("<h1 class=\"warn\">Garage is offline: 1 of 2 online</h1>"), page);
    // The values of the offline device are not part of the totals.
    assertFalse(page.contains("Power now"), page);
    assertEquals(page.indexOf("<article class=\"old\">"), page.indexOf("<article"), "at the top");
  }

  @Test
  void namesAreEscaped() {
    startAndPush();
    String page = page();
    assertFalse(page.contains("<script>alert"), page);
    assertEquals(2, page.split("<script").length, "the script of the page alone");
    assertTrue(
        page.contains(
            "<h2>&lt;/h2&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;amp;</h2>"),
        page);
  }

  @Test
  void unknownMessagesAreCounted() {
    startAndPush();
    garage.publish(frame(99, 98, message().integer(1, 1)));
    eventually(() -> assertTrue(page().contains("Unknown messages: <a href=\"-/unknown\">1</a>")));
  }

  @Test
  void theLastFailureIsShown() {
    startAndPush();
    exporter.cloud().stopBroker();
    eventually(
        () -> {
          assertTrue(page().contains("Connection: <span class=\"bad\">no MQTT connection<"));
          assertTrue(page().contains("<li class=\"bad\">Connection: no MQTT connection</li>"));
          assertTrue(page().contains("<h1 class=\"bad\">Check the exporter: "));
          assertTrue(
              Pattern.compile("Last failure, [^:]+: (No MQTT connection|MQTT connection lost): ")
                  .matcher(page())
                  .find(),
              this::page);
        });
  }

  @Test
  void cloudFailuresAreShownInModeRest() {
    exporter.cloud().faults().always(DEVICE_LIST, Fault.status(503));
    exporter.startIn("rest", "HTTP_RETRIES=0");
    assertTrue(page().contains("EcoFlow: <span class=\"bad\">has not answered yet<"));
    eventually(
        () ->
            assertTrue(page().contains(": Cannot get the device list from EcoFlow: "), this::page));
    assertFalse(page().contains("Login:"));
    assertEquals(List.of(), alerts());
  }

  /** The lines at the top of the page. */
  private List<String> alerts() {
    String page = page();
    String header = page.substring(page.indexOf("<header"), page.indexOf("</header>"));
    return Pattern.compile("<p class=\"bad\"><strong>([^<]*)</strong></p>")
        .matcher(header)
        .results()
        .map(line -> line.group(1))
        .toList();
  }

  private String ready() {
    HttpResponse<String> answer = exporter.http().get("/-/ready");
    return answer.statusCode() + " " + answer.body().strip();
  }

  @Test
  void refusedKeysAreAtTheTopOfThePageAndInTheReadiness() {
    exporter.startIn(
        "rest",
        "ECOFLOW_SECRET_KEY=wrong",
        "HTTP_RETRIES=0",
        "ESTABLISH_ATTEMPTS=100000",
        "RETRY_TIMEOUT=0.2",
        "MAX_RECONNECT_DELAY=1");
    String refusal =
        "EcoFlow refuses the access key (code 8521): check ECOFLOW_SECRET_KEY; the clock of this"
            + " machine is correct";
    eventually(() -> assertEquals(List.of(refusal), alerts()));
    assertEquals("503 not ready: " + refusal + "; no device has sent values recently", ready());
    assertTrue(page().contains("EcoFlow: <span class=\"bad\">refuses the credentials<"));
    assertFalse(page().contains("has not answered yet"));
  }

  @Test
  void keysThatAreRevokedLaterAreShownUntilTheyAreAccepted() {
    exporter.startIn("rest", "HTTP_RETRIES=0", "DEVICE_LIST_CACHE_TTL=0.2");
    exporter.page().eventuallyShows(garage, "pd_soc", 15);
    assertEquals(List.of(), alerts());
    assertEquals("200 ready", ready());

    for (String path : List.of(DEVICE_LIST, QUOTA)) {
      exporter.cloud().faults().always(path, Fault.code("8513", "accessKey is invalid"));
    }
    String refusal = "EcoFlow refuses the access key (code 8513): ECOFLOW_ACCESS_KEY is wrong";
    eventually(
        () -> {
          assertEquals(1, alerts().size(), this::page);
          assertTrue(alerts().get(0).startsWith(refusal), () -> "" + alerts());
          assertTrue(ready().startsWith("200 ready; " + refusal), this::ready);
        });

    exporter.cloud().faults().clear();
    eventually(() -> assertEquals(List.of(), alerts()));
    assertEquals("200 ready", ready());
  }

  @Test
  void aRefusedAccountIsAtTheTopOfThePageAndInTheReadiness() {
    exporter.start(
        "ECOFLOW_ACCOUNT_PASSWORD=wrong", "ESTABLISH_ATTEMPTS=100000", "RETRY_TIMEOUT=0.2");
    String refusal = "EcoFlow refuses the account (code 2026): ECOFLOW_ACCOUNT_USER or ";
    eventually(
        () -> assertTrue(alerts().size() == 1 && alerts().get(0).startsWith(refusal), this::page));
    assertTrue(ready().startsWith("503 not ready: " + refusal), this::ready);
  }

  @Test
  void aFailureOfOneDeviceIsOnItsCard() {
    garage.setOpenToDevelopers(false);
    exporter.startIn("rest", "RETRY_TIMEOUT=0.2");
    exporter.page().eventuallyScrapes(garage, "error", 1);
    exporter.page().eventuallyShows(evil, "pd_soc", 55);
    String failure =
        "<p class=\"bad\">code 1006 (current device is not allowed to get device info): the device"
            + " is not open to developer keys or not bound to their account; the modes mqtt and"
            + " device can read it</p>";
    assertTrue(card(garage).contains(failure), () -> card(garage));
    assertFalse(card(evil).contains("class=\"bad\""), () -> card(evil));
    assertFalse(page().contains("Last failure"), this::page);
    assertEquals(List.of(), alerts());

    garage.setOpenToDevelopers(true);
    exporter.page().eventuallyShows(garage, "pd_soc", 15);
    eventually(() -> assertFalse(card(garage).contains("class=\"bad\""), () -> card(garage)));
  }

  @Test
  void aRefusedSubscriptionIsOnTheCardOfItsDevice() {
    exporter.cloud().refuseSubscriptions(topic -> topic.contains(garage.serial()));
    exporter.start();
    exporter.page().eventuallyConnected(1);
    String failure =
        "<p class=\"bad\">the broker refused a subscription: check that the device belongs to this"
            + " account</p>";
    eventually(() -> assertTrue(card(garage).contains(failure), () -> card(garage)));
    assertFalse(card(evil).contains("refused"), () -> card(evil));
  }

  @Test
  void theSecurityPolicyAllowsOnlyTheStyleAndScriptOfThePage() throws Exception {
    exporter.start();
    HttpResponse<String> answer = exporter.http().get("/");
    assertEquals(200, answer.statusCode());
    assertEquals("text/html; charset=utf-8", header(answer, "Content-Type"));
    assertEquals("nosniff", header(answer, "X-Content-Type-Options"));
    String policy = header(answer, "Content-Security-Policy");
    assertTrue(policy.startsWith("default-src 'none'; "), policy);
    for (String tag : List.of("style", "script")) {
      Matcher part =
          Pattern.compile("(?s)<%s>(.*?)</%s>".formatted(tag, tag)).matcher(answer.body());
      assertTrue(part.find(), tag);
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(part.group(1).getBytes(StandardCharsets.UTF_8));
      String expected = tag + "-src 'sha256-" + Base64.getEncoder().encodeToString(hash) + "';";
      assertTrue(policy.contains(expected), expected);
      assertFalse(part.find(), "one " + tag);
    }
    assertFalse(answer.body().contains(" style="));
    assertFalse(
        Pattern.compile("(?i)(src|href)=\"([a-z]+:(?!,\")|/)").matcher(answer.body()).find());
    assertFalse(answer.body().contains("{{"));

    HttpResponse<String> head = exporter.http().send("HEAD", "/", BodyHandlers.ofString());
    assertEquals(200, head.statusCode());
    assertEquals(policy, header(head, "Content-Security-Policy"));
    assertEquals("", head.body());
    assertEquals(404, exporter.http().get("/nowhere").statusCode());
  }

  @Test
  void linksAreValid() throws Exception {
    startAndPush();
    Matcher links = Pattern.compile("<a href=\"([^\"]+)\"").matcher(page());
    int found = 0;
    while (links.find()) {
      String path = URI.create("/").resolve(links.group(1)).toString();
      assertEquals(200, exporter.http().get(path).statusCode(), path);
      found++;
    }
    assertEquals(4, found);
  }

  @Test
  void theImagesOfTheReadmeExist() throws Exception {
    Matcher pictures =
        Pattern.compile("<img src=\"([^\"]+)\"").matcher(Files.readString(Path.of("README.md")));
    int found = 0;
    while (pictures.find()) {
      assertTrue(Files.size(Path.of(pictures.group(1))) < 150_000, pictures.group(1));
      found++;
    }
    assertEquals(2, found);
  }

  private static String header(HttpResponse<?> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }

  @Test
  void theEnergyOfTodayIsTheIncreaseOfTheCounters() {
    exporter.start("ECOFLOW_METRICS=both");
    exporter.page().eventuallyConnected(1);
    garage.set(Map.of("pd.chgSunPower", 1_000));
    garage.pushAll();
    // The first value is recorded with the first point of the chart.
    eventually(() -> assertTrue(card(garage).contains("Charge 15 %"), () -> card(garage)));
    assertTrue(
        Pattern.compile("<h1 [^>]*>[^<]*, 0\u00a0Wh sun since \\d\\d:\\d\\d</h1>")
            .matcher(page())
            .find(),
        this::page);
    garage.push(Map.of("pd.chgSunPower", 1_500));
    eventually(() -> assertTrue(page().contains(", 0.5\u00a0kWh sun since "), this::page));
    assertTrue(
        Pattern.compile("<dt>Energy</dt><dd>0\\.5 kWh sun since \\d\\d:\\d\\d</dd>")
            .matcher(card(garage))
            .find(),
        () -> card(garage));
    assertTrue(
        Pattern.compile("<dt>Sun since \\d\\d:\\d\\d</dt><dd>0\\.5 kWh</dd>")
            .matcher(page())
            .find(),
        this::page);
  }

  /** Without normalised metrics, messages do not update the energy counters. */
  @Test
  void rawMetricsHaveNoEnergies() {
    startAndPush();
    garage.push(Map.of("pd.chgSunPower", 1_000));
    exporter.settle(garage);
    assertFalse(page().contains("Wh "), this::page);
    assertFalse(page().contains("<dt>Energy</dt>"), this::page);
  }

  @Test
  void aChargeOfZeroIsShown() {
    exporter.start();
    exporter.page().eventuallyConnected(1);
    garage.push(Map.of("pd.soc", 0));
    eventually(() -> assertTrue(card(garage).contains(">0 %<"), card(garage)));
  }
}
