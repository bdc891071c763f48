package ecoflow.hostile;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import ecoflow.cloud.WireFormat;
import ecoflow.testkit.ExporterExtension;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.camel.spi.InflightRepository;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Clients that misbehave: all other clients still receive the pages. */
class HostileClientsTest {

  private static final String BODY_ROUTE =
      """
      - route:
          id: hook
          from:
            uri: platform-http
            parameters:
              path: /hook/{name}
              httpMethodRestrict: POST
            steps:
              - setBody:
                  expression:
                    simple:
                      expression: "got ${body}"
      """;

  private static final List<String> PATHS =
      List.of("/metrics", "/-/healthy", "/-/ready", "/", "/docs", "/nowhere");

  @RegisterExtension
  final ExporterExtension exporter =
      ExporterExtension.rest()
          .with(
              new SimulatedDevice("R331HTTP00000001", "Garage", "DELTA 2", WireFormat.JSON)
                  .set(Map.of("pd.soc", 81)));

  @TempDir Path directory;

  @BeforeEach
  void start() throws IOException {
    Files.writeString(directory.resolve("hook.camel.yaml"), BODY_ROUTE);
    exporter.start("ECOFLOW_ROUTES_DIR=" + directory);
  }

  /** A response on a separate connection. */
  private record Answer(int status, Map<String, String> headers, String body) {}

  private Socket open() throws IOException {
    Socket socket = new Socket("localhost", exporter.http().port());
    // Much longer than any response takes: when it expires, the test has failed.
    socket.setSoTimeout(60_000);
    return socket;
  }

