package ecoflow.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The log messages in docs/TROUBLESHOOTING.md are those of the sources. */
class TroubleshootingTest {

  /** A log message in the first cell of a row. */
  private static final Pattern MESSAGE = Pattern.compile("(?m)^\\|[^|]*`[^|]*\\|");

  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  /** Omitted text, numbers and paths are variable parts of a message. */
  private static final Pattern VARIABLE = Pattern.compile("\\.\\.\\.|\\d+|/[a-z/]+,?");

  /** A message of the JVM. */
  private static final String JVM = "Terminating due to java.lang.OutOfMemoryError";

  @Test
  void logMessagesAreThoseOfTheSources() throws IOException {
    String sources = sources();
    List<String> missing = new ArrayList<>();
    int found = 0;
    String document = Files.readString(Path.of("docs/TROUBLESHOOTING.md"));
    for (MatchResult cell : MESSAGE.matcher(document).results().toList()) {
      for (MatchResult message : CODE.matcher(cell.group()).results().toList()) {
        if (!message.group(1).equals(JVM)) {
          found++;
          VARIABLE
              .splitAsStream(message.group(1))
              .map(part -> part.replaceAll("\\(.*|\\).*", "").strip())
              .filter(part -> part.length() > 2 && !sources.contains(part))
              .forEach(part -> missing.add(message.group(1) + ": " + part));
        }
      }
    }
    assertEquals(List.of(), missing);
    assertTrue(found > 15, found + " messages");
  }

  /** The Java sources with concatenated strings joined. */
  private static String sources() throws IOException {
    StringBuilder text = new StringBuilder();
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
        text.append(Files.readString(file).replaceAll("\"\\s*\\+\\s*\"", ""));
      }
    }
    return text.toString();
  }
}
