package ecoflow.testkit;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program that runs beside the tests, with its output in a file. */
public final class ChildProcess implements AutoCloseable {

  private static final long PATIENCE_SECONDS = 60;

  private final Process process;
  private final Path output;

  private ChildProcess(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /**
   * Starts a command in a folder. Its environment is that of the tests without any ECOFLOW_ and
   * with the given variables.
   *
   * @param output the file that gets what the program prints
   */
  public static ChildProcess start(
      Path folder, Path output, Map<String, String> variables, List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("ECOFLOW_"));
    builder.environment().putAll(variables);
    builder.redirectErrorStream(true).redirectOutput(output.toFile());
    try {
      return new ChildProcess(builder.start(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a command to its good end. */
  public static void run(Path folder, Path output, String... command) {
    try (ChildProcess process = start(folder, output, Map.of(), List.of(command))) {
      assertEquals(0, process.exitCode(), () -> String.join(" ", command) + process.lines());
    }
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for the end. */
  public int exitCode() {
    return exitCode(PATIENCE_SECONDS);
  }

  public int exitCode(long patienceSeconds) {
    try {
      assertTrue(process.waitFor(patienceSeconds, TimeUnit.SECONDS), () -> "runs on: " + lines());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    return process.exitValue();
  }

  /** What the program has printed. */
  public List<String> lines() {
    try {
      return Files.readAllLines(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for a line with these words. */
  public void awaitLine(String words) {
    eventually(
        () ->
            assertTrue(
                lines().stream().anyMatch(line -> line.contains(words)),
                () -> "no line with " + words + ": " + lines()));
  }

  /** Sends a signal by its name: INT is that of Ctrl-C, TERM that of kill. */
  public void signal(String name) {
    try {
      int code =
          new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
              .inheritIO()
              .start()
              .waitFor();
      assertEquals(0, code, "kill -" + name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Ends the program and all that it started, as a crash would. */
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
