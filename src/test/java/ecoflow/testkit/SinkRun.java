package ecoflow.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ecoflow.cloud.SimulatedCloud;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The finished jar with one sink of {@code examples/routes}: its file in a folder of its own, and
 * its component fetched by the command that the head of the file names.
 */
public final class SinkRun implements AutoCloseable {

  /** The component's jars stay from one build to the next, until {@code clean}. */
  private static final Path FETCHED = Path.of("target/sinks").toAbsolutePath();

  private static final String FETCH = "./mvnw ";
  private static final String LIB = "-Dlib=/etc/ecoflow/lib";

  private final Path folder;
  private final SimulatedCloud cloud;
  private final ExporterJar jar;
  private final Map<String, String> folders = new HashMap<>();

  public SinkRun(Path folder, SimulatedCloud cloud, String sink) {
    this(folder, cloud, SinkFile.of(sink));
  }

  /** As the other, with any file. */
  public SinkRun(Path folder, SimulatedCloud cloud, SinkFile file) {
    this.folder = folder;
    this.cloud = cloud;
    jar = new ExporterJar(folder);
    try {
      Path routes = Files.createDirectory(folder.resolve("routes"));
      Files.copy(file.path(), routes.resolve(file.path().getFileName()));
      folders.put("ECOFLOW_ROUTES_DIR", routes.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String needs = file.head("Needs");
    if (needs.contains(FETCH)) {
      folders.put("ECOFLOW_LIB_DIR", fetch(file.name(), needs).toString());
    }
  }

  /** The folder with the jars that a command of Maven has fetched. */
  private Path fetch(String name, String needs) {
    return fetch(name, folder, needs.substring(needs.indexOf(FETCH)), LIB, "-Dlib=");
  }

  /** Runs a command of Maven that puts jars into a folder, unless they are there already. */
  static Path fetch(String name, Path work, String command, String option, String assignment) {
    Path fetched = FETCHED.resolve(name);
    if (!Files.isDirectory(fetched)) {
      // Under another name, or a fetch that is cut off would be taken for a whole one.
      Path part = FETCHED.resolve(name + ".part");
      try {
        Files.createDirectories(FETCHED);
        String line = command.replace(option, assignment + part);
        try (ChildProcess maven =
            ChildProcess.shell(
                Path.of("").toAbsolutePath(), work.resolve("fetch"), Map.of(), line)) {
          assertEquals(0, maven.exitCode(), () -> line + maven.lines());
        }
        Files.move(part, fetched);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return fetched;
  }

  /** What validate says of the file, with the exit code at the end. */
  public List<String> validate(String... variables) {
    Map<String, String> all = with(Map.of(), variables);
    int code = jar.run(all, "validate");
    List<String> lines = new ArrayList<>(jar.log());
    lines.add("exit code " + code);
    return lines;
  }

  /** Starts the exporter in mode mqtt, and waits until it is connected to the cloud. */
  public void start(String... variables) {
    start(List.of(), variables);
  }

  public void start(List<String> jvmOptions, String... variables) {
    jar.start(with(Variables.of(cloud, "mqtt"), variables), jvmOptions.toArray(String[]::new));
    jar.awaitOwn(1, "mqtt_connected", "client_type=mqtt");
  }

  private Map<String, String> with(Map<String, String> more, String... variables) {
    Map<String, String> all = new HashMap<>(more);
    all.putAll(folders);
    for (String variable : variables) {
      int equals = variable.indexOf('=');
      all.put(variable.substring(0, equals), variable.substring(equals + 1));
    }
    return all;
  }

  public ExporterJar jar() {
    return jar;
  }

  /** The messages that came to the door of the sink so far, such as changes-kafka. */
  public double taken(String door) {
    return count(door, "taken");
  }

  /** The messages that the door has lost so far, for more wait than may. */
  public double dropped(String door) {
    return count(door, "dropped");
  }

  private double count(String door, String result) {
    return jar.page().series("sink_messages_total", "sink=" + door, "result=" + result).stream()
        .mapToDouble(Series::value)
        .sum();
  }

  /** Ends the exporter with a signal; what it has logged must be lines, not stack traces. */
  public void endWell() {
    assertEquals(143, jar.terminate(), () -> "" + jar.log());
    assertEquals(List.of(), traces(), () -> "" + jar.log());
  }

  /** The lines of the log that do not start with a time, as those of a stack trace. */
  public List<String> traces() {
    return jar.log().stream().filter(line -> !line.matches("\\d{4}-\\d\\d-\\d\\dT.*")).toList();
  }

  @Override
  public void close() {
    jar.close();
  }
}
