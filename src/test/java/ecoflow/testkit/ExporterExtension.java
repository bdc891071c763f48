package ecoflow.testkit;

import static ecoflow.cloud.WireFormat.JSON;

import ecoflow.cloud.CloudOptions;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.CamelContext;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * An exporter on a simulated cloud for tests. The cloud is that of {@link CloudExtension}: one for
 * the class in a static field, otherwise one for each test. An exporter that a test starts is
 * stopped after the test. With {@link #startedAtOnce}, an exporter starts and stops with the cloud.
 */
public final class ExporterExtension
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

  private static final AtomicInteger DEVICES = new AtomicInteger();
  private static final AtomicInteger MARKERS = new AtomicInteger();

  private final String mode;
  private final List<String> variables;
  private final Page page = new Page(() -> running().page().text(), () -> running().clientType());
  private CloudExtension clouds = new CloudExtension();
  private boolean startsAtOnce;
  private boolean ofClass;

  /** The depth of nested classes, which use the exporter of their outer class. */
  private int classes;

  private RunningExporter exporter;

  private ExporterExtension(String mode, String... variables) {
    this.mode = mode;
    this.variables = List.of(variables);
  }

  /**
   * Exporters with developer keys; the variables are those of {@link Variables}, and the given
   * ones.
   */
  public static ExporterExtension rest(String... variables) {
    return new ExporterExtension("rest", variables);
  }

  /** Exporters with developer keys that also receive pushes. */
  public static ExporterExtension open(String... variables) {
    return new ExporterExtension("open", variables);
  }

  /** Exporters with an app account that wait for pushes. */
  public static ExporterExtension mqtt(String... variables) {
    return new ExporterExtension("mqtt", variables);
  }

  /** Exporters with an app account that also request all values. */
  public static ExporterExtension device(String... variables) {
    return new ExporterExtension("device", variables);
  }

  /** Uses a cloud that has these devices from the start. */
  public ExporterExtension with(SimulatedDevice... devices) {
    clouds = new CloudExtension(devices);
    return this;
  }

  /** Starts one exporter automatically. */
  public ExporterExtension startedAtOnce() {
    startsAtOnce = true;
    return this;
  }

  public SimulatedCloud cloud() {
    return clouds.cloud();
  }

  /** Replaces the cloud with another one, without devices. */
  public SimulatedCloud moveTo(CloudOptions options) {
    return clouds.replace(options);
  }

  /** Adds a JSON device with these values and a new serial number to the cloud. */
  public SimulatedDevice addDevice(Map<String, ?> values) {
    return add(newDevice().set(values));
  }

  /** Adds a JSON device with the values of a JSON object. */
  public SimulatedDevice addDevice(String json) {
    return add(newDevice().set(json));
  }

  private static SimulatedDevice newDevice() {
    int number = DEVICES.incrementAndGet();
    return new SimulatedDevice("TEST" + number + "X", "Name " + number + "!", "Product", JSON);
  }

  private SimulatedDevice add(SimulatedDevice device) {
    cloud().add(device);
    return device;
  }

  /**
   * Waits until all messages that devices have pushed before are processed: messages arrive in
   * order, so this method waits for a last one of this device, which adds the series test_marker.
   */
  public void settle(SimulatedDevice device) {
    int marker = MARKERS.incrementAndGet();
    device.publish(
        """
        {"params": {"test.marker": %d}}
        """
            .formatted(marker));
    page.eventuallyShows(device, "test_marker", marker);
  }

  /** Starts the exporter for all devices, with additional variables. */
  public void start(String... more) {
    start(mode, List.of(more));
  }

  /** Starts the exporter for certain devices: serial numbers separated by commas. */
  public void startFor(String serials, String... more) {
    List<String> all = new ArrayList<>(List.of(more));
    all.add("ECOFLOW_DEVICE_SN=" + serials);
    start(mode, all);
  }

  /** Starts the exporter in another mode: rest, open, mqtt or device. */
  public void startIn(String otherMode, String... more) {
    start(otherMode, List.of(more));
  }

  private void start(String inMode, List<String> more) {
    stop();
    List<String> all = new ArrayList<>(variables);
    all.addAll(more);
    exporter = RunningExporter.start(Variables.of(cloud(), inMode, all.toArray(String[]::new)));
  }

  /** Does nothing if the exporter is not running. */
  public void stop() {
    if (exporter != null) {
      exporter.close();
      exporter = null;
    }
  }

  /** The page of the exporter that runs at the time of the query. */
  public Page page() {
    return page;
  }

  public LocalHttp http() {
    return running().http();
  }

  public CamelContext camelContext() {
    return running().camelContext();
  }

  /** Waits until the exporter exits on its own, and returns its exit code. */
  public int exitCode() {
    return running().exitCode();
  }

  private RunningExporter running() {
    if (exporter == null) {
      throw new IllegalStateException("no exporter is running");
    }
    return exporter;
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    ofClass = true;
    clouds.beforeAll(context);
    if (classes++ == 0) {
      startAtOnce();
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    clouds.beforeEach(context);
    if (!ofClass) {
      startAtOnce();
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (!ofClass || !startsAtOnce) {
      stop();
    }
    clouds.afterEach(context);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    if (--classes == 0) {
      stop();
    }
    clouds.afterAll(context);
  }

  private void startAtOnce() {
    if (startsAtOnce) {
      start();
    }
  }
}
