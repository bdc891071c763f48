package ecoflow.testkit;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The packaged jar, copied to an otherwise empty directory and started there.
 *
 * <p>In a field with {@code @RegisterExtension}, each test has its own directory, and the exporter
 * stops after the test.
 */
public final class ExporterJar implements BeforeEachCallback, AfterEachCallback, AutoCloseable {

  private static final String NAME = "ecoflow-exporter.jar";

  private final Optional<CloudExtension> clouds;
  private Path directory;
  private final int port = Ports.next();
  private final Page page = pageAt(port);
  private ChildProcess process;

  /** An extension that runs the exporter with this cloud. */
  public ExporterJar(CloudExtension clouds) {
    this.clouds = Optional.of(clouds);
  }

  /** Uses an existing directory. */
  public ExporterJar(Path directory) {
    this.clouds = Optional.empty();
    copyTo(directory);
  }

  private void copyTo(Path target) {
    directory = target;
    try {
      Files.copy(Path.of(System.getProperty("exporter.jar")), file());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The page of an exporter in another process; empty while it does not respond. */
  public static Page pageAt(int port) {
    return new Page(() -> textAt(port), () -> "unknown");
  }

  private static String textAt(int port) {
    try {
      return new LocalHttp(port).get("/metrics").body();
    } catch (UncheckedIOException e) {
      return "";
    }
  }

  public Path file() {
    return directory.resolve(NAME);
  }

  /** The EXPORTER_PORT for {@link #start}. */
  public int port() {
    return port;
  }

  /**
   * Starts the exporter with the cloud of the extension.
   *
   * @param mode rest, open, mqtt or device
   */
  public void start(String mode, String... variables) {
    start(variables(mode, variables));
  }

  /** The variables for the cloud of the extension. */
  public Map<String, String> variables(String mode, String... more) {
    return Variables.of(clouds.orElseThrow().cloud(), mode, more);
  }

  public void start(Map<String, String> variables, String... jvmOptions) {
    start(variables, List.of(jvmOptions), List.of());
  }

  /** Runs a command of the jar and waits until it ends. */
  public int run(Map<String, String> variables, String... arguments) {
    start(variables, List.of(), List.of(arguments));
    return exitCode();
  }

  private void start(
      Map<String, String> variables, List<String> jvmOptions, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(jvmOptions);
    command.addAll(List.of("-jar", NAME));
    command.addAll(arguments);
    Map<String, String> all = new HashMap<>(variables);
    all.putIfAbsent("EXPORTER_PORT", Integer.toString(port));
    process = ChildProcess.start(directory, directory.resolve("log"), all, command);
  }

  public Page page() {
    return page;
  }

  public LocalHttp http() {
    return new LocalHttp(port);
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Sends SIGTERM and returns the exit code. */
  public int terminate() {
    process.signal("TERM");
    return exitCode();
  }

  /** Waits until the process ends. */
  public int exitCode() {
    return process.exitCode();
  }

  public List<String> log() {
    return process.lines();
  }

  /** The text after this part, such as a level and a logger, of all log lines that contain it. */
  public List<String> log(String part) {
    return log().stream()
        .filter(line -> line.contains(part))
        .map(line -> line.substring(line.indexOf(part) + part.length()))
        .toList();
  }

  public String lastLine() {
    return log().get(log().size() - 1);
  }

  public void awaitLine(String text) {
    process.awaitLine(text);
  }

  /** Waits until the device has a series of this name. */
  public void awaitSeries(String serial, String name) {
    eventually(
        () -> assertFalse(page.series(name, "device=" + serial).isEmpty(), () -> name + log()));
  }

  /** Waits until an exporter metric has a value. */
  public void awaitOwn(double value, String name, String... labels) {
    eventually(
        () ->
            assertTrue(
                page.series(name, labels).stream().anyMatch(series -> series.value() == value),
                () -> name + log()));
  }

  /** Waits until a counter of the exporter, which can increase further, has reached a value. */
  public void awaitAtLeast(double value, String name, String... labels) {
    eventually(
        () ->
            assertTrue(
                page.series(name, labels).stream().anyMatch(series -> series.value() >= value),
                () -> name + log()));
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    copyTo(Files.createTempDirectory("exporter"));
  }

  @Override
  public void afterEach(ExtensionContext context) {
    close();
    Directories.delete(directory);
  }

  @Override
  public void close() {
    if (process != null) {
      process.close();
    }
  }
}
