package ecoflow.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Checks a page with the parser of Prometheus. */
public final class Promtool {

  private Promtool() {}

  /**
   * @param output the complete output
   */
  public record Result(int exitCode, String output) {}

  /** Skips the test if promtool is not installed. */
  public static void assumeInstalled() {
    assumeTrue(Programs.find("promtool").isPresent(), "promtool is not installed");
  }

  /**
   * Converts a file in the OpenMetrics format to blocks of Prometheus.
   *
   * @param directory the directory of the blocks
   */
  public static Result createBlocks(Path file, Path directory)
      throws IOException, InterruptedException {
    return result(
        new ProcessBuilder(
            "promtool",
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            file.toString(),
            directory.toString()));
  }

  /**
   * @param directory location of the page
   */
  public static Result check(Path directory, String page) throws IOException, InterruptedException {
    Path file = Files.writeString(directory.resolve("page"), page);
    return result(new ProcessBuilder("promtool", "check", "metrics").redirectInput(file.toFile()));
  }

  private static Result result(ProcessBuilder command) throws IOException, InterruptedException {
    Process promtool = command.redirectErrorStream(true).start();
    String output = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(promtool.waitFor(), output);
  }
}
