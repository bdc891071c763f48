package ecoflow.routes;

import ecoflow.text.Lines;
import java.util.LinkedHashMap;
import java.util.Map;

/** Descriptions of YAML syntax errors for readers who do not know the terms of the parser. */
final class YamlWords {

  /** The description by a part of the parser's message; the first match applies. */
  private static final Map<String, String> WORDS = new LinkedHashMap<>();

  static {
    WORDS.put("TAB", "a tab is not allowed as indentation: use spaces");
    WORDS.put(
        "expected <block end>, but found '<block mapping start>'",
        "this line is indented differently from the other keys of its map");
    WORDS.put(
        "expected <block end>, but found '-'",
        "this list entry is indented differently from the other lines at its level");
    WORDS.put(
        "expected <block end>, but found '<block sequence start>'",
        "this list entry is indented differently from the other lines at its level");
    WORDS.put(
        "mapping values are not allowed here",
        "unexpected ':': this line is indented too far, or a text with ': ' needs quotes");
    WORDS.put(
        "sequence entries are not allowed here",
        "unexpected '- ': this line is indented differently, or belongs below its key");
    WORDS.put(
        "could not find expected ':'",
        "a ':' is missing in the line before, or this line is indented too little");
    WORDS.put("found unexpected end of stream", "a quote is opened but not closed");
    WORDS.put(
        "expected <block end>, but found '<scalar>'",
        "unexpected text after a quoted value: put the whole value in quotes");
  }

  private YamlWords() {}

  /**
   * @param problem the message of the parser; null if there is none
   */
  static String of(String problem) {
    if (problem == null) {
      return "it is not YAML";
    }
    return WORDS.entrySet().stream()
        .filter(entry -> problem.contains(entry.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElseGet(() -> Lines.oneLine(problem));
  }
}
