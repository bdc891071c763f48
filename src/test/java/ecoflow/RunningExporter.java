package ecoflow;

import ecoflow.cloud.SimulatedCloud;
import ecoflow.config.ConfigException;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The exporter with its real routes in this JVM, and what its /metrics says. */
public final class RunningExporter implements AutoCloseable {

  /** As Prometheus: without an upgrade to HTTP/2. */
  private static final HttpClient HTTP =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private static final Pattern SERIES = Pattern.compile("([^{ ]+)(?:\\{(.*)\\})? (\\S+)");

  private final EcoflowExporter exporter;
  private final int port;

  private RunningExporter(EcoflowExporter exporter, int port) {
    this.exporter = exporter;
    this.port = port;
  }

  /** Starts with the given variables; without EXPORTER_PORT a free port is taken. */
  public static RunningExporter start(Map<String, String> variables) {
    Map<String, String> all = new HashMap<>(variables);
    int port = Integer.parseInt(all.computeIfAbsent("EXPORTER_PORT", unused -> "" + freePort()));
    try {
      EcoflowExporter exporter = new EcoflowExporter(all);
      exporter.start();
      return new RunningExporter(exporter, port);
    } catch (ConfigException | EcoflowExporter.StartException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Variables for developer keys and short intervals; {@code more} are pairs that come on top. */
  public static Map<String, String> rest(SimulatedCloud cloud, String... more) {
    Map<String, String> variables = fast(cloud);
    variables.put("ECOFLOW_ACCESS_KEY", cloud.account().accessKey());
    variables.put("ECOFLOW_SECRET_KEY", cloud.account().secretKey());
    return with(variables, more);
  }

  /** Variables for an account and short intervals; {@code type} is mqtt or device. */
  public static Map<String, String> account(SimulatedCloud cloud, String type, String... more) {
    Map<String, String> variables = fast(cloud);
    variables.put("ECOFLOW_ACCOUNT_USER", cloud.account().email());
    variables.put("ECOFLOW_ACCOUNT_PASSWORD", cloud.account().password());
    variables.put("ECOFLOW_API_TYPE", type);
    return with(variables, more);
  }

  private static Map<String, String> fast(SimulatedCloud cloud) {
    Map<String, String> variables = new HashMap<>();
    variables.put("ECOFLOW_API_HOST", cloud.apiHost());
    variables.put("ECOFLOW_CA_FILE", cloud.caFile().toString());
    variables.put("ECOFLOW_DEVICE_SN", "all");
    variables.put("COLLECTING_INTERVAL", "0.3");
    variables.put("QUOTA_REQUEST_INTERVAL", "0.5");
    variables.put("RETRY_TIMEOUT", "0.5");
    variables.put("HTTP_BACKOFF_FACTOR", "0.05");
    variables.put("DEVICE_LIST_CACHE_TTL", "0.3");
    return variables;
  }

  private static Map<String, String> with(Map<String, String> variables, String... more) {
    for (int i = 0; i < more.length; i += 2) {
      variables.put(more[i], more[i + 1]);
    }
    return variables;
  }

  public static int freePort() {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  public EcoflowExporter exporter() {
    return exporter;
  }

  public int port() {
    return port;
  }

  /** The page as Prometheus text. */
  public String metrics() {
    return get("GET", "/metrics").body();
  }

  /** {@code headers} are pairs of name and value. */
  public HttpResponse<String> get(String method, String path, String... headers) {
    return send(method, path, BodyHandlers.ofString(), headers);
  }

  public <T> HttpResponse<T> send(
      String method, String path, HttpResponse.BodyHandler<T> body, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
            .method(method, HttpRequest.BodyPublishers.noBody());
    if (headers.length > 0) {
      request.headers(headers);
    }
    try {
      return HTTP.send(request.build(), body);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The lines of one series name, in the order of the page. */
  public List<String> lines(String name) {
    return metrics()
        .lines()
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .toList();
  }

  /**
   * The value of the one series with this name and these labels, given as {@code name="value"};
   * empty if there is none.
   *
   * @throws IllegalStateException if several series fit
   */
  public OptionalDouble value(String name, String... labels) {
    List<String> found =
        lines(name).stream()
            .filter(line -> List.of(labels).stream().allMatch(line::contains))
            .toList();
    if (found.size() > 1) {
      throw new IllegalStateException("several series fit: " + found);
    }
    if (found.isEmpty()) {
      return OptionalDouble.empty();
    }
    Matcher series = SERIES.matcher(found.get(0));
    if (!series.matches()) {
      throw new IllegalStateException("not a series: " + found.get(0));
    }
    return OptionalDouble.of(Double.parseDouble(series.group(3)));
  }

  /** The value of a device's series, which must be there or is NaN. */
  public double of(String serial, String name, String... labels) {
    String[] all = new String[labels.length + 1];
    all[0] = "device=\"" + serial + "\"";
    System.arraycopy(labels, 0, all, 1, labels.length);
    return value(name, all).orElse(Double.NaN);
  }

  @Override
  public void close() {
    exporter.close();
  }
}
