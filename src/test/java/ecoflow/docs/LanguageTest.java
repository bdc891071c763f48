package ecoflow.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The documents do not contain phrases that the glossary in docs/CONTRIBUTING.md replaces. */
class LanguageTest {

  /** Files without these phrases. A rewritten file belongs in this list. */
  private static final List<String> FILES =
      List.of(
          "CHANGELOG.md",
          "README.md",
          "SECURITY.md",
          "deploy/camel-k/README.md",
          "deploy/kubernetes/README.md",
          "docs/ALERTS.md",
          "docs/ARCHITECTURE.md",
          "docs/CONFIGURATION.md",
          "docs/CONTRIBUTING.md",
          "docs/INSTALL.md",
          "docs/MANUAL.md",
          "docs/MESSAGES.md",
          "docs/METRICS.md",
          "docs/MIGRATION.md",
          "docs/MODELS.md",
          "docs/PERFORMANCE.md",
          "docs/ROUTES.md",
          "docs/TROUBLESHOOTING.md");

  /**
   * A phrase to avoid.
   *
   * @param regex finds the phrase, ignoring case, in text with single spaces between words
   * @param instead the replacement
   * @param example text with the phrase
   */
  private record Phrase(String regex, String instead, String example) {}

  private static final List<Phrase> PHRASES =
      List.of(
          new Phrase("rooms?", "package", "each room"),
          new Phrase("doors?", "entry point", "the door of a package"),
          new Phrase("houses?|HouseTest", "architecture", "HouseTest holds the sizes"),
          new Phrase("story|stories", "trace", "the story of a message"),
          new Phrase("full pictures?", "snapshot, all values", "a full picture came"),
          new Phrase("ways? (of|to) the data", "path", "the way of the data"),
          new Phrase("words? (of|that)", "message, notification", "word that it is offline"),
          new Phrase("anew", "again", "the connection is made anew"),
          new Phrase("besides|likewise", "also, in addition to", "besides the raw ones"),
          new Phrase(
              "of the user's(?=\\s+(?:own|that)\\b|\\s*[.,;])",
              "the user's",
              "routes of the user's"),
          new Phrase(
              "(?<!there\\s{1,9})(is|are|was|were) no(?! longer)",
              "is not a",
              "which is no account"),
          new Phrase(
              "what (comes|came|stands|goes|went|lies|fits)", "a noun", "what stands behind it"),
          new Phrase("what (is|was) (wrong|there|missing|left)", "a noun", "says what is wrong"),
          new Phrase(
              "(for|to|by|of) who|who (asks?|wants?|looks?)", "clients that", "for who asks"),
          new Phrase("tells?|told", "report, log, show", "a counter tells"),
          new Phrase("says? (what|that|which|so|how|where)", "report, specify", "it says which"),
          new Phrase(
              "(holds?|held) [^.]{1,40} against", "compare with", "holds it against the table"),
          new Phrase("stands?(?! for\\b)|stood", "is, are", "it stands in the table"),
          new Phrase("lies?|lay", "is in", "it lies in the folder"),
          new Phrase("(hang|hangs|hung) on", "depend on", "nothing hangs on it"),
          new Phrase("(give|gives|gave|given) (up|out)", "stop retrying, exit", "it gives up"),
          new Phrase("(mend|mends|mended)", "fix", "the command mends it"),
          new Phrase("that there (is|are)", "existing", "the tests that there are"),
          new Phrase("looks? (whether|at)", "check", "looks whether it is open"));

  /** This section quotes the phrases. */
  private static final String EXEMPT_SECTION = "(?ms)^### Words to avoid$.*?(?=^#)";

  private static final String CODE = "(?ms)^ *```.*?^ *```$|`[^`]*`";
  private static final Pattern NO_LINE_END = Pattern.compile("[^\n]");

