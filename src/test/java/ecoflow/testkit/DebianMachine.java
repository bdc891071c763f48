package ecoflow.testkit;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A copy of this Debian machine on which systemd runs. The copy is an overlay of the file system,
 * so packages can be installed without changing the machine. It uses the network of the machine.
 */
public final class DebianMachine implements AutoCloseable {

  private static final long COMMAND_SECONDS = 180;
  private static final List<String> PROGRAMS = List.of("dpkg-deb", "unshare", "nsenter");

  private final Path directory;
  private final ChildProcess systemd;
  private final AtomicInteger commands = new AtomicInteger();

  /** Starts systemd; uses an existing directory on a file system that overlayfs supports. */
  public DebianMachine(Path directory) {
    this.directory = directory;
    systemd =
        ChildProcess.start(
            directory,
            directory.resolve("systemd"),
            Map.of(),
            List.of(
                "unshare",
                "--mount",
                "--pid",
                "--kill-child",
                "bash",
                Path.of("src/test/resources/deploy/machine.sh").toAbsolutePath().toString(),
                directory.toString()));
    eventually(
        () -> {
          assertTrue(systemd.isAlive(), () -> "" + systemd.lines());
          assertTrue(Files.exists(directory.resolve("pid")), () -> "" + systemd.lines());
          assertEquals(List.of("running"), run("systemctl is-system-running || true"));
        });
  }

  /**
   * Whether this machine can start its copy. On a machine that runs systemd itself, as developers'
   * machines do, two of them would use the same control groups.
   */
  public static boolean isSupported() {
    try {
      return System.getProperty("user.name").equals("root")
          && Files.exists(Path.of("/etc/debian_version"))
          && Files.isExecutable(Path.of("/lib/systemd/systemd"))
          && Files.notExists(Path.of("/run/systemd/system"))
          && Files.readString(Path.of("/proc/filesystems")).contains("overlay")
          && PROGRAMS.stream().allMatch(program -> Programs.find(program).isPresent());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The directory that is /mnt on the copy. */
  public Path shared() {
    return directory.resolve("shared");
  }

  /** Runs a shell script that must succeed, and returns its output. */
  public List<String> run(String script) {
    try {
      String pid = Files.readString(directory.resolve("pid")).strip();
      List<String> command =
          Stream.of("nsenter", "--target", pid, "--mount", "--pid", "sh", "-ec", script).toList();
      try (ChildProcess process =
          ChildProcess.start(
              directory,
              directory.resolve("output-" + commands.incrementAndGet()),
              Map.of(),
              command)) {
        assertEquals(0, process.exitCode(COMMAND_SECONDS), () -> script + process.lines());
        return process.lines();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends all processes of the copy; its mounts end with them. */
  @Override
  public void close() {
    systemd.kill();
    Path output = directory.resolve("group-removed");
    eventually(
        () ->
            assertDoesNotThrow(
                () ->
                    ChildProcess.run(
                        directory,
                        output,
                        "find",
                        Files.readString(directory.resolve("group")).strip(),
                        "-depth",
                        "-type",
                        "d",
                        "-exec",
                        "rmdir",
                        "{}",
                        "+")));
  }
}
