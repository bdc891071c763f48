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
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** The HTTPS server of the simulated cloud. */
final class CloudHttp implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String BEARER = "Bearer ";

  private final SimulatedCloud cloud;
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
  final Queue<CloudRequest> requests = new ConcurrentLinkedQueue<>();

  CloudHttp(SimulatedCloud cloud, int port, CloudCertificates.Identity identity)
      throws IOException {
    this.cloud = cloud;
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
      Optional<SimulatedAccount> account = account(request);
      Answer answer = answer(request, account);
      Fault fault = fault(request, account);
      Thread.sleep(fault.delay.toMillis());
      if (!fault.drop) {
        send(exchange, fault.change.apply(answer), fault);
      }
    } catch (InterruptedException e) {
      // The cloud is closing.
      Thread.currentThread().interrupt();
    }
  }

  private Fault fault(CloudRequest request, Optional<SimulatedAccount> account) {
    String serial =
        request.path().equals(ApiPath.HISTORY)
            ? json(request.body()).map(body -> body.path("sn").asText()).orElse("")
            : request.query().get("sn");
    Fault ofAccount =
        account.map(one -> one.faults().take(request.path(), serial)).orElse(Fault.NONE);
    return ofAccount == Fault.NONE ? faults.take(request.path(), serial) : ofAccount;
  }

  /** The account that a request names, even if its password or signature is wrong. */
  private Optional<SimulatedAccount> account(CloudRequest request) {
    return switch (request.path()) {
      case ApiPath.LOGIN ->
          json(request.body()).flatMap(login -> cloud.byEmail(login.path("email").asText()));
      case ApiPath.CERTIFICATION, ApiPath.ACCOUNT_DEVICES ->
          Optional.ofNullable(request.header("Authorization"))
              .filter(authorization -> authorization.startsWith(BEARER))
              .flatMap(authorization -> cloud.byToken(authorization.substring(BEARER.length())));
      default -> Optional.ofNullable(request.header("accessKey")).flatMap(cloud::byAccessKey);
    };
  }

  private Answer answer(CloudRequest request, Optional<SimulatedAccount> account) {
    return switch (request.method() + " " + request.path()) {
      case "GET " + ApiPath.DEVICE_LIST -> signed(request, account, CloudHttp::developerDeviceList);
      case "GET " + ApiPath.QUOTA ->
          signed(request, account, one -> developerQuota(one, request.query().get("sn")));
      case "POST " + ApiPath.HISTORY -> history(request, account);
      case "GET " + ApiPath.OPEN_CERTIFICATION ->
          signed(request, account, one -> success(certification(one.openCredentials())));
      case "POST " + ApiPath.LOGIN -> login(request, account);
      case "GET " + ApiPath.CERTIFICATION ->
          account
              .filter(one -> one.login().userId().equals(request.query().get("userId")))
              .map(one -> success(certification(one.credentials())))
              .orElseGet(CloudHttp::unauthorised);
      case "GET " + ApiPath.ACCOUNT_DEVICES ->
          account.map(one -> success(appDevices(one))).orElseGet(CloudHttp::unauthorised);
      default -> new Answer(404, Map.of(), "");
    };
  }

  private static Answer signed(
      CloudRequest request,
      Optional<SimulatedAccount> account,
      Function<SimulatedAccount, Answer> content) {
    if (account.isEmpty()) {
      return failure("8513", "accessKey is invalid");
    }
    // In requests with a Content-Type, a body is expected and signed.
    boolean accepted =
        request.header("Content-Type") == null && isSigned(request, account.get(), request.query());
    return accepted ? content.apply(account.get()) : failure("8521", "signature is wrong");
  }

  private static boolean isSigned(
      CloudRequest request, SimulatedAccount account, Map<String, String> parameters) {
    return account
        .signature()
        .accepts(
            parameters,
            request.header("nonce"),
            request.header("timestamp"),
            request.header("sign"));
  }

  private static Answer history(CloudRequest request, Optional<SimulatedAccount> account) {
    if (account.isEmpty()) {
      return failure("8513", "accessKey is invalid");
    }
    Optional<JsonNode> body = json(request.body());
    String type = String.valueOf(request.header("Content-Type"));
    if (body.isEmpty()
        || !type.startsWith("application/json")
        || !isSigned(request, account.get(), flat(body.get()))) {
      return failure("8521", "signature is wrong");
    }
    JsonNode parameters = body.get().path("params");
    String code = parameters.path("code").asText();
    Optional<SimulatedDevice> device =
        account
            .get()
            .device(body.get().path("sn").asText())
            .filter(SimulatedDevice::isOpenToDevelopers)
            .filter(one -> one.hasHistory(code));
    if (device.isEmpty()) {
      return failure("1006", "current device is not allowed to get device info");
    }
    if (!device.get().isOnline()) {
      return failure("1006", "device is offline");
    }
    LocalDateTime begin = time(parameters.path("beginTime"));
    LocalDateTime end = time(parameters.path("endTime"));
    if (begin.isAfter(end) || !begin.plusWeeks(1).isAfter(end)) {
      return failure("8524", "time must be less than one week");
    }
    // Both days are included, regardless of the time of day.
    List<Map<String, Object>> entries =
        begin
            .toLocalDate()
            .datesUntil(end.toLocalDate().plusDays(1))
            .flatMap(day -> device.get().history(code, day.toString()).stream())
            .toList();
    return success(Map.of("code", "0", "message", "Success", "data", entries));
  }

  private static LocalDateTime time(JsonNode text) {
    return LocalDateTime.parse(text.asText(), DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss"));
  }

  /** The members of the body and of its object params, as in the signature. */
  private static Map<String, String> flat(JsonNode body) {
    Map<String, String> flat = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> member : body.properties()) {
      if (member.getValue().isObject()) {
        member
            .getValue()
            .properties()
            .forEach(
                nested ->
                    flat.put(member.getKey() + "." + nested.getKey(), nested.getValue().asText()));
      } else {
        flat.put(member.getKey(), member.getValue().asText());
      }
    }
    return flat;
  }

  private static Answer developerDeviceList(SimulatedAccount account) {
    return success(account.devices().stream().map(CloudHttp::describe).toList());
  }

  private static Answer developerQuota(SimulatedAccount account, String serial) {
    return account
        .device(serial)
        .filter(SimulatedDevice::isOpenToDevelopers)
        .map(device -> success(device.quota()))
        .orElseGet(() -> failure("1006", "current device is not allowed to get device info"));
  }

  private Answer login(CloudRequest request, Optional<SimulatedAccount> account) {
    Optional<JsonNode> body = json(request.body());
    if (body.isEmpty()) {
      return new Answer(400, Map.of(), "");
    }
    return account
        .filter(one -> isAccepted(body.get(), one.login()))
        .map(this::loggedIn)
        .orElseGet(() -> failure("2026", "The account does not exist or the password is wrong"));
  }

  private static boolean isAccepted(JsonNode login, CloudAccount account) {
    String password =
        Base64.getEncoder().encodeToString(account.password().getBytes(StandardCharsets.UTF_8));
    return login.path("password").asText().equals(password)
        && login.path("scene").asText().equals("IOT_APP")
        && login.path("userType").asText().equals("ECOFLOW");
  }

  private Answer loggedIn(SimulatedAccount account) {
    String token = "token-" + UUID.randomUUID();
    cloud.addToken(token, account);
    Map<String, Object> user = new LinkedHashMap<>();
    user.put("userId", account.login().userId());
    user.put("email", account.login().email());
    cloud.nickname().ifPresent(name -> user.put("name", name));
    return success(Map.of("token", token, "user", user));
  }

  private static Optional<JsonNode> json(String body) {
    try {
      return Optional.of(JSON.readTree(body));
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  private Map<String, Object> certification(MqttCredentials credentials) {
    return Map.of(
        "url", cloud.mqttUrl(),
        "port", String.valueOf(cloud.certifiedMqttPort()),
        "protocol", "mqtts",
        "certificateAccount", credentials.account(),
        "certificatePassword", credentials.password());
  }

  private static Map<String, Object> appDevices(SimulatedAccount account) {
    Map<String, Object> bound = new LinkedHashMap<>();
    Map<String, Object> share = new LinkedHashMap<>();
    account
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
