package ecoflow.landing;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import ecoflow.testkit.Axe;
import ecoflow.testkit.Browser;
import ecoflow.testkit.ExporterExtension;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pages /docs and the page for unknown paths. */
class DocumentsTest {

  private static final String BROWSER =
      "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

  private static final String PREFIX = "/api/hassio_ingress/token";
  private static final String FRAME = "document.querySelector('iframe').contentDocument";

  @RegisterExtension
  static final ExporterExtension EXPORTER = ExporterExtension.rest().with().startedAtOnce();

  @TempDir Path directory;

  private static String page(String path) {
    HttpResponse<String> response = EXPORTER.http().get(path);
    assertEquals(200, response.statusCode(), path);
    return response.body();
  }

  private static List<String> all(String html, String pattern) {
    return Pattern.compile(pattern).matcher(html).results().map(MatchResult::group).toList();
  }

  private static List<String> values(String html, String attribute) {
    return all(html, " " + attribute + "=\"[^\"]*\"").stream()
        .map(found -> found.replaceAll("^ \\w+=\"|\"$", "").replace("&amp;", "&"))
        .toList();
  }

  /** The links also lead to the exporter if a proxy adds a prefix to all paths. */
  private static String target(String path, String link) {
    String target = URI.create(PREFIX + path).resolve(link).toString();
    assertTrue(target.startsWith(PREFIX + "/"), () -> link + " on " + path);
    return target.substring(PREFIX.length());
  }

  @Test
  void everyLinkAndAnchorOfTheDocumentsExists() throws Exception {
    Map<String, String> pages = new TreeMap<>();
    Set<String> links = new TreeSet<>();
    Deque<String> left = new ArrayDeque<>(List.of("/"));
    while (!left.isEmpty()) {
      String path = left.remove();
      if (pages.containsKey(path)) {
        continue;
      }
      String html = page(path);
      pages.put(path, html);
      for (String link : values(html, "href")) {
        if (link.startsWith("http://") || link.startsWith("https://") || link.startsWith("data:")) {
          continue;
        }
        String target = target(path, link);
        links.add(target);
        if (target.startsWith("/docs") || target.equals("/")) {
          left.add(target.replaceFirst("#.*", ""));
        } else if (!target.equals("/-/ready")) {
          page(target);
        }
      }
    }
    List<String> broken = new ArrayList<>();
    for (String link : links) {
      String[] parts = link.split("#", 2);
      if (parts.length == 2 && !values(pages.get(parts[0]), "id").contains(parts[1])) {
        broken.add(link);
      }
    }
    assertEquals(List.of(), broken);
    try (Stream<Path> files = Files.list(Path.of("docs"))) {
      long documents = files.filter(file -> file.toString().endsWith(".md")).count();
      // In addition: the landing page, README, CHANGELOG and SECURITY.
      assertEquals(documents + 4, pages.size(), pages.keySet()::toString);
    }
    assertTrue(links.contains("/docs/METRICS#rules"), links::toString);
  }

  @Test
  void documentsAreHtmlWithTheirContent() throws Exception {
    HttpResponse<String> response = EXPORTER.http().get("/docs/CONFIGURATION");
    String html = response.body();
    assertTrue(html.contains("<h1 id=\"configuration\">Configuration</h1>"), html);
    assertTrue(html.contains("<a href=\"../docs/CONFIGURATION\" aria-current=\"page\">"), html);
    assertTrue(html.contains("<table tabindex=\"0\">"), html);
    for (String text : List.of("ECOFLOW_ACCESS_KEY", "COLLECTING_INTERVAL")) {
      assertTrue(html.contains("<code>" + text + "</code>"), text);
    }
    assertFalse(html.contains("<img") || html.contains("<script"), "nothing to load");
    assertEquals(
        "text/html; charset=utf-8", response.headers().firstValue("Content-Type").orElse(""));
    assertEquals("nosniff", response.headers().firstValue("X-Content-Type-Options").orElse(""));
    assertStyleAllowed(response);
    assertStyleAllowed(EXPORTER.http().get("/docs"));
  }

