package ecoflow.testkit;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.cloud.SimulatedDevice;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The content of /metrics, requested again for each query. Names of series are given without their
 * prefix, labels are written as {@code "index_0=3"}, and a series may have more labels than those
 * given, but must be the only match.
 */
public final class Page {

  /** Exporter metrics of a device, other than its online state. */
  private static final Set<String> DEVICE_METRICS =
      Set.of(
          "scrape_requests_total",
          "scrape_duration_seconds_bucket",
          "scrape_duration_seconds_count",
          "scrape_duration_seconds_sum",
          "metrics_collected",
          "device_last_update_timestamp_seconds");

  private final Supplier<String> source;
  private final Supplier<String> clientType;
  private final String prefix;

  /**
   * @param source returns the page as text
   * @param clientType returns the mode of the exporter, as in metrics
   */
  Page(Supplier<String> source, Supplier<String> clientType) {
    this(source, clientType, "ecoflow_");
  }

  private Page(Supplier<String> source, Supplier<String> clientType, String prefix) {
    this.source = source;
    this.clientType = clientType;
    this.prefix = prefix;
  }

  /** The same page with another METRICS_PREFIX. */
  public Page withPrefix(String other) {
    return new Page(source, clientType, other + "_");
  }

  public String text() {
    return source.get();
  }

  /** The lines with one name, in the order of the page. */
  public List<String> lines(String name) {
    String start = prefix + name;
    return text()
        .lines()
        .filter(line -> line.startsWith(start + "{") || line.startsWith(start + " "))
        .toList();
  }

  /** The series with one name and these labels, in the order of the page. */
  public List<Series> series(String name, String... labels) {
    Map<String, String> wanted =
        Stream.of(labels)
            .map(label -> label.split("=", 2))
            .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1]));
    return lines(name).stream()
        .map(Series::read)
        .filter(series -> series.labels().entrySet().containsAll(wanted.entrySet()))
        .toList();
  }

  // Devices

  /** The value of a device's series; NaN if it has none. */
  public double of(SimulatedDevice device, String name, String... labels) {
    return of(device.serial(), name, labels);
  }

  public double of(String serial, String name, String... labels) {
    String[] all =
        Stream.concat(Stream.of("device=" + serial), Stream.of(labels)).toArray(String[]::new);
    return one(name, all).orElse(Double.NaN);
  }

  /** Number of collections of a device with this result. */
  public double scrapes(SimulatedDevice device, String status) {
    return scrapes(device.serial(), status);
  }

  public double scrapes(String serial, String status) {
    return of(serial, "scrape_requests_total", "status=" + status);
  }

  /** The time of the last value, in seconds since 1970; NaN without one. */
  public double lastUpdate(SimulatedDevice device) {
    return of(device, "device_last_update_timestamp_seconds");
  }

  /** The sorted lines of a device, except for exporter metrics. */
  public List<String> linesOf(String serial) {
    return text()
        .lines()
        .filter(line -> line.contains("device=\"" + serial + "\""))
        .filter(line -> !DEVICE_METRICS.contains(nameIn(line)))
        .sorted()
        .toList();
  }

  /** The names of the series from a device's own values, in the order of the page. */
  public List<String> namesOf(SimulatedDevice device) {
    return text()
        .lines()
        .filter(line -> line.contains("device=\"" + device.serial() + "\""))
        .map(this::nameIn)
        .filter(name -> !DEVICE_METRICS.contains(name) && !name.equals("online"))
        .distinct()
        .toList();
  }

  private String nameIn(String line) {
    return line.substring(prefix.length(), line.indexOf('{'));
  }

  // The exporter itself

  /** The value of an exporter metric, which must exist. */
  public double own(String name, String... labels) {
    return one(name, labels)
        .orElseThrow(() -> new AssertionError("no " + name + List.of(labels) + " in\n" + text()));
  }

  public double connected() {
    return own("mqtt_connected", client());
  }

  public double reconnections() {
    return own("mqtt_reconnections_total", client());
  }

  public double logins(String status) {
    return own("auth_requests_total", client(), "status=" + status);
  }

  /** Number of messages of a type, text or protobuf. */
  public double mqttMessages(String type) {
    return own("mqtt_messages_total", client(), "type=" + type);
  }

  public double mqttErrors() {
    return own("mqtt_message_errors_total", client());
  }

  public double quotaRequests(String status) {
    return own("quota_requests_total", "status=" + status);
  }

  /** Number of HTTPS requests to one of the paths of {@link ecoflow.cloud.ApiPath}. */
  public double httpRequests(String path, String status) {
    return own("http_requests_total", "endpoint=" + path, "status=" + status);
  }

  public double cacheOperations(String result) {
    return own("cache_operations_total", "result=" + result);
  }

  public double conflicts(String kind) {
    return own("quota_conflicts_total", "kind=" + kind);
  }

  /**
   * Number of protobuf messages of a command with this outcome; the first one creates the series.
   */
  public double protobufMessages(int cmdFunc, int cmdId, String outcome) {
    return command("protobuf_messages_total", cmdFunc, cmdId, "outcome=" + outcome);
  }

  /**
   * Number of dropped fields of protobuf messages of a command; the first one creates the series.
   */
  public double droppedFields(int cmdFunc, int cmdId, String reason) {
    return command("protobuf_fields_dropped_total", cmdFunc, cmdId, "reason=" + reason);
  }

  private double command(String name, int cmdFunc, int cmdId, String label) {
    return one(name, "cmd_func=" + cmdFunc, "cmd_id=" + cmdId, label).orElse(0.0);
  }

  private String client() {
    return "client_type=" + clientType.get();
  }

  // Waits

  /** Waits until the device has exactly this one series with this value; NaN means no series. */
  public void eventuallyShows(SimulatedDevice device, String name, double value, String... labels) {
    eventuallyShows(device.serial(), name, value, labels);
  }

  public void eventuallyShows(String serial, String name, double value, String... labels) {
    eventually(() -> assertEquals(value, of(serial, name, labels), () -> serial + " " + name));
  }

  /** Waits until the device has at least this number of collections with this result. */
  public void eventuallyScrapes(SimulatedDevice device, String status, double minimum) {
    eventuallyScrapes(device.serial(), status, minimum);
  }

  public void eventuallyScrapes(String serial, String status, double minimum) {
    eventually(
        () ->
            assertTrue(
                scrapes(serial, status) >= minimum, () -> serial + " " + status + " " + minimum));
  }

  /** Waits until the MQTT connection is up (1) or down (0). */
  public void eventuallyConnected(double state) {
    eventually(() -> assertEquals(state, connected(), "connected"));
  }

  private Optional<Double> one(String name, String... labels) {
    List<Series> found = series(name, labels);
    assertTrue(found.size() <= 1, () -> "several series match: " + found);
    return found.stream().map(Series::value).findFirst();
  }
}
