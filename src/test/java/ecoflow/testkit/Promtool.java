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
   * @param directory location of the page
   */
  public static Result check(Path directory, String page) throws IOException, InterruptedException {
    Path file = Files.writeString(directory.resolve("page"), page);
    Process promtool =
        new ProcessBuilder("promtool", "check", "metrics")
            .redirectInput(file.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(promtool.waitFor(), output);
  }
}