  /** Comments and strings of Java, after alternatives that could contain their start. */
  private static final Pattern JAVA_TEXT =
      Pattern.compile(
          "(?s)'(?:\\\\.|[^'\\\\])'|(\"\"\".*?\"\"\"|/\\*.*?\\*/|//[^\n]*|\"(?:\\\\.|[^\"\\\\\n])*\")");

  private static final String INLINE_TAG = "\\{@\\w+ [^}]*}";

  @ParameterizedTest
  @FieldSource("FILES")
  void containsNoPhraseToAvoid(String file) throws IOException {
    assertEquals(List.of(), findings(file, Files.readString(Path.of(file))));
  }

  @Test
  void commentsAndMessagesContainNoPhraseToAvoid() throws IOException {
    List<String> findings = new ArrayList<>();
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
        findings.addAll(findings(file.toString(), javaText(Files.readString(file))));
      }
    }
    assertEquals(List.of(), findings);
  }

  @Test
  void readsCommentsAndStringsOfJava() {
    String java =
        "int room = '\"'; // a room\nString s = \"no \\\"door\\\"\" + door;\n/** {@code story}\n * anew */";

    assertEquals(
        List.of("A.java:1: 'room', use: package", "A.java:2: 'door', use: entry point"),
        findings("A.java", javaText(java)).subList(0, 2));
    assertEquals(3, findings("A.java", javaText(java)).size());
  }

  /** Blanks everything but comments and strings. */
  private static String javaText(String java) {
    StringBuilder text = new StringBuilder();
    int end = 0;
    for (MatchResult match : JAVA_TEXT.matcher(java).results().toList()) {
      text.append(NO_LINE_END.matcher(java.substring(end, match.start())).replaceAll(" "));
      boolean isText = match.group(1) != null;
      text.append(isText ? match.group() : NO_LINE_END.matcher(match.group()).replaceAll(" "));
      end = match.end();
    }
    // The line ends of comments continue with a star.
    return blank(text.toString(), INLINE_TAG).replaceAll("(?m)^( *)\\*(?!/)", "$1 ");
  }

  @ParameterizedTest
  @FieldSource("PHRASES")
  void findsEachPhraseInItsExample(Phrase phrase) {
    String text = "First line.\n\n" + phrase.example().replaceFirst(" ", "\n") + ".";

    List<String> findings = findings("a.md", text);

    assertEquals(1, findings.stream().filter(f -> f.endsWith(phrase.instead())).count(), text);
  }

  @Test
  void ignoresCodeAndUsualWords() {
    assertEquals(
        List.of(),
        findings(
            "a.md",
            "There is no scanning. It is no longer used. `is no number` SN stands for a number.\n"
                + "The header of whole frames, for whom it may concern.\n"
                + "```text\nwhat is wrong\n```\n"));
  }

  @Test
  void reportsFileLineAndReplacement() {
    assertEquals(
        List.of("a.md:3: 'is no', use: is not a"),
        findings("a.md", "One `line`.\n\nThis is\nno number."));
  }

  private static List<String> findings(String file, String text) {
    String prose = blank(blank(text, EXEMPT_SECTION), CODE);
    List<String> findings = new ArrayList<>();
    for (Phrase phrase : PHRASES) {
      // Phrases can continue on the next line.
      String regex = "\\b(?:" + phrase.regex().replace(" ", "\\s+") + ")\\b";
      Matcher matcher = Pattern.compile(regex, Pattern.CASE_INSENSITIVE).matcher(prose);
      while (matcher.find()) {
        long line = prose.substring(0, matcher.start()).chars().filter(c -> c == '\n').count() + 1;
        String found = matcher.group().replaceAll("\\s+", " ");
        findings.add(file + ":" + line + ": '" + found + "', use: " + phrase.instead());
      }
    }
    return findings;
  }

  /** Replaces each match by spaces, so that the lines keep their numbers. */
  private static String blank(String text, String regex) {
    return Pattern.compile(regex)
        .matcher(text)
        .replaceAll(match -> NO_LINE_END.matcher(match.group()).replaceAll(" "));
  }
}
