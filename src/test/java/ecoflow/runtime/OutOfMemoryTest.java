package ecoflow.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ecoflow.mqtt.OutOfMemoryInPaho;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Errors in different places, each in a separate process, because the error must end it. */
class OutOfMemoryTest {

  private static final long TIMEOUT_SECONDS = 120;

  @TempDir Path directory;

  private record End(int exitCode, List<String> lines) {}

  private End run(Class<?> main, String... arguments) throws IOException, InterruptedException {
    Path output = directory.resolve("output");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    process.destroyForcibly();
    List<String> lines = Files.readAllLines(output, UTF_8);
    assertTrue(ended, () -> "still running: " + lines);
    return new End(process.exitValue(), lines);
  }

  private static void assertEndedOutOfMemory(End end) {
    assertEquals(3, end.exitCode(), () -> "" + end.lines());
    assertEquals(
        List.of("ecoflow-exporter: out of memory (test); exiting with exit code 3"),
        end.lines().stream().filter(line -> line.contains("out of memory")).toList(),
        () -> "" + end.lines());
    assertTrue(
        end.lines().stream().noneMatch(line -> line.startsWith("\tat ")), () -> "" + end.lines());
  }

  @ParameterizedTest
  @EnumSource(OutOfMemoryProcess.Place.class)
  void endsProcessWithOneLineAfterErrorInEachPlace(OutOfMemoryProcess.Place place)
      throws Exception {
    assertEndedOutOfMemory(run(OutOfMemoryProcess.class, place.name(), "test"));
  }

  @Test
  void endsProcessAfterErrorInPahoCallback() throws Exception {
    assertEndedOutOfMemory(run(OutOfMemoryInPaho.class, "test"));
  }

  @Test
  void longReasonIsTruncated() throws Exception {
    End end =
        run(OutOfMemoryProcess.class, OutOfMemoryProcess.Place.THREAD.name(), "x".repeat(2000));
    assertEquals(3, end.exitCode());
    assertEquals(
        List.of(
            "ecoflow-exporter: out of memory (" + "x".repeat(200) + "); exiting with exit code 3"),
        end.lines());
  }

  @Test
  void findsErrorInCauses() {
    OutOfMemoryError error = new OutOfMemoryError("test");
    assertSame(error, OutOfMemory.find(error));
    assertSame(error, OutOfMemory.find(new IllegalStateException(new IOException(error))));
    assertNull(OutOfMemory.find(null));
    assertNull(OutOfMemory.find(new IOException("out of memory")));
    assertNull(OutOfMemory.find(new StackOverflowError()), "fails only the message that causes it");
  }

  @Test
  @Timeout(60)
  void endsSearchInCyclicCauses() {
    Exception first = new IllegalStateException("first");
    first.initCause(new IOException("second", first));
    assertNull(OutOfMemory.find(first));
  }

  @Test
  void otherFailuresDoNotEndProcess() throws Exception {
    OutOfMemory.endIf(new IOException("out of memory"));
    End end =
        run(
            OutOfMemoryProcess.class,
            OutOfMemoryProcess.Place.THREAD.name(),
            OutOfMemoryProcess.HARMLESS);
    assertEquals(0, end.exitCode());
    assertTrue(end.lines().get(0).contains("Thread test-thread failed"), () -> "" + end.lines());
    assertTrue(
        end.lines().stream().anyMatch(line -> line.contains("IllegalStateException: harmless")),
        () -> "" + end.lines());
  }
}
