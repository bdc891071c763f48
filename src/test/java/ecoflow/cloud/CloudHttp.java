package ecoflow.cloud;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** The HTTPS server of the simulated cloud. */
final class CloudHttp implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final SimulatedCloud cloud;
  private final CloudAccount account;
  private final DeveloperSignature signature;
  private final SSLContext tls;
  private final int port;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "simulated-cloud-http");
            thread.setDaemon(true);
            return thread;
          });

  /** Null while the server is down. */
  private HttpsServer server;

  final Faults faults = new Faults();
  final List<CloudRequest> requests = new CopyOnWriteArrayList<>();
  final Set<String> tokens = ConcurrentHashMap.newKeySet();

  CloudHttp(
      SimulatedCloud cloud, CloudAccount account, int port, CloudCertificates.Identity identity)
      throws IOException {
    this.cloud = cloud;
    this.account = account;
    this.signature = new DeveloperSignature(account.accessKey(), account.secretKey());
    tls = sslContext(identity);
    server = start(port);
    this.port = server.getAddress().getPort();
  }

  int port() {
    return port;
  }

  synchronized void start() throws IOException {
    if (server == null) {
      server = start(port);
    }
  }

  synchronized void stop() {
    if (server != null) {
      server.stop(0);
      server = null;
    }
  }

  @Override
  public void close() {
    stop();
    threads.shutdownNow();
  }

  private HttpsServer start(int atPort) throws IOException {
    HttpsServer started =
        HttpsServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), atPort), 0);
    started.setHttpsConfigurator(new HttpsConfigurator(tls));
    started.setExecutor(threads);
    started.createContext("/", this::handle);
    started.start();
    return started;
  }

  /** The JSON envelope of every answer. */
  static String envelope(String code, String message, Object data) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("code", code);
    fields.put("message", message);
    fields.put("data", data);
    fields.put("eagleEyeTraceId", "");
    fields.put("tid", "");
    try {
      return JSON.writeValueAsString(fields);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      CloudRequest request = read(exchange);
      requests.add(request);
      Answer answer = answer(request);
      Fault fault = faults.take(request.path(), request.query().get("sn"));
      Thread.sleep(fault.delay.toMillis());
      if (!fault.drop) {
        send(exchange, fault.change.apply(answer), fault);
      }
    } catch (InterruptedException e) {
      // The cloud is closing.
      Thread.currentThread().interrupt();
    }
  }

  private Answer answer(CloudRequest request) {
    return switch (request.method() + " " + request.path()) {
      case "GET " + ApiPath.DEVICE_LIST -> signed(request, this::developerDeviceList);
      case "GET " + ApiPath.QUOTA ->
          signed(request, () -> developerQuota(request.query().get("sn")));
      case "GET " + ApiPath.OPEN_CERTIFICATION ->
          signed(request, () -> success(certification(cloud.openCredentials())));
      case "POST " + ApiPath.LOGIN -> login(request.body());
      case "GET " + ApiPath.CERTIFICATION -> certification(request);
      case "GET " + ApiPath.ACCOUNT_DEVICES ->
          hasToken(request) ? success(appDevices()) : unauthorised();
      default -> new Answer(404, Map.of(), "");
    };
  }

  private Answer signed(CloudRequest request, Supplier<Answer> content) {
    if (!account.accessKey().equals(request.header("accessKey"))) {
      return failure("8513", "accessKey is invalid");
    }
    // In requests with a Content-Type, a body is expected and signed.
    boolean accepted =
        request.header("Content-Type") == null
            && signature.accepts(
                request.query(),
                request.header("nonce"),
                request.header("timestamp"),
                request.header("sign"));
    return accepted ? content.get() : failure("8521", "signature is wrong");
  }

  private Answer developerDeviceList() {
    List<Map<String, Object>> list = new ArrayList<>();
    cloud.devices().forEach(device -> list.add(describe(device)));
    return success(list);
  }

  private Answer developerQuota(String serial) {
    return cloud
        .device(serial)
        .filter(SimulatedDevice::isOpenToDevelopers)
        .map(device -> success(device.quota()))
        .orElseGet(() -> failure("1006", "current device is not allowed to get device info"));
  }

  private Answer login(String body) {
    JsonNode login;
    try {
      login = JSON.readTree(body);
    } catch (JsonProcessingException e) {
      return new Answer(400, Map.of(), "");
    }
    String password =
        Base64.getEncoder().encodeToString(account.password().getBytes(StandardCharsets.UTF_8));
    boolean accepted =
        login.path("email").asText().equals(account.email())
            && login.path("password").asText().equals(password)
            && login.path("scene").asText().equals("IOT_APP")
            && login.path("userType").asText().equals("ECOFLOW");
    if (!accepted) {
      return failure("2026", "The account does not exist or the password is wrong");
    }
    String token = "token-" + UUID.randomUUID();
    tokens.add(token);
    Map<String, Object> user = new LinkedHashMap<>();
    user.put("userId", account.userId());
    user.put("email", account.email());
    cloud.nickname().ifPresent(name -> user.put("name", name));
    return success(Map.of("token", token, "user", user));
  }

  private Answer certification(CloudRequest request) {
    if (!hasToken(request) || !account.userId().equals(request.query().get("userId"))) {
      return unauthorised();
    }
    return success(certification(cloud.credentials()));
  }

  private Map<String, Object> certification(MqttCredentials credentials) {
    return Map.of(
        "url", cloud.mqttUrl(),
        "port", String.valueOf(cloud.certifiedMqttPort()),
        "protocol", "mqtts",
        "certificateAccount", credentials.account(),
        "certificatePassword", credentials.password());
  }

  private Map<String, Object> appDevices() {
    Map<String, Object> bound = new LinkedHashMap<>();
    Map<String, Object> share = new LinkedHashMap<>();
    cloud
        .devices()
        .forEach(
            device -> (device.isShared() ? share : bound).put(device.serial(), describe(device)));
    return Map.of("bound", bound, "share", share);
  }

  private static Map<String, Object> describe(SimulatedDevice device) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("sn", device.serial());
    fields.put("deviceName", device.name());
    fields.put("online", device.isOnline() ? 1 : 0);
    if (device.productName() != null) {
      fields.put("productName", device.productName());
    }
    return fields;
  }

  private boolean hasToken(CloudRequest request) {
    String authorization = request.header("Authorization");
    return authorization != null
        && authorization.startsWith("Bearer ")
        && tokens.contains(authorization.substring("Bearer ".length()));
  }

  private static Answer success(Object data) {
    return new Answer(200, Map.of(), envelope("0", "Success", data));
  }

  private static Answer failure(String code, String message) {
    return new Answer(200, Map.of(), envelope(code, message, null));
  }

  private static Answer unauthorised() {
    return new Answer(401, Map.of(), envelope("401", "unauthorized", null));
  }

  private static CloudRequest read(HttpExchange exchange) throws IOException {
    URI uri = exchange.getRequestURI();
    Map<String, String> query = new LinkedHashMap<>();
    if (uri.getRawQuery() != null) {
      for (String pair : uri.getRawQuery().split("&")) {
        String[] parts = pair.split("=", 2);
        query.put(decode(parts[0]), parts.length == 2 ? decode(parts[1]) : "");
      }
    }
    Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, List.copyOf(values)));
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    return new CloudRequest(
        Instant.now(), exchange.getRequestMethod(), uri.getPath(), query, headers, body);
  }

  private static String decode(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }

  private static void send(HttpExchange exchange, Answer answer, Fault fault)
      throws IOException, InterruptedException {
    exchange.getResponseHeaders().set("Content-Type", "application/json;charset=UTF-8");
    answer.headers().forEach(exchange.getResponseHeaders()::set);
    byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
    // -1 means no body in this API, 0 means chunks.
    long length = fault.tails > 0 ? 0 : body.length == 0 ? -1 : body.length;
    exchange.sendResponseHeaders(answer.status(), length);
    OutputStream out = exchange.getResponseBody();
    int step = fault.dripBytes > 0 ? fault.dripBytes : Math.max(1, body.length);
    for (int sent = 0; sent < body.length; sent += step) {
      if (sent > 0) {
        Thread.sleep(fault.dripPause.toMillis());
      }
      out.write(body, sent, Math.min(step, body.length - sent));
      out.flush();
    }
    byte[] tail = fault.tail.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < fault.tails; i++) {
      out.write(tail);
    }
  }

  private static SSLContext sslContext(CloudCertificates.Identity identity) {
    char[] noPassword = new char[0];
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, noPassword);
      store.setKeyEntry(
          "server", identity.key(), noPassword, new Certificate[] {identity.certificate()});
      KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
      keys.init(store, noPassword);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), null, null);
      return context;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Cannot set up TLS", e);
    }
  }
}
