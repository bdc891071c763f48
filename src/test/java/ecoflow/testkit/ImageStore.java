package ecoflow.testkit;

import static ecoflow.testkit.Eventually.eventually;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Container images in a separate directory, built by deploy/image/build.sh and run by podman, as
 * far as possible on a machine without a container engine, systemd and resource limits.
 */
public final class ImageStore implements AutoCloseable {

  private static final long BUILD_SECONDS = 900;
  private static final List<String> PROGRAMS = List.of("buildah", "podman", "runc", "mmdebstrap");
  private static final List<String> PODMAN =
      List.of("podman", "--cgroup-manager", "cgroupfs", "--runtime", "runc");
  private static final List<String> RUN =
      List.of("run", "--network=host", "--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096");

  private final Path directory;
  private final Map<String, String> variables;
  private final AtomicInteger commands = new AtomicInteger();
  private final List<String> containers = new ArrayList<>();

  /** Uses an existing directory. */
  public ImageStore(Path directory) {
    this.directory = directory;
    Path configuration = directory.resolve("storage.conf");
    variables = Map.of("CONTAINERS_STORAGE_CONF", configuration.toString());
    try {
      Files.write(
          configuration,
          List.of(
              "[storage]",
              "driver = \"overlay\"",
              "graphroot = \"" + directory.resolve("images") + "\"",
              "runroot = \"" + directory.resolve("run") + "\""));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether this machine can build images from Debian packages. */
  public static boolean isSupported() {
    return System.getProperty("user.name").equals("root")
        && Files.exists(Path.of("/etc/debian_version"))
        && PROGRAMS.stream().allMatch(program -> Programs.find(program).isPresent());
  }

  /** Builds both images and returns the output of the script. */
  public List<String> build() {
    return run(
        List.of(Path.of("deploy/image/build.sh").toAbsolutePath().toString(), "--stand-ins"));
  }

  /**
   * Runs a container until it ends, and returns its output.
   *
   * @param options of podman, the image, and its arguments
   */
  public List<String> run(String... options) {
    return podman(Stream.concat(Stream.of("--rm"), Stream.of(options)).toList(), RUN);
  }

  /** Starts a container in the background; the options are those of {@link #run}. */
  public void start(String name, List<String> options) {
    containers.add(name);
    podman(Stream.concat(Stream.of("-d", "--name", name), options.stream()).toList(), RUN);
  }

  /** Runs another podman command and returns its output. */
  public List<String> podman(String... arguments) {
    return podman(List.of(arguments), List.of());
  }

  /** The exit code of a podman command. */
  public int exitCode(String... arguments) {
    try (ChildProcess process = startCommand(command(List.of(arguments), List.of()))) {
      return process.exitCode();
    }
  }

  private List<String> podman(List<String> arguments, List<String> before) {
    return run(command(arguments, before));
  }

  private static List<String> command(List<String> arguments, List<String> before) {
    return Stream.of(PODMAN, before, arguments).flatMap(List::stream).toList();
  }

  private List<String> run(List<String> command) {
    try (ChildProcess process = startCommand(command)) {
      int code = process.exitCode(BUILD_SECONDS);
      if (code != 0) {
        throw new IllegalStateException(
            command + " failed with exit code " + code + ": " + process.lines());
      }
      return process.lines().stream().filter(line -> !isSystemdWarning(line)).toList();
    }
  }

  /** Podman would use systemd for the health check; the tests run the health check themselves. */
  private static boolean isSystemdWarning(String line) {
    return line.startsWith("time=") && line.contains("systemd");
  }

  private ChildProcess startCommand(List<String> command) {
    return ChildProcess.start(
        Path.of("").toAbsolutePath(),
        directory.resolve("output-" + commands.incrementAndGet()),
        variables,
        command);
  }

  /**
   * Stops all containers. Images are kept in mounts, which must be unmounted before the directory
   * is deleted; the cleanup of podman after a container can create another mount in the meantime.
   */
  @Override
  public void close() {
    containers.forEach(name -> exitCode("rm", "--force", "--time", "0", name));
    List<String> delete =
        List.of(
            "sh",
            "-c",
            "awk -v under=\"$1/\" 'index($2, under) == 1 {print $2}' /proc/mounts | sort -r"
                + " | while read -r mount; do umount \"$mount\"; done;"
                + " rm -rf \"$1/images\" \"$1/run\"",
            "sh",
            directory.toString());
    eventually(() -> assertDoesNotThrow(() -> run(delete)));
  }
}
