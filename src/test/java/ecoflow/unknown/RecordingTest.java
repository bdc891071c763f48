package ecoflow.unknown;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A file that cannot be written ends the recording, with one line in the log and no other effect.
 */
@Timeout(60)
class RecordingTest {

  @TempDir private Path parent;
  private final List<String> lines = new ArrayList<>();
  private Path directory;

  @BeforeEach
  void createDirectory() throws IOException {
    directory = Files.createDirectory(parent.resolve("records"));
  }

  @AfterEach
  void unmount() throws IOException, InterruptedException {
    run("umount", directory.toString());
  }

  private static boolean run(String... command) throws IOException, InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      // The program is not installed.
      return false;
    }
  }

  private static void record(Recording recording, int number, int length) {
    recording.append("{\"number\": " + number + ", \"text\": \"" + "x".repeat(length) + "\"}");
  }

  /** Requires permission to mount. The system reports the full disk in the middle of a line. */
  @Test
  void fullDiskEndsRecordingAfterLastCompleteLine() throws Exception {
    assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory.toString()),
        "mounting is not permitted");
    Recording recording = Recording.ofUnknown(directory, lines::add);
    for (int i = 0; i < 50; i++) {
      record(recording, i, 3_000);
    }

    Path file = directory.resolve(Recording.UNKNOWN);
    assertEquals(
        List.of(
            "No more unknown messages are recorded: "
                + file
                + " cannot be written (No space left on device)"),
        lines);
    List<String> records = Files.readAllLines(file);
    assertTrue(records.size() > 5, () -> records.size() + " records");
    for (String record : records) {
      new ObjectMapper().readTree(record);
    }
    assertTrue(Files.readString(file).endsWith("}\n"));
  }

  @Test
  void fifoInPlaceOfFileIsNotOpened() throws Exception {
    Path file = directory.resolve(Recording.UNKNOWN);
    assumeTrue(run("mkfifo", file.toString()), "mkfifo is not installed");
    Recording recording = Recording.ofUnknown(directory, lines::add);
    record(recording, 1, 100);
    assertEquals(
        List.of("No more unknown messages are recorded: " + file + " is not a regular file"),
        lines);
  }

  /** The target of the link must not get the mode and the lines of a recording. */
  @Test
  void symbolicLinkIsNotFollowed() throws Exception {
    Path target = Files.writeString(parent.resolve("other"), "");
    Path file = Files.createSymbolicLink(directory.resolve(Recording.UNKNOWN), target);
    Recording recording = Recording.ofUnknown(directory, lines::add);
    record(recording, 1, 100);
    assertEquals("", Files.readString(target));
    assertEquals(
        List.of("No more unknown messages are recorded: " + file + " is not a regular file"),
        lines);
  }

  @Test
  void incompleteLineDoesNotDamageTheNextOne() throws Exception {
    Path file = Files.writeString(directory.resolve(Recording.UNKNOWN), "{\"number\": 1,");
    Recording recording = Recording.ofUnknown(directory, lines::add);
    record(recording, 2, 1);
    record(recording, 3, 1);
    assertEquals(
        List.of(
            "{\"number\": 1,",
            "{\"number\": 2, \"text\": \"x\"}",
            "{\"number\": 3, \"text\": \"x\"}"),
        Files.readAllLines(file));
    assertEquals(List.of(), lines);
  }
}
