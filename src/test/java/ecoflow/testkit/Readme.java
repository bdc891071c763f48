package ecoflow.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The commands, settings and examples of the README, the configuration and the manual. */
public final class Readme {

  private static final Pattern BLOCK = Pattern.compile("(?ms)^( *)```(\\w*)\\n(.*?)^ *```$");

  /** A program with arguments between backquotes in text. */
  private static final Pattern INLINE =
      Pattern.compile("`((?:\\w+=\\S+ )*(?:\\./\\w+|java|docker|cp|mv|curl|git|kill|sh) [^`]+)`");

  private static final Pattern SAMPLE_OF_METRICS = Pattern.compile("(?m)^ecoflow_\\w+\\{");

  private final String text;

  public Readme() {
    try {
      text =
          Files.readString(Path.of("README.md"))
              + Files.readString(Path.of("docs/CONFIGURATION.md"))
              + Files.readString(Path.of("docs/MANUAL.md"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public String text() {
    return text;
  }

  /** All shell commands: each line of the shell blocks, then those in the text. */
  public List<String> commands() {
    List<String> commands = new ArrayList<>();
    Stream.of("", "sh", "bash")
        .flatMap(language -> blocks(language).stream())
        .filter(block -> !SAMPLE_OF_METRICS.matcher(block).find())
        .flatMap(block -> block.replace("\\\n", " ").lines())
        .forEach(commands::add);
    INLINE
        .matcher(BLOCK.matcher(text).replaceAll(""))
        .results()
        .forEach(command -> commands.add(command.group(1)));
    return commands.stream()
        .map(command -> command.strip().replaceAll(" +", " "))
        .distinct()
        .toList();
  }

  /** The code blocks of a language, without the indentation of their fences. */
  public List<String> blocks(String language) {
    return BLOCK
        .matcher(text)
        .results()
        .filter(block -> block.group(2).equals(language))
        .map(Readme::content)
        .toList();
  }

  private static String content(MatchResult block) {
    return block.group(3).replaceAll("(?m)^" + block.group(1), "");
  }
}
