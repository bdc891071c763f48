package ecoflow.web;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.impl.VertxBuilder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The limits for clients, with values that are small enough for a test. */
class ConnectionsTest {

  private static final Duration SHORT = Duration.ofMillis(200);
  private static final Duration LONG = Duration.ofHours(1);
  private static final String GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  private static final String HEALTHY = GET.replace("/ HTTP", "/-/healthy HTTP");

  private final List<String> refused = new CopyOnWriteArrayList<>();
  private final List<Socket> sockets = new ArrayList<>();
  private Vertx vertx;
  private Protection protection;
  private int port;
  private LongSupplier clock = System::nanoTime;

  /**
   * The time of the clock, which only the test advances, and the number of times that it was read.
   */
  private final AtomicLong passed = new AtomicLong();

  private final AtomicInteger reads = new AtomicInteger();

  private long passedNanos() {
    reads.incrementAndGet();
    return passed.get();
  }

  private void serve(Limits limits, Handler<HttpServerRequest> pages) {
    protection = new Protection(Optional.empty(), limits, clock);
    vertx =
        new VertxBuilder(new VertxOptions().setEventLoopPoolSize(1).setUseDaemonThread(true))
            .findTransport(protection.transport(refused::add))
            .init()
            .vertx();
    HttpServer server =
        protection.guard(vertx, path -> Optional.empty(), refused::add).createHttpServer();
    CompletableFuture<Integer> listens = new CompletableFuture<>();
    server
        .requestHandler(pages)
        .listen(0, "localhost", result -> listens.complete(result.result().actualPort()));
    port = listens.join();
  }

  private static void answer(HttpServerRequest request) {
    request.response().end("page");
  }

