package ecoflow.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.cloud.SimulatedCloud;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The packaged jar with one sink of {@code examples/routes}: its file in a separate directory, and
 * its component downloaded by the command in the head comment of the file.
 */
public final class SinkRun implements AutoCloseable {

  /** The component's jars are kept between builds, until {@code clean}. */
  private static final Path FETCHED = Path.of("target/sinks").toAbsolutePath();

  private static final String ADD = "ECOFLOW_LIB_DIR=/etc/ecoflow/lib ";

  private final Path directory;
  private final SimulatedCloud cloud;
  private final ExporterJar jar;
  private final Map<String, String> directories = new HashMap<>();

  public SinkRun(Path directory, SimulatedCloud cloud, String sink) {
    this(directory, cloud, SinkFile.of(sink));
  }

  /** Uses any file. */
  public SinkRun(Path directory, SimulatedCloud cloud, SinkFile file) {
    this.directory = directory;
    this.cloud = cloud;
    jar = new ExporterJar(directory);
    try {
      Path routes = Files.createDirectory(directory.resolve("routes"));
      Files.copy(file.path(), routes.resolve(file.path().getFileName()));
      directories.put("ECOFLOW_ROUTES_DIR", routes.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String needs = file.head("Needs");
    if (needs.contains(ADD)) {
      directories.put("ECOFLOW_LIB_DIR", fetch(file.name(), needs).toString());
    }
  }

  /** Returns the directory with the jars that the command lib has added. */
  private Path fetch(String name, String needs) {
    String command = needs.substring(needs.indexOf(ADD) + ADD.length());
    return fetch(
        name,
        lib ->
            ChildProcess.shell(
                Distribution.unpackedIn(directory).directory(),
                directory.resolve("fetch"),
                Map.of("ECOFLOW_LIB_DIR", lib.toString()),
                command));
  }

  /**
   * Runs a command that downloads jars into a directory, unless they are already there. Another
   * process of the test run can need the same jars.
   *
   * @param download starts the command with the directory
   */
  static Path fetch(String name, Function<Path, ChildProcess> download) {
    Path fetched = FETCHED.resolve(name);
    // Uses another name at first, because an interrupted download would look complete.
    Path part = FETCHED.resolve(name + ".part");
    try {
      Files.createDirectories(FETCHED);
      try (FileChannel file =
          FileChannel.open(
              FETCHED.resolve(name + ".lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE)) {
        // Until the file is closed.
        file.lock();
        if (!Files.isDirectory(fetched)) {
          try (ChildProcess process = download.apply(part)) {
            assertEquals(0, process.exitCode(), () -> name + process.lines());
          }
          Files.move(part, fetched);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return fetched;
  }

  /** The output of validate for the file, followed by the exit code. */
  public List<String> validate(String... variables) {
    Map<String, String> all = with(Map.of(), variables);
    int code = jar.run(all, "validate");
    List<String> lines = new ArrayList<>(jar.log());
    lines.add("exit code " + code);
    return lines;
  }

  /** Starts the exporter in mode MQTT, and waits until it is connected to the cloud. */
  public void start(String... variables) {
    start(List.of(), variables);
  }

  public void start(List<String> jvmOptions, String... variables) {
    jar.start(with(Variables.of(cloud, "mqtt"), variables), jvmOptions.toArray(String[]::new));
    jar.awaitOwn(1, "mqtt_connected", "client_type=mqtt");
  }

  private Map<String, String> with(Map<String, String> more, String... variables) {
    Map<String, String> all = new HashMap<>(more);
    all.putAll(directories);
    Variables.assign(all, variables);
    return all;
  }

  public ExporterJar jar() {
    return jar;
  }

  /**
   * Number of messages that the entry route of the sink, such as changes-kafka, has accepted so
   * far.
   */
  public double accepted(String sink) {
    return count(sink, "taken");
  }

  /** Number of messages that the entry route has dropped so far because its queue was full. */
  public double dropped(String sink) {
    return count(sink, "dropped");
  }

  private double count(String sink, String result) {
    return jar.page().series("sink_messages_total", "sink=" + sink, "result=" + result).stream()
        .mapToDouble(Series::value)
        .sum();
  }

  /** Terminates the exporter, and asserts the exit code and a log without stack traces. */
  public void terminateCleanly() {
    assertEquals(143, jar.terminate(), () -> "" + jar.log());
    assertEquals(List.of(), traces(), () -> "" + jar.log());
  }

  /** The log lines that do not start with a time, such as those of a stack trace. */
  public List<String> traces() {
    return jar.log().stream().filter(line -> !line.matches("\\d{4}-\\d\\d-\\d\\dT.*")).toList();
  }

  @Override
  public void close() {
    jar.close();
  }
}
