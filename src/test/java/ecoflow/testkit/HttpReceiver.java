package ecoflow.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** A web server that stores the requests it receives; not running until it is started. */
public final class HttpReceiver implements AutoCloseable {

  private static final String PASSWORD = "changeit";

  /** A received request. */
  public record Call(String method, String uri, Headers headers, String body) {}

  private final int port = Ports.next();
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final Optional<Path> keys;
  private volatile int status = 204;
  private HttpServer server;

  private HttpReceiver(Optional<Path> keys) {
    this.keys = keys;
  }

  public static HttpReceiver plain() {
    return new HttpReceiver(Optional.empty());
  }

  /** Uses TLS with a self-signed certificate, which a client must be configured to trust. */
  public static HttpReceiver tls(Path directory) {
    Path keys = directory.resolve("receiver.p12");
    ChildProcess.run(
        directory,
        directory.resolve("keytool"),
        Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
        "-genkeypair",
        "-keyalg",
        "EC",
        "-alias",
        "receiver",
        "-dname",
        "CN=receiver",
        "-ext",
        "san=dns:localhost",
        "-storetype",
        "PKCS12",
        "-keystore",
        keys.toString(),
        "-storepass",
        PASSWORD);
    return new HttpReceiver(Optional.of(keys));
  }

  /** Options of a Java program that make it trust only this server. */
  public List<String> trust() {
    return List.of(
        "-Djavax.net.ssl.trustStore=" + keys.orElseThrow(),
        "-Djavax.net.ssl.trustStorePassword=" + PASSWORD);
  }

  public String url() {
    return (keys.isPresent() ? "https" : "http") + "://localhost:" + port;
  }

  public void start() {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    try {
      if (keys.isPresent()) {
        HttpsServer secure = HttpsServer.create(address, 0);
        secure.setHttpsConfigurator(new HttpsConfigurator(tls()));
        server = secure;
      } else {
        server = HttpServer.create(address, 0);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.createContext("/", this::receive);
    server.start();
  }

  public void stop() {
    server.stop(0);
    server = null;
  }

  /** Sets the status of all further responses. */
  public void respondWith(int code) {
    status = code;
  }

  /** All received requests, oldest first. */
  public List<Call> calls() {
    return List.copyOf(calls);
  }

  private void receive(HttpExchange exchange) throws IOException {
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
      calls.add(
          new Call(
              exchange.getRequestMethod(),
              exchange.getRequestURI().toString(),
              exchange.getRequestHeaders(),
              body));
      exchange.sendResponseHeaders(status, -1);
    }
  }

  private SSLContext tls() throws IOException {
    try (InputStream in = Files.newInputStream(keys.orElseThrow())) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(in, PASSWORD.toCharArray());
      KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
      managers.init(store, PASSWORD.toCharArray());
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(managers.getKeyManagers(), null, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Cannot set up TLS", e);
    }
  }

  @Override
  public void close() {
    if (server != null) {
      stop();
    }
  }
}
