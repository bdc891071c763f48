package ecoflow.testkit;

import ecoflow.cloud.CloudOptions;
import ecoflow.cloud.SimulatedCloud;
import ecoflow.cloud.SimulatedDevice;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * An exporter on a simulated cloud for tests. The cloud is that of {@link CloudExtension}: one for
 * the class in a static field, else one for each test. An exporter that a test starts ends with the
 * test; after {@link #startedAtOnce} one starts by itself and lives as long as the cloud.
 */
public final class ExporterExtension
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

  private final String mode;
  private final String[] variables;
  private final CloudExtension clouds;
  private final Page page = new Page(() -> running().page().text(), () -> running().clientType());
  private boolean startsAtOnce;
  private boolean ofClass;
  private RunningExporter exporter;

  private ExporterExtension(String mode, String[] variables, CloudExtension clouds) {
    this.mode = mode;
    this.variables = variables;
    this.clouds = clouds;
  }

  /** Exporters with developer keys; what {@link Variables} has for them, and these on top. */
  public static ExporterExtension rest(String... variables) {
    return new ExporterExtension("rest", variables, new CloudExtension());
  }

  /** Exporters with an account that wait for what devices push. */
  public static ExporterExtension mqtt(String... variables) {
    return new ExporterExtension("mqtt", variables, new CloudExtension());
  }

  /** Exporters with an account that also ask for all values. */
  public static ExporterExtension device(String... variables) {
    return new ExporterExtension("device", variables, new CloudExtension());
  }

  /** The same on a cloud that has these devices from the start. */
  public ExporterExtension with(SimulatedDevice... devices) {
    return new ExporterExtension(mode, variables, new CloudExtension(devices));
  }

  public ExporterExtension startedAtOnce() {
    startsAtOnce = true;
    return this;
  }

  public SimulatedCloud cloud() {
    return clouds.cloud();
  }

  /** Replaces the cloud by another one, without devices. */
  public SimulatedCloud moveTo(CloudOptions options) {
    return clouds.replace(options);
  }

  /** Starts the exporter, with these variables on top. */
  public void start(String... more) {
    stop();
    String[] all = Stream.of(variables, more).flatMap(Stream::of).toArray(String[]::new);
    exporter = RunningExporter.start(Variables.of(cloud(), mode, all));
  }

  /** Does nothing when the exporter is not running. */
  public void stop() {
    if (exporter != null) {
      exporter.close();
      exporter = null;
    }
  }

  /** The page of the exporter that runs when it is asked something. */
  public Page page() {
    return page;
  }

  public LocalHttp http() {
    return running().http();
  }

  public CamelContext camelContext() {
    return running().camelContext();
  }

  /** Waits until the exporter ends by itself. */
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
    startAtOnce();
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
    stop();
    clouds.afterAll(context);
  }

  private void startAtOnce() {
    if (startsAtOnce) {
      start();
    }
  }
}
