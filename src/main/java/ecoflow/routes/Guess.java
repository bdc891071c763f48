package ecoflow.routes;

import ecoflow.text.Lines;
import java.util.Collection;
import java.util.stream.Collectors;

/** What the user may have meant by a name that does not exist. */
final class Guess {

  private static final int MOST_NAMES = 15;

  private Guess() {}

  /** The words after what is wrong: a similar name, else the names that are allowed. */
  static String of(String name, Collection<String> allowed) {
    String similar = similar(name, allowed);
    if (!similar.isEmpty()) {
      return similar;
    }
    return allowed.isEmpty() || allowed.size() > MOST_NAMES
        ? ""
        : "; allowed: " + allowed.stream().sorted().collect(Collectors.joining(", "));
  }

  /** The words for a similar name alone: where the names that are allowed help nobody. */
  static String similar(String name, Collection<String> names) {
    return Lines.nearest(name, names, Math.max(1, name.length() / 3))
        .map(other -> "; did you mean '" + other + "'?")
        .orElse("");
  }
}
