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
 * What /metrics says, asked anew for each question. Names of series go without their prefix, labels
 * are written as {@code "index_0=3"}, and a series that may have more labels than those named must
 * be the only one that fits.
 */
public final class Page {

  /** What the exporter itself tells of a device, besides whether it is online. */
  private static final Set<String> ABOUT_DEVICES =
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
   * @param source asks for the page as text
   * @param clientType gives the mode of the exporter, as metrics name it
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

  /** The lines of one name, in the order of the page. */
  public List<String> lines(String name) {
    String start = prefix + name;
    return text()
        .lines()
        .filter(line -> line.startsWith(start + "{") || line.startsWith(start + " "))
        .toList();
  }

  /** The series of one name with these labels, in the order of the page. */
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

  /** The collections of a device that ended so. */
  public double scrapes(SimulatedDevice device, String status) {
    return scrapes(device.serial(), status);
  }

  public double scrapes(String serial, String status) {
    return of(serial, "scrape_requests_total", "status=" + status);
  }

  /** The time of the last value in seconds; NaN if there was none. */
  public double lastUpdate(SimulatedDevice device) {
    return of(device, "device_last_update_timestamp_seconds");
  }

  /** The sorted lines of a device without those about the exporter's own work on it. */
  public List<String> linesOf(String serial) {
    return text()
        .lines()
        .filter(line -> line.contains("device=\"" + serial + "\""))
        .filter(line -> !ABOUT_DEVICES.contains(nameIn(line)))
        .sorted()
        .toList();
  }

  /** The names of the series that a device has from its own values, in the order of the page. */
  public List<String> namesOf(SimulatedDevice device) {
    return text()
        .lines()
        .filter(line -> line.contains("device=\"" + device.serial() + "\""))
        .map(this::nameIn)
        .filter(name -> !ABOUT_DEVICES.contains(name) && !name.equals("online"))
        .distinct()
        .toList();
  }

  private String nameIn(String line) {
    return line.substring(prefix.length(), line.indexOf('{'));
  }

  // The exporter itself

  /** The value of one of the exporter's own series, which must be there. */
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

  /** The messages of a type, text or protobuf. */
  public double mqttMessages(String type) {
    return own("mqtt_messages_total", client(), "type=" + type);
  }

  public double mqttErrors() {
    return own("mqtt_message_errors_total", client());
  }

  public double quotaRequests(String status) {
    return own("quota_requests_total", "status=" + status);
  }

  /** The HTTPS requests for one of the paths of {@link ecoflow.cloud.ApiPath}. */
  public double httpRequests(String path, String status) {
    return own("http_requests_total", "endpoint=" + path, "status=" + status);
  }

  public double cacheOperations(String result) {
    return own("cache_operations_total", "result=" + result);
  }

  public double conflicts(String kind) {
    return own("quota_conflicts_total", "kind=" + kind);
  }

  /** Protobuf messages of a command that ended so; the first one makes the series. */
  public double protobufMessages(int cmdFunc, int cmdId, String outcome) {
    return command("protobuf_messages_total", cmdFunc, cmdId, "outcome=" + outcome);
  }

  /** Parts of protobuf messages of a command that were left out; the first makes the series. */
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

  /** Until the device has this one series with this value; NaN means that it has none. */
  public void eventuallyShows(SimulatedDevice device, String name, double value, String... labels) {
    eventuallyShows(device.serial(), name, value, labels);
  }

  public void eventuallyShows(String serial, String name, double value, String... labels) {
    eventually(() -> assertEquals(value, of(serial, name, labels), () -> serial + " " + name));
  }

  /** Until at least so many collections of the device ended so. */
  public void eventuallyScrapes(SimulatedDevice device, String status, double least) {
    eventuallyScrapes(device.serial(), status, least);
  }

  public void eventuallyScrapes(String serial, String status, double least) {
    eventually(
        () ->
            assertTrue(
                scrapes(serial, status) >= least, () -> serial + " " + status + " " + least));
  }

  /** Until the MQTT connection is up (1) or down (0). */
  public void eventuallyConnected(double state) {
    eventually(() -> assertEquals(state, connected(), "connected"));
  }

  private Optional<Double> one(String name, String... labels) {
    List<Series> found = series(name, labels);
    assertTrue(found.size() <= 1, () -> "several series fit: " + found);
    return found.stream().map(Series::value).findFirst();
  }
}