  @AfterEach
  void close() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    vertx.close().toCompletionStage().toCompletableFuture().join();
    protection.close();
  }

  private Socket open(String text) {
    try {
      Socket socket = new Socket();
      sockets.add(socket);
      // The buffer is too small for a response.
      socket.setReceiveBufferSize(4096);
      socket.connect(new java.net.InetSocketAddress("localhost", port));
      socket.setSoTimeout(60_000);
      write(socket, text);
      return socket;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** The status line of a response with the body "page". */
  private static String page(Socket socket) throws IOException {
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    while (!read.toString(StandardCharsets.US_ASCII).endsWith("\r\n\r\npage")) {
      int next = socket.getInputStream().read();
      if (next < 0) {
        return "closed after " + read;
      }
      read.write(next);
    }
    return read.toString(StandardCharsets.US_ASCII).substring(9, 12);
  }

  private String page(String request) throws IOException {
    return page(open(request));
  }

  /** Reads until the exporter closes the connection. */
  private static String readToEnd(Socket socket) throws IOException {
    try {
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    } catch (java.net.SocketException e) {
      return "reset";
    }
  }

  private static Limits limits(Duration header, Duration idle, Duration reader) {
    return new Limits(100, header, idle, reader, 10, 10 << 20, 1 << 20, 4 << 20);
  }

  @Test
  void incompleteHeadersTimeOut() throws IOException {
    serve(limits(SHORT, LONG, LONG), ConnectionsTest::answer);
    Socket kept = open(GET);
    assertEquals("200", page(kept));
    assertEquals("", readToEnd(open("")));
    assertEquals("", readToEnd(open("GET / HTTP/1.1\r\nHost: ")));
    Socket later = open(GET);
    assertEquals("200", page(later));
    write(later, "GET ");
    assertEquals("", readToEnd(later));
    // A different limit applies between two requests.
    write(kept, GET);
    assertEquals("200", page(kept));
  }

  @Test
  void idleConnectionIsClosed() throws IOException {
    serve(limits(SHORT, SHORT, LONG), ConnectionsTest::answer);
    Socket idle = open(GET);
    assertEquals("200", page(idle));
    assertEquals("", readToEnd(idle));
    assertEquals(List.of(), refused);
  }

  @Test
  void longestIdleConnectionIsClosedForNewConnection() throws IOException {
    serve(
        new Limits(3, LONG, LONG, LONG, 10, 10 << 20, 0, 64 << 10),
        request -> {
          if (request.getHeader("X-Wait") == null) {
            answer(request);
          }
        });
    open(GET.replace("\r\n\r\n", "\r\nX-Wait: 1\r\n\r\n"));
    Socket first = open(GET);
    assertEquals("200", page(first));
    Socket second = open(GET);
    assertEquals("200", page(second));
    Socket third = open(GET);
    assertEquals("200", page(third));
    assertEquals("", readToEnd(first));
    write(second, GET);
    assertEquals("200", page(second));
    assertEquals("200", page(GET));
    assertEquals("", readToEnd(third), "it has now been idle longest");
    assertEquals(List.of("connections", "connections"), refused);
  }

  @Test
  void activeConnectionIsNotClosedForNewConnection() throws IOException {
    List<HttpServerRequest> waiting = new CopyOnWriteArrayList<>();
    serve(new Limits(2, LONG, LONG, LONG, 10, 10 << 20, 0, 64 << 10), waiting::add);
    Socket busy = open(GET);
    open(GET);
    eventually(() -> assertEquals(2, waiting.size()));
    assertTrue(List.of("", "reset").contains(readToEnd(open(""))));
    waiting.forEach(request -> vertx.runOnContext(go -> answer(request)));
    assertEquals("200", page(busy));
  }

  /** A body that is much larger than the buffers of a connection. */
  private static Buffer large() {
    return Buffer.buffer(new byte[16 << 20]);
  }

  @Test
  void unreadResponseIsAborted() throws IOException {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    serve(
        limits(LONG, LONG, Duration.ofSeconds(1)),
        request -> {
          request.connection().closeHandler(closed -> ended.complete(closed));
          request.response().end(large());
        });
    open(GET);
    ended.join();
    assertEquals(List.of("reader"), refused);
  }

  @Test
  void slowlyReadResponseIsNotAborted() throws IOException {
    AtomicInteger answered = new AtomicInteger();
    Duration reader = Duration.ofSeconds(2);
    clock = this::passedNanos;
    serve(
        new Limits(100, LONG, LONG, reader, 10, 100 << 20, 0, 0),
        request -> {
          answered.incrementAndGet();
          request.response().end(large());
        });
    Socket slow = open(GET);
    open(GET);
    eventually(() -> assertEquals(2, answered.get()));
    int read = 0;
    while (refused.isEmpty()) {
      read += slow.getInputStream().readNBytes(1 << 19).length;
      passed.addAndGet(reader.toNanos() / 2);
      // Wait until both connections were checked again.
      int reads = this.reads.get();
      eventually(() -> assertTrue(this.reads.get() > reads + 10));
    }
    assertEquals(List.of("reader"), refused);
    passed.addAndGet(-reader.toNanos() / 2);
    int rest = large().length() - read;
    assertEquals(rest, slow.getInputStream().readNBytes(rest).length);
  }

  @Test
  void concurrentResponsesAreLimitedExceptForHealthPages() throws IOException {
    List<HttpServerRequest> waiting = new CopyOnWriteArrayList<>();
    serve(
        new Limits(100, LONG, LONG, LONG, 2, 10 << 20, 0, 64 << 10),
        request -> {
          if (request.path().equals("/")) {
            waiting.add(request);
          } else {
            answer(request);
          }
        });
    Socket first = open(GET);
    open(GET);
    eventually(() -> assertEquals(2, waiting.size()));
    Socket third = open(GET.replace("Host", "Connection: close\r\nHost"));
    String refusal = readToEnd(third);
    assertTrue(refusal.startsWith("HTTP/1.1 503 "), refusal);
    assertTrue(refusal.toLowerCase(java.util.Locale.ROOT).contains("\r\nretry-after: 5\r\n"));
    assertEquals(List.of("answers"), refused);
    assertEquals("200", page(HEALTHY));
    // Capacity becomes available when a client disconnects or has received its response.
    first.close();
    eventually(
        () -> {
          open(GET);
          assertEquals(3, waiting.size());
        });
    vertx.runOnContext(go -> answer(waiting.get(1)));
    eventually(
        () -> {
          open(GET);
          assertEquals(4, waiting.size());
        });
  }

  @Test
  void memoryOfConcurrentResponsesIsLimited() throws IOException {
    AtomicInteger answered = new AtomicInteger();
    serve(
        new Limits(100, LONG, LONG, LONG, 100, 24 << 20, 0, 0),
        request -> {
          answered.incrementAndGet();
          request.response().end(large());
        });
    open(GET);
    eventually(() -> assertEquals(1, answered.get()));
    open(GET);
    eventually(() -> assertEquals(2, answered.get()));
    String refusal = readToEnd(open(GET.replace("Host", "Connection: close\r\nHost")));
    assertTrue(refusal.startsWith("HTTP/1.1 503 "), refusal);
    // After the idle clients have disconnected, others are served again.
    sockets.get(0).close();
    sockets.get(1).close();
    eventually(
        () -> {
          open(GET);
          assertTrue(answered.get() > 2);
        });
  }

  @Test
  void requestsWithoutResponseAreLimited() throws IOException {
    AtomicInteger asked = new AtomicInteger();
    serve(
        limits(LONG, LONG, LONG),
        request -> {
          if (request.path().equals("/")) {
            asked.incrementAndGet();
          } else {
            answer(request);
          }
        });
    Socket flood = open(GET.repeat(100));
    eventually(() -> assertEquals(1, asked.get()));
    assertEquals("200", page(HEALTHY));
    try {
      write(flood, GET.repeat(2_000));
    } catch (java.net.SocketException e) {
      // The server can close the connection during a write.
    }
    assertTrue(List.of("", "reset").contains(readToEnd(flood)));
    // Reported once, although a single read contains many requests.
    assertEquals(List.of("pipelined"), refused);
    assertEquals("200", page(HEALTHY));
  }

  @Test
  void memoryOfPipelinedRequestsIsLimited() throws IOException {
    List<HttpServerRequest> waiting = new CopyOnWriteArrayList<>();
    AtomicBoolean answers = new AtomicBoolean();
    serve(
        new Limits(100, LONG, LONG, LONG, 10, 10 << 20, 0, 64 << 10),
        request -> {
          if (answers.get()) {
            answer(request);
          } else {
            waiting.add(request);
          }
        });
    String large = GET.replace("\r\n\r\n", "\r\nX-Large: " + "x".repeat(7_000) + "\r\n\r\n");
    Socket few = open(large.repeat(5));
    eventually(() -> assertEquals(1, waiting.size()));
    assertTrue(List.of("", "reset").contains(readToEnd(open(large.repeat(8)))));
    assertEquals(List.of("pipelined"), refused);
    answers.set(true);
    vertx.runOnContext(go -> answer(waiting.get(0)));
    for (int i = 0; i < 5; i++) {
      assertEquals("200", page(few));
    }
    // Their memory has been released.
    Socket more = open(large.repeat(8));
    for (int i = 0; i < 8; i++) {
      assertEquals("200", page(more));
    }
  }

  /** They do not count towards the limit, but a client that does not read them is disconnected. */
  @Test
  void unreadHealthPagesAreLimited() throws IOException {
    AtomicInteger answered = new AtomicInteger();
    serve(
        limits(LONG, LONG, Duration.ofSeconds(1)),
        request -> {
          answered.incrementAndGet();
          answer(request);
        });
    Socket flood = open(HEALTHY);
    int sent = 0;
    try {
      while (true) {
        write(flood, HEALTHY.repeat(10));
        sent += 10;
      }
    } catch (java.net.SocketException e) {
      // The server has closed the connection.
    }
    assertEquals(1, refused.size());
    assertTrue(List.of("reader", "pipelined").contains(refused.get(0)), refused.get(0));
    assertTrue(answered.get() <= sent);
    assertEquals("200", page(HEALTHY));
  }
}
