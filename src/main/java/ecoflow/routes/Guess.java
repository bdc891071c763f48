package ecoflow.routes;

import ecoflow.text.Lines;
import java.util.Collection;
import java.util.stream.Collectors;

/** Suggestions for names that do not exist. */
final class Guess {

  private static final int MOST_NAMES = 15;

  private Guess() {}

  /** The end of an error line: a similar name, else the allowed names. */
  static String of(String name, Collection<String> allowed) {
    String similar = similar(name, allowed);
    if (!similar.isEmpty()) {
      return similar;
    }
    return allowed.isEmpty() || allowed.size() > MOST_NAMES
        ? ""
        : "; allowed: " + allowed.stream().sorted().collect(Collectors.joining(", "));
  }

  /**
   * The end of an error line: a similar name only, where a list of all allowed names does not help.
   */
  static String similar(String name, Collection<String> names) {
    return Lines.nearest(name, names, Math.max(1, name.length() / 3))
        .map(other -> "; did you mean '" + other + "'?")
        .orElse("");
  }
}
