package ecoflow.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A headless Chromium, controlled through the DevTools protocol. */
public final class Browser implements AutoCloseable {

  private static final Pattern ADDRESS = Pattern.compile("DevTools listening on (ws://\\S+)");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long TIMEOUT_SECONDS = 60;

  private final ChildProcess process;
  private final WebSocket socket;
  private final AtomicInteger ids = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
  private final List<JsonNode> events = new CopyOnWriteArrayList<>();
  private final String session;

  /** Whether Chromium is installed on this machine. */
  public static boolean isInstalled() {
    return Programs.find("chromium").isPresent();
  }

  /**
   * @param directory location of its profile
   */
  public static Browser start(Path directory) {
    return new Browser(directory);
  }

  private Browser(Path directory) {
    process =
        ChildProcess.start(
            directory,
            directory.resolve("chromium.log"),
            Map.of(),
            List.of(
                Programs.get("chromium"),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--no-first-run",
                "--user-data-dir=" + directory.resolve("profile"),
                "--remote-debugging-port=0",
                "about:blank"));
    process.awaitLine("DevTools listening on ");
    Matcher address = ADDRESS.matcher(String.join("\n", process.lines()));
    if (!address.find()) {
      throw new IllegalStateException("no address in the output: " + process.lines());
    }
    socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(URI.create(address.group(1)), new Listener())
            .join();
    String target =
        call(null, "Target.createTarget", Map.of("url", "about:blank")).path("targetId").asText();
    session =
        call(null, "Target.attachToTarget", Map.of("targetId", target, "flatten", true))
            .path("sessionId")
            .asText();
    call("Page.enable", Map.of());
    call("Log.enable", Map.of());
    call("Runtime.enable", Map.of());
  }

  /** Sets the size of the window in CSS pixels, and the preference for dark colours. */
  public void show(int width, int height, boolean dark) {
    call(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
    call(
        "Emulation.setEmulatedMedia",
        Map.of(
            "features",
            List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
  }

  /** Disables the scripts of pages from now on. */
  public void withoutScripts() {
    call("Emulation.setScriptExecutionDisabled", Map.of("value", true));
  }

  /** Opens a page and waits until it is loaded. */
  public void open(String url) {
    events.clear();
    call("Page.navigate", Map.of("url", url));
    Eventually.eventually(
        () -> {
          if (loadEvents().isEmpty()) {
            throw new AssertionError("not loaded: " + url);
          }
        });
  }

  private List<JsonNode> loadEvents() {
    return events.stream()
        .filter(event -> event.path("method").asText().equals("Page.loadEventFired"))
        .toList();
  }

  /** The errors and warnings of the browser since the page was opened, such as blocked content. */
  public List<String> problems() {
    List<String> problems = new ArrayList<>();
    for (JsonNode event : events) {
      String method = event.path("method").asText();
      if (method.equals("Log.entryAdded") || method.equals("Runtime.exceptionThrown")) {
        problems.add(event.path("params").toString());
      }
    }
    return problems;
  }

  /** Evaluates an expression in the page, and waits for its result if it is a promise. */
  public JsonNode evaluate(String expression) {
    JsonNode answer =
        call(
            "Runtime.evaluate",
            Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
    return answer.path("result").path("value");
  }

  /** Enters text into the element that has the keyboard focus. */
  public void type(String text) {
    call("Input.insertText", Map.of("text", text));
  }

  /** Presses the Tab key, which moves the keyboard focus. */
  public void pressTab() {
    press("Tab", 9, "");
  }

  /** Presses the Enter key, which activates the element that has the keyboard focus. */
  public void pressEnter() {
    press("Enter", 13, "\r");
  }

  private void press(String key, int code, String text) {
    for (String type : List.of("keyDown", "keyUp")) {
      call(
          "Input.dispatchKeyEvent",
          Map.of(
              "type",
              type,
              "key",
              key,
              "code",
              key,
              "windowsVirtualKeyCode",
              code,
              "text",
              type.equals("keyDown") ? text : ""));
    }
  }

  /** A screenshot of the whole page as PNG, at most this many CSS pixels high. */
  public byte[] screenshot(int width, int maxHeight) {
    int height = evaluate("document.documentElement.scrollHeight").asInt();
    Map<String, Integer> clip =
        Map.of("x", 0, "y", 0, "width", width, "height", Math.min(height, maxHeight), "scale", 1);
    String data =
        call(
                "Page.captureScreenshot",
                Map.of("format", "png", "captureBeyondViewport", true, "clip", clip))
            .path("data")
            .asText();
    return Base64.getDecoder().decode(data);
  }

  /** A screenshot of the window as PNG. */
  public byte[] screenshot() {
    String data = call("Page.captureScreenshot", Map.of("format", "png")).path("data").asText();
    return Base64.getDecoder().decode(data);
  }

  private JsonNode call(String method, Map<String, ?> parameters) {
    return call(session, method, parameters);
  }

  private JsonNode call(String target, String method, Map<String, ?> parameters) {
    int id = ids.incrementAndGet();
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    answers.put(id, answer);
    Map<String, Object> message = new HashMap<>();
    message.put("id", id);
    message.put("method", method);
    message.put("params", parameters);
    if (target != null) {
      message.put("sessionId", target);
    }
    try {
      socket.sendText(JSON.writeValueAsString(message), true).join();
      JsonNode content = answer.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      if (content.has("error")) {
        throw new IllegalStateException(method + ": " + content);
      }
      return content.path("result");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } catch (Exception e) {
      throw new IllegalStateException(method + ": " + process.lines(), e);
    }
  }

  private final class Listener implements WebSocket.Listener {

    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        try {
          JsonNode message = JSON.readTree(text.toString());
          text.setLength(0);
          if (message.has("id")) {
            answers.remove(message.path("id").asInt()).complete(message);
          } else {
            events.add(message);
          }
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      from.request(1);
      return null;
    }
  }

  @Override
  public void close() {
    socket.abort();
    process.close();
  }
}
