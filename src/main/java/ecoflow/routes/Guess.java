package ecoflow.routes;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
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
    return names.stream()
        .filter(other -> distance(name, other) <= Math.max(1, name.length() / 3))
        .min(Comparator.comparingInt((String other) -> distance(name, other)).thenComparing(o -> o))
        .map(other -> "; did you mean '" + other + "'?")
        .orElse("");
  }

  /** How many letters differ, or stand in each other's place; their case does not count. */
  private static int distance(String one, String other) {
    String a = one.toLowerCase(Locale.ROOT);
    String b = other.toLowerCase(Locale.ROOT);
    int[][] steps = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          steps[i][j] = i + j;
          continue;
        }
        boolean isSame = a.charAt(i - 1) == b.charAt(j - 1);
        int least = Math.min(steps[i - 1][j], steps[i][j - 1]) + 1;
        least = Math.min(least, steps[i - 1][j - 1] + (isSame ? 0 : 1));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          least = Math.min(least, steps[i - 2][j - 2] + 1);
        }
        steps[i][j] = least;
      }
    }
    return steps[a.length()][b.length()];
  }
}
