package ecoflow.routes;

import ecoflow.text.Lines;
import java.util.Collection;
import java.util.stream.Collectors;

/** Suggestions for unknown names. */
final class Guess {

  private static final int MAX_NAMES = 15;

  private Guess() {}

  /** The end of an error line: a similar name, otherwise the allowed names. */
  static String of(String name, Collection<String> allowed) {
    String similar = similar(name, allowed);
    if (!similar.isEmpty()) {
      return similar;
    }
    return allowed.isEmpty() || allowed.size() > MAX_NAMES
        ? ""
        : "; allowed: " + allowed.stream().sorted().collect(Collectors.joining(", "));
  }

  /** The end of an error line: only a similar name, if a list of all names would not help. */
  static String similar(String name, Collection<String> names) {
    return Lines.nearest(name, names, Math.max(1, name.length() / 3))
        .map(other -> "; did you mean '" + other + "'?")
        .orElse("");
  }
}
