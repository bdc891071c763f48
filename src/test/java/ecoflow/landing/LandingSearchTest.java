package ecoflow.landing;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.device.DeviceView;
import ecoflow.testkit.ExporterExtension;
import java.net.URLEncoder;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Search, pages and groups of the landing page, with 242 devices. */
class LandingSearchTest {

  private static final int STATIONS = 240;
  private static final String ALL = "242";
  private static final String EVIL = "\"><script>alert('&')</script>";
  private static final String EVIL_HTML =
      "&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;";

  @RegisterExtension
  static final ExporterExtension EXPORTER =
      ExporterExtension.rest("COLLECTING_INTERVAL=60", "DEVICE_LIST_CACHE_TTL=60")
          .with(devices())
          .startedAtOnce();

  private static SimulatedDevice[] devices() {
    List<SimulatedDevice> all = new ArrayList<>();
    for (int i = 1; i <= STATIONS; i++) {
      // The order of the names is not that of the serial numbers.
      all.add(device("R331ZFIND%07d".formatted(STATIONS - i), station(i), "DELTA 2"));
    }
    all.add(device("HW52ZFIND0000001", "k\u00fchlschrank", "Smart Plug"));
    SimulatedDevice evil = device("R651ZFIND0000001", EVIL, EVIL);
    evil.setOnline(false);
    all.add(evil);
    return all.toArray(SimulatedDevice[]::new);
  }

  private static SimulatedDevice device(String serial, String name, String product) {
    return new SimulatedDevice(serial, name, product, WireFormat.JSON);
  }

  private static String station(int number) {
    return "Station %03d".formatted(number);
  }

  private static List<String> stations(int from, int to) {
    return IntStream.rangeClosed(from, to).mapToObj(LandingSearchTest::station).toList();
  }

  @BeforeEach
  void awaitDevicesWithoutAccounts() {
    groupBy(device -> "");
    eventually(() -> assertTrue(page("").contains(" of " + ALL)));
  }

  private static void groupBy(Function<DeviceView, String> accountOf) {
    EXPORTER
        .camelContext()
        .getRegistry()
        .lookupByNameAndType("landingPage", LandingPage.class)
        .groupBy(accountOf);
  }

  private static String page(String query) {
    HttpResponse<String> response = EXPORTER.http().get("/" + query);
    assertEquals(200, response.statusCode(), query);
    return response.body();
  }