  /** The policy contains the hash of the page's style. */
  private static void assertStyleAllowed(HttpResponse<String> response) throws Exception {
    String policy = response.headers().firstValue("Content-Security-Policy").orElse("");
    Matcher style = Pattern.compile("(?s)<style>(.*?)</style>").matcher(response.body());
    assertTrue(style.find());
    byte[] hash =
        MessageDigest.getInstance("SHA-256")
            .digest(style.group(1).getBytes(StandardCharsets.UTF_8));
    String expected = "style-src 'sha256-" + Base64.getEncoder().encodeToString(hash) + "';";
    assertTrue(policy.startsWith("default-src 'none'; " + expected), expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/docs/NOTHING",
        "/docs/README",
        "/docs/index",
        "/docs/readme",
        "/docs/README.html",
        "/docs/..%2F404",
        "/docs/A%0D%0AX-Evil:1"
      })
  void otherDocumentsAreNotFound(String path) {
    HttpResponse<String> response = EXPORTER.http().get(path);
    assertEquals(404, response.statusCode());
    assertEquals("No such document. /docs lists all documents.", response.body());
    assertEquals(
        "text/plain; charset=utf-8", response.headers().firstValue("Content-Type").orElse(""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/nowhere", "/nowhere/", "/docs/a/b"})
  void browsersGetAPageForUnknownPaths(String path) throws Exception {
    HttpResponse<String> response = EXPORTER.http().get(path, "Accept", BROWSER);
    assertEquals(404, response.statusCode());
    assertEquals(
        "text/html; charset=utf-8", response.headers().firstValue("Content-Type").orElse(""));
    assertEquals("nosniff", response.headers().firstValue("X-Content-Type-Options").orElse(""));
    assertStyleAllowed(response);
    assertTrue(response.body().contains("<h1>Page not found</h1>"), response.body());
    List<String> links =
        values(response.body(), "href").stream()
            .filter(link -> !link.startsWith("data:"))
            .map(link -> target(path, link))
            .toList();
    assertEquals(List.of("/", "/metrics", "/docs"), links);
    links.forEach(DocumentsTest::page);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "*/*", "text/plain", "application/json"})
  void otherClientsGetOneLineForUnknownPaths(String accept) {
    HttpResponse<String> response =
        accept.isEmpty()
            ? EXPORTER.http().get("/nowhere")
            : EXPORTER.http().get("/nowhere", "Accept", accept);
    assertEquals(404, response.statusCode());
    assertEquals("Not found. The metrics are at /metrics.\n", response.body());
    assertEquals(
        "text/plain; charset=utf-8", response.headers().firstValue("Content-Type").orElse(""));
  }

  /** Like Ingress of Home Assistant. */
  @Test
  void pagesWorkInAFrameBehindAProxyThatAddsAPrefix() throws Exception {
    assumeTrue(Browser.isInstalled(), "chromium is not installed");
    HttpServer proxy = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    proxy.createContext("/", DocumentsTest::forward);
    proxy.start();
    try (Browser browser = Browser.start(directory)) {
      browser.open("http://127.0.0.1:" + proxy.getAddress().getPort() + "/");
      awaitTitle(browser, "Not ready|No devices yet");
      click(browser, "Manual");
      awaitTitle(browser, "ecoflow-exporter");
      click(browser, "Configuration");
      awaitTitle(browser, "Configuration");
      click(browser, "Landing page");
      awaitTitle(browser, "Not ready|No devices yet");
      assertEquals(List.of(), browser.problems());
    } finally {
      proxy.stop(0);
    }
  }

  private static void forward(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().toString();
    String body = "<iframe src=\"" + PREFIX + "/\"></iframe>";
    if (path.startsWith(PREFIX)) {
      HttpResponse<String> page = EXPORTER.http().get(path.substring(PREFIX.length()));
      body = page.body();
      for (String name : List.of("Content-Type", "Content-Security-Policy", "Referrer-Policy")) {
        exchange.getResponseHeaders().put(name, page.headers().allValues(name));
      }
    }
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static void click(Browser browser, String link) {
    browser.evaluate(
        "[...%s.links].find(link => link.textContent === '%s').click()".formatted(FRAME, link));
  }

  private static void awaitTitle(Browser browser, String pattern) {
    eventually(
        () -> {
          String title = browser.evaluate(FRAME + ".title").asText();
          assertTrue(title.matches("(" + pattern + ") - EcoFlow exporter"), title);
        });
  }

  @Test
  void pagesAreAccessibleAndFitThePhone() throws Exception {
    assumeTrue(Browser.isInstalled(), "chromium is not installed");
    Axe axe = Axe.get();
    Path pictures = Files.createDirectories(Path.of("target/landing-page"));
    try (Browser browser = Browser.start(directory)) {
      for (int width : new int[] {390, 1440}) {
        for (boolean dark : new boolean[] {false, true}) {
          browser.show(width, 900, dark);
          for (String path : List.of("/docs", "/docs/CONFIGURATION", "/nowhere")) {
            browser.open("http://localhost:" + EXPORTER.http().port() + path);
            String name =
                path.replaceFirst(".*/", "").toLowerCase() + "-" + width + (dark ? "-dark" : "");
            Files.write(pictures.resolve(name + ".png"), browser.screenshot(width, 1_500));
            assertTrue(
                browser
                    .evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                    .asBoolean(),
                name);
            assertEquals(List.of(), axe.violations(browser), name);
          }
        }
      }
    }
  }
}