  private static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static Answer read(BufferedReader in) throws IOException {
    String[] status = in.readLine().split(" ");
    Map<String, String> headers = new LinkedHashMap<>();
    for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
      headers.put(
          line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT),
          line.substring(line.indexOf(':') + 1).strip());
    }
    StringBuilder body = new StringBuilder();
    if (headers.containsKey("transfer-encoding")) {
      for (int size = chunk(in); size > 0; size = chunk(in)) {
        body.append(read(in, size));
        in.readLine();
      }
      in.readLine();
    } else {
      body.append(read(in, Integer.parseInt(headers.getOrDefault("content-length", "0"))));
    }
    return new Answer(Integer.parseInt(status[1]), headers, body.toString());
  }

  private static int chunk(BufferedReader in) throws IOException {
    return Integer.parseInt(in.readLine(), 16);
  }

  private static String read(BufferedReader in, int length) throws IOException {
    char[] text = new char[length];
    for (int at = 0; at < length; ) {
      at += in.read(text, at, length - at);
    }
    return new String(text);
  }

  private static BufferedReader reader(Socket socket) throws IOException {
    return new BufferedReader(
        new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
  }

  private Answer ask(String request) throws IOException {
    try (Socket socket = open()) {
      write(socket, request);
      return read(reader(socket));
    }
  }

  /** The response to a request after which the exporter closes the connection. */
  private Answer last(String request) throws IOException {
    try (Socket socket = open()) {
      write(socket, request);
      BufferedReader in = reader(socket);
      Answer answer = read(in);
      assertEquals(-1, in.read(), "the connection is closed");
      return answer;
    }
  }

  private static String get(String path, String... headers) {
    return "GET "
        + path
        + " HTTP/1.1\r\nHost: localhost\r\n"
        + String.join("", List.of(headers).stream().map(header -> header + "\r\n").toList())
        + "\r\n";
  }

  private double refused(String reason) {
    return exporter.page().own("web_requests_refused_total", "reason=" + reason);
  }

  @Test
  void pathsOfTheExporterRejectBodies() throws IOException {
    for (String path : PATHS) {
      noBodyAt(path);
    }
    assertEquals(4 * PATHS.size(), refused("body"));
    assertEquals(200, ask(get("/metrics", "Content-Length: 0")).status());
  }

  private void noBodyAt(String path) throws IOException {
    for (String body :
        new String[] {
          "Content-Length: 10000000",
          "Transfer-Encoding: chunked",
          "Content-Length: 1\r\nExpect: 100-continue"
        }) {
      // The body is never sent.
      assertEquals(413, last(get(path, body)).status(), body);
    }
    assertEquals(413, last(get(path, "Content-Length: 4") + "body").status());
  }

  @Test
  void unreadBodiesDoNotFillTheMemory() throws IOException {
    List<Socket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < 20; i++) {
        Socket socket = open();
        sockets.add(socket);
        write(socket, get("/metrics", "Content-Length: 10000000") + "x".repeat(100_000));
      }
      for (Socket socket : sockets) {
        assertEquals(413, read(reader(socket)).status());
      }
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
    assertEquals(200, exporter.http().get("/metrics").statusCode());
  }

  private static String post(String headers, String body) {
    return "POST /hook/one HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n\r\n" + body;
  }

  @Test
  void aUsersRouteAcceptsBodiesForItsMethods() throws IOException {
    assertEquals("got hello", ask(post("Content-Length: 5", "hello")).body());
    assertEquals(
        "got hello", ask(post("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")).body());
    assertEquals(413, last(post("Content-Length: 1048577", "")).status());
    String tooMuch = "100001\r\n" + "x".repeat(0x100001) + "\r\n0\r\n\r\n";
    assertEquals(413, ask(post("Transfer-Encoding: chunked", tooMuch)).status());
    // Uploads are rejected.
    String form =
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nx\r\n--b--\r\n";
    String length = "\r\nContent-Length: " + form.length();
    assertEquals(
        413, last(post("Content-Type: multipart/form-data; boundary=b" + length, form)).status());
  }

  @Test
  void theTotalSizeOfBodiesIsLimited() throws IOException {
    List<Socket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < 13; i++) {
        Socket socket = open();
        sockets.add(socket);
        write(socket, post("Content-Length: 1000000\r\nExpect: 100-continue", ""));
        assertEquals("HTTP/1.1 100 Continue", reader(socket).readLine());
      }
      Answer answer = last(post("Content-Length: 1000000\r\nExpect: 100-continue", ""));
      assertEquals(503, answer.status());
      assertEquals("5", answer.headers().get("retry-after"));
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
    eventually(
        () -> {
          try {
            assertEquals("got hello", ask(post("Content-Length: 5", "hello")).body());
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
    assertEquals(1, refused("answers"));
  }

  @Test
  void aMalformedRequestIsRejectedAndItsConnectionClosed() throws IOException {
    List<String> requests =
        List.of(
            "GET /% HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /metrics?% HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /a|b HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET metrics HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /metrics HTTP/1.1\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost:\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: a|b\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
            "GET /metrics HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
            "no HTTP at all\r\n\r\n");
    for (String request : requests) {
      Answer answer = last(request);
      assertEquals(400, answer.status(), request);
      assertEquals("nosniff", answer.headers().get("x-content-type-options"), request);
    }
    assertEquals(requests.size(), refused("malformed"));
  }

  @Test
  void anInvalidHeaderIsIgnored() throws IOException {
    List<String> headers =
        List.of(
            "Accept: ;",
            "Accept: ,;,",
            "Accept: /",
            "Accept: ;q=",
            "Accept: text/plain;q=x",
            "Accept-Encoding: ;",
            "Accept-Encoding: gzip;q=x;;",
            "Accept-Language: ;",
            "Accept-Charset: ;",
            "Content-Type: ;",
            "Content-Type: text/plain; charset=nonsense",
            "Cookie: ;=",
            "Authorization: Basic",
            "X-Forwarded-Host: a b",
            "Upgrade: websocket\r\nConnection: Upgrade",
            "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__");
    for (String header : headers) {
      for (String path : new String[] {"/metrics", "/-/healthy", "/"}) {
        assertEquals(200, ask(get(path, header)).status(), path + " " + header);
      }
    }
  }

  @Test
  void theResponseToAnUnsupportedMethodListsTheSupportedOnes() {
    assertEquals("GET, HEAD", allowed("POST", "/metrics"));
    assertEquals("GET, HEAD", allowed("OPTIONS", "/-/healthy"));
    assertEquals("GET, HEAD", allowed("DELETE", "/"));
    assertEquals("POST", allowed("GET", "/hook/one"));
    assertEquals("POST", allowed("HEAD", "/hook/one"));
  }

  private String allowed(String method, String path) {
    HttpResponse<String> answer =
        exporter.http().send(method, path, HttpResponse.BodyHandlers.ofString());
    assertEquals(405, answer.statusCode());
    return answer.headers().firstValue("Allow").orElse("");
  }

  @Test
  void browsersDoNotGuessTheContentType() {
    for (String path : PATHS) {
      assertEquals(
          List.of("nosniff"),
          exporter.http().get(path).headers().allValues("X-Content-Type-Options"),
          path);
    }
  }

  @Test
  void pipelinedRequestsAreAnsweredInOrder() throws IOException {
    try (Socket socket = open()) {
      StringBuilder requests = new StringBuilder();
      for (int i = 0; i < 200; i++) {
        requests.append(get(i % 2 == 0 ? "/-/healthy" : "/nowhere"));
      }
      write(socket, requests.toString());
      BufferedReader in = reader(socket);
      for (int i = 0; i < 200; i++) {
        assertEquals(i % 2 == 0 ? 200 : 404, read(in).status(), "answer " + i);
      }
    }
  }

  @Test
  void aLoopbackServerRequiresALoopbackHost() throws IOException {
    String evil = "GET /metrics HTTP/1.1\r\nHost: evil.example:9090\r\n\r\n";
    assertEquals(200, ask(evil).status());
    exporter.start("ECOFLOW_LISTEN_ADDRESS=127.0.0.1");
    assertEquals(403, last(evil).status());
    for (String host : new String[] {"localhost", "LOCALHOST:1", "127.0.0.1:9090", "[::1]:9"}) {
      assertEquals(200, ask(get("/metrics").replace("localhost", host)).status(), host);
    }
    assertEquals(
        403, last(get("/metrics").replace("localhost", "127.0.0.1.evil.example")).status());
    assertEquals(2, refused("host"));
  }

  /**
   * The page is larger than the buffers of a connection, so that its clients block the transfer.
   */
  @Test
  void anAbortedPageDoesNotLeaveAnExchangeInFlight() throws IOException {
    Map<String, Object> values = new LinkedHashMap<>();
    for (int i = 0; i < 9_000; i++) {
      values.put("test.value" + i, i);
    }
    SimulatedDevice large = exporter.addDevice(values);
    exporter.start("ECOFLOW_MAX_SERIES_PER_DEVICE=10000");
    exporter.page().eventuallyShows(large, "test_value8999", 8_999);
    InflightRepository inflight = exporter.camelContext().getInflightRepository();
    List<Socket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < 4; i++) {
        Socket socket = new Socket();
        sockets.add(socket);
        socket.setReceiveBufferSize(4096);
        socket.connect(new InetSocketAddress("localhost", exporter.http().port()));
        write(socket, get("/metrics"));
        assertEquals('H', socket.getInputStream().read());
      }
      // The workers still transfer other pages completely.
      exporter.page().eventuallyShows(large, "test_value0", 0);
      exporter.page().eventuallyShows(large, "test_value1", 1);
      eventually(() -> assertTrue(inflight.size() >= 4));
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
    eventually(() -> assertEquals(0, inflight.size()));
  }
}
