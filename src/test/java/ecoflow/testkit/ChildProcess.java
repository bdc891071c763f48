package ecoflow.testkit;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A program that runs in parallel with the tests, with its output in a file. */
public final class ChildProcess implements AutoCloseable {

  private static final long TIMEOUT_SECONDS = 180;
  private static final String JAVA_HOME = System.getProperty("java.home");
  private static final List<String> WITH_DEFAULT_SIGNALS = withDefaultSignals();

  private final Process process;
  private final Path output;

  private ChildProcess(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /**
   * Starts a command in a directory. Its environment is that of the tests without the variables
   * ECOFLOW_..., plus the given variables. Connections to servers of the tests do not use a proxy
   * of this machine.
   *
   * @param output the file for the program's output
   */
  public static ChildProcess start(
      Path directory, Path output, Map<String, String> variables, List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("ECOFLOW_"));
    String direct = environment.getOrDefault("no_proxy", environment.getOrDefault("NO_PROXY", ""));
    environment.put("no_proxy", direct + ",localhost,127.0.0.1");
    environment.putAll(variables);
    builder.redirectErrorStream(true).redirectOutput(output.toFile());
    try {
      return new ChildProcess(builder.start(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Starts a shell command line that Ctrl-C interrupts, as in a terminal. A shell that runs a
   * command in the background makes the command and its children ignore that signal.
   */
  public static ChildProcess shell(
      Path directory, Path output, Map<String, String> variables, String line) {
    Map<String, String> all = new HashMap<>(variables);
    all.put("JAVA_HOME", JAVA_HOME);
    all.put("PATH", JAVA_HOME + "/bin:" + System.getenv("PATH"));
    List<String> command = new ArrayList<>(WITH_DEFAULT_SIGNALS);
    command.addAll(List.of("sh", "-c", line));
    return start(directory, output, all, command);
  }

  /** Uses an option of GNU env; with another env, the signals are not changed. */
  private static List<String> withDefaultSignals() {
    List<String> command = List.of("env", "--default-signal=INT");
    try {
      int code =
          new ProcessBuilder("env", "--default-signal=INT", "true")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .onExit()
              .join()
              .exitValue();
      return code == 0 ? command : List.of();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** Runs a command and expects exit code 0. */
  public static void run(Path directory, Path output, String... command) {
    try (ChildProcess process = start(directory, output, Map.of(), List.of(command))) {
      assertEquals(0, process.exitCode(), () -> String.join(" ", command) + process.lines());
    }
  }

  /**
   * Starts the exporter with the class path of the tests.
   *
   * @param options options of the Java runtime
   */
  public static ChildProcess exporter(
      Path directory, Path output, Map<String, String> variables, List<String> options) {
    List<String> command = new ArrayList<>(List.of(JAVA_HOME + "/bin/java"));
    command.addAll(options);
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), "ecoflow.EcoflowExporter"));
    return start(directory, output, variables, command);
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Waits until the program ends. */
  public int exitCode() {
    return exitCode(TIMEOUT_SECONDS);
  }

  public int exitCode(long timeoutSeconds) {
    try {
      assertTrue(
          process.waitFor(timeoutSeconds, TimeUnit.SECONDS), () -> "still running: " + lines());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    return process.exitValue();
  }

  /** The output of the program. */
  public List<String> lines() {
    try {
      return Files.readAllLines(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for a line that contains this text. */
  public void awaitLine(String text) {
    awaitLine(text, TIMEOUT_SECONDS);
  }

  public void awaitLine(String text, long timeoutSeconds) {
    await()
        .atMost(Duration.ofSeconds(timeoutSeconds))
        .untilAsserted(
            () -> {
              if (lines().stream().noneMatch(line -> line.contains(text))) {
                String problem = "no line contains " + text + ": " + lines();
                if (!process.isAlive()) {
                  throw new IllegalStateException(problem);
                }
                fail(problem);
              }
            });
  }

  /** Sends a signal by its name, such as TERM. */
  public void signal(String name) {
    signal(name, Stream.of(process.toHandle()));
  }

  /** Sends the signal of Ctrl-C in a terminal, to the program and all its children. */
  public void interrupt() {
    signal("INT", Stream.concat(process.descendants(), Stream.of(process.toHandle())));
  }

  private static void signal(String name, Stream<ProcessHandle> receivers) {
    List<String> command =
        new ArrayList<>(List.of("sh", "-c", "kill -" + name + " \"$@\"", "kill"));
    receivers.forEach(receiver -> command.add(Long.toString(receiver.pid())));
    try {
      int code = new ProcessBuilder(command).inheritIO().start().onExit().join().exitValue();
      assertEquals(0, code, () -> String.join(" ", command));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Kills the program and all its children, like a crash. */
  public void kill() {
    List<ProcessHandle> descendants = process.descendants().toList();
    process.destroyForcibly().onExit().join();
    descendants.forEach(ProcessHandle::destroyForcibly);
  }

  @Override
  public void close() {
    kill();
  }
}