  private static String search(String text) {
    return page("?q=" + encode(text));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static List<String> all(String html, String pattern) {
    return Pattern.compile(pattern)
        .matcher(html)
        .results()
        .map((MatchResult match) -> match.group(1))
        .toList();
  }

  /** The names of the devices on a page, as HTML. */
  private static List<String> names(String html) {
    return all(html, "<article[^>]*>\n<div class=\"top\"><h[23]>(.*?)</h[23]>");
  }

  private static List<String> headings(String html) {
    return all(html, "<h2 class=\"wide\">(.*?)</h2>");
  }

  /** The range of each navigation, and its links. */
  private static List<String> navigations(String html) {
    return all(html, "(?s)<nav [^>]*>(.*?)</nav>").stream()
        .map(content -> content.replaceAll("<a href=\"([^\"]*)\" rel=\"(prev|next)\">", "$2=$1 "))
        .map(content -> content.replaceAll("<[^>]+>", " ").strip().replaceAll(" +", " "))
        .toList();
  }

  // Pages

  @Test
  void aPageHasAtMostOneHundredDevices() {
    List<String> expected = new ArrayList<>(List.of(EVIL_HTML, "k\u00fchlschrank"));
    expected.addAll(stations(1, 98));
    String first = page("");
    assertEquals(expected, names(first));
    assertEquals(Collections.nCopies(2, "1 to 100 of 242 next=?page=2 Next"), navigations(first));

    String second = page("?page=2");
    assertEquals(stations(99, 198), names(second));
    assertEquals(
        Collections.nCopies(2, "prev=?page=1 Previous 101 to 200 of 242 next=?page=3 Next"),
        navigations(second));

    String third = page("?page=3");
    assertEquals(stations(199, 240), names(third));
    assertEquals(
        Collections.nCopies(2, "prev=?page=2 Previous 201 to 242 of 242"), navigations(third));
    for (String html : List.of(first, second, third)) {
      assertTrue(html.contains("Devices online: 241 of 242"), "totals count all devices");
      assertEquals(List.of("Pages", "Pages, bottom"), all(html, "<nav [^>]*aria-label=\"(.*?)\""));
      assertEquals(List.of(), headings(html), "no groups");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1",
    "-1, 1",
    "x, 1",
    "'', 1",
    "1.5, 1",
    "2x, 1",
    "4, 201",
    "99999999999999999999, 201",
    "0000000000000002, 101",
    "%2B2, 1",
    "%202%20, 101",
    "%D9%A2, 1"
  })
  void invalidPagesAreReplacedWithTheNearestOne(String number, int first) {
    assertEquals(
        List.of("" + first),
        all(page("?page=" + number), "aria-label=\"Pages\".*?<span>(\\d+) to"));
  }

  // Search

  @ParameterizedTest
  @CsvSource({
    "sTATION 017, Station 017",
    "zfind0000223, Station 017",
    "smart PLUG, k\u00fchlschrank",
    "K\u00dcHL, k\u00fchlschrank",
    "'  hw52  ', k\u00fchlschrank"
  })
  void findsPartsOfNamesSerialNumbersAndProducts(String text, String name) {
    String html = search(text);
    assertEquals(List.of(name), names(html));
    assertTrue(html.contains("Found: 1 device<"), html);
    assertTrue(html.contains("Devices online: 241 of 242"), "totals count all devices");
    assertEquals(List.of(), navigations(html));
  }

  @Test
  void pagesKeepTheSearch() {
    String html = page("?q=station+%3D&page=2");
    assertEquals(List.of(), names(html));
    html = page("?q=station+&page=2");
    assertEquals(stations(101, 200), names(html), "spaces at the end are ignored");
    assertTrue(html.contains("Found: 240 devices<"), html);
    assertEquals(
        Collections.nCopies(
            2,
            "prev=?q=station&amp;page=1 Previous 101 to 200 of 240"
                + " next=?q=station&amp;page=3 Next"),
        navigations(html));
    assertEquals(List.of("station"), all(html, "name=\"q\" value=\"(.*?)\""));
  }

  @Test
  void aSearchWithoutResultsShowsSo() {
    String html = search("Station 999");
    assertEquals(List.of(), names(html));
    assertTrue(
        html.contains("<p class=\"wide panel\">No device matches \u201cStation 999\u201d.</p>"),
        html);
    assertTrue(html.contains("<a href=\"./\">All devices</a>"), html);
    assertFalse(page("").contains("All devices"));
  }

  @Test
  void theSearchFieldHasALabelAndALimit() {
    String html = page("");
    assertTrue(html.contains("<form role=\"search\" action=\"./\">"), html);
    assertTrue(
        html.contains("<label for=\"q\">Search name, serial number or product</label>"), html);
    assertTrue(
        html.contains("<input type=\"search\" id=\"q\" name=\"q\" value=\"\" maxlength=\"200\">"));
    String shown =
        search("\ud83d\ude00".repeat(300)).split(" name=\"q\" value=\"")[1].split("\"")[0];
    assertEquals("\ud83d\ude00".repeat(200), shown);
  }

  @Test
  void queriesAreEscaped() {
    for (String html :
        List.of(
            search(EVIL + EVIL),
            page("?account=" + encode(EVIL)),
            page("?page=" + encode(EVIL)),
            page("?page=2&q=" + encode(EVIL.substring(2))))) {
      assertFalse(html.contains("<script>alert"), html);
      assertEquals(2, html.split("<script").length, "only the script of the page");
    }
    assertEquals(List.of(EVIL_HTML), names(search(EVIL)));
  }

  @Test
  void linksAreEncoded() {
    String account = "&page=7#\" <a>%";
    groupBy(device -> device.serial().startsWith("R331") ? account : EVIL);
    String html = page("?account=" + encode(account) + "&q=a");
    String encoded = "account=%26page%3D7%23%22+%3Ca%3E%25";
    assertEquals(
        Collections.nCopies(2, "1 to 100 of 240 next=?q=a&amp;" + encoded + "&amp;page=2 Next"),
        navigations(html));
    String link = all(html, "<h2 class=\"wide\"><a href=\"(.*?)\"").get(0);
    assertEquals("?" + encoded, link);
    assertEquals(stations(1, 100), names(page(link)));
    // Control characters are removed, as in names.
    html = page("?q=" + encode("sta\r\nX-Evil: 1\r\n\u202e"));
    assertEquals(List.of("staX-Evil: 1"), all(html, "name=\"q\" value=\"(.*?)\""));
  }

  /** Camel sends headers of a message as headers of the response. */
  @Test
  void parametersDoNotBecomeHeadersOfTheResponse() {
    for (String query :
        List.of(
            "?q=a%0D%0AX-Evil:%201&X-Evil=2&Set-Cookie=a=b&Location=/x",
            "?page=2&account=&CamelHttpResponseCode=500&Content-Security-Policy=none")) {
      for (String method : List.of("GET", "HEAD")) {
        HttpHeaders expected = headers(method, "/");
        HttpHeaders found = headers(method, "/" + query);
        assertEquals(expected.map().keySet(), found.map().keySet(), query);
        assertEquals(
            expected.firstValue("Content-Security-Policy"),
            found.firstValue("Content-Security-Policy"));
      }
    }
  }

  private static HttpHeaders headers(String method, String path) {
    HttpResponse<String> response = EXPORTER.http().send(method, path, BodyHandlers.ofString());
    assertEquals(200, response.statusCode(), path);
    return response.headers();
  }

  @Test
  void theLastOfRepeatedParametersIsUsed() {
    assertEquals(
        List.of("k\u00fchlschrank"), names(page("?q=station&q=plug&q=hw52&page=9&page=1")));
  }

  @Test
  void requestHeadersAreNotParameters() {
    HttpResponse<String> response =
        EXPORTER
            .http()
            .get("/", "q", "plug", "page", "2", "account", "a", "CamelHttpRawQuery", "page=2");
    assertEquals(names(page("")), names(response.body()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"?q", "?q=", "?", "?&&=&q=&account=&page=", "?unknown=1"})
  void emptyParametersHaveNoEffect(String query) {
    assertEquals(names(page("")), names(page(query)));
    assertFalse(page(query).contains("All devices"));
  }

  // Accounts

  private static String account(DeviceView device) {
    String serial = device.serial();
    if (serial.startsWith("HW52")) {
      return "";
    }
    return serial.startsWith("R651") ? "Berlin" : "berlin-" + serial.charAt(serial.length() - 1);
  }

  @Test
  void devicesAreGroupedByAccount() {
    groupBy(LandingSearchTest::account);
    String html = page("");
    List<String> expected = new ArrayList<>();
    expected.add("<a href=\"?account=Berlin\">Berlin</a> <span class=\"dim\">1 device</span>");
    for (int i = 0; i < 5; i++) {
      expected.add(
          "<a href=\"?account=berlin-%d\">berlin-%d</a> <span class=\"dim\">24 devices</span>"
              .formatted(i, i));
    }
    assertEquals(expected, headings(html));
    List<String> names = names(html);
    // Devices without an account are first.
    assertEquals(List.of("k\u00fchlschrank", EVIL_HTML, "Station 010"), names.subList(0, 3));
    assertTrue(html.contains("<h2>k\u00fchlschrank</h2>") && html.contains("<h3>Station 010</h3>"));
    assertEquals(100, names.size());
    assertTrue(html.contains("Search name, serial number, product or account<"), html);

    // berlin-4 continues on the second page.
    html = page("?page=2");
    assertEquals(5, headings(html).size());
    assertTrue(headings(html).get(0).contains(">berlin-4</a> <span class=\"dim\">24 devices<"));
  }

  @Test
  void oneAccountCanBeSelected() {
    groupBy(LandingSearchTest::account);
    String html = page("?account=berlin-3");
    assertEquals(1, headings(html).size());
    assertEquals(24, names(html).size());
    assertTrue(html.contains("Found: 24 devices<"), html);
    assertTrue(html.contains("Devices online: 241 of 242"), "totals count all devices");
    assertTrue(html.contains("<input type=\"hidden\" name=\"account\" value=\"berlin-3\">"), html);

    html = page("?account=berlin-3&q=tion+00");
    assertEquals(List.of("Station 007"), names(html));
    assertEquals(
        List.of(
            "<a href=\"?account=berlin-3\">berlin-3</a> <span class=\"dim\">1 of 24 devices</span>"),
        headings(html));
    assertEquals(24, names(search("BERLIN-3")).size(), "the search includes accounts");

    assertTrue(page("?account=Berlin-3").contains("No devices in account \u201cBerlin-3\u201d."));
    assertTrue(
        page("?account=berlin-3&q=plug")
            .contains("No device in account \u201cberlin-3\u201d matches \u201cplug\u201d."));
  }

  @Test
  void aSingleAccountHasNoGroup() {
    String before = page("?q=station&page=2");
    groupBy(device -> "residence");
    assertEquals(names(before), names(page("?q=station&page=2")));
    assertEquals(List.of(), headings(page("")));
    assertFalse(page("").contains("residence"));
  }
}
