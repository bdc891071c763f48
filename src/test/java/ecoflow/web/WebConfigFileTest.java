package ecoflow.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ecoflow.config.TimeLimit;
import java.io.FileNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Access to unresponsive files: a pipe without a writer behaves like a network share without a
 * server.
 */
class WebConfigFileTest {

  @TempDir Path directory;

  @Test
  void unresponsiveFileIsReportedInOneLine() throws Exception {
    Path pipe = directory.resolve("web.yml");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    WebConfigException failure =
        assertThrows(
            WebConfigException.class,
            () ->
                WebConfigFile.within(
                    new TimeLimit(Duration.ofSeconds(1)), () -> Files.readString(pipe)));
    assertEquals(
        "the file, or a file that it refers to, cannot be read within 1 s", failure.getMessage());
  }

  @Test
  void errorInFileIsReported() {
    WebConfigException problem = new WebConfigException("the file is not valid YAML");
    assertEquals(
        problem,
        assertThrows(
            WebConfigException.class,
            () ->
                WebConfigFile.within(
                    TimeLimit.START,
                    () -> {
                      throw problem;
                    })));
    assertThrows(
        IllegalStateException.class,
        () ->
            WebConfigFile.within(
                TimeLimit.START,
                () -> {
                  throw new FileNotFoundException();
                }));
  }
}
